"""The names of all artists, ready to be searched: there are far fewer than songs."""

import functools
import re
from collections.abc import Sequence

import numpy as np

from segue.catalog import Catalog
from segue.catalog.names import bare


class Performers:
    """Artists of a catalogue by words of their names.

    names : of each artist, bare
    """

    def __init__(self, catalog: Catalog):
        texts, songs = catalog.texts("artists"), catalog.lists("artist", "songs")
        self.names = [bare(texts[row]) for row in range(len(texts))]
        self._lines = "".join(f"\n {name}" for name in self.names)
        self._starts = np.cumsum([0, *(len(name) + 2 for name in self.names)])[:-1]
        sizes: np.ndarray = np.diff(songs.offsets.astype(np.int64))
        self._owners = np.repeat(np.arange(len(texts)), sizes)
        self._songs = songs.values
        self._popularity = np.zeros(len(texts), np.float32)
        np.maximum.at(self._popularity, self._owners, np.nan_to_num(catalog.attribute("popularity"))[self._songs])

    def holding(self, words: str) -> np.ndarray:
        """Artists whose names hold bare words, the last one maybe cut short.

        Who are called so come first, then the best known.
        """
        places = [found.start() for found in re.finditer(re.escape(f" {words}"), self._lines)]
        rows = np.unique(np.searchsorted(self._starts, places, side="right") - 1)
        others = np.array([self.names[row] != words for row in rows.tolist()], bool)
        return rows[np.lexsort((rows, -self._popularity[rows], others))]

    def called(self, name: str) -> list[int]:
        """Artists of exactly a bare name."""
        return [row for row in self.holding(name).tolist() if self.names[row] == name]

    def songs_of(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The songs of some artists; rows of the catalogue."""
        wanted = np.zeros(len(self.names), bool)
        wanted[rows] = True
        return self._songs[wanted[self._owners]]

    def of(self, songs: np.ndarray) -> np.ndarray:
        """Whether each artist has any of the songs; bool, shape (n_artists,).

        songs : bool, shape (n_songs,)
        """
        having = np.zeros(len(self.names), bool)
        having[self._owners[songs[self._songs]]] = True
        return having


@functools.lru_cache(maxsize=1)
def performers(catalog: Catalog) -> Performers:
    """Those of a catalogue, kept."""
    return Performers(catalog)
