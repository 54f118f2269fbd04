"""The routes with the view that answers each, and the address of the service behind proxies and prefixes."""

import importlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

View = Callable[..., Response]
STATIC_PREFIX = "/page/"  # below it are the page's scripts, styles and fonts
DOCUMENT_PATHS = ("/", "/docs", "/docs/clients", "/openapi.json")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~%-]+)*")
_PORTS = {"http": "80", "https": "443"}


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
        _rule("/search", "catalogue.search"),
        _rule("/songs", "catalogue.songs", "GET", "POST"),
        _rule("/songs/<song>", "catalogue.song"),
        _rule("/clusters", "catalogue.clusters"),
        _rule("/clusters/<int:cluster>", "catalogue.cluster"),
        _rule("/genres", "catalogue.genres"),
        _rule("/artists/<path:name>", "catalogue.artist"),
        _rule("/map", "catalogue.points"),
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


def is_static(path: str) -> bool:
    """Whether what a path answers follows from the code alone, and from no version of the catalogue."""
    return path.startswith(STATIC_PREFIX) or (path.rstrip("/") or "/") in DOCUMENT_PATHS


def match_view(request: Request) -> tuple[View, dict[str, Any]]:
    """The view for a request, and what its path says; the view's module is imported if it has not been yet.

    Raises
    ------
    werkzeug.exceptions.NotFound, werkzeug.exceptions.MethodNotAllowed
        there is none.

    """
    endpoint, arguments = ROUTES.bind("").match(request.path, request.method)
    module, _, function = endpoint.partition(".")
    return getattr(importlib.import_module(f"segue.web.views.{module}"), function), dict(arguments)


def is_spotify(path: str) -> bool:
    """Whether a path is of the Spotify dialect, :mod:`segue.spotify`."""
    return path == "/v1" or path.startswith("/v1/") or path.rstrip("/") == "/api/token"


def is_subsonic(path: str) -> bool:
    """Whether a path is of the OpenSubsonic dialect, :mod:`segue.subsonic`."""
    return path == "/rest" or path.startswith("/rest/")


def base_url(request: Request, configured: str | None) -> str:
    """The address of the service, without a slash at the end: as it was set up, else as the request came.

    A proxy passes on what it hides in ``X-Forwarded-Proto``, ``-Host``, ``-Port`` and ``-Prefix``; of
    several proxies the first one is what the caller saw. What can't be part of an address is passed over.
    """
    if configured:
        return configured
    scheme = _forwarded_header(request, "Proto", re.compile("https?")) or request.scheme
    host = _forwarded_header(request, "Host", _HOST) or (
        request.host if _HOST.fullmatch(request.host) else "localhost"
    )
    port = _forwarded_header(request, "Port", re.compile(r"\d{1,5}"))
    if port and port != _PORTS.get(scheme) and not re.search(r":\d+$", host):
        host = f"{host}:{port}"
    prefix = _forwarded_header(request, "Prefix", _PREFIX) or ""
    return f"{scheme}://{host}{prefix}{quote(request.root_path.rstrip('/'))}"


def _forwarded_header(request: Request, name: str, form: re.Pattern[str]) -> str | None:
    value = request.headers.get(f"X-Forwarded-{name}", "").partition(",")[0].strip().rstrip("/")
    return value if value and form.fullmatch(value) else None
