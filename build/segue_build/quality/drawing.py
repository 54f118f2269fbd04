"""Songs to judge by, drawn from those that may be recommended: the same ones whatever the clustering."""

from collections.abc import Iterator

import numpy as np

from segue.catalog import Catalog

AT_ONCE = 1_000_000  # songs


class Usable:
    """The songs that may be recommended, in the order of the source; a byte of each row of the source is held."""

    def __init__(self, catalog: Catalog):
        self._sources = catalog.array("source_rows")
        recommendable = catalog.array("recommendable")
        self._usable = np.zeros(int(self._sources.max()) + 1, bool)  # rows that were merged have numbers, too
        for run in _runs(len(catalog)):
            self._usable[self._sources[run]] = recommendable[run]
        self._sums = np.cumsum([0, *(np.count_nonzero(self._usable[run]) for run in _runs(len(self._usable)))])

    def __len__(self) -> int:
        return int(self._sums[-1])

    def row(self, place: int) -> int:
        """The row in the catalogue of the song that has so many before it."""
        run = int(self._sums.searchsorted(place, side="right")) - 1
        places = np.flatnonzero(self._usable[run * AT_ONCE : (run + 1) * AT_ONCE])
        source = run * AT_ONCE + places[place - self._sums[run]]
        return int(np.argmax(self._sources == source))


def _runs(size: int) -> Iterator[slice]:
    return (slice(start, start + AT_ONCE) for start in range(0, size, AT_ONCE))
