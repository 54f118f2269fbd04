"""Cells that prune the search, clusters of cells that people browse, and the k-means that finds them.

k-means works in whole numbers: every processor, BLAS and number of threads finds the same centroids. A product of
vectors of whole numbers is exact in float32, in whatever order it is summed, as long as it stays below 2**24. So
points are whole numbers no longer than about ``MAX_NORM``, the centroids are rounded to whole numbers after each
iteration, and only exact sums decide which of them is nearest.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering

from segue.engine.space import square_of_difference
from segue_build.progress import thread_map
from segue_build.sources.series import batch_slices

CELLS_PER_SQRT = 4  # cells for each square root of the number of songs
CELLS_PER_CBRT = 28  # for each cube root, where that is less: a query reads every cell's centroid
TRAINING_SONGS = 250_000  # at most, from which the cells' centroids are learned; the others are assigned
TRAINING_SONGS_PER_CELL = 160  # of them
INIT_SONGS = 30_000  # of them that k-means++ chooses from: that costs more than all iterations after
MAX_CLUSTERS = 40
MAX_ITERATIONS = 25  # of k-means; centroids hardly move after
MAX_NORM = 2_000  # norm of a point; the square of twice that, and what rounding adds, is below 2**24
CHUNK_ROWS = 512  # their table of products stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Clustering:
    """A clustering in two levels.

    cell_of_song : int64, shape (n_songs,), numbered so that cells of one cluster are neighbours
    cluster_of_cell : int64, shape (n_cells,), the cluster of each cell
    """

    cell_of_song: np.ndarray
    cluster_of_cell: np.ndarray


def cluster_songs(vectors: np.ndarray, seed: int, weights: np.ndarray | float = 1.0) -> Clustering:
    """Cluster songs into about 4 sqrt(n) cells, fewer past 100,000 songs, and cells into a few dozen clusters.

    vectors : float32, shape (n_songs, n_dims)
    weights : shape (n_dims,), what the columns are multiplied by to be compared by one distance

    A large catalogue's centroids are learned from a sample; every song is then in the cell of the nearest.
    """
    weights = np.asarray(weights, np.float64)
    labels, centroids = _assign_cells(vectors, weights, cell_count(len(vectors)), seed)
    renumbered, cluster_of_cell = group_cells(centroids)
    return Clustering(renumbered[labels], cluster_of_cell)


def cell_count(n_songs: int) -> int:
    """The number of cells for a catalogue, at the most."""
    return round(min(CELLS_PER_SQRT * n_songs**0.5, CELLS_PER_CBRT * n_songs ** (1 / 3), n_songs))


def training_sample_size(n_cells: int) -> int:
    """The number of songs that the centroids of so many cells are learned from, at the most."""
    return min(n_cells * TRAINING_SONGS_PER_CELL, max(TRAINING_SONGS, n_cells))


def train_cell_centroids(sample: np.ndarray, scale: np.ndarray, n_cells: int, seed: int) -> np.ndarray:
    """Centroids, float32 of whole numbers, shape (n_cells or fewer, n_dims).

    sample : int8, shape (n_songs, n_dims)
    scale : see :func:`grid_scale`
    """
    return kmeans(to_grid(sample, scale), n_cells, seed, MAX_ITERATIONS, INIT_SONGS)


def group_cells(centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group cells into clusters.

    Returns
    -------
    The new number of each cell, which makes cells of one cluster consecutive, and the cluster of each cell in that
    order; both int64, shape (n_cells,).

    """
    cluster_of_cell = _ward_labels(centroids)
    order = np.lexsort((np.arange(len(centroids)), cluster_of_cell))
    renumbered = np.empty(len(order), np.int64)
    renumbered[order] = np.arange(len(order))
    return renumbered, cluster_of_cell[order]


def cell_centroids(vectors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Mean vectors of the cells, int8, shape (n_cells, n_dims).

    vectors : int8, shape (n_songs, n_dims), sorted by cell, as the function will read them
    offsets : shape (n_cells + 1,), first song of each cell
    """
    sums = np.add.reduceat(vectors, offsets[:-1].astype(np.int64), dtype=np.int64)
    return np.rint(sums / np.diff(offsets)[:, None]).astype(vectors.dtype)


def _assign_cells(vectors: np.ndarray, weights: np.ndarray, n_cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    scale = grid_scale(vectors, weights)
    centroids = train_cell_centroids(_training_sample(vectors, n_cells, seed), scale, n_cells, seed)
    labels = np.concatenate(
        [nearest_centroids(to_grid(vectors[run], scale), centroids) for run in batch_slices(len(vectors))]
    )
    used, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int64), centroids[used]


def _training_sample(vectors: np.ndarray, n_cells: int, seed: int) -> np.ndarray:
    size = training_sample_size(n_cells)
    if len(vectors) <= size:
        return vectors
    return vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), size, replace=False))]


def _ward_labels(centroids: np.ndarray) -> np.ndarray:
    """Ward's method joins cells from below: a small group of its own kind stays one, as it would not by k-means."""
    n_clusters = min(MAX_CLUSTERS, max(1, round(1.3 * len(centroids) ** 0.5)), len(centroids))
    if n_clusters == len(centroids):
        return np.arange(n_clusters)
    return AgglomerativeClustering(n_clusters).fit_predict(centroids).astype(np.int64)


def sample_rows(n_rows: int, size: int, seed: int | np.random.Generator) -> np.ndarray:
    """Row numbers of a random sample, at most ``size``, rising."""
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:size])


def kmeans(points: np.ndarray, n_centroids: int, seed: int, max_iterations: int, init_sample: int) -> np.ndarray:
    """Centroids by Lloyd's algorithm.

    Parameters
    ----------
    points : float32 of whole numbers, shape (n_points, n_dims), of norms up to ``MAX_NORM``
    n_centroids : at the most; there are fewer where fewer points differ
    max_iterations : of Lloyd's algorithm
    init_sample : points that k-means++ chooses from, at the most

    Returns
    -------
    float32 of whole numbers, shape (n_centroids, n_dims)

    """
    rng = np.random.default_rng(seed)
    sample = sample_rows(len(points), max(init_sample, n_centroids), rng)
    centroids = _kmeans_plus_plus(points[sample], n_centroids, rng)
    labels = np.full(len(points), -1)
    for _ in range(max_iterations):
        previous, labels = labels, nearest_centroids(points, centroids)
        if np.array_equal(previous, labels):
            break
        centroids = _update_centroids(points, labels, centroids)
    return centroids


def nearest_centroids(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The index of each point's nearest centroid, the lowest where several tie; int64, shape (n_points,)."""
    transposed = np.ascontiguousarray(centroids.T)
    half_squared_norms = (centroids * centroids).sum(axis=1) / 2

    def of_chunk(start: int) -> np.ndarray:
        return np.argmax(points[start : start + CHUNK_ROWS] @ transposed - half_squared_norms, axis=1)

    starts = range(0, len(points), CHUNK_ROWS)
    return np.concatenate(list(thread_map(of_chunk, starts, "nearest centroids", " chunks")))


def grid_scale(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Factors by which the longest weighted vector gets the norm ``MAX_NORM``; shape (n_dims,)."""
    return scale_to_max_norm(
        weights, max(max_squared_norm(vectors[run], weights) for run in batch_slices(len(vectors)))
    )


def max_squared_norm(vectors: np.ndarray, weights: np.ndarray) -> float:
    """The square of the longest weighted vector's norm."""
    return float(np.square(vectors * weights).sum(axis=1).max())


def scale_to_max_norm(weights: np.ndarray, squared_norm: float) -> np.ndarray:
    """The same as :func:`grid_scale`, from the square of the longest weighted vector's norm."""
    return weights * (MAX_NORM / (squared_norm or 1.0) ** 0.5)


def to_grid(vectors: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Vectors rounded to whole numbers, float32."""
    return np.rint(vectors * scale).astype(np.float32)


def _kmeans_plus_plus(points: np.ndarray, n_centroids: int, rng: np.random.Generator) -> np.ndarray:
    """k-means++: Arthur and Vassilvitskii, SODA 2007."""
    squared_norms = (points * points).sum(axis=1)
    picks = [int(rng.integers(len(points)))]
    min_distances = np.full(len(points), np.inf, np.float32)
    while True:
        doubled_products = points @ (2 * points[picks[-1]])
        distances = square_of_difference(squared_norms, doubled_products, squared_norms[picks[-1]])
        np.minimum(min_distances, distances, out=min_distances)
        cumulative = np.cumsum(min_distances, dtype=np.float64)
        if len(picks) == n_centroids or not cumulative[-1]:
            return points[picks]
        picks.append(int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")))


def _update_centroids(points: np.ndarray, labels: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The mean of each centroid's points, rounded; a centroid without points stays where it is."""
    ones, starts = np.ones(len(labels)), np.arange(len(labels) + 1)
    members = sparse.csr_matrix((ones, labels, starts), shape=(len(labels), len(centroids)))
    counts = np.bincount(labels, minlength=len(centroids))[:, None]
    means = np.rint(members.T @ points / np.maximum(counts, 1))
    return np.where(counts > 0, means, centroids).astype(np.float32)
