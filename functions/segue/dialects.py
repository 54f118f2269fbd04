"""What the service and the dialects of its API share: routes, the context of a request, its address, errors, JSON.

The service alone opens the artifacts, owns the engine's lock, reopens a version whose files have vanished, adds ETags
and turns exceptions into HTTP errors. A dialect is a module with routes of its own and its own way to write an error.
"""

import importlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs, quote

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from segue.auth import ApiKeys
from segue.catalog.catalog import Catalog
from segue.errors import ArtifactsError, HttpError, NoArtifacts, StoreError
from segue.limits import read_input, unreadable_body

DIALECTS = {  # modules by the paths that each answers; the last one answers all others
    "segue.spotify.routes": re.compile(r"/v1(/.*)?|/api/token/*", re.DOTALL),
    "segue.subsonic.routes": re.compile(r"/rest(/.*)?", re.DOTALL),
    "segue.web.routes": re.compile(r".*", re.DOTALL),
}
VERSION_HEADER = "X-Segue-Model"
MAX_FORM_BYTES = 16 * 1024
MAX_FORM_FIELDS = 50
MIN_COMPRESSED = 1024  # bytes of a response from which compression saves more than it takes
MIN_QUALITY = 0.001  # of a coding that is accepted at all
RETRY_AFTER = 30  # seconds; about what a fit of the demo catalogue takes
CORS_ANY_ORIGIN = {  # any page may read a dialect's responses, as it could Spotify's; cookies are never looked at
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, *",
    "Access-Control-Expose-Headers": "Retry-After",
    "Access-Control-Max-Age": "86400",
}
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_FORWARDED = {
    "Proto": re.compile("https?"),
    "Port": re.compile(r"\d{1,5}", re.ASCII),
    "Host": _HOST,
    "Prefix": re.compile(r"(?:/[A-Za-z0-9._~%-]+)*"),
}
_PORTS = {"http": "80", "https": "443"}
_JSON = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"), default=str
)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request, and what it is answered from.

    open_catalog : opens the artifacts; returns the same version for as long as the request lasts
    engine_lock : to be held while the engine computes; each ``with`` block queues anew
    base_url : where callers reach the service, without a slash at the end
    public_url : that address if it is configured, and so can be trusted
    """

    request: Request
    open_catalog: Callable[[], Catalog]
    engine_lock: AbstractContextManager[object]
    base_url: str
    public_url: str | None = None


class MatchingRule(Rule):
    """A rule that only matches. To compile what builds addresses from it would take nine tenths of its time."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002
        return lambda *_: ("", "")


class Route(NamedTuple):
    """What answers a request.

    name : in the log
    respond : makes the response; may raise any error
    versioned : whether the response follows from the version of the catalogue, which is opened for it
    caching : the Cache-Control of a versioned response; by default it may be stored, and must be revalidated
    """

    name: str
    respond: Callable[[RequestContext], Response]
    versioned: bool = True
    caching: str = "no-cache"


class Dialect(Protocol):
    """A dialect of the API, as a module."""

    HEADERS: Mapping[str, str]  # of every response

    def match(self, request: Request) -> Route:
        """The route of a request; raises HttpError or one of Werkzeug's errors if there is none."""

    def error_response(self, request: Request, error: HttpError) -> Response:
        """An error as the dialect writes it."""

    def authentication_error(self, request: Request, keys: ApiKeys) -> HttpError | None:
        """The error for a request without a valid key in its headers; None if it needs none or has one elsewhere."""


def is_navigation(request: Request) -> bool:
    """Whether a browser opens the address for a person (https://www.w3.org/TR/fetch-metadata/)."""
    return request.headers.get("Sec-Fetch-Mode") == "navigate"


def find_dialect(path: str) -> Dialect:
    """The dialect that answers a path; its module is imported if it has not been yet."""
    module = next(module for module, paths in DIALECTS.items() if paths.fullmatch(path))
    dialect: Any = importlib.import_module(module)
    return dialect


def base_url(request: Request, configured: str | None, trusted: Collection[str] = ()) -> str:
    """The address of the service without a slash at the end: as configured, else derived from the request.

    Proxies tell in ``X-Forwarded-Proto``, ``-Host``, ``-Port`` and ``-Prefix`` what the caller used, and callers may
    write there what they like, so only ``trusted`` ones count; of several proxies the first one talked to the caller.
    Values that can't be part of an address are ignored.
    """
    if configured:
        return configured
    forwarded = {name: _forwarded_header(request, name, _FORWARDED[name]) for name in trusted}
    scheme = forwarded.get("Proto") or request.scheme
    host = forwarded.get("Host") or (request.host if _HOST.fullmatch(request.host) else "localhost")
    port = forwarded.get("Port")
    if port and port != _PORTS.get(scheme) and not re.search(r":\d+$", host):
        host = f"{host}:{port}"
    return f"{scheme}://{host}{forwarded.get('Prefix') or ''}{quote(request.root_path.rstrip('/'))}"


def _forwarded_header(request: Request, name: str, pattern: re.Pattern[str]) -> str | None:
    value = request.headers.get(f"X-Forwarded-{name}", "").partition(",")[0].strip().rstrip("/")
    return value if value and pattern.fullmatch(value) else None


def read_form(request: Request) -> dict[str, str]:
    """The fields of the form in a request's body; of repeated ones the first.

    Raises
    ------
    HttpError
        it is too large, or can't be read.

    """
    body = read_input(request.stream, MAX_FORM_BYTES + 1, request.environ)
    if len(body) > MAX_FORM_BYTES:
        raise HttpError(413, f"a form may have at most {MAX_FORM_BYTES} bytes")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise HttpError(413, f"a form may have at most {MAX_FORM_FIELDS} fields") from None
    return {name: values[0] for name, values in fields.items()}


def accepted_coding(request: Request) -> str:
    """The content coding that a response may have (RFC 9110, section 12.5.3): ``gzip``, or none."""
    if "HTTP_ACCEPT_ENCODING" not in request.environ:
        return ""
    accepted = request.accept_encodings
    identity = accepted.quality("identity") if "identity" in accepted.values() else 0
    return "gzip" if accepted.quality("gzip") >= max(identity, MIN_QUALITY) else ""


def compress(content: bytes, level: int = 1) -> bytes:
    """Content in the coding ``gzip``, the same bytes each time; level 1 is fast, 9 small."""
    import zlib  # most starts never need it

    return zlib.compress(content, level, wbits=31)  # of zlib.h: 16 for gzip's header, which has no time


def no_content(headers: Mapping[str, str] | None = None) -> Route:
    """The route of an ``OPTIONS`` request, which is answered by headers alone."""
    return Route("none", lambda _: Response(status=204, headers=headers), versioned=False)


def http_error(error: Exception) -> HttpError:
    """An exception as an error for the caller, who learns nothing of stores or code."""
    match error:
        case HttpError():
            return error
        case StoreError():  # its message names files and buckets
            return _not_ready("the store of the artifacts can't be read now")
        case NoArtifacts():
            return _not_ready("no artifacts: run 'segue fit' first")
        case ArtifactsError():
            return _not_ready(str(error))
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or []))
            return HttpError(405, f"this path answers {allowed}", {"Allow": allowed})
        case NotFound():
            return HttpError(404, "there is nothing at this path; /docs lists what there is")
        case HTTPException():
            return unreadable_body()
        case _:
            return HttpError(500, "the fault is ours; the log has the details")


def _not_ready(message: str) -> HttpError:
    return HttpError(503, message, {"Retry-After": str(RETRY_AFTER)})


def json_response(
    body: object,
    status: int = 200,
    mimetype: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A JSON response; no number in it may be NaN or infinite, and lone surrogates become ``?``."""
    return Response(_JSON.encode(body).encode("utf-8", "replace"), status, headers, mimetype=mimetype)
