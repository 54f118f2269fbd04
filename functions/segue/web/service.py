"""The service: answers each request from one version, in the dialect of its path, with an ETag or an error.

The response to a GET follows from the version, the code, the public address and what the caller accepts, so its ETag
(RFC 9110, 8.8.3) is a digest of these, known before the response is. A response to a POST only names its version.
"""

import contextlib
import functools
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from werkzeug.wrappers import Request, Response

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.catalog.validation import damage_of
from segue.config import Config
from segue.dialects import (
    VERSION_HEADER,
    Dialect,
    RequestContext,
    accepted_coding,
    base_url,
    find_dialect,
    http_error,
)
from segue.engine.recommendation import ordinary_price
from segue.errors import ArtifactsError
from segue.limits import FairLock, RequestBudget
from segue.query.schema import Query, Seed
from segue.releases.serving import LiveCatalog, open_releases
from segue.web.routes import load_view

_log = logging.getLogger("segue")
_REQUEST_CATALOG: ContextVar[Catalog | None] = ContextVar("request_catalog", default=None)
SAFE_METHODS = ("GET", "HEAD")
RETAINED_BLOCK = 4 * 1024 * 1024  # bytes, more than any array of a search that stays within a budget
PACKAGE_FOLDER = Path(__file__).parents[1]


class Service:
    """Answers requests from the artifacts, which it opens when a request first needs them."""

    def __init__(self, config: Config):
        self._config = config
        # NumPy releases the interpreter lock in every call, so concurrent requests take twice as long as in turn.
        # Parsing waits for this lock too: many malformed requests must not slow down a well-formed one.
        self._engine_lock = FairLock(config.max_waiting)
        self._live = LiveCatalog(open_releases(config), config.refresh_seconds, _check_recommends)
        retain_freed_memory()
        load_view("recommend.RECOMMEND")  # imported while platforms still give the starting function a whole core

    def handle(self, request: Request) -> Response:
        """Answer one request from one version; any error becomes a response, too."""
        token = _REQUEST_CATALOG.set(None)
        dialect = find_dialect(request.path)
        try:
            response = self._respond(dialect, request)
            response.headers.update(dialect.HEADERS)
            catalog = _REQUEST_CATALOG.get()
            if catalog is not None:
                catalog.unmap(self._config.mapped_bytes)
                response.headers[VERSION_HEADER] = catalog.version
            return response
        finally:
            _REQUEST_CATALOG.reset(token)

    def catalog(self) -> Catalog:
        """The version that this request is answered from, the same one from its beginning to its end."""
        catalog = _REQUEST_CATALOG.get()
        if catalog is None:
            with log_context.timed("load"):
                catalog = self._live.catalog()
            log_context.bind(model=catalog.version)
            _REQUEST_CATALOG.set(catalog)
        return catalog

    def _respond(self, dialect: Dialect, request: Request) -> Response:
        try:
            return self._respond_or_renew(dialect, request)
        except Exception as error:
            known = http_error(error)
            if known.status == 500:
                _log.error("request failed", exc_info=error)
            return dialect.error_response(request, known)

    def _respond_or_renew(self, dialect: Dialect, request: Request) -> Response:
        """Answer a request; a second time, from a newer version, if files of its version have vanished."""
        try:
            return self._dispatch(dialect, request)
        except ArtifactsError:
            if not self._live.renew():
                raise
            _REQUEST_CATALOG.set(None)
            return self._dispatch(dialect, request)

    def _dispatch(self, dialect: Dialect, request: Request) -> Response:
        route = dialect.match(request)
        log_context.bind(route=route.name)
        config = self._config
        address = base_url(request, config.public_url, config.forwarded_headers)
        if route.versioned and request.method in SAFE_METHODS and request.if_none_match:
            with contextlib.suppress(ArtifactsError):
                if etag(request, self.catalog(), address) in request.if_none_match.as_set(True):
                    return add_validators(Response(status=304), request, self.catalog(), address, route.caching)
        limits = config.request_seconds, config.exact_pairs, config.request_cost
        budget = RequestBudget(self._engine_lock, *limits, self._ordinary_price, request.environ)
        try:
            response = route.respond(RequestContext(request, self.catalog, budget, address, config.public_url))
        except Exception as error:
            _raise_damage(error)
            raise
        catalog = _REQUEST_CATALOG.get()
        return add_validators(response, request, catalog, address, route.caching) if catalog is not None else response

    def _ordinary_price(self) -> float:
        catalog = self.catalog()
        return catalog.cached("ordinary price", lambda: ordinary_price(catalog))


def _raise_damage(error: Exception) -> None:
    """Raise ArtifactsError if an error that no request explains comes from a damaged version."""
    catalog = _REQUEST_CATALOG.get()
    damage = damage_of(catalog) if catalog is not None and http_error(error).status == 500 else None
    if damage:
        raise ArtifactsError(damage) from error


def retain_freed_memory() -> None:
    """Keep the memory that a search frees for the next one.

    glibc returns the end of its heap to the kernel once it is larger than twice the largest block that was mapped by
    itself and freed (mallopt(3), M_TRIM_THRESHOLD). Getting these pages back, request by request, costs a third of a
    search among a million songs. The block here is never touched.
    """
    np.empty(RETAINED_BLOCK, np.uint8)


def _check_recommends(catalog: Catalog) -> None:
    """Recommend songs like one of a version's; raises the error that prevents it."""
    song = catalog.texts("ids")[int(catalog.array("recommendable").argmax())]
    load_view("recommend.RECOMMEND").execute(catalog, Query((Seed("", {}, id=song),)))


def etag(request: Request, catalog: Catalog, address: str) -> str:
    """The ETag of the response to a request, without quotes.

    address : public, as responses may quote it
    """
    accepted = f"{request.headers.get('Accept', '')}\n{accepted_coding(request)}"
    content = f"{catalog.version}\n{_code_digest()}\n{address}\n{request.full_path}\n{accepted}"
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32]


def add_validators(response: Response, request: Request, catalog: Catalog, address: str, caching: str) -> Response:
    """Let a GET be revalidated by an ETag, unless the response has one of its own."""
    if request.method in SAFE_METHODS and response.status_code in (200, 304) and "ETag" not in response.headers:
        response.set_etag(etag(request, catalog, address))
        response.headers["Cache-Control"] = caching
    return response


@functools.cache
def _code_digest(package: Path = PACKAGE_FOLDER) -> str:
    """A digest of the function's modules: a new deployment may respond differently from the same version."""
    sources = sorted(package.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def preload(handle: Callable[[Request], Response]) -> None:
    """Load what requests need, by one request of each kind; without artifacts the service starts all the same."""
    from werkzeug.test import EnvironBuilder  # most starts never need it

    def answer(path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        builder = EnvironBuilder(path) if body is None else EnvironBuilder(path, method="POST", json=body)
        response = handle(Request(builder.get_environ()))
        if response.status_code != 200:
            _log.warning("not preloaded: a request answers %d", response.status_code)
            return {}
        found: dict[str, Any] = json.loads(response.get_data())
        return found

    songs = answer("/clusters/0?limit=1").get("songs") if answer("/readyz") else None
    if not songs:
        return
    song = songs[0]["id"]
    for path in ("/search?q=a", f"/songs/{song}", f"/recommend?song_id={song}&explain=true"):
        answer(path)
    recommended = answer("/continue", {"played": [song], "limit": 1}).get("songs")
    for flow in ("steady", "harmonic"):
        answer("/playlist", {"song_id": song, "songs": 5, "flow": flow})
    if recommended:
        answer("/path", {"from": {"id": song}, "to": {"id": recommended[0]["id"]}, "length": 3})
