"""``GET /v1/recommendations``: the engine's answer to one query, in Spotify's shape."""

import math
from dataclasses import dataclass

from segue import engine, notes
from segue.catalog import Catalog, lookup
from segue.query import Filters, Query
from segue.query.parser import LARGEST_DRAW, MOST_LISTED
from segue.spotify import ids, seeds
from segue.spotify.errors import Refused
from segue.spotify.params import Params
from segue.spotify.shapes import Shape, Shapes, neutral

OWN = Query(())  # with the defaults of POST /recommend


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, checked.

    seeds : all that were asked for
    query : for the engine; None where no seed is known
    """

    seeds: tuple[seeds.Asked, ...]
    query: Query | None


def read(params: Params, catalog: Catalog) -> Asked:
    """Check a request.

    Raises
    ------
    Refused
        names every fault.

    """
    asked = seeds.read(params, catalog)
    known = tuple(one.seed for one in asked if one.seed)
    params.market()
    query = Query(
        seeds=known,
        limit=params.whole("limit", 1, 100, 20),
        filters=_filters(params, catalog),
        targets=_targets(params, catalog),
        max_per_artist=params.cap(OWN.max_per_artist),
        exclude_seed_artists=params.truth("exclude_seed_artists"),
        explain=params.truth("explain"),
        draw=params.whole("draw", 0, LARGEST_DRAW, 0),
    )
    params.check()
    return Asked(asked, query if known else None)


def answer(catalog: Catalog, shapes: Shapes, asked: Asked) -> Shape:
    """The songs, and of each seed how many songs were considered for it and left by the filters."""
    with notes.timed("search"):
        found = engine.recommend(catalog, asked.query) if asked.query else None
    return {
        "tracks": [_track(shapes, song) for song in found.recommendations] if found else [],
        "seeds": [_seed(shapes, seed, found.pool if found and seed.seed else None) for seed in asked.seeds],
    }


def _filters(params: Params, catalog: Catalog) -> Filters:
    lowest, highest = params.tuned("min"), params.tuned("max")
    ranges = {name: (lowest.get(name, -math.inf), highest.get(name, math.inf)) for name in {**lowest, **highest}}
    names = catalog.texts("artists")
    artists = [(name, lookup.artist_by_id(catalog, name)) for name in params.listed("exclude_artists", MOST_LISTED)]
    return Filters(
        ranges={name: ends for name, ends in ranges.items() if not _passes_all(catalog, name, *ends)},
        exclude_ids=_known_songs(params, catalog),
        exclude_artists=tuple(name if row is None else names[row] for name, row in artists),
    )


def _passes_all(catalog: Catalog, name: str, low: float, high: float) -> bool:
    """Of what the table says nothing at all, every song has the neutral value that its answers show."""
    return name not in catalog.manifest["attributes"] and low <= neutral(name) <= high


def _known_songs(params: Params, catalog: Catalog) -> tuple[str, ...]:
    known = []
    for name in params.listed("exclude_tracks", MOST_LISTED):
        try:
            known += [name] if ids.song(catalog, name) is not None else []
        except Refused as error:
            params.fault(str(error))
    return tuple(known)


def _targets(params: Params, catalog: Catalog) -> dict[str, float]:
    """Those for which the table has values; no songs differ in the others."""
    return {name: value for name, value in params.tuned("target").items() if name in catalog.manifest["attributes"]}


def _track(shapes: Shapes, found: engine.Recommendation) -> Shape:
    why = {"score": found.score, "why": found.why.as_json()} if found.why else {}
    return {**shapes.track(found.row), **why}


def _seed(shapes: Shapes, asked: seeds.Asked, pool: engine.Pool | None) -> Shape:
    """Nothing is relinked, for a table knows no markets: what the filters leave is what is left."""
    left = pool.after_filters if pool else 0
    return {
        "initialPoolSize": pool.catalogue if pool else 0,
        "afterFilteringSize": left,
        "afterRelinkingSize": left,
        "id": asked.id,
        "type": asked.kind.upper(),
        "href": None if asked.kind == "genre" else shapes.href(asked.kind, asked.id),
    }
