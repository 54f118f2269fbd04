"""Songs to judge by, drawn from those that may be recommended: the same ones whatever the clustering."""

import numpy as np

from segue.catalog import Catalog

AT_ONCE = 1_000_000  # songs


class Usable:
    """The songs that may be recommended, in the order of the source; a byte of each song of the catalogue is held."""

    def __init__(self, catalog: Catalog):
        self._sources = catalog.array("source_rows")
        recommendable = catalog.array("recommendable")
        self._usable = np.zeros(len(catalog), bool)
        runs = [slice(start, start + AT_ONCE) for start in range(0, len(catalog), AT_ONCE)]
        for run in runs:
            self._usable[self._sources[run]] = recommendable[run]
        self._sums = np.cumsum([0, *(np.count_nonzero(self._usable[run]) for run in runs)])

    def __len__(self) -> int:
        return int(self._sums[-1])

    def row(self, place: int) -> int:
        """The row in the catalogue of the song that has so many before it."""
        run = int(self._sums.searchsorted(place, side="right")) - 1
        places = np.flatnonzero(self._usable[run * AT_ONCE : (run + 1) * AT_ONCE])
        source = run * AT_ONCE + places[place - self._sums[run]]
        return int(np.argmax(self._sources == source))
