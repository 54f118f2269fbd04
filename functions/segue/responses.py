"""JSON responses, and the CORS headers of the dialects."""

import json
from collections.abc import Mapping

from werkzeug.wrappers import Response

CORS_ANY_ORIGIN = {  # any page may read a dialect's responses, as it could Spotify's; cookies are never looked at
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, *",
    "Access-Control-Expose-Headers": "Retry-After",
    "Access-Control-Max-Age": "86400",
}

_JSON = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"), default=str
)


def json_response(
    body: object,
    status: int = 200,
    mimetype: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A JSON response; no number in it may be NaN or infinite, and lone surrogates become ``?``."""
    return Response(_JSON.encode(body).encode("utf-8", "replace"), status, headers, mimetype=mimetype)
