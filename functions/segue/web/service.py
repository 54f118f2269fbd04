"""Which version answers a request, which view, and what becomes of errors."""

import contextlib
import logging
import threading
from contextvars import ContextVar

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from segue import engine, notes, releases
from segue.catalog import Catalog
from segue.config import Config
from segue.errors import ArtifactsError
from segue.query import Query, Seed
from segue.releases.refresh import Live
from segue.web import answers, problems, public, routes, validators
from segue.web.views.call import Call

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
        engine.keep_memory()

    def handle(self, request: Request) -> Response:
        """Answer one request from one version; whatever happens, the answer is JSON or a page of ours."""
        pinned = _PINNED.set(None)
        try:
            response = self._answered(request)
            version = _PINNED.get()
            if version:
                version.give_back(self._config.mapped)
                validators.marked(response, request, version.version)
            return response
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
        return known or problems.internal()

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
        if request.if_none_match and not routes.answers_a_file(request.path):
            with contextlib.suppress(ArtifactsError):
                return validators.unchanged(request, self.catalog().version)
        return None

    def _routed(self, request: Request) -> Response:
        if public.is_spotify(request.path):
            from segue import spotify  # most callers never need it

            base = public.base(request, self._config.public_url)
            return spotify.handle(request, self.catalog, base, self._turn)
        if public.is_subsonic(request.path):
            from segue import subsonic  # as above

            return subsonic.handle(request, self.catalog, self._turn)
        try:
            view, arguments = routes.matched(request)
        except MethodNotAllowed as error:
            if request.method != "OPTIONS":
                raise
            return Response(status=204, headers={"Allow": ", ".join(sorted(error.valid_methods or []))})
        notes.note(route=view.__name__)
        return view(Call(request, self.catalog, self._turn, self._config.public_url), **arguments)


def _recommends(songs: Catalog) -> None:
    """Answer a first request from a version; raises what keeps it from answering."""
    song = songs.texts("ids")[int(songs.array("recommendable").argmax())]
    answers.answer(songs, engine.recommend(songs, Query((Seed("", {}, id=song),))))
