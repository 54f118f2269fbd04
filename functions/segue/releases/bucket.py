"""A store behind HTTP, Amazon's S3 or Google's, by way of obstore.

Credentials and endpoints come from the platforms' own variables (``AWS_*``, ``GOOGLE_*``) or their metadata services.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotModifiedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import from_url

from segue.errors import ConfigError, Missing, Moved, StoreError
from segue.releases.store import Entry, Stored, Tag

if TYPE_CHECKING:
    from obstore import GetOptions, UpdateVersion
    from obstore.store import ClientConfig, RetryConfig

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "GOOGLE_BASE_URL")
SMALL = 64 << 20  # bytes of the largest file that is read at once
CHUNK = 8 << 20  # bytes asked for at a time, so that the patience below is for a piece, whatever a file's size
CLIENT: "ClientConfig" = {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=20)}
RETRY: "RetryConfig" = {
    "max_retries": 2,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2)},
}


class Bucket:
    """A prefix of a bucket; its methods are those of :class:`segue.releases.store.Store`."""

    def __init__(self, address: str):
        local = any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)
        self.address = address.rstrip("/")
        try:
            self._store = from_url(self.address, client_options={**CLIENT, "allow_http": local}, retry_config=RETRY)
        except (BaseError, ValueError) as error:
            raise ConfigError(f"'{address}' can't be used as a store: {_said(error)}") from error

    def read(self, name: str) -> Stored:
        """A small file."""
        with _told(name):
            return self._get(name, {})

    def changed(self, name: str, tag: Tag) -> Stored | None:
        """A small file, by a conditional request."""
        try:
            with _told(name, NotModifiedError):
                return self._get(name, {"if_none_match": tag[0]})
        except NotModifiedError:
            return None

    def _get(self, name: str, options: "GetOptions") -> Stored:
        found = obstore.get(self._store, name, options=options)
        if found.meta["size"] > SMALL:
            raise StoreError(f"{name} has {found.meta['size']:,} bytes, more than it can have")
        return Stored(bytes(found.bytes()), (found.meta["e_tag"] or "", found.meta["version"] or ""))

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """A file, piece by piece."""
        for start in range(0, size, CHUNK):
            with _told(name):
                piece = obstore.get_range(self._store, name, start=start, end=min(start + CHUNK, size))
            yield bytes(piece)

    def range(self, name: str, start: int, stop: int) -> memoryview:
        """Some bytes of a file."""
        with _told(name):
            return memoryview(obstore.get_range(self._store, name, start=start, end=stop))

    def create(self, name: str, source: Path) -> bool:
        """Copy a file if the name is free."""
        try:
            with _told(name, AlreadyExistsError):
                obstore.put(self._store, name, source, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def replace(self, name: str, source: Path) -> None:
        """Copy a file."""
        with _told(name):
            obstore.put(self._store, name, source)

    def swap(self, name: str, content: bytes, tag: Tag | None) -> None:
        """Compare and swap."""
        try:
            with _told(name, AlreadyExistsError, PreconditionError):
                obstore.put(self._store, name, content, mode=_if_still(tag) if tag else "create")
        except (AlreadyExistsError, PreconditionError) as error:
            raise Moved(f"{name} was written by somebody else meanwhile") from error

    def names(self, folder: str) -> dict[str, Entry]:
        """List a folder."""
        with _told(folder):
            found = [entry for page in obstore.list(self._store, folder) for entry in page]
        return {entry["path"]: Entry(entry["size"], entry["last_modified"].timestamp()) for entry in found}

    def remove(self, names: Iterable[str]) -> None:
        """Remove files."""
        for name in names:
            with _told(name), contextlib.suppress(FileNotFoundError):
                obstore.delete(self._store, name)


def _if_still(tag: Tag) -> "UpdateVersion":
    return {"e_tag": tag[0], "version": tag[1]} if tag[1] else {"e_tag": tag[0]}


@contextlib.contextmanager
def _told(name: str, *passing: type[BaseError]) -> Iterator[None]:
    """Errors of the store as ours, each on one line, but for those that the caller knows how to take."""
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(f"{name} is missing") from error
    except BaseError as error:
        if isinstance(error, passing):
            raise
        how = "refuses access" if isinstance(error, PermissionDeniedError | UnauthenticatedError) else "fails"
        raise StoreError(f"{name}: the store {how}: {_said(error)}") from error


def _said(error: Exception) -> str:
    """The first line of what obstore says; the rest is for its authors."""
    return str(error).partition("\n")[0]
