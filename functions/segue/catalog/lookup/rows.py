"""From exact keys to rows: songs by id and by title, artists by name, and what belongs to a song."""

import itertools
from collections.abc import Sequence

import numpy as np

from segue.catalog.names import digest, title_key
from segue.catalog.version import Catalog

SHARE = 0.75  # of the popularity of an artist's best-known song, which is the least fame of the others


def by_id(catalog: Catalog, song: str) -> int | None:
    """The row of an id."""
    ids = catalog.texts("ids")
    (rows,) = _at(catalog, "id_hashes", "id_songs", [digest(song)])
    catalog.near(rows)
    return next((row for row in rows.tolist() if ids[row] == song), None)


def by_ids(catalog: Catalog, songs: Sequence[str]) -> list[int | None]:
    """The rows of several ids, in their order; None where there is no such song."""
    column, sought = catalog.array("id_hashes"), np.array([digest(song) for song in songs], np.uint64)
    places = np.minimum(column.searchsorted(sought), len(column) - 1)
    known = np.flatnonzero(column[places] == sought)
    likely = catalog.array("id_songs")[places[known]]
    catalog.near(likely)
    found: list[int | None] = [None] * len(songs)
    for place, row, text in zip(known.tolist(), likely.tolist(), catalog.texts("ids").several(likely)):
        found[place] = row if text == songs[place] else by_id(catalog, songs[place])
    return found


def titled(catalog: Catalog, titles: Sequence[str]) -> list[np.ndarray]:
    """For each spelling of a title, see :func:`~segue.catalog.names.forms`, its songs, the most popular first."""
    return _at(catalog, "title_hashes", "title_songs", [digest(title) for title in titles])


def called(catalog: Catalog, names: Sequence[str]) -> list[np.ndarray]:
    """For each spelling of a name, see :func:`~segue.catalog.names.spelt`, the artists of that name."""
    return _at(catalog, "artist_hashes", "artist_rows", [digest(by_spelling(name)) for name in names])


def by_spelling(name: str) -> str:
    """The key of an artist's spelling: apart from title keys, whose digests stand in the same column."""
    return f"\x1f{name}"


def artists_like(catalog: Catalog, name: str) -> list[int]:
    """All artists whose names differ from this one in no more than versions of a title do."""
    return artists_at(catalog, digest(title_key(name)))


def artists_at(catalog: Catalog, key: int) -> list[int]:
    """All artists of whose names' title keys this is the digest."""
    found: list[int] = _at(catalog, "artist_hashes", "artist_rows", [key])[0].tolist()
    return found


def artists_of(catalog: Catalog, row: int) -> list[str]:
    """A song's artists, the first artist first."""
    names = catalog.texts("artists")
    return [names[artist] for artist in catalog.lists("by", "artists")[row].tolist()]


def artists_of_each(catalog: Catalog, rows: np.ndarray) -> list[list[str]]:
    """The same of several songs."""
    by = catalog.lists("by", "artists").several(rows)
    names = iter(catalog.texts("artists").several(np.array(list(itertools.chain(*by)), np.int64)))
    return [list(itertools.islice(names, len(artists))) for artists in by]


def versions(catalog: Catalog, row: int) -> np.ndarray:
    """The rows of all versions of a song, itself included, most popular first."""
    return catalog.lists("work", "songs")[int(catalog.array("works")[row])]


def popularity(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """Popularity of songs, float32, 0 where it is not known."""
    return np.nan_to_num(catalog.attribute("popularity")[rows].astype(np.float32))


def best_known(catalog: Catalog, artists: np.ndarray) -> np.ndarray:
    """The best-known song of each of several artists, as first artist if there is any."""
    return catalog.array("artist_songs")[catalog.array("artist_offsets")[artists]]


def fame(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """How well known songs are, float32, 0..100: their popularity, or ``SHARE`` of their artist's best song's.

    Tables have low figures for reissues, but a title means the song of the artist whom people know: of 1,163 titles
    that several artists have, the one that is on most playlists comes first for 80 % by fame, 77 % by popularity.
    """
    known = popularity(catalog, rows)
    offsets, artists = catalog.array("by_offsets"), catalog.array("by_artists")
    firsts = offsets[rows].astype(np.int64)
    sung = np.flatnonzero(offsets[rows + 1] > firsts)
    best = best_known(catalog, artists[firsts[sung]])
    known[sung] = np.maximum(known[sung], SHARE * popularity(catalog, best))
    return known


def _at(catalog: Catalog, hashes: str, rows: str, keys: Sequence[int]) -> list[np.ndarray]:
    """What sorted digests lead to, for each of several keys."""
    column, sought = catalog.array(hashes), np.array(keys, np.uint64)
    firsts, lasts = column.searchsorted(sought).tolist(), column.searchsorted(sought, side="right").tolist()
    return [catalog.array(rows)[first:last] for first, last in zip(firsts, lasts)]
