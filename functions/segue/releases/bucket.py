"""A store in Amazon S3 or Google Cloud Storage, accessed with obstore.

Credentials and endpoints come from the platforms' variables (``AWS_*``, ``GOOGLE_*``) or metadata services.
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

from segue.errors import ConfigError, MissingFile, StoreError, WriteConflict
from segue.releases.store import FileInfo, StoredFile, Tag

if TYPE_CHECKING:
    from obstore import GetOptions, UpdateVersion
    from obstore.store import ClientConfig, RetryConfig

ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "GOOGLE_BASE_URL")
MAX_READ_BYTES = 64 << 20  # bytes of a file that is read at once
CHUNK_BYTES = 8 << 20  # bytes per request, so that the timeout below applies to a chunk, whatever a file's size
CLIENT_OPTIONS: "ClientConfig" = {"connect_timeout": timedelta(seconds=3), "timeout": timedelta(seconds=20)}
RETRY_CONFIG: "RetryConfig" = {
    "max_retries": 2,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2)},
}


class BucketStore:
    """A prefix of a bucket; its methods are those of :class:`segue.releases.store.Store`."""

    def __init__(self, address: str):
        local = any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)
        self.address = address.rstrip("/")
        try:
            self._store = from_url(
                self.address, client_options={**CLIENT_OPTIONS, "allow_http": local}, retry_config=RETRY_CONFIG
            )
        except (BaseError, ValueError) as error:
            raise ConfigError(f"'{address}' can't be used as a store: {_first_line(error)}") from error

    def read(self, name: str) -> StoredFile:
        """A small file."""
        with _translate_errors(name):
            return self._get(name, {})

    def read_if_changed(self, name: str, tag: Tag) -> StoredFile | None:
        """A small file, by a conditional request."""
        try:
            with _translate_errors(name, NotModifiedError):
                return self._get(name, {"if_none_match": tag[0]})
        except NotModifiedError:
            return None

    def _get(self, name: str, options: "GetOptions") -> StoredFile:
        found = obstore.get(self._store, name, options=options)
        if found.meta["size"] > MAX_READ_BYTES:
            raise StoreError(f"{name} has {found.meta['size']:,} bytes, more than it can have")
        return StoredFile(bytes(found.bytes()), (found.meta["e_tag"] or "", found.meta["version"] or ""))

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """A file, in chunks."""
        for start in range(0, size, CHUNK_BYTES):
            with _translate_errors(name):
                chunk = obstore.get_range(self._store, name, start=start, end=min(start + CHUNK_BYTES, size))
            yield bytes(chunk)

    def read_range(self, name: str, start: int, stop: int) -> memoryview:
        """A range of a file's bytes."""
        with _translate_errors(name):
            return memoryview(obstore.get_range(self._store, name, start=start, end=stop))

    def create(self, name: str, source: Path) -> bool:
        """Copy a file into the bucket; False if the name is taken."""
        try:
            with _translate_errors(name, AlreadyExistsError):
                obstore.put(self._store, name, source, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def replace(self, name: str, source: Path) -> None:
        """Copy a file into the bucket, overwriting one of this name."""
        with _translate_errors(name):
            obstore.put(self._store, name, source)

    def compare_and_swap(self, name: str, content: bytes, tag: Tag | None) -> None:
        """Write a small file if it still has this tag."""
        try:
            with _translate_errors(name, AlreadyExistsError, PreconditionError):
                obstore.put(self._store, name, content, mode=_if_match(tag) if tag else "create")
        except (AlreadyExistsError, PreconditionError) as error:
            raise WriteConflict(f"{name} was written by somebody else meanwhile") from error

    def free_bytes(self) -> None:
        """None: a bucket has no bound."""

    def list_files(self, folder: str) -> dict[str, FileInfo]:
        """All files below a folder, by their full names."""
        with _translate_errors(folder):
            found = [entry for page in obstore.list(self._store, folder) for entry in page]
        return {entry["path"]: FileInfo(entry["size"], entry["last_modified"].timestamp()) for entry in found}

    def delete(self, names: Iterable[str]) -> None:
        """Delete files."""
        for name in names:
            with _translate_errors(name), contextlib.suppress(FileNotFoundError):
                obstore.delete(self._store, name)


def _if_match(tag: Tag) -> "UpdateVersion":
    return {"e_tag": tag[0], "version": tag[1]} if tag[1] else {"e_tag": tag[0]}


@contextlib.contextmanager
def _translate_errors(name: str, *passthrough: type[BaseError]) -> Iterator[None]:
    """Raise obstore's errors as a StoreError with a message of one line, except those that the caller handles."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFile(f"{name} is missing") from error
    except BaseError as error:
        if isinstance(error, passthrough):
            raise
        failure = "refuses access" if isinstance(error, PermissionDeniedError | UnauthenticatedError) else "fails"
        raise StoreError(f"{name}: the store {failure}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """The first line of obstore's message; the rest is internal."""
    return str(error).partition("\n")[0]
