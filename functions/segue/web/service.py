"""Answers requests: from which version, by which view, with which ETag, and what becomes of errors.

The answer to a GET follows from the version, the code, the address and what the caller accepts, so its ETag
(RFC 9110, 8.8.3) is their digest, known before the answer is. Answers to POST name the version only: there is no 304 for them.
"""

import contextlib
import functools
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from segue import log_context, releases
from segue.catalog import Catalog
from segue.config import Config
from segue.engine import recommendation
from segue.errors import ArtifactsError
from segue.query.schema import Query, Seed
from segue.releases.serving import LiveCatalog
from segue.web import problems, serializers, urls
from segue.web.request_context import RequestContext

_log = logging.getLogger("segue")
_REQUEST_CATALOG: ContextVar[Catalog | None] = ContextVar("request_catalog", default=None)
SAFE_METHODS = ("GET", "HEAD")
VERSION_HEADER = "X-Segue-Model"
RETAINED_BLOCK = 4 * 1024 * 1024  # bytes, more than any array of a search that stays within a budget
PACKAGE_FOLDER = Path(__file__).parents[1]


class Service:
    """Answers requests from the artifacts, which it opens when a request first needs them."""

    def __init__(self, config: Config):
        self._config = config
        # NumPy lets go of the interpreter at every call: requests that fight for it take twice as long together,
        # and one that is well formed waits for all that are not.
        self._engine_lock = threading.Lock()
        self._live = LiveCatalog(releases.open_releases(config), config.refresh_seconds, _check_recommends)
        retain_freed_memory()

    def handle(self, request: Request) -> Response:
        """Answer one request from one version; whatever happens, the answer is JSON or a page of ours."""
        token = _REQUEST_CATALOG.set(None)
        try:
            response = self._respond(request)
            catalog = _REQUEST_CATALOG.get()
            if catalog:
                catalog.unmap(self._config.mapped_bytes)
                add_etag(response, request, catalog.version)
            return response
        finally:
            _REQUEST_CATALOG.reset(token)

    def _respond(self, request: Request) -> Response:
        try:
            return self._respond_or_renew(request)
        except HTTPException as error:
            return problems.from_http_exception(error)
        except Exception as error:
            return self._error_response(error)

    def _error_response(self, error: Exception) -> Response:
        try:
            known = problems.from_exception(error, lambda row: serializers.song_summary(self.catalog(), row))
        except ArtifactsError as lost:  # the songs to suggest can't be read
            return self._error_response(lost)
        if known is None:
            _log.error("request failed", exc_info=error)
        return known or problems.internal_error()

    def catalog(self) -> Catalog:
        """The version that this request is answered from, the same one from its beginning to its end."""
        catalog = _REQUEST_CATALOG.get()
        if catalog is None:
            with log_context.timed("load"):
                catalog = self._live.catalog()
            log_context.bind(model=catalog.version)
            _REQUEST_CATALOG.set(catalog)
        return catalog

    def _respond_or_renew(self, request: Request) -> Response:
        """Answer a request; once more from a newer version if files of its own have vanished."""
        try:
            return self._not_modified(request) or self._dispatch(request)
        except ArtifactsError:
            if not self._live.renew():
                raise
            _REQUEST_CATALOG.set(None)
            return self._dispatch(request)

    def _not_modified(self, request: Request) -> Response | None:
        if request.if_none_match and not urls.is_static(request.path):
            with contextlib.suppress(ArtifactsError):
                return not_modified(request, self.catalog().version)
        return None

    def _dispatch(self, request: Request) -> Response:
        if urls.is_spotify(request.path):
            from segue import spotify  # most callers never need it

            base = urls.base_url(request, self._config.public_url)
            return spotify.handle(request, self.catalog, base, self._engine_lock)
        if urls.is_subsonic(request.path):
            from segue import subsonic  # as above

            return subsonic.handle(request, self.catalog, self._engine_lock)
        try:
            view, arguments = urls.match_view(request)
        except MethodNotAllowed as error:
            if request.method != "OPTIONS":
                raise
            return Response(status=204, headers={"Allow": ", ".join(sorted(error.valid_methods or []))})
        log_context.bind(route=view.__name__)
        return view(RequestContext(request, self.catalog, self._engine_lock, self._config.public_url), **arguments)


def retain_freed_memory() -> None:
    """Keep the memory that a search frees for the next one.

    glibc returns the end of its heap to the kernel once it is larger than twice the largest block that was mapped by
    itself and freed (mallopt(3), M_TRIM_THRESHOLD). Getting these pages back, request by request, costs a third of a
    search among a million songs. The block here is never touched.
    """
    np.empty(RETAINED_BLOCK, np.uint8)


def _check_recommends(catalog: Catalog) -> None:
    """Answer a first request from a version; raises what keeps it from answering."""
    song = catalog.texts("ids")[int(catalog.array("recommendable").argmax())]
    serializers.recommendations(catalog, recommendation.recommend(catalog, Query((Seed("", {}, id=song),))))


def etag(request: Request, version: str) -> str:
    """The ETag of the answer to a request, without quotes."""
    accepted = request.headers.get("Accept", "")
    content = f"{version}\n{_code_digest()}\n{request.root_url}\n{request.full_path}\n{accepted}"
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32]


def not_modified(request: Request, version: str) -> Response | None:
    """The 304 that says that the answer which the caller has still holds; None when it has another."""
    if request.method not in SAFE_METHODS or etag(request, version) not in request.if_none_match.as_set(True):
        return None
    return add_etag(Response(status=304), request, version)


def add_etag(response: Response, request: Request, version: str) -> Response:
    """Tell the version that an answer comes from, and how to ask if the answer still holds."""
    response.headers[VERSION_HEADER] = version
    if request.method in SAFE_METHODS and response.status_code in (200, 304):
        response.set_etag(etag(request, version))
        response.headers["Cache-Control"] = "no-cache"  # keep it, and ask each time
    return response


@functools.cache
def _code_digest(package: Path = PACKAGE_FOLDER) -> str:
    """A digest of all of the function's modules: a new deployment may answer otherwise from the same version."""
    sources = sorted(package.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def preload(handle: Callable[[Request], Response]) -> None:
    """Load what requests need, by one request of each kind; without artifacts the service starts all the same."""
    from werkzeug.test import EnvironBuilder  # most starts never need it

    def ask(path: str, body: Mapping[str, Any] | None = None) -> Any:
        builder = EnvironBuilder(path) if body is None else EnvironBuilder(path, method="POST", json=body)
        response = handle(Request(builder.get_environ()))
        if response.status_code != 200:
            _log.warning("not preloaded: a request answers %d", response.status_code)
            return None
        return json.loads(response.get_data())

    if ask("/readyz"):
        song = ask("/clusters/0?limit=1")["songs"][0]["id"]
        for path in ("/search?q=a", f"/songs/{song}", f"/recommend?song_id={song}&explain=true"):
            ask(path)
        recommended = (ask("/continue", {"played": [song], "limit": 1}) or {}).get("songs")
        for flow in ("steady", "harmonic"):
            ask("/playlist", {"song_id": song, "songs": 5, "flow": flow})
        if recommended:
            ask("/path", {"from": {"id": song}, "to": {"id": recommended[0]["id"]}, "length": 3})
