"""What lets caches keep an answer and ask if it still holds: an ETag that dies with the version (RFC 9110, 8.8.3).

The answer to a GET follows from the version, the code, the address and what the caller accepts, so its tag is their
digest, known before the answer is. The answers to POST carry the version alone: HTTP has no 304 for them.
"""

import functools
import hashlib
from pathlib import Path

from werkzeug.wrappers import Request, Response

SAFE = ("GET", "HEAD")
HEADER = "X-Segue-Model"
PACKAGE = Path(__file__).parents[1]


def tag(request: Request, version: str) -> str:
    """The ETag of the answer to a request, without quotes."""
    accepted = request.headers.get("Accept", "")
    said = f"{version}\n{_code()}\n{request.root_url}\n{request.full_path}\n{accepted}"
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]


def unchanged(request: Request, version: str) -> Response | None:
    """The 304 that says that the answer which the caller has still holds; None when it has another."""
    if request.method not in SAFE or tag(request, version) not in request.if_none_match.as_set(True):
        return None
    return marked(Response(status=304), request, version)


def marked(response: Response, request: Request, version: str) -> Response:
    """Tell the version that an answer comes from, and how to ask if the answer still holds."""
    response.headers[HEADER] = version
    if request.method in SAFE and response.status_code in (200, 304):
        response.set_etag(tag(request, version))
        response.headers["Cache-Control"] = "no-cache"  # keep it, and ask each time
    return response


def by_content(response: Response, request: Request) -> Response:
    """Give an answer that comes from no version the tag of its content; the 304 if the caller has that."""
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"  # keep it, and ask each time
    return response.make_conditional(request)


@functools.cache
def _code(package: Path = PACKAGE) -> str:
    """A digest of all of the function's modules: a new deployment may answer otherwise from the same version."""
    sources = sorted(package.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
