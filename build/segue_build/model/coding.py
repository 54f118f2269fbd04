"""Columns of numbers as codes of the space, a run of rows at a time; what a song lacks is imputed.

Columns come from sums that processors round differently in their last digits. What is kept of them is coarser, so
that the same table has the same codes everywhere.
"""

import math
from dataclasses import dataclass

import numpy as np

from segue_build.sources.runs import slices
from segue.engine.space import LARGEST, to_codes

DIGITS = 6  # of what the catalogue keeps of a block's place and scale
ROUNDING = 1e-12  # variance up to which the values of a column, all of order 1, are one value


@dataclass(frozen=True, slots=True)
class Coding:
    """How the numbers of a block become codes.

    means : float64, shape (n_columns,), taken where a song's value is unknown
    middle : float64, shape (n_columns,), what code 0 stands for
    step : what one code is worth
    """

    means: np.ndarray
    middle: np.ndarray
    step: float

    @classmethod
    def of(cls, means: np.ndarray, low: np.ndarray, high: np.ndarray) -> "Coding":
        """The widest column takes all codes.

        means, low, high : of what is known in each column, ends NaN where nothing is
        """
        low, high = (np.where(np.isnan(end), means, end) for end in (low, high))
        return cls(means, ((low + high) / 2).round(DIGITS), _coarse(float((high - low).max() / (2 * LARGEST))))

    def codes(self, raw: np.ndarray) -> np.ndarray:
        """Codes of some songs, int8, shape (n_songs, n_columns); ``raw`` is NaN where unknown."""
        return to_codes(np.where(np.isnan(raw), self.means, raw), self.middle, self.step)


@dataclass(frozen=True, slots=True)
class Coded:
    """A block as :mod:`segue.engine.space` has it.

    codes : int8, shape (n_songs, n_columns)
    spread : float64, shape (n_columns,)
    """

    codes: np.ndarray
    spread: np.ndarray
    coding: Coding


def coded(raw: np.ndarray) -> Coded:
    """The widest column takes all codes; what is unknown takes the mean of its column.

    raw : shape (n_songs, n_columns), NaN where unknown
    """
    coding = Coding.of(means(raw), *_ends(raw))
    codes = np.empty(raw.shape, np.min_scalar_type(-LARGEST))
    known, total, squares = sums = np.zeros((3, raw.shape[1]))
    for run in slices(len(raw)):
        codes[run] = coding.codes(raw[run])
        sums += code_sums(raw[run], codes[run])
    return Coded(codes, spread(known, total, squares), coding)


def _coarse(step: float) -> float:
    """Up to the next number of ``DIGITS`` digits: processors differ in the last ones of where a block ends."""
    unit = 10.0 ** (math.floor(math.log10(step)) + 1 - DIGITS)
    return float(round(math.ceil(step / unit) * unit, 16))


def code_sums(raw: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """How many codes of each column are known, their sum and that of their squares: whole numbers, which are exact.

    Returns
    -------
    float64, shape (3, n_columns)

    """
    known = ~np.isnan(raw)
    found = np.where(known, codes, 0).astype(np.float64)
    return np.stack([known.sum(axis=0), found.sum(axis=0), (found * found).sum(axis=0)])


def spread(known: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """A column's mean squared difference of random pairs, from :func:`code_sums` of all songs."""
    known = np.maximum(known, 1)
    return 2 * (squares / known - (total / known) ** 2)


def variance(block: np.ndarray) -> np.ndarray:
    """Of what is known in each column, 0 where that is one value."""
    total, middles = np.zeros(block.shape[1]), means(block)
    for run in slices(len(block)):
        total += np.nansum((block[run].astype(np.float64) - middles) ** 2, axis=0)
    spread = total / np.maximum(_known(block), 1)
    return np.where(spread > ROUNDING, spread, 0)


def means(block: np.ndarray) -> np.ndarray:
    """Mean of what is known in each column, 0 where nothing is."""
    sums = sum(np.nansum(block[run], axis=0, dtype=np.float64) for run in slices(len(block)))
    return sums / np.maximum(_known(block), 1)


def _known(block: np.ndarray) -> np.ndarray:
    """How many songs have a value in each column."""
    return np.array([len(block) - np.isnan(column).sum() for column in block.T])


def _ends(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest value of each column, NaN where nothing is known."""
    return np.fmin.reduce(block, axis=0), np.fmax.reduce(block, axis=0)
