"""The routes of Segue's own API, and its errors: the dialect beside Spotify's and OpenSubsonic's."""

import functools
import importlib
from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from segue.auth import ApiKeys
from segue.dialects import MatchingRule, RequestContext, Route, is_navigation, no_content
from segue.errors import HttpError
from segue.web import problems, serializers
from segue.web.request_context import Operation, answer_post

HEADERS: Mapping[str, str] = {}
STATIC_PREFIX = "/page/"  # below it are the page's scripts, styles and fonts
# A CDN answers by itself for a minute, for which a function may serve on what is no longer current.
CACHING = {"catalogue.points": "public, max-age=0, s-maxage=60"}
UNVERSIONED = tuple(f"pages.{name}" for name in ("healthz", "page", "docs", "clients", "openapi", "file", "share"))
OPEN_PATHS = ("/", "/docs", "/docs/clients", "/openapi.json")  # which, like the page's files, need no key
MISSING_KEY = "an API key is needed: Authorization: Bearer KEY, or X-Api-Key: KEY"


def _rule(path: str, name: str, method: str = "GET") -> MatchingRule:
    """A path with the view, or for POST the operation, that answers it: its name in :mod:`segue.web.views`."""
    return MatchingRule(path, endpoint=name, methods=[method])


ROUTES = Map(
    [
        _rule("/", "pages.page"),
        _rule("/recommend", "recommend.recommend"),
        _rule("/recommend", "recommend.RECOMMEND", "POST"),
        _rule("/path", "journeys.PATH", "POST"),
        _rule("/playlist", "journeys.PLAYLIST", "POST"),
        _rule("/order", "journeys.ORDER", "POST"),
        _rule("/continue", "journeys.CONTINUE", "POST"),
        _rule("/batch", "batch.batch", "POST"),
        _rule("/search", "catalogue.search"),
        _rule("/songs", "catalogue.songs"),
        _rule("/songs", "catalogue.SONGS", "POST"),
        _rule("/songs/<song>", "catalogue.song"),
        _rule("/clusters", "catalogue.clusters"),
        _rule("/clusters/<int:cluster>", "catalogue.cluster"),
        _rule("/genres", "catalogue.genres"),
        _rule("/artists/<path:name>", "catalogue.artist"),
        _rule("/map", "catalogue.points"),
        _rule("/s/<kind>/<ids>", "pages.share"),
        _rule("/s/<kind>/<ids>/map.svg", "pages.picture"),
        _rule("/mcp", "mcp.mcp", "POST"),
        _rule("/healthz", "pages.healthz"),
        _rule("/readyz", "pages.readyz"),
        _rule("/openapi.json", "pages.openapi"),
        _rule("/docs", "pages.docs"),
        _rule("/docs/clients", "pages.clients"),
        _rule(f"{STATIC_PREFIX}<digest>/<path:name>", "pages.file"),
    ],
    strict_slashes=False,
    merge_slashes=False,
)


def match(request: Request) -> Route:
    """The route of a request.

    Raises
    ------
    werkzeug.exceptions.NotFound, werkzeug.exceptions.MethodNotAllowed
        there is none.

    """
    try:
        endpoint, arguments = ROUTES.bind("").match(request.path, request.method)
    except MethodNotAllowed as error:
        if request.method != "OPTIONS":
            raise
        return no_content({"Allow": ", ".join(sorted(error.valid_methods or []))})
    view = load_view(endpoint)
    if isinstance(view, Operation):
        return Route(view.name, functools.partial(_respond, answer_post, {"operation": view}))
    respond = functools.partial(_respond, view, arguments)
    return Route(view.__name__, respond, endpoint not in UNVERSIONED, CACHING.get(endpoint, "no-cache"))


def load_view(name: str) -> Any:
    """A view or an operation by the name ``module.name`` in :mod:`segue.web.views`, imported if need be."""
    module, _, attribute = name.partition(".")
    return getattr(importlib.import_module(f"segue.web.views.{module}"), attribute)


def is_open(path: str) -> bool:
    """Whether a path needs no key: what it answers depends on the code alone and is the same for everybody."""
    return path.startswith(STATIC_PREFIX) or (path.rstrip("/") or "/") in OPEN_PATHS


def _respond(view: Any, arguments: Mapping[str, Any], context: RequestContext) -> Response:
    try:
        response: Response = view(context, **arguments)
    except problems.QUERY_ERRORS as error:
        return problems.query_problem(error, lambda unknown: serializers.suggestions(context.open_catalog(), unknown))
    return response


def error_response(request: Request, error: HttpError) -> Response:
    """An error as a problem document; a page where a browser was led to an address that is none."""
    if error.status == 404 and is_navigation(request):
        page: Response = load_view("pages.missing")(request)
        return page
    return problems.problem_response(error.status, str(error), headers=error.headers)


def authentication_error(request: Request, _: ApiKeys) -> HttpError:
    """The error for a request without a valid key; a browser that opens an address may ask a person for it."""
    challenge = 'Basic realm="segue", charset="UTF-8"' if is_navigation(request) else 'Bearer realm="segue"'
    return HttpError(401, MISSING_KEY, {"WWW-Authenticate": challenge})
