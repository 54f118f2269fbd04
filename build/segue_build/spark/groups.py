"""What stands for genres and clusters: typical songs, found by Spark, and the manifest's entries."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from segue_build.artifacts import groups
from segue_build.model.context import link
from segue_build.model.naming import WORDS
from segue_build.model.space import Placed
from segue_build.spark.batches import Frame, each_batch, grouped, lengths_of, vectors_of
from segue_build.spark.features import SAMPLE
from segue.engine.seeds import POINTS
from segue.engine.space import Ranks, Space

LEAST = 200  # songs of each cluster that its description is taken from
_GAPS = pa.schema([
    ("owner", pa.int64()), ("row", pa.int64()), ("work", pa.int64()), ("gap", pa.float64()), ("analysed", pa.bool_())
])  # fmt: skip


def typical(songs: Frame, of: str, n_groups: int, space: Space) -> Frame:
    """The analysed songs of each group that are nearest to its mean vector, one of each work, the nearest first.

    songs : columns ``row``, ``work``, ``vector``, ``tempo`` and that of lists of groups
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    some = songs.select("row", "work", "vector", "tempo", sql.col(of).alias("groups"))
    sums = grouped(some, (2 * n_groups, 1 + len(space.weights)), _Sums(n_groups))
    for_analysed = sums[:n_groups, 0] > 0
    counts = np.where(for_analysed, sums[:n_groups, 0], sums[n_groups:, 0])[:, None]
    vectors = np.where(for_analysed[:, None], sums[:n_groups, 1:], sums[n_groups:, 1:])
    means = vectors / np.maximum(counts, 1) * space.weights
    gaps = each_batch(some, _GAPS, _Gaps(means, space.weights, for_analysed))
    nearest = "gap", "row"
    one = sql.row_number().over(Window.partitionBy("owner", "work").orderBy(*nearest))
    place = sql.row_number().over(Window.partitionBy("owner").orderBy(*nearest))
    once = gaps.withColumn("one", one).where("one = 1").withColumn("place", place).where(sql.col("place") <= POINTS)
    return once.sort("owner", *nearest).select("owner", sql.col("row").alias("item"))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Counts and vectors, first of the groups' analysed songs, then of the others."""

    n_groups: int

    def __call__(self, songs: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        owners, rows, analysed = _pairs(songs)
        members = np.where(analysed[rows], owners, owners + self.n_groups)
        vectors = vectors_of(songs["vector"])[rows].astype(np.int64)
        return members, np.column_stack([np.ones(len(rows), np.int64), vectors])


@dataclass(frozen=True, slots=True)
class _Gaps:
    """How far each song is from the means of its groups; songs that were not analysed count where none was."""

    means: np.ndarray
    weights: np.ndarray
    for_analysed: np.ndarray

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        owners, rows, analysed = _pairs(songs)
        kept = analysed[rows] | ~self.for_analysed[owners]
        owners, rows = owners[kept], rows[kept]
        vectors = vectors_of(songs["vector"])[rows] * self.weights
        gaps = ((vectors - self.means[owners]) ** 2).sum(axis=1)
        of_song = {name: songs[name].to_numpy()[rows] for name in ("row", "work")}
        return {"owner": owners, **of_song, "gap": gaps, "analysed": analysed[rows]}


def _pairs(songs: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups, the songs that are in them, and which songs were analysed."""
    counts, owners = lengths_of(songs["groups"])
    tempo = songs["tempo"].to_numpy(zero_copy_only=False)
    return owners.to_numpy().astype(np.int64), np.repeat(np.arange(len(songs)), counts), tempo != 0


def described(songs: Frame, firsts: np.ndarray, space: Space, ranks: Ranks) -> list[dict[str, Any]]:
    """The manifest's entry of each cluster, from a sample that holds some songs of each.

    firsts : int64, shape (n_clusters + 1,), first row of each cluster
    """
    from pyspark.sql import functions as sql

    names = ["cluster", "vector", "genres", *sorted({*WORDS, *groups.PROFILE})]
    ahead = sql.lit(False)
    for first in firsts[:-1].tolist():
        ahead |= sql.col("row").between(first, first + LEAST - 1)
    chosen = sql.pmod(sql.xxhash64("id"), sql.lit(1 << 30)) < int(min(1.0, SAMPLE / int(firsts[-1])) * (1 << 30))
    sample = songs.where(ahead | chosen).select("row", *names).toArrow().sort_by("row")
    frame = sample.drop_columns(["vector"]).to_pandas()
    vectors = vectors_of(sample["vector"])
    nothing = np.zeros(len(frame), np.uint16)
    genres = link(frame["genres"].astype("str"))
    placed = Placed(space, ranks, vectors, nothing, genres, genres)
    entries = groups.described(frame, placed, frame["cluster"].to_numpy())
    for entry, first, last in zip(entries, firsts[:-1].tolist(), firsts[1:].tolist()):
        entry |= {"size": last - first, "first": first}
    return entries
