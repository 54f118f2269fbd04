"""What a text means: ranked readings as songs, artists or descriptions of music, and how sure they are.

Readings that spell the whole text come first, the best-known one of them; then those with typos or some of the words,
if they are certain; then the artist of whose name the text is a part, a title by another artist, and guesses. Seeds
take the first reading, searches list all of them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.artists import (
    FIRST_NAMES_MARGIN,
    MANY_SONGS,
    ArtistMatch,
    artist_popularity,
    artists_by_part,
    close_artists,
    exact_artists,
    resolve_artist,
    search_artists,
)
from segue.catalog.lookup.exact import (
    artist_by_id,
    artists_by_name,
    popularity,
    popularity_with_artist,
    song_by_id,
    songs_by_title,
    titles_with_prefix,
)
from segue.catalog.lookup.fuzzy import MIN_GUESS_LENGTH, candidates
from segue.catalog.lookup.matching import SongMatch, is_silent_word, match_songs, match_songs_by
from segue.catalog.lookup.moods import Description, parse_description, search_genres
from segue.catalog.lookup.spelling import (
    MAX_SAME_TITLE,
    SpelledSong,
    WrittenText,
    exact_songs,
    exact_songs_by,
    writing_level,
)
from segue.catalog.normalization import (
    join_words,
    query_words,
    search_key,
    title_artist_splits,
    transliterated,
    without_noise,
    without_separators,
)
from segue.limits import READ, charge

MAX_ALTERNATIVES = 5
LOOK_UPS = 4  # words that take as long to read as any text or name takes to be looked up
MAX_PREFIX_MATCHES = 16  # songs whose names a text begins
POPULARITY_WEIGHT = 0.0015  # added to a match's score for each point of popularity
MAX_OFFERED = 10  # artists and genres that a search finds
MIN_GUESS_SCORE = 0.85
NAME_PART_MARGIN = 25  # points of popularity by which an artist called by part of the name has to exceed such a song
MANY_SONGS_BONUS = 15  # points of popularity for an artist who is known by many songs
SELF_TITLED_SHARE = 0.85  # of the popularity of an artist's best-known song, from which one is meant by their name
SCORE_MARGIN = 0.02  # by which another reading may be worse and yet as good
_SEPARATOR = re.compile(r"\s[-\u2013\u2014|]+\s|[,|「」『』]|\bby\b", re.IGNORECASE)
_ARTIST_SONG_SCORE = 0.95  # score of a song by the artist whose name is all of the text
_KINDS = {"exact": 0, "id": 0, "close": 1, "parts": 1, "title": 2, "guess": 3}
Reading = SongMatch | ArtistMatch | Description


@dataclass(frozen=True, slots=True)
class SearchResults:
    """What a search finds, best first.

    songs : matches of the text
    artists : rows
    genres : names
    meant : what the text means; None where it means nothing yet, as while somebody types
    """

    songs: tuple[SongMatch, ...]
    artists: tuple[int, ...] = ()
    genres: tuple[str, ...] = ()
    meant: Reading | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a text or an id means.

    reading : the likeliest
    ambiguous : whether it is not certain
    alternatives : what else it may mean, best first, songs of other works before versions of the same
    """

    reading: Reading
    ambiguous: bool = False
    alternatives: tuple[Reading, ...] = ()

    @property
    def row(self) -> int | None:
        """The song's row; None if it means no song."""
        return self.reading.row if isinstance(self.reading, SongMatch) else None

    @property
    def artist(self) -> int | None:
        """The row of the artist whom it means; None if it means a song, or a description."""
        return self.reading.artist if isinstance(self.reading, ArtistMatch) else None


def resolve_text(catalog: Catalog, text: str, artist: str | None = None) -> Resolution | None:
    """What a text means, alone or as a title with an artist apart; None if there is nothing that it may mean."""
    charge(READ, LOOK_UPS if artist else LOOK_UPS + 1 + text.count(" "))
    readings = read_text(catalog, text) if artist is None else _read_apart(catalog, text, artist)
    return _resolution(catalog, readings) if readings else None


def resolve_name(catalog: Catalog, name: str) -> Resolution | None:
    """The artist whom a name or an id means; None if nobody is called like it."""
    charge(READ, LOOK_UPS + 1 + name.count(" "))
    found = [match for match in exact_artists(catalog, name) if match.kind == "exact"]
    row = None if found else resolve_artist(catalog, name)
    if row is not None:
        found = [ArtistMatch(row, "id" if artist_by_id(catalog, name) == row else "exact")]
    found = found or exact_artists(catalog, name) or close_artists(catalog, query_words(name))
    return _resolution(catalog, found) if found else None


def read_text(catalog: Catalog, text: str) -> list[Reading]:
    """All readings of a text, the best first."""
    words = query_words(text)
    exact = _read_exactly(catalog, text, words)
    if exact:
        return exact
    named = match_by_id(catalog, text.strip())
    if named:
        return [named]
    described = parse_description(catalog, words)
    if described:
        return [described]
    return _read_otherwise(catalog, text, words) or _read_fuzzily(catalog, text, words)


def match_by_id(catalog: Catalog, song: str) -> SongMatch | None:
    """The song of an id."""
    row = song_by_id(catalog, song)
    if row is None:
        return None
    artists = catalog.lists("song", "artists")[row].tolist()
    return SongMatch(row, "id", 1.0, artists[0] if artists else None)


def resolve_link(catalog: Catalog, kind: str, identity: str, limit: int) -> SearchResults:
    """What a link leads to: a song, or an artist with the best-known songs.

    kind : ``"track"`` or ``"artist"``
    """
    if kind == "track":
        named = match_by_id(catalog, identity)
        return SearchResults((named,), meant=named) if named else SearchResults(())
    artist = artist_by_id(catalog, identity)
    if artist is None:
        return SearchResults(())
    songs = tuple(_songs_of_artist(catalog, artist, limit, "id"))
    return SearchResults(songs, (artist,), meant=ArtistMatch(artist, "id"))


def search(catalog: Catalog, text: str, limit: int) -> SearchResults:
    """Songs, artists and genres that a text names; the text may be incomplete, as while somebody types.

    What :func:`resolve_text` takes comes first.
    """
    if not text.strip():
        return SearchResults(())
    readings = read_text(catalog, text)
    meant = readings[0] if readings else None
    if isinstance(meant, SongMatch) and meant.kind == "id":
        return SearchResults((meant,), meant=meant)
    words = query_words(text)
    songs = {match.row: match for match in readings if isinstance(match, SongMatch)}
    for match in _fuzzy_matches(catalog, words, typing=True):
        songs.setdefault(match.row, match)
    ranked = rank_matches(catalog, list(songs.values()))
    artists = _search_artists(catalog, text, readings, ranked)
    first = [meant] if isinstance(meant, SongMatch) else []
    if artists and (isinstance(meant, ArtistMatch) or meant is None):
        first = list(_songs_of_artist(catalog, artists[0], limit, "parts"))
    described = [genre for reading in readings if isinstance(reading, Description) for genre in reading.genres]
    genres = list(dict.fromkeys([*described, *search_genres(catalog.manifest["genres"], text)]))
    return SearchResults(
        _distinct(catalog, [*first, *ranked], limit), tuple(artists[:MAX_OFFERED]), tuple(genres[:MAX_OFFERED]), meant
    )


def rank_matches(catalog: Catalog, found: Sequence[SongMatch]) -> list[SongMatch]:
    """Matches by their scores and the songs' popularity together, then the most popular first."""
    if len(found) < 2:
        return list(found)
    rows = np.array([match.row for match in found], np.int64)
    scores = np.array([match.score for match in found]) + POPULARITY_WEIGHT * popularity_with_artist(
        catalog, rows
    ).astype(np.float64)
    order = np.lexsort((rows, -popularity(catalog, rows), -scores.round(6)))
    return [found[index] for index in order.tolist()]


def _read_exactly(catalog: Catalog, text: str, words: Sequence[str]) -> list[Reading]:
    """Readings that spell the whole text: songs and artists, the better known first, then a genre of this name."""
    songs, artists = exact_songs(catalog, text, words), exact_artists(catalog, text)
    if not songs and not artists:
        return []
    described = parse_description(catalog, words)
    if songs and not described and not any(match.kind == "exact" for match in artists):
        artists = artists_by_part(catalog, words)
    readings = _merge(catalog, WrittenText(text), songs, artists)
    return [*readings[:1], *([described] if described else []), *readings[1:]]


def _merge(
    catalog: Catalog, written: WrittenText, songs: Sequence[SpelledSong], artists: Sequence[ArtistMatch]
) -> list[Reading]:
    """Songs and artists of one name, the first of each before others: first the one written so, or better known."""
    matches: list[Reading] = [SongMatch(song.row, "exact", 1.0, song.artist) for song in songs]
    if not songs or not artists:
        return [*matches, *artists]
    is_artist = _is_artist_meant(catalog, written, songs[0], artists[0])
    first = [artists[0], matches[0]] if is_artist else [matches[0], artists[0]]
    return [*first, *matches[1:], *artists[1:]]


def _is_artist_meant(catalog: Catalog, written: WrittenText, song: SpelledSong, match: ArtistMatch) -> bool:
    """Whether an artist, rather than a song of the same name: one that is written so, or that is better known.

    Of an artist and a song by the same artist, the song is meant if it is one of the artist's best known, or the text
    names both.
    """
    if song.artist == match.artist:
        return False
    title, name = catalog.texts("names")[song.row], catalog.texts("artists")[match.artist]
    has_many = catalog.lists("artist", "songs").length(match.artist) >= MANY_SONGS and match.kind == "exact"
    of_artist = float(artist_popularity(catalog, [match.artist])[0])
    row, by = np.array([song.row]), catalog.lists("song", "artists")[song.row].tolist()
    if match.artist in by:
        return float(popularity(catalog, row)[0]) < SELF_TITLED_SHARE * of_artist
    of_song, is_part = float(popularity_with_artist(catalog, row)[0]), match.kind == "parts"
    if is_part and written.is_whole(title, ()):
        of_song += NAME_PART_MARGIN
    if match.by_first_names:
        of_song += FIRST_NAMES_MARGIN
    of_artist += MANY_SONGS_BONUS if has_many else 0
    level = writing_level(catalog, written, song)
    return ((level if is_part else written.level(name, ())), -of_artist) < (level, -of_song)


def _read_otherwise(catalog: Catalog, text: str, words: Sequence[str]) -> list[Reading]:
    """Exact readings of the text without the words that are added to videos, or in Latin in place of Cyrillic."""
    plain, latin = without_noise(words), transliterated(text)
    found = exact_songs(catalog, " ".join(plain), plain) if len(plain) < len(words) else []
    if not found and latin and latin.isascii():
        found = exact_songs(catalog, latin, query_words(latin))
    return [SongMatch(song.row, "close", 1.0, song.artist) for song in found]


def _read_fuzzily(catalog: Catalog, text: str, words: Sequence[str]) -> list[Reading]:
    """Readings with typos, of some words or of a part of the text, the most certain first."""
    if all(map(is_silent_word, words)):
        return []
    complete = _fuzzy_matches(catalog, words, typing=False)
    certain = [match for match in complete if match.certain]
    if certain or len(join_words(words)) < MIN_GUESS_LENGTH:
        artists = close_artists(catalog, words) if certain and certain[0].artist is None else []
        best = _best_known_first(catalog, [*certain, *(match for match in artists if match.certain)])
        return [*best, *(match for match in complete if not match.certain)] if best else []
    return _read_uncertainly(catalog, text, words)


def _read_uncertainly(catalog: Catalog, text: str, words: Sequence[str]) -> list[Reading]:
    """Readings of a text that is no title with a typo: artists, parts of titles, titles by others, then guesses."""
    found, artists = _fuzzy_matches(catalog, words, typing=True), close_artists(catalog, words)
    by_typo, by_name = ([match for match in artists if match.kind == kind] for kind in ("close", "parts"))
    # first names compete with surnames; alone they come after titles
    has_surname = not all(match.by_first_names for match in by_name)
    by_surname, by_first_names = (by_name, []) if has_surname else ([], by_name)
    certain, named = (
        [one for one in found if one.kind != "guess" and one.certain is known] for known in (True, False)
    )
    both: list[Reading] = [*(match for match in found if match.names_title), *artists]
    near = [match for match in both if match.kind == "guess"]
    likely = _best_known_first(catalog, [match for match in near if match.score >= MIN_GUESS_SCORE])
    others = _titles_by_others(catalog, text, words)
    readings = [*certain, *by_typo, *by_surname, *named, *by_first_names, *others, *likely]
    return [*readings, *(match for match in near if match.score < MIN_GUESS_SCORE)] if readings else []


def _best_known_first(catalog: Catalog, readings: Sequence[Reading]) -> list[Reading]:
    """Readings of songs and artists by their scores and their popularity together."""
    if len(readings) < 2:
        return list(readings)
    songs = [reading for reading in readings if isinstance(reading, SongMatch)]
    artists = [reading for reading in readings if isinstance(reading, ArtistMatch)]
    known = [
        *popularity_with_artist(catalog, np.array([match.row for match in songs], np.int64)).tolist(),
        *artist_popularity(catalog, [match.artist for match in artists]).tolist(),
    ]
    order = {id(reading): value for reading, value in zip([*songs, *artists], known)}
    return sorted(readings, key=lambda one: -one.score - POPULARITY_WEIGHT * order[id(one)])


def _titles_by_others(catalog: Catalog, text: str, words: Sequence[str]) -> list[SongMatch]:
    """Songs of exactly the title that a text names beside an artist who does not sing it, the best known first."""
    pairs = [pair for pair in title_artist_splits(without_separators(words)) if pair[1]]
    parts = _separated_parts(text)
    titles = songs_by_title(catalog, [title for title, _ in pairs])
    artists = artists_by_name(catalog, [name for _, name in pairs])
    likely = [
        (len(title), songs)
        for (title, name), songs, performers in zip(pairs, titles, artists)
        if len(songs) and (len(performers) or {title, name} <= parts)
    ]
    if not likely:
        return []
    _, rows = max(likely, key=lambda entry: entry[0])
    return _by_others(catalog, rows)


def _separated_parts(text: str) -> set[str]:
    """The keys of the parts that a dash, a comma or "by" separates."""
    return {search_key(part) for part in _SEPARATOR.split(text) if part.strip()}


def _read_apart(catalog: Catalog, text: str, artist: str) -> list[Reading]:
    """Readings of a title whose artist is given apart; the text may name the artist as well."""
    spelled = exact_songs_by(catalog, text, artist)
    if spelled:
        return [SongMatch(song.row, "exact", 1.0, song.artist) for song in spelled]
    title, name = query_words(text), query_words(artist)
    rows = candidates(catalog, [*title, *name])
    close = rank_matches(catalog, match_songs_by(catalog, text, artist, rows))
    certain, guesses = ([match for match in close if match.certain is known] for known in (True, False))
    named = [match for match in _fuzzy_matches(catalog, [*title, *name], typing=True) if match.kind == "parts"]
    parts = [match for match in named if match.artist is not None and match.names_title]
    (songs,) = songs_by_title(catalog, [search_key(text)])
    return [*certain, *parts, *_by_others(catalog, songs), *guesses]


def _by_others(catalog: Catalog, songs: np.ndarray) -> list[SongMatch]:
    """Songs of the title that is meant, by another artist than the one who is, the best known first."""
    matches = [SongMatch(row, "title", 0.9, certain=False) for row in songs[:MAX_SAME_TITLE].tolist()]
    return rank_matches(catalog, matches)


def _fuzzy_matches(catalog: Catalog, words: Sequence[str], *, typing: bool) -> list[SongMatch]:
    """Songs that words may mean with typos, the best first; kept for the last text.

    typing : whether the words may be the beginning of what is meant
    """
    last: dict[tuple[str, bool], list[SongMatch]] = catalog.cached(_fuzzy_matches, dict)
    text = " ".join(words)
    if (text, typing) not in last:
        rows = candidates(catalog, words)
        if typing:
            rows = np.unique(np.concatenate([rows, titles_with_prefix(catalog, text, MAX_PREFIX_MATCHES)]))
        matches = rank_matches(catalog, match_songs(catalog, words, rows, typing=typing))
        last.clear()
        last[text, typing] = matches
    return last[text, typing]


def _resolution(catalog: Catalog, readings: Sequence[Reading]) -> Resolution:
    """The first of several readings, and the others as alternatives."""
    best, *others = readings
    works = catalog.reader("works")
    seen = {int(works.take(best.row))} if isinstance(best, SongMatch) else set()
    of_other_works: list[Reading] = []
    versions: list[Reading] = []
    for reading in others:
        if not isinstance(reading, SongMatch):
            of_other_works.append(reading)
            continue
        work = int(works.take(reading.row))
        (versions if work in seen else of_other_works).append(reading)
        seen.add(work)
    as_good = any(_is_as_good(other, best) for other in of_other_works)
    return Resolution(best, as_good or not best.certain, tuple([*of_other_works, *versions][:MAX_ALTERNATIVES]))


def _is_as_good(reading: Reading, best: Reading) -> bool:
    is_comparable = _KINDS[reading.kind] <= _KINDS[best.kind] or {reading.kind, best.kind} == {"guess", "close"}
    return is_comparable and reading.score >= best.score - SCORE_MARGIN


def _songs_of_artist(catalog: Catalog, artist: int, limit: int, kind: str) -> Iterator[SongMatch]:
    for row in catalog.lists("artist", "songs")[artist][:limit].tolist():
        yield SongMatch(row, kind, _ARTIST_SONG_SCORE, artist, names_title=False)


def _search_artists(catalog: Catalog, text: str, readings: list[Reading], songs: list[SongMatch]) -> list[int]:
    """Artists whom the text means, those whom it names beside a title, then those whose names it is like."""
    meant = [reading.artist for reading in readings if isinstance(reading, ArtistMatch) and reading.kind != "guess"]
    matched = [match.artist for match in songs if match.artist is not None and match.kind in ("exact", "close", "id")]
    of_songs, _ = catalog.lists("song", "artists").gather(np.array([match.row for match in songs], np.int64))
    return list(dict.fromkeys([*meant, *matched, *search_artists(catalog, text, of_songs.tolist())]))


def _distinct(catalog: Catalog, found: Sequence[SongMatch], limit: int) -> tuple[SongMatch, ...]:
    """The first ``limit`` matches; of songs with the same title and artists, only the first."""
    names, song_artists = catalog.texts("names"), catalog.lists("song", "artists")
    kept: dict[tuple[str, tuple[int, ...]], SongMatch] = {}
    for match in found:
        kept.setdefault((names[match.row], tuple(song_artists[match.row].tolist())), match)
        if len(kept) == limit:
            break
    return tuple(kept.values())
