"""The API's methods that search the catalogue: ``search3``, similar songs, top songs and ``findSonicPath``.

A search text may hold title and artist in either order. Typos are tolerated except in album names, which must contain
the text. An id stands for a song, an artist, or an album, which is represented by its most popular songs.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.catalog.lookup.artists import resolve_artist
from segue.catalog.lookup.exact import artist_by_id, song_by_id, songs_by_album_id
from segue.catalog.lookup.resolver import SearchResults, search
from segue.catalog.lookup.words import albums_containing, all_albums
from segue.catalog.normalization import normalized
from segue.engine.recommendation import Recommendation, recommend
from segue.engine.scoring import Scorer
from segue.engine.seeds import resolve
from segue.errors import InvalidQuery
from segue.query.schema import PathQuery, Query, Seed, quoted
from segue.subsonic.request_params import ERROR_GENERIC, ERROR_NOT_FOUND, ApiError, RequestParams
from segue.subsonic.serializers import JsonObject, Serializer

DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 20, 1_000  # results of each kind
MAX_SEARCH_RESULTS = 1_000  # songs that a text search finds
MAX_OFFSET = 10**9
MAX_SIMILAR = 100  # songs in a list
DEFAULT_SIMILAR, DEFAULT_MATCHES = 50, 10
DEFAULT_PATH_LENGTH, MAX_PATH_LENGTH = 25, 50  # songs, start and end included
MIN_PATH_LENGTH = 2
MAX_ALBUM_SEEDS = 20  # songs that represent an album, as many as represent an artist


def search3(catalog: Catalog, params: RequestParams) -> JsonObject:
    """A page of each kind; an empty query, or ``""``, lists everything."""
    text, serializer = params.text("query").strip().strip('"*').strip(), Serializer(catalog)
    pages = {kind: _page_slice(params, kind) for kind in ("artist", "album", "song")}
    with log_context.timed("search"):
        found = _search_rows(catalog, text, pages) if text else _all_rows(catalog, pages)
    rows = {kind: [int(row) for row in found[kind][page]] for kind, page in pages.items()}
    return {
        "searchResult3": {
            "artist": [serializer.artist(row) for row in rows["artist"]],
            "album": [serializer.album(row) for row in rows["album"]],
            "song": serializer.songs(rows["song"]),
        }
    }


def _page_slice(params: RequestParams, kind: str) -> slice:
    start = params.count(f"{kind}Offset", 0, MAX_OFFSET)
    return slice(start, start + params.count(f"{kind}Count", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE))


def _search_rows(catalog: Catalog, text: str, pages: dict[str, slice]) -> dict[str, Sequence[int]]:
    songs, artists = pages["song"], pages["artist"]
    limit = min(songs.stop, MAX_SEARCH_RESULTS) if songs.stop > songs.start else int(artists.stop > artists.start)
    found = search(catalog, text, limit) if limit else SearchResults(())
    return {
        "artist": found.artists,
        "album": albums_containing(catalog, normalized(text)).tolist() if _is_requested(pages["album"]) else [],
        "song": [match.row for match in found.songs],
    }


def _all_rows(catalog: Catalog, pages: dict[str, slice]) -> dict[str, Sequence[int]]:
    return {
        "artist": range(len(catalog.texts("artists"))),
        "album": all_albums(catalog).tolist() if _is_requested(pages["album"]) else [],
        "song": range(len(catalog)),
    }


def _is_requested(page: slice) -> bool:
    return bool(page.stop > page.start)


def similar_songs(catalog: Catalog, params: RequestParams) -> JsonObject:
    """``getSimilarSongs``."""
    return {"similarSongs": {"song": _similar_songs(catalog, params)}}


def similar_songs_2(catalog: Catalog, params: RequestParams) -> JsonObject:
    """``getSimilarSongs2``, which clients also call with ids of songs and albums."""
    return {"similarSongs2": {"song": _similar_songs(catalog, params)}}


def sonic_similar_tracks(catalog: Catalog, params: RequestParams) -> JsonObject:
    """``getSonicSimilarTracks``: a song's similarity, 0..1, is its score."""
    seed = song_seed(catalog, params.text("id"))
    found = _recommend(catalog, (seed,), params.count("count", DEFAULT_MATCHES, MAX_SIMILAR))
    return {"sonicMatch": Serializer(catalog).matches([song.row for song in found], [song.score for song in found])}


def top_songs(catalog: Catalog, params: RequestParams) -> JsonObject:
    """``getTopSongs``: an artist's most popular songs, one version of each."""
    id_or_name = params.get("id") or params.text("artist")
    artist = resolve_artist(catalog, id_or_name) if id_or_name.strip() else None
    if artist is None:
        raise ApiError(ERROR_NOT_FOUND, f"no artist has the name or id {quoted(id_or_name)}; search3 finds artists")
    songs = catalog.lists("artist", "songs")[artist]
    _, first_versions = np.unique(catalog.take("works", songs), return_index=True)
    rows = songs[np.sort(first_versions)][: params.count("count", DEFAULT_SIMILAR, MAX_SIMILAR)].tolist()
    return {"topSongs": {"song": Serializer(catalog).songs(rows)}}


def _similar_songs(catalog: Catalog, params: RequestParams) -> list[JsonObject]:
    seeds = seeds_of_id(catalog, params.text("id"))
    found = _recommend(catalog, seeds, params.count("count", DEFAULT_SIMILAR, MAX_SIMILAR))
    return Serializer(catalog).songs([song.row for song in found])


def _recommend(catalog: Catalog, seeds: tuple[Seed, ...], count: int) -> tuple[Recommendation, ...]:
    if not count:
        return ()
    with log_context.timed("search"):
        return recommend(catalog, Query(seeds, limit=count, fill=True)).recommendations


def sonic_path(catalog: Catalog, params: RequestParams) -> JsonObject:
    """``findSonicPath``: the songs of a path, each with its similarity to the first one, 0..1: its score for that."""
    start, goal = (song_seed(catalog, params.text(name), f"/{name}") for name in ("startSongId", "endSongId"))
    count = params.count("count", DEFAULT_PATH_LENGTH, MAX_PATH_LENGTH)
    if count < MIN_PATH_LENGTH:
        raise ApiError(ERROR_GENERIC, f"count: a path has at least {MIN_PATH_LENGTH} songs, its ends")
    with log_context.timed("search"):
        rows = _find_path(catalog, PathQuery(start, goal, length=count))
        scores = Scorer(catalog, resolve(catalog, (start,)), {}).score(np.array(rows, np.int64))
    return {"sonicMatch": Serializer(catalog).matches(rows, scores.tolist())}


def _find_path(catalog: Catalog, query: PathQuery) -> tuple[int, ...]:
    """Rows of a path with one song per artist, or more if there are too few artists."""
    from segue.journeys.paths import path  # most players never ask for one

    try:
        try:
            return path(catalog, query).rows
        except InvalidQuery:
            return path(catalog, replace(query, max_per_artist=None)).rows
    except InvalidQuery as error:
        raise ApiError(ERROR_GENERIC, error.faults[0].detail) from None


def song_seed(catalog: Catalog, song_id: str, pointer: str = "/id") -> Seed:
    """The song with an id.

    Raises
    ------
    ApiError
        there is none.

    """
    if song_by_id(catalog, song_id) is None:
        raise ApiError(ERROR_NOT_FOUND, f"no song has the id {quoted(song_id)}; search3 finds ids")
    return Seed(pointer, {"id": song_id}, id=song_id)


def seeds_of_id(catalog: Catalog, identity: str) -> tuple[Seed, ...]:
    """The song, the artist or the songs of the album that an id stands for.

    Raises
    ------
    ApiError
        it stands for nothing.

    """
    if song_by_id(catalog, identity) is not None:
        return (song_seed(catalog, identity),)
    artist = artist_by_id(catalog, identity)
    if artist is not None:
        name = catalog.texts("artists")[artist]
        return (Seed("/id", {"artist": name}, artist=name),)
    ids = catalog.texts("ids")
    album = [ids[row] for row in songs_by_album_id(catalog, identity)[:MAX_ALBUM_SEEDS]]
    if not album:
        raise ApiError(ERROR_NOT_FOUND, f"no song, artist or album has the id {quoted(identity)}; search3 finds ids")
    return tuple(Seed("/id", {"id": identity}, id=identity) for identity in album)
