"""``GET /v1/recommendations``: seeds, filters and targets become a query to the engine, and its answer JSON."""

import math
from dataclasses import dataclass

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_by_id, artist_id
from segue.engine import recommendation
from segue.engine.recommendation import Pool, Recommendation
from segue.query.parser import MAX_DRAW, MAX_FILTER_ENTRIES
from segue.query.schema import Filters, Query, Seed, quoted, unknown_genre_message
from segue.spotify import query_params
from segue.spotify.query_params import ApiError, QueryParams
from segue.spotify.serializers import JsonObject, Serializer, neutral_value

MAX_SEEDS = 5  # of all kinds together; POST /recommend takes a hundred
DEFAULTS = Query(())  # with the defaults of POST /recommend


@dataclass(frozen=True, slots=True)
class ResolvedSeed:
    """A seed of the request and what it resolved to.

    kind : ``artist``, ``track`` or ``genre``
    id : as the answer shows it
    seed : for the engine; None for a well-formed id that is not in the catalogue
    """

    kind: str
    id: str
    seed: Seed | None


def read_seeds(params: QueryParams, catalog: Catalog) -> tuple[ResolvedSeed, ...]:
    """All seeds of a request; their errors are recorded as faults of the parameters."""
    names = [
        (kind, name)
        for kind in ("artist", "track", "genre")
        for name in params.comma_separated(f"seed_{kind}s", MAX_SEEDS * MAX_SEEDS)
    ]
    if not 1 <= len(names) <= MAX_SEEDS:
        params.add_fault(
            f"expected 1..{MAX_SEEDS} seeds over seed_artists, seed_tracks and seed_genres, found {len(names)}"
            + ("; POST /recommend takes a hundred" if names else "")
        )
        return ()
    seeds = []
    for kind, name in names:
        try:
            seeds.append(_resolve_seed(catalog, kind, name))
        except ApiError as error:
            params.add_fault(str(error))
    return tuple(seeds)


def _resolve_seed(catalog: Catalog, kind: str, name: str) -> ResolvedSeed:
    if kind == "track":
        is_known = query_params.find_song(catalog, name) is not None
        return ResolvedSeed("track", name, Seed("/seed_tracks", {"id": name}, id=name) if is_known else None)
    if kind == "artist":
        row = query_params.find_artist(catalog, name)
        if row is None:
            return ResolvedSeed("artist", name, None)
        artist = catalog.texts("artists")[row]
        return ResolvedSeed("artist", artist_id(artist), Seed("/seed_artists", {"artist": artist}, artist=artist))
    genres = catalog.manifest["genres"]
    genre = query_params.find_genre(genres, name)
    if genre is None:
        raise ApiError(400, unknown_genre_message(name, list(query_params.genres_by_seed(genres))))
    return ResolvedSeed("genre", name, Seed("/seed_genres", {"genre": genre}, genre=genre))


@dataclass(frozen=True, slots=True)
class RecommendationsRequest:
    """A validated request.

    seeds : every seed of the request, resolved or not
    query : for the engine; None if no seed is in the catalogue
    """

    seeds: tuple[ResolvedSeed, ...]
    query: Query | None


def parse_request(params: QueryParams, catalog: Catalog) -> RecommendationsRequest:
    """Validate a request.

    Raises
    ------
    ApiError
        names every fault, or else the artists who are not in the catalogue if no other seed is.

    """
    requested = read_seeds(params, catalog)
    resolved = tuple(seed.seed for seed in requested if seed.seed)
    params.check_market()
    query = Query(
        seeds=resolved,
        limit=params.integer("limit", 1, 100, 20),
        filters=_parse_filters(params, catalog),
        targets=_parse_targets(params, catalog),
        max_per_artist=params.max_per_artist(DEFAULTS.max_per_artist),
        exclude_seed_artists=params.boolean("exclude_seed_artists"),
        explain=params.boolean("explain"),
        draw=params.integer("draw", 0, MAX_DRAW, 0),
    )
    params.raise_faults()
    unknown = [seed.id for seed in requested if seed.kind == "artist" and seed.seed is None]
    if unknown and not resolved:
        raise ApiError(404, f"Non existing id: no artist of this table has the id {', '.join(map(quoted, unknown))}")
    return RecommendationsRequest(requested, query if resolved else None)


def response_body(catalog: Catalog, serializer: Serializer, request: RecommendationsRequest) -> JsonObject:
    """The songs, and for each seed how many songs there were before and after the filters."""
    with log_context.timed("search"):
        found = recommendation.recommend(catalog, request.query) if request.query else None
    return {
        "tracks": [_serialize_track(serializer, song) for song in found.recommendations] if found else [],
        "seeds": [
            _serialize_seed(serializer, seed, found.pool if found and seed.seed else None) for seed in request.seeds
        ],
    }


def _parse_filters(params: QueryParams, catalog: Catalog) -> Filters:
    minima, maxima = params.tunables("min"), params.tunables("max")
    ranges = {name: (minima.get(name, -math.inf), maxima.get(name, math.inf)) for name in {**minima, **maxima}}
    names = catalog.texts("artists")
    artists = [
        (name, artist_by_id(catalog, name)) for name in params.comma_separated("exclude_artists", MAX_FILTER_ENTRIES)
    ]
    return Filters(
        ranges={name: bounds for name, bounds in ranges.items() if not _passes_all(catalog, name, *bounds)},
        exclude_ids=_excluded_ids(params, catalog),
        exclude_artists=tuple(name if row is None else names[row] for name, row in artists),
    )


def _passes_all(catalog: Catalog, name: str, low: float, high: float) -> bool:
    """Whether a filter on an attribute that the table lacks lets all songs pass: all have its neutral value."""
    return name not in catalog.manifest["attributes"] and low <= neutral_value(name) <= high


def _excluded_ids(params: QueryParams, catalog: Catalog) -> tuple[str, ...]:
    excluded = []
    for name in params.comma_separated("exclude_tracks", MAX_FILTER_ENTRIES):
        try:
            excluded += [name] if query_params.find_song(catalog, name) is not None else []
        except ApiError as error:
            params.add_fault(str(error))
    return tuple(excluded)


def _parse_targets(params: QueryParams, catalog: Catalog) -> dict[str, float]:
    """Only attributes that the table has: in the others all songs are equal."""
    return {
        name: value for name, value in params.tunables("target").items() if name in catalog.manifest["attributes"]
    }


def _serialize_track(serializer: Serializer, song: Recommendation) -> JsonObject:
    explanation = {"score": song.score, "why": song.why.as_json()} if song.why else {}
    return {**serializer.track(song.row), **explanation}


def _serialize_seed(serializer: Serializer, seed: ResolvedSeed, pool: Pool | None) -> JsonObject:
    """A seed of the answer; relinking depends on markets, which tables lack, so it removes no song."""
    left = pool.after_filters if pool else 0
    return {
        "initialPoolSize": pool.catalogue if pool else 0,
        "afterFilteringSize": left,
        "afterRelinkingSize": left,
        "id": seed.id,
        "type": seed.kind.upper(),
        "href": None if seed.kind == "genre" else serializer.href(seed.kind, seed.id),
    }
