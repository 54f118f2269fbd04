"""``GET /v1/search``: pages of songs and of artists."""

from collections.abc import Callable
from dataclasses import dataclass

from segue import notes
from segue.catalog import Catalog
from segue.spotify import finding, terms
from segue.spotify.params import Params
from segue.spotify.shapes import Shape, Shapes
from segue.spotify.terms import Terms

LONGEST = 250  # characters of a query
FARTHEST = 1000  # offset of a page, as Spotify had it
FINDERS: dict[str, Callable[[Catalog, Terms], list[int]]] = {"track": finding.tracks, "artist": finding.artists}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, checked.

    terms : what is looked for
    query : the same as it was written
    kinds : ``track``, ``artist`` or both
    limit, offset : 1..50, 0..1000
    """

    terms: Terms
    query: str
    kinds: tuple[str, ...]
    limit: int
    offset: int


def read(params: Params) -> Asked:
    """Check a request.

    Raises
    ------
    Refused
        names every fault.

    """
    query, kinds = params.text("q", LONGEST), tuple(dict.fromkeys(params.listed("type", len(FINDERS))))
    if not kinds or not set(kinds) <= set(FINDERS):
        params.fault(f"Bad search type: the table holds {' and '.join(FINDERS)}, found {','.join(kinds)[:80]!r}")
    limit, offset = params.whole("limit", 1, 50, 20), params.whole("offset", 0, FARTHEST, 0)
    params.market()
    params.check()
    return Asked(terms.read(query), query, kinds, limit, offset)


def answer(catalog: Catalog, shapes: Shapes, asked: Asked) -> Shape:
    """A page of each kind, in the order in which they were asked for; what no page could reach is not counted."""
    return {f"{kind}s": _page(catalog, shapes, asked, kind) for kind in asked.kinds}


def _page(catalog: Catalog, shapes: Shapes, asked: Asked, kind: str) -> Shape:
    with notes.timed("search"):
        rows = FINDERS[kind](catalog, asked.terms)[:FARTHEST]
    shape = {"track": shapes.track, "artist": shapes.artist}[kind]
    items = [shape(row) for row in rows[asked.offset : asked.offset + asked.limit]]
    return shapes.page(items, len(rows), {"q": asked.query, "type": kind}, asked.limit, asked.offset)
