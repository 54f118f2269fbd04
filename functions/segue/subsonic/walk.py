"""``findSonicPath``: a smooth walk from one song to another."""

from dataclasses import replace

from segue import engine, notes
from segue.catalog import Catalog
from segue.errors import InvalidQuery
from segue.query.journeys import PathQuery
from segue.subsonic import seeds
from segue.subsonic.errors import GENERIC, Refused
from segue.subsonic.params import Params
from segue.subsonic.shapes import Shape, Shapes

USUAL, MOST = 25, 50  # songs, both ends included
ENDS = 2


def sonic_path(catalog: Catalog, params: Params) -> Shape:
    """The songs of a path, each with how similar it is to the first one, 0..1."""
    start, goal = (seeds.song(catalog, params.text(name), f"/{name}") for name in ("startSongId", "endSongId"))
    count = params.count("count", USUAL, MOST)
    if count < ENDS:
        raise Refused(GENERIC, f"count: a path has {ENDS} songs at the least, its ends")
    with notes.timed("search"):
        rows = _walk(catalog, PathQuery(start, goal, length=count))
    similar = engine.likeness(catalog)(rows[0], rows).tolist()
    return {"sonicMatch": Shapes(catalog).matches(rows, [round(one, 6) for one in similar])}


def _walk(catalog: Catalog, query: PathQuery) -> tuple[int, ...]:
    """Rows with one song an artist, or more where there are too few artists."""
    from segue import journeys  # most players never ask for one

    try:
        try:
            return journeys.path(catalog, query).rows
        except InvalidQuery:
            return journeys.path(catalog, replace(query, max_per_artist=None)).rows
    except InvalidQuery as error:
        raise Refused(GENERIC, error.faults[0].detail) from None
