"""The page, the documents, and whether the service is there."""

import functools
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from segue.errors import ArtifactsError
from segue.responses import json_response
from segue.web import public, validators
from segue.web.views.call import Call

EXAMPLE = "http://127.0.0.1:8080"  # the service's address in documents
PAGES = Path(__file__).resolve().parents[1] / "page"
STAMP = "page/-/"  # in HTML: where files are, but for the stamp of their content
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/plain",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
FOLDERS = ("fonts", "scripts", "styles")
_FILE = re.compile(rf"(?:{'|'.join(FOLDERS)})/(?:[a-z]+/)?[a-z0-9-]+\.(?:css|js|svg|woff2)")
Stat = tuple[Path, int, int]  # a file, when it was changed, its bytes


def healthz(_: Call) -> Response:
    """Whether the process is alive."""
    return json_response({"status": "alive"})


def readyz(call: Call) -> Response:
    """Whether there is a model to answer from, and which."""
    songs = call.catalog()
    return json_response({"version": songs.version, "songs": len(songs), "invented": songs.manifest["invented"]})


def openapi(call: Call) -> Response:
    """The description of the API."""
    return _answer(call, "openapi.json")


def docs(call: Call) -> Response:
    """The description as a page."""
    return _moved(call, "../docs") if call.request.path.endswith("/") else _page(call, "docs.html")


def clients(call: Call) -> Response:
    """The page with the lines to change, which name the address that it was asked for at."""
    base = public.base(call.request, call.public_url)
    return _answer(call, "clients.md", lambda text: text.replace(EXAMPLE, base))


def page(call: Call) -> Response:
    """The page."""
    if not call.request.environ["PATH_INFO"]:  # its files lie beside it, one level below
        return _moved(call, f"{call.request.root_path.rpartition('/')[2]}/")
    return _page(call, "index.html")


def document() -> bytes:
    """The description of the API, in JSON."""
    return _read("openapi.json")


def file(call: Call, stamp: str, name: str) -> Response:
    """A script, style or font of the page; kept by browsers if it is asked for by the stamp of its content."""
    if not _FILE.fullmatch(name):
        raise NotFound
    response = _answer(call, name)
    if stamp == _stamp(_stats()):
        response.headers["Cache-Control"] = "max-age=31536000, immutable"
    return response


def _page(call: Call, name: str) -> Response:
    """HTML that asks for its files by the stamp of their content."""
    stamped = f"page/{_stamp(_stats())}/"
    return _answer(call, name, lambda text: text.replace(STAMP, stamped))


def _answer(call: Call, name: str, change: Callable[[str], str] | None = None) -> Response:
    """A file of the page, or the 304 that says that the caller has it."""
    content = _read(name)
    if change:
        content = change(content.decode()).encode()
    response = Response(content, mimetype=TYPES[Path(name).suffix])
    return validators.by_content(response, call.request)


def _moved(call: Call, address: str) -> Response:
    """A redirect to an address that is relative, so that it holds below whatever prefix."""
    query = call.request.query_string.decode("ascii", "ignore")
    return Response(status=308, headers={"Location": f"{address}?{query}" if query else address})


def _read(name: str) -> bytes:
    try:
        return (PAGES / name).read_bytes()
    except FileNotFoundError as error:
        if _FILE.fullmatch(name):
            raise NotFound from None
        raise ArtifactsError(f"{name} is missing from the deployed code") from error


def _stats() -> tuple[Stat, ...]:
    """What tells that a file has changed, of all that a page may ask for."""
    files = sorted(path for folder in FOLDERS for path in (PAGES / folder).rglob("*.*"))
    return tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)


@functools.lru_cache(maxsize=1)
def _stamp(stats: tuple[Stat, ...]) -> str:
    """A digest of files; they are read again when one has changed."""
    content = b"".join(path.read_bytes() for path, *_ in stats)
    return hashlib.sha256(content).hexdigest()[:16]
