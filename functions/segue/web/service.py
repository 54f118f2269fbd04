"""The web layer: routes, bodies in and out. Only this layer knows HTTP."""

import contextlib
import logging
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from segue import engine, notes, releases
from segue.catalog import Catalog, fulltext, lookup
from segue.config import Config
from segue.errors import ArtifactsError, InvalidQuery, UnknownSong
from segue.query import Query, Seed, Vocabulary
from segue.query.parser import from_url, parse
from segue.query.reader import LONGEST_TEXT, Reader, escaped, number
from segue.releases.refresh import Live
from segue.responses import json_response
from segue.web import answers, bodies, problems, public, validators

LONGEST_SEARCH = 200  # characters
EXAMPLE = "http://127.0.0.1:8080"  # the service's address in documents
PAGES = Path(__file__).resolve().parent / "page"

ROUTES = Map(
    [
        Rule("/", endpoint="page", methods=["GET"]),
        Rule("/recommend", endpoint="recommend", methods=["GET", "POST"]),
        Rule("/search", endpoint="search", methods=["GET"]),
        Rule("/songs/<song>", endpoint="song", methods=["GET"]),
        Rule("/clusters", endpoint="clusters", methods=["GET"]),
        Rule("/clusters/<int:cluster>", endpoint="cluster", methods=["GET"]),
        Rule("/healthz", endpoint="healthz", methods=["GET"]),
        Rule("/readyz", endpoint="readyz", methods=["GET"]),
        Rule("/openapi.json", endpoint="openapi", methods=["GET"]),
        Rule("/docs", endpoint="docs", methods=["GET"]),
        Rule("/docs/clients", endpoint="clients", methods=["GET"]),
    ],
    strict_slashes=False,
    merge_slashes=False,
)

_log = logging.getLogger("segue")
_PINNED: ContextVar[Catalog | None] = ContextVar("pinned", default=None)


class Service:
    """Answers requests from the artifacts, which it opens when a request first needs them."""

    def __init__(self, config: Config):
        self._config = config
        # NumPy lets go of the interpreter at every call: requests that fight for it take twice as long together,
        # and one that is well formed waits for all that are not.
        self._turn = threading.Lock()
        self._live = Live(releases.of(config), config.refresh, _recommends)

    def handle(self, request: Request) -> Response:
        """Answer one request from one version; whatever happens, the answer is JSON or a page of ours."""
        pinned = _PINNED.set(None)
        try:
            response = self._answered(request)
            version = _PINNED.get()
            return validators.marked(response, request, version.version) if version else response
        finally:
            _PINNED.reset(pinned)

    def _answered(self, request: Request) -> Response:
        try:
            return self._renewed(request)
        except HTTPException as error:
            return problems.of_http(error)
        except Exception as error:
            return self._problem(error)

    def _problem(self, error: Exception) -> Response:
        try:
            known = problems.of_error(error, lambda row: answers.song(self.catalog(), row))
        except ArtifactsError as lost:  # the songs to suggest can't be read
            return self._problem(lost)
        if known is None:
            _log.error("request failed", exc_info=error)
        return known or problems.problem(500, "Internal error", "the fault is ours; the log has the details")

    def catalog(self) -> Catalog:
        """The version that this request is answered from, the same one from its beginning to its end."""
        songs = _PINNED.get()
        if songs is None:
            with notes.timed("load"):
                songs = self._live.catalog()
            notes.note(model=songs.version)
            _PINNED.set(songs)
        return songs

    def _renewed(self, request: Request) -> Response:
        """Answer a request; once more from a newer version if files of its own have vanished."""
        try:
            return self._unchanged(request) or self._routed(request)
        except ArtifactsError:
            if not self._live.renew():
                raise
            _PINNED.set(None)
            return self._routed(request)

    def _unchanged(self, request: Request) -> Response | None:
        if request.if_none_match:
            with contextlib.suppress(ArtifactsError):
                return validators.unchanged(request, self.catalog().version)
        return None

    def _routed(self, request: Request) -> Response:
        if public.is_spotify(request.path):
            from segue import spotify  # most callers never need it

            base = public.base(request, self._config.public_url)
            return spotify.handle(request, self.catalog, base, self._turn)
        try:
            view, arguments = ROUTES.bind("").match(request.path, request.method)
        except MethodNotAllowed as error:
            if request.method != "OPTIONS":
                raise
            return Response(status=204, headers={"Allow": ", ".join(sorted(error.valid_methods or []))})
        notes.note(route=view)
        answer: Response = getattr(self, f"_{view}")(request, **arguments)
        return answer

    def _recommend(self, request: Request) -> Response:
        songs = self.catalog()
        if request.method == "POST":
            bodies.read(request)  # it may come slowly
        with self._turn:
            query = _query(request, vocabulary(songs))
            with notes.timed("search"):
                found = engine.recommend(songs, query)
        return json_response(answers.answer(songs, found))

    def _search(self, request: Request) -> Response:
        arguments = _arguments(request, ("q", "limit"))
        reader = Reader()
        text = reader.text(arguments.get("q"), "/q", LONGEST_SEARCH)
        limit = reader.whole(arguments, "limit", "", 1, 50, 10)
        _refuse(reader)
        songs = self.catalog()
        with self._turn, notes.timed("search"):
            rows = fulltext.search(songs, text, limit)
        return json_response({"songs": answers.songs(songs, rows)})

    def _song(self, request: Request, song: str) -> Response:
        _arguments(request, ())
        songs = self.catalog()
        row = lookup.by_id(songs, song) if len(song) <= LONGEST_TEXT else None
        if row is None:
            raise UnknownSong("no song has this id", "/id")
        return json_response(answers.record(songs, row))

    def _clusters(self, request: Request) -> Response:
        _arguments(request, ())
        entries = self.catalog().manifest["clusters"]
        return json_response({"clusters": [_without_rows(entry) for entry in entries]})

    def _cluster(self, request: Request, cluster: int) -> Response:
        arguments = _arguments(request, ("offset", "limit"))
        reader = Reader()
        offset = reader.whole(arguments, "offset", "", 0, 10**9, 0)
        limit = reader.whole(arguments, "limit", "", 1, 100, 20)
        _refuse(reader)
        songs = self.catalog()
        entries = songs.manifest["clusters"]
        if cluster >= len(entries):
            return problems.problem(404, "Unknown cluster", f"clusters are numbered 0..{len(entries) - 1}")
        entry = entries[cluster]
        first, last = entry["first"] + offset, entry["first"] + entry["size"]
        page = answers.songs(songs, range(first, min(first + limit, last)))
        return json_response({**_without_rows(entry), "offset": offset, "limit": limit, "songs": page})

    def _healthz(self, request: Request) -> Response:  # noqa: ARG002 # the path says it all
        return json_response({"status": "alive"})

    def _readyz(self, request: Request) -> Response:  # noqa: ARG002 # the path says it all
        songs = self.catalog()
        return json_response({"version": songs.version, "songs": len(songs), "invented": songs.manifest["invented"]})

    def _openapi(self, request: Request) -> Response:  # noqa: ARG002 # the path says it all
        return _file("openapi.json", "application/json")

    def _docs(self, request: Request) -> Response:  # noqa: ARG002 # the path says it all
        return _file("docs.html", "text/html")

    def _clients(self, request: Request) -> Response:
        """The page with the lines to change, which name the address that it was asked for at."""
        page = _file("clients.md", "text/plain")
        base = public.base(request, self._config.public_url)
        page.set_data(page.get_data(as_text=True).replace(EXAMPLE, base))
        return page

    def _page(self, request: Request) -> Response:  # noqa: ARG002 # the path says it all
        return _file("index.html", "text/html")


def _recommends(songs: Catalog) -> None:
    """Answer a first request from a version; raises what keeps it from answering."""
    song = songs.texts("ids")[int(songs.array("recommendable").argmax())]
    answers.answer(songs, engine.recommend(songs, Query((Seed("", {}, id=song),))))


def vocabulary(songs: Catalog) -> Vocabulary:
    """What a catalogue lets a request name."""
    manifest = songs.manifest
    return Vocabulary(manifest["genres"], manifest["attributes"], manifest["has_explicit"])


def _query(request: Request, known: Vocabulary) -> Query:
    if request.method == "POST":
        _arguments(request, ())
        return parse(bodies.decoded(request), known)
    return from_url(request.args.items(multi=True), known)


def _arguments(request: Request, known: tuple[str, ...]) -> dict[str, Any]:
    """A URL's parameters, each given once; numbers where they spell one, but for ``q``."""
    reader = Reader()
    for name in request.args:
        if name not in known:
            reader.unknown("parameter", name, f"/{escaped(name)}", known)
        elif len(request.args.getlist(name)) > 1:
            reader.fault(f"/{name}", "given more than once")
    _refuse(reader)
    return {name: text if name == "q" else number(text) for name, text in request.args.items()}


def _refuse(reader: Reader) -> None:
    if reader.faults:
        raise InvalidQuery(reader.faults)


def _without_rows(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "first"}


def _file(name: str, mimetype: str) -> Response:
    try:
        text = (PAGES / name).read_bytes()
    except FileNotFoundError as error:
        raise ArtifactsError(f"{name} is missing from the deployed code") from error
    return Response(text, mimetype=mimetype)
