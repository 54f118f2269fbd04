"""What is current in a store, and versions in a folder; for a bucket's see :mod:`segue.releases.remote`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from segue import catalog
from segue.catalog import Catalog, manifest
from segue.releases.store import Folder, Store, Stored, Tag


@dataclass(frozen=True, slots=True)
class Pointer:
    """A ``current.json``.

    said : all that it says, see :func:`segue.catalog.manifest.pointed`
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
        """The current version, opened as fast as can be; the class says which files are checked when."""

    def pointer(self) -> Pointer:
        """What is current."""

    def moved(self, since: Pointer) -> Pointer | None:
        """What is current, None when that has not changed since."""

    def open(self, version: str) -> Catalog:
        """A version, every file of it here and verified."""

    def complete(self, songs: Catalog) -> None:
        """Bring the files that :meth:`start` has left out."""


def pointer(store: Store) -> Pointer:
    """What a store says is current."""
    return _pointer(store.read(manifest.POINTER))


def moved(store: Store, since: Pointer) -> Pointer | None:
    """The same, None when it has not changed since."""
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
        return moved(self._store, since)

    def open(self, version: str) -> Catalog:
        """See :class:`Releases`."""
        found = catalog.load_version(self._root, version)
        catalog.verify(found.folder, version)
        found.map()
        return found

    def complete(self, songs: Catalog) -> None:
        """Nothing was left out."""
