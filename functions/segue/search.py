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

FIRST_BATCH = 1_000  # songs scored before the first is passed on


def ranked(catalog: Catalog, scorer: Scorer, allowed: Allowed) -> Iterator[tuple[int, float]]:
    """Yield (row, score) of allowed songs by falling score (one in thousands may come late); equal scores by row."""
    bounds = scorer.bounds()
    order = np.argsort(-bounds, kind="stable")
    offsets = catalog.array("cell_offsets").astype(np.int64)
    rows = scorer.extra_rows[allowed(scorer.extra_rows)]
    scores = scorer.score(rows)
    for batch, ceiling in _batches(order, bounds, offsets, LARGEST_BATCH // len(scorer)):
        fresh = _without(_rows(batch, offsets), scorer.extra_rows)
        fresh = fresh[allowed(fresh)]
        rows = np.concatenate([rows, fresh])
        scores = np.concatenate([scores, scorer.score(fresh)])
        final = scores > ceiling
        yield from _sorted(rows[final], scores[final])
        rows, scores = rows[~final], scores[~final]


def _without(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    return rows[~np.isin(rows, others)] if len(others) else rows


def _batches(
    order: np.ndarray, bounds: np.ndarray, offsets: np.ndarray, largest: int
) -> Iterator[tuple[np.ndarray, float]]:
    """Runs of cells, each about twice as many songs as the last, and the best score after the run."""
    sizes = np.cumsum(offsets[order + 1] - offsets[order])
    start, songs, wanted = 0, 0, min(FIRST_BATCH, largest)
    while start < len(order):
        stop = max(start + 1, int(np.searchsorted(sizes, songs + wanted, side="right")))
        yield order[start:stop], float(bounds[order[stop]]) if stop < len(order) else -np.inf
        start, songs, wanted = stop, int(sizes[stop - 1]), min(2 * wanted, largest)


def _rows(cells: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    return np.concatenate([np.arange(offsets[cell], offsets[cell + 1]) for cell in np.sort(cells)])


def _sorted(rows: np.ndarray, scores: np.ndarray) -> Iterator[tuple[int, float]]:
    for place in np.lexsort((rows, -scores)):
        yield int(rows[place]), float(scores[place])
