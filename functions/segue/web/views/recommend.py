"""``/recommend``: songs like other songs."""

from typing import Any

from werkzeug.wrappers import Response

from segue import engine, notes
from segue.catalog import Catalog
from segue.query import Query
from segue.query.parser import from_url, parse
from segue.web import answers, formats
from segue.web.views.call import Asked, Call, vocabulary


def recommend(call: Call) -> Response:
    """Recommend, as a body or a URL asks for it."""
    if call.request.method == "POST":
        return call.posted(RECOMMEND)
    songs = call.catalog()
    with call.turn:
        wanted = formats.wanted(call.request)
        given = [one for one in call.request.args.items(multi=True) if one[0] != formats.PARAMETER]
        return formats.response(wanted, _answer(songs, from_url(given, vocabulary(songs))))


def _answer(songs: Catalog, query: Query) -> dict[str, Any]:
    with notes.timed("search"):
        found = engine.recommend(songs, query)
    return answers.answer(songs, found)


RECOMMEND = Asked(parse, _answer, lambda query: (len(query.seeds), query.limit))
