"""Ways to cluster songs, judged by names, sizes and playlists.

``python -m tests.benchmarks.clusters [--source CSV | --artifacts DIR] [--playlists CSV] [--row NAME]`` prints the
table of docs/clusters.md. Mixture, densities and communities are found in the space for browsing and learned from a
small sample of songs; the others get what the mixture says, or the cluster of the nearest of the sample.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from segue.catalog import Catalog, load
from segue.engine.space import space_of
from segue.query.schema import AUDIO_FEATURES
from segue_build.fit import FitOptions, fit
from segue_build.model import clustering
from segue_build.model.cluster_names import covering_genres
from segue_build.model.kmeans import grid_scale, kmeans, nearest_centroids, sample_rows, to_grid
from segue_build.quality.evaluate import evaluated_catalog
from segue_build.quality.metrics import evenness, mutual_information, pair_information, playlist_pairs, song_genres
from segue_build.sources.importer import load_playlists
from tests.benchmarks.figures import Row, table

ITERATIONS, STARTED_FROM = 25, 30_000
SLOW = 10_000  # songs that the slow ones learn from
NEIGHBOURS = 15  # in the graph of Leiden's algorithm
DIMENSIONS = 12  # of what densities are estimated in: principal components
DECILES = 10  # groups of popularity


@dataclass(frozen=True)
class Songs:
    """What is clustered, and what judges it."""

    catalog: Catalog
    genres: sparse.csr_matrix
    pairs: np.ndarray | None = None

    @cached_property
    def vectors(self) -> np.ndarray:
        return np.asarray(self.catalog.array("vectors"))

    @cached_property
    def audio(self) -> np.ndarray:
        """The features of sound, mean 0 and deviation 1."""
        columns = [np.asarray(self.catalog.attribute(attribute.name), np.float64) for attribute in AUDIO_FEATURES]
        return StandardScaler().fit_transform(np.nan_to_num(np.stack(columns, axis=1)))

    def points(self, weights: np.ndarray) -> np.ndarray:
        """Whole numbers, as k-means of the build takes them."""
        return to_grid(self.vectors, grid_scale(self.vectors, weights))[:, weights > 0]

    @cached_property
    def browsing(self) -> np.ndarray:
        return self.points(clustering.browsing_weights(space_of(self.catalog)))

    @cached_property
    def sample(self) -> np.ndarray:
        return sample_rows(len(self.vectors), clustering.CLUSTER_TRAINING_SONGS, 0)

    @cached_property
    def few(self) -> np.ndarray:
        return sample_rows(len(self.vectors), SLOW, 0)


def classic(songs: Songs) -> np.ndarray:
    """k-means on the features of sound, as in many notebooks."""
    return (
        KMeans(min(40, len(songs.sample)), n_init=1, random_state=0)
        .fit(songs.audio[songs.sample])
        .predict(songs.audio)
    )


def ward_of_cells(songs: Songs) -> np.ndarray:
    """The cells of a search in the space of the score, joined by Ward's method, whatever their sizes."""
    points = songs.points(space_of(songs.catalog).column_weights)
    n_cells = clustering.cell_count(len(points))
    centroids = kmeans(points[songs.sample], n_cells, 0, 5, STARTED_FROM)
    joined = AgglomerativeClustering(min(40, len(centroids))).fit(centroids).labels_
    return joined[nearest_centroids(points, centroids)]


def plain(songs: Songs, weights: dict[str, float], count: int | None = None) -> np.ndarray:
    """k-means with weights of blocks; count None: as many clusters as the version has."""
    points = songs.points(clustering.block_weights(space_of(songs.catalog), weights))
    count = len(songs.catalog.manifest["clusters"]) if count is None else count
    centroids = kmeans(points[songs.sample], count, 0, ITERATIONS, STARTED_FROM)
    return nearest_centroids(points, centroids)


def in_use(songs: Songs) -> np.ndarray:
    """As the build does, cells and all."""
    ids, n_songs = songs.catalog.texts("ids"), len(songs.vectors)
    rows = sample_rows(n_songs, clustering.training_sample_size(n_songs), 0)
    found = clustering.fit_clustering(
        space_of(songs.catalog), songs.vectors[rows], songs.genres[rows], ids.take(rows), n_songs, 0,
        clustering.PreviousClusters(),
    )  # fmt: skip
    return found.cell_clusters[found.assign(songs.vectors)]


def mixture(songs: Songs) -> np.ndarray:
    """Gaussians, each with variances of its own."""
    reduced = _reduced(songs)
    model = GaussianMixture(
        min(64, len(songs.few) // 2), covariance_type="diag", reg_covar=1e-3, random_state=0, max_iter=50
    )
    return model.fit(reduced[songs.few]).predict(reduced)


def densities(songs: Songs) -> np.ndarray:
    """HDBSCAN; what it calls noise goes to the nearest cluster."""
    reduced = _reduced(songs)
    found = HDBSCAN(min_cluster_size=max(5, len(songs.few) // 300), min_samples=5, copy=False).fit(reduced[songs.few])
    known = found.labels_ >= 0
    return _nearest_labels(reduced, songs.few[known], found.labels_[known])


def communities(songs: Songs) -> np.ndarray:
    """Leiden's algorithm on the graph of nearest neighbours."""
    import igraph

    igraph.set_random_number_generator(random.Random(0))
    graph = kneighbors_graph(songs.browsing[songs.few], min(NEIGHBOURS, len(songs.few) - 1)).tocoo()
    linked = igraph.Graph(len(songs.few), list(zip(graph.row.tolist(), graph.col.tolist()))).simplify()
    found = linked.community_leiden("modularity", resolution=4, n_iterations=10)
    return _nearest_labels(songs.browsing, songs.few, np.array(found.membership))


def _reduced(songs: Songs) -> np.ndarray:
    dimensions = min(DIMENSIONS, songs.browsing.shape[1])
    reduced = PCA(dimensions, random_state=0).fit(songs.browsing[songs.sample]).transform(songs.browsing)
    return reduced / reduced.std()


def _nearest_labels(points: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    if not len(rows):
        return np.zeros(len(points), np.int64)
    return KNeighborsClassifier(1, algorithm="brute").fit(points[rows], labels).predict(points)


SIMPLE = {"audio": 0.3, "artist": 0.2, "genre": 0.5}
METHODS: dict[str, Callable[[Songs], np.ndarray]] = {
    "the classic: k-means on audio, 40": classic,
    "Ward's method on cells of the search, 40": ward_of_cells,
    "Gaussian mixture, 64": mixture,
    "HDBSCAN": densities,
    "Leiden on the neighbour graph": communities,
    "k-means on sound 0.3, artist 0.2, genre 0.5, 40": partial(plain, count=40, weights=SIMPLE),
    "the same, as many as in use": partial(plain, weights=SIMPLE),
    "k-means with the weights in use, 40": partial(plain, count=40, weights=clustering.BROWSING_WEIGHTS),
    "the same weights, as many as in use": partial(plain, weights=clustering.BROWSING_WEIGHTS),
    "in use": in_use,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.clusters", description=__doc__)
    parser.add_argument("--source", help="a table to fit")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="without --source")
    parser.add_argument("--playlists", type=Path)
    parser.add_argument("--row", choices=list(METHODS))
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.source:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            songs = read(fit(FitOptions([options.source]), folder), options.playlists)
        else:
            songs = read(load(options.artifacts), options.playlists)
        stack.enter_context(threadpool_limits(1))  # as the build has it
        names = [options.row] if options.row else list(METHODS)
        print(table([{"method": name, **measure(METHODS[name], songs)} for name in names]))


def read(catalog: Catalog, playlists: Path | None) -> Songs:
    """A catalogue and pairs of its songs that are on one playlist."""
    genres = song_genres(catalog)
    if playlists is None:
        return Songs(catalog, genres)
    works, ids = evaluated_catalog(catalog).works, catalog.texts("ids")
    pairs = playlist_pairs(load_playlists(playlists, works), works, [ids[row] for row in works.rows.tolist()])
    return Songs(catalog, genres, works.rows[pairs])


def measure(method: Callable[[Songs], np.ndarray], songs: Songs) -> Row:
    """Figures of one way to cluster."""
    began = time.process_time()
    labels = np.unique(method(songs), return_inverse=True)[1]
    seconds = time.process_time() - began
    sizes = np.bincount(labels)
    shares = [covering_genres(songs.genres[labels == label]).share for label in range(len(sizes))]
    figures: dict[str, Any] = {"clusters": len(sizes), **_by_pairs(labels, songs.pairs)}
    return figures | {
        "name coverage": round(float(np.average(shares, weights=sizes)), 3),
        "lowest": round(min(shares), 2),
        "evenness": round(evenness(sizes), 3),
        "popularity information": round(popularity_information(labels, songs.catalog), 3),
        "seconds": round(seconds, 1),
    }


def _by_pairs(labels: np.ndarray, pairs: np.ndarray | None) -> dict[str, float]:
    """Pairs of a playlist in one cluster, the same songs paired at random, and what a song tells of the other."""
    if pairs is None or not len(pairs):
        return {}
    together = float((labels[pairs[:, 0]] == labels[pairs[:, 1]]).mean())
    shares = np.bincount(labels[pairs].ravel()) / pairs.size
    information = pair_information(labels, pairs) or 0.0
    return {
        "pairs in one": round(together, 3),
        "at random": round(float((shares**2).sum()), 3),
        "pair information": round(information, 3),
    }


def popularity_information(labels: np.ndarray, catalog: Catalog) -> float:
    """Mutual information of cluster and decile of popularity, in nats."""
    popularity = np.nan_to_num(np.asarray(catalog.attribute("popularity"), np.float64), nan=-1)
    edges = np.quantile(popularity, np.linspace(0, 1, DECILES + 1)[1:-1])
    counts = np.zeros((int(labels.max()) + 1, DECILES))
    np.add.at(counts, (labels, edges.searchsorted(popularity)), 1)
    return mutual_information(counts)


if __name__ == "__main__":
    main()
