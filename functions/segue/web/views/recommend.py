"""``/recommend``: songs like other songs."""

from werkzeug.wrappers import Response

from segue import engine, notes
from segue.query.parser import from_url
from segue.web import answers, formats
from segue.web.views import asked
from segue.web.views.call import Call, vocabulary


def recommend(call: Call) -> Response:
    """Recommend, as a body or a URL asks for it."""
    if call.request.method == "POST":
        return call.posted(asked.recommend)
    songs = call.catalog()
    with call.turn:
        wanted = formats.wanted(call.request)
        given = [one for one in call.request.args.items(multi=True) if one[0] != formats.PARAMETER]
        query = from_url(given, vocabulary(songs))
        with notes.timed("search"):
            found = engine.recommend(songs, query)
    return formats.response(wanted, answers.answer(songs, found))
