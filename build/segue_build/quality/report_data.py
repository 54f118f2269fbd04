"""What a version of the artifacts looks like, in numbers: the report's tables, and what its plots draw."""

import warnings
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score

from segue.catalog import Catalog
from segue.engine.space import rank_transform, space_of
from segue_build.artifacts.parquet import FILE_NAME
from segue_build.model.clustering import browsing_weights
from segue_build.model.kmeans import sample_rows
from segue_build.quality.metrics import name_coverages, song_clusters

PROFILE_ATTRIBUTES = ("energy", "acousticness", "valence", "danceability", "instrumentalness", "tempo", "popularity")
TYPICAL_SONGS = 5  # songs that stand for a cluster
CLUSTER_COUNTS = (2, 5, 10, 20, 30, 45, 60)  # numbers of clusters
KMEANS_SONGS = 5_000  # songs on which they are tried
MAP_SONGS = 15_000  # songs on the map, at the most


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """A column of ``catalog.parquet``.

    missing : songs without a value; an empty text or list is none
    low, middle, high : smallest value, median and largest, where it holds numbers
    """

    name: str
    kind: str
    missing: int
    low: float | None = None
    middle: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """A cluster as people see it.

    coverage : share of its songs that have a genre that its name says
    profile : mean rank of each of ``PROFILE_ATTRIBUTES``, 0..1, None where unknown
    typical : rows of well-known songs near its centre
    """

    id: int
    name: str
    size: int
    coverage: float
    profile: tuple[float | None, ...]
    typical: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FamilySummary:
    """A family of clusters."""

    name: str
    size: int
    clusters: list[ClusterSummary]


@dataclass(frozen=True, slots=True)
class ClusterFit:
    """How well ``k`` clusters fit: mean squared distance to the centre, and silhouette (None where undefined)."""

    k: int
    inertia: float
    silhouette: float | None


@dataclass(frozen=True, slots=True)
class SongMap:
    """Songs in the plane.

    coordinates : float64, shape (n_points, 2)
    clusters : int64, shape (n_points,), the index of each one's cluster
    """

    coordinates: np.ndarray
    clusters: np.ndarray


def summarize_columns(catalog: Catalog) -> list[ColumnSummary]:
    """Every column of the table, in its order."""
    table = pq.ParquetFile(catalog.path(FILE_NAME)).read()
    return [_summarize_column(name, table[name]) for name in table.column_names]


def summarize_families(catalog: Catalog) -> list[FamilySummary]:
    """Every family with its clusters, their mean ranks and songs that stand for them."""
    curve = rank_transform(catalog)
    ranks = [curve(name, np.asarray(catalog.attribute(name), np.float64)) for name in PROFILE_ATTRIBUTES]
    known_songs, coverages = catalog.lists("cluster", "songs"), name_coverages(catalog)
    clusters: dict[int, list[ClusterSummary]] = {}
    for index, entry in enumerate(catalog.manifest["clusters"]):
        members = slice(entry["first"], entry["first"] + entry["size"])
        profile = tuple(_known_mean(values[members]) for values in ranks)
        typical = tuple(map(int, known_songs[index][:TYPICAL_SONGS]))
        found = ClusterSummary(entry["id"], entry["name"], entry["size"], coverages[index], profile, typical)
        clusters.setdefault(entry["family"], []).append(found)
    return [
        FamilySummary(entry["name"], entry["size"], clusters[entry["id"]]) for entry in catalog.manifest["families"]
    ]


def browsing_vectors(catalog: Catalog) -> np.ndarray:
    """Vectors of the space in which clusters are found; float32, shape (n_songs, n_dims)."""
    return np.asarray(catalog.array("vectors"), np.float32) * browsing_weights(space_of(catalog)).astype(np.float32)


def try_cluster_counts(points: np.ndarray, labels: np.ndarray, seed: int = 0) -> tuple[list[ClusterFit], ClusterFit]:
    """k-means with several numbers of clusters on a sample, and beside it the clustering in use.

    Parameters
    ----------
    points : shape (n_songs, n_dims)
    labels : shape (n_songs,), the clustering in use

    """
    rows = sample_rows(len(points), KMEANS_SONGS, seed)
    points, labels = points[rows], labels[rows]
    fits = []
    for k in (k for k in CLUSTER_COUNTS if k < len(points)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct songs than clusters
            fits.append(_cluster_fit(points, KMeans(k, n_init=2, random_state=seed).fit(points).labels_, k))
    return fits, _cluster_fit(points, labels, len(np.unique(labels)))


def sample_map(catalog: Catalog, seed: int = 0) -> SongMap:
    """The map, or a sample of a large one."""
    rows = sample_rows(len(catalog), MAP_SONGS, seed)
    return SongMap(catalog.array("map")[rows].astype(np.float64), song_clusters(catalog)[rows])


def _summarize_column(name: str, values: pa.ChunkedArray) -> ColumnSummary:
    kind, missing = values.type, values.null_count
    if pa.types.is_list(kind):
        empty = pc.sum(pc.equal(pc.list_value_length(values), 0)).as_py() or 0
        return ColumnSummary(name, "list", missing + empty)
    if pa.types.is_string(kind):
        return ColumnSummary(name, "text", missing + (pc.sum(pc.equal(values, "")).as_py() or 0))
    if pa.types.is_boolean(kind):
        return ColumnSummary(name, "yes or no", missing)
    if missing == len(values) or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return ColumnSummary(name, "number", missing)
    bounds = pc.min_max(values).as_py()
    return ColumnSummary(name, "number", missing, bounds["min"], pc.quantile(values, 0.5)[0].as_py(), bounds["max"])


def _known_mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _cluster_fit(points: np.ndarray, labels: np.ndarray, k: int) -> ClusterFit:
    labels = np.unique(labels, return_inverse=True)[1]
    n_labels = int(labels.max()) + 1
    distances = points - _label_means(points, labels, n_labels)[labels]
    silhouette = float(silhouette_score(points, labels)) if 1 < n_labels < len(points) else None
    return ClusterFit(k, float((distances**2).sum(axis=1).mean()), silhouette)


def _label_means(points: np.ndarray, labels: np.ndarray, n_labels: int) -> np.ndarray:
    """Mean point of each label, 0 where it has none; shape (n_labels, n_dims)."""
    sums = np.zeros((n_labels, points.shape[1]))
    np.add.at(sums, labels, points)
    return sums / np.maximum(np.bincount(labels, minlength=n_labels), 1)[:, None]
