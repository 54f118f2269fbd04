"""Artists by name: those of exactly this name, in another script, of a similar name, or by its last words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import (
    artist_by_id,
    artists_by_name,
    artists_by_title_keys,
    artists_with_prefix,
    most_popular_songs,
    popularity,
)
from segue.catalog.lookup.fuzzy import MIN_GUESS_LENGTH, LcsSimilarity, candidates, is_one_typo
from segue.catalog.normalization import (
    KEY_LEVELS,
    case_folded,
    join_words,
    match_level,
    query_words,
    search_key,
    search_text,
    transliterated,
)

CLOSE_NAME_SCORE = 0.85  # similarity below which another spelling is another name
MIN_CLOSE_NAME = 5  # letters of a name that may have a typo
MIN_CERTAIN_NAME = 8  # letters of a name that surely has one, rather than is like another by chance
MAX_PREFIX_MATCHES = 16  # artists whose names a text begins
MANY_SONGS = 10  # of an artist whose name is known, though it is one word
FIRST_NAMES_MARGIN = 25  # points of popularity by which an artist called by first names has to exceed a surname's
MAX_LENGTH_GAP = 6  # letters by which names may be longer or shorter than a text that is one with typos
_NAME_KINDS = {"close": 0, "parts": 1, "guess": 2}
_LAST_NAMES_SCORE, _FIRST_NAMES_SCORE = 0.9, 0.88
_NO_MATCH = 4
_MIN_PREFIX = 3  # letters from which the beginning of a name or of one of its words counts


@dataclass(frozen=True, slots=True)
class ArtistMatch:
    """An artist whom a text may mean.

    artist : row
    kind : ``"id"``, ``"exact"``, ``"parts"`` (its first or last words), ``"close"`` (with typos) or ``"guess"``
    score : 0..1, how well the text spells the name
    certain : whether no other reading needs to be told
    by_first_names : whether the text is the first words of the name, not the last
    """

    artist: int
    kind: str
    score: float = 1.0
    certain: bool = True
    by_first_names: bool = False


def resolve_artist(catalog: Catalog, name: str) -> int | None:
    """The artist of a name or an id: the first of those that :func:`rank_spellings` ranks."""
    found = (artists_by_name(catalog, [search_key(name)])[0], artists_by_title_keys(catalog, [name])[0])
    same_name = np.concatenate(found).tolist()
    ranked = rank_spellings(catalog, name, same_name)
    return ranked[0] if ranked else artist_by_id(catalog, name)


def rank_spellings(catalog: Catalog, name: str, artists: Iterable[int]) -> list[int]:
    """Artists who share a name, the closest spelling first (``KEY_LEVELS``), then those with most songs."""
    names, songs = catalog.texts("artists"), catalog.lists("artist", "songs")
    keys = [key(name) for key in KEY_LEVELS]
    return sorted(set(artists), key=lambda row: (match_level(keys, names[row]), -songs.length(row), row))


def artist_popularity(catalog: Catalog, artists: Sequence[int]) -> np.ndarray:
    """How well known artists are: the popularity of the best-known song of each."""
    return popularity(catalog, most_popular_songs(catalog, np.asarray(artists, np.int64)))


def exact_artists(catalog: Catalog, text: str) -> list[ArtistMatch]:
    """Artists whose whole name a text is, in any spelling or another script, the closest spelling first."""
    rows = artists_by_name(catalog, [join_words(query_words(text))])[0].tolist()
    if rows:
        ranked = rank_spellings(catalog, text, rows)
        return [ArtistMatch(row, "exact", 1.0, _is_name(catalog, query_words(text), row)) for row in ranked]
    other = transliterated(text)
    rows = artists_by_name(catalog, [join_words(query_words(other))])[0].tolist() if other else []
    return [ArtistMatch(row, "close") for row in rank_spellings(catalog, other or "", rows)]


def _is_name(catalog: Catalog, words: Sequence[str], artist: int) -> bool:
    """Whether an artist's name is surely meant: one with many songs, or of a word that is in nobody else's titles."""
    is_known = len(words) > 1 or catalog.lists("artist", "songs").length(artist) >= MANY_SONGS
    return is_known or not _count_uses(catalog, words[0], {artist})[1]


def _count_uses(catalog: Catalog, word: str, artists: set[int]) -> tuple[int, int]:
    """How many candidates are by any of the artists, and how many others have a word in their titles."""
    rows = candidates(catalog, [word])
    is_theirs = [bool(artists.intersection(by)) for by in catalog.lists("song", "artists").take(rows)]
    names = map(query_words, catalog.texts("names").take(rows))
    return sum(is_theirs), sum(word in name and not theirs for name, theirs in zip(names, is_theirs))


def artists_by_part(catalog: Catalog, words: Sequence[str]) -> list[ArtistMatch]:
    """Artists whose last or first name a single word is, if they have more songs than the word is in titles of."""
    if len(words) != 1 or len(words[0]) < MIN_GUESS_LENGTH:
        return []
    found = [match for match in close_artists(catalog, words) if match.kind == "parts"]
    n_theirs, n_titles = _count_uses(catalog, words[0], {match.artist for match in found})
    return found if n_theirs > n_titles else []


def close_artists(catalog: Catalog, words: Sequence[str]) -> list[ArtistMatch]:
    """Artists whom words name by last or first names, or with typos; guesses where a number goes with the name."""
    name = [word for word in words if not word.isdecimal()]
    performers, _ = catalog.lists("song", "artists").gather(candidates(catalog, words))
    found = _compare_names(catalog, name, performers.tolist())
    return found if len(name) == len(words) else [replace(match, kind="guess", certain=False) for match in found]


def _compare_names(catalog: Catalog, words: Sequence[str], rows: Iterable[int]) -> list[ArtistMatch]:
    """Artists whose names are words with typos, or end or begin with them, the best known of each kind first."""
    query, tail = join_words(words), f" {' '.join(words)}"
    if len(query) < MIN_GUESS_LENGTH:
        return []
    similarity, found = LcsSimilarity(query), list[ArtistMatch]()
    unique = sorted(set(rows))
    for row, name in zip(unique, catalog.texts("artists").take(np.array(unique, np.int64))):
        if len(name) > len(query) - MAX_LENGTH_GAP and (
            len(name) < len(tail) + MAX_LENGTH_GAP or words[-1] in case_folded(name)
        ):
            match = _compare_name(row, search_text(name), words, tail, similarity)
            found += [match] if match else []
    n_songs = map(catalog.lists("artist", "songs").length, (match.artist for match in found))
    best = artist_popularity(catalog, [match.artist for match in found]).tolist()
    known = {match.artist: value + min(n, MANY_SONGS) for match, value, n in zip(found, best, n_songs)}
    known |= {match.artist: known[match.artist] - FIRST_NAMES_MARGIN for match in found if match.by_first_names}
    return sorted(found, key=lambda match: (_NAME_KINDS[match.kind], -known[match.artist], match.artist))


def _compare_name(
    row: int, name: str, words: Sequence[str], tail: str, similarity: LcsSimilarity
) -> ArtistMatch | None:
    if name.endswith(tail):
        return ArtistMatch(row, "parts", _LAST_NAMES_SCORE, certain=False)
    if f" {name}".startswith(f"{tail} "):
        return ArtistMatch(row, "parts", _FIRST_NAMES_SCORE, certain=False, by_first_names=True)
    spelling = join_words(name.split())
    ratio = similarity.ratio(spelling) if similarity.allows(spelling, CLOSE_NAME_SCORE) else 0.0
    if ratio < CLOSE_NAME_SCORE or len(similarity.text) < MIN_CLOSE_NAME:
        return None
    is_long = len(similarity.text) >= MIN_CERTAIN_NAME and len(words) == len(name.split())
    certain = is_long and is_one_typo(similarity.text, spelling)
    return ArtistMatch(row, "close" if certain else "guess", round(ratio, 3), certain=certain)


def search_artists(catalog: Catalog, text: str, candidates: Iterable[int]) -> list[int]:
    """Artists whom a text that may be incomplete names: of this very name, then similar ones, the best known first.

    candidates : rows, such as the artists of songs that the text matches
    """
    words = query_words(text)
    with_prefix = artists_with_prefix(catalog, " ".join(words), MAX_PREFIX_MATCHES).tolist()
    query = join_words(words)
    exact = rank_spellings(catalog, text, artists_by_name(catalog, [query])[0].tolist())
    similarity, others = LcsSimilarity(query), np.array(list({*candidates, *with_prefix}.difference(exact)), np.int64)
    names = catalog.texts("artists").take(others)
    mismatches = np.array([_mismatch(query, name, similarity) for name in names], np.int64)
    similar, mismatches = others[mismatches < _NO_MATCH], mismatches[mismatches < _NO_MATCH]
    order = np.lexsort((similar, -popularity(catalog, most_popular_songs(catalog, similar)), mismatches))
    return [*exact, *similar[order].tolist()]


def _mismatch(query: str, name: str, similarity: LcsSimilarity) -> int:
    """1 if the text begins the name, 2 if it is the name with a typo, 3 if it begins one word, else ``_NO_MATCH``."""
    spelling = search_key(name)
    if len(query) >= _MIN_PREFIX and spelling.startswith(query):
        return 1
    if similarity.is_at_least(spelling, CLOSE_NAME_SCORE):
        return 2
    return 3 if len(query) >= _MIN_PREFIX and f" {query}" in search_text(name) else _NO_MATCH
