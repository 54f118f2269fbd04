"""Titles and artists whose names begin with a text, found by bisection in their alphabetical order."""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from segue.catalog.lookup.rows import best_known, popularity
from segue.catalog.names import folded, typed
from segue.catalog.ragged import Texts
from segue.catalog.version import Catalog

_LAST = "\U0010ffff"


def alphabetical(name: str) -> str:
    """What names are sorted by."""
    return typed(name) or folded(name)


def titles(catalog: Catalog, text: str, most: int) -> np.ndarray:
    """The most popular songs whose titles begin with typed words, the last of which may be cut short."""
    rows = _between(catalog.array("title_order"), catalog.texts("names"), text)
    return _best(rows, most, lambda some: popularity(catalog, some))


def artists(catalog: Catalog, text: str, most: int) -> np.ndarray:
    """The same for artists by their names, those with the most popular songs."""
    rows = _between(catalog.array("artist_order"), catalog.texts("artists"), text)
    return _best(rows, most, lambda some: popularity(catalog, best_known(catalog, some)))


def _between(order: np.ndarray, names: Texts, text: str) -> np.ndarray:
    def key(row: int) -> str:
        return alphabetical(names[row])

    first = bisect_left(order, text, key=key)
    return order[first : bisect_left(order, text + _LAST, lo=first, key=key)]


def _best(rows: np.ndarray, most: int, fame: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    known = fame(rows)
    if len(rows) > most:
        likely = np.flatnonzero(known >= np.partition(known, -most)[-most])
        rows, known = rows[likely], known[likely]
    return rows[np.lexsort((rows, -known))[:most]]
