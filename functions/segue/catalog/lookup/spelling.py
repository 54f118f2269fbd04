"""Songs that a text spells exactly, as a title or as title and artist in either order, and which of them is meant.

Spellings that people type in one way share a key ("R.I.P.", "The Rip" and "Rip"), so that of several names with a key
that is meant which is written as the text is.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import (
    artist_names,
    artists_by_name,
    popularity,
    popularity_with_artist,
    songs_by_title,
)
from segue.catalog.normalization import (
    KEY_LEVELS,
    match_level,
    query_words,
    search_key,
    sign_title_splits,
    title_artist_splits,
    without_version,
    written_key,
)

MAX_SAME_TITLE = 5_000  # songs of one title; bounds the work where a catalogue has very many
MAX_COMPARED = 200  # songs of one title whose writing is compared with the text


class SpelledSong(NamedTuple):
    """A song that a text spells, and the row of the artist whom it names; None if it names none."""

    row: int
    artist: int | None


class WrittenText:
    """How a text is written, to tell which of several names with its key is written so."""

    def __init__(self, text: str):
        self._verbatim, self._key = " ".join(text.casefold().split()), written_key(text)
        self._is_plain = self._key == self._verbatim.replace(" ", "")

    def level(self, name: str, artists: Sequence[str]) -> int:
        """0: the name is written so; 1: but for punctuation, which people leave out; 2: symbols or words differ.

        artists : whom the text names beside the title, if any
        """
        forms = (name, without_version(name))
        if (
            not artists
            and not self._is_plain
            and self._verbatim in (" ".join(form.casefold().split()) for form in forms)
        ):
            return 0
        return 1 if any(self.is_whole(form, artists) for form in forms) else 2

    def is_whole(self, name: str, artists: Sequence[str]) -> bool:
        """Whether the text is the whole name, its version included."""
        key = written_key(name)
        if not artists:
            return self._key == key
        singers = [written_key(artist) for artist in artists]
        return any(self._key in (key + singer, singer + key, f"{key}by{singer}") for singer in singers)


def writing_level(catalog: Catalog, written: WrittenText, song: SpelledSong) -> int:
    """How a text is written as a song that it spells, see :meth:`WrittenText.level`."""
    return written.level(catalog.texts("names")[song.row], _named_artists(catalog, song))


def exact_songs(catalog: Catalog, text: str, words: Sequence[str]) -> list[SpelledSong]:
    """All songs that a text spells exactly.

    Those that are written so come first, then the best known; of one work that whose whole name the text is.

    words : of the text, as typed
    """
    pairs = [*title_artist_splits(words), *sign_title_splits(text)]
    titles, artists = (
        songs_by_title(catalog, [title for title, _ in pairs]),
        artists_by_name(catalog, [name for _, name in pairs]),
    )
    found: dict[int, SpelledSong] = {}
    for (_, name), songs, performers in zip(pairs, titles, artists):
        if not name:
            found |= {row: SpelledSong(row, None) for row in songs[:MAX_SAME_TITLE].tolist()}
        elif len(songs) and len(performers):
            found |= {row: SpelledSong(row, artist) for row, artist in songs_by_artists(catalog, songs, performers)}
    if not found:
        return []
    ranked, written = _best_known_first(catalog, list(found.values())), WrittenText(text)
    head = sorted(ranked[:MAX_COMPARED], key=lambda song: writing_level(catalog, written, song))
    return [*_whole_name_first(catalog, written, head), *ranked[MAX_COMPARED:]]


def exact_songs_by(catalog: Catalog, text: str, artist: str) -> list[SpelledSong]:
    """Songs of exactly this title by exactly this artist; the text may name the artist as well.

    The artist's own songs come before those that feature the artist, then closer spellings (``KEY_LEVELS``) of the
    title and of the artist, then the more popular songs.
    """
    (artists,) = artists_by_name(catalog, [search_key(artist)])
    (songs,) = songs_by_title(catalog, [search_key(text)])
    found = dict(songs_by_artists(catalog, songs, artists))
    if not found:
        return [song for song in exact_songs(catalog, text, query_words(text)) if song.artist in artists]
    rows = np.array(list(found), np.int64)
    known = dict(zip(rows.tolist(), popularity(catalog, rows).tolist()))
    title_keys, artist_keys = ([key(name) for key in KEY_LEVELS] for name in (text, artist))

    def order(row: int) -> tuple[bool, int, int, float, int]:
        levels = [match_level(artist_keys, name) for name in artist_names(catalog, row)]
        is_featured = levels[0] > min(levels)
        return is_featured, match_level(title_keys, catalog.texts("names")[row]), min(levels), -known[row], row

    return [SpelledSong(row, found[row]) for row in sorted(found, key=order)]


def _best_known_first(catalog: Catalog, songs: Sequence[SpelledSong]) -> list[SpelledSong]:
    rows = np.array([song.row for song in songs], np.int64)
    order = np.lexsort((rows, -popularity(catalog, rows), -popularity_with_artist(catalog, rows)))
    return [songs[index] for index in order.tolist()]


def _whole_name_first(catalog: Catalog, written: WrittenText, songs: list[SpelledSong]) -> list[SpelledSong]:
    """The songs, that version of the first one's work first whose whole name the text is, if there is one."""
    if len(songs) < 2:
        return songs
    names, works = catalog.texts("names"), catalog.reader("works")
    work = int(works.take(songs[0].row))

    def is_whole(song: SpelledSong) -> bool:
        is_version = int(works.take(song.row)) == work
        return is_version and written.is_whole(names[song.row], _named_artists(catalog, song))

    whole = next((song for song in songs if is_whole(song)), songs[0])
    return [whole, *(song for song in songs if song is not whole)]


def _named_artists(catalog: Catalog, song: SpelledSong) -> list[str]:
    return [] if song.artist is None else [catalog.texts("artists")[song.artist]]


def songs_by_artists(catalog: Catalog, songs: np.ndarray, artists: np.ndarray) -> Iterator[tuple[int, int]]:
    """The songs that any of the artists is credited in, each with that artist; once for each such artist."""
    performers, counts = catalog.lists("song", "artists").gather(songs)
    owners = np.repeat(songs, counts)
    for artist in artists.tolist():
        for row in owners[performers == artist].tolist():
            yield row, artist
