"""Quantization: the numbers of a block as int8 codes, and whole vectors as product quantization (PQ) codes.

What a song lacks is imputed. Columns come from sums that processors round differently in their last digits; what is
kept of them is coarser, so that the same table has the same codes everywhere.
"""

import math
from collections.abc import Sequence
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
CENTROIDS_PER_ROOT = 4  # of all blocks together, times the root of the number of songs: a query reads all of them
MIN_CENTROIDS, MAX_CENTROIDS = 1_024, 6_000  # likewise; 16 bits number them, and what is joined, at all levels
MAX_JOINED = 128  # combinations of blocks that share a code: a query computes them for each of the blocks
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
class ProductQuantizer:
    """How vectors become PQ codes, see :mod:`segue.engine.scoring`.

    Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE PAMI 33 (2011). Each block is a
    subspace; those of few centroids together are one, whose codes number every combination.

    centroids : of each block, int8, shape (n_centroids, n_columns)
    subspaces : of each block, shape (n_blocks,), numbered as they first come
    level_weights : of each block where levels are chosen, shape (n_blocks,): its weight times the chance that two
        songs differ in it, as a level changes nothing where they don't
    """

    space: Space
    centroids: Sequence[np.ndarray]
    subspaces: np.ndarray
    level_weights: np.ndarray

    @classmethod
    def fit(cls, space: Space, sample: np.ndarray, n_centroids: int, seed: int) -> "ProductQuantizer":
        """Learn centroids: the more a block weighs, the more.

        sample : int8, shape (n_songs, n_dims)
        n_centroids : in all; there are fewer where fewer songs differ
        """
        points = sample.astype(np.float32)
        shares = np.maximum(n_centroids * space.block_weights / space.block_weights.sum(), 1).astype(int)
        found = (
            kmeans(points[:, block.columns], count, seed, PQ_ITERATIONS, PQ_INIT_SONGS)
            for block, count in zip(space.blocks, shares.tolist())
        )
        centroids = [of_block.astype(sample.dtype) for of_block in found]
        differing = np.array([_chance_to_differ(sample[:, block.columns]) for block in space.blocks])
        return cls(space, centroids, _join([len(each) for each in centroids]), space.block_weights * differing)

    @property
    def rows(self) -> list[np.ndarray]:
        """What the codes of its subspace stand for in each block: int8, shape (n_codes, n_columns)."""
        rows = list(self.centroids)
        for members in self._members():
            combinations = np.indices([len(self.centroids[block]) for block in members]).reshape(len(members), -1)
            for block, numbers in zip(members, combinations):
                rows[block] = self.centroids[block][numbers]
        return rows

    def encode(self, vectors: np.ndarray, local_scales: np.ndarray) -> np.ndarray:
        """The PQ codes of some songs, uint16, shape (n_songs, n_subspaces)."""
        weights = np.bincount(self.subspaces, self.level_weights)
        lengths = [len(rows) for rows in self.rows]
        starts, codes = np.cumsum(lengths) - lengths, sum(lengths) * scale_levels(local_scales, weights)
        for number, members in enumerate(self._members()):
            nearest = [self._nearest(block, vectors) for block in members]
            sizes = [len(self.centroids[block]) for block in members]
            codes[:, number] += starts[members[0]] + np.ravel_multi_index(nearest, sizes)
        return codes.astype(np.uint16)

    def _nearest(self, block: int, vectors: np.ndarray) -> np.ndarray:
        points = vectors[:, self.space.blocks[block].columns]
        return nearest_centroids(points.astype(np.float32), self.centroids[block].astype(np.float32))

    def _members(self) -> list[list[int]]:
        """The blocks of each subspace."""
        return [np.flatnonzero(self.subspaces == number).tolist() for number in range(self.subspaces.max() + 1)]


def _join(sizes: Sequence[int]) -> np.ndarray:
    """The subspace of each block: those of the fewest centroids share one, of up to ``MAX_JOINED`` combinations."""
    fewest_first = np.argsort(sizes, kind="stable")
    fits = np.cumprod(np.array(sizes, np.float64)[fewest_first]) <= MAX_JOINED
    joined, firsts = fewest_first[fits], np.arange(len(sizes))
    firsts[joined] = joined.min(initial=len(sizes))
    return np.unique(firsts, return_inverse=True)[1]


def _chance_to_differ(vectors: np.ndarray) -> float:
    counts = np.unique(vectors, axis=0, return_counts=True)[1]
    return 1 - int((counts * counts).sum()) / len(vectors) ** 2


@dataclass(frozen=True, slots=True)
class ProductQuantization:
    """The PQ codes of all songs: uint16, shape (n_songs, n_subspaces)."""

    quantizer: ProductQuantizer
    codes: np.ndarray


def fit_pq(space: Space, vectors: np.ndarray, local_scales: np.ndarray, seed: int) -> ProductQuantization:
    """Quantize every song.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims)
    local_scales : float32, shape (n_songs,)

    """
    sample = vectors[sample_rows(len(vectors), PQ_TRAINING_SONGS, seed)]
    n_centroids = min(max(round(CENTROIDS_PER_ROOT * len(vectors) ** 0.5), MIN_CENTROIDS), MAX_CENTROIDS)
    quantizer = ProductQuantizer.fit(space, sample, n_centroids, seed)
    starts = range(0, len(vectors), PQ_CHUNK_ROWS)
    chunks = (slice(start, start + PQ_CHUNK_ROWS) for start in bar(starts, "quantization", " chunks", len(starts)))
    codes = [quantizer.encode(vectors[chunk], local_scales[chunk]) for chunk in chunks]
    return ProductQuantization(quantizer, np.concatenate(codes))


def scale_levels(local_scales: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The level of local scales for each subspace, 0..SCALE_LEVELS - 1; int64, shape (n_songs, n_subspaces).

    Error diffusion, as in dithering (Floyd and Steinberg, Proc. SID 17, 1976): each subspace takes the level below or
    above, so that the weighted mean over them is about the song's own local scale. If all took the nearest,
    their errors would add up.

    Parameters
    ----------
    local_scales : shape (n_songs,)
    weights : of the subspaces, shape (n_subspaces,)

    """
    wanted = np.interp(local_scales, LEVEL_SCALES, np.arange(len(LEVEL_SCALES)))
    levels, missing = np.empty((len(wanted), len(weights)), np.int64), np.zeros(len(wanted))
    for number in np.argsort(-weights, kind="stable"):  # the small ones last: they make up for the others
        weight = max(weights[number], 1e-12)
        levels[:, number] = np.clip(np.rint(wanted + missing / weight), np.floor(wanted), np.ceil(wanted))
        missing += weight * (wanted - levels[:, number])
    return levels
