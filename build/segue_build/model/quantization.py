"""Quantization: the numbers of a block as int8 codes, and whole vectors as product quantization (PQ) codes.

What a song lacks is imputed. Columns come from sums that processors round differently in their last digits; what is
kept of them is coarser, so that the same table has the same codes everywhere.
"""

import math
from dataclasses import dataclass

import numpy as np

from segue.engine.scoring import LEVEL_SCALES
from segue.engine.space import MAX_CODE, Space, quantize
from segue_build.model.incidence import FIXED_POINT, to_fixed_point
from segue_build.model.kmeans import kmeans, nearest_centroids, sample_rows
from segue_build.progress import bar
from segue_build.sources.series import batch_slices

SIGNIFICANT_DIGITS = 6  # of what the catalogue keeps of a block's offset and step
VARIANCE_TOLERANCE = 1e-12  # variance up to which the values of a column, all of order 1, are one value
MIN_CENTROIDS, MAX_CENTROIDS = 256, 1024  # of each block: a query reads all of them once
PQ_TRAINING_SONGS = 60_000  # at most, from which centroids are learned
PQ_INIT_SONGS = 20_000  # of them that k-means++ chooses from
PQ_ITERATIONS = 20  # of k-means
PQ_CHUNK_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class ScalarQuantizer:
    """How the numbers of a block become int8 codes.

    means : float64, shape (n_columns,), taken where a song's value is unknown
    middle : float64, shape (n_columns,), what code 0 stands for
    step : what one code is worth
    """

    means: np.ndarray
    middle: np.ndarray
    step: float

    @classmethod
    def from_ranges(cls, means: np.ndarray, low: np.ndarray, high: np.ndarray) -> "ScalarQuantizer":
        """The widest column takes all codes.

        means, low, high : of what is known in each column, ends NaN where nothing is
        """
        low, high = (np.where(np.isnan(bound), means, bound) for bound in (low, high))
        return cls(
            means, ((low + high) / 2).round(SIGNIFICANT_DIGITS), _round_up(float((high - low).max() / (2 * MAX_CODE)))
        )

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Codes of some songs, int8, shape (n_songs, n_columns); ``raw`` is NaN where unknown."""
        return quantize(np.where(np.isnan(raw), self.means, raw), self.middle, self.step)


@dataclass(frozen=True, slots=True)
class QuantizedBlock:
    """A block of the space in int8 codes.

    codes : int8, shape (n_songs, n_columns)
    spread : float64, shape (n_columns,)
    """

    codes: np.ndarray
    spread: np.ndarray


def quantize_blocks(raw: np.ndarray) -> QuantizedBlock:
    """The widest column takes all codes; what is unknown takes the mean of its column.

    raw : shape (n_songs, n_columns), NaN where unknown
    """
    counts, sums = np.sum([known_sums(raw[chunk]) for chunk in batch_slices(len(raw))], axis=0)
    coding = ScalarQuantizer.from_ranges(column_means(counts, sums), *_column_ranges(raw))
    codes = np.empty(raw.shape, np.min_scalar_type(-MAX_CODE))
    moments = np.zeros((3, raw.shape[1]))
    for chunk in batch_slices(len(raw)):
        codes[chunk] = coding.encode(raw[chunk])
        moments += code_moments(raw[chunk], codes[chunk])
    return QuantizedBlock(codes, mean_squared_difference(*moments))


def _round_up(step: float) -> float:
    """Up to the next number of ``SIGNIFICANT_DIGITS`` digits: processors differ in later ones."""
    unit = 10.0 ** (math.floor(math.log10(step)) + 1 - SIGNIFICANT_DIGITS)
    return float(round(math.ceil(step / unit) * unit, 16))


def code_moments(raw: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """How many codes of each column are known, their sum and that of their squares: whole numbers, which are exact.

    Returns
    -------
    float64, shape (3, n_columns)

    """
    known = ~np.isnan(raw)
    found = np.where(known, codes, 0).astype(np.float64)
    return np.stack([known.sum(axis=0), found.sum(axis=0), (found * found).sum(axis=0)])


def mean_squared_difference(known: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """A column's mean squared difference of random pairs, from :func:`code_moments` of all songs."""
    known = np.maximum(known, 1)
    return 2 * (squares / known - (total / known) ** 2)


def column_means(counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Mean of what is known in each column, 0 where nothing is, from :func:`known_sums` of all songs."""
    return sums / FIXED_POINT / np.maximum(counts, 1)


def known_sums(raw: np.ndarray) -> np.ndarray:
    """How many values of each column are known, and their sum in fixed point; int64, shape (2, n_columns)."""
    return np.stack([(~np.isnan(raw)).sum(axis=0), to_fixed_point(np.nan_to_num(raw)).sum(axis=0)])


def _column_ranges(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest value of each column, NaN where nothing is known."""
    return np.fmin.reduce(block, axis=0), np.fmax.reduce(block, axis=0)


@dataclass(frozen=True, slots=True)
class ProductQuantization:
    """The PQ codes of all songs, see :mod:`segue.engine.scoring`.

    pq_centroids : of each block, int8, shape (n_centroids, n_dims)
    pq_codes : uint16, shape (n_songs, n_blocks)
    """

    pq_centroids: np.ndarray
    pq_codes: np.ndarray


def fit_pq(space: Space, vectors: np.ndarray, local_scales: np.ndarray, seed: int) -> ProductQuantization:
    """Quantize every song.

    Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE PAMI 33 (2011), with the blocks
    as subspaces.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims)
    local_scales : float32, shape (n_songs,)

    """
    sample = vectors[sample_rows(len(vectors), PQ_TRAINING_SONGS, seed)]
    pq_centroids = train_pq_centroids(space, sample, len(vectors), seed)
    starts = range(0, len(vectors), PQ_CHUNK_ROWS)
    chunks = (slice(start, start + PQ_CHUNK_ROWS) for start in bar(starts, "quantization", " chunks", len(starts)))
    return ProductQuantization(
        pq_centroids,
        np.concatenate([encode_pq(space, vectors[chunk], local_scales[chunk], pq_centroids) for chunk in chunks]),
    )


def train_pq_centroids(space: Space, sample: np.ndarray, n_songs: int, seed: int) -> np.ndarray:
    """Centroids of each block, int8, shape (n_centroids, n_dims).

    sample : int8, shape (at most ``PQ_TRAINING_SONGS``, n_dims), of so many songs
    """
    count = min(max(2 ** round(np.log2(n_songs) / 2), MIN_CENTROIDS), MAX_CENTROIDS)
    points, pq_centroids = sample.astype(np.float32), []
    for block in space.blocks:
        found = kmeans(points[:, block.columns], count, seed, PQ_ITERATIONS, PQ_INIT_SONGS)
        # Where fewer songs differ than there are centroids, some centroids are repeated.
        pq_centroids.append(np.resize(found, (count, found.shape[1])))
    return np.concatenate(pq_centroids, axis=1).astype(sample.dtype)


def encode_pq(space: Space, vectors: np.ndarray, local_scales: np.ndarray, pq_centroids: np.ndarray) -> np.ndarray:
    """The PQ codes of some songs, uint16, shape (n_songs, n_blocks)."""
    songs, centroids = vectors.astype(np.float32), pq_centroids.astype(np.float32)
    nearest = [nearest_centroids(songs[:, block.columns], centroids[:, block.columns]) for block in space.blocks]
    levels = scale_levels(local_scales, space.block_weights)
    return (np.stack(nearest, axis=1) + len(pq_centroids) * levels).astype(np.uint16)


def scale_levels(local_scales: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The level of local scales for each block, 0..SCALE_LEVELS - 1; int64, shape (n_songs, n_blocks).

    Error diffusion, as in dithering (Floyd and Steinberg, Proc. SID 17, 1976): each block takes the level below or
    above, so that the weighted mean over the blocks is about the song's own local scale. If all took the nearest,
    their errors would add up.

    Parameters
    ----------
    local_scales : shape (n_songs,)
    weights : of the blocks, shape (n_blocks,)

    """
    wanted = np.interp(local_scales, LEVEL_SCALES, np.arange(len(LEVEL_SCALES)))
    levels, missing = np.empty((len(wanted), len(weights)), np.int64), np.zeros(len(wanted))
    for number in np.argsort(-weights, kind="stable"):  # the small ones last: they make up for the others
        weight = max(weights[number], 1e-12)
        levels[:, number] = np.clip(np.rint(wanted + missing / weight), np.floor(wanted), np.ceil(wanted))
        missing += weight * (wanted - levels[:, number])
    return levels
