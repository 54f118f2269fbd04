"""Points to rows of the catalogue: each song's reach, cell, row, sketch and place on the map."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from segue_build.model import clusters, plane, reach, sketches
from segue_build.model.kmeans import longest, nearest, on_grid, scale_for
from segue_build.spark.batches import Frame, bytes_of, each_batch, extremes, grouped, kept, totals, vectors_of
from segue_build.spark.features import WHOLE, sample_of, whole
from segue.engine.space import Space

_ASSIGNED = pa.schema([("place", pa.int64()), ("distance", pa.float64()), ("label", pa.int32())])
ROWS = pa.schema([
    ("row", pa.int64()), ("place", pa.int64()), ("cell", pa.int32()), ("cluster", pa.int32()),
    ("vector", pa.binary()), ("present", pa.int32()), ("reach", pa.float32()), ("sketch", pa.list_(pa.int32())),
    ("x", pa.float64()), ("y", pa.float64()),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ordered:
    """Songs in the order of the catalogue.

    rows : columns of ``ROWS``
    offsets : int64, shape (n_cells + 1,), first row of each cell
    clusters : int64, shape (n_cells,), the cluster of each cell
    centroids : int8, shape (n_cells, n_dims)
    centres : of the sketches
    low, high : of the map, shape (2,)
    """

    rows: Frame
    offsets: np.ndarray
    clusters: np.ndarray
    centroids: np.ndarray
    centres: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def firsts(self) -> np.ndarray:
        """First row of each cluster, and the number of songs; int64, shape (n_clusters + 1,)."""
        starts = np.flatnonzero(np.diff(self.clusters, prepend=-1))
        return self.offsets[np.concatenate([starts, [len(self.clusters)]])]


def ordered(space: Space, points: Frame, songs: Frame, n_songs: int, seed: int) -> Ordered:
    """Put songs into cells and number them.

    points : columns of :data:`segue_build.spark.placing.CODES`
    """
    square = extremes(points, lambda table: np.array([[longest(vectors_of(table["vector"]), space.weights)]]))[1][0]
    scale = scale_for(space.weights, square)
    known = kept(points.join(songs.select("place", "id", "tempo", "popularity"), "place"))
    learned = _learned(known, scale, n_songs, seed)
    assigned = kept(
        each_batch(points, _ASSIGNED, _Assigned(space, *_neighbours(known, n_songs, seed), scale, learned))
    )
    cells = _cells(assigned, learned)
    rows = _rows(assigned, known, cells)
    mean = totals(assigned, lambda table: whole(table["distance"].to_numpy()).sum(keepdims=True))[0] / WHOLE / n_songs
    centroids, centres = _centroids(space, rows, cells.offsets), _centres(space, rows, n_songs)
    located = kept(each_batch(rows, ROWS, _Located(space, plane.Arranged(centroids, scale), centres, mean)))
    low, high = extremes(located, lambda table: np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1))
    return Ordered(located, cells.offsets, cells.clusters, centroids, centres, low, high)


def _learned(known: Frame, scale: np.ndarray, n_songs: int, seed: int) -> np.ndarray:
    """Centroids of a sample of the songs."""
    n_cells = clusters.cells_for(n_songs)
    sample = sample_of(known, n_songs, clusters.sample_for(n_cells), ["vector"])
    return clusters.learned(vectors_of(sample["vector"]), scale, n_cells, seed)


def _neighbours(known: Frame, n_songs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The sample by which reaches are measured: vectors, and their places in the source."""
    sample = sample_of(known.where("tempo IS NULL OR tempo <> 0"), n_songs, 4 * reach.SAMPLE, ["vector"])
    picks = np.sort(np.random.default_rng(seed).permutation(len(sample))[: reach.SAMPLE])
    return vectors_of(sample["vector"])[picks], sample["place"].to_numpy()[picks]


@dataclass(frozen=True, slots=True)
class _Assigned:
    """The centroid that is nearest to each song, and how far its neighbours are."""

    space: Space
    sample: np.ndarray
    places: np.ndarray
    scale: np.ndarray
    centroids: np.ndarray

    def __call__(self, points: pa.Table) -> dict[str, Any]:
        vectors, places = vectors_of(points["vector"]), points["place"].to_numpy()
        runs = range(0, len(vectors), reach.ROWS_AT_A_TIME)
        distances = [
            reach.neighbours(self.space, vectors[run], self.sample, places[run, None] == self.places)
            for run in (slice(first, first + reach.ROWS_AT_A_TIME) for first in runs)
        ]
        labels = nearest(on_grid(vectors, self.scale), self.centroids)
        return {"place": points["place"], "distance": np.concatenate(distances), "label": labels}


class _Cells(NamedTuple):
    """The cells that hold songs, in the order of the catalogue.

    labels : int64, shape (n_cells,), the centroid of each
    offsets, clusters : as in :class:`Ordered`
    """

    labels: np.ndarray
    offsets: np.ndarray
    clusters: np.ndarray


def _cells(assigned: Frame, centroids: np.ndarray) -> _Cells:
    counts = {row["label"]: row["count"] for row in assigned.groupBy("label").count().collect()}
    used = np.array(sorted(counts))
    number, of_cell = clusters.joined(centroids[used])
    labels = used[np.argsort(number)]
    return _Cells(labels, np.concatenate([[0], np.cumsum([counts[label] for label in labels.tolist()])]), of_cell)


def _rows(assigned: Frame, known: Frame, cells: _Cells) -> Frame:
    """Songs, their cells and their rows, the best-known songs of a cell first."""
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    columns = cells.labels, np.arange(len(cells.labels)), cells.clusters, cells.offsets
    table = list(zip(*(column.tolist() for column in columns)))
    of_label = assigned.sparkSession.createDataFrame(table, "label int, cell int, cluster int, first long")
    best_first = Window.partitionBy("cell").orderBy(sql.coalesce("popularity", sql.lit(-1.0)).desc(), "id")
    rows = assigned.join(sql.broadcast(of_label), "label").join(known, "place")
    return rows.withColumn("row", sql.col("first") + sql.row_number().over(best_first) - 1)


def _centroids(space: Space, rows: Frame, offsets: np.ndarray) -> np.ndarray:
    """Mean vectors of the cells, as :func:`segue_build.model.clusters.centroids` has them."""
    shape = len(offsets) - 1, len(space.weights)
    sums = grouped(
        rows.select("vector", "cell"), shape, lambda table: (table["cell"].to_numpy(), vectors_of(table["vector"]))
    )
    return np.rint(sums / np.diff(offsets)[:, None]).astype(np.int8)


def _centres(space: Space, rows: Frame, n_songs: int) -> np.ndarray:
    sample = sample_of(rows, n_songs, sketches.SAMPLE, ["row", "vector"]).sort_by("row")
    return sketches.centres_of(space, vectors_of(sample["vector"]), n_songs, seed=0)


@dataclass(frozen=True, slots=True)
class _Located:
    """What is known of a song when its cell is."""

    space: Space
    arranged: plane.Arranged
    centres: np.ndarray
    mean: float

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        vectors, cells = vectors_of(songs["vector"]), songs["cell"].to_numpy()
        reaches = reach.scaled(songs["distance"].to_numpy(), self.mean)
        places = np.empty((len(cells), 2))
        for cell in np.unique(cells):
            places[cells == cell] = self.arranged.between(int(cell), vectors[cells == cell])
        found = sketches.sketches(self.space, vectors, reaches, self.centres)
        return {
            **{name: songs[name] for name in ("row", "place", "cell", "cluster", "present")},
            "vector": bytes_of(vectors),
            "reach": reaches,
            "sketch": found.astype(np.int32).tolist(),
            "x": places[:, 0],
            "y": places[:, 1],
        }
