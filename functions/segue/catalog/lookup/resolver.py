"""What a text means: resolve a title, an artist, a genre or a link, and search all of them as somebody types."""

import difflib
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup import fuzzy
from segue.catalog.lookup.exact import (
    artist_by_id,
    artist_names,
    artist_search_key,
    artists_by_name,
    artists_by_title_key,
    artists_with_prefix,
    most_popular_songs,
    popularity,
    popularity_with_artist,
    song_by_id,
    songs_by_title,
    titles_with_prefix,
)
from segue.catalog.lookup.fuzzy import LcsSimilarity
from segue.catalog.lookup.matching import (
    CLOSE_SCORE,
    MAX_COMPARED_LENGTH,
    SongMatch,
    match_songs,
)
from segue.catalog.normalization import (
    KEY_LEVELS,
    hash64,
    join_words,
    query_words,
    search_key,
    search_text,
    title_artist_splits,
    title_key,
    without_separators,
)

MAX_ALTERNATIVES = 5
MAX_SAME_TITLE = 5_000  # songs of one title; bounds the work where a catalogue has very many
MAX_CANDIDATES = 80  # songs that share most letters with a text, which are compared with it
MAX_PREFIX_MATCHES = 16  # songs, and artists, whose names a text begins
POPULARITY_WEIGHT = 0.0015  # added to a match's score for each point of popularity
MAX_OFFERED = 10  # artists and genres that a search finds
_ARTIST_SONG_SCORE = 0.95  # score of a song by the artist whose name is all of the text
_NO_MATCH = 4
_MIN_PREFIX = 3  # letters from which the beginning of a name or of one of its words counts
_GENRE_SIMILARITY = 0.8  # similarity below which another spelling is another genre
_MAX_GENRE_LENGTH = 20  # letters of a text that may be a genre with a typo


@dataclass(frozen=True, slots=True)
class SearchResults:
    """What a search finds, best first.

    songs : matches of the text
    artists : rows
    genres : names
    """

    songs: tuple[SongMatch, ...]
    artists: tuple[int, ...] = ()
    genres: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """The song that a text or an id means.

    ambiguous : whether the text spells another song as exactly
    alternatives : rows of other songs that it may mean, those of other works first, best first
    """

    match: SongMatch
    ambiguous: bool = False
    alternatives: tuple[int, ...] = ()

    @property
    def row(self) -> int:
        """The song's row."""
        return self.match.row


def resolve_song(catalog: Catalog, text: str, artist: str | None = None) -> Resolution | None:
    """The song that a title means, alone or with an artist in the same text or apart; None if nothing matches.

    Songs that the text spells exactly come first: the best known of them, or with an artist apart the one whose title
    and artist are spelled most alike. If there is none, the text may be an id; otherwise the song with the highest
    score is meant, popularity included.
    """
    words = query_words(text)
    found = _exact_matches(catalog, words) if artist is None else _matches_by_artist(catalog, text, artist)
    if not found:
        named = match_by_id(catalog, text.strip()) if artist is None else None
        if named:
            return Resolution(named)
        found = _fuzzy_matches(catalog, words if artist is None else query_words(f"{text} {artist}"), typing=False)
        found = found if artist is None else [match for match in found if match.artist is not None]
    return _resolution(catalog, found) if found else None


def resolve_artist(catalog: Catalog, name: str) -> int | None:
    """The artist of a name or an id: the first of those that :func:`rank_spellings` ranks."""
    same_name = [*artists_by_name(catalog, [search_key(name)])[0].tolist(), *artists_by_title_key(catalog, name)]
    ranked = rank_spellings(catalog, name, same_name)
    return ranked[0] if ranked else artist_by_id(catalog, name)


def rank_spellings(catalog: Catalog, name: str, artists: Iterable[int]) -> list[int]:
    """Artists who share a name, the closest spelling first (``KEY_LEVELS``), then those with most songs."""
    names, songs = catalog.texts("artists"), catalog.lists("artist", "songs")
    keys = [key(name) for key in KEY_LEVELS]
    return sorted(set(artists), key=lambda row: (match_level(keys, names[row]), -songs.length(row), row))


def resolve_genre(genres: Sequence[str], name: str) -> str | None:
    """The genre of a name in any spelling; one that is written exactly so has precedence."""
    return name if name in genres else _genres_by_key(tuple(genres)).get(genre_key(name))


def genre_key(genre: str) -> str:
    """The key that all spellings of a genre share: ``R & B``, ``r-n-b`` and ``rnb`` have ``rnb``."""
    text = re.sub(r"&|\band\b", "n", genre.casefold())
    return re.sub(r"[\W_]+", "", text) or genre


def resolve_link(catalog: Catalog, kind: str, identity: str, limit: int) -> SearchResults:
    """What a link leads to: a song, or an artist with the best-known songs.

    kind : ``"track"`` or ``"artist"``
    """
    if kind == "track":
        named = match_by_id(catalog, identity)
        return SearchResults((named,) if named else ())
    artist = artist_by_id(catalog, identity)
    if artist is None:
        return SearchResults(())
    songs = catalog.lists("artist", "songs")[artist][:limit].tolist()
    return SearchResults(tuple(SongMatch(row, "id", 1.0, artist, names_title=False) for row in songs), (artist,))


def match_by_id(catalog: Catalog, song: str) -> SongMatch | None:
    """The song of an id."""
    row = song_by_id(catalog, song)
    if row is None:
        return None
    artists = catalog.lists("song", "artists")[row].tolist()
    return SongMatch(row, "id", 1.0, artists[0] if artists else None)


def search(catalog: Catalog, text: str, limit: int) -> SearchResults:
    """Songs, artists and genres that a text names; the text may be incomplete, as while somebody types."""
    named = match_by_id(catalog, text.strip())
    if named or not text.strip():
        return SearchResults((named,) if named else ())
    words = query_words(text)
    found = {
        match.row: match for match in (*_fuzzy_matches(catalog, words, typing=True), *_exact_matches(catalog, words))
    }
    artists = _search_artists(catalog, text, list(found.values()))
    for artist in artists[:1] if _is_artist_query(catalog, words, artists, list(found.values())) else ():
        for row in catalog.lists("artist", "songs")[artist][:limit].tolist():
            found.setdefault(row, SongMatch(row, "parts", _ARTIST_SONG_SCORE, artist, names_title=False))
    songs, genres = rank_matches(catalog, list(found.values())), search_genres(catalog.manifest["genres"], text)
    return SearchResults(_distinct(catalog, songs, limit), tuple(artists[:MAX_OFFERED]), tuple(genres[:MAX_OFFERED]))


def rank_matches(catalog: Catalog, found: Sequence[SongMatch]) -> list[SongMatch]:
    """Matches by their scores and the songs' popularity together, then the most popular first."""
    rows = np.array([match.row for match in found], np.int64)
    scores = np.array([match.score for match in found]) + POPULARITY_WEIGHT * popularity_with_artist(
        catalog, rows
    ).astype(np.float64)
    order = np.lexsort((rows, -popularity(catalog, rows), -scores.round(6)))
    return [found[index] for index in order.tolist()]


def prefetch(catalog: Catalog, ids: Sequence[str], named: Sequence[tuple[str | None, str | None]]) -> None:
    """Announce what will be looked up, so that a remote catalogue fetches it at once.

    ids : of songs
    named : titles, artists, or both
    """

    def keys() -> dict[str, list[int]]:
        pairs = [pair for title, artist in named for pair in _lookup_pairs(title, artist)]
        alone = [title.strip() for title, artist in named if title and artist is None]
        return {
            "id_hashes": [hash64(text) for text in (*ids, *alone)],
            "title_hashes": [hash64(title) for title, _ in pairs if title],
            "artist_hashes": [
                *(hash64(artist_search_key(name)) for _, name in pairs),
                *(hash64(title_key(artist)) for title, artist in named if artist and not title),
            ],
        }

    catalog.prefetch_keys(keys)


def _lookup_pairs(title: str | None, artist: str | None) -> list[tuple[str, str]]:
    """The keys of titles and artists that :func:`resolve_song` and :func:`resolve_artist` look up."""
    if title and artist is None:
        return title_artist_splits(query_words(title))
    return [(search_key(title) if title else "", search_key(artist) if artist else "")]


def _distinct(catalog: Catalog, found: Sequence[SongMatch], limit: int) -> tuple[SongMatch, ...]:
    """The first ``limit`` matches; of songs with the same title and artists, only the first."""
    names, song_artists = catalog.texts("names"), catalog.lists("song", "artists")
    kept: dict[tuple[str, tuple[int, ...]], SongMatch] = {}
    for match in found:
        kept.setdefault((names[match.row], tuple(song_artists[match.row].tolist())), match)
        if len(kept) == limit:
            break
    return tuple(kept.values())


def _search_artists(catalog: Catalog, text: str, found: Sequence[SongMatch]) -> list[int]:
    """Artists whom the text names beside a title, then those whose names the whole text is like."""
    matched = [match.artist for match in found if match.artist is not None and match.kind != "parts"]
    song_artists = catalog.lists("song", "artists")
    of_songs = (artist for match in found for artist in song_artists[match.row].tolist())
    with_prefix = artists_with_prefix(catalog, " ".join(query_words(text)), MAX_PREFIX_MATCHES).tolist()
    return list(dict.fromkeys([*matched, *rank_artists(catalog, text, [*with_prefix, *of_songs])]))


def _is_artist_query(
    catalog: Catalog, words: Sequence[str], artists: Sequence[int], found: Sequence[SongMatch]
) -> bool:
    """Whether a text is an artist's name: exactly, or if it is not also a title, the beginning of one."""
    if not artists or any(match.names_title and match.artist in artists for match in found):
        return False
    exact = search_key(catalog.texts("artists")[artists[0]]) == join_words(words)
    return exact or not any(match.kind == "exact" for match in found)


def _resolution(catalog: Catalog, found: Sequence[SongMatch]) -> Resolution:
    """The first of several matches, and the others as alternatives."""
    best, *others = found
    works = catalog.reader("works")
    seen = {int(works.take(best.row))}
    of_other_works: list[SongMatch] = []
    versions: list[SongMatch] = []
    for match in others:
        work = int(works.take(match.row))
        (versions if work in seen else of_other_works).append(match)
        seen.add(work)
    ambiguous = any(match.kind == best.kind == "exact" for match in of_other_works)
    alternatives = [match.row for match in (*of_other_works, *versions)]
    return Resolution(best, ambiguous, tuple(alternatives[:MAX_ALTERNATIVES]))


def _exact_matches(catalog: Catalog, words: Sequence[str]) -> list[SongMatch]:
    """All songs that words spell exactly, as a title or as title and artist in either order, the best known first."""
    pairs = title_artist_splits(words)
    titles, artists = (
        songs_by_title(catalog, [title for title, _ in pairs]),
        artists_by_name(catalog, [name for _, name in pairs]),
    )
    found: dict[int, SongMatch] = {}
    for (_, name), songs, performers in zip(pairs, titles, artists):
        if not name:
            found |= {row: SongMatch(row, "exact", 1.0) for row in songs[:MAX_SAME_TITLE].tolist()}
        elif len(songs) and len(performers):
            found |= {
                row: SongMatch(row, "exact", 1.0, artist)
                for row, artist in _songs_by_artists(catalog, songs, performers)
            }
    return rank_matches(catalog, list(found.values()))


def _songs_by_artists(catalog: Catalog, songs: np.ndarray, artists: np.ndarray) -> Iterator[tuple[int, int]]:
    """The songs that any of the artists is credited in, each with that artist; once for each such artist."""
    performers, counts = catalog.lists("song", "artists").gather(songs)
    owners = np.repeat(songs, counts)
    for artist in artists.tolist():
        for row in owners[performers == artist].tolist():
            yield row, artist


def _matches_by_artist(catalog: Catalog, text: str, artist: str) -> list[SongMatch]:
    """Songs of exactly this title by exactly this artist; the text may name the artist as well.

    The artist's own songs come before those that feature the artist, then closer spellings (``KEY_LEVELS``) of the
    title and of the artist, then the more popular songs.
    """
    (artists,) = artists_by_name(catalog, [search_key(artist)])
    (songs,) = songs_by_title(catalog, [search_key(text)])
    found = dict(_songs_by_artists(catalog, songs, artists))
    if not found:
        return [match for match in _exact_matches(catalog, query_words(text)) if match.artist in artists]
    rows = np.array(list(found), np.int64)
    known = dict(zip(rows.tolist(), popularity(catalog, rows).tolist()))
    title_keys, artist_keys = ([key(name) for key in KEY_LEVELS] for name in (text, artist))

    def order(row: int) -> tuple[bool, int, int, float, int]:
        levels = [match_level(artist_keys, name) for name in artist_names(catalog, row)]
        is_featured = levels[0] > min(levels)
        return is_featured, match_level(title_keys, catalog.texts("names")[row]), min(levels), -known[row], row

    return [SongMatch(row, "exact", 1.0, found[row]) for row in sorted(found, key=order)]


def _fuzzy_matches(catalog: Catalog, words: Sequence[str], *, typing: bool) -> list[SongMatch]:
    """Songs that words may mean with typos, the best first.

    typing : whether the text may be the beginning of what is meant
    """
    rows = _trigram_candidates(catalog, " ".join(without_separators(words))[:MAX_COMPARED_LENGTH])
    if typing:
        rows = np.unique(np.concatenate([rows, titles_with_prefix(catalog, " ".join(words), MAX_PREFIX_MATCHES)]))
    return rank_matches(catalog, match_songs(catalog, words, rows, typing=typing))


def _trigram_candidates(catalog: Catalog, text: str) -> np.ndarray:
    """Rows of songs; kept for the last text, because one that means no song is searched again for suggestions."""
    last: dict[str, np.ndarray] = catalog.cached(_trigram_candidates, dict)
    rows = last.get(text)
    if rows is None:
        rows = fuzzy.songs_by_trigrams(catalog, text, MAX_CANDIDATES)
        last.clear()
        last[text] = rows
    return rows


def match_level(keys: Sequence[str], name: str) -> int:
    """The finest of ``KEY_LEVELS`` at which a name has these keys: 0 verbatim .. 3 title key, 4 for none."""
    return next((level for level, key in enumerate(KEY_LEVELS) if keys[level] == key(name)), len(KEY_LEVELS))


def rank_artists(catalog: Catalog, text: str, candidates: Iterable[int]) -> list[int]:
    """Artists whom a text names: those of this very name, then candidates with a similar one, the best known first.

    candidates : rows, such as the artists of songs that the text matches
    """
    query = join_words(query_words(text))
    exact = rank_spellings(catalog, text, artists_by_name(catalog, [query])[0].tolist())
    texts, similarity = catalog.texts("artists"), LcsSimilarity(query)
    others = np.array(list(set(candidates).difference(exact)), np.int64)
    mismatches = np.array([_mismatch(query, texts[row], similarity) for row in others.tolist()], np.int64)
    similar, mismatches = others[mismatches < _NO_MATCH], mismatches[mismatches < _NO_MATCH]
    order = np.lexsort((similar, -popularity(catalog, most_popular_songs(catalog, similar)), mismatches))
    return [*exact, *similar[order].tolist()]


def _mismatch(query: str, name: str, similarity: LcsSimilarity) -> int:
    """1 if the text begins the name, 2 if it is the name with a typo, 3 if it begins one word, else ``_NO_MATCH``."""
    spelling = search_key(name)
    if len(query) >= _MIN_PREFIX and spelling.startswith(query):
        return 1
    if similarity.ratio(spelling) >= CLOSE_SCORE:
        return 2
    return 3 if len(query) >= _MIN_PREFIX and f" {query}" in search_text(name) else _NO_MATCH


def search_genres(genres: Sequence[str], text: str) -> list[str]:
    """Genres that a text names: that of exactly this name, then those that it begins, then those with a typo."""
    keys, query = _genres_by_key(tuple(genres)), genre_key(text)[:_MAX_GENRE_LENGTH]
    exact = [keys[query]] if query in keys else []
    with_prefix = [name for key, name in keys.items() if key.startswith(query) and len(query) > 1]
    close = (
        difflib.get_close_matches(query, keys, n=3, cutoff=_GENRE_SIMILARITY)
        if len(query) < _MAX_GENRE_LENGTH
        else []
    )
    return list(dict.fromkeys([*exact, *with_prefix, *(keys[key] for key in close)]))


@functools.lru_cache(maxsize=4)
def _genres_by_key(genres: tuple[str, ...]) -> Mapping[str, str]:
    return {genre_key(genre): genre for genre in genres}
