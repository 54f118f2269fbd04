"""Files of a remote store, kept in a local folder of bounded size that all workers of a machine share.

``FOLDER/<version>/<file>``: a file is verified before it gets its name and again before a process first uses it, so
that it does not matter who wrote it. Whatever vanishes from the folder is fetched again.
"""

import errno
import hashlib
import os
import shutil
import stat
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from segue.catalog import sha256
from segue.errors import ArtifactsError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
STALE = 3600  # seconds after which an unfinished download is nobody's


class Cache:
    """A folder of verified files.

    limit : bytes; room is made by dropping the versions that were opened longest ago
    in_use : the versions that are never dropped
    """

    def __init__(self, folder: Path, limit: int, in_use: Callable[[], Collection[str]] = tuple):
        self.folder = folder
        self._limit = limit
        self._in_use = in_use
        self._verified: set[Path] = set()
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._room = threading.Lock()

    def file(
        self, version: str, name: str, facts: Mapping[str, object], stream: Callable[[], Iterator[bytes]]
    ) -> Path:
        """Where a file of a version lies, fetched when it is not there.

        facts : ``bytes`` and ``sha256`` of the manifest
        stream : begins to fetch the file

        Raises ArtifactsError when what is fetched is not the file, or there is no room for it; it names the file.
        """
        path = self.folder / version / name
        with self._locks[path]:  # one download, whoever asks
            if not self._has(path, facts):
                self._fetch(path, int(str(facts["bytes"])), str(facts["sha256"]), stream)
                self._verified.add(path)
        return path

    def keep(self, name: str, content: bytes) -> None:
        """Keep a small file, for a start without the store; a cache that can't keep it is none the worse."""
        path = self.folder / name
        try:
            self._write(path, iter([content]))
        except OSError:
            return

    def kept(self, name: str) -> bytes | None:
        """A small file that was kept, by whomever: not verified."""
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def _has(self, path: Path, facts: Mapping[str, object]) -> bool:
        try:
            if path.stat().st_size != facts["bytes"]:
                return False
            if path not in self._verified and sha256(path) == facts["sha256"]:
                self._verified.add(path)
        except OSError:
            return False
        return path in self._verified

    def _fetch(self, path: Path, size: int, expected: str, stream: Callable[[], Iterator[bytes]]) -> None:
        try:
            self._make_room(path, size)
            try:
                found = self._write(path, stream(), expected)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                self._drop(path.parent.name, lambda: True)
                found = self._write(path, stream(), expected)
        except OSError as error:
            raise ArtifactsError(f"{path.name} has no place in the cache: {error.strerror}") from error
        if found != expected:
            raise ArtifactsError(f"{path.name} of version {path.parent.name} is damaged in the store")

    def _write(self, path: Path, pieces: Iterator[bytes], expected: str | None = None) -> str:
        """Write aside; give the file its name if it has the digest expected. Returns the digest."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        digest = hashlib.sha256()
        try:
            with aside.open("wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
            if expected in (None, digest.hexdigest()):
                aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return digest.hexdigest()

    def _make_room(self, path: Path, size: int) -> None:
        with self._room:
            self._drop(path.parent.name, lambda: self._size() + size > self._limit)
            if self._size() + size > self._limit:
                raise ArtifactsError(
                    f"{path.name} of version {path.parent.name} has {size:,} bytes, and the cache may hold"
                    f" {self._limit:,} in all: raise SEGUE_CACHE_MB"
                )

    def _drop(self, spared: str, needed: Callable[[], bool]) -> None:
        """Drop versions while it is needed, those opened longest ago first; and downloads that nobody finished."""
        for aside in self.folder.glob("*/.*"):
            if time.time() - _stat(aside).st_mtime > STALE:
                aside.unlink(missing_ok=True)
        idle = [p for p in self.folder.glob("*") if p.is_dir() and p.name not in {spared, *self._in_use()}]
        for folder in sorted(idle, key=lambda path: _stat(path).st_mtime):
            if not needed():
                return
            shutil.rmtree(folder, ignore_errors=True)

    def _size(self) -> int:
        return sum(_stat(path).st_size for path in self.folder.glob("*/*"))


def private_folder() -> Path:
    """The folder below the platform's temporary one that is this user's alone."""
    folder = Path(tempfile.gettempdir()) / f"segue-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    mine = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    return folder if mine else Path(tempfile.mkdtemp(prefix="segue-"))


def _stat(path: Path) -> os.stat_result:
    """The facts of a file; all zero for one that another worker has removed since."""
    try:
        return path.lstat()
    except OSError:
        return os.stat_result([0] * 10)
