"""Which dialect answers a path, modules that are only imported when a request needs them, the service's address."""

import importlib
import re
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Request

from segue.dialects import Dialect

DIALECTS = {  # modules by the paths that each answers; the last one answers all others
    "segue.spotify.routes": re.compile(r"/v1(/.*)?|/api/token/*", re.DOTALL),
    "segue.subsonic.routes": re.compile(r"/rest(/.*)?", re.DOTALL),
    "segue.web.routes": re.compile(r".*", re.DOTALL),
}
STATIC_PREFIX = "/page/"  # below it are the page's scripts, styles and fonts
DOCUMENT_PATHS = ("/", "/docs", "/docs/clients", "/openapi.json")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~%-]+)*")
_PORTS = {"http": "80", "https": "443"}


def find_dialect(path: str) -> Dialect:
    """The dialect that answers a path; its module is imported if it has not been yet."""
    module = next(module for module, paths in DIALECTS.items() if paths.fullmatch(path))
    dialect: Any = importlib.import_module(module)
    return dialect


def load_view(name: str) -> Any:
    """A view or an operation by the name ``module.name`` in :mod:`segue.web.views`, imported if need be."""
    module, _, attribute = name.partition(".")
    return getattr(importlib.import_module(f"segue.web.views.{module}"), attribute)


def is_static(path: str) -> bool:
    """Whether the response to a path depends on the code alone, not on a version of the catalogue."""
    return path.startswith(STATIC_PREFIX) or (path.rstrip("/") or "/") in DOCUMENT_PATHS


def base_url(request: Request, configured: str | None) -> str:
    """The address of the service without a slash at the end: as configured, else derived from the request.

    Proxies tell in ``X-Forwarded-Proto``, ``-Host``, ``-Port`` and ``-Prefix`` what the caller used; of several
    proxies the first one talked to the caller. Values that can't be part of an address are ignored.
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


def _forwarded_header(request: Request, name: str, pattern: re.Pattern[str]) -> str | None:
    value = request.headers.get(f"X-Forwarded-{name}", "").partition(",")[0].strip().rstrip("/")
    return value if value and pattern.fullmatch(value) else None
