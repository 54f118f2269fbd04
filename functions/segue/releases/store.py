"""Where versions are kept: a folder, ``s3://bucket/prefix`` or ``gs://bucket/prefix``, behind one small interface.

Names are relative, with slashes: ``current.json``, ``versions/0123456789abcdef/vectors.npy``.
"""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from segue.catalog import one_writer
from segue.errors import Missing, Moved, StoreError

Tag = tuple[str, str]  # names one content of a file: its ETag and, where a store has them, its generation
SCHEMES = ("s3://", "gs://")
CHUNK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A small file as it was read."""

    content: bytes
    tag: Tag


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a listing.

    size : bytes
    modified : seconds since 1970
    """

    size: int
    modified: float


class Store(Protocol):
    """What a store can do. Every method raises StoreError when it can't; a file is written whole or not at all."""

    address: str

    def read(self, name: str) -> Stored:
        """A small file. Raises Missing."""

    def changed(self, name: str, tag: Tag) -> Stored | None:
        """A small file; None when it still has this tag. Raises Missing."""

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """The first ``size`` bytes of a file, piece by piece. Raises Missing."""

    def range(self, name: str, start: int, stop: int) -> bytes | memoryview:
        """Some bytes of a file; fewer where it ends before. Raises Missing."""

    def create(self, name: str, source: Path) -> bool:
        """Copy a file into the store; False, and nothing is written, when the name is taken."""

    def replace(self, name: str, source: Path) -> None:
        """Copy a file into the store, whatever was there."""

    def swap(self, name: str, content: bytes, tag: Tag | None) -> None:
        """Write a small file if it still has this tag, None: if there is none. Raises Moved when it has not."""

    def names(self, folder: str) -> Mapping[str, Entry]:
        """Everything below a folder, by its full name."""

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; one that is gone already is as good."""


class Folder:
    """A folder as ``fit --out`` makes it; its writers take turns by its lock."""

    def __init__(self, root: Path):
        self.address = str(root)
        self._root = root

    def read(self, name: str) -> Stored:
        """See :class:`Store`."""
        try:
            content = (self._root / name).read_bytes()
        except FileNotFoundError as error:
            raise Missing(f"{name} is missing") from error
        except OSError as error:
            raise StoreError(f"{name} can't be read: {error.strerror}") from error
        return Stored(content, (hashlib.sha256(content).hexdigest(), ""))

    def changed(self, name: str, tag: Tag) -> Stored | None:
        """See :class:`Store`."""
        stored = self.read(name)
        return stored if stored.tag != tag else None

    def stream(self, name: str, size: int) -> Iterator[bytes]:
        """See :class:`Store`."""
        try:
            with (self._root / name).open("rb") as file:
                while size > 0 and (piece := file.read(min(size, CHUNK))):
                    size -= len(piece)
                    yield piece
        except FileNotFoundError as error:
            raise Missing(f"{name} is missing") from error
        except OSError as error:
            raise StoreError(f"{name} can't be read: {error.strerror}") from error

    def range(self, name: str, start: int, stop: int) -> bytes | memoryview:
        """See :class:`Store`."""
        try:
            with (self._root / name).open("rb") as file:
                return os.pread(file.fileno(), stop - start, start)
        except FileNotFoundError as error:
            raise Missing(f"{name} is missing") from error
        except OSError as error:
            raise StoreError(f"{name} can't be read: {error.strerror}") from error

    def create(self, name: str, source: Path) -> bool:
        """See :class:`Store`."""
        with self._writing(name) as aside:
            if (self._root / name).exists():
                return False
            shutil.copyfile(source, aside)
        return True

    def replace(self, name: str, source: Path) -> None:
        """See :class:`Store`."""
        with self._writing(name) as aside:
            shutil.copyfile(source, aside)

    def swap(self, name: str, content: bytes, tag: Tag | None) -> None:
        """See :class:`Store`."""
        with self._writing(name) as aside:
            if self._tag(name) != tag:
                raise Moved(f"{name} was written by somebody else meanwhile")
            aside.write_bytes(content)

    def names(self, folder: str) -> dict[str, Entry]:
        """See :class:`Store`."""
        found = {}
        for path in (self._root / folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # it went since it was listed
                facts = path.stat()
                if stat.S_ISREG(facts.st_mode) and not path.name.startswith("."):
                    found[path.relative_to(self._root).as_posix()] = Entry(facts.st_size, facts.st_mtime)
        return found

    def remove(self, names: Iterable[str]) -> None:
        """See :class:`Store`."""
        with self._writing(None):
            for name in names:
                (self._root / name).unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # the folder is not empty, or gone
                    (self._root / name).parent.rmdir()

    @contextlib.contextmanager
    def _writing(self, name: str | None) -> Iterator[Path]:
        """Take the writers' turn; what was written aside by its end is moved to the name, in one step."""
        aside = self._root / ".incoming"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with one_writer(self._root):
                yield aside
                if name and aside.exists():
                    _flush(aside)
                    (self._root / name).parent.mkdir(parents=True, exist_ok=True)
                    aside.replace(self._root / name)
        except OSError as error:
            raise StoreError(f"{name or 'a file'} can't be written: {error.strerror}") from error

    def _tag(self, name: str) -> Tag | None:
        with contextlib.suppress(Missing):
            return self.read(name).tag
        return None


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
