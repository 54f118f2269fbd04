"""The songs nearest to raw features, exactly: those in a box of values around them, which grows while more are taken.

Cells are made in all columns of the space. Raw features are known in a few, so that the songs nearest to them lie in
most cells; but songs within a range of values are soon found, as for a filter. No song outside the box is nearer than
its walls, or scores more than one on its walls that meets all targets.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.engine.scoring import ScoredRows, Scorer, SeedPoints
from segue.engine.search import AllowedSongs, out_of_range
from segue.engine.space import AUDIO_COLUMNS, MAX_CODE, rank_transform, space_of

FIRST_BOX_SONGS = 2_000  # songs that the first box holds, about
BOX_GROWTH = 4.0  # of the box
MAX_BOX_FRACTION = 0.1  # of all songs in a box that still grows: near to all of them, it costs as much as all
MAX_CODE_DIFFERENCE = 2 * MAX_CODE  # codes between two songs in a column
SCORE_TOLERANCE = 2e-6  # of scores, which are rounded


class GivenFeature(NamedTuple):
    """A feature that was given.

    name : of the attribute
    code : of what was given, in its column
    rank_step : what one code is worth in ranks
    zero_point : the rank that code 0 stands for
    """

    name: str
    code: int
    rank_step: float
    zero_point: float


GivenFeatures = list[GivenFeature]  # of the features of a seed


def given_features(catalog: Catalog, seed: SeedPoints) -> GivenFeatures:
    """What was given of a seed of raw features; nothing where songs shall be unlike it."""
    space = space_of(catalog)
    block = space.block("audio")
    if seed.seed.weight < 0 or block is None:
        return []
    codes, known = seed.vectors[0, block.columns].tolist(), seed.known[0, block.columns].tolist()
    return [
        GivenFeature(name, code, space.audio_step / weight, zero_point / weight)
        for (name, part, weight), code, has, zero_point in zip(
            AUDIO_COLUMNS, codes, known, space.audio_zero_point.tolist()
        )
        if part == "rank" and has
    ]


def feature_box_search(
    catalog: Catalog, scorer: Scorer, given: GivenFeatures, allowed: AllowedSongs
) -> Iterator[ScoredRows]:
    """Yield all songs that are allowed, some at a time, by falling score; equal scores by row.

    given : one range at the least
    """
    fraction = min(1.0, FIRST_BOX_SONGS / max(allowed.count(), 1))
    upper = lower = np.inf
    while lower > -np.inf:
        radius = _box_radius(given, fraction)
        rows = _rows_in_box(catalog, given, radius) if radius <= MAX_CODE_DIFFERENCE else np.arange(len(catalog))
        rows = rows[allowed(rows)]
        found = ScoredRows(rows, scorer.score(rows))
        lower = scorer.max_score_at(radius) + SCORE_TOLERANCE if radius <= MAX_CODE_DIFFERENCE else -np.inf
        yield found.select((found.scores > lower) & (found.scores <= upper)).best_first()
        upper, fraction = lower, BOX_GROWTH * fraction if len(rows) < MAX_BOX_FRACTION * len(catalog) else math.inf


def _box_radius(given: GivenFeatures, fraction: float) -> float:
    """In codes, of a box that holds a share of all songs, if features had nothing to do with each other."""
    return float((fraction / math.prod(2 * feature.rank_step for feature in given)) ** (1 / len(given)))


def _rows_in_box(catalog: Catalog, given: GivenFeatures, radius: float) -> np.ndarray:
    """Rows of songs of which no code differs by more than a radius; a few farther ones, and those without a value."""
    rows = np.empty(0, np.int64)
    for number, feature in enumerate(given):
        low, high = (
            feature.zero_point + (feature.code + offset) * feature.rank_step for offset in (-radius - 1, radius + 1)
        )
        values = catalog.attribute(feature.name, rows if number else None)
        inside = np.flatnonzero(~out_of_range(values, *rank_transform(catalog).value_range(feature.name, low, high)))
        rows = rows.take(inside) if number else inside
    return rows
