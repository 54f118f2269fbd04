"""``search3``: songs, albums and artists that a text names, or all there are, a page at a time.

A text may hold title and artist in either order. Typos are tolerated, except for albums: their names must contain it.
"""

from collections.abc import Sequence

from segue import notes
from segue.catalog import Catalog, lookup
from segue.catalog.names import bare
from segue.subsonic.albums import albums, holding
from segue.subsonic.params import Params
from segue.subsonic.shapes import Shape, Shapes

USUAL, MOST = 20, 1_000  # of a kind, on a page
DEEPEST = 1_000  # songs that are found for a text
FARTHEST = 10**9


def search3(catalog: Catalog, params: Params) -> Shape:
    """A page of each kind; an empty query, or ``""``, lists everything."""
    text, shapes = params.text("query").strip().strip('"*').strip(), Shapes(catalog)
    pages = {kind: _page(params, kind) for kind in ("artist", "album", "song")}
    with notes.timed("search"):
        found = _found(catalog, text, pages) if text else _all(catalog, pages)
    rows = {kind: [int(row) for row in found[kind][page]] for kind, page in pages.items()}
    return {
        "searchResult3": {
            "artist": [shapes.artist(row) for row in rows["artist"]],
            "album": [shapes.album(row) for row in rows["album"]],
            "song": shapes.songs(rows["song"]),
        }
    }


def _page(params: Params, kind: str) -> slice:
    first = params.count(f"{kind}Offset", 0, FARTHEST)
    return slice(first, first + params.count(f"{kind}Count", USUAL, MOST))


def _found(catalog: Catalog, text: str, pages: dict[str, slice]) -> dict[str, Sequence[int]]:
    songs, artists = pages["song"], pages["artist"]
    wanted = min(songs.stop, DEEPEST) if songs.stop > songs.start else int(artists.stop > artists.start)
    found = lookup.search(catalog, text, wanted) if wanted else lookup.Found(())
    return {
        "artist": found.artists,
        "album": holding(catalog, bare(text)).tolist() if _is_wanted(pages["album"]) else [],
        "song": [reading.row for reading in found.songs],
    }


def _all(catalog: Catalog, pages: dict[str, slice]) -> dict[str, Sequence[int]]:
    return {
        "artist": range(len(catalog.texts("artists"))),
        "album": albums(catalog).tolist() if _is_wanted(pages["album"]) else [],
        "song": range(len(catalog)),
    }


def _is_wanted(page: slice) -> bool:
    return bool(page.stop > page.start)
