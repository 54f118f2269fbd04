"""All songs that may be recommended, best first, without looking at all of them.

Cells are visited in the order of the highest score that one of their songs is likely to have. A song is passed on
once no cell still to be visited is likely to hold a better one, so the search widens by itself where songs are
filtered out or more are wanted, down to the last song of the catalogue.
"""

from collections.abc import Iterator

import numpy as np

from segue.catalog import Catalog
from segue.filtering import Allowed
from segue.scoring import Scorer
from segue.sketch import SLACK

FIRST_BATCH = 1_500  # songs scored before the first is passed on
LARGEST_BATCH = 100_000  # songs looked at together: bounds the memory of one request
WANTED = 30  # songs made ready at first, whatever the limit: a longer list begins as a shorter one does


def ranked(catalog: Catalog, scorer: Scorer, allowed: Allowed) -> Iterator[tuple[int, float]]:
    """Yield (row, score) of allowed songs by falling score (one in thousands may come late); equal scores by row."""
    cells = _Cells(catalog, scorer.bounds())
    rows = scorer.extra_rows[allowed(scorer.extra_rows)]
    scores, aside, wanted = scorer.score(rows), _Aside(scorer), WANTED
    while cells.left or len(aside) or len(rows):
        enough = _best(scores, wanted) if cells.begun else -np.inf
        if cells.left and cells.bound >= enough:
            fresh = _without(cells.visit(enough), scorer.extra_rows)
            aside.add(fresh[allowed(fresh)])
        hopeful = aside.take(enough)
        rows, scores = np.concatenate([rows, hopeful]), np.concatenate([scores, scorer.score(hopeful)])
        final = (scores > cells.bound) & (scores >= (enough if len(aside) else -np.inf))
        yield from _sorted(rows[final], scores[final])
        wanted -= int(final.sum())
        wanted += WANTED if wanted <= 0 else 0
        rows, scores = rows[~final], scores[~final]


class _Cells:
    """The cells that are still to be visited, the most promising first."""

    def __init__(self, catalog: Catalog, bounds: np.ndarray):
        self._order = np.argsort(-bounds, kind="stable")
        self._bounds = np.append(bounds[self._order], -np.inf)
        self._offsets = catalog.array("cell_offsets").astype(np.int64)
        self._sizes = np.cumsum(self._offsets[self._order + 1] - self._offsets[self._order])
        self._seen, self._batch = 0, FIRST_BATCH

    @property
    def begun(self) -> bool:
        """Whether any was visited."""
        return self._seen > 0

    @property
    def left(self) -> bool:
        """Whether there are any."""
        return self._seen < len(self._order)

    @property
    def bound(self) -> float:
        """The highest score that is likely in any of them."""
        return float(self._bounds[self._seen])

    def visit(self, enough: float) -> np.ndarray:
        """Rows of the next cells: so many songs, but no cell without hope of ``enough``."""
        songs = int(self._sizes[self._seen - 1]) if self._seen else 0
        full = int(np.searchsorted(self._sizes, songs + self._batch, side="right"))
        hopeful = int(np.searchsorted(-self._bounds, -enough, side="right"))
        until = min(max(self._seen + 1, min(full, hopeful)), len(self._order))
        cells = np.sort(self._order[self._seen : until])
        starts, counts = self._offsets[cells], self._offsets[cells + 1] - self._offsets[cells]
        self._seen, self._batch = until, min(2 * self._batch, LARGEST_BATCH)
        return np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)


class _Aside:
    """Rows that were looked at and not scored, for to tell that they are hopeless is cheaper."""

    def __init__(self, scorer: Scorer):
        self._scorer = scorer
        self._rows, self._rough = np.empty(0, np.int64), np.empty(0)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rows: np.ndarray) -> None:
        """Look at more rows."""
        self._rows = np.concatenate([self._rows, rows])
        self._rough = np.concatenate([self._rough, self._scorer.rough(rows)])

    def take(self, enough: float) -> np.ndarray:
        """Take out the rows that may score ``enough``."""
        hopeful = self._rough >= enough - SLACK
        taken = self._rows[hopeful]
        self._rows, self._rough = self._rows[~hopeful], self._rough[~hopeful]
        return taken


def _best(scores: np.ndarray, wanted: int) -> float:
    """The score of the last of so many songs, -inf where they are fewer."""
    if not 0 < wanted <= len(scores):
        return -np.inf
    return float(np.partition(scores, len(scores) - wanted)[len(scores) - wanted])


def _without(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    return rows[~np.isin(rows, others)] if len(others) else rows


def _sorted(rows: np.ndarray, scores: np.ndarray) -> Iterator[tuple[int, float]]:
    for place in np.lexsort((rows, -scores)):
        yield int(rows[place]), float(scores[place])
