"""``/recommend``: songs like other songs."""

from typing import Any

from werkzeug.wrappers import Response

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.dialects import RequestContext
from segue.engine import recommendation
from segue.query.parser import parse_recommend, parse_recommend_url
from segue.query.schema import Query
from segue.web import formats, serializers
from segue.web.request_context import Operation, vocabulary


def recommend(context: RequestContext) -> Response:
    """Recommend songs for the parameters of a URL."""
    catalog = context.open_catalog()
    with context.engine_lock:
        wanted = formats.requested_format(context.request)
        parameters = [one for one in context.request.args.items(multi=True) if one[0] != formats.FORMAT_PARAMETER]
        return formats.list_response(wanted, _execute(catalog, parse_recommend_url(parameters, vocabulary(catalog))))


def _execute(catalog: Catalog, query: Query) -> dict[str, Any]:
    with log_context.timed("search"):
        found = recommendation.recommend(catalog, query)
    return serializers.recommendations(catalog, found)


RECOMMEND = Operation("recommend", parse_recommend, _execute, lambda query: (len(query.seeds), query.limit))
