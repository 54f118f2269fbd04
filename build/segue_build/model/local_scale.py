"""The local scale of each song: short where songs lie close together, so that no song is near to all, a hub."""

import numpy as np

from segue.engine.space import LOCAL_SCALE, Space, similarity
from segue_build.model.kmeans import sample_rows
from segue_build.progress import thread_map

SAMPLE_SIZE = 2_000  # songs that stand for the catalogue; the work grows with catalogue x sample
NEIGHBOUR_FRACTION = 0.02  # of the sample
EXPONENT = 1.0  # 0: every local scale is LOCAL_SCALE; 1: in proportion to how far the neighbours are
MAX_RATIO = 2.0  # a local scale is at most this many times LOCAL_SCALE, and at least LOCAL_SCALE divided by it
STEPS_PER_UNIT = 4096  # of a local scale: logarithms differ between processors, in digits far below
CHUNK_ROWS = 128  # their table of distances stays in the processor's cache


def local_scales(space: Space, vectors: np.ndarray, usable: np.ndarray, seed: int) -> np.ndarray:
    """The local scale of every song.

    The density around a song is its mean similarity to the nearest songs of a sample. Minus the logarithm of that is
    a distance in typical local scales; the song's own is proportional to it, relative to the catalogue's mean.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims)
    usable : bool, shape (n_songs,), songs that may be in the sample

    Returns
    -------
    float32, shape (n_songs,)

    """
    songs = np.flatnonzero(usable)
    sample = songs[sample_rows(len(songs), SAMPLE_SIZE, seed)]
    points = vectors[sample]
    starts = range(0, len(vectors), CHUNK_ROWS)

    def distances_of_chunk(start: int) -> np.ndarray:
        chunk = vectors[start : start + CHUNK_ROWS]
        return neighbour_distances(space, chunk, points, np.arange(start, start + len(chunk))[:, None] == sample)

    distances = np.concatenate(list(thread_map(distances_of_chunk, starts, "neighbourhoods", " chunks")))
    return scales_from_distances(distances, distances.mean())


def scales_from_distances(distances: np.ndarray, mean_distance: float) -> np.ndarray:
    """Local scales, float32, from how far songs' neighbours are and how far the catalogue's are in the mean."""
    scale = np.clip((distances / mean_distance) ** EXPONENT, 1 / MAX_RATIO, MAX_RATIO)
    return (np.rint(LOCAL_SCALE * scale * STEPS_PER_UNIT) / STEPS_PER_UNIT).astype(np.float32)


def neighbour_distances(space: Space, vectors: np.ndarray, points: np.ndarray, is_self: np.ndarray) -> np.ndarray:
    """How far, in local scales, the nearest of a sample are from each song; float64, shape (n_songs,).

    points : int8, shape (n_sample, n_dims)
    is_self : bool, shape (n_songs, n_sample), which point of the sample is the song itself
    """
    similarities = similarity(space, vectors, points, np.full(len(vectors), LOCAL_SCALE, np.float32))
    similarities[is_self] = 0  # no song is its own neighbour
    return -np.log(np.clip(_mean_neighbour_similarity(similarities), 1e-3, 0.999))


def _mean_neighbour_similarity(similarities: np.ndarray) -> np.ndarray:
    """Mean similarity of the nearest; in float64 their sum is exact, in whatever order they come."""
    nearest = max(1, round(NEIGHBOUR_FRACTION * similarities.shape[1]))
    return np.partition(similarities, -nearest, axis=1)[:, -nearest:].mean(axis=1, dtype=np.float64)
