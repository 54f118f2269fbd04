"""The reach of each song, its local scale: short where songs lie close together, so that none is near to all."""

import numpy as np

from segue_build.progress import on_all_cores
from segue.engine.similarity import similarity
from segue.engine.space import REACH, Space

SAMPLE = 2_000  # songs that stand for the catalogue; the work grows with catalogue x sample
NEIGHBOURS = 0.02  # of the sample
STRENGTH = 1.0  # 0: every reach is REACH; 1: in proportion to how far the neighbours are
LONGEST = 2.0  # times REACH, and half of it at the least
GRID = 4096  # steps of a reach in each unit: logarithms differ between processors, in digits far below
ROWS_AT_A_TIME = 128  # their table of distances stays in the processor's cache


def reaches(space: Space, vectors: np.ndarray, usable: np.ndarray, seed: int) -> np.ndarray:
    """The reach of every song.

    How crowded a place is, is the mean similarity of the nearest songs of a sample; a reach is in proportion to minus
    its logarithm, which is a distance in reaches, against the catalogue's mean.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims)
    usable : bool, shape (n_songs,), songs that may be in the sample

    Returns
    -------
    float32, shape (n_songs,)

    """
    songs = np.flatnonzero(usable)
    sample = np.sort(np.random.default_rng(seed).permutation(songs)[:SAMPLE])
    points = vectors[sample]
    runs = range(0, len(vectors), ROWS_AT_A_TIME)

    def crowd(run: int) -> np.ndarray:
        some = vectors[run : run + ROWS_AT_A_TIME]
        return neighbours(space, some, points, np.arange(run, run + len(some))[:, None] == sample)

    distances = np.concatenate(list(on_all_cores(crowd, runs, "neighbourhoods", " chunks")))
    return scaled(distances, distances.mean())


def scaled(distances: np.ndarray, mean: float) -> np.ndarray:
    """Reaches, float32, from how far songs' neighbours are and how far the catalogue's are in the mean."""
    scale = np.clip((distances / mean) ** STRENGTH, 1 / LONGEST, LONGEST)
    return (np.rint(REACH * scale * GRID) / GRID).astype(np.float32)


def neighbours(space: Space, vectors: np.ndarray, points: np.ndarray, own: np.ndarray) -> np.ndarray:
    """How far, in reaches, the nearest of a sample are from each song; float64, shape (n_songs,).

    points : int8, shape (n_sample, n_dims)
    own : bool, shape (n_songs, n_sample), which point of the sample is the song itself
    """
    similar = similarity(space, vectors, points, np.full(len(vectors), REACH, np.float32))
    similar[own] = 0  # no song is its own neighbour
    return -np.log(np.clip(_crowd(similar), 1e-3, 0.999))


def _crowd(similar: np.ndarray) -> np.ndarray:
    """Mean similarity of the nearest; in float64 their sum is exact, in whatever order they come."""
    nearest = max(1, round(NEIGHBOURS * similar.shape[1]))
    return np.partition(similar, -nearest, axis=1)[:, -nearest:].mean(axis=1, dtype=np.float64)
