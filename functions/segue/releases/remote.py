"""The versions of a bucket, and the local cache of their files.

All workers of a machine share the cache, ``FOLDER/<version>/<file>``, whose size is bounded. A file is verified
before it gets its name and again before a process first uses it, so it does not matter which process wrote it. Files
that were deleted from the folder are fetched again.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import stat
import tempfile
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segue.catalog import validation, version_files
from segue.catalog.catalog import Catalog
from segue.catalog.version_files import DISK_FULL, file_sha256
from segue.config import MB
from segue.errors import ArtifactsError, MissingFile
from segue.releases import store
from segue.releases.store import Pointer, Store

PARALLEL_TRANSFERS = 8  # files transferred in parallel
_log = logging.getLogger("segue")
STALE_SECONDS = 3600  # age of an unfinished download that counts as abandoned


class RemoteReleases:
    """Versions in a bucket; each file is fetched and verified when a request first needs it.

    If the store can't be read at the start, the last version that was complete in the cache is served.

    limit : bytes that the cache may hold
    resident : ``cells`` reads versions by byte ranges, ``auto`` only those larger than the cache, ``all`` none
    block_cache_bytes : memory for the blocks of a version that is read by byte ranges
    """

    def __init__(self, store: Store, folder: Path, limit: int, resident: str = "all", block_cache_bytes: int = 0):
        self.address = store.address
        self._store = store
        self._limit, self._resident, self._block_cache_bytes = limit, resident, block_cache_bytes
        self._open_catalogs: weakref.WeakSet[Catalog] = weakref.WeakSet()
        self._cache = FileCache(folder, limit, lambda: {songs.version for songs in list(self._open_catalogs)})
        self._last_complete = f"{hashlib.sha256(store.address.encode()).hexdigest()[:16]}.json"

    def open_current(self) -> Catalog:
        """See :class:`segue.releases.store.Releases`."""
        try:
            return self._open_catalog(self.read_pointer().version)
        except ArtifactsError as error:
            saved = self._cache.saved(self._last_complete)
            if saved is None:
                raise
            version = version_files.parse_pointer(saved)["version"]
            _log.warning("%s: %s; version %s from the cache is served", self.address, error, version)
            return self._open_catalog(version)

    def read_pointer(self) -> Pointer:
        """See :class:`segue.releases.store.Releases`."""
        try:
            return store.read_pointer(self._store)
        except MissingFile:
            message = f"nothing is published at {self.address}: run 'segue publish {self.address}'"
            raise MissingFile(message) from None

    def read_pointer_if_changed(self, since: Pointer) -> Pointer | None:
        """See :class:`segue.releases.store.Releases`."""
        return store.read_pointer_if_changed(self._store, since)

    def open(self, version: str) -> Catalog:
        """See :class:`segue.releases.store.Releases`."""
        found = self._open_catalog(version)
        self.fetch_remaining(found)
        validation.check_catalog(found)
        return found

    def fetch_remaining(self, songs: Catalog) -> None:
        """See :class:`segue.releases.store.Releases`."""
        _fetch_all(list(songs.required_files), songs.path)
        songs.map_all()
        self._cache.save(self._last_complete, json.dumps({"version": songs.version}).encode())

    def _open_catalog(self, version: str) -> Catalog:
        contents = self._read_manifest(version)
        fetch = partial(self._fetch_file, version, contents["files"])
        folder = self._cache.folder / version
        checker = validation.ArrayChecker(contents, version)
        checker.check_declared()
        check = checker.check_sample
        found = self._open_remotely(folder, contents, fetch, check) or Catalog(folder, contents, fetch, check)
        self._open_catalogs.add(found)
        return found

    def _open_remotely(
        self,
        folder: Path,
        contents: dict[str, Any],
        fetch: Callable[[str], Path],
        check_array: Callable[[str, np.ndarray], None],
    ) -> Catalog | None:
        """The version read by byte ranges; None to fetch whole files, as configured or because it has no records."""
        size = sum(int(entry["bytes"]) for entry in contents["files"].values())
        if self._resident == "all" or (self._resident == "auto" and size <= self._limit):
            return None
        from segue.catalog.remote import block_cache
        from segue.catalog.remote.catalog import RemoteCatalog
        from segue.catalog.schema import RESIDENT_ARRAYS

        block_cache.use_single_arena()

        def range_of(name: str, start: int, stop: int) -> bytes | memoryview:
            return self._store.read_range(f"versions/{folder.name}/{name}", start, stop)

        if not RemoteCatalog.is_supported(contents, range_of):
            _log.warning("%s: version %s has no records: it is fetched in whole files", self.address, folder.name)
            return None
        _fetch_all([f"{name}.npy" for name in RESIDENT_ARRAYS], fetch)
        _log.info("%s: version %s is served by cells, %.1f MB of files", self.address, folder.name, size / MB)
        return RemoteCatalog(folder, contents, fetch, range_of, self._block_cache_bytes, check_array)

    def _read_manifest(self, version: str) -> dict[str, Any]:
        name = f"{version}/{version_files.MANIFEST}"
        saved = self._cache.saved(name)
        if saved is not None and version_files.version_id(saved) == version:
            return version_files.parse_manifest(saved, version)
        content = self._store.read(f"versions/{name}").content
        contents = version_files.parse_manifest(content, version)
        self._cache.save(name, content)
        return contents

    def _fetch_file(self, version: str, files: Mapping[str, Mapping[str, Any]], name: str) -> Path:
        if name not in files:
            raise ArtifactsError(f"version {version} has no {name}")
        size = int(files[name]["bytes"])
        return self._cache.fetch(
            version, name, files[name], lambda: self._store.stream(f"versions/{version}/{name}", size)
        )


def _fetch_all(names: Collection[str], fetch: Callable[[str], Path]) -> None:
    try:
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            list(pool.map(fetch, names))
    except RuntimeError:  # no memory for threads
        list(map(fetch, names))


class FileCache:
    """A folder of verified files, bounded in size.

    limit : bytes; the versions opened longest ago are evicted to stay below
    in_use : the versions that are never evicted
    """

    def __init__(self, folder: Path, limit: int, in_use: Callable[[], Collection[str]] = tuple):
        self.folder = folder
        self._limit = limit
        self._in_use = in_use
        self._verified: set[Path] = set()
        self._locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._eviction_lock = threading.Lock()

    def fetch(
        self, version: str, name: str, entry: Mapping[str, object], stream: Callable[[], Iterator[bytes]]
    ) -> Path:
        """The path of a version's file, downloaded if it is not cached.

        entry : ``bytes`` and ``sha256`` of the manifest
        stream : starts the download

        Raises ArtifactsError when what is fetched is not the file, or there is no room for it; it names the file.
        """
        path = self.folder / version / name
        with self._locks[path]:  # one download at a time
            if not self._is_verified(path, entry):
                self._download(path, int(str(entry["bytes"])), str(entry["sha256"]), stream)
                self._verified.add(path)
        return path

    def save(self, name: str, content: bytes) -> None:
        """Save a small file for a start without the store; a failure is ignored."""
        path = self.folder / name
        try:
            self._write(path, iter([content]))
        except OSError:
            return

    def saved(self, name: str) -> bytes | None:
        """A small file that some process saved; it is not verified."""
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def _is_verified(self, path: Path, entry: Mapping[str, object]) -> bool:
        try:
            if path.stat().st_size != entry["bytes"]:
                return False
            if path not in self._verified and file_sha256(path) == entry["sha256"]:
                self._verified.add(path)
        except OSError:
            return False
        return path in self._verified

    def _download(self, path: Path, size: int, expected: str, stream: Callable[[], Iterator[bytes]]) -> None:
        try:
            self._evict_for(path, size)
            try:
                digest = self._write(path, stream(), expected)
            except OSError as error:
                if error.errno not in DISK_FULL:
                    raise
                self._evict(path.parent.name, lambda: True)
                digest = self._write(path, stream(), expected)
        except OSError as error:
            raise ArtifactsError(f"{path.name} has no place in the cache: {error.strerror}") from error
        if digest != expected:
            raise ArtifactsError(f"{path.name} of version {path.parent.name} is damaged in the store")

    def _write(self, path: Path, chunks: Iterator[bytes], expected: str | None = None) -> str:
        """Write a temporary file; rename it if it has the expected digest. Returns the digest.

        Whatever else stands in the place of the file, or of its version's folder, is removed: the cache is our own.
        Another process may do the same, so a file is removed only where a folder belongs, a folder where a file does.
        """
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        if path.parent != self.folder and not path.parent.is_dir():
            with contextlib.suppress(OSError):
                path.parent.unlink()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in (path, temporary):
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
        digest = hashlib.sha256()
        try:
            with temporary.open("wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            if expected in (None, digest.hexdigest()):
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def _evict_for(self, path: Path, size: int) -> None:
        with self._eviction_lock:
            self._evict(path.parent.name, lambda: self._size() + size > self._limit)
            if self._size() + size > self._limit:
                raise ArtifactsError(
                    f"{path.name} of version {path.parent.name} has {size:,} bytes, and the cache may hold"
                    f" {self._limit:,} in all: raise SEGUE_CACHE_MB"
                )

    def _evict(self, keep: str, needed: Callable[[], bool]) -> None:
        """Evict versions while needed, those opened longest ago first, and abandoned downloads."""
        for temporary in (*self.folder.glob(".*"), *self.folder.glob("*/.*")):
            if time.time() - _lstat(temporary).st_mtime > STALE_SECONDS:
                _remove(temporary)
        idle = [p for p in self.folder.glob("*") if p.is_dir() and p.name not in {keep, *self._in_use()}]
        for folder in sorted(idle, key=lambda path: _lstat(path).st_mtime):
            if not needed():
                return
            shutil.rmtree(folder, ignore_errors=True)

    def _size(self) -> int:
        found = map(_lstat, self.folder.glob("*/*"))
        return sum(status.st_size for status in found if stat.S_ISREG(status.st_mode))


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; another process may be faster."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def user_cache_folder() -> Path:
    """The user's private folder in the platform's temporary one."""
    folder = Path(tempfile.gettempdir()) / f"segue-{os.getuid()}"
    with contextlib.suppress(FileExistsError):  # something else is called that
        folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return folder if is_ours else Path(tempfile.mkdtemp(prefix="segue-"))


def _lstat(path: Path) -> os.stat_result:
    """A file's status; all zeros if another worker has deleted it since."""
    try:
        return path.lstat()
    except OSError:
        return os.stat_result([0] * 10)
