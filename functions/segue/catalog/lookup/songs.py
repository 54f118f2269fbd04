"""The songs that a text means, by all that is known of titles and artists: one resolver for every way to ask."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog.lookup import beginnings, trigrams
from segue.catalog.lookup.artists import artist_by_id, artists_named, tier
from segue.catalog.lookup.genres import genres_named
from segue.catalog.lookup.ranking import LONGEST, ranked, readings
from segue.catalog.lookup.readings import Reading, splits, unmarked, words_of
from segue.catalog.lookup.rows import artists_of, by_id, by_spelling, called, popularity, titled
from segue.catalog.names import TIERS, digest, joined, spelt, title_key
from segue.catalog.version import Catalog

ALTERNATIVES = 5
CONSIDERED = 5_000  # songs of one title; bounds the work where a catalogue has very many
CANDIDATES = 80  # songs that share most letters with a text, which are compared with it
BEGUN = 16  # songs, and artists, whose names a text begins
OFFERED = 10  # artists and genres that a search finds
_BY_ARTIST = 0.95  # worth of a song by the artist whose name is all of the text


@dataclass(frozen=True, slots=True)
class Match:
    """The song that a text or an id means.

    ambiguous : whether the text spells another song as exactly
    alternatives : rows of other songs that it may mean, those of other works first, best first
    """

    reading: Reading
    ambiguous: bool = False
    alternatives: tuple[int, ...] = ()

    @property
    def row(self) -> int:
        """The song's row."""
        return self.reading.row


@dataclass(frozen=True, slots=True)
class Found:
    """What a search finds, best first.

    songs : readings of the text
    artists : rows
    genres : names
    """

    songs: tuple[Reading, ...]
    artists: tuple[int, ...] = ()
    genres: tuple[str, ...] = ()


def song(catalog: Catalog, text: str, artist: str | None = None) -> Match | None:
    """The song that a title means, or a title and an artist in one text or apart; None where it means none.

    Of songs that are spelled exactly the best known is meant; where the artist is given apart, the one whose title is
    written most like the text. Without any, an id is meant, or the song whose spelling and fame are worth most.
    """
    words = words_of(text)
    found = _exact(catalog, words) if artist is None else _by_artist(catalog, text, artist)
    if not found:
        named = identified(catalog, text.strip()) if artist is None else None
        if named:
            return Match(named)
        found = _likely(catalog, words if artist is None else words_of(f"{text} {artist}"), typing=False)
        found = found if artist is None else [reading for reading in found if reading.artist is not None]
    return _match(catalog, found) if found else None


def expect(catalog: Catalog, ids: Sequence[str], named: Sequence[tuple[str | None, str | None]]) -> None:
    """Say what will be looked up: songs by id, titles, artists, and titles with artists."""
    pairs = [pair for title, artist in named for pair in _spellings(title, artist)]
    alone = [title.strip() for title, artist in named if title and artist is None]
    catalog.sought(
        {
            "id_hashes": [digest(text) for text in (*ids, *alone)],
            "title_hashes": [digest(title) for title, _ in pairs if title],
            "artist_hashes": [
                *(digest(by_spelling(name)) for _, name in pairs),
                *(digest(title_key(artist)) for title, artist in named if artist and not title),
            ],
        }
    )


def _spellings(title: str | None, artist: str | None) -> list[tuple[str, str]]:
    """The titles and artists that :func:`song` and :func:`segue.catalog.lookup.artist` look for, joined."""
    if title and artist is None:
        return splits(words_of(title))
    return [(spelt(title) if title else "", spelt(artist) if artist else "")]


def identified(catalog: Catalog, song: str) -> Reading | None:
    """The song of an id."""
    row = by_id(catalog, song)
    if row is None:
        return None
    artists = catalog.lists("by", "artists")[row].tolist()
    return Reading(row, "id", 1.0, artists[0] if artists else None)


def search(catalog: Catalog, text: str, limit: int) -> Found:
    """Songs, artists and genres that a text names, which may be the beginning of what is meant."""
    named = identified(catalog, text.strip())
    if named or not text.strip():
        return Found((named,) if named else ())
    words = words_of(text)
    found = {reading.row: reading for reading in (*_likely(catalog, words, typing=True), *_exact(catalog, words))}
    artists = _artists(catalog, words, list(found.values()))
    for artist in artists[:1] if _means_artist(catalog, words, artists, list(found.values())) else ():
        for row in catalog.lists("artist", "songs")[artist][:limit].tolist():
            found.setdefault(row, Reading(row, "parts", _BY_ARTIST, artist, titled=False))
    songs, genres = ranked(catalog, list(found.values())), genres_named(catalog.manifest["genres"], text)
    return Found(_distinct(catalog, songs, limit), tuple(artists[:OFFERED]), tuple(genres[:OFFERED]))


def _distinct(catalog: Catalog, found: Sequence[Reading], limit: int) -> tuple[Reading, ...]:
    """The first readings; of songs that nobody could tell apart, same title and artist, the first alone."""
    names, by = catalog.texts("names"), catalog.lists("by", "artists")
    kept: dict[tuple[str, tuple[int, ...]], Reading] = {}
    for reading in found:
        kept.setdefault((names[reading.row], tuple(by[reading.row].tolist())), reading)
        if len(kept) == limit:
            break
    return tuple(kept.values())


def _artists(catalog: Catalog, words: Sequence[str], found: Sequence[Reading]) -> list[int]:
    """Artists whom a text names beside a title, then those whom all of it names."""
    beside = [reading.artist for reading in found if reading.artist is not None and reading.how != "parts"]
    by = catalog.lists("by", "artists")
    likely = (artist for reading in found for artist in by[reading.row].tolist())
    begun = beginnings.artists(catalog, " ".join(words), BEGUN).tolist()
    return list(dict.fromkeys([*beside, *artists_named(catalog, words, [*begun, *likely])]))


def _means_artist(catalog: Catalog, words: Sequence[str], artists: Sequence[int], found: Sequence[Reading]) -> bool:
    """Whether a text is an artist's name: exactly, or its beginning if it is not a title."""
    if not artists or any(reading.titled and reading.artist in artists for reading in found):
        return False
    exact = spelt(catalog.texts("artists")[artists[0]]) == joined(words)
    return exact or not any(reading.how == "exact" for reading in found)


def linked(catalog: Catalog, kind: str, identity: str, limit: int) -> Found:
    """The song, or the artist and the best-known songs, that a link leads to.

    kind : ``"track"`` or ``"artist"``
    """
    if kind == "track":
        named = identified(catalog, identity)
        return Found((named,) if named else ())
    artist = artist_by_id(catalog, identity)
    if artist is None:
        return Found(())
    songs = catalog.lists("artist", "songs")[artist][:limit].tolist()
    return Found(tuple(Reading(row, "id", 1.0, artist, titled=False) for row in songs), (artist,))


def _match(catalog: Catalog, found: Sequence[Reading]) -> Match:
    """The first of several readings, and the others as alternatives."""
    best, *others = found
    works, seen = catalog.array("works"), {int(catalog.array("works")[best.row])}
    of_other_works: list[Reading] = []
    versions: list[Reading] = []
    for reading in others:
        work = int(works[reading.row])
        (versions if work in seen else of_other_works).append(reading)
        seen.add(work)
    ambiguous = any(reading.how == best.how == "exact" for reading in of_other_works)
    alternatives = [reading.row for reading in (*of_other_works, *versions)]
    return Match(best, ambiguous, tuple(alternatives[:ALTERNATIVES]))


def _exact(catalog: Catalog, words: Sequence[str]) -> list[Reading]:
    """All songs that words spell, as a title or as a title and an artist in either order, the best known first."""
    pairs = splits(words)
    titles, artists = titled(catalog, [title for title, _ in pairs]), called(catalog, [name for _, name in pairs])
    found: dict[int, Reading] = {}
    for (_, name), songs, singers in zip(pairs, titles, artists):
        if not name:
            found |= {row: Reading(row, "exact", 1.0) for row in songs[:CONSIDERED].tolist()}
        elif len(songs) and len(singers):
            found |= {row: Reading(row, "exact", 1.0, artist) for row, artist in _sung(catalog, songs, singers)}
    return ranked(catalog, list(found.values()))


def _sung(catalog: Catalog, songs: np.ndarray, artists: np.ndarray) -> Iterator[tuple[int, int]]:
    """Those of several songs that several artists sing, and who it is."""
    singers, counts = catalog.lists("by", "artists").of(songs)
    owners = np.repeat(songs, counts)
    for artist in artists.tolist():
        for row in owners[singers == artist].tolist():
            yield row, artist


def _by_artist(catalog: Catalog, text: str, artist: str) -> list[Reading]:
    """Songs of exactly a title by exactly an artist: whose own they are first, then as they are written.

    Tiers of writing are those of :mod:`segue.catalog.names`; the most popular song goes first within one.
    """
    (artists,) = called(catalog, [spelt(artist)])
    (songs,) = titled(catalog, [spelt(text)])
    found = dict(_sung(catalog, songs, artists))
    if not found:  # the text may name the artist, too
        return [reading for reading in _exact(catalog, words_of(text)) if reading.artist in artists]
    rows = np.array(list(found), np.int64)
    known = dict(zip(rows.tolist(), popularity(catalog, rows).tolist()))
    keys, by = ([key(asked) for key in TIERS] for asked in (text, artist))

    def order(row: int) -> tuple[bool, int, int, float, int]:
        tiers = [tier(by, name) for name in artists_of(catalog, row)]
        featured = tiers[0] > min(tiers)
        return featured, tier(keys, catalog.texts("names")[row]), min(tiers), -known[row], row

    return [Reading(row, "exact", 1.0, found[row]) for row in sorted(found, key=order)]


def _likely(catalog: Catalog, words: Sequence[str], *, typing: bool) -> list[Reading]:
    """The songs that share most letters with words, as far as the words read as these, the best first."""
    rows = _sharing_letters(catalog, " ".join(unmarked(words))[:LONGEST])
    if typing:
        rows = np.unique(np.concatenate([rows, beginnings.titles(catalog, " ".join(words), BEGUN)]))
    return ranked(catalog, readings(catalog, words, rows, typing=typing))


@functools.lru_cache(maxsize=1)
def _sharing_letters(catalog: Catalog, text: str) -> np.ndarray:
    """The last ones are kept: what means no song is searched for again, to suggest others."""
    return trigrams.rows(catalog, text, CANDIDATES)
