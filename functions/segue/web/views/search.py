"""``/search``: songs by name."""

from werkzeug.wrappers import Response

from segue import notes
from segue.catalog import fulltext
from segue.query.reader import Reader
from segue.responses import json_response
from segue.web import answers
from segue.web.views.call import Call, refuse

LONGEST = 200  # characters


def search(call: Call) -> Response:
    """Find songs as a name is typed."""
    arguments = call.arguments(("q", "limit"))
    reader = Reader()
    text = reader.text(arguments.get("q"), "/q", LONGEST)
    limit = reader.whole(arguments, "limit", "", 1, 50, 10)
    refuse(reader)
    songs = call.catalog()
    with call.turn, notes.timed("search"):
        rows = fulltext.search(songs, text, limit)
    return json_response({"songs": answers.songs(songs, rows)})
