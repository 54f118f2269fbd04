"""``/recommend``: songs like other songs."""

from werkzeug.wrappers import Response

from segue import engine, notes
from segue.query.parser import from_url
from segue.responses import json_response
from segue.web import answers
from segue.web.views import asked
from segue.web.views.call import Call, vocabulary


def recommend(call: Call) -> Response:
    """Recommend, as a body or a URL asks for it."""
    if call.request.method == "POST":
        return json_response(call.posted(asked.recommend))
    songs = call.catalog()
    with call.turn:
        query = from_url(call.request.args.items(multi=True), vocabulary(songs))
        with notes.timed("search"):
            found = engine.recommend(songs, query)
    return json_response(answers.answer(songs, found))
