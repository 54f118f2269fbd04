"""``/path``, ``/playlist`` and ``/continue``: lists in which the order counts."""

from werkzeug.wrappers import Response

from segue.responses import json_response
from segue.web import bodies
from segue.web.views import asked
from segue.web.views.call import Call


def path(call: Call) -> Response:
    """A smooth walk from one song to another."""
    return json_response(call.posted(asked.path))


def playlist(call: Call) -> Response:
    """A list to be played from its beginning to its end."""
    return json_response(call.posted(asked.playlist))


def continued(call: Call) -> Response:
    """What to play next."""
    return json_response(call.posted(asked.continued, bodies.MANY))
