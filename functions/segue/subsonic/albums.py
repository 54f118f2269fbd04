"""All albums of a catalogue, to be listed and searched by words of their names."""

import numpy as np

from segue.catalog import Catalog
from segue.catalog.lookup.holding import Names
from segue.catalog.lookup.rows import popularity
from segue.catalog.names import bare


class Albums:
    """Albums by name and first artist.

    songs : shape (n_albums,), rows: the best-known song of each album, those of the best-known albums first
    """

    def __init__(self, catalog: Catalog):
        rows, titles, names = _titled(catalog)
        best = np.lexsort((rows, -popularity(catalog, rows)))
        firsts = catalog.array("by_artists")[catalog.array("by_offsets")[rows]].astype(np.int64)
        _, places = np.unique((firsts * len(names) + titles)[best], return_index=True)
        kept = best[np.sort(places)]
        self.songs = rows[kept]
        self._titles = titles[kept]
        self._names = Names(names)

    def holding(self, words: str) -> np.ndarray:
        """Songs, as above, of albums whose names hold bare words, the last one maybe cut short; called so first."""
        titles = self._names.holding(words)
        found = np.flatnonzero(np.isin(self._titles, titles))
        others = np.array([self._names.all[title] != words for title in self._titles[found].tolist()], bool)
        return self.songs[found[np.argsort(others, kind="stable")]]


def albums(catalog: Catalog) -> Albums:
    """Those of a catalogue, kept: it takes as long as to read a name a song."""
    return catalog.derived(Albums, lambda: Albums(catalog))


def _titled(catalog: Catalog) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Songs that have an artist and an album, the number of its name, and the names, bare."""
    offsets, texts = catalog.array("by_offsets"), catalog.texts("albums")
    rows = np.flatnonzero(offsets[1:] > offsets[:-1])
    titles = [texts[row] for row in rows.tolist()]
    names: dict[str, int] = {"": 0}
    numbers = {title: names.setdefault(bare(title) if title else "", len(names)) for title in dict.fromkeys(titles)}
    numbered = np.array([numbers[title] for title in titles], np.int64)
    return rows[numbered > 0], numbered[numbered > 0], list(names)
