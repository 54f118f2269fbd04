"""``/recommend``: songs like other songs."""

from typing import Any

from werkzeug.wrappers import Response

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.dialects import RequestContext
from segue.engine import recommendation
from segue.query.parser import parse_recommend, parse_recommend_url
from segue.query.schema import Query
from segue.web import serializers
from segue.web.request_context import Operation


def recommend(context: RequestContext) -> Response:
    """Recommend songs for the parameters of a URL."""
    catalog = context.open_catalog()
    with context.engine_lock:
        wanted = serializers.requested_format(context.request)
        arguments = context.request.args.items(multi=True)
        parameters = [(name, text) for name, text in arguments if name != serializers.FORMAT_PARAMETER]
        query = parse_recommend_url(parameters, recommendation.vocabulary(catalog))
        return serializers.list_response(wanted, _execute(catalog, query))


def _execute(catalog: Catalog, query: Query) -> dict[str, Any]:
    with log_context.timed("search"):
        found = recommendation.recommend(catalog, query)
    return serializers.recommendations(catalog, found)


RECOMMEND = Operation("recommend", parse_recommend, _execute)
