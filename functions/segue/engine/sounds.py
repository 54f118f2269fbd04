"""The songs nearest to raw features, exactly: those in a box of values around them, which grows while more are taken.

Cells are made in all columns of the space. Raw features are known in a few, so that the songs nearest to them lie in
most cells; but songs within a range of values are soon found, as for a filter. No song outside the box is nearer than
its walls, or scores more than one on its walls that meets all targets.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from segue.catalog import Catalog
from segue.engine.filtering import Allowed, outside
from segue.engine.scoring import Scorer
from segue.engine.search import Found
from segue.engine.seeds import Resolved, ranks
from segue.engine.space import AUDIO_COLUMNS, LARGEST, space_of

FIRST = 2_000  # songs that the first box holds, about
GROWTH = 4.0  # of the box
MOST = 0.1  # of all songs that are in a box which still grows: next to all of them it would be as dear as all
FARTHEST = 2 * LARGEST  # codes between two songs in a column
TOLERANCE = 2e-6  # of scores, which are rounded


class Range(NamedTuple):
    """A feature that was given.

    name : of the attribute
    code : of what was given, in its column
    step : what one code is worth in ranks
    middle : the rank that code 0 stands for
    """

    name: str
    code: int
    step: float
    middle: float


Box = list[Range]  # of the features of a seed


def box(catalog: Catalog, seeds: Sequence[Resolved]) -> Box:
    """What was given of the only seed; nothing where it is not by raw features, or songs shall be unlike it."""
    seed, space = seeds[0], space_of(catalog)
    block = space.block("audio")
    if len(seeds) > 1 or seed.rows or seed.seed.weight < 0 or block is None:
        return []
    codes, known = seed.vectors[0, block.columns].tolist(), seed.known[0, block.columns].tolist()
    return [
        Range(name, code, space.audio_step / weight, middle / weight)
        for (name, part, weight), code, has, middle in zip(AUDIO_COLUMNS, codes, known, space.audio_middle.tolist())
        if part == "rank" and has
    ]


def around(catalog: Catalog, scorer: Scorer, given: Box, allowed: Allowed) -> Iterator[Found]:
    """Yield all songs that are allowed, some at a time, by falling score; equal scores by row.

    given : one range at the least
    """
    share = min(1.0, FIRST / max(allowed.count(), 1))
    above = least = np.inf
    while least > -np.inf:
        radius = _radius(given, share)
        rows = _within(catalog, given, radius) if radius <= FARTHEST else np.arange(len(catalog))
        rows = rows[allowed(rows)]
        found = Found(rows, scorer.score(rows))
        least = scorer.at(radius) + TOLERANCE if radius <= FARTHEST else -np.inf
        yield found.where((found.scores > least) & (found.scores <= above)).in_order()
        above, share = least, GROWTH * share if len(rows) < MOST * len(catalog) else math.inf


def _radius(given: Box, share: float) -> float:
    """In codes, of a box that holds a share of all songs, if features had nothing to do with each other."""
    return float((share / math.prod(2 * one.step for one in given)) ** (1 / len(given)))


def _within(catalog: Catalog, given: Box, radius: float) -> np.ndarray:
    """Rows of songs of which no code differs by more than a radius; a few farther ones, and those without a value."""
    rows = np.empty(0, np.int64)
    for number, one in enumerate(given):
        low, high = (one.middle + (one.code + reach) * one.step for reach in (-radius - 1, radius + 1))
        values = catalog.attribute(one.name).take(rows) if number else catalog.attribute(one.name)
        inside = np.flatnonzero(~outside(values, *ranks(catalog).between(one.name, low, high)))
        rows = rows.take(inside) if number else inside
    return rows
