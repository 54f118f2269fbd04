"""``/search``: songs, artists and genres by name."""

from typing import Any

from werkzeug.wrappers import Response

from segue import notes
from segue.catalog import Catalog, lookup
from segue.query.reader import Reader
from segue.web import answers, formats
from segue.web.views.call import Call, refuse

LONGEST = 200  # characters


def search(call: Call) -> Response:
    """Find what a text names as it is typed, or the song or artist that a link leads to."""
    arguments = call.arguments(("q", "limit", formats.PARAMETER))
    reader = Reader()
    text = reader.text(arguments.get("q"), "/q", LONGEST)
    limit = reader.whole(arguments, "limit", "", 1, 50, 10)
    link = reader.link(text, "/q")
    refuse(reader)
    wanted = formats.wanted(call.request)
    songs = call.catalog()
    with call.turn, notes.timed("search"):
        found = lookup.search(songs, text, limit) if link is None else lookup.linked(songs, link.kind, link.id, limit)
    return formats.response(wanted, _found(songs, found))


def _found(catalog: Catalog, found: lookup.Found) -> dict[str, Any]:
    names = catalog.manifest["genres"]
    briefs = answers.songs(catalog, [reading.row for reading in found.songs])
    return {
        "understood": answers.understood(catalog, found.songs[0]) if found.songs else None,
        "songs": [{**brief, "match": reading.how} for brief, reading in zip(briefs, found.songs)],
        "artists": [answers.artist(catalog, row) for row in found.artists],
        "genres": [answers.genre(catalog, names.index(name)) for name in found.genres],
    }
