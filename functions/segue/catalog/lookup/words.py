"""Names that contain words: all artists and all albums of such names, for searches by field and for lists.

A name matches or it does not; :func:`segue.catalog.lookup.resolver.search` finds the most likely few and forgives
typos. Words are normalized; the last one may be a prefix. What is computed for this is kept with the version.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import popularity
from segue.catalog.normalization import normalized


def contains_words(name: str, words: str) -> bool:
    """Whether a name contains words; both are normalized."""
    return f" {words}" in f" {name}"


class ArtistIndex:
    """All artists of a catalogue, searchable by words of their names.

    names : of each artist, normalized
    """

    def __init__(self, catalog: Catalog):
        texts = catalog.texts("artists")
        self.names = [normalized(texts[row]) for row in range(len(texts))]
        self._joined_names = "".join(f"\n {name}" for name in self.names)
        self._name_offsets = np.cumsum([0, *(len(name) + 2 for name in self.names)])[:-1]
        sizes: np.ndarray = np.diff(catalog.array("artist_offsets").astype(np.int64))
        self._song_artists = np.repeat(np.arange(len(texts)), sizes)
        self._songs = catalog.array("artist_songs")
        self._popularity = np.zeros(len(texts), np.float32)
        np.maximum.at(
            self._popularity, self._song_artists, np.nan_to_num(catalog.attribute("popularity"))[self._songs]
        )

    def containing(self, words: str) -> np.ndarray:
        """Artists whose names contain words, the most popular first."""
        positions = [match.start() for match in re.finditer(re.escape(f" {words}"), self._joined_names)]
        rows = np.unique(np.searchsorted(self._name_offsets, positions, side="right") - 1)
        return rows[np.lexsort((rows, -self._popularity[rows]))]

    def songs_of(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The songs of some artists; rows of the catalogue."""
        chosen = np.zeros(len(self.names), bool)
        chosen[rows] = True
        return self._songs[chosen[self._song_artists]]

    def having_any(self, songs: np.ndarray) -> np.ndarray:
        """Whether each artist has any of the songs; bool, shape (n_artists,).

        songs : bool, shape (n_songs,)
        """
        having = np.zeros(len(self.names), bool)
        having[self._song_artists[songs[self._songs]]] = True
        return having


def artist_index(catalog: Catalog) -> ArtistIndex:
    """The index of a catalogue's artists."""
    return catalog.cached(ArtistIndex, lambda: ArtistIndex(catalog))


def songs_on_albums(catalog: Catalog, words: str) -> np.ndarray:
    """Songs on albums whose names contain words; bool, shape (n_songs,)."""
    from pyarrow import compute

    names = _normalized_albums(catalog)
    hits = compute.or_(compute.starts_with(names, words), compute.match_substring(names, f" {words}"))
    found: np.ndarray = hits.to_numpy(zero_copy_only=False)[catalog.array("song_albums")]
    return found


def _normalized_albums(catalog: Catalog) -> Any:
    """The different names of albums without case, accents and punctuation, as an Arrow array.

    There may be so many that pyarrow, which the first search for albums imports, has to normalize all at once.
    """
    import pyarrow as pa
    from pyarrow import compute

    def normalize() -> Any:
        offsets, heap = catalog.array("albums_offsets").astype(np.int64), catalog.array("albums_heap")
        names = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(heap))
        lower = compute.utf8_lower(compute.utf8_normalize(names, "NFKD"))
        marked = r"([\p{Latin}\p{Greek}\p{Cyrillic}])\pM+"
        folded = compute.utf8_trim_whitespace(compute.replace_substring_regex(lower, marked, r"\1"))
        words = compute.utf8_trim_whitespace(compute.replace_substring_regex(folded, r"[^\pL\pN\pM_]+", " "))
        return compute.if_else(compute.equal(words, ""), folded, words)  # of signs alone, as in ``normalized``

    return catalog.cached(_normalized_albums, normalize)


def all_albums(catalog: Catalog) -> np.ndarray:
    """Rows of songs, one for each album of a first artist, the most popular albums first."""
    return catalog.cached(all_albums, lambda: _representative_songs(catalog))


def albums_containing(catalog: Catalog, words: str) -> np.ndarray:
    """Those of :func:`all_albums` whose names contain words, exact names first."""
    songs, names = all_albums(catalog), catalog.texts("albums")
    found = songs[songs_on_albums(catalog, words)[songs]]
    inexact = np.array([normalized(names[row]) != words for row in found.tolist()], bool)
    return found[np.argsort(inexact, kind="stable")]


def _representative_songs(catalog: Catalog) -> np.ndarray:
    names, song_albums = _normalized_albums(catalog), catalog.array("song_albums")
    numbers = names.dictionary_encode().indices.to_numpy().astype(np.int64)  # equal for names that are spelt alike
    is_named = np.diff(catalog.array("albums_offsets").astype(np.int64)) > 0
    offsets = catalog.array("song_artists_offsets").astype(np.int64)
    rows = np.flatnonzero(is_named[song_albums] & (offsets[1:] > offsets[:-1]))
    by_popularity = rows[np.lexsort((rows, -popularity(catalog, rows)))]
    artists = catalog.take("song_artists", offsets[by_popularity]).astype(np.int64)
    albums = artists * len(numbers) + numbers[song_albums[by_popularity]]
    _, first_occurrences = np.unique(albums, return_index=True)
    return by_popularity[np.sort(first_occurrences)]
