"""Exact look-up: songs, artists and albums by id, by name or by the beginning of one, and what belongs to a song.

Tables have ids of songs, but only names of artists and albums. Their ids are made from the names, in the form of
Spotify's ids: two digests of eleven base62 characters each. Artists are looked up by the first digest; the second
distinguishes artists who share the first, or an artist's albums. Ids are the same in every version of every table. By
ids that a table has for artists in another column they are found, too.
"""

import itertools
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import numpy as np

from segue.catalog.catalog import ArrayReader, Catalog, StringArray
from segue.catalog.normalization import (
    hash64,
    normalized,
    query_words,
    search_key,
    sign_title_splits,
    sort_key,
    title_artist_splits,
    title_key,
)
from segue.catalog.schema import TABLE_FILE
from segue.errors import ArtifactsError

ARTIST_SHARE = 0.75  # the least that a song counts as, of the popularity of its artist's best-known song
BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
HALF_LENGTH = 11  # characters that hold 64 bits: 62**11 > 2**64
ISRC_PREFIX = "isrc:"  # of an ISRC in place of a song's id
ISRC_BASE = 36  # of the number that an ISRC is, which 64 bits hold: 36**12 < 2**64
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")  # ISO 3901
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_MAX_CHARACTER = "\U0010ffff"


def song_by_id(catalog: Catalog, song: str) -> int | None:
    """The row of an id, or of ``isrc:`` and an ISRC."""
    ids = catalog.texts("ids")
    (rows,) = _rows_by_hash(catalog, "id_hashes", "id_songs", [hash64(song)])
    catalog.prefetch_rows(rows)
    found = next((row for row in rows.tolist() if ids[row] == song), None)
    is_isrc = found is None and song[: len(ISRC_PREFIX)].lower() == ISRC_PREFIX
    return next(iter(songs_by_isrc(catalog, song[len(ISRC_PREFIX) :])), None) if is_isrc else found


def songs_by_isrc(catalog: Catalog, isrc: str) -> list[int]:
    """The rows of an ISRC, with or without its hyphens, the most popular first."""
    plain = isrc.strip().upper().replace("-", "")
    if not (catalog.manifest.get("isrcs") and _ISRC.fullmatch(plain)):
        return []
    found: list[int] = _rows_by_hash(catalog, "isrc_numbers", "isrc_songs", [int(plain, ISRC_BASE)])[0].tolist()
    return found


def isrc_of(catalog: Catalog, row: int) -> str | None:
    """The ISRC of a song, without hyphens; None if it is not known."""
    number = int(catalog.take("isrc_of_song", row)) if catalog.manifest.get("isrcs") else 0
    return np.base_repr(number, ISRC_BASE) if number else None


def songs_by_ids(catalog: Catalog, songs: Sequence[str]) -> list[int | None]:
    """The row of each id, as :func:`song_by_id` finds it; None if no song has it."""
    column, hashes = catalog.reader("id_hashes"), np.array([hash64(song) for song in songs], np.uint64)
    positions = np.minimum(column.searchsorted(hashes), len(column) - 1)
    known = np.flatnonzero(column.take(positions) == hashes)
    candidates = catalog.take("id_songs", positions[known])
    catalog.prefetch_rows(candidates)
    found: list[int | None] = [
        song_by_id(catalog, song) if song[: len(ISRC_PREFIX)].lower() == ISRC_PREFIX else None for song in songs
    ]
    for position, row, text in zip(known.tolist(), candidates.tolist(), catalog.texts("ids").take(candidates)):
        found[position] = row if text == songs[position] else song_by_id(catalog, songs[position])
    return found


def songs_by_title(catalog: Catalog, titles: Sequence[str]) -> list[np.ndarray]:
    """The songs of each title, given as one of its ``title_variants``, the most popular first."""
    return _rows_by_hash(catalog, "title_hashes", "title_songs", [hash64(title) for title in titles])


def artists_by_name(catalog: Catalog, names: Sequence[str]) -> list[np.ndarray]:
    """The artists of each name, given as its ``search_key``."""
    return _rows_by_hash(catalog, "artist_hashes", "artist_rows", [hash64(artist_search_key(name)) for name in names])


def artist_search_key(name: str) -> str:
    """A name's key in the column of artists' digests, where it can't be mistaken for a title key."""
    return f"\x1f{name}"


def artist_id_key(identity: str) -> str:
    """The key of an id that the table has for an artist, in the same column."""
    return f"\x1e{identity}"


def artists_by_title_keys(catalog: Catalog, names: Sequence[str]) -> list[np.ndarray]:
    """Of each name, all artists whose names have the same title key."""
    return _rows_by_hash(catalog, "artist_hashes", "artist_rows", [hash64(title_key(name)) for name in names])


def artists_by_hash(catalog: Catalog, key: int) -> list[int]:
    """All artists whose names have a title key with this digest."""
    found: list[int] = _rows_by_hash(catalog, "artist_hashes", "artist_rows", [key])[0].tolist()
    return found


def artist_names(catalog: Catalog, row: int) -> list[str]:
    """A song's artists, the first artist first."""
    names = catalog.texts("artists")
    return [names[artist] for artist in catalog.lists("song", "artists")[row].tolist()]


def artist_names_by_song(catalog: Catalog, rows: np.ndarray) -> list[list[str]]:
    """The same for several songs."""
    by = catalog.lists("song", "artists").take(rows)
    names = iter(catalog.texts("artists").take(np.array(list(itertools.chain(*by)), np.int64)))
    return [list(itertools.islice(names, len(artists))) for artists in by]


def read_song(catalog: Catalog, row: int) -> dict[str, Any]:
    """Everything that is known about a song: column -> value, None where unknown; a row group is read for it."""
    from pyarrow import ArrowException  # few requests need it
    from pyarrow.parquet import ParquetFile

    firsts = np.asarray(catalog.manifest["row_groups"])
    group = int(np.searchsorted(firsts, row, side="right")) - 1
    try:
        with ParquetFile(catalog.path(TABLE_FILE), memory_map=True) as file:
            table = file.read_row_group(group, use_threads=False)
    except (ArrowException, OSError) as error:
        message = f"{TABLE_FILE} of version {catalog.version} can't be read ({type(error).__name__})"
        raise ArtifactsError(message) from error
    return dict(table.slice(row - int(firsts[group]), 1).to_pylist()[0])


def spotify_url(catalog: Catalog, identity: str) -> str | None:
    """Where Spotify plays a song, if its id is Spotify's."""
    known = _SPOTIFY_ID.fullmatch(identity) and not catalog.manifest["invented"]
    return f"https://open.spotify.com/track/{identity}" if known else None


def popularity(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """Popularity of songs, float32, 0 where it is not known."""
    values: np.ndarray = catalog.attribute("popularity", rows).astype(np.float32)
    values[np.isnan(values)] = 0
    return values


def most_popular_songs(catalog: Catalog, artists: np.ndarray) -> np.ndarray:
    """Each artist's best-known song, one as first artist if there is any."""
    return catalog.lists("artist", "songs").first_items(artists)


def popularity_with_artist(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """How well known songs are, float32, 0..100: at least ``ARTIST_SHARE`` of their artist's best song's popularity.

    Tables give reissues a low popularity, but people who type a title mean the song of the artist they know. Of 1,163
    titles shared by several artists, this ranks the song on most playlists first for 80 %, popularity alone for 77 %.
    """
    values = popularity(catalog, rows)
    song_artists = catalog.lists("song", "artists")
    with_artist = np.flatnonzero(song_artists.offsets.take(rows + 1) > song_artists.offsets.take(rows))
    best = most_popular_songs(catalog, song_artists.first_items(rows[with_artist]))
    values[with_artist] = np.maximum(values[with_artist], ARTIST_SHARE * popularity(catalog, best))
    return values


def prefetch(catalog: Catalog, ids: Sequence[str], named: Sequence[tuple[str | None, str | None]]) -> None:
    """Announce what will be looked up, so that a remote catalogue fetches it at once.

    ids : of songs
    named : titles, artists, or both
    """

    def keys() -> dict[str, list[int]]:
        pairs = [pair for title, artist in named for pair in _lookup_pairs(title, artist)]
        alone = [title.strip() for title, artist in named if title and artist is None]
        names = [artist for title, artist in named if artist and not title]
        return {
            "id_hashes": [hash64(text) for text in (*ids, *alone)],
            "title_hashes": [hash64(title) for title, _ in pairs if title],
            "artist_hashes": [
                *(hash64(artist_search_key(name)) for _, name in pairs),
                *(hash64(artist_search_key(search_key(title))) for title in alone),
                *(hash64(key(name)) for name in names for key in (title_key, artist_id_key)),
            ],
        }

    catalog.prefetch_keys(keys)


def _lookup_pairs(title: str | None, artist: str | None) -> list[tuple[str, str]]:
    """The keys of titles and artists by which a text, a title with an artist or a name are looked up."""
    if title and artist is None:
        return [*title_artist_splits(query_words(title)), *sign_title_splits(title)]
    return [(search_key(title) if title else "", search_key(artist) if artist else "")]


def _rows_by_hash(catalog: Catalog, hashes: str, rows: str, keys: Sequence[int]) -> list[np.ndarray]:
    """For each key, the entries of ``rows`` that belong to it in the sorted column ``hashes``."""
    column, entries, wanted = catalog.reader(hashes), catalog.reader(rows), np.array(keys, np.uint64)
    firsts, lasts = column.searchsorted(wanted).tolist(), column.searchsorted(wanted, side="right").tolist()
    return [entries[first:last] for first, last in zip(firsts, lasts)]


def titles_with_prefix(catalog: Catalog, text: str, limit: int) -> np.ndarray:
    """The most popular songs whose titles begin with typed words, the last of which may be incomplete."""
    rows = _with_prefix(catalog.reader("title_order"), catalog.texts("names"), text)
    return _most_popular(rows, limit, lambda some: popularity(catalog, some))


def artists_with_prefix(catalog: Catalog, text: str, limit: int) -> np.ndarray:
    """The artists with the most popular songs whose names begin with typed words."""
    rows = _with_prefix(catalog.reader("artist_order"), catalog.texts("artists"), text)
    return _most_popular(rows, limit, lambda some: popularity(catalog, most_popular_songs(catalog, some)))


def _with_prefix(order: ArrayReader, names: StringArray, text: str) -> np.ndarray:
    def key(position: int) -> str:
        return sort_key(names[int(order.take(position))])

    positions = range(len(order))
    first = bisect_left(positions, text, key=key)
    is_prefix = first < len(order) and key(first).startswith(text)
    last = bisect_left(positions, text + _MAX_CHARACTER, lo=first, key=key) if is_prefix else first
    rows: np.ndarray = order[first:last]
    return rows


def _most_popular(rows: np.ndarray, limit: int, popularity_of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    known = popularity_of(rows)
    if len(rows) > limit:
        likely = np.flatnonzero(known >= np.partition(known, -limit)[-limit])
        rows, known = rows[likely], known[likely]
    return rows[np.lexsort((rows, -known))[:limit]]


def encode_base62(number: int) -> str:
    """A 64-bit number in eleven characters."""
    digits = ""
    for _ in range(HALF_LENGTH):
        number, digit = divmod(number, len(BASE62))
        digits = BASE62[digit] + digits
    return digits


def decode_first_half(identity: str) -> int | None:
    """The number in the first half of an id; None if it is no id."""
    if len(identity) != 2 * HALF_LENGTH or not (identity.isascii() and identity.isalnum()):
        return None
    number = 0
    for character in identity[:HALF_LENGTH]:
        number = number * len(BASE62) + BASE62.index(character)
    return number if number < 2**64 else None


def album_id(name: str, artist: str) -> str:
    """The id of an album by its name and first artist, regardless of case, accents and punctuation."""
    return encode_base62(hash64(title_key(artist))) + encode_base62(
        hash64(f"album {normalized(name)}\x1f{normalized(artist)}")
    )


def songs_by_album_id(catalog: Catalog, identity: str) -> list[int]:
    """The songs of an album, the best known first; none if there is no such album."""
    key = decode_first_half(identity)
    if key is None:
        return []
    return [
        row for artist in artists_by_hash(catalog, key) for row in albums_by_artist(catalog, artist).get(identity, ())
    ]


def albums_by_artist(catalog: Catalog, artist: int) -> dict[str, list[int]]:
    """The albums of an artist: id -> songs with this first artist, the best known first."""
    name, texts, by = catalog.texts("artists")[artist], catalog.texts("albums"), catalog.lists("song", "artists")
    songs = catalog.lists("artist", "songs")[artist].tolist()
    titles: dict[str, list[int]] = defaultdict(list)
    for row in takewhile(lambda row: int(by[row][0]) == artist, songs):
        titles[texts[row]].append(row)
    albums: dict[str, list[int]] = defaultdict(list)
    for title, rows in titles.items():
        if title:
            albums[album_id(title, name)] += rows
    return dict(albums)


def artist_by_id(catalog: Catalog, identity: str) -> int | None:
    """The artist of an id, made from the name or the table's; of several who share it, the one with most songs."""
    key = decode_first_half(identity)
    names, songs = catalog.texts("artists"), catalog.lists("artist", "songs")
    found = [] if key is None else [row for row in artists_by_hash(catalog, key) if artist_id(names[row]) == identity]
    found = found or artists_by_hash(catalog, hash64(artist_id_key(identity)))
    return min(found, key=lambda row: (-songs.length(row), row), default=None)


def artist_id(name: str) -> str:
    """The id of an artist, the same for all spellings that differ only in case, accents and punctuation."""
    return encode_base62(hash64(title_key(name))) + encode_base62(hash64(f"artist {normalized(name)}"))
