"""Where callers reach the service: what stands before its paths, behind proxies, stages and prefixes."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote

from werkzeug.wrappers import Request

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~%-]+)*")
_PORTS = {"http": "80", "https": "443"}

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def base(request: Request, configured: str | None) -> str:
    """The address of the service, without a slash at the end: as it was set up, else as the request came.

    A proxy passes on what it hides in ``X-Forwarded-Proto``, ``-Host``, ``-Port`` and ``-Prefix``; of
    several proxies the first one is what the caller saw. What can't be part of an address is passed over.
    """
    if configured:
        return configured
    scheme = _forwarded(request, "Proto", re.compile("https?")) or request.scheme
    host = _forwarded(request, "Host", _HOST) or (request.host if _HOST.fullmatch(request.host) else "localhost")
    port = _forwarded(request, "Port", re.compile(r"\d{1,5}"))
    if port and port != _PORTS.get(scheme) and not re.search(r":\d+$", host):
        host = f"{host}:{port}"
    prefix = _forwarded(request, "Prefix", _PREFIX) or ""
    return f"{scheme}://{host}{prefix}{quote(request.root_path.rstrip('/'))}"


def staged(app: Wsgi) -> Wsgi:
    """Take the stage of an API Gateway off the paths that an application sees; it becomes where it is mounted.

    A REST API has the stage in the path of its request context only, an HTTP API in every path but ``$default``'s.
    A request for the stage itself, without a slash, has an empty path (PEP 3333).
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """

    def mounted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        context = environ.get("apig_wsgi.request_context") or {}
        path, stage = environ["PATH_INFO"], f"/{context.get('stage')}"
        whole = unquote(context.get("path") or "", encoding="iso-8859-1")
        if f"{path}/".startswith(f"{stage}/"):
            environ |= {"SCRIPT_NAME": stage, "PATH_INFO": path.removeprefix(stage)}
        elif whole == stage + path:
            environ["SCRIPT_NAME"] = stage
        elif whole == stage and path == "/":
            environ |= {"SCRIPT_NAME": stage, "PATH_INFO": ""}
        return app(environ, start_response)

    return mounted


def is_spotify(path: str) -> bool:
    """Whether a path is of the Spotify dialect, :mod:`segue.spotify`."""
    return path == "/v1" or path.startswith("/v1/") or path.rstrip("/") == "/api/token"


def is_subsonic(path: str) -> bool:
    """Whether a path is of the OpenSubsonic dialect, :mod:`segue.subsonic`."""
    return path == "/rest" or path.startswith("/rest/")


def _forwarded(request: Request, name: str, form: re.Pattern[str]) -> str | None:
    value = request.headers.get(f"X-Forwarded-{name}", "").partition(",")[0].strip().rstrip("/")
    return value if value and form.fullmatch(value) else None
