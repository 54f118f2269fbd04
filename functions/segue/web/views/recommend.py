"""``/recommend``: songs like other songs."""

from werkzeug.wrappers import Response

from segue import engine, notes
from segue.query import Query, Vocabulary
from segue.query.parser import from_url, parse
from segue.responses import json_response
from segue.web import answers, bodies
from segue.web.views.call import Call, vocabulary


def recommend(call: Call) -> Response:
    """Recommend, as a body or a URL asks for it."""
    songs = call.catalog()
    if call.request.method == "POST":
        bodies.read(call.request)  # it may come slowly
    with call.turn:
        query = _query(call, vocabulary(songs))
        with notes.timed("search"):
            found = engine.recommend(songs, query)
    return json_response(answers.answer(songs, found))


def _query(call: Call, known: Vocabulary) -> Query:
    if call.request.method == "POST":
        call.arguments()
        return parse(bodies.decoded(call.request), known)
    return from_url(call.request.args.items(multi=True), known)
