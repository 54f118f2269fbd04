"""The songs nearest to raw features, exactly: those in a box of values around them, which grows while more are taken.

Cells are made in all columns of the space. Raw features are known in a few, so that the songs nearest to them lie in
most cells; but songs within a range of values are soon found, as for a filter. No song outside the box is nearer than
its walls.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.catalog import Catalog
from segue.engine.filtering import Allowed, outside
from segue.engine.scoring import Scorer
from segue.engine.search import Found
from segue.engine.seeds import Resolved, ranks
from segue.engine.space import AUDIO_COLUMNS, LARGEST, space_of

FIRST = 2_000  # songs that the first box holds, about
GROWTH = 4.0  # of a box's volume
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


def ranges(catalog: Catalog, seed: Resolved) -> list[Range]:
    """The features of a seed by which songs rank; none for any other seed, or one that songs shall be unlike."""
    space = space_of(catalog)
    block = space.block("audio")
    if seed.rows or seed.seed.weight < 0 or block is None:
        return []
    codes, known = seed.vectors[0, block.columns].tolist(), seed.known[0, block.columns].tolist()
    return [
        Range(name, code, space.audio_step / weight, middle / weight)
        for (name, part, weight), code, has, middle in zip(AUDIO_COLUMNS, codes, known, space.audio_middle.tolist())
        if part == "rank" and has
    ]


def around(catalog: Catalog, scorer: Scorer, given: list[Range], allowed: Allowed) -> Iterator[Found]:
    """Yield all songs that are allowed, some at a time, by falling score; equal scores by row.

    given : of the only seed, one at the least
    """
    share = min(1.0, FIRST / max(allowed.count(), 1))
    radius = (share / math.prod(2 * one.step for one in given)) ** (1 / len(given))
    above, least = np.inf, np.inf
    while least > -np.inf:
        found = Found(rows := _within(catalog, given, radius, allowed), scorer.score(rows))
        least = scorer.at(radius) + TOLERANCE if radius <= FARTHEST else -np.inf
        yield found.where((found.scores > least) & (found.scores <= above)).in_order()
        above, radius = least, radius * GROWTH ** (1 / len(given))


def _within(catalog: Catalog, given: list[Range], radius: float, allowed: Allowed) -> np.ndarray:
    """Rows of songs of which no code differs by more than a radius; a few farther ones, and those without a value."""
    rows = None
    for one in given if radius <= FARTHEST else ():
        low, high = (one.middle + (one.code + reach) * one.step for reach in (-radius - 1, radius + 1))
        values = catalog.attribute(one.name)
        values = values if rows is None else values.take(rows)
        inside = np.flatnonzero(~outside(values, *ranks(catalog).between(one.name, low, high)))
        rows = inside if rows is None else rows.take(inside)
    rows = np.arange(len(catalog)) if rows is None else rows
    return rows[allowed(rows)]
