"""The versions of a store, opened: where they lie in a folder, or by way of a cache from a bucket."""

import dataclasses
import hashlib
import json
import logging
import os
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from segue import catalog, manifest
from segue.cache import Cache, private_folder
from segue.catalog import Catalog
from segue.config import Config
from segue.errors import ArtifactsError, Missing
from segue.store import SCHEMES, Folder, Store, Stored, Tag, at

AT_ONCE = 8  # files fetched side by side
_log = logging.getLogger("segue")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A ``current.json``.

    said : all that it says, see :func:`segue.manifest.pointed`
    """

    said: Mapping[str, Any]
    tag: Tag

    @property
    def version(self) -> str:
        """The version that it names."""
        return str(self.said["version"])


class Releases(Protocol):
    """Versions and the pointer to one of them. All methods raise ArtifactsError, which names the file at fault."""

    address: str

    def start(self) -> Catalog:
        """The current version, opened as fast as can be; which files are checked when is told by the class."""

    def pointer(self) -> Pointer:
        """What is current."""

    def moved(self, since: Pointer) -> Pointer | None:
        """What is current, None when that has not changed since."""

    def open(self, version: str) -> Catalog:
        """A version, every file of it here and verified."""

    def complete(self, songs: Catalog) -> None:
        """Bring the files that :meth:`start` has left out."""


def of(config: Config) -> Releases:
    """The versions that the function serves."""
    address = str(config.artifacts)
    if not address.startswith(SCHEMES):
        return Local(Path(address))
    return Remote(at(address), config.cache or private_folder(), config.cache_limit)


def load(artifacts: Path | str) -> Catalog:
    """The current version in a folder or a store; the cache is configured by the environment."""
    return of(dataclasses.replace(Config.from_environ(os.environ), artifacts=artifacts)).start()


def pointer(store: Store) -> Pointer:
    """What a store says is current."""
    return _pointer(store.read(manifest.POINTER))


def _moved(store: Store, since: Pointer) -> Pointer | None:
    stored = store.changed(manifest.POINTER, since.tag)
    return _pointer(stored) if stored else None


def _pointer(stored: Stored) -> Pointer:
    return Pointer(manifest.pointed(stored.content), stored.tag)


class Local:
    """Versions in a folder, which are mapped where they lie; a start checks formats and sizes."""

    def __init__(self, root: Path):
        self.address = str(root)
        self._root = root
        self._store = Folder(root)

    def start(self) -> Catalog:
        """See :class:`Releases`."""
        return catalog.load(self._root)

    def pointer(self) -> Pointer:
        """See :class:`Releases`."""
        return pointer(self._store)

    def moved(self, since: Pointer) -> Pointer | None:
        """See :class:`Releases`."""
        return _moved(self._store, since)

    def open(self, version: str) -> Catalog:
        """See :class:`Releases`."""
        found = catalog.load_version(self._root, version)
        catalog.verify(found.folder, version)
        found.map()
        return found

    def complete(self, songs: Catalog) -> None:
        """Nothing was left out."""


class Remote:
    """Versions in a bucket; a start fetches a file when a request first needs it, and verifies each one.

    A start that fails serves the version that the cache last held whole, if there is one.
    """

    def __init__(self, store: Store, folder: Path, limit: int):
        self.address = store.address
        self._store = store
        self._opened: weakref.WeakSet[Catalog] = weakref.WeakSet()
        self._cache = Cache(folder, limit, lambda: {songs.version for songs in list(self._opened)})
        self._last = f"{hashlib.sha256(store.address.encode()).hexdigest()[:16]}.json"

    def start(self) -> Catalog:
        """See :class:`Releases`."""
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
        """See :class:`Releases`."""
        try:
            return pointer(self._store)
        except Missing:
            said = f"nothing is published at {self.address}: run 'python -m build publish {self.address}'"
            raise Missing(said) from None

    def moved(self, since: Pointer) -> Pointer | None:
        """See :class:`Releases`."""
        return _moved(self._store, since)

    def open(self, version: str) -> Catalog:
        """See :class:`Releases`."""
        found = self._catalog(version)
        self.complete(found)
        return found

    def complete(self, songs: Catalog) -> None:
        """See :class:`Releases`."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(songs.path, songs.manifest["files"]))
        songs.map()
        self._cache.keep(self._last, json.dumps({"version": songs.version}).encode())

    def _catalog(self, version: str) -> Catalog:
        said = self._manifest(version)
        found = Catalog(self._cache.folder / version, said, partial(self._file, version, said["files"]))
        self._opened.add(found)
        return found

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
