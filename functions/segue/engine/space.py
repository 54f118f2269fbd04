"""The space in which songs are compared: one formula for build and function.

A vector is made of named blocks (audio, artist, genre, popularity, year, ...), each a few columns of int8 *codes*:
scalar quantization with one step for all columns of a block and a zero point for each. Squared distances of codes are
whole numbers, which float32 holds exactly: the same on every machine, whatever the order of summing. The unit of
distance in a block is the root mean squared difference of two random songs. The similarity of a song to a seed is a
sum over the blocks, and a product that says "and" where the sum says "or": it is large only where a song is like the
seed in all of them at once.

    similarity = sum over blocks of weight * near
                 + joint weight * product over blocks of near ** exponent
                 [+ co-occurrence weight * weight of the song among the seed's neighbours]
    near = exp(-distance / (local scale * block's scale))

so 1 is "the same in everything", a random pair is near 0.45, and every part can be shown. A seed is compared
only in the blocks that it has, whose weights then make up the whole, and within a block only in the columns that it
has, against what a random pair differs by there (``spread``: a column's mean squared random difference).
Where playlists were learned from, songs that co-occur with the seed in playlists are its neighbours, with a weight.

The local scale is the song's own, near ``LOCAL_SCALE``: shorter where songs lie close together, longer where they are
few, so that no song is near to everything (local scaling: Schnitzer, Flexer, Schedl and Widmer, JMLR 13, 2012). For a
seed by raw features it is ``LOCAL_SCALE`` for all songs: a request for features gets the songs nearest to them.

The arithmetic of distances and of the exponential gives the same bytes on every processor.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from segue.catalog.catalog import Catalog
from segue.query.schema import NUMERIC_ATTRIBUTES

# feature, part of the formula, weight within the block. The weights of ranked features come from the variance
# between and within playlists; circles and the two coarse features weigh little: they gain little.
AUDIO_COLUMNS = (
    ("energy", "rank", 1.35),
    ("acousticness", "rank", 0.65),
    ("loudness", "rank", 1.23),
    ("speechiness", "rank", 1.23),
    ("duration_ms", "rank", 1.19),
    ("danceability", "rank", 1.16),
    ("instrumentalness", "rank", 1.7),
    ("valence", "rank", 0.97),
    ("tempo", "rank", 0.5),
    ("liveness", "rank", 0.41),
    ("tempo", "octave cos", 0.15),
    ("tempo", "octave sin", 0.15),
    ("key", "fifths cos", 0.1),
    ("key", "fifths sin", 0.1),
    ("mode", "rank", 0.1),
    ("time_signature", "rank", 0.1),
)
KNOTS = 256  # points of a rank's curve
MAX_CODE = 127  # codes are -127..127
_CURVE_ROWS = {attribute.name: row for row, attribute in enumerate(NUMERIC_ATTRIBUTES)}  # of curves
LOCAL_SCALE = 0.5**0.5  # the typical one: the distance at which the kernel has fallen to 1/e; a random pair is at 1
STEPS_PER_UNIT = 64  # of the exponential's table: a power of two scales floats exactly
_EXP_TABLE = np.exp(-np.arange(30 * STEPS_PER_UNIT + 1) / STEPS_PER_UNIT).astype(np.float32)
_EXP_TABLE_PER_STEP = _EXP_TABLE / np.float32(STEPS_PER_UNIT)
UNKNOWN_UNIT = np.float32(1e-6)  # unit of a block of which a point has nothing


@dataclass(frozen=True, slots=True)
class RankTransform:
    """The share of songs below a value, attribute by attribute, as curves of ``KNOTS`` points.

    values : float64, shape (len(NUMERIC), KNOTS), rising
    levels : float64, the same shape, 0..1
    """

    values: np.ndarray
    levels: np.ndarray

    def __call__(self, name: str, values: np.ndarray) -> np.ndarray:
        """Ranks in 0..1 of values of an attribute; NaN stays NaN."""
        row = _CURVE_ROWS[name]
        return np.where(np.isnan(values), np.nan, np.interp(values, self.values[row], self.levels[row]))

    def value_range(self, name: str, low: float, high: float) -> tuple[float, float]:
        """The closest knots between which all values lie whose ranks do; infinite past the ends of the curve."""
        row = _CURVE_ROWS[name]
        values, levels = [-math.inf, *self.values[row].tolist(), math.inf], self.levels[row]
        return values[int(levels.searchsorted(low))], values[int(levels.searchsorted(high, side="right")) + 1]


def encode_audio(features: Mapping[str, np.ndarray], ranks: RankTransform) -> np.ndarray:
    """Raw features as columns of the audio block, weighted within the block.

    Parameters
    ----------
    features : attribute -> float64, shape (n_songs,), NaN where unknown; attributes may be missing
    ranks : the catalogue's

    Returns
    -------
    float64, shape (n_songs, len(AUDIO_COLUMNS)); NaN where a feature is unknown.

    """
    n_songs = len(next(iter(features.values())))
    unknown = np.full(n_songs, np.nan)
    columns = []
    for feature, part, weight in AUDIO_COLUMNS:
        values = np.asarray(features.get(feature, unknown), np.float64)
        if part == "rank":
            column = ranks(feature, values)
        elif part.startswith("octave"):
            column = _cosine_or_sine(np.log2(np.where(values > 0, values, np.nan)), part)
        else:
            column = _cosine_or_sine(_circle_of_fifths(values, np.asarray(features.get("mode", unknown))), part)
        columns.append(column * weight)
    return np.stack(columns, axis=1)


def _circle_of_fifths(key: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """Turns round the circle of fifths; a minor key stands where its relative major does."""
    major = np.where(mode == 0, key + 3, key)
    return np.where(key < 0, np.nan, major * 7 % 12 / 12)


def _cosine_or_sine(turns: np.ndarray, part: str) -> np.ndarray:
    angle = 2 * np.pi * turns
    return np.cos(angle) if part.endswith("cos") else np.sin(angle)


@dataclass(frozen=True, slots=True)
class Block:
    """Columns that belong together.

    start, stop : its columns
    weight : its part of the similarity; all weights and those of the space add up to 1
    scale : what songs' local scales are multiplied by in this block
    exponent : of the block's nearness in the joint term
    """

    name: str
    start: int
    stop: int
    weight: float
    scale: float = 1.0
    exponent: float = 0.0

    @property
    def columns(self) -> slice:
        """Where the block stands in a vector."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Space:
    """What is needed to compare vectors.

    blocks : in the order of their columns
    spread : float64, shape (n_dims,), mean squared difference of random pairs, in squared codes
    audio_step : what one code is worth in :func:`encode_audio`'s columns
    audio_zero_point : float64, shape (len(AUDIO_COLUMNS),), what code 0 stands for there
    joint_weight : weight of the joint term
    co_occurrence_weight : weight of co-occurrence in playlists, 0 where none were learned from
    """

    blocks: tuple[Block, ...]
    spread: np.ndarray
    audio_step: float
    audio_zero_point: np.ndarray
    joint_weight: float = 0.0
    co_occurrence_weight: float = 0.0

    @classmethod
    def from_manifest(cls, entry: Mapping[str, Any]) -> "Space":
        """The space that a manifest describes."""
        blocks = tuple(Block(**block) for block in entry["blocks"])
        spread, zero_point = np.asarray(entry["spread"]), np.asarray(entry["audio_zero_point"])
        weights = entry["joint_weight"], entry["co_occurrence_weight"]
        return cls(blocks, spread, entry["audio_step"], zero_point, *weights)

    def to_manifest(self) -> dict[str, Any]:
        """The manifest's entry; :meth:`from_manifest` reads it back."""
        return {
            "blocks": [dataclasses.asdict(block) for block in self.blocks],
            "spread": [float(value) for value in self.spread],
            "audio_step": self.audio_step,
            "audio_zero_point": [float(value) for value in self.audio_zero_point],
            "joint_weight": self.joint_weight,
            "co_occurrence_weight": self.co_occurrence_weight,
        }

    @property
    def column_weights(self) -> np.ndarray:
        """What columns are multiplied by where one distance must serve for all blocks; shape (n_dims,)."""
        sizes = [block.stop - block.start for block in self.blocks]
        ratios = [block.weight / self.spread[block.columns].sum() for block in self.blocks]
        return np.repeat(np.sqrt(ratios), sizes)

    @cached_property
    def block_weights(self) -> np.ndarray:
        """The blocks' weights, shape (n_blocks,)."""
        return np.array([block.weight for block in self.blocks])

    @cached_property
    def joint_exponents(self) -> dict[int, np.float32]:
        """Number of a block -> exponent of its nearness in the joint term, where it has one."""
        return {number: np.float32(block.exponent) for number, block in enumerate(self.blocks) if block.exponent}

    @cached_property
    def block_scales(self) -> np.ndarray:
        """What local scales are multiplied by in each block, shape (n_blocks,)."""
        return np.array([block.scale for block in self.blocks])

    @cached_property
    def block_masks(self) -> np.ndarray:
        """Which columns a block has: float32, 1 or 0, shape (n_blocks, n_dims)."""
        masks = np.zeros((len(self.blocks), len(self.spread)), np.float32)
        for number, block in enumerate(self.blocks):
            masks[number, block.columns] = 1
        return masks

    @cached_property
    def row_masks(self) -> np.ndarray:
        """The same with a row of zeros, which leaves room for the joint term; shape (n_blocks + 1, n_dims)."""
        return np.concatenate([self.block_masks, np.zeros_like(self.block_masks[:1])])

    def add_joint_row(self, steps: np.ndarray) -> None:
        """Make the last row of distances that of the joint term, whose exponential is the product over the blocks.

        steps : float32, shape (n_blocks + 1, ...), what is unknown as 0; the last row holds zeros
        """
        for number, exponent in self.joint_exponents.items():  # in this order on every processor
            steps[-1] += exponent * steps[number]

    def block(self, name: str) -> Block | None:
        """The block of that name, None where the catalogue lacks it."""
        return next((block for block in self.blocks if block.name == name), None)

    def known_columns(self, present: np.ndarray) -> np.ndarray:
        """Which columns songs have: bit b of ``present`` stands for block b; bool, shape (len(present), n_dims)."""
        return (present[:, None] >> self._block_of_column & 1).astype(bool)

    def known_blocks(self, present: np.ndarray) -> np.ndarray:
        """Which blocks songs have; bool, shape (n_blocks, len(present))."""
        return (present >> np.arange(len(self.blocks), dtype=np.uint8)[:, None] & 1).astype(bool)

    @cached_property
    def _block_of_column(self) -> np.ndarray:
        return self.block_masks.argmax(axis=0).astype(np.uint8)

    def embed_features(self, features: Mapping[str, float], ranks: RankTransform) -> tuple[np.ndarray, np.ndarray]:
        """A seed by raw features: its codes, int8, and which columns it has, both of shape (n_dims,)."""
        vector = np.zeros(len(self.spread), np.int8)
        known = np.zeros(len(self.spread), bool)
        block = self.block("audio")
        if block:
            columns = encode_audio({name: np.array([value]) for name, value in features.items()}, ranks)[0]
            known[block.columns] = ~np.isnan(columns) & (self.spread[block.columns] > 0)
            vector[block.columns] = quantize(columns, self.audio_zero_point, self.audio_step)
        return vector, known


def space_of(catalog: Catalog) -> Space:
    """The space of a catalogue's vectors."""
    return catalog.cached("space", lambda: Space.from_manifest(catalog.manifest["space"]))


def rank_transform(catalog: Catalog) -> RankTransform:
    """The catalogue's curves from values to ranks."""
    return RankTransform(catalog.array("rank_values"), catalog.array("rank_levels"))


def quantize(columns: np.ndarray, zero_point: np.ndarray, step: float) -> np.ndarray:
    """Columns of a block as codes, int8; what is unknown (NaN) as 0, what is beyond the range as its end."""
    codes = np.clip(np.rint(np.nan_to_num(columns - zero_point) / step), -MAX_CODE, MAX_CODE)
    return codes.astype(np.min_scalar_type(-MAX_CODE))


def squared_distances(vectors: np.ndarray, points: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """Squared distances of every vector from every point, shape (n_vectors, n_points).

    Floats that hold whole numbers give exact sums, the same on every machine, as long as they fit the mantissa.

    Parameters
    ----------
    vectors : shape (n_vectors, n_dims)
    points : shape (n_points, n_dims)
    known : 1 or 0, shape (n_points, n_dims), the columns in which each point is compared; None: all of them

    """
    if known is None:
        norms, point_norms = (np.square(rows).sum(axis=1) for rows in (vectors, points))
        return square_of_difference(norms[:, None], vectors @ (2 * points.T), point_norms)
    points = points * known
    return square_of_difference(np.square(vectors) @ known.T, vectors @ (2 * points.T), np.square(points).sum(axis=1))


def square_of_difference(norms: np.ndarray, doubled_products: np.ndarray, point_norms: np.ndarray) -> np.ndarray:
    """|v - p|² from |v|², 2 v·p, which is overwritten, and |p|²; they broadcast to the shape of the products."""
    squared = np.subtract(norms, doubled_products, out=doubled_products)
    squared += point_norms
    return squared


def exponential_kernel(steps: np.ndarray) -> np.ndarray:
    """exp(-steps / STEPS_PER_UNIT), by a table and a parabola: the last digits of np.exp depend on the processor.

    steps : float32, 0 or more, distances in 1/STEPS_PER_UNIT local scales; overwritten

    Returns
    -------
    float32, the same shape, within 3e-7 of the exponential's value

    """
    nearest = np.rint(steps)
    remainder = np.subtract(nearest, steps, out=steps)
    values = _EXP_TABLE_PER_STEP.take(nearest.astype(np.intp), mode="clip")
    parabola = remainder * np.float32(0.5 / STEPS_PER_UNIT)  # of remainder / STEPS_PER_UNIT, times STEPS_PER_UNIT
    parabola += np.float32(1)
    parabola *= remainder
    parabola += np.float32(STEPS_PER_UNIT)
    values *= parabola
    return values


def approximate_kernel(steps: np.ndarray) -> np.ndarray:
    """The same within a hundredth, at a third of the cost; overwrites as well."""
    return _EXP_TABLE.take(np.rint(steps, out=steps).astype(np.intp), mode="clip")


class PreparedVectors:
    """Vectors that every query is compared with, prepared once.

    vectors : int8, shape (n_vectors, n_dims)
    """

    def __init__(self, space: Space, vectors: np.ndarray):
        self.transposed = np.ascontiguousarray(vectors.T, np.float32)
        self.squared_norms = (space.row_masks @ (self.transposed * self.transposed))[:, None]


def prepared_vectors(catalog: Catalog, name: str) -> PreparedVectors:
    """An array of a catalogue as vectors that every query is compared with."""
    return catalog.cached(("prepared vectors", name), lambda: PreparedVectors(space_of(catalog), catalog.array(name)))


class PreparedCentroids:
    """PQ centroids, each in the columns of its block, prepared once.

    block_of : the block of each, shape (n_centroids,); those of a block stand side by side
    of_block : of each block, its columns and the centroids, float32, shape (n_columns, n_centroids of the block)
    exponents, squared_norms : float32, shape (n_centroids,); the exponents are those of the blocks in the joint term
    joined : where those of a block stand, and those of the first block of its subspace, to which they are added
    """

    def __init__(self, space: Space, subspaces: np.ndarray, offsets: np.ndarray, centroids: np.ndarray):
        runs = [slice(start, stop) for start, stop in itertools.pairwise(offsets.tolist())]
        self.block_of = np.repeat(np.arange(len(runs)), [run.stop - run.start for run in runs])
        self.exponents = np.array([block.exponent for block in space.blocks], np.float32).take(self.block_of)
        self.of_block = [
            (block.columns, np.ascontiguousarray(centroids[run, : block.stop - block.start].T, np.float32))
            for block, run in zip(space.blocks, runs)
        ]
        firsts = [subspaces.tolist().index(subspace) for subspace in subspaces.tolist()]
        self.joined = [(run, runs[first]) for number, (run, first) in enumerate(zip(runs, firsts)) if first < number]
        self.squared_norms = np.concatenate([np.square(rows).sum(axis=0) for _, rows in self.of_block])


class Points:
    """The points that stand for the seeds, ready to be compared with many vectors.

    Rows of the matrices below are pairs of a block and a point, over whose columns a squared distance is summed, so
    that one product gives all of them.

    units : float32, shape (n_blocks, n_points), what distances are measured in: that of a random pair in what a point
        has of a block, times the block's scale

    Distances have a row of zeros after those of the blocks, see :meth:`Space.add_joint_row`.
    """

    def __init__(self, space: Space, vectors: np.ndarray, known: np.ndarray):
        spread = (space.block_masks * space.spread) @ known.T
        self.units = np.maximum(np.sqrt(spread) * space.block_scales[:, None], UNKNOWN_UNIT).astype(np.float32)
        masks = space.row_masks[:, None] * known
        masked = masks * vectors
        self._vectors, self._known = vectors, known
        self._all_known = bool(known.all())  # then what is inside is the same for all points
        self._masks = _pad_rows(space.row_masks if self._all_known else masks.reshape(-1, vectors.shape[1]))
        self._doubled_points = _pad_rows(2 * masked.reshape(-1, vectors.shape[1]))
        self._point_norms = (masked * masked).sum(axis=2)[:, :, None]
        self._step_sizes = np.ones((len(self.units) + 1, len(vectors), 1), np.float32)
        self._step_sizes[:-1, :, 0] = self.units / np.float32(STEPS_PER_UNIT)

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Distances from the points in 1/``STEPS_PER_UNIT`` units, shape (n_blocks + 1, n_points, len(vectors))."""
        if len(self._vectors) == 1:  # then squares of differences take one product rather than two
            differences = np.subtract(vectors, self._vectors, dtype=np.int16)
            squares = np.square(differences, out=differences).view(np.uint16)  # up to 254²: too much with a sign
            return _to_steps(self._norms(squares.astype(np.float32)), self._step_sizes)
        rows = vectors.astype(np.float32)
        products = self._doubled_points @ rows.T
        # a second array as large would cost more than everything else
        return self._from_products(self._norms(np.square(rows, out=rows)), products)

    def distances_to_prepared(self, prepared: PreparedVectors) -> np.ndarray:
        """The same for prepared vectors."""
        vectors = prepared.transposed
        norms = prepared.squared_norms if self._all_known else self._norms((vectors * vectors).T)
        return self._from_products(norms, self._doubled_points @ vectors)

    def distances_to_centroids(self, centroids: PreparedCentroids) -> np.ndarray:
        """The same for PQ centroids in the columns of their blocks; shape (n_points, n_centroids)."""
        points, of_block = (2 * self._known * self._vectors).astype(np.float32), centroids.of_block
        norms, of_pairs = centroids.squared_norms, (self._point_norms[:-1], self._step_sizes[:-1])
        if not self._all_known:
            known = self._known.astype(np.float32)
            norms = np.concatenate([known[:, columns] @ np.square(rows) for columns, rows in of_block], axis=1)
        products = np.concatenate([points[:, columns] @ rows for columns, rows in of_block], axis=1)
        point_norms, step_sizes = (each[..., 0].T.take(centroids.block_of, axis=1) for each in of_pairs)
        return _to_steps(square_of_difference(norms, products, point_norms), step_sizes)

    def _norms(self, squares: np.ndarray) -> np.ndarray:
        """Sums of squares in each block, for each point or once for all: (n_blocks + 1, n_points or 1, n_vectors).

        squares : float32, shape (n_vectors, n_dims)
        """
        n_rows, n_points = len(self._step_sizes), 1 if self._all_known else len(self._vectors)
        # BLAS takes half as long again for a few rows times a matrix that is transposed
        sums = np.ascontiguousarray((squares @ self._masks.T).T) if n_points == 1 else self._masks @ squares.T
        return sums[: n_rows * n_points].reshape(n_rows, n_points, -1)

    def _from_products(self, norms: np.ndarray, products: np.ndarray) -> np.ndarray:
        products = products[: self._step_sizes.size].reshape(*self._step_sizes.shape[:2], -1)  # without the padding
        return _to_steps(square_of_difference(norms, products, self._point_norms), self._step_sizes)


def _to_steps(squared: np.ndarray, step_sizes: np.ndarray) -> np.ndarray:
    np.sqrt(squared, out=squared)
    squared /= step_sizes
    return squared


def _pad_rows(matrix: np.ndarray) -> np.ndarray:
    """The same with rows of zeros: BLAS multiplies eight rows in three quarters of the time that seven take."""
    padded = np.zeros((len(matrix) + -len(matrix) % 8, matrix.shape[1]), np.float32)
    padded[: len(matrix)] = matrix
    return padded
