"""``GET /v1/search``: the grammar of a query, the songs and artists that match it, and pages of them.

A query is free text and fields, ``remaster track:Harbour artist:"The Lanterns" year:1990-1999``. A field's
value ends at its closing quotation mark; without quotation marks an artist, track or album extends to the next field,
and a genre or year is one word.

Typos in free text are tolerated. Fields must match as spelled, apart from case, accents and punctuation; typos in
them are tolerated only if nothing matches. A query without words lists the most popular songs first.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.catalog.lookup.artists import rank_spellings
from segue.catalog.lookup.exact import songs_by_isrc
from segue.catalog.lookup.resolver import search
from segue.catalog.lookup.words import artist_index, contains_words, songs_on_albums
from segue.catalog.normalization import normalized
from segue.engine.search import songs_with_genres
from segue.spotify import query_params
from segue.spotify.query_params import ApiError, QueryParams
from segue.spotify.serializers import JsonObject, Serializer

_PHRASE, _WORD = "artist|track|album", "genre|year|isrc"
_FIELD = re.compile(
    rf"""\b(?:({_PHRASE}|{_WORD}):\s*"([^"]*)"|({_WORD}):\s*(\S+)|({_PHRASE}):\s*(.*?)(?=\s+(?:{_PHRASE}|{_WORD}):|$))""",
    re.IGNORECASE,
)
_YEAR_RANGE = re.compile(r"(\d{4})(?:-(\d{4}))?", re.ASCII)
MAX_RESULTS = 1_000  # songs that a search finds; no page goes beyond
MAX_SCANNED = 5_000  # most popular songs matching the fields whose names are compared with the words
MAX_QUERY_LENGTH = 250  # characters of a query
MAX_OFFSET = 1000  # offset of a page, as Spotify had it


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """A parsed query; fields that it lacks are empty.

    isrc : of a recording; any other field is then of no consequence
    years : the first and the last one
    """

    text: str = ""
    artist: str = ""
    track: str = ""
    album: str = ""
    genre: str = ""
    isrc: str = ""
    years: tuple[int, int] | None = None

    @property
    def words(self) -> str:
        """The words to compare songs' names with."""
        return f"{self.text} {self.track}".strip()


def parse_terms(query: str) -> SearchTerms:
    """Parse a query.

    Raises
    ------
    ApiError
        the query is empty, or its years are invalid.

    """
    found = [[part for part in match.groups() if part is not None] for match in _FIELD.finditer(query)]
    fields = {name.lower(): value.strip() for name, value in found}
    years = _parse_years(fields.pop("year", ""))
    terms = SearchTerms(" ".join(_FIELD.sub(" ", query).split()), **fields, years=years)
    if terms == SearchTerms():
        raise ApiError(400, 'No search query: q holds words, or fields such as artist:"NAME"')
    return terms


def _parse_years(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = _YEAR_RANGE.fullmatch(text)
    if not found:
        raise ApiError(400, "year: expected a year, or two with a hyphen, as in year:1990-1999")
    return int(found[1]), int(found[2] or found[1])


def find_tracks(catalog: Catalog, terms: SearchTerms) -> list[int]:
    """Rows of songs."""
    if terms.isrc:
        return songs_by_isrc(catalog, terms.isrc)
    mask = _field_mask(catalog, terms)
    if not terms.words:
        return [int(row) for row in _by_popularity(catalog, mask)]
    found = search(catalog, f"{terms.words} {terms.artist}".strip(), MAX_RESULTS).songs
    if terms == SearchTerms(terms.text):
        return [match.row for match in found]
    rows = [match.row for match in found] if mask.all() else _by_popularity(catalog, mask)[:MAX_SCANNED]
    named = (match for match in found if match.kind != "parts" and match.names_title)
    fallback = [match.row for match in named if mask[match.row]]
    return _filter_by_words(catalog, rows, terms) or fallback


def find_artists(catalog: Catalog, terms: SearchTerms) -> list[int]:
    """Rows of artists: those of the name, then those whose names contain it; without a name, of the songs found."""
    name = terms.artist or terms.text
    if terms.track or terms.isrc or not name:
        song_artists = catalog.lists("song", "artists")
        return list(dict.fromkeys(int(row) for song in find_tracks(catalog, terms) for row in song_artists[song][:1]))
    index, words = artist_index(catalog), normalized(name)
    containing = index.containing(words).tolist()
    same_name = rank_spellings(catalog, name, [row for row in containing if index.names[row] == words])
    rows = list(dict.fromkeys([*same_name, *containing])) or search(catalog, name, 1).artists
    allowed = index.having_any(_field_mask(catalog, terms))
    return [row for row in rows if allowed[row]]


def _field_mask(catalog: Catalog, terms: SearchTerms) -> np.ndarray:
    """Songs that match all fields but the track's name; bool, shape (n_songs,)."""
    mask = np.ones(len(catalog), bool)
    if terms.artist:
        index = artist_index(catalog)
        mask[:] = False
        mask[index.songs_of(index.containing(normalized(terms.artist)))] = True
    if terms.album:
        mask &= songs_on_albums(catalog, normalized(terms.album))
    if terms.genre:
        genre = query_params.find_genre(catalog.manifest["genres"], terms.genre)
        mask &= songs_with_genres(catalog, (genre,)) if genre else False
    if terms.years:
        released = catalog.attribute("year")
        mask &= (released >= terms.years[0]) & (released <= terms.years[1])
    return mask


def _by_popularity(catalog: Catalog, mask: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(mask)
    return rows[np.lexsort((rows, -np.nan_to_num(catalog.attribute("popularity", rows), nan=-1)))]


def _filter_by_words(catalog: Catalog, rows: Iterable[int], terms: SearchTerms) -> list[int]:
    """Songs whose names contain the title; the text's words may be in their names or their artists'."""
    title, words, names = normalized(terms.track), normalized(terms.text).split(), catalog.texts("names")
    song_artists, artists = catalog.lists("song", "artists"), artist_index(catalog).names
    found: dict[int, str] = {}
    for row in map(int, rows):
        name = normalized(names[row])
        if contains_words(name, title):
            haystack = " ".join([name, *(artists[artist] for artist in song_artists[row].tolist())]) if words else ""
            if all(contains_words(haystack, word) for word in words):
                found[row] = name
    return sorted(found, key=lambda row: found[row] != normalized(terms.words))


FINDERS: dict[str, Callable[[Catalog, SearchTerms], list[int]]] = {"track": find_tracks, "artist": find_artists}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A validated request.

    terms : the parsed query
    query : as it was written
    kinds : ``track``, ``artist`` or both
    limit, offset : 1..50, 0..1000
    """

    terms: SearchTerms
    query: str
    kinds: tuple[str, ...]
    limit: int
    offset: int


def parse_request(params: QueryParams) -> SearchRequest:
    """Validate a request.

    Raises
    ------
    ApiError
        names every fault.

    """
    query, kinds = (
        params.text("q", MAX_QUERY_LENGTH),
        tuple(dict.fromkeys(params.comma_separated("type", len(FINDERS)))),
    )
    if not kinds or not set(kinds) <= set(FINDERS):
        params.add_fault(f"Bad search type: the table holds {' and '.join(FINDERS)}, found {','.join(kinds)[:80]!r}")
    limit, offset = params.integer("limit", 1, 50, 20), params.integer("offset", 0, MAX_OFFSET, 0)
    params.check_market()
    params.raise_faults()
    return SearchRequest(parse_terms(query), query, kinds, limit, offset)


def response_body(catalog: Catalog, serializer: Serializer, request: SearchRequest) -> JsonObject:
    """A page of each kind, in the requested order; totals count only results that some page can reach."""
    return {f"{kind}s": _page(catalog, serializer, request, kind) for kind in request.kinds}


def _page(catalog: Catalog, serializer: Serializer, request: SearchRequest, kind: str) -> JsonObject:
    with log_context.timed("search"):
        rows = FINDERS[kind](catalog, request.terms)[:MAX_OFFSET]
    serialize = {"track": serializer.track, "artist": serializer.artist}[kind]
    items = [serialize(row) for row in rows[request.offset : request.offset + request.limit]]
    return serializer.page(items, len(rows), {"q": request.query, "type": kind}, request.limit, request.offset)
