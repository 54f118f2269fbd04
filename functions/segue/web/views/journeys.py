"""``/path``, ``/playlist`` and ``/continue``: lists in which the order counts."""

from werkzeug.wrappers import Response

from segue.web import bodies
from segue.web.views import asked
from segue.web.views.call import Call


def path(call: Call) -> Response:
    """A smooth walk from one song to another."""
    return call.posted(asked.path)


def playlist(call: Call) -> Response:
    """A list to be played from its beginning to its end."""
    return call.posted(asked.playlist)


def continued(call: Call) -> Response:
    """What to play next."""
    return call.posted(asked.continued, bodies.MANY)
