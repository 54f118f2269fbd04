"""The versions of a bucket, by way of a cache."""

import hashlib
import json
import logging
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from segue.catalog import Catalog, manifest
from segue.config import MB
from segue.errors import ArtifactsError, Missing
from segue.releases import versions
from segue.releases.cache import Cache
from segue.releases.store import Store
from segue.releases.versions import Pointer

AT_ONCE = 8  # files fetched side by side
_log = logging.getLogger("segue")


class Remote:
    """Versions in a bucket; a start fetches a file when a request first needs it, and verifies each one.

    A start that fails serves the version that the cache last held whole, if there is one.

    limit : bytes that the cache may hold
    resident : ``cells`` serves versions by pieces, ``auto`` those that are larger than the cache may be, ``all`` none
    pieces_limit : bytes of memory that the pieces of a version may take
    """

    def __init__(self, store: Store, folder: Path, limit: int, resident: str = "all", pieces_limit: int = 0):
        self.address = store.address
        self._store = store
        self._limit, self._resident, self._pieces_limit = limit, resident, pieces_limit
        self._opened: weakref.WeakSet[Catalog] = weakref.WeakSet()
        self._cache = Cache(folder, limit, lambda: {songs.version for songs in list(self._opened)})
        self._last = f"{hashlib.sha256(store.address.encode()).hexdigest()[:16]}.json"

    def start(self) -> Catalog:
        """See :class:`segue.releases.versions.Releases`."""
        try:
            return self._catalog(self.pointer().version)
        except ArtifactsError as error:
            kept = self._cache.kept(self._last)
            if kept is None:
                raise
            version = manifest.pointed(kept)["version"]
            _log.warning("%s: %s; version %s from the cache is served", self.address, error, version)
            return self._catalog(version)

    def pointer(self) -> Pointer:
        """See :class:`segue.releases.versions.Releases`."""
        try:
            return versions.pointer(self._store)
        except Missing:
            said = f"nothing is published at {self.address}: run 'segue publish {self.address}'"
            raise Missing(said) from None

    def moved(self, since: Pointer) -> Pointer | None:
        """See :class:`segue.releases.versions.Releases`."""
        return versions.moved(self._store, since)

    def open(self, version: str) -> Catalog:
        """See :class:`segue.releases.versions.Releases`."""
        found = self._catalog(version)
        self.complete(found)
        return found

    def complete(self, songs: Catalog) -> None:
        """See :class:`segue.releases.versions.Releases`."""
        _fetch_all(songs.kept, songs.path)
        songs.map()
        self._cache.keep(self._last, json.dumps({"version": songs.version}).encode())

    def _catalog(self, version: str) -> Catalog:
        said = self._manifest(version)
        fetch = partial(self._file, version, said["files"])
        folder = self._cache.folder / version
        found = self._by_pieces(folder, said, fetch) or Catalog(folder, said, fetch)
        self._opened.add(found)
        return found

    def _by_pieces(self, folder: Path, said: dict[str, Any], fetch: Callable[[str], Path]) -> Catalog | None:
        """The version by pieces, None where it is to be fetched in whole files, or can't be had otherwise."""
        size = sum(int(facts["bytes"]) for facts in said["files"].values())
        if self._resident == "all" or (self._resident == "auto" and size <= self._limit):
            return None
        from segue.catalog.ranged import heap
        from segue.catalog.ranged.ranged import HERE, Ranged

        heap.share()

        def range_of(name: str, start: int, stop: int) -> bytes | memoryview:
            return self._store.range(f"versions/{folder.name}/{name}", start, stop)

        if not Ranged.is_possible(said, range_of):
            _log.warning("%s: version %s has no records: it is fetched in whole files", self.address, folder.name)
            return None
        _fetch_all([f"{name}.npy" for name in HERE], fetch)
        _log.info("%s: version %s is served by cells, %.1f MB of files", self.address, folder.name, size / MB)
        return Ranged(folder, said, fetch, range_of, self._pieces_limit)

    def _manifest(self, version: str) -> dict[str, Any]:
        name = f"{version}/{manifest.NAME}"
        kept = self._cache.kept(name)
        if kept is not None and manifest.version_of(kept) == version:
            return manifest.parsed(kept, version)
        content = self._store.read(f"versions/{name}").content
        said = manifest.parsed(content, version)
        self._cache.keep(name, content)
        return said

    def _file(self, version: str, files: Mapping[str, Mapping[str, Any]], name: str) -> Path:
        if name not in files:
            raise ArtifactsError(f"version {version} has no {name}")
        size = int(files[name]["bytes"])
        return self._cache.file(
            version, name, files[name], lambda: self._store.stream(f"versions/{version}/{name}", size)
        )


def _fetch_all(names: Iterable[str], fetch: Callable[[str], Path]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(fetch, names))
