"""Paths and methods of the service, and the view that answers each."""

import importlib
from collections.abc import Callable
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

View = Callable[..., Response]
FILES = "/page/"  # below it are the page's scripts, styles and fonts
DOCUMENTS = ("/", "/docs", "/docs/clients", "/openapi.json")


def _rule(path: str, view: str, *methods: str) -> Rule:
    """A path that a view answers: ``module.function`` in :mod:`segue.web.views`."""
    return Rule(path, endpoint=view, methods=methods or ("GET",))


ROUTES = Map(
    [
        _rule("/", "pages.page"),
        _rule("/recommend", "recommend.recommend", "GET", "POST"),
        _rule("/path", "journeys.path", "POST"),
        _rule("/playlist", "journeys.playlist", "POST"),
        _rule("/continue", "journeys.continued", "POST"),
        _rule("/batch", "batch.batch", "POST"),
        _rule("/search", "search.search"),
        _rule("/songs", "songs.songs", "GET", "POST"),
        _rule("/songs/<song>", "catalogue.song"),
        _rule("/clusters", "catalogue.clusters"),
        _rule("/clusters/<int:cluster>", "catalogue.cluster"),
        _rule("/genres", "catalogue.genres"),
        _rule("/artists/<path:name>", "catalogue.artist"),
        _rule("/map", "points.points"),
        _rule("/mcp", "mcp.mcp", "POST"),
        _rule("/healthz", "pages.healthz"),
        _rule("/readyz", "pages.readyz"),
        _rule("/openapi.json", "pages.openapi"),
        _rule("/docs", "pages.docs"),
        _rule("/docs/clients", "pages.clients"),
        _rule(f"{FILES}<stamp>/<path:name>", "pages.file"),
    ],
    strict_slashes=False,
    merge_slashes=False,
)


def answers_a_file(path: str) -> bool:
    """Whether what a path answers follows from the code alone, and from no version of the catalogue."""
    return path.startswith(FILES) or (path.rstrip("/") or "/") in DOCUMENTS


def matched(request: Request) -> tuple[View, dict[str, Any]]:
    """The view for a request, and what its path says; the view's module is imported if it has not been yet.

    Raises
    ------
    werkzeug.exceptions.NotFound, werkzeug.exceptions.MethodNotAllowed
        there is none.

    """
    endpoint, arguments = ROUTES.bind("").match(request.path, request.method)
    module, _, function = endpoint.partition(".")
    return getattr(importlib.import_module(f"segue.web.views.{module}"), function), dict(arguments)
