"""The local scale of each song: short where songs lie close together, so that no song is near to all, a hub."""

import numpy as np

from segue.engine.space import LOCAL_SCALE, MAX_CODE, STEPS_PER_UNIT, Block, Space, exponential_kernel
from segue_build.model.kmeans import sample_rows
from segue_build.progress import thread_map

SAMPLE_SIZES = 1_000, 2_000  # songs that stand for the catalogue, at least and at most; see :func:`sample_size`
SAMPLE_PAIRS = 1_200_000_000  # of a song and one of the sample, about, that are compared
NEIGHBOUR_FRACTION = 0.02  # of the sample
EXPONENT = 1.0  # 0: every local scale is LOCAL_SCALE; 1: in proportion to how far the neighbours are
MAX_RATIO = 2.0  # a local scale is at most this many times LOCAL_SCALE, and at least LOCAL_SCALE divided by it
SCALE_STEPS = 4096  # of a unit of local scales: logarithms differ between processors, in digits far below
CHUNK_ROWS = 64  # their table of distances stays in the processor's cache


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
    sample = songs[sample_rows(len(songs), sample_size(len(vectors)), seed)]
    similarities = SampleSimilarities(space, vectors[sample])
    starts = range(0, len(vectors), CHUNK_ROWS)

    def distances_of_chunk(start: int) -> np.ndarray:
        chunk = vectors[start : start + CHUNK_ROWS]
        return neighbour_distances(similarities(chunk), np.arange(start, start + len(chunk))[:, None] == sample)

    distances = np.concatenate(list(thread_map(distances_of_chunk, starts, "neighbourhoods", " chunks")))
    return scales_from_distances(distances, distances.mean())


def sample_size(n_songs: int) -> int:
    """How many songs stand for a catalogue: fewer where there are many songs, as all are compared with all of them.

    With the fewest, local scales differ by 4 % from those by a large sample, with the most by 3 %; among themselves,
    those of a catalogue differ by 10 %.
    """
    return int(np.clip(SAMPLE_PAIRS // max(n_songs, 1), *SAMPLE_SIZES))


def scales_from_distances(distances: np.ndarray, mean_distance: float) -> np.ndarray:
    """Local scales, float32, from how far songs' neighbours are and how far the catalogue's are in the mean."""
    scale = np.clip((distances / mean_distance) ** EXPONENT, 1 / MAX_RATIO, MAX_RATIO)
    return (np.rint(LOCAL_SCALE * scale * SCALE_STEPS) / SCALE_STEPS).astype(np.float32)


class SampleSimilarities:
    """The similarity of songs to those of a sample as :func:`segue.engine.space.similarity` has it, by look-ups.

    Squared distances of codes are whole numbers and all local scales are ``LOCAL_SCALE`` here, so that a table says
    what a block adds for each squared distance: the real part to the similarity, the imaginary part to the distance
    of the joint term.

    points : int8, shape (n_sample, n_dims)
    """

    def __init__(self, space: Space, points: np.ndarray):
        self._space = space
        codes = [points[:, block.columns].astype(np.float32) for block in space.blocks]
        ones = np.ones((len(points), 1), np.float32)
        self._points = [np.hstack([-2 * of_block, ones, _squared_norms(of_block)]).T.copy() for of_block in codes]
        self._tables = [self._table(block) for block in space.blocks]
        # of a block of one column, what it adds for each code and each song of the sample
        every_code = np.arange(-MAX_CODE, MAX_CODE + 1, dtype=np.float32)[:, None]
        self._by_code = [
            self._look_up(number, every_code) if block.stop - block.start == 1 else None
            for number, block in enumerate(space.blocks)
        ]

    def _table(self, block: Block) -> np.ndarray:
        """What the block adds, complex64, by the squared distance."""
        unit = np.float32(self._space.spread[block.columns].sum() ** 0.5 * block.scale) * np.float32(LOCAL_SCALE)
        largest = (block.stop - block.start) * (2 * MAX_CODE) ** 2
        steps = np.sqrt(np.arange(largest + 1, dtype=np.float32)) / (unit / np.float32(STEPS_PER_UNIT))
        table = np.empty(len(steps), np.complex64)
        table.imag = np.float32(block.exponent) * steps
        table.real = np.float32(block.weight) * exponential_kernel(steps)
        return table

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Float32, shape (n_songs, n_sample), of vectors, int8, shape (n_songs, n_dims)."""
        sums = np.zeros((len(vectors), self._points[0].shape[1]), np.complex64)
        for number, (block, by_code) in enumerate(zip(self._space.blocks, self._by_code)):
            if by_code is None:
                sums += self._look_up(number, vectors[:, block.columns].astype(np.float32))
            else:
                sums += by_code.take(vectors[:, block.start].astype(np.intp) + MAX_CODE, axis=0)
        similarities = sums.real.copy()
        if self._space.joint_exponents:
            similarities += np.float32(self._space.joint_weight) * exponential_kernel(sums.imag.copy())
        return similarities

    def _look_up(self, number: int, codes: np.ndarray) -> np.ndarray:
        """What a block adds for codes, float32, shape (n_songs, n_columns); complex64, shape (n_songs, n_sample)."""
        songs = np.hstack([codes, _squared_norms(codes), np.ones((len(codes), 1), np.float32)])
        return self._tables[number].take((songs @ self._points[number]).astype(np.intp), mode="clip")


def _squared_norms(codes: np.ndarray) -> np.ndarray:
    return np.square(codes).sum(axis=1, keepdims=True)


def neighbour_distances(similarities: np.ndarray, is_self: np.ndarray) -> np.ndarray:
    """How far, in local scales, the nearest of a sample are from each song; float64, shape (n_songs,).

    similarities : shape (n_songs, n_sample); what a song has to itself is overwritten
    is_self : bool, the same shape, which song of the sample is the song itself
    """
    similarities[is_self] = 0  # no song is its own neighbour
    return -np.log(np.clip(_mean_neighbour_similarity(similarities), 1e-3, 0.999))


def _mean_neighbour_similarity(similarities: np.ndarray) -> np.ndarray:
    """Mean similarity of the nearest; in float64 their sum is exact, in whatever order they come."""
    nearest = max(1, round(NEIGHBOUR_FRACTION * similarities.shape[1]))
    return np.partition(similarities, -nearest, axis=1)[:, -nearest:].mean(axis=1, dtype=np.float64)
