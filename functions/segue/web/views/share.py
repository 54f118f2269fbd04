"""``/s/KIND/IDS``: addresses to send to friends.

What the page shows lies after a #, which servers and previews never see. A preview gets a title, a description and a
picture drawn from the map; a person is led on to the page.
"""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import numpy as np
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names, songs_by_ids
from segue.catalog.normalization import without_version
from segue.dialects import RequestContext
from segue.errors import UnknownSong
from segue.query.schema import Validator
from segue.web.request_context import query_parameters

MAX_SONGS = 50
MAX_NAME_LENGTH = 80  # characters of a playlist's name
MAX_NAMED = 5  # songs that a description names
WIDTH, HEIGHT, SPAN = 1200, 630, 65535  # pixels of a picture, as previews crop them; units of the map's sides
MAX_POINTS = 4000  # of the map's songs on a picture
FRAGMENTS = {"song": "song={ids}", "list": "view=playlist&list={ids}", "walk": "view=map&list={ids}"}  # of the page
HUES = 12
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} · Segue</title>
<meta name="description" content="{description}">
<meta property="og:site_name" content="Segue">
<meta property="og:type" content="music.playlist">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{description}">
<meta property="og:image" content="{picture}">
<meta property="og:image:type" content="image/svg+xml">
<meta property="og:image:width" content="1200">
<meta property="og:image:height" content="630">
<meta name="twitter:card" content="summary_large_image">
<meta http-equiv="refresh" content="0; url={address}">
</head>
<body><p><a href="{address}">{title}</a></p></body>
</html>
"""


def share(context: RequestContext, kind: str, ids: str) -> Response:
    """A page for previews, which leads people on to what it is about."""
    name = query_parameters(context.request, ("name",)).get("name", "")[:MAX_NAME_LENGTH].strip()
    catalog, rows, known = _songs(context, kind, ids)
    query = f"?name={quote(name)}" if name else ""
    values = {
        "title": name or _title(catalog, kind, rows),
        "description": _description(catalog, rows),
        "picture": f"{context.base_url}/s/{kind}/{known}/map.svg{query}",
        "address": f"../../#{FRAGMENTS[kind].format(ids=known)}",
    }
    text = _PAGE.format(**{key: escape(value) for key, value in values.items()})
    return Response(text, mimetype="text/html")


def picture(context: RequestContext, kind: str, ids: str) -> Response:
    """The map as a picture, the songs marked on it; about 60 KB."""
    name = query_parameters(context.request, ("name",)).get("name", "")[:MAX_NAME_LENGTH].strip()
    catalog, rows, _ = _songs(context, kind, ids)
    return Response(_draw(catalog, rows, name or _title(catalog, kind, rows)), mimetype="image/svg+xml")


def _songs(context: RequestContext, kind: str, ids: str) -> tuple[Catalog, list[int], str]:
    """The catalogue, the rows of the songs that it has, and their ids as an address has them."""
    if kind not in FRAGMENTS:
        raise NotFound
    validator = Validator()
    entries = validator.array(ids.split(","), "/ids", 1, 1 if kind == "song" else MAX_SONGS)
    wanted = [validator.song_id(one, f"/ids/{number}") for number, one in enumerate(entries)]
    validator.raise_faults()
    catalog = context.open_catalog()
    rows = [row for row in songs_by_ids(catalog, wanted) if row is not None]
    if not rows:
        raise UnknownSong("no song has this id", "/ids/0")
    return catalog, rows, ",".join(catalog.texts("ids").take(np.asarray(rows)))


def _title(catalog: Catalog, kind: str, rows: Sequence[int]) -> str:
    first, last = (without_version(catalog.texts("names")[row]) for row in (rows[0], rows[-1]))
    if kind == "song":
        return f"Songs like {first} by {', '.join(artist_names(catalog, rows[0])) or 'an unknown artist'}"
    return f"From {first} to {last}, a walk over the map" if kind == "walk" else f"A playlist of {len(rows)} songs"


def _description(catalog: Catalog, rows: Sequence[int]) -> str:
    named = [
        " by ".join(filter(None, (catalog.texts("names")[row], ", ".join(artist_names(catalog, row)))))
        for row in rows[:MAX_NAMED]
    ]
    left = len(rows) - len(named)
    return "; ".join(named) + (f"; and {left} more" if left else "") + "."


def _draw(catalog: Catalog, rows: Sequence[int], title: str) -> str:
    """An SVG: points of the map in the colours of their clusters, and the songs in their order on top."""
    sample = np.unique(np.linspace(0, len(catalog) - 1, min(MAX_POINTS, len(catalog))).astype(np.int64))
    places = _pixels(catalog, sample)
    hues = np.array([entry["family"] % HUES for entry in catalog.clusters_of(sample)])
    points = "".join(
        f'<path stroke="hsl({360 * hue // HUES} 55% 62%)" d="{_dots(places[hues == hue])}"/>'
        for hue in np.unique(hues).tolist()
    )
    songs = _pixels(catalog, np.asarray(rows)).tolist()
    line = " ".join(f"{x},{y}" for x, y in songs)
    marks = "".join(f'<circle cx="{x}" cy="{y}" r="9"/>' for x, y in songs)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfbf9"/>'
        f'<g stroke-width="3" stroke-linecap="round">{points}</g>'
        f'<polyline points="{line}" fill="none" stroke="#19171b" stroke-width="3"/>'
        f'<g fill="#c4003f" stroke="#fcfbf9" stroke-width="3">{marks}</g>'
        f'<text x="40" y="{HEIGHT - 44}" font-family="system-ui, sans-serif" font-size="44" font-weight="700"'
        f' fill="#19171b" stroke="#fcfbf9" stroke-width="8" paint-order="stroke">{escape(title)}</text></svg>'
    )


def _dots(places: np.ndarray) -> str:
    return "".join(f"M{x} {y}h0" for x, y in places.tolist())


def _pixels(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """Where songs lie on a picture, x and y from its left top corner, int64, shape (n_songs, 2)."""
    across, up = catalog.take("map", rows).astype(np.float64).T / SPAN
    return np.stack([30 + across * (WIDTH - 60), 20 + (1 - up) * (HEIGHT - 40)], axis=1).round().astype(np.int64)
