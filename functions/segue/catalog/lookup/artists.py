"""Artists by name: those of exactly this name, in another script, of a similar name, or by its last words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import (
    artist_by_id,
    artists_by_name,
    artists_by_title_key,
    artists_with_prefix,
    most_popular_songs,
    popularity,
)
from segue.catalog.lookup.fuzzy import LcsSimilarity, is_one_typo
from segue.catalog.normalization import (
    KEY_LEVELS,
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
MIN_SURNAME = 4  # letters
_NAME_KINDS = {"close": 0, "parts": 1, "guess": 2}
_NO_MATCH = 4
_MIN_PREFIX = 3  # letters from which the beginning of a name or of one of its words counts


@dataclass(frozen=True, slots=True)
class ArtistMatch:
    """An artist whom a text may mean.

    artist : row
    kind : ``"id"``, ``"exact"``, ``"parts"`` (the last words of the name), ``"close"`` (with typos) or ``"guess"``
    score : 0..1, how well the text spells the name
    certain : whether no other reading needs to be told
    """

    artist: int
    kind: str
    score: float = 1.0
    certain: bool = True


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


def artist_popularity(catalog: Catalog, artists: Sequence[int]) -> np.ndarray:
    """How well known artists are: the popularity of the best-known song of each."""
    return popularity(catalog, most_popular_songs(catalog, np.asarray(artists, np.int64)))


def exact_artists(catalog: Catalog, text: str) -> list[ArtistMatch]:
    """Artists whose whole name a text is, in any spelling or another script, the closest spelling first."""
    rows = artists_by_name(catalog, [join_words(query_words(text))])[0].tolist()
    if rows:
        songs, is_long = catalog.lists("artist", "songs"), len(query_words(text)) > 1
        ranked = rank_spellings(catalog, text, rows)
        return [ArtistMatch(row, "exact", 1.0, is_long or songs.length(row) >= MANY_SONGS) for row in ranked]
    other = transliterated(text)
    rows = artists_by_name(catalog, [join_words(query_words(other))])[0].tolist() if other else []
    return [ArtistMatch(row, "close") for row in rank_spellings(catalog, other or "", rows)]


def close_artists(catalog: Catalog, words: Sequence[str], candidates: Iterable[int]) -> list[ArtistMatch]:
    """Candidates whose names are words with typos, or end in them, the best known of each kind first."""
    query, rows = join_words(words), np.unique(np.fromiter(candidates, np.int64))
    if not len(rows) or len(query) < MIN_SURNAME:
        return []
    names = [search_text(name) for name in catalog.texts("artists").take(rows)]
    tail, similarity = f" {' '.join(words)}", LcsSimilarity(query)
    ratios = similarity.ratios([join_words(name.split()) for name in names])
    popularities = artist_popularity(catalog, rows.tolist()).tolist()
    found: list[tuple[float, ArtistMatch]] = []
    for row, name, ratio, best in zip(rows.tolist(), names, ratios.tolist(), popularities):
        if name.endswith(tail):
            found.append((best, ArtistMatch(row, "parts", 0.9, certain=False)))
        elif ratio >= CLOSE_NAME_SCORE and len(query) >= MIN_CLOSE_NAME:
            is_long = len(query) >= MIN_CERTAIN_NAME and len(words) == len(name.split())
            certain = is_long and is_one_typo(query, join_words(name.split()))
            found.append((best, ArtistMatch(row, "close" if certain else "guess", round(ratio, 3), certain=certain)))
    found.sort(key=lambda entry: (_NAME_KINDS[entry[1].kind], -entry[0], entry[1].artist))
    return [match for _, match in found]


def search_artists(catalog: Catalog, text: str, candidates: Iterable[int]) -> list[int]:
    """Artists whom a text that may be incomplete names: of this very name, then similar ones, the best known first.

    candidates : rows, such as the artists of songs that the text matches
    """
    words = query_words(text)
    with_prefix = artists_with_prefix(catalog, " ".join(words), MAX_PREFIX_MATCHES).tolist()
    query = join_words(words)
    exact = rank_spellings(catalog, text, artists_by_name(catalog, [query])[0].tolist())
    texts, similarity = catalog.texts("artists"), LcsSimilarity(query)
    others = np.array(list({*candidates, *with_prefix}.difference(exact)), np.int64)
    mismatches = np.array([_mismatch(query, texts[row], similarity) for row in others.tolist()], np.int64)
    similar, mismatches = others[mismatches < _NO_MATCH], mismatches[mismatches < _NO_MATCH]
    order = np.lexsort((similar, -popularity(catalog, most_popular_songs(catalog, similar)), mismatches))
    return [*exact, *similar[order].tolist()]


def _mismatch(query: str, name: str, similarity: LcsSimilarity) -> int:
    """1 if the text begins the name, 2 if it is the name with a typo, 3 if it begins one word, else ``_NO_MATCH``."""
    spelling = search_key(name)
    if len(query) >= _MIN_PREFIX and spelling.startswith(query):
        return 1
    if similarity.ratio(spelling) >= CLOSE_NAME_SCORE:
        return 2
    return 3 if len(query) >= _MIN_PREFIX and f" {query}" in search_text(name) else _NO_MATCH
