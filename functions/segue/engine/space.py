"""The space in which songs are near or far: one formula for build and function.

A vector is made of named blocks (audio, artist, genre, fame, year, ...), each a few columns of small whole numbers
(*codes*: -127..127 steps from the middle of a column's range, one step for all columns of a block). Squared distances
are whole numbers too, and float32 holds them exactly: the same on every machine, whatever the order of summing.
Distances are measured in what two songs drawn at random differ by in the block, root mean squared. How near a song is
to a seed is a sum over the blocks:

    similarity = sum over blocks of share * exp(-distance / (reach * block's reach))
                 [+ together * weight in the seed's list]

so 1 is "the same in everything", a random pair is near 0.45, and every part can be shown. A seed is compared
only in the blocks that it has, whose shares then make up the whole, and within a block only in the columns that it
has, against what a random pair differs by there (``spread``: a column's mean squared random difference).
Where playlists were learned from, songs that are played together with the seed have a weight in its list.

``reach`` is the song's own, near ``REACH``: shorter where songs lie close together, longer where they are few, so
that no song is near to everything (local scaling: Schnitzer, Flexer, Schedl and Widmer, JMLR 13, 2012). For a seed by
raw features it is ``REACH`` for all: who asks for a sound gets the songs nearest to it.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from segue.catalog import Catalog
from segue.query.attributes import NUMERIC

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
LARGEST = 127  # code
_ROWS = {attribute.name: row for row, attribute in enumerate(NUMERIC)}  # of curves
REACH = 0.5**0.5  # distance at which a song's closeness has typically fallen to 1/e; a random pair is at 1


@dataclass(frozen=True, slots=True)
class Ranks:
    """The share of songs below a value, attribute by attribute, as curves of ``KNOTS`` points.

    values : float64, shape (len(NUMERIC), KNOTS), rising
    levels : float64, the same shape, 0..1
    """

    values: np.ndarray
    levels: np.ndarray

    def __call__(self, name: str, values: np.ndarray) -> np.ndarray:
        """Ranks in 0..1 of values of an attribute; NaN stays NaN."""
        row = _ROWS[name]
        return np.where(np.isnan(values), np.nan, np.interp(values, self.values[row], self.levels[row]))

    def between(self, name: str, low: float, high: float) -> tuple[float, float]:
        """The closest knots between which all values lie whose ranks do; infinite past the ends of the curve."""
        row = _ROWS[name]
        values, levels = [-math.inf, *self.values[row].tolist(), math.inf], self.levels[row]
        return values[int(levels.searchsorted(low))], values[int(levels.searchsorted(high, side="right")) + 1]


def encode(features: Mapping[str, np.ndarray], ranks: Ranks) -> np.ndarray:
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
            column = _circle(np.log2(np.where(values > 0, values, np.nan)), part)
        else:
            column = _circle(_fifths(values, np.asarray(features.get("mode", unknown))), part)
        columns.append(column * weight)
    return np.stack(columns, axis=1)


def _fifths(key: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """Turns round the circle of fifths; a minor key stands where its relative major does."""
    major = np.where(mode == 0, key + 3, key)
    return np.where(key < 0, np.nan, major * 7 % 12 / 12)


def _circle(turns: np.ndarray, part: str) -> np.ndarray:
    angle = 2 * np.pi * turns
    return np.cos(angle) if part.endswith("cos") else np.sin(angle)


@dataclass(frozen=True, slots=True)
class Block:
    """Columns that belong together.

    start, stop : its columns
    share : its part of the similarity; all shares and ``Space.together`` add up to 1
    reach : what songs' reaches are multiplied by in this block
    """

    name: str
    start: int
    stop: int
    share: float
    reach: float = 1.0

    @property
    def columns(self) -> slice:
        """Where the block stands in a vector."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Space:
    """What is needed to compare vectors.

    blocks : in the order of their columns
    spread : float64, shape (n_dims,), mean squared difference of random pairs, in squared codes
    audio_step : what one code is worth in :func:`encode`'s columns
    audio_middle : float64, shape (len(AUDIO_COLUMNS),), what code 0 stands for there
    together : share of the lists of what is played together, 0 where none were learned
    """

    blocks: tuple[Block, ...]
    spread: np.ndarray
    audio_step: float
    audio_middle: np.ndarray
    together: float = 0.0

    @classmethod
    def from_manifest(cls, entry: Mapping[str, Any]) -> "Space":
        """The space that a manifest describes."""
        blocks = tuple(Block(**block) for block in entry["blocks"])
        spread, middle = np.asarray(entry["spread"]), np.asarray(entry["audio_middle"])
        return cls(blocks, spread, entry["audio_step"], middle, entry["together"])

    def to_manifest(self) -> dict[str, Any]:
        """The manifest's entry; :meth:`from_manifest` reads it back."""
        return {
            "blocks": [dataclasses.asdict(block) for block in self.blocks],
            "spread": [float(value) for value in self.spread],
            "audio_step": self.audio_step,
            "audio_middle": [float(value) for value in self.audio_middle],
            "together": self.together,
        }

    @property
    def weights(self) -> np.ndarray:
        """What columns are multiplied by where one distance must serve for all blocks; shape (n_dims,)."""
        sizes = [block.stop - block.start for block in self.blocks]
        ratios = [block.share / self.spread[block.columns].sum() for block in self.blocks]
        return np.repeat(np.sqrt(ratios), sizes)

    @cached_property
    def shares(self) -> np.ndarray:
        """The blocks' shares, shape (n_blocks,)."""
        return np.array([block.share for block in self.blocks])

    @cached_property
    def block_reaches(self) -> np.ndarray:
        """How far the blocks reach, shape (n_blocks,)."""
        return np.array([block.reach for block in self.blocks])

    @cached_property
    def columns(self) -> np.ndarray:
        """Which columns a block has: float32, 1 or 0, shape (n_blocks, n_dims)."""
        columns = np.zeros((len(self.blocks), len(self.spread)), np.float32)
        for number, block in enumerate(self.blocks):
            columns[number, block.columns] = 1
        return columns

    def block(self, name: str) -> Block | None:
        """The block of that name, None where the catalogue lacks it."""
        return next((block for block in self.blocks if block.name == name), None)

    def columns_of(self, present: np.ndarray) -> np.ndarray:
        """Which columns songs have: bit b of ``present`` stands for block b; bool, shape (len(present), n_dims)."""
        return (present[:, None] >> self._bits & 1).astype(bool)

    def blocks_of(self, present: np.ndarray) -> np.ndarray:
        """Which blocks songs have; bool, shape (n_blocks, len(present))."""
        return (present >> np.arange(len(self.blocks), dtype=np.uint8)[:, None] & 1).astype(bool)

    @cached_property
    def _bits(self) -> np.ndarray:
        return self.columns.argmax(axis=0).astype(np.uint8)

    def from_features(self, features: Mapping[str, float], ranks: Ranks) -> tuple[np.ndarray, np.ndarray]:
        """A seed by raw features: its codes, int8, and which columns it has, both of shape (n_dims,)."""
        vector = np.zeros(len(self.spread), np.int8)
        known = np.zeros(len(self.spread), bool)
        block = self.block("audio")
        if block:
            columns = encode({name: np.array([value]) for name, value in features.items()}, ranks)[0]
            known[block.columns] = ~np.isnan(columns) & (self.spread[block.columns] > 0)
            vector[block.columns] = to_codes(columns, self.audio_middle, self.audio_step)
        return vector, known


def space_of(catalog: Catalog) -> Space:
    """The space of a catalogue's vectors."""
    return catalog.derived("space", lambda: Space.from_manifest(catalog.manifest["space"]))


def to_codes(columns: np.ndarray, middle: np.ndarray, step: float) -> np.ndarray:
    """Columns of a block as codes, int8; what is unknown (NaN) as 0, what is beyond the range as its end."""
    codes = np.clip(np.rint(np.nan_to_num(columns - middle) / step), -LARGEST, LARGEST)
    return codes.astype(np.min_scalar_type(-LARGEST))
