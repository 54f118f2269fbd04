"""All albums of a catalogue, each represented by its best-known song: a list, and a search in their names."""

import numpy as np

from segue.catalog import Catalog, records
from segue.catalog.lookup.rows import popularity
from segue.catalog.names import bare


def albums(catalog: Catalog) -> np.ndarray:
    """Rows of songs, one for each album, best-known albums first; kept, since it takes long."""
    return catalog.derived(albums, lambda: _albums(catalog))


def holding(catalog: Catalog, words: str) -> np.ndarray:
    """The rows of albums whose names contain bare words, the last one maybe cut short; exact names come first."""
    songs, names = albums(catalog), catalog.texts("albums")
    found = songs[records.holding(catalog, "album", words)[songs]]
    longer = np.array([bare(names[row]) != words for row in found.tolist()], bool)
    return found[np.argsort(longer, kind="stable")]


def _albums(catalog: Catalog) -> np.ndarray:
    names, offsets = records.numbered(catalog, "album"), catalog.array("by_offsets").astype(np.int64)
    rows = np.flatnonzero((names >= 0) & (offsets[1:] > offsets[:-1]))
    best = rows[np.lexsort((rows, -popularity(catalog, rows)))]
    artists = catalog.array("by_artists")[offsets[best]].astype(np.int64)
    _, places = np.unique(artists * (names.max() + 1) + names[best], return_index=True)
    return best[np.sort(places)]
