"""Cells on Spark: their centroids are learned from a sample, songs assigned to them on the workers, and sorted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from segue.engine.space import Space
from segue_build.model import clustering, local_scale
from segue_build.model.clustering import max_squared_norm, nearest_centroids, scale_to_max_norm, to_grid
from segue_build.spark.batches import Frame, map_batches, persist, reduce_batches, sample_rows, to_matrix
from segue_build.spark.embedding import VECTORS

_ASSIGNED = pa.schema([*VECTORS, ("neighbour_distance", pa.float64()), ("label", pa.int32())])


def sort_songs(space: Space, points: Frame, songs: Frame, n_songs: int, seed: int) -> tuple[Frame, np.ndarray]:
    """Put songs into cells, and sort them by cell, the best-known of each first.

    points : columns of :data:`segue_build.spark.embedding.VECTORS`

    Returns
    -------
    The songs, with columns of ``_ASSIGNED`` and ``cell``; the cluster of each cell, int64, shape (n_cells,).

    """
    from pyspark.sql import functions as sql

    weights, n_dims = space.column_weights, len(space.spread)
    longest = reduce_batches(
        points, lambda t: np.array([max_squared_norm(to_matrix(t["vector"], n_dims), weights)]), np.fmax
    )
    scale = scale_to_max_norm(weights, longest[0])
    n_cells = clustering.cell_count(n_songs)
    sample = sample_rows(points, n_songs, clustering.training_sample_size(n_cells), ["vector"])
    centroids = clustering.train_cell_centroids(to_matrix(sample["vector"], n_dims), scale, n_cells, seed)
    analysed = points.join(songs.where("tempo IS NULL OR tempo <> 0").select("source_row"), "source_row")
    others = sample_rows(analysed, n_songs, 4 * local_scale.SAMPLE_SIZE, ["vector"])
    others = others.take(clustering.sample_rows(len(others), local_scale.SAMPLE_SIZE, seed))
    assign = _AssignCells(
        space, to_matrix(others["vector"], n_dims), others["source_row"].to_numpy(), scale, centroids
    )
    assigned = persist(map_batches(points, _ASSIGNED, assign))
    used = np.array(sorted(row["label"] for row in assigned.select("label").distinct().collect()))
    cells, clusters = clustering.group_cells(centroids[used])
    table = list(zip(used.tolist(), cells.tolist()))
    of_label = sql.broadcast(songs.sparkSession.createDataFrame(table, "label int, cell int"))
    best_first = sql.coalesce("popularity", sql.lit(-1.0)).desc(), "id"
    return songs.join(assigned, "source_row").join(of_label, "label").sort("cell", *best_first), clusters


@dataclass(frozen=True, slots=True)
class _AssignCells:
    """The centroid that is nearest to each song, and how far its neighbours in a sample are."""

    space: Space
    sample: np.ndarray
    source_rows: np.ndarray
    scale: np.ndarray
    centroids: np.ndarray

    def __call__(self, points: pa.Table) -> dict[str, Any]:
        vectors, source_rows = to_matrix(points["vector"], self.sample.shape[1]), points["source_row"].to_numpy()
        runs = (
            slice(first, first + local_scale.CHUNK_ROWS) for first in range(0, len(vectors), local_scale.CHUNK_ROWS)
        )
        distances = [
            local_scale.neighbour_distances(
                self.space, vectors[run], self.sample, source_rows[run, None] == self.source_rows
            )
            for run in runs
        ]
        return {
            **{name: points[name] for name in VECTORS.names},
            "neighbour_distance": np.concatenate(distances),
            "label": nearest_centroids(to_grid(vectors, self.scale), self.centroids),
        }
