"""All songs that may be recommended, best first, without looking at all of them.

Cells are visited in the order of the highest score that one of their songs is likely to have. A song is passed on
once no cell still to be visited is likely to hold a better one, so the search widens by itself where songs are
filtered out or more are wanted, down to the last song of the catalogue.
"""

from collections.abc import Iterator

import numpy as np

from segue.catalog import Catalog
from segue.filtering import Allowed
from segue.scoring import LARGEST_BATCH, Scorer

FIRST_BATCH = 1_500  # songs scored before the first is passed on
WANTED = 20  # songs made ready at first, whatever the limit: a longer list begins as a shorter one does


def ranked(catalog: Catalog, scorer: Scorer, allowed: Allowed) -> Iterator[tuple[int, float]]:
    """Yield (row, score) of allowed songs by falling score (one in thousands may come late); equal scores by row."""
    bounds = scorer.bounds()
    order = np.argsort(-bounds, kind="stable")
    bounds, offsets = np.append(bounds[order], -np.inf), catalog.array("cell_offsets").astype(np.int64)
    sizes = np.cumsum(offsets[order + 1] - offsets[order])
    rows = scorer.extra_rows[allowed(scorer.extra_rows)]
    scores = scorer.score(rows)
    seen, batch, largest, wanted = 0, FIRST_BATCH, LARGEST_BATCH // scorer.size, WANTED
    while seen < len(order):
        until = _until(sizes, seen, min(batch, largest), bounds, _best(scores, wanted))
        fresh = _without(_rows(order[seen:until], offsets), scorer.extra_rows)
        fresh = fresh[allowed(fresh)]
        rows, scores = np.concatenate([rows, fresh]), np.concatenate([scores, scorer.score(fresh)])
        final = scores > bounds[until]
        yield from _sorted(rows[final], scores[final])
        wanted -= int(final.sum())
        rows, scores = rows[~final], scores[~final]
        seen, batch = until, 2 * batch


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
