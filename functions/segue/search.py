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
_NONE = np.empty(0, np.int64)


def ranked(catalog: Catalog, scorer: Scorer, allowed: Allowed) -> Iterator[tuple[int, float]]:
    """Yield (row, score) of allowed songs by falling score (one in thousands may come late); equal scores by row."""
    bounds = scorer.bounds()
    order = np.argsort(-bounds, kind="stable")
    bounds, offsets = np.append(bounds[order], -np.inf), catalog.array("cell_offsets").astype(np.int64)
    sizes = np.cumsum(offsets[order + 1] - offsets[order])
    rows = scorer.extra_rows[allowed(scorer.extra_rows)]
    scores, aside, hidden = scorer.score(rows), _NONE, -np.inf
    seen, batch, wanted = 0, FIRST_BATCH, WANTED
    while seen < len(order) or len(aside):
        enough = _best(scores, wanted)
        if seen < len(order) and (wanted > 0 or not len(aside)):
            until = _until(sizes, seen, batch, bounds, enough)
            fresh = _without(_rows(order[seen:until], offsets), scorer.extra_rows)
            fresh, hopeless = _parted(scorer, fresh[allowed(fresh)], enough)
            aside, hidden = np.concatenate([aside, hopeless]), max(hidden, enough) if len(hopeless) else hidden
            seen, batch = until, min(2 * batch, LARGEST_BATCH)
        else:
            fresh, aside, hidden = aside, _NONE, -np.inf
        rows, scores = np.concatenate([rows, fresh]), np.concatenate([scores, scorer.score(fresh)])
        final = scores > max(bounds[seen], hidden)
        yield from _sorted(rows[final], scores[final])
        wanted -= int(final.sum())
        rows, scores = rows[~final], scores[~final]


def _parted(scorer: Scorer, rows: np.ndarray, enough: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows that may score ``enough``, and the others: to tell is cheaper than to score."""
    if enough == -np.inf:
        return rows, _NONE
    likely = scorer.rough(rows) >= enough - SLACK
    return rows[likely], rows[~likely]


def _until(sizes: np.ndarray, seen: int, batch: int, bounds: np.ndarray, enough: float) -> int:
    """The end of the next run of cells: so many songs, but after the first run no cell without hope of ``enough``."""
    songs = int(sizes[seen - 1]) if seen else 0
    full = int(np.searchsorted(sizes, songs + batch, side="right"))
    hopeful = int(np.searchsorted(-bounds, -enough)) if seen else full
    return max(seen + 1, min(full, hopeful))


def _best(scores: np.ndarray, wanted: int) -> float:
    """The score of the last of so many songs, -inf where they are fewer."""
    if not 0 < wanted <= len(scores):
        return -np.inf
    return float(np.partition(scores, len(scores) - wanted)[len(scores) - wanted])


def _rows(cells: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.concatenate([np.arange(offsets[cell], offsets[cell + 1]) for cell in np.sort(cells)])


def _without(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    return rows[~np.isin(rows, others)] if len(others) else rows


def _sorted(rows: np.ndarray, scores: np.ndarray) -> Iterator[tuple[int, float]]:
    for place in np.lexsort((rows, -scores)):
        yield int(rows[place]), float(scores[place])
