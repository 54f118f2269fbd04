"""Families, clusters and cells: what people browse, and the parts that a search probes.

*Clusters* are found by k-means in a space for browsing: sound, artist, genre and year, but not popularity or season,
which tell nothing of the kind of music. Their number is the one of the best simplified silhouette (Hruschka, Campello
and de Castro, Information Sciences 176, 2006) and name coverage together; those whose genres say too few of their
songs are split. *Families* are clusters joined by Ward's method, each weighted by its size, in a space where sound
counts more. *Cells* are found by k-means within each cluster, in the space of the score.

Everything is learned from a sample of songs, by whose centroids any number of songs are assigned.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from segue.catalog import Catalog
from segue.catalog.lookup.exact import songs_by_ids
from segue.catalog.normalization import hash64
from segue.engine.space import Space, squared_distances
from segue_build.model.cluster_names import covering_genres, name_coverage, songs_by_group
from segue_build.model.incidence import group_members
from segue_build.model.kmeans import (
    grid_scale,
    keyed_sample,
    kmeans,
    nearest_centroids,
    scale_to_max_norm,
    to_grid,
)
from segue_build.progress import thread_map
from segue_build.sources.series import batch_slices

CELLS_PER_SQRT = 4  # cells for each square root of the number of songs
CELLS_PER_CBRT = 28  # for each cube root, where that is less: a query reads every cell's centroid
TRAINING_SONGS = 250_000  # at most, from which centroids are learned
TRAINING_SONGS_PER_CELL = 160  # of them
CELLS_AT_ONCE = 256  # whose songs are summed
INIT_SONGS = 30_000  # of them that k-means++ chooses from: that costs more than all iterations after
MAX_ITERATIONS = 25  # of k-means; centroids hardly move after
BROWSING_WEIGHTS = {"audio": 0.2, "artist": 0.15, "genre": 0.65, "year": 0.05}  # see docs/clusters.md
# what sounds alike, whatever it is called
FAMILY_WEIGHTS = {"audio": 0.4, "artist": 0.3, "genre": 0.3, "year": 0.05}
MAX_CLUSTERS = 80  # more than anybody reads through
CLUSTERS_PER_SQRT = 0.5  # at most, for each square root of the number of songs: a few dozen songs each, or more
CLUSTER_TRAINING_SONGS = 60_000  # at most, from which clusters are learned
SILHOUETTE_SONGS = 20_000  # of them by which their number is chosen
CANDIDATE_SHARES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 1.0)  # of the largest number of clusters
STARTS = 2  # of k-means for clusters; the tightest result is taken
MIN_COVERAGE = 0.5  # share of a cluster's songs that its genres must say
MIN_SPLIT_GAIN = 0.05  # by which a split must raise that share
MIN_HALF = 0.25  # of an average cluster's songs, that either half must have
CLUSTERS_PER_FAMILY, MAX_FAMILIES = 4, 12
KEPT_LEAD = 0.02  # in silhouette and coverage, that another number of clusters than the version's before must have
MIN_OVERLAP = 1 / 3  # Jaccard index of two versions' clusters from which they are the same one


class Partition(NamedTuple):
    """How good a number of clusters is: both 0..1, to four digits.

    silhouette : simplified, how much nearer songs are to their own centroid than to the next one
    coverage : share of the songs that have one of the genres that say most of their cluster
    """

    silhouette: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Clustering:
    """Centroids by which songs are assigned, and how cells, clusters and families belong together.

    browsing_scale : float64, shape (n_dims,), from vectors to the points of the browsing space
    centroids : float32, shape (n_clusters, n_columns), of clusters
    ids : int64, shape (n_clusters,), rising, the number by which people know a cluster
    families : int64, shape (n_clusters,), the id of each cluster's family
    scale : float64, shape (n_dims,), from vectors to the points of the space of the score
    cell_centroids : float32, shape (n_cells, n_dims)
    cell_clusters : int64, shape (n_cells,), rising, the index of each cell's cluster
    tried : numbers of clusters that were tried, and how good they are
    chosen : the number that was chosen of these, before unclear clusters were split
    """

    browsing_scale: np.ndarray
    centroids: np.ndarray
    ids: np.ndarray
    families: np.ndarray
    scale: np.ndarray
    cell_centroids: np.ndarray
    cell_clusters: np.ndarray
    tried: Mapping[int, "Partition"]
    chosen: int

    def assign(self, vectors: np.ndarray) -> np.ndarray:
        """The cell of each song, int64, shape (n_songs,); vectors int8, shape (n_songs, n_dims)."""
        return np.concatenate([self._assign_batch(vectors[rows]) for rows in batch_slices(len(vectors))])

    def _assign_batch(self, vectors: np.ndarray) -> np.ndarray:
        clusters = nearest_centroids(browsing_points(vectors, self.browsing_scale), self.centroids)
        starts = np.searchsorted(self.cell_clusters, np.arange(len(self.centroids) + 1))
        points, cells = to_grid(vectors, self.scale), np.empty(len(vectors), np.int64)
        for cluster in np.unique(clusters).tolist():
            members, first, stop = clusters == cluster, *starts[cluster : cluster + 2]
            cells[members] = first + nearest_centroids(points[members], self.cell_centroids[first:stop])
        return cells


class PreviousClusters:
    """The clusters of the version before; a fit keeps their ids and names where they are still the same.

    manifest : of that version, empty where there is none
    chosen : the number of clusters that was chosen for it
    """

    def __init__(self, catalog: Catalog | None = None):
        self._catalog = catalog
        self.manifest: Mapping[str, Any] = catalog.manifest if catalog else {}
        self.chosen: int | None = self.manifest.get("clusters_chosen")

    def of_songs(self, ids: Sequence[str]) -> np.ndarray:
        """The ids of each song's cluster and family, -1 for a song that is new; int64, shape (n_songs, 2)."""
        found = np.full((len(ids), 2), -1, np.int64)
        if self._catalog:
            rows = np.array([-1 if row is None else row for row in songs_by_ids(self._catalog, ids)])
            entries = self._catalog.clusters_of(rows[rows >= 0])
            found[rows >= 0] = np.array([(one["id"], one["family"]) for one in entries], np.int64).reshape(-1, 2)
        return found


def fit_clustering(
    space: Space,
    sample: np.ndarray,
    genres: sparse.csr_matrix,
    ids: Sequence[str],
    n_songs: int,
    seed: int,
    previous: PreviousClusters,
    max_squared_norms: tuple[float, float] | None = None,
) -> Clustering:
    """Find clusters, families and cells.

    Parameters
    ----------
    sample : int8, shape (n_sampled, n_dims), vectors of :func:`training_sample_size` of all songs or fewer
    genres : 0/1, shape (n_sampled, n_genres), of these songs
    ids : of these songs; chance depends on them, so that it takes much the same songs of a table that changed
    n_songs : of the catalogue
    seed : of everything random
    previous : clusters whose ids are kept where they are still the same
    max_squared_norms : of all songs' weighted vectors, in the browsing space and that of the score; None: the sample
        holds all songs

    """
    browsing = browsing_weights(space)
    scales = [
        grid_scale(sample, weights) if max_squared_norms is None else scale_to_max_norm(weights, max_squared_norms[n])
        for n, weights in enumerate((browsing, space.column_weights))
    ]
    keys = song_keys(ids)
    few = keyed_sample(keys, CLUSTER_TRAINING_SONGS, seed)
    points, keys = browsing_points(sample[few], scales[0]), keys[few]
    tried = _partitions(points, genres[few], keys, n_songs, seed)
    chosen = max(tried, key=lambda count: sum(tried[count]) + KEPT_LEAD * (count == previous.chosen))
    centroids = fit_centroids(points, genres[few], keys, chosen, n_songs, seed)
    labels = nearest_centroids(points, centroids)
    used, labels = np.unique(labels, return_inverse=True)
    centroids, sizes = centroids[used], np.bincount(labels)
    families, order = join_families(_means(sample[few], block_weights(space, FAMILY_WEIGHTS), labels), sizes)
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.arange(len(order))
    known = previous.of_songs([ids[row] for row in few.tolist()])
    numbers = match_ids(labels, numbers, known[:, 0])
    families = match_ids(families[labels], np.arange(families.max() + 1), known[:, 1])[families]
    order = np.argsort(numbers)
    found = Clustering(
        scales[0], centroids[order], numbers[order], families[order], scales[1],
        np.empty((0, sample.shape[1]), np.float32), np.empty(0, np.int64), tried, chosen,
    )  # fmt: skip
    return _with_cells(found, sample, n_songs, seed)


def song_keys(ids: Sequence[str]) -> np.ndarray:
    """Digests of ids, by which chance chooses; uint64, shape (n_songs,)."""
    return np.array([hash64(song) for song in ids], np.uint64)


def fit_centroids(
    points: np.ndarray, genres: sparse.csr_matrix, keys: np.ndarray, count: int, n_songs: int, seed: int
) -> np.ndarray:
    """Centroids of clusters, float32, shape (n_clusters, n_columns): so many, and more where unclear ones were split.

    points : of the browsing space, float32 of whole numbers, shape (n_points, n_columns)
    keys : uint64, shape (n_points,), see :func:`song_keys`
    genres, n_songs, seed : as :func:`fit_clustering` takes them
    """
    centroids = _best_start(points, keys, count, seed)
    return _split_unclear(points, centroids, genres, _max_clusters(n_songs), seed)


def browsing_weights(space: Space) -> np.ndarray:
    """What columns are multiplied by in the browsing space, shape (n_dims,)."""
    return block_weights(space, BROWSING_WEIGHTS)


def browsing_points(vectors: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Whole numbers, float32, shape (n_songs, n_columns): the columns that count."""
    used = scale > 0
    return to_grid(vectors[:, used], scale[used])


def block_weights(space: Space, weights: Mapping[str, float]) -> np.ndarray:
    """What columns are multiplied by to weigh blocks so, shape (n_dims,); as the score does if none is there."""
    found = np.zeros(len(space.spread))
    for block in space.blocks:
        found[block.columns] = (weights.get(block.name, 0) / space.spread[block.columns].sum()) ** 0.5
    return found if found.any() else space.column_weights


def cell_count(n_songs: int) -> int:
    """The number of cells for a catalogue, at the most."""
    return round(min(CELLS_PER_SQRT * n_songs**0.5, CELLS_PER_CBRT * n_songs ** (1 / 3), n_songs))


def training_sample_size(n_songs: int) -> int:
    """The number of songs that all centroids are learned from, at the most."""
    n_cells = cell_count(n_songs)
    return min(n_songs, n_cells * TRAINING_SONGS_PER_CELL, max(TRAINING_SONGS, n_cells))


def cell_centroids(vectors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Mean vectors of the cells, int8, shape (n_cells, n_dims).

    vectors : int8, shape (n_songs, n_dims), sorted by cell, as the function will read them
    offsets : shape (n_cells + 1,), first song of each cell
    """
    starts, centroids = offsets.astype(np.int64), np.empty((len(offsets) - 1, vectors.shape[1]), vectors.dtype)
    for cells in batch_slices(len(centroids), CELLS_AT_ONCE):  # reduceat turns all that it sums into int64
        of_cells = starts[cells.start : cells.stop + 1]
        sums = np.add.reduceat(vectors[of_cells[0] : of_cells[-1]], of_cells[:-1] - of_cells[0], dtype=np.int64)
        centroids[cells] = np.rint(sums / np.diff(of_cells)[:, None])
    return centroids


def _max_clusters(n_songs: int) -> int:
    return max(1, min(MAX_CLUSTERS, round(CLUSTERS_PER_SQRT * n_songs**0.5)))


def _partitions(
    points: np.ndarray, genres: sparse.csr_matrix, keys: np.ndarray, n_songs: int, seed: int
) -> dict[int, Partition]:
    """Numbers of clusters and how good they are, the smaller numbers first."""
    most, few = _max_clusters(n_songs), keyed_sample(keys, SILHOUETTE_SONGS, seed)
    points, genres, keys = points[few], genres[few], keys[few]
    counts = sorted({max(1, round(share * most)) for share in CANDIDATE_SHARES})

    def partition(count: int) -> Partition:
        centroids = kmeans(points, count, seed, MAX_ITERATIONS, INIT_SONGS, keys)
        coverage = name_coverage(genres, nearest_centroids(points, centroids))
        return Partition(simplified_silhouette(points, centroids), round(coverage, 4))

    return dict(zip(counts, thread_map(partition, counts, "numbers of clusters", "")))


def simplified_silhouette(points: np.ndarray, centroids: np.ndarray) -> float:
    """The mean over points of 1 - distance to the nearest centroid / distance to the second; 0..1, to four digits."""
    if len(centroids) < 2:
        return 0.0
    distances = np.sqrt(np.concatenate([
        np.partition(squared_distances(points[rows].astype(np.float64), centroids), 1, axis=1)[:, :2]
        for rows in batch_slices(len(points))
    ]).clip(0))  # fmt: skip
    return round(float((1 - distances[:, 0] / distances[:, 1].clip(1e-9)).mean()), 4)


def _best_start(points: np.ndarray, keys: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The centroids of the start that leaves the smallest sum of squared distances."""
    seeds = range(STARTS * seed, STARTS * seed + STARTS)
    found = thread_map(
        lambda each: kmeans(points, count, each, MAX_ITERATIONS, INIT_SONGS, keys), seeds, "starts of k-means", ""
    )
    return min(found, key=lambda centroids: _sum_of_squares(points, centroids))


def _sum_of_squares(points: np.ndarray, centroids: np.ndarray) -> float:
    return float(np.square(points - centroids[nearest_centroids(points, centroids)]).sum(dtype=np.float64))


def _split_unclear(
    points: np.ndarray, centroids: np.ndarray, genres: sparse.csr_matrix, most: int, seed: int
) -> np.ndarray:
    """Centroids after clusters whose genres say too few of their songs were split in two, the largest first.

    A split stays where it makes the genres say more, and neither half is small beside a cluster of average size.
    """
    tried: set[bytes] = set()
    while len(centroids) < most:
        labels = nearest_centroids(points, centroids)
        cluster = _unclear_cluster(labels, centroids, genres, tried)
        if cluster is None:
            break
        tried.add(centroids[cluster].tobytes())
        members = np.flatnonzero(labels == cluster)
        halves = kmeans(points[members], 2, seed, MAX_ITERATIONS, INIT_SONGS)
        sides = nearest_centroids(points[members], halves)
        sizes = np.bincount(sides, minlength=2)
        shares = [covering_genres(genres[members[sides == side]]).share for side in range(2)]
        gain = (sizes @ shares) / len(members) - covering_genres(genres[members]).share
        if gain >= MIN_SPLIT_GAIN and sizes.min() >= MIN_HALF * len(points) / len(centroids):
            centroids = np.concatenate([np.delete(centroids, cluster, axis=0), halves])
    return centroids


def _unclear_cluster(
    labels: np.ndarray, centroids: np.ndarray, genres: sparse.csr_matrix, tried: set[bytes]
) -> int | None:
    """The largest cluster of whose songs too few have one of its genres, and which was not tried before."""
    for cluster in np.argsort(-np.bincount(labels, minlength=len(centroids)), kind="stable").tolist():
        is_new = centroids[cluster].tobytes() not in tried
        if is_new and covering_genres(genres[labels == cluster]).share < MIN_COVERAGE:
            return cluster
    return None


def _means(sample: np.ndarray, weights: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean of each cluster's points, rounded to whole numbers; float64, shape (n_clusters, n_dims)."""
    members = group_members(labels, int(labels.max()) + 1)
    sums = members @ to_grid(sample, grid_scale(sample, weights)).astype(np.int64)
    return np.rint(sums / np.bincount(labels)[:, None])


def join_families(means: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Families of clusters by Ward's method (JASA 58, 1963), where each cluster counts by its size.

    Returns
    -------
    The family of each cluster, numbered in the order of the second: all clusters, such that those of one family, and
    within it those that were joined first, are neighbours. Both int64, shape (n_clusters,).

    """
    groups = [[number] for number in range(len(means))]
    means, weights = means.astype(np.float64), sizes.astype(np.float64)
    n_families = max(1, min(MAX_FAMILIES, round(len(means) / CLUSTERS_PER_FAMILY)))
    families = groups
    while len(groups) > 1:
        if len(groups) == n_families:
            families = [list(group) for group in groups]
        costs = squared_distances(means, means) * (weights[:, None] * weights / (weights[:, None] + weights))
        np.fill_diagonal(costs, np.inf)
        one, other = sorted(divmod(int(costs.argmin()), len(groups)))
        groups[one] = groups[one] + groups.pop(other)
        means[one] = (means[one] * weights[one] + means[other] * weights[other]) / (weights[one] + weights[other])
        weights[one] += weights[other]
        means, weights = np.delete(means, other, axis=0), np.delete(weights, other)
    order = np.array(groups[0])
    family = np.empty(len(order), np.int64)
    for number, members in enumerate(sorted(families, key=lambda members: groups[0].index(members[0]))):
        family[members] = number
    return family, order


def match_ids(labels: np.ndarray, ids: np.ndarray, previous_ids: np.ndarray) -> np.ndarray:
    """Ids of clusters: those of the version before where a cluster is still the same, else new ones.

    Clusters are the same where at least ``MIN_OVERLAP`` of the songs of either are in both; of several pairings the
    one with the largest sum of overlaps is taken (Kuhn, Naval Research Logistics Quarterly 2, 1955).

    Parameters
    ----------
    labels : int64, shape (n_songs,), the cluster of each song
    ids : int64, shape (n_clusters,), where there is no version before
    previous_ids : int64, shape (n_songs,), -1 where a song is new

    """
    known = previous_ids >= 0
    if not known.any():
        return ids
    shared = np.zeros((len(ids), int(previous_ids.max()) + 1))
    np.add.at(shared, (labels[known], previous_ids[known]), 1)
    overlap = shared / (shared.sum(axis=1)[:, None] + shared.sum(axis=0) - shared).clip(1)
    rows, columns = linear_sum_assignment(-overlap)
    kept = {int(row): int(column) for row, column in zip(rows, columns) if overlap[row, column] >= MIN_OVERLAP}
    unused = itertools.count(int(previous_ids.max()) + 1)  # a link to a cluster that is gone leads to no other one
    matched = np.empty_like(ids)
    for number in np.argsort(ids).tolist():
        matched[number] = kept[number] if number in kept else next(unused)
    return matched


def _with_cells(found: Clustering, sample: np.ndarray, n_songs: int, seed: int) -> Clustering:
    """The same with cells: a cluster has as many as its share of the sum of squares; those without a song go."""
    clusters = nearest_centroids(browsing_points(sample, found.browsing_scale), found.centroids)
    points = to_grid(sample, found.scale)
    members_of_clusters = list(songs_by_group(clusters, len(found.centroids)))
    scatters = [_scatter(points[members]) for members in members_of_clusters]
    total = max(sum(scatters), 1.0)

    def cells_of(cluster: int) -> np.ndarray:
        members = points[members_of_clusters[cluster]]
        count = max(1, round(cell_count(n_songs) * scatters[cluster] / total))
        found_here = kmeans(members, count, seed, MAX_ITERATIONS, INIT_SONGS)
        return found_here[np.unique(nearest_centroids(members, found_here))]

    centroids = list(thread_map(cells_of, range(len(scatters)), "cells", " clusters"))
    cell_clusters = np.repeat(np.arange(len(centroids)), [len(each) for each in centroids])
    return replace(found, cell_centroids=np.concatenate(centroids), cell_clusters=cell_clusters)


def _scatter(points: np.ndarray) -> float:
    """The sum of squared distances from the rounded mean, which is exact."""
    return float(np.square(points - np.rint(points.mean(axis=0, dtype=np.float64))).sum(dtype=np.float64))
