"""What happens around every request: its body bounded, its key checked, its response compressed, logged, counted.

Nothing that a caller wrote is logged, neither path nor query, body or header; ids that platforms assign are.
People, CloudWatch and Cloud Logging read the same lines.
"""

import functools
import json
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from segue import log_context
from segue.auth import ApiKeys, presented_key
from segue.config import read_boolean
from segue.dialects import MIN_COMPRESSED, VERSION_HEADER, accepted_coding, compress, find_dialect, http_error
from segue.errors import ConfigError, HttpError
from segue.limits import bound_input, bounding_middleware, unreadable_body
from segue.log_context import LogContext
from segue.web.routes import is_open

METRICS_PATHS = ("/metrics", "/metrics/")
HEALTH_PATHS = ("/healthz", "/healthz/")
TOKEN_PATHS = ("/api/token", "/api/token/")  # checks keys itself, and issues tokens for them
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
# https://owasp.org/www-project-secure-headers/
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' https:;"
    " connect-src 'self' https://open.spotify.com; frame-src https://open.spotify.com; media-src https:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, If-None-Match, X-Api-Key, MCP-Protocol-Version, Mcp-Method, Mcp-Name"
    ),
    "Access-Control-Expose-Headers": "ETag, Retry-After, Server-Timing, X-Segue-Model",
    "Access-Control-Max-Age": "600",
}
HTTP_METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
TIMINGS = ("load", "search")
COUNTERS = ("trips", "ranges", "fetched")  # of reads from a bucket: consecutive waits, requests, bytes
_COMPRESSED_BEFORE = re.compile(r"font/|image/(?!svg)")  # types of content that compression makes no smaller
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader and Lambda's lineage
_AMAZON_TRACE = re.compile(
    r"(?:(?:Root|Self)=1-[0-9a-f]{8}-[0-9a-f]{24}|Parent=[0-9a-f]{16}|Sampled=[01?]"
    r"|Lineage=[0-9]{1,5}:[0-9a-f]{8}:[0-9]{1,5}(?:\|[0-9a-f]{8}:[0-9]{1,5}){0,2})"
)
_GOOGLE_TRACE = re.compile(r"[0-9a-f]{32}")  # https://cloud.google.com/trace/docs/trace-context
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
CLOUDWATCH_METRICS = [
    {"Name": "duration", "Unit": "Milliseconds"},
    {"Name": "search", "Unit": "Milliseconds"},
    {"Name": "cold", "Unit": "Count"},
    {"Name": "faults", "Unit": "Count"},
    {"Name": "bytes", "Unit": "Bytes"},
]


class JsonFormatter(logging.Formatter):
    """Log records as JSON: an exception's type and traceback, not its text, which may quote a caller."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line: dict[str, Any] = {"severity": record.levelname, "message": record.getMessage(), "logger": record.name}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


def configure_logging() -> None:
    """Make the service's logger write JSON to stderr, and only once."""
    logger = logging.getLogger("segue")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False


def bound_framework() -> None:
    """Bound the bodies of all requests under the functions framework, which answers two paths without asking us.

    It imports the function inside an application context; elsewhere there is no Flask, and no need for it.
    """
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_app_context():
        flask.current_app.wsgi_app = bounding_middleware(flask.current_app.wsgi_app)


def write_line(line: Mapping[str, Any]) -> None:
    """Write a line to stderr at once: both platforms collect stderr, and stdout belongs to the caller."""
    sys.stderr.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stderr.flush()


class Gateway:
    """Checks the key of each request, has a handler answer it, adds headers and logs it.

    handle : answers a request; never raises
    write : takes the log line of each request
    """

    def __init__(
        self,
        handle: Callable[[Request], Response],
        environ: Mapping[str, str] = os.environ,
        write: Callable[[Mapping[str, Any]], None] = write_line,
    ):
        self._handle = handle
        self._write = write
        self._keys = ApiKeys.from_environ(environ)
        self._origins = allowed_origins(environ)
        self._function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self._is_cold = True
        self._metrics = None
        if read_boolean(environ, "SEGUE_METRICS"):
            from segue.web.metrics import Metrics  # few want it, and every import costs each cold start

            self._metrics = Metrics()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        started = time.perf_counter()
        cold, self._is_cold = self._is_cold, False
        with log_context.collect() as context:
            response = self._respond(request)
        if self._keys and "public" in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "no-cache"  # no cache may answer those who have no key
        add_compression(request, response)
        add_security_headers(request, response)
        add_cors(request, response, self._origins)
        duration = (time.perf_counter() - started) * 1000
        response.headers["Server-Timing"] = _server_timing(context, duration)
        line = access_line(request, response, context, duration, cold=cold)
        if self._metrics:
            self._metrics.observe(line)
        self._write(with_cloudwatch_metrics(line, self._function_name) if self._function_name else line)
        return response

    def _respond(self, request: Request) -> Response:
        body = bound_input(request.environ)
        request.environ["segue.auth"] = self._keys
        request.environ["segue.origins"] = self._origins
        if self._origins and is_preflight(request):
            return Response(status=204)
        unauthorized = None if self._is_authorized(request) else _unauthorized(request, self._keys)
        if unauthorized:
            return unauthorized
        body.fetch()
        if body.failed:
            return _error_response(request, unreadable_body())
        if self._metrics and request.path in METRICS_PATHS and request.method in ("GET", "HEAD"):
            log_context.bind(route="metrics")
            return self._metrics.response()
        return self._handle(request)

    def _is_authorized(self, request: Request) -> bool:
        """Whether a request has a valid key in its headers, or needs none.

        Browsers send preflights without one, and the page, which is the same for everybody, asks a person for it.
        """
        if not self._keys or request.path in (*HEALTH_PATHS, *TOKEN_PATHS) or is_preflight(request):
            return True
        if is_open(request.path):
            return True
        return self._keys.accepts(presented_key(request.headers))


def _unauthorized(request: Request, keys: ApiKeys) -> Response | None:
    """A 401 as the dialect of the path writes it; None where the request has a key elsewhere, or needs none."""
    dialect = find_dialect(request.path)
    try:
        error = dialect.authentication_error(request, keys)
    except Exception as unreadable:  # the form that may hold a key is too large, or ends before it is complete
        error = http_error(unreadable)
    return None if error is None else _error_response(request, error)


def _error_response(request: Request, error: HttpError) -> Response:
    """An error as the dialect of the path writes it."""
    dialect = find_dialect(request.path)
    response = dialect.error_response(request, error)
    response.headers.update(dialect.HEADERS)  # pages of other origins may read this error as any other
    return response


def _server_timing(context: log_context.LogContext, duration: float) -> str:
    """How long the parts of a request took (https://www.w3.org/TR/server-timing/)."""
    parts = {"total": duration, **{name: context[name] for name in TIMINGS if name in context}}
    return ", ".join(f"{name};dur={milliseconds:.1f}" for name, milliseconds in parts.items())


def allowed_origins(environ: Mapping[str, str]) -> tuple[str, ...]:
    """SEGUE_CORS: origins separated by commas, or ``*``."""
    origins = tuple(entry.strip() for entry in environ.get("SEGUE_CORS", "").split(",") if entry.strip())
    for entry in origins:
        if entry != "*" and not _ORIGIN.fullmatch(entry):
            raise ConfigError(f"SEGUE_CORS: '{entry}' is no origin such as https://songs.example.org, nor *")
    return origins


def is_preflight(request: Request) -> bool:
    """Whether this is a browser's CORS preflight (https://fetch.spec.whatwg.org/#cors-preflight-request)."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def add_cors(request: Request, response: Response, allowed: tuple[str, ...]) -> None:
    """Let pages of the allowed origins alone read a response; without any, a dialect's own CORS headers remain."""
    if not allowed:
        return
    for name in [name for name in response.headers.keys() if name.lower().startswith("access-control-")]:  # noqa: SIM118
        del response.headers[name]
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if "*" in allowed or origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in allowed else origin
        response.headers.update(CORS_HEADERS)


def add_compression(request: Request, response: Response) -> None:
    """Compress a response if that is worth it and the caller can read it.

    What follows from the code alone is compressed once: pages, scripts and styles.
    """
    if response.status_code == 304:
        response.headers.add("Vary", "Accept-Encoding")
        return
    content = response.get_data()
    if len(content) < MIN_COMPRESSED or _COMPRESSED_BEFORE.match(response.mimetype or ""):
        return
    response.headers.add("Vary", "Accept-Encoding")
    if "Content-Encoding" in response.headers or not accepted_coding(request):
        return
    is_static = response.status_code == 200 and "ETag" in response.headers and VERSION_HEADER not in response.headers
    response.set_data(_compress_once(content) if is_static else compress(content))
    response.headers["Content-Encoding"] = "gzip"


@functools.lru_cache(maxsize=128)
def _compress_once(content: bytes) -> bytes:
    return compress(content, 9)


def add_security_headers(request: Request, response: Response) -> None:
    """Forbid browsers whatever a response does not need."""
    response.headers.update(SECURITY_HEADERS)
    response.headers["Content-Security-Policy"] = content_security_policy(response)
    if "https" in (request.scheme, request.headers.get("X-Forwarded-Proto")):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


def content_security_policy(response: Response) -> str:
    """The content security policy of a response.

    HTML may load files of the service, frame Spotify's player, ask Spotify for pictures, and show the pictures and
    play the audio files that a table names.
    """
    return PAGE_POLICY if response.mimetype == "text/html" else DATA_POLICY


def access_line(
    request: Request, response: Response, context: LogContext, duration: float, *, cold: bool
) -> dict[str, Any]:
    """The log line of a request.

    duration : milliseconds
    """
    is_fault = response.status_code >= 500
    route = context.get("route", "none")
    line = {
        "severity": "ERROR" if is_fault else "INFO",
        "message": f"{route} {response.status_code}",
        "route": route,
        "method": request.method if request.method in HTTP_METHODS else "other",
        "status": response.status_code,
        "duration": round(duration, 2),
        **{name: round(context[name], 2) for name in TIMINGS if name in context},
        **{name: context[name] for name in COUNTERS if name in context},
        "cold": int(cold),
        "faults": int(is_fault),
        "bytes": response.calculate_content_length() or 0,
        "model": context.get("model"),
        "trace": _trace_id(request),
    }
    lambda_context = request.environ.get("apig_wsgi.context")
    if lambda_context is not None:
        line["request"] = getattr(lambda_context, "aws_request_id", None)
    return line


def with_cloudwatch_metrics(line: Mapping[str, Any], function: str) -> dict[str, Any]:
    """A log line from which CloudWatch extracts metrics."""
    metrics = [metric for metric in CLOUDWATCH_METRICS if metric["Name"] in line]
    described = {"Namespace": "Segue", "Dimensions": [["function"]], "Metrics": metrics}
    return {
        **line,
        "function": function,
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]},
    }


def _trace_id(request: Request) -> str | None:
    """The platform's trace id of the request; None if it has another form, as when a caller made it up."""
    amazon, google = (request.headers.get(name, "") for name in ("X-Amzn-Trace-Id", "X-Cloud-Trace-Context"))
    if amazon:
        return amazon if all(map(_AMAZON_TRACE.fullmatch, amazon.split(";"))) else None
    trace = google.partition("/")[0]
    return trace if _GOOGLE_TRACE.fullmatch(trace) else None
