"""The version that is served, and how a newer one takes its place between two requests."""

import logging
import threading
import time
from collections.abc import Callable

from segue.catalog import Catalog
from segue.errors import ArtifactsError, SegueError
from segue.releases import Pointer, Releases

PATIENCE = 2.0  # seconds for which one request waits for a check that was begun by another
_log = logging.getLogger("segue")


class Live:
    """The version to answer from, opened by the first request and renewed behind later ones.

    A function may have no processor time between requests. So the first request after the interval begins a check,
    in a thread, and the next one waits for it a little: on a platform that freezes the function between the two, that
    is when the check runs. All others are answered from the version there is. A check that fails, for whatever
    reason, changes nothing and logs one line.

    seconds : between checks; 0: never
    prove : asks a new version for an answer before it is served; whatever it raises refuses the version
    clock : seconds, rising
    """

    def __init__(
        self,
        releases: Releases,
        seconds: float,
        prove: Callable[[Catalog], object],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._releases = releases
        self._seconds = seconds
        self._prove = prove
        self._clock = clock
        self._serving: Catalog | None = None
        self._pointer: Pointer | None = None
        self._due = 0.0  # the second request begins a check, which brings what the first one did without
        self._failures = 0
        self._failure: ArtifactsError | None = None
        self._check: threading.Thread | None = None
        self._waited_for = False
        self._lock = threading.Lock()

    def catalog(self) -> Catalog:
        """The version to answer a request from.

        Raises
        ------
        ArtifactsError
            there never was a good one.

        """
        if self._serving is None:
            return self._start()
        if self._seconds:
            self._look()
        return self._serving

    def renew(self) -> bool:
        """Check now; True when another version is served since: for a request whose version has vanished."""
        before = self._serving
        if self._seconds and before:
            with self._lock:
                check = self._running() or self._begin()
            if check:
                check.join(PATIENCE)
        return self._serving is not before

    def _start(self) -> Catalog:
        """Open the first version; requests that waited while that failed share the failure, later ones try again."""
        seen = self._failures
        with self._lock:
            if self._serving is None:
                if self._failures > seen and self._failure:
                    raise self._failure
                self._serving = self._opened()
            return self._serving

    def _opened(self) -> Catalog:
        try:
            return self._releases.start()
        except Exception as error:
            _log.warning("%s: no version can be served: %s", self._releases.address, _told(error))
            known = error if isinstance(error, ArtifactsError) else ArtifactsError("the artifacts can't be opened")
            self._failures, self._failure = self._failures + 1, known
            raise known from error

    def _look(self) -> None:
        """Wait for a check under way if nobody else does; begin one that is due."""
        with self._lock:
            running = None if self._waited_for else self._running()
            self._waited_for = self._waited_for or running is not None
        if running:
            running.join(PATIENCE)
        with self._lock:
            if self._clock() >= self._due and not self._running():
                self._begin()

    def _running(self) -> threading.Thread | None:
        return self._check if self._check and self._check.is_alive() else None

    def _begin(self) -> threading.Thread | None:
        self._due = self._clock() + self._seconds
        self._waited_for = False
        check = threading.Thread(target=self._examine, name="segue-refresh", daemon=True)
        try:
            check.start()
        except RuntimeError as error:  # no memory for a thread
            self._refused(error)
            return None
        self._check = check
        return check

    def _examine(self) -> None:
        try:
            self._refresh(self._start())
        except Exception as error:  # whatever is wrong with what is new, the old one serves on
            self._refused(error)

    def _refresh(self, serving: Catalog) -> None:
        since = self._pointer
        now = self._releases.moved(since) if since else self._releases.pointer()
        if now is None or now.version == serving.version:
            self._pointer = now or since
            self._releases.complete(serving)
            return
        fresh = self._releases.open(now.version)
        self._prove(fresh)
        self._serving, self._pointer = fresh, now
        _log.info("%s: version %s is served instead of %s", self._releases.address, fresh.version, serving.version)

    def _refused(self, error: Exception) -> None:
        version = self._serving.version if self._serving else None
        _log.warning("%s: version %s serves on: %s", self._releases.address, version, _told(error))


def _told(error: Exception) -> str:
    """An error on one line, with its kind unless it is one of ours."""
    said = str(error) if isinstance(error, SegueError) else f"{type(error).__name__}: {error}"
    return " ".join(said.split())
