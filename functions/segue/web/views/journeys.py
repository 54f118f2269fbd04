"""``/path``, ``/playlist`` and ``/continue``: lists in which the order counts."""

from typing import Any

from werkzeug.wrappers import Response

from segue import journeys, notes
from segue.catalog import Catalog
from segue.query.journey_parser import parse_continue, parse_path, parse_playlist
from segue.query.journeys import ContinueQuery, PathQuery, PlaylistQuery
from segue.web import bodies
from segue.web import journeys as answers
from segue.web.views.call import Asked, Call


def path(call: Call) -> Response:
    """A smooth walk from one song to another."""
    return call.posted(PATH)


def playlist(call: Call) -> Response:
    """A list to be played from its beginning to its end."""
    return call.posted(PLAYLIST)


def continued(call: Call) -> Response:
    """What to play next."""
    return call.posted(CONTINUE, bodies.MANY)


def _path(songs: Catalog, query: PathQuery) -> dict[str, Any]:
    with notes.timed("search"):
        found = journeys.path(songs, query)
    return answers.path(songs, found)


def _playlist(songs: Catalog, query: PlaylistQuery) -> dict[str, Any]:
    with notes.timed("search"):
        found = journeys.playlist(songs, query)
    return answers.playlist(songs, found, query.flow)


def _continued(songs: Catalog, query: ContinueQuery) -> dict[str, Any]:
    with notes.timed("search"):
        found = journeys.continued(songs, query)
    return answers.continued(songs, found)


PATH = Asked(parse_path, _path, lambda query: (len(query.seeds), query.length))
PLAYLIST = Asked(parse_playlist, _playlist, lambda query: (len(query.query.seeds), query.wanted))
CONTINUE = Asked(parse_continue, _continued, lambda query: (1, query.query.limit))
