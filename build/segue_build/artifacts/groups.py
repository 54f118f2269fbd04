"""What stands for a genre or a cluster: its typical songs, its features, the clusters near it."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from segue_build.model import naming
from segue_build.model.space import Placed
from segue.engine.seeds import POINTS
from segue.query.attributes import NUMERIC

DIGITS = 4  # of a cluster's features
NEAR = 5  # clusters beside each
# of which a mean says something
PROFILE = tuple(a.name for a in NUMERIC if a.name not in ("key", "mode", "time_signature"))


def of_genres(placed: Placed) -> Iterator[np.ndarray]:
    """The songs of each genre, rising."""
    by_genre = placed.genres.matrix.tocsc()
    for start, stop in zip(by_genre.indptr[:-1], by_genre.indptr[1:]):
        yield np.sort(by_genre.indices[start:stop])


def of_clusters(clusters: np.ndarray) -> Iterator[np.ndarray]:
    """The songs of each cluster, rising.

    clusters : of the songs, rising
    """
    yield from np.split(np.arange(len(clusters)), np.flatnonzero(np.diff(clusters)) + 1)


def typical(
    groups: Iterable[np.ndarray], placed: Placed, analysed: np.ndarray, works: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The analysed songs of each group that are nearest to its mean vector, one of each work.

    Returns
    -------
    how many they are of each group, ``POINTS`` at the most, and the songs end to end, the nearest first

    """
    nearest = []
    for songs in groups:
        songs = songs[analysed[songs]] if analysed[songs].any() else songs
        vectors = placed.vectors[songs] * placed.space.weights
        gaps = ((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1)
        songs = songs[np.argsort(gaps, kind="stable")]
        _, firsts = np.unique(works[songs], return_index=True)
        nearest.append(songs[np.sort(firsts)[:POINTS]])
    counts = np.array([len(songs) for songs in nearest], np.int64)
    return counts, np.concatenate(nearest) if nearest else np.empty(0, np.int64)


def described(frame: pd.DataFrame, placed: Placed, clusters: np.ndarray) -> list[dict[str, Any]]:
    """The manifest's entry of each cluster.

    clusters : of the songs, rising
    """
    groups = list(of_clusters(clusters))
    attributes = {name: frame[name].to_numpy(np.float64) for name in {*naming.WORDS, *PROFILE}}
    called = naming.names(placed, attributes, clusters, len(groups))
    near = _near(placed, groups)
    return [
        {
            "id": number,
            "name": called[number],
            "size": len(songs),
            "first": int(songs[0]),
            "features": {name: mean for name in PROFILE if (mean := _mean(attributes[name][songs])) is not None},
            "near": near[number],
        }
        for number, songs in enumerate(groups)
    ]


def _mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), DIGITS) if len(known) else None


def _near(placed: Placed, groups: list[np.ndarray]) -> list[list[int]]:
    """For each group the others by the distance of their mean vectors, the nearest first."""
    centres = np.stack([placed.vectors[songs].mean(axis=0, dtype=np.float64) for songs in groups])
    centres = np.rint(centres * placed.space.weights * 2**20)  # processors differ in later digits
    gaps = np.square(centres[:, None] - centres).sum(axis=2)
    np.fill_diagonal(gaps, np.inf)
    return np.argsort(gaps, axis=1, kind="stable")[:, : min(NEAR, len(groups) - 1)].tolist()
