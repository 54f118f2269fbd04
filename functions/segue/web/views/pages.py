"""The page, the documents, and the health of the service."""

import functools
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from segue.dialects import RequestContext, accepted_coding, is_navigation, json_response
from segue.errors import ArtifactsError

EXAMPLE_URL = "http://127.0.0.1:8080"  # the service's address in documents
PAGE_FOLDER = Path(__file__).resolve().parents[1] / "page"
DIGEST_PLACEHOLDER = "page/-/"  # in HTML: where files are, but for the digest of their content
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/plain",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
STATIC_FOLDERS = ("fonts", "scripts", "styles")
_STATIC_FILE = re.compile(rf"(?:{'|'.join(STATIC_FOLDERS)})/(?:[a-z]+/)?[a-z0-9-]+\.(?:css|js|svg|woff2)")
FileState = tuple[Path, int, int]  # path, time of modification in ns, size in bytes


def healthz(_: RequestContext) -> Response:
    """Whether the process is alive."""
    return json_response({"status": "alive"})


def readyz(context: RequestContext) -> Response:
    """Which version is served; an error if there is none."""
    catalog = context.open_catalog()
    return json_response(
        {"version": catalog.version, "songs": len(catalog), "invented": catalog.manifest["invented"]}
    )


def openapi(context: RequestContext) -> Response:
    """The description of the API."""
    return _file_response(context, "openapi.json")


def docs(context: RequestContext) -> Response:
    """The description as a page."""
    return (
        _redirect(context, "../docs") if context.request.path.endswith("/") else _html_response(context, "docs.html")
    )


def clients(context: RequestContext) -> Response:
    """The instructions for clients, with the address of this service in them: Markdown, for people a page of it."""
    if is_navigation(context.request):
        response = _html_response(context, "clients.html")
    else:
        response = _file_response(context, "clients.md", lambda text: text.replace(EXAMPLE_URL, context.base_url))
    response.headers.add("Vary", "Sec-Fetch-Mode")
    return response


def page(context: RequestContext) -> Response:
    """The page."""
    if not context.request.environ["PATH_INFO"]:  # its files lie beside it, one level below
        return _redirect(context, f"{context.request.root_path.rpartition('/')[2]}/")
    return _html_response(context, "index.html")


def missing(request: Request) -> Response:
    """The page for an address that leads nowhere; what it refers to lies as many levels above as the address has."""
    top = "../" * (request.path.count("/") - 1) or "./"
    text = _read_file("missing.html").decode().replace('="./', f'="{top}')
    return Response(
        text.replace(DIGEST_PLACEHOLDER, f"page/{_content_digest(_file_states())}/"), 404, mimetype="text/html"
    )


def openapi_document() -> bytes:
    """The description of the API, in JSON."""
    return _read_file("openapi.json")


def file(context: RequestContext, digest: str, name: str) -> Response:
    """A script, style or font of the page; browsers may keep it if its URL has the current digest."""
    if not _STATIC_FILE.fullmatch(name):
        raise NotFound
    response = _file_response(context, name)
    if digest == _content_digest(_file_states()):
        response.headers["Cache-Control"] = "max-age=31536000, immutable"
    return response


def _html_response(context: RequestContext, name: str) -> Response:
    """HTML that refers to its files by the digest of their content."""
    prefix = f"page/{_content_digest(_file_states())}/"
    return _file_response(context, name, lambda text: text.replace(DIGEST_PLACEHOLDER, prefix))


def _file_response(context: RequestContext, name: str, change: Callable[[str], str] | None = None) -> Response:
    """A file of the page, or a 304 if the caller has it."""
    content = _read_file(name)
    if change:
        content = change(content.decode()).encode()
    response = Response(content, mimetype=MEDIA_TYPES[Path(name).suffix])
    return with_content_etag(response, context.request)


def _redirect(context: RequestContext, location: str) -> Response:
    """A redirect to a relative address, which works below any prefix."""
    query = context.request.query_string.decode("ascii", "ignore")
    return Response(status=308, headers={"Location": f"{location}?{query}" if query else location})


def _read_file(name: str) -> bytes:
    try:
        return (PAGE_FOLDER / name).read_bytes()
    except FileNotFoundError as error:
        if _STATIC_FILE.fullmatch(name):
            raise NotFound from None
        raise ArtifactsError(f"{name} is missing from the deployed code") from error


def _file_states() -> tuple[FileState, ...]:
    """Path, time and size of each file of the page, by which a change is noticed."""
    files = sorted(path for folder in STATIC_FOLDERS for path in (PAGE_FOLDER / folder).rglob("*.*"))
    return tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)


@functools.lru_cache(maxsize=1)
def _content_digest(states: tuple[FileState, ...]) -> str:
    """A digest of the page's files; they are read again only if one has changed."""
    content = b"".join(path.read_bytes() for path, *_ in states)
    return hashlib.sha256(content).hexdigest()[:16]


def with_content_etag(response: Response, request: Request) -> Response:
    """Give a response that depends on no version an ETag by content and coding; a 304 if the caller has it."""
    content = response.get_data() + accepted_coding(request).encode()
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"  # may be stored, and must be revalidated
    return response.make_conditional(request)
