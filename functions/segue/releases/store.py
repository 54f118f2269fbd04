"""Stores of versions, and the pointer to the current one.

A store is a folder, ``s3://bucket/prefix`` or ``gs://bucket/prefix``, with the same interface. Names in it are
relative paths with slashes: ``current.json``, ``versions/0123456789abcdef/vectors.npy``. For versions in a bucket see
:mod:`segue.releases.remote`.
"""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from segue.catalog import validation, version_files
from segue.catalog.catalog import Catalog
from segue.errors import MissingFile, StoreError, WriteConflict

Tag = tuple[str, str]  # identifies a file's content: its ETag and, in stores that have them, its generation
SCHEMES = ("s3://", "gs://")
CHUNK_BYTES = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A small file and its tag."""

    content: bytes
    tag: Tag


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of a listing.

    size : bytes
    modified : seconds since 1970
    """

    size: int
    modified: float


class Store(Protocol):
    """A store of files. Methods raise StoreError if the store fails; a file is written completely or not at all."""

    address: str

    def read(self, name: str) -> StoredFile:
        """A small file. Raises MissingFile."""

    def read_if_changed(self, name: str, tag: Tag) -> StoredFile | None:
        """A small file; None if it still has this tag. Raises MissingFile."""

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """The first ``size`` bytes of a file, in chunks. Raises MissingFile."""

    def read_range(self, name: str, start: int, stop: int) -> bytes | memoryview:
        """A range of a file's bytes; fewer if the file ends earlier. Raises MissingFile."""

    def create(self, name: str, source: Path) -> bool:
        """Copy a file into the store; return False and write nothing if the name is taken."""

    def replace(self, name: str, source: Path) -> None:
        """Copy a file into the store; one of this name is overwritten."""

    def compare_and_swap(self, name: str, content: bytes, tag: Tag | None) -> None:
        """Write a small file if it still has this tag, or for None if it does not exist; else raise WriteConflict."""

    def free_bytes(self) -> int | None:
        """Bytes that can still be written; None if there is no telling."""

    def list_files(self, folder: str) -> Mapping[str, FileInfo]:
        """All files below a folder, by their full names."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; those that do not exist are ignored."""


class LocalStore:
    """A folder as ``fit --out`` makes it; a lock admits one writer at a time."""

    def __init__(self, root: Path):
        self.address = str(root)
        self._root = root

    def read(self, name: str) -> StoredFile:
        """See :class:`Store`."""
        with _translate_read_errors(name):
            content = (self._root / name).read_bytes()
        return StoredFile(content, (hashlib.sha256(content).hexdigest(), ""))

    def read_if_changed(self, name: str, tag: Tag) -> StoredFile | None:
        """See :class:`Store`."""
        stored = self.read(name)
        return stored if stored.tag != tag else None

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """See :class:`Store`."""
        with _translate_read_errors(name), (self._root / name).open("rb") as file:
            while size > 0 and (chunk := file.read(min(size, CHUNK_BYTES))):
                size -= len(chunk)
                yield chunk

    def read_range(self, name: str, start: int, stop: int) -> bytes | memoryview:
        """See :class:`Store`."""
        with _translate_read_errors(name), (self._root / name).open("rb") as file:
            return os.pread(file.fileno(), stop - start, start)

    def create(self, name: str, source: Path) -> bool:
        """See :class:`Store`."""
        with self._locked_write(name) as temporary:
            if (self._root / name).exists():
                return False
            shutil.copyfile(source, temporary)
        return True

    def replace(self, name: str, source: Path) -> None:
        """See :class:`Store`."""
        with self._locked_write(name) as temporary:
            shutil.copyfile(source, temporary)

    def compare_and_swap(self, name: str, content: bytes, tag: Tag | None) -> None:
        """See :class:`Store`."""
        with self._locked_write(None):
            if self._tag(name) != tag:
                raise WriteConflict(f"{name} was written by somebody else meanwhile")
            version_files.replace_small_file(self._root, name, content)

    def free_bytes(self) -> int | None:
        """See :class:`Store`."""
        return version_files.free_bytes(self._root) if self._root.exists() else None

    def list_files(self, folder: str) -> dict[str, FileInfo]:
        """See :class:`Store`."""
        found = {}
        for path in (self._root / folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                status = path.stat()
                if stat.S_ISREG(status.st_mode) and not path.name.startswith("."):
                    found[path.relative_to(self._root).as_posix()] = FileInfo(status.st_size, status.st_mtime)
        return found

    def delete(self, names: Iterable[str]) -> None:
        """See :class:`Store`."""
        with self._locked_write(None):
            for name in names:
                (self._root / name).unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # the folder is not empty, or gone
                    (self._root / name).parent.rmdir()

    @contextlib.contextmanager
    def _locked_write(self, name: str | None) -> Iterator[Path]:
        """Hold the writers' lock and yield a path; a file that is written there atomically replaces the named one."""
        temporary = self._root / ".incoming"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with version_files.write_lock(self._root):
                temporary.unlink(missing_ok=True)  # incomplete, left by a writer that was killed
                try:
                    yield temporary
                    if name and temporary.exists():
                        _fsync(temporary)
                        (self._root / name).parent.mkdir(parents=True, exist_ok=True)
                        temporary.replace(self._root / name)
                finally:
                    temporary.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{name or 'a file'} can't be written: {error.strerror}") from error

    def _tag(self, name: str) -> Tag | None:
        with contextlib.suppress(MissingFile):
            return self.read(name).tag
        return None


@contextlib.contextmanager
def _translate_read_errors(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise MissingFile(f"{name} is missing") from error
    except OSError as error:
        raise StoreError(f"{name} can't be read: {error.strerror}") from error


def _fsync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class Pointer:
    """A ``current.json``.

    fields : its fields, see :func:`segue.catalog.version_files.parse_pointer`
    """

    fields: Mapping[str, Any]
    tag: Tag

    @property
    def version(self) -> str:
        """The version that it names."""
        return str(self.fields["version"])


class Releases(Protocol):
    """Versions and the pointer to the current one. Methods raise ArtifactsError, which names the file at fault."""

    address: str

    def open_current(self) -> Catalog:
        """The current version, opened as fast as possible; each class says which files it verifies when."""

    def read_pointer(self) -> Pointer:
        """The pointer to the current version."""

    def read_pointer_if_changed(self, since: Pointer) -> Pointer | None:
        """The pointer, or None if it has not changed since."""

    def open(self, version: str) -> Catalog:
        """A version, with all its files fetched and verified."""

    def fetch_remaining(self, songs: Catalog) -> None:
        """Fetch the files that :meth:`open_current` left out."""


def read_pointer(store: Store) -> Pointer:
    """The pointer to a store's current version."""
    return _parse_pointer(store.read(version_files.POINTER))


def read_pointer_if_changed(store: Store, since: Pointer) -> Pointer | None:
    """The same, or None if it has not changed since."""
    stored = store.read_if_changed(version_files.POINTER, since.tag)
    return _parse_pointer(stored) if stored else None


def _parse_pointer(stored: StoredFile) -> Pointer:
    return Pointer(version_files.parse_pointer(stored.content), stored.tag)


class LocalReleases:
    """Versions in a folder, whose files are memory-mapped; a start checks formats and sizes."""

    def __init__(self, root: Path):
        self.address = str(root)
        self._root = root
        self._store = LocalStore(root)

    def open_current(self) -> Catalog:
        """See :class:`Releases`."""
        return version_files.load(self._root)

    def read_pointer(self) -> Pointer:
        """See :class:`Releases`."""
        return read_pointer(self._store)

    def read_pointer_if_changed(self, since: Pointer) -> Pointer | None:
        """See :class:`Releases`."""
        return read_pointer_if_changed(self._store, since)

    def open(self, version: str) -> Catalog:
        """See :class:`Releases`."""
        found = version_files.load_version(self._root, version)
        version_files.verify(found.folder, version)
        found.map_all()
        validation.check_catalog(found)
        return found

    def fetch_remaining(self, songs: Catalog) -> None:
        """Do nothing: no file was left out."""
