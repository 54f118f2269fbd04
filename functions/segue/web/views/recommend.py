"""``/recommend``: songs like other songs."""

from typing import Any

from werkzeug.wrappers import Response

from segue import log_context
from segue.catalog import Catalog
from segue.engine import recommendation
from segue.query.parser import parse_recommend, parse_recommend_url
from segue.query.schema import Query
from segue.web import formats, serializers
from segue.web.request_context import Operation, RequestContext, vocabulary


def recommend(context: RequestContext) -> Response:
    """Recommend, as a body or a URL asks for it."""
    if context.request.method == "POST":
        return context.answer_post(RECOMMEND)
    catalog = context.open_catalog()
    with context.engine_lock:
        wanted = formats.requested_format(context.request)
        parameters = [one for one in context.request.args.items(multi=True) if one[0] != formats.FORMAT_PARAMETER]
        return formats.list_response(wanted, _execute(catalog, parse_recommend_url(parameters, vocabulary(catalog))))


def _execute(catalog: Catalog, query: Query) -> dict[str, Any]:
    with log_context.timed("search"):
        found = recommendation.recommend(catalog, query)
    return serializers.recommendations(catalog, found)


RECOMMEND = Operation(parse_recommend, _execute, lambda query: (len(query.seeds), query.limit))
