"""All songs that may be recommended, best first, without looking at all of them.

Only cells are visited of which a song is likely to be good enough, and only songs are scored that are likely to be by
their sketches. A song is passed on once no other is likely to be better, so the search widens by itself where songs
are filtered out or more are wanted, down to the last song of the catalogue.
"""

from collections.abc import Iterator

import numpy as np

from segue.catalog import Catalog
from segue.engine.filtering import Allowed
from segue.engine.scoring import Scorer
from segue.engine.spans import NONE, Spans

FIRST_VISIT = 3_000  # songs, about, looked at before it is known how good is good enough
LARGEST_VISIT = 100_000  # songs, about, looked at together: bounds the memory of one request
WANTED = 30  # songs made ready at first, whatever the limit: a longer list begins as a shorter one does
LOWEST = -1.0  # below every score
PROBES = 100  # songs of the best sketches, scored before the others: they show how good is good enough


def ranked(catalog: Catalog, scorer: Scorer, allowed: Allowed) -> Iterator[tuple[int, float]]:
    """Yield (row, score) of allowed songs by falling score (one in thousands may come late); equal scores by row."""
    cells, aside, scored = _Cells(catalog, scorer.bounds()), _Aside(scorer, allowed), _Scored(scorer)
    scored.add(scorer.extra_rows[allowed(scorer.extra_rows)])
    wanted = WANTED
    while cells.bound >= LOWEST or len(aside) or len(scored):
        enough = scored.last_of(wanted)
        while cells.bound >= max(enough, LOWEST):
            aside.add(cells.visit(enough))
            scored.add(aside.take(enough, PROBES))
            enough = scored.last_of(wanted)
        scored.add(aside.take(enough))
        yield from scored.take(scored.last_of(wanted))
        wanted *= 2


class _Cells:
    """The cells that are still to be visited."""

    def __init__(self, catalog: Catalog, bounds: np.ndarray):
        self._bounds = bounds
        self._offsets = catalog.array("cell_offsets").astype(np.int64)
        self._size = max(1, int(self._offsets[-1]) // len(bounds))
        self._visit = FIRST_VISIT

    @property
    def bound(self) -> float:
        """The highest score that is likely in any of them, -inf when none is left."""
        return float(self._bounds.max())

    def visit(self, enough: float) -> Spans:
        """The songs of those that promise ``enough``; of as many of the best as can be looked at together."""
        most = max(1, (self._visit if enough == -np.inf else LARGEST_VISIT) // self._size)
        cells = np.flatnonzero(self._bounds >= max(enough, LOWEST))
        if len(cells) > most:
            cells = cells[_largest(self._bounds.take(cells), most)]
        self._bounds[cells] = -np.inf
        self._visit = min(2 * self._visit, LARGEST_VISIT)
        return Spans(self._offsets[cells], self._offsets[cells + 1])


class _Aside:
    """Songs that were looked at and not scored, for ruling them out is cheaper."""

    def __init__(self, scorer: Scorer, allowed: Allowed):
        self._scorer, self._allowed = scorer, allowed
        self._spans, self._rough = NONE, np.empty(0, np.float32)
        self._left = 0

    def __len__(self) -> int:
        return self._left

    def add(self, spans: Spans) -> None:
        """Look at more songs."""
        rough = self._scorer.rough(spans)
        self._left += len(spans)
        if self._allowed.selective:
            refused = ~self._allowed(spans.rows(np.arange(len(spans))))
            rough[refused] = np.nan
            self._left -= int(refused.sum())
        self._spans, self._rough = self._spans + spans, np.concatenate([self._rough, rough])

    def take(self, enough: float, most: int | None = None) -> np.ndarray:
        """Take out the rows that may score ``enough``, no more than so many of the most hopeful."""
        places = np.flatnonzero(self._rough >= enough)
        if most is not None and len(places) > most:
            places = places[_largest(self._rough.take(places), most)]
        self._rough[places] = np.nan
        self._left -= len(places)
        rows = self._spans.rows(places)
        return _without(rows[self._allowed(rows)], self._scorer.extra_rows)


class _Scored:
    """Songs that were scored and not yet passed on."""

    def __init__(self, scorer: Scorer):
        self._scorer = scorer
        self._rows, self._scores = np.empty(0, np.int64), np.empty(0)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: np.ndarray) -> None:
        """Score more rows."""
        if not len(rows):
            return
        self._rows = np.concatenate([self._rows, rows])
        self._scores = np.concatenate([self._scores, self._scorer.score(rows)])

    def last_of(self, wanted: int) -> float:
        """The score of the last of so many of the best, -inf where they are fewer."""
        if len(self._scores) < wanted:
            return -np.inf
        return float(np.partition(self._scores, len(self._scores) - wanted)[len(self._scores) - wanted])

    def take(self, enough: float) -> Iterator[tuple[int, float]]:
        """Take out the songs that score ``enough``, by falling score."""
        final = self._scores >= enough
        rows, scores = self._rows[final], self._scores[final]
        self._rows, self._scores = self._rows[~final], self._scores[~final]
        order = np.lexsort((rows, -scores))
        return zip(rows[order].tolist(), scores[order].tolist())


def _largest(values: np.ndarray, most: int) -> np.ndarray:
    """Places of the largest values, rising; of equal ones the first, on which processors' partitions differ."""
    least = np.partition(values, len(values) - most)[len(values) - most]
    equal = np.flatnonzero(values == least)
    larger = np.flatnonzero(values > least)
    return np.sort(np.concatenate([larger, equal[: most - len(larger)]]))


def _without(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    return rows[~np.isin(rows, others)] if len(others) else rows
