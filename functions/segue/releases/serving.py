"""Opens the store at an address and the version that is served, and replaces it when a newer one is published.

Modules that only buckets need are imported when a bucket is first used.
"""

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from segue import log_context
from segue.catalog.catalog import Catalog
from segue.config import Config
from segue.errors import ArtifactsError, SegueError
from segue.releases.store import SCHEMES, LocalReleases, LocalStore, Pointer, Releases, Store

MAX_WAIT = 2.0  # seconds that one request waits for a check that another started
START_PATIENCE = 5.0  # seconds in which a thread begins, on a busy machine, too, or never does
_log = logging.getLogger("segue")


def open_store(uri: str) -> Store:
    """The store at an address: a folder, ``s3://`` or ``gs://``."""
    if not uri.startswith(SCHEMES):
        return LocalStore(Path(uri))
    from segue.releases.bucket import BucketStore

    return BucketStore(uri)


def open_releases(config: Config) -> Releases:
    """The versions that the function serves, as configured."""
    address = str(config.artifacts)
    if not address.startswith(SCHEMES) and config.resident_mode != "cells":
        return LocalReleases(Path(address))
    from segue.releases.remote import RemoteReleases, user_cache_folder

    folder = config.cache_folder or user_cache_folder()
    return RemoteReleases(
        open_store(address), folder, config.cache_bytes, config.resident_mode, config.block_cache_bytes
    )


def load(artifacts: Path | str) -> Catalog:
    """The current version in a folder or a store, in whole files; environment variables configure the cache."""
    return open_releases(
        dataclasses.replace(Config.from_environ(os.environ), artifacts=artifacts, resident_mode="all")
    ).open_current()


class LiveCatalog:
    """The version to answer from, opened by the first request and replaced in the background.

    A function may get no CPU time between requests. So the first request after the interval starts a check in a
    thread, and the next request waits for it briefly: a platform that freezes the function between requests runs the
    check only then. All other requests are answered at once, from the version that is open. A check that fails, for
    whatever reason, changes nothing and logs one line.

    interval : seconds between checks; 0: never
    smoke_test : computes an answer from a new version before it is served; any exception rejects the version
    clock : monotonic, in seconds
    """

    def __init__(
        self,
        releases: Releases,
        interval: float,
        smoke_test: Callable[[Catalog], object],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._releases = releases
        self._interval = interval
        self._smoke_test = smoke_test
        self._clock = clock
        self._serving: Catalog | None = None
        self._pointer: Pointer | None = None
        self._next_check = 0.0  # the second request starts a check, which also fetches the remaining files
        self._failures = 0
        self._failure: ArtifactsError | None = None
        self._check_thread: threading.Thread | None = None
        self._has_waiter = False
        self._lock = threading.Lock()

    def catalog(self) -> Catalog:
        """The version to answer a request from.

        Raises
        ------
        ArtifactsError
            no version could be opened yet.

        """
        if self._serving is None:
            return self._open_first()
        if self._interval:
            self._check_if_due()
        return self._serving

    def renew(self) -> bool:
        """Check now, because files of the served version are gone; True if another version is served since."""
        before = self._serving
        if self._interval and before:
            with self._lock:
                check = self._running_check() or self._start_check()
            if check:
                check.join(MAX_WAIT)
        return self._serving is not before

    def _open_first(self) -> Catalog:
        """Open the first version; if that fails, requests that waited share the failure and later ones try again."""
        failures_before = self._failures
        with self._lock:
            if self._serving is None:
                if self._failures > failures_before and self._failure:
                    raise self._failure
                self._serving = self._open_current()
            return self._serving

    def _open_current(self) -> Catalog:
        try:
            return self._releases.open_current()
        except Exception as error:
            log_context.count("refresh_failures")
            _log.warning("%s: no version can be served: %s", self._releases.address, _one_line(error))
            known = error if isinstance(error, ArtifactsError) else ArtifactsError("the artifacts can't be opened")
            self._failures, self._failure = self._failures + 1, known
            raise known from error

    def _check_if_due(self) -> None:
        """Wait for a running check if no other request does; start one that is due."""
        with self._lock:
            running = None if self._has_waiter else self._running_check()
            self._has_waiter = self._has_waiter or running is not None
        if running:
            running.join(MAX_WAIT)
        with self._lock:
            if self._clock() >= self._next_check and not self._running_check():
                self._start_check()

    def _running_check(self) -> threading.Thread | None:
        return self._check_thread if self._check_thread and self._check_thread.is_alive() else None

    def _start_check(self) -> threading.Thread | None:
        self._next_check = self._clock() + self._interval
        self._has_waiter = False
        check = threading.Thread(target=self._run_check, name="segue-refresh", daemon=True)
        check._started = _BoundedEvent()  # type: ignore[attr-defined]
        try:
            check.start()
            if check.ident is None:
                threading._limbo.pop(check, None)  # type: ignore[attr-defined]
                raise RuntimeError("a new thread does not begin")
        except (RuntimeError, MemoryError) as error:  # no memory for a thread
            self._log_failed_check(error)
            return None
        self._check_thread = check
        return check

    def _run_check(self) -> None:
        try:
            self._refresh(self._open_first())
        except Exception as error:  # whatever is wrong with the new version, the old one stays
            self._log_failed_check(error)

    def _refresh(self, serving: Catalog) -> None:
        known = self._pointer
        current = self._releases.read_pointer_if_changed(known) if known else self._releases.read_pointer()
        if current is None or current.version == serving.version:
            self._pointer = current or known
            self._releases.fetch_remaining(serving)
            return
        candidate = self._releases.open(current.version)
        self._smoke_test(candidate)
        self._serving, self._pointer = candidate, current
        if candidate.warm_up:
            self._next_check = max(self._next_check, self._clock() + candidate.warm_up)
        _log.info(
            "%s: version %s is served instead of %s", self._releases.address, candidate.version, serving.version
        )

    def _log_failed_check(self, error: Exception) -> None:
        log_context.count("refresh_failures")
        version = self._serving.version if self._serving else None
        _log.warning("%s: version %s serves on: %s", self._releases.address, version, _one_line(error))


class _BoundedEvent(threading.Event):
    """``Thread.start`` waits for this, without end where a new thread gets no memory to say that it runs."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(START_PATIENCE if timeout is None else timeout)


def _one_line(error: Exception) -> str:
    """The message of an error on one line, after its class unless it is a SegueError."""
    message = str(error) if isinstance(error, SegueError) else f"{type(error).__name__}: {error}"
    return " ".join(message.split())
