"""Cells on Spark: their centroids are learned from a sample, songs assigned to them on the workers, and sorted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from segue.engine.space import Space
from segue_build.model import clustering, kmeans, local_scale
from segue_build.model.clustering import Clustering, PreviousClusters
from segue_build.model.incidence import build_incidence
from segue_build.model.kmeans import max_squared_norm
from segue_build.sources.series import batch_slices
from segue_build.spark.batches import Frame, map_batches, persist, reduce_batches, sample_rows, to_matrix
from segue_build.spark.embedding import VECTORS

_ASSIGNED = pa.schema([*VECTORS, ("neighbour_distance", pa.float64()), ("cell", pa.int64())])


def sort_songs(
    space: Space, points: Frame, songs: Frame, n_songs: int, seed: int, previous: PreviousClusters
) -> tuple[Frame, Clustering]:
    """Songs with columns of ``_ASSIGNED``, sorted by cell, the best-known of each first; and the clustering.

    points : columns of :data:`segue_build.spark.embedding.VECTORS`
    """
    from pyspark.sql import functions as sql

    weights, n_dims = (clustering.browsing_weights(space), space.column_weights), len(space.spread)
    norms = reduce_batches(
        points,
        lambda table: np.array([max_squared_norm(to_matrix(table["vector"], n_dims), each) for each in weights]),
        np.fmax,
    )
    described = points.join(songs.select("source_row", "id", "genres"), "source_row")
    sample = sample_rows(described, n_songs, clustering.training_sample_size(n_songs), ["vector", "id", "genres"])
    fitted = clustering.fit_clustering(
        space,
        to_matrix(sample["vector"], n_dims),
        build_incidence(sample["genres"].to_pandas().astype("str")).matrix,
        sample["id"].to_pylist(),
        n_songs,
        seed,
        previous,
        (norms[0], norms[1]),
    )
    analysed = points.join(songs.where("tempo IS NULL OR tempo <> 0").select("source_row"), "source_row")
    n_others = local_scale.sample_size(n_songs)
    others = sample_rows(analysed, n_songs, 4 * n_others, ["vector"])
    others = others.take(kmeans.sample_rows(len(others), n_others, seed))
    assign = _AssignCells(space, to_matrix(others["vector"], n_dims), others["source_row"].to_numpy(), fitted)
    assigned = persist(map_batches(points, _ASSIGNED, assign))
    best_first = sql.coalesce("popularity", sql.lit(-1.0)).desc(), "id"
    return songs.join(assigned, "source_row").sort("cell", *best_first), fitted


@dataclass(frozen=True, slots=True)
class _AssignCells:
    """The centroid that is nearest to each song, and how far its neighbours in a sample are."""

    space: Space
    sample: np.ndarray
    source_rows: np.ndarray
    clustering: Clustering

    def __call__(self, points: pa.Table) -> dict[str, Any]:
        vectors, source_rows = to_matrix(points["vector"], self.sample.shape[1]), points["source_row"].to_numpy()
        similarities = local_scale.SampleSimilarities(self.space, self.sample)
        distances = [
            local_scale.neighbour_distances(similarities(vectors[run]), source_rows[run, None] == self.source_rows)
            for run in batch_slices(len(vectors), local_scale.CHUNK_ROWS)
        ]
        return {
            **{name: points[name] for name in VECTORS.names},
            "neighbour_distance": np.concatenate(distances),
            "cell": self.clustering.assign(vectors),
        }
