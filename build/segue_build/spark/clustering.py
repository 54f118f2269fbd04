"""Vectors to rows of the catalogue: cells, local scales, pq codes and map positions; typical songs of each group."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from segue.engine.seeds import POINTS_PER_SEED
from segue.engine.space import RankTransform, Space
from segue_build.model import cluster_names, clustering, local_scale, map_layout, quantization
from segue_build.model.cluster_names import ATTRIBUTE_WORDS
from segue_build.model.clustering import max_squared_norm, nearest_centroids, scale_to_max_norm, to_grid
from segue_build.model.incidence import FIXED_POINT, build_incidence, to_fixed_point
from segue_build.spark.batches import (
    Frame,
    binary_column,
    flatten_lists,
    map_batches,
    min_max,
    persist,
    sum_batches,
    sum_by_group,
    to_vectors,
)
from segue_build.spark.features import SAMPLE_SIZE, sample_rows

_ASSIGNMENTS = pa.schema([("source_row", pa.int64()), ("distance", pa.float64()), ("label", pa.int32())])
ORDERED = pa.schema([
    ("row", pa.int64()), ("source_row", pa.int64()), ("cell", pa.int32()), ("cluster", pa.int32()),
    ("vector", pa.binary()), ("present", pa.int32()), ("local_scale", pa.float32()),
    ("pq_code", pa.list_(pa.int32())),
    ("x", pa.float64()), ("y", pa.float64()),
])  # fmt: skip
SAMPLE_PER_CLUSTER = 200  # songs of each cluster that its description is taken from
_DISTANCES = pa.schema([
    ("owner", pa.int64()), ("row", pa.int64()), ("work", pa.int64()), ("distance", pa.float64()),
    ("analysed", pa.bool_())
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderedSongs:
    """Songs in the order of the catalogue.

    rows : columns of ``ORDERED``
    offsets : int64, shape (n_cells + 1,), first row of each cell
    clusters : int64, shape (n_cells,), the cluster of each cell
    centroids : int8, shape (n_cells, n_dims)
    pq_centroids : of the pq codes
    low, high : of the map, shape (2,)
    """

    rows: Frame
    offsets: np.ndarray
    clusters: np.ndarray
    centroids: np.ndarray
    pq_centroids: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def cluster_starts(self) -> np.ndarray:
        """First row of each cluster, and the number of songs; int64, shape (n_clusters + 1,)."""
        starts = np.flatnonzero(np.diff(self.clusters, prepend=-1))
        return self.offsets[np.concatenate([starts, [len(self.clusters)]])]


def order_songs(space: Space, points: Frame, songs: Frame, n_songs: int, seed: int) -> OrderedSongs:
    """Put songs into cells and number them.

    points : columns of :data:`segue_build.spark.embedding.VECTORS`
    """
    longest_square = min_max(
        points, lambda table: np.array([[max_squared_norm(to_vectors(table["vector"]), space.column_weights)]])
    )[1][0]
    scale = scale_to_max_norm(space.column_weights, longest_square)
    known = persist(points.join(songs.select("source_row", "id", "tempo", "popularity"), "source_row"))
    fitted_centroids = _fit_centroids(known, scale, n_songs, seed)
    assigned = persist(
        map_batches(
            points,
            _ASSIGNMENTS,
            _AssignCells(space, *_local_scale_sample(known, n_songs, seed), scale, fitted_centroids),
        )
    )
    cells = _order_cells(assigned, fitted_centroids)
    rows = _number_rows(assigned, known, cells)
    mean = (
        sum_batches(assigned, lambda table: to_fixed_point(table["distance"].to_numpy()).sum(keepdims=True))[0]
        / FIXED_POINT
        / n_songs
    )
    centroids, pq_centroids = (
        _cell_centroids(space, rows, cells.offsets),
        _fit_pq_centroids(space, rows, n_songs, seed),
    )
    located = persist(
        map_batches(
            rows, ORDERED, _CompleteRows(space, map_layout.CellLayout(centroids, scale, seed), pq_centroids, mean)
        )
    )
    low, high = min_max(located, lambda table: np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1))
    return OrderedSongs(located, cells.offsets, cells.clusters, centroids, pq_centroids, low, high)


def _fit_centroids(known: Frame, scale: np.ndarray, n_songs: int, seed: int) -> np.ndarray:
    """Centroids of a sample of the songs."""
    n_cells = clustering.cell_count(n_songs)
    sample = sample_rows(known, n_songs, clustering.training_sample_size(n_cells), ["vector"])
    return clustering.train_cell_centroids(to_vectors(sample["vector"]), scale, n_cells, seed)


def _local_scale_sample(known: Frame, n_songs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The sample by which local scales are measured: vectors, and their rows in the source."""
    sample = sample_rows(known.where("tempo IS NULL OR tempo <> 0"), n_songs, 4 * local_scale.SAMPLE_SIZE, ["vector"])
    picks = np.sort(np.random.default_rng(seed).permutation(len(sample))[: local_scale.SAMPLE_SIZE])
    return to_vectors(sample["vector"])[picks], sample["source_row"].to_numpy()[picks]


@dataclass(frozen=True, slots=True)
class _AssignCells:
    """The centroid that is nearest to each song, and how far its neighbours are."""

    space: Space
    sample: np.ndarray
    source_rows: np.ndarray
    scale: np.ndarray
    centroids: np.ndarray

    def __call__(self, points: pa.Table) -> dict[str, Any]:
        vectors, source_rows = to_vectors(points["vector"]), points["source_row"].to_numpy()
        runs = range(0, len(vectors), local_scale.CHUNK_ROWS)
        distances = [
            local_scale.neighbour_distances(
                self.space, vectors[run], self.sample, source_rows[run, None] == self.source_rows
            )
            for run in (slice(first, first + local_scale.CHUNK_ROWS) for first in runs)
        ]
        labels = nearest_centroids(to_grid(vectors, self.scale), self.centroids)
        return {"source_row": points["source_row"], "distance": np.concatenate(distances), "label": labels}


class _OrderedCells(NamedTuple):
    """The cells that hold songs, in the order of the catalogue.

    labels : int64, shape (n_cells,), the centroid of each
    offsets, clusters : as in :class:`OrderedSongs`
    """

    labels: np.ndarray
    offsets: np.ndarray
    clusters: np.ndarray


def _order_cells(assigned: Frame, centroids: np.ndarray) -> _OrderedCells:
    counts = {row["label"]: row["count"] for row in assigned.groupBy("label").count().collect()}
    used = np.array(sorted(counts))
    number, of_cell = clustering.group_cells(centroids[used])
    labels = used[np.argsort(number)]
    return _OrderedCells(
        labels, np.concatenate([[0], np.cumsum([counts[label] for label in labels.tolist()])]), of_cell
    )


def _number_rows(assigned: Frame, known: Frame, cells: _OrderedCells) -> Frame:
    """Songs, their cells and their rows, the best-known songs of a cell first."""
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    columns = cells.labels, np.arange(len(cells.labels)), cells.clusters, cells.offsets
    table = list(zip(*(column.tolist() for column in columns)))
    of_label = assigned.sparkSession.createDataFrame(table, "label int, cell int, cluster int, first long")
    best_first = Window.partitionBy("cell").orderBy(sql.coalesce("popularity", sql.lit(-1.0)).desc(), "id")
    rows = assigned.join(sql.broadcast(of_label), "label").join(known, "source_row")
    return rows.withColumn("row", sql.col("first") + sql.row_number().over(best_first) - 1)


def _cell_centroids(space: Space, rows: Frame, offsets: np.ndarray) -> np.ndarray:
    """Mean vectors of the cells, as :func:`segue_build.model.clustering.cell_centroids` has them."""
    shape = len(offsets) - 1, len(space.column_weights)
    sums = sum_by_group(
        rows.select("vector", "cell"), shape, lambda table: (table["cell"].to_numpy(), to_vectors(table["vector"]))
    )
    return np.rint(sums / np.diff(offsets)[:, None]).astype(np.int8)


def _fit_pq_centroids(space: Space, rows: Frame, n_songs: int, seed: int) -> np.ndarray:
    sample = sample_rows(rows, n_songs, quantization.PQ_TRAINING_SONGS, ["row", "vector"]).sort_by("row")
    return quantization.train_pq_centroids(space, to_vectors(sample["vector"]), n_songs, seed)


@dataclass(frozen=True, slots=True)
class _CompleteRows:
    """What is known of a song when its cell is."""

    space: Space
    layout: map_layout.CellLayout
    pq_centroids: np.ndarray
    mean_distance: float

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        vectors, cells = to_vectors(songs["vector"]), songs["cell"].to_numpy()
        local_scales = local_scale.scales_from_distances(songs["distance"].to_numpy(), self.mean_distance)
        positions = np.empty((len(cells), 2))
        for cell in np.unique(cells):
            positions[cells == cell] = self.layout.interpolate(int(cell), vectors[cells == cell])
        pq_codes = quantization.encode_pq(self.space, vectors, local_scales, self.pq_centroids)
        return {
            **{name: songs[name] for name in ("row", "source_row", "cell", "cluster", "present")},
            "vector": binary_column(vectors),
            "local_scale": local_scales,
            "pq_code": pq_codes.astype(np.int32).tolist(),
            "x": positions[:, 0],
            "y": positions[:, 1],
        }


def typical_songs(songs: Frame, group_column: str, n_groups: int, space: Space) -> Frame:
    """The analysed songs of each group that are nearest to its mean vector, one of each work, the nearest first.

    songs : columns ``row``, ``work``, ``vector``, ``tempo`` and that of lists of groups
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    members = songs.select("row", "work", "vector", "tempo", sql.col(group_column).alias("groups"))
    sums = sum_by_group(members, (2 * n_groups, 1 + len(space.column_weights)), _SumGroups(n_groups))
    for_analysed = sums[:n_groups, 0] > 0
    counts = np.where(for_analysed, sums[:n_groups, 0], sums[n_groups:, 0])[:, None]
    vectors = np.where(for_analysed[:, None], sums[:n_groups, 1:], sums[n_groups:, 1:])
    means = vectors / np.maximum(counts, 1) * space.column_weights
    distances = map_batches(members, _DISTANCES, _DistancesToMeans(means, space.column_weights, for_analysed))
    nearest = "distance", "row"
    rank_in_work = sql.row_number().over(Window.partitionBy("owner", "work").orderBy(*nearest))
    rank = sql.row_number().over(Window.partitionBy("owner").orderBy(*nearest))
    ranked = (
        distances.withColumn("rank_in_work", rank_in_work)
        .where("rank_in_work = 1")
        .withColumn("rank", rank)
        .where(sql.col("rank") <= POINTS_PER_SEED)
    )
    return ranked.sort("owner", *nearest).select("owner", sql.col("row").alias("item"))


@dataclass(frozen=True, slots=True)
class _SumGroups:
    """Counts and vectors, first of the groups' analysed songs, then of the others."""

    n_groups: int

    def __call__(self, songs: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        owners, rows, analysed = _group_members(songs)
        members = np.where(analysed[rows], owners, owners + self.n_groups)
        vectors = to_vectors(songs["vector"])[rows].astype(np.int64)
        return members, np.column_stack([np.ones(len(rows), np.int64), vectors])


@dataclass(frozen=True, slots=True)
class _DistancesToMeans:
    """How far each song is from the means of its groups; songs that were not analysed count where none was."""

    means: np.ndarray
    weights: np.ndarray
    for_analysed: np.ndarray

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        owners, rows, analysed = _group_members(songs)
        counted = analysed[rows] | ~self.for_analysed[owners]
        owners, rows = owners[counted], rows[counted]
        vectors = to_vectors(songs["vector"])[rows] * self.weights
        distances = ((vectors - self.means[owners]) ** 2).sum(axis=1)
        of_song = {name: songs[name].to_numpy()[rows] for name in ("row", "work")}
        return {"owner": owners, **of_song, "distance": distances, "analysed": analysed[rows]}


def _group_members(songs: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups, the songs that are in them, and which songs were analysed."""
    counts, owners = flatten_lists(songs["groups"])
    tempo = songs["tempo"].to_numpy(zero_copy_only=False)
    return owners.to_numpy().astype(np.int64), np.repeat(np.arange(len(songs)), counts), tempo != 0


def describe_clusters(
    songs: Frame, cluster_starts: np.ndarray, space: Space, ranks: RankTransform
) -> list[dict[str, Any]]:
    """The manifest's entry of each cluster, from a sample that holds some songs of each.

    cluster_starts : int64, shape (n_clusters + 1,), first row of each cluster
    """
    from pyspark.sql import functions as sql

    names = ["cluster", "vector", "genres", *sorted({*ATTRIBUTE_WORDS, *cluster_names.PROFILE_ATTRIBUTES})]
    wanted = sql.lit(False)
    for first in cluster_starts[:-1].tolist():
        wanted |= sql.col("row").between(first, first + SAMPLE_PER_CLUSTER - 1)
    sampled = sql.pmod(sql.xxhash64("id"), sql.lit(1 << 30)) < int(
        min(1.0, SAMPLE_SIZE / int(cluster_starts[-1])) * (1 << 30)
    )
    sample = songs.where(wanted | sampled).select("row", *names).toArrow().sort_by("row")
    frame = sample.drop_columns(["vector"]).to_pandas()
    entries = cluster_names.describe_clusters(
        frame,
        frame["cluster"].to_numpy(),
        ranks,
        build_incidence(frame["genres"].astype("str")),
        to_vectors(sample["vector"]),
        space.column_weights,
    )
    for entry, first, last in zip(entries, cluster_starts[:-1].tolist(), cluster_starts[1:].tolist()):
        entry |= {"size": last - first, "first": first}
    return entries
