"""From what a person calls a song, an artist or a work to rows of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog import fulltext
from segue.catalog.likeness import Likeness
from segue.catalog.names import TIERS, bare, digest, folded, title_key
from segue.catalog.version import Catalog

CLOSE = 0.85  # similarity below which another name is another song
ALTERNATIVES = 5
CONSIDERED = 5_000  # songs of one title; bounds the work where a catalogue has very many


@dataclass(frozen=True, slots=True)
class Match:
    """A song that was found.

    how : ``"id"``, ``"exact"`` (but for case, accents, punctuation, version) or ``"close"``
    alternatives : rows of the other songs that the name may mean, best first
    """

    row: int
    how: str
    alternatives: tuple[int, ...] = ()


def by_id(catalog: Catalog, song: str) -> int | None:
    """The row of an id."""
    ids = catalog.texts("ids")
    rows = _hashed(catalog, "id_hashes", "id_songs", digest(song))
    return next((row for row in rows if ids[row] == song), None)


def by_ids(catalog: Catalog, songs: Sequence[str]) -> list[int | None]:
    """The rows of several ids, in their order; None where there is no such song."""
    ids, rows, column = catalog.texts("ids"), catalog.array("id_songs"), catalog.array("id_hashes")
    places = column.searchsorted(np.array([digest(song) for song in songs], np.uint64))
    likely = rows[np.minimum(places, len(rows) - 1)].tolist()
    return [row if ids[row] == song else by_id(catalog, song) for row, song in zip(likely, songs)]


def by_name(catalog: Catalog, song: str, artist: str | None = None) -> Match | None:
    """The song of a name, and if given of an artist: exact in tiers, else a close one.

    Tiers are those of :mod:`segue.catalog.names`; an artist who comes first goes before one who is featured,
    and within a tier the most popular song goes first.
    """
    rows = _titled(catalog, song)
    found = _ordered(catalog, rows, song, artist)
    if found:
        return Match(found[0], "exact", tuple(found[1 : 1 + ALTERNATIVES]))
    likely = [*rows[:CONSIDERED], *fulltext.search(catalog, f"{song} {artist or ''}", fulltext.CANDIDATES)]
    close = _close(catalog, list(dict.fromkeys(likely)), song, artist)
    return Match(close[0], "close", tuple(close[1 : 1 + ALTERNATIVES])) if close else None


def artist(catalog: Catalog, name: str) -> int | None:
    """The artist of a name, the closest spelling and then the one with most songs first."""
    artists, songs = catalog.texts("artists"), catalog.lists("artist", "songs")
    rows = artists_like(catalog, name)
    keys = _keys(name)
    ranked = [(level, -len(songs[row]), row) for row in rows if (level := _tier(keys, artists[row])) is not None]
    return min(ranked)[2] if ranked else None


def artists_like(catalog: Catalog, name: str) -> list[int]:
    """All artists whose names differ from this one in no more than versions of a title do."""
    return artists_at(catalog, digest(title_key(name)))


def artists_at(catalog: Catalog, key: int) -> list[int]:
    """All artists of whose names this is the digest."""
    return _hashed(catalog, "artist_hashes", "artist_rows", key)


def artists_of(catalog: Catalog, row: int) -> list[str]:
    """A song's artists, the first artist first."""
    names = catalog.texts("artists")
    return [names[artist] for artist in catalog.lists("by", "artists")[row].tolist()]


def versions(catalog: Catalog, row: int) -> np.ndarray:
    """The rows of all versions of a song, itself included, most popular first."""
    return catalog.lists("work", "songs")[int(catalog.array("works")[row])]


def _titled(catalog: Catalog, song: str) -> list[int]:
    hits = [
        _hashed(catalog, "title_hashes", "title_songs", digest(key))
        for key in dict.fromkeys((bare(song), title_key(song)))
    ]
    return list(dict.fromkeys(row for rows in hits for row in rows))


def _hashed(catalog: Catalog, hashes: str, rows: str, key: int) -> list[int]:
    column, sought = catalog.array(hashes), np.uint64(key)
    first, last = column.searchsorted(sought), column.searchsorted(sought, side="right")
    found: list[int] = catalog.array(rows)[first : min(last, first + CONSIDERED)].tolist()
    return found


def _ordered(catalog: Catalog, rows: Sequence[int], song: str, artist: str | None) -> list[int]:
    """Those rows that have the name and the artist, best first."""
    names, popularity = catalog.texts("names"), catalog.attribute("popularity")
    keys, by = _keys(song), None if artist is None else _keys(artist)
    ranked = []
    for row in rows:
        level = _tier(keys, names[row])
        place = _artist_place(artists_of(catalog, row), by)
        if level is not None and place is not None:
            ranked.append((place[0], level, place[1], -float(np.nan_to_num(popularity[row])), row))
    return [entry[-1] for entry in sorted(ranked)]


def _artist_place(artists: list[str], asked: Sequence[str] | None) -> tuple[int, int] | None:
    """(0 first artist or 1 another, tier of the spelling); None where no artist has that name."""
    if asked is None:
        return 0, 0
    levels = [(place > 0, level) for place, name in enumerate(artists) if (level := _tier(asked, name)) is not None]
    return min(levels) if levels else None


def _keys(asked: str) -> list[str]:
    return [key(asked) for key in TIERS]


def _tier(asked: Sequence[str], name: str) -> int | None:
    """How closely a name matches the keys of what was asked: 0 verbatim .. 3 but for the version, or None."""
    return next((level for level, key in enumerate(TIERS) if asked[level] == key(name)), None)


def _close(catalog: Catalog, rows: Sequence[int], song: str, artist: str | None) -> list[int]:
    names, popularity = catalog.texts("names"), catalog.attribute("popularity")
    spelt, sung = Likeness(_compared(song)), Likeness(_compared(artist or ""))
    ranked = []
    for row in rows:
        ratio = spelt.ratio(_compared(names[row]))
        if ratio >= CLOSE and artist is not None:
            ratio = min(ratio, sung.best(map(_compared, artists_of(catalog, row))))
        if ratio >= CLOSE:
            ranked.append((-ratio, -float(np.nan_to_num(popularity[row])), row))
    return [row for *_, row in sorted(ranked)]


def _compared(text: str) -> str:
    return folded(text)[: fulltext.LONGEST]
