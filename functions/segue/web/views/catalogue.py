"""``/songs``, ``/clusters``, ``/genres``, ``/artists``, ``/search`` and ``/map``: the contents of the catalogue.

The map consists of little-endian numbers, which a page can use as typed arrays without parsing:

======================  =============================================================================
``MAP1``                4 bytes
uint32 * 3              songs of the catalogue, ``n`` points on the map, ``c`` clusters
uint32 * ``c``          points of each cluster, in the order of ``/clusters``
uint32 * ``n``          rows of the songs, ascending: points of a cluster are neighbours
uint16 * ``n``          x, 0..65535 from left to right
uint16 * ``n``          y, on the same scale, from bottom to top
======================  =============================================================================
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from werkzeug.wrappers import Response

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.catalog.lookup import resolver
from segue.catalog.lookup.artists import resolve_artist
from segue.catalog.lookup.exact import song_by_id, songs_by_ids
from segue.catalog.lookup.resolver import resolve_link
from segue.dialects import MIN_COMPRESSED, RequestContext, accepted_coding, compress, json_response
from segue.engine.recommendation import related_artists, vocabulary
from segue.errors import Fault, InvalidQuery, UnknownSong
from segue.query.parser import RequestParser
from segue.query.schema import AUDIO_FEATURES, MAX_TEXT_LENGTH, SpotifyLink, Validator, Vocabulary, quoted
from segue.web import problems, serializers
from segue.web.request_context import Operation, query_parameters

TYPICAL_SONGS = 10  # of a cluster
SUGGESTED_ARTISTS = 5  # for a name that no artist has
MAX_OFFSET = 10**9
MAX_QUERY_LENGTH = 200  # characters
SEARCH_FIELDS = ("q", "limit")
MAX_SONGS_IN_URL, MAX_SONGS_IN_BODY = 100, 1000  # songs in a URL, which servers cut, and in a body
FEATURE_DIGITS = 4
_ROW = re.compile(r"\d{1,10}", re.ASCII)
MAP_POINTS = {"full": 200_000, "low": 16_000}  # of a map by its detail, at the most


class PageBounds(NamedTuple):
    """Which page of a long list a request wants."""

    offset: int
    limit: int


def song(context: RequestContext, song: str) -> Response:
    """All that is known about a song."""
    query_parameters(context.request)
    catalog = context.open_catalog()
    row = song_by_id(catalog, song) if len(song) <= MAX_TEXT_LENGTH else None
    if row is None:
        raise UnknownSong("no song has this id", "/id")
    return json_response(serializers.song_record(catalog, row))


def clusters(context: RequestContext) -> Response:
    """All clusters of songs, and the families that they make up."""
    query_parameters(context.request)
    catalog = context.open_catalog()
    families = [
        {name: entry[name] for name in ("id", "name", "size", "clusters")} for entry in catalog.manifest["families"]
    ]
    summaries = [_cluster_summary(catalog, index) for index in range(len(catalog.manifest["clusters"]))]
    return json_response({"families": families, "clusters": summaries})


def cluster(context: RequestContext, cluster: int) -> Response:
    """A page of a cluster's songs."""
    wanted, page = serializers.requested_format(context.request), _parse_page(context)
    catalog = context.open_catalog()
    index = catalog.cluster_indices.get(cluster)
    if index is None:
        return problems.problem_response(404, f"no cluster has the id {cluster}; see /clusters", "Unknown cluster")
    entry = catalog.manifest["clusters"][index]
    songs = _page_of_songs(catalog, page, range(entry["first"], entry["first"] + entry["size"]))
    return serializers.list_response(wanted, {**_cluster_summary(catalog, index), **songs})


def genres(context: RequestContext) -> Response:
    """All genres with their numbers of songs."""
    query_parameters(context.request)
    catalog = context.open_catalog()
    named = [serializers.genre_summary(catalog, number) for number in range(len(catalog.manifest["genres"]))]
    return json_response({"genres": named})


def artist(context: RequestContext, name: str) -> Response:
    """An artist's songs and genres, and similar artists."""
    wanted, page = serializers.requested_format(context.request), _parse_page(context)
    catalog = context.open_catalog()
    parser = RequestParser(vocabulary(catalog))
    artist_name = parser.artist_seed({"artist": name.removesuffix("/")}, "").artist or ""
    parser.raise_faults()
    with context.engine_lock:
        found = resolve_artist(catalog, artist_name)
        if found is None:
            return _unknown_artist(catalog, artist_name)
        with log_context.timed("search"):
            similar = related_artists(catalog, found)
    rows = catalog.lists("artist", "songs")[found].tolist()
    return serializers.list_response(wanted, {
        **serializers.artist_reference(catalog, found),
        "size": len(rows),
        "genres": serializers.genre_counts(catalog, rows),
        "similar": [serializers.artist_summary(catalog, row) for row in similar],
        **_page_of_songs(catalog, page, rows),
    })  # fmt: skip


def _unknown_artist(catalog: Catalog, name: str) -> Response:
    similar = resolver.search(catalog, name, SUGGESTED_ARTISTS).artists[:SUGGESTED_ARTISTS]
    suggestions = {"suggestions": [serializers.artist_summary(catalog, row) for row in similar]}
    return problems.problem_response(404, f"no artist is called {quoted(name)}", "Unknown artist", more=suggestions)


def _parse_page(context: RequestContext) -> PageBounds:
    parameters = query_parameters(context.request, ("offset", "limit", serializers.FORMAT_PARAMETER))
    validator = Validator()
    offset = validator.integer(parameters, "offset", "", 0, MAX_OFFSET, 0)
    limit = validator.integer(parameters, "limit", "", 1, 100, 20)
    validator.raise_faults()
    return PageBounds(offset, limit)


def _page_of_songs(catalog: Catalog, page: PageBounds, rows: Sequence[int]) -> dict[str, Any]:
    """The songs of one page of a list of rows."""
    return {
        **page._asdict(),
        "songs": serializers.song_summaries(catalog, rows[page.offset : page.offset + page.limit]),
    }


def _cluster_summary(catalog: Catalog, index: int) -> dict[str, Any]:
    """A cluster's family, size, genres, features, well-known songs and the clusters near it, by its index."""
    entry = catalog.manifest["clusters"][index]
    names = {other["id"]: other["name"] for other in catalog.manifest["clusters"]}
    typical = catalog.lists("cluster", "songs").head(index, TYPICAL_SONGS)
    return {
        **{name: entry[name] for name in ("id", "name", "family", "size", "genres", "features", "differences")},
        "typical": [
            serializers.with_link(catalog, serializers.song_reference(catalog, row)) for row in typical.tolist()
        ],
        "near": [{"id": number, "name": names[number]} for number in entry["near"]],
    }


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search by name.

    link : the link that the text is, if it is one
    """

    text: str
    limit: int
    link: SpotifyLink | None


def search(context: RequestContext) -> Response:
    """Find songs, artists and genres by a text, which may be incomplete, or what a Spotify link leads to."""
    parameters = query_parameters(context.request, (*SEARCH_FIELDS, serializers.FORMAT_PARAMETER))
    request = _parse_search(Validator(), parameters)
    wanted = serializers.requested_format(context.request)
    catalog = context.open_catalog()
    with context.engine_lock:
        return serializers.list_response(wanted, _execute_search(catalog, request))


def _parse_search_body(body: object, _: Vocabulary) -> SearchRequest:
    validator = Validator()
    return _parse_search(validator, validator.object_fields(body, "", SEARCH_FIELDS))


def _parse_search(validator: Validator, fields: Mapping[str, Any]) -> SearchRequest:
    text = validator.string(fields.get("q"), "/q", MAX_QUERY_LENGTH)
    request = SearchRequest(text, validator.integer(fields, "limit", "", 1, 50, 10), validator.link(text, "/q"))
    validator.raise_faults()
    return request


def _execute_search(catalog: Catalog, request: SearchRequest) -> dict[str, Any]:
    link = request.link
    with log_context.timed("search"):
        if link is None:
            found = resolver.search(catalog, request.text, request.limit)
        else:
            found = resolve_link(catalog, link.kind, link.id, request.limit)
    genres, reading = catalog.manifest["genres"], found.meant or next(iter(found.songs), None)
    summaries = serializers.song_summaries(catalog, [match.row for match in found.songs])
    return {
        "understood": serializers.understood_as(catalog, reading) if reading else None,
        "songs": [{**summary, "match": match.kind} for summary, match in zip(summaries, found.songs)],
        "artists": [serializers.artist_summary(catalog, row) for row in found.artists],
        "genres": [serializers.genre_summary(catalog, genres.index(name)) for name in found.genres],
    }


SEARCH = Operation("search", _parse_search_body, _execute_search)


def songs(context: RequestContext) -> Response:
    """Songs by id or row, in the given order; an unknown id is null in JSON, and left out of files."""
    wanted = serializers.requested_format(context.request)
    given = query_parameters(context.request, ("ids", "rows", serializers.FORMAT_PARAMETER))
    if ("ids" in given) == ("rows" in given):
        raise InvalidQuery([Fault("", "expected ids or rows, one of them")])
    if "ids" in given:
        ids = _parse_ids(given["ids"].split(","), Validator(), MAX_SONGS_IN_URL)
        return serializers.list_response(wanted, _execute_songs(context.open_catalog(), ids))
    catalog = context.open_catalog()
    rows = _parse_rows(given["rows"].split(","), len(catalog))
    return serializers.list_response(wanted, _songs_answer(catalog, rows))


def _parse_songs_body(body: object, _: Vocabulary) -> list[str]:
    validator = Validator()
    return _parse_ids(validator.object_fields(body, "", ("ids",)).get("ids", []), validator, MAX_SONGS_IN_BODY)


def _parse_ids(given: object, validator: Validator, maximum: int) -> list[str]:
    entries = validator.array(given, "/ids", 1, maximum)
    ids = [validator.song_id(one, f"/ids/{index}") for index, one in enumerate(entries)]
    validator.raise_faults()
    return ids


def _parse_rows(given: list[str], n_songs: int) -> list[int]:
    validator = Validator()
    for index, text in enumerate(validator.array(given, "/rows", 1, MAX_SONGS_IN_URL)):
        if not _ROW.fullmatch(text) or int(text) >= n_songs:
            validator.add_fault(f"/rows/{index}", f"expected a row of this model, 0..{n_songs - 1}")
    validator.raise_faults()
    return [int(text) for text in given]


def _execute_songs(catalog: Catalog, ids: Sequence[str]) -> dict[str, Any]:
    return _songs_answer(catalog, songs_by_ids(catalog, ids))


def _songs_answer(catalog: Catalog, rows: Sequence[int | None]) -> dict[str, Any]:
    details = iter(_song_details(catalog, [row for row in rows if row is not None]))
    return {"songs": [None if row is None else next(details) for row in rows], "model": catalog.version}


def _song_details(catalog: Catalog, rows: list[int]) -> list[dict[str, Any]]:
    """The summaries of songs with their map coordinates, years and audio features; null where the table has none."""
    attributes = catalog.manifest["attributes"]
    features = {
        one.name: _attribute_values(catalog, one.name, rows, one.is_integer)
        for one in AUDIO_FEATURES
        if one.name in attributes
    }
    years = _attribute_values(catalog, "year", rows, True) if "year" in attributes else [None] * len(rows)
    entries = zip(rows, catalog.take("map", rows).tolist(), serializers.song_summaries(catalog, rows), years)
    return [
        {
            **serializers.list_entry("row", row, summary, {"x": x, "y": y}),
            "year": year,
            "features": {name: column[index] for name, column in features.items()},
        }
        for index, (row, (x, y), summary, year) in enumerate(entries)
    ]


def _attribute_values(catalog: Catalog, name: str, rows: list[int], whole: bool) -> list[float | None]:
    values = catalog.attribute(name, rows).astype(np.float64)
    return [None if value != value else round(value, None if whole else FEATURE_DIGITS) for value in values.tolist()]


SONGS = Operation("songs", _parse_songs_body, _execute_songs)


def points(context: RequestContext) -> Response:
    """The coordinates of songs."""
    detail = query_parameters(context.request, ("detail",)).get("detail", "full")
    if detail not in MAP_POINTS:
        raise InvalidQuery([Fault("/detail", f"expected one of {', '.join(MAP_POINTS)}")])
    catalog = context.open_catalog()
    plain = catalog.cached(("map", detail), lambda: _encode_map(catalog, MAP_POINTS[detail]))
    coding = accepted_coding(context.request) if len(plain) >= MIN_COMPRESSED else ""
    # compressed once for a version, which takes longer than all else here
    content = catalog.cached(("compressed map", detail), lambda: compress(plain, 9)) if coding else plain
    headers = {"Content-Encoding": coding} if coding else {}
    return Response(content, headers=headers, mimetype="application/octet-stream")


def _encode_map(catalog: Catalog, most: int) -> bytes:
    offsets = catalog.array("cell_offsets").astype(np.int64)
    shown = _points_per_cell(np.diff(offsets), most)
    rows = np.repeat(offsets[:-1] - np.cumsum(shown) + shown, shown) + np.arange(shown.sum())
    n_clusters = len(catalog.manifest["clusters"])
    of_clusters = np.bincount(catalog.array("cell_clusters"), shown, n_clusters)
    across, up = catalog.take("map", rows).T
    numbers = np.concatenate([[len(catalog), len(rows), n_clusters], of_clusters, rows]).astype("<u4")
    return b"".join([b"MAP1", numbers.tobytes(), across.astype("<u2").tobytes(), up.astype("<u2").tobytes()])


def _points_per_cell(sizes: np.ndarray, most: int) -> np.ndarray:
    """How many songs of each cell, its most popular ones, are on the map: all, or the same share of each."""
    if sizes.sum() <= most:
        return sizes
    return -(-sizes * max(most - len(sizes), 1) // sizes.sum())
