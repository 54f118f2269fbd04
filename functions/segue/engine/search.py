"""The songs that score best, best first, without looking at all of them.

Cells are visited in the order of what their centroids score, until a budget of songs is spent. All of these are
looked at by their sketches, the most promising are scored, and the best of those are passed on. Where more are taken,
the search goes on with twice the budget, down to the last song. A filter makes a smaller catalogue of its own: only
songs that pass it are looked at and counted, and where they are within the budget, all are scored; with several seeds
that is where they are so few that scoring them takes no longer than looking at the budget.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from segue.catalog import Catalog
from segue.engine.filtering import Allowed
from segue.engine.scoring import DIGITS, Scorer

WANTED = 100  # songs that are passed on first, whatever the limit: a longer list begins as a shorter one does
SCORED_AT_ONCE = 65_536  # songs of a whole catalogue
LOOKED_AT_ONCE = 8_192  # songs: what is computed of them stays in the processor's cache
FIRST = 1_000  # of all songs that are put in order before the others: few lists need more
MORE = 16  # times as many are put in order each time that more are taken
LOWEST = float(np.finfo(np.float32).min)  # below every rough score
KEPT = 4 * 1024 * 1024  # bytes, more than any array of a search that stays within a budget


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search costs before it is known whether it must go on; chosen for a catalogue when it is built.

    looked : songs, about, that are looked at
    scored : the most promising of them, which are scored
    """

    looked: int
    scored: int


class Found(NamedTuple):
    """Songs and their scores.

    rows, scores : int64 and float64, shape (n_found,)
    """

    rows: np.ndarray
    scores: np.ndarray

    def where(self, chosen: np.ndarray) -> "Found":
        """Those for which ``chosen`` is true, or whose places it holds."""
        return Found(self.rows[chosen], self.scores[chosen])

    def in_order(self) -> "Found":
        """The same by falling score; equal scores by row."""
        return self.where(np.lexsort((self.rows, -self.scores)))


_NOTHING = Found(np.empty(0, np.int64), np.empty(0))


def keep_memory() -> None:
    """Let the memory that a search frees wait for the next one.

    glibc gives the end of its heap back to the kernel once it is larger than twice the largest block that it mapped
    apart and freed (mallopt(3), M_TRIM_THRESHOLD). To be given these pages anew, request by request, costs a third of
    a search among a million songs. Nothing of the block here is touched.
    """
    np.empty(KEPT, np.uint8)


def budget_of(catalog: Catalog, scorer: Scorer) -> Budget:
    """The budget that was chosen for queries of this kind."""
    entry: dict[str, Any] = catalog.manifest["search"][scorer.kind]
    return Budget(entry["looked"], entry["scored"])


def ranked(catalog: Catalog, scorer: Scorer, allowed: Allowed, budget: Budget) -> Iterator[Found]:
    """Yield all songs that are allowed, some at a time, by falling score; equal scores by row.

    A song that was overlooked when songs of lower scores were passed on comes after all others.
    """
    cells = _Cells(catalog, allowed)
    if cells.songs <= max(budget.looked // len(scorer), budget.scored):
        yield from every(scorer, allowed)
        return
    cells.put_in_order(scorer)
    looked, scored = _Looked(scorer, allowed, cells), _Scored(scorer)
    scored.add(scorer.extra_rows[allowed(scorer.extra_rows)])
    size, most, wanted = budget.looked, budget.scored, WANTED
    while cells.left or looked.left:
        places = cells.visit(size)
        if catalog.far:
            catalog.near(cells.rows(places), "sketches")
        looked.add(places)
        scored.add(looked.take(most if cells.left else looked.left))
        yield scored.take(wanted)
        size, most, wanted = 2 * size, 2 * most, 2 * wanted
    yield from scored.rest()


def every(scorer: Scorer, allowed: Allowed) -> Iterator[Found]:
    """Yield the same in the exact order, for which all songs are scored.

    Only those that are passed on next are held, however large the catalogue; where more are taken, all are scored
    again.
    """
    left, most, last = allowed.count(), FIRST, np.inf
    while left > 0:
        best = _NOTHING
        for rows in allowed.runs(SCORED_AT_ONCE):
            found = Found(rows, scorer.score(rows))
            best = _joined(best, found.where(found.scores < last))
            best = best.where(best.scores >= _least(best.scores, most))
        yield best.in_order()
        left, most, last = left - len(best.rows), MORE * most, best.scores.min()


class _Cells:
    """The cells in the order in which they are visited. A song's *place* is how many songs are visited before it.

    songs : that pass the filters, in all cells
    left : of them, in cells that were not yet visited
    """

    def __init__(self, catalog: Catalog, allowed: Allowed):
        offsets = catalog.derived("cell offsets", lambda: catalog.array("cell_offsets").astype(np.int64))
        self._passing = allowed.passing
        self._offsets = offsets if self._passing is None else self._passing.searchsorted(offsets)
        self.songs = self.left = int(self._offsets[-1])
        self._visited = 0  # cells

    def put_in_order(self, scorer: Scorer) -> None:
        """Before the first visit: the best cells are those whose centroids score best."""
        scores = scorer.of_cells()
        numbers = np.rint(scores * -(10**DIGITS)).astype(np.int64) * len(scores) + np.arange(len(scores))
        numbers.sort()  # no two are equal, so that any way of sorting gives the same
        order = numbers % len(scores)
        stops = self._offsets.take(order + 1)
        self._sums = np.cumsum(stops - self._offsets.take(order))  # of songs, up to and with each cell
        self._shifts = stops - self._sums  # from a song's place to its row, or to its number among those that pass

    def visit(self, size: int) -> range:
        """Places in the best cells, of so many songs together or a few more."""
        first = self.songs - self.left
        self._visited = min(int(self._sums.searchsorted(first + size)) + 1, len(self._sums))
        self.left = self.songs - int(self._sums[self._visited - 1])
        return range(first, self.songs - self.left)

    def rows(self, places: np.ndarray | range) -> np.ndarray:
        """Rows at rising places in cells that were visited."""
        rising = np.arange(places.start, places.stop) if isinstance(places, range) else places
        ends = rising.searchsorted(self._sums[: self._visited])
        counts = ends.copy()  # np.diff would take as long as all else here
        counts[1:] -= ends[:-1]
        numbers = np.repeat(self._shifts[: self._visited], counts)
        numbers += rising
        return numbers if self._passing is None else self._passing.take(numbers)


class _Looked:
    """Songs that were looked at by their sketches, by place.

    left : of them that were not scored
    """

    def __init__(self, scorer: Scorer, allowed: Allowed, cells: _Cells):
        self._scorer, self._allowed, self._cells = scorer, allowed, cells
        self._rough = np.empty(0, np.float32)
        self.left = 0

    def add(self, places: range) -> None:
        """Look at more songs, those that follow."""
        runs = (places[start : start + LOOKED_AT_ONCE] for start in range(0, len(places), LOOKED_AT_ONCE))
        rough = [self._scorer.rough(self._cells.rows(run)) for run in runs]
        self._rough = np.concatenate([self._rough, *rough])
        self.left += len(places)

    def take(self, count: int) -> np.ndarray:
        """Take out the rows of the most promising, but for those that are refused or were candidates anyway."""
        places = np.flatnonzero(self._rough >= max(_least(self._rough, count), LOWEST))
        self._rough[places] = -np.inf
        self.left -= len(places)
        rows = self._cells.rows(places)
        return _without(rows[self._allowed(rows)], self._scorer.extra_rows)


class _Scored:
    """Songs that were scored and not yet passed on."""

    def __init__(self, scorer: Scorer):
        self._scorer = scorer
        self._ready = self._late = _NOTHING
        self._last = np.inf  # score of the last song that was passed on

    def add(self, rows: np.ndarray) -> None:
        """Score more songs."""
        if not len(rows):
            return
        found = Found(rows, self._scorer.score(rows))
        in_time = found.scores < self._last
        self._ready = _joined(self._ready, found.where(in_time))
        self._late = _joined(self._late, found.where(~in_time))

    def take(self, wanted: int) -> Found:
        """Take out so many of the best, and what ties with the last of them."""
        chosen = self._ready.scores >= _least(self._ready.scores, wanted)
        taken = self._ready.where(chosen).in_order()
        self._ready = self._ready.where(~chosen)
        self._last = min(self._last, taken.scores.min(initial=np.inf))
        return taken

    def rest(self) -> Iterator[Found]:
        """All others, those last that were overlooked."""
        yield self._ready.in_order()
        yield self._late.in_order()


def _joined(one: Found, other: Found) -> Found:
    return Found(np.concatenate([one.rows, other.rows]), np.concatenate([one.scores, other.scores]))


def _least(values: np.ndarray, count: int) -> float:
    """The last of the ``count`` largest; below all where there are no more."""
    if len(values) <= count:
        return -np.inf
    return float(np.partition(values, len(values) - count)[len(values) - count])


def _without(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    return rows[~np.isin(rows, others)] if len(others) else rows
