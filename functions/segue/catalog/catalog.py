"""The artifacts: what a version directory holds and how it is read.

``ROOT/current.json`` names a version; ``ROOT/versions/<id>/`` holds it: ``manifest.json``, NumPy files that are
memory-mapped on first use, and ``catalog.parquet``. Rows are songs, sorted by cluster, then cell.
:mod:`segue.catalog.schema` declares every array.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from segue.catalog import schema
from segue.catalog.arrays import ArrayReader, RaggedArray, SharedStringArray, StringArray, map_array, unmap_pages
from segue.errors import ArtifactsError

T = TypeVar("T")
SAMPLE_SIZE = 1_000  # songs, about, that stand for a catalogue


class Catalog:
    """One version of the artifacts, each file opened when it is first needed.

    folder : the version directory
    manifest : its manifest, as :func:`load` has read it
    fetch_file : fetches a file of that name and returns its path; None: all of them lie in the folder
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], fetch_file: Callable[[str], Path] | None = None):
        self.folder = folder
        self.manifest = manifest
        self._fetch_file = fetch_file
        self._mapped_arrays: list[np.ndarray] = []
        self._arrays: dict[str, np.ndarray] = {}
        self._texts: dict[str, StringArray] = {}
        self._lists: dict[tuple[str, str], RaggedArray] = {}
        self._cached: dict[Hashable, Any] = {}

    @property
    def version(self) -> str:
        """The version's id."""
        return self.folder.name

    def __len__(self) -> int:
        return int(self.manifest["songs"])

    def array(self, name: str) -> np.ndarray:
        """The whole array of that name, memory-mapped; two threads may both open it, either's is as good."""
        if name not in self._arrays:
            self._arrays[name] = self._map_file(f"{name}.npy")
        return self._arrays[name]

    def reader(self, name: str) -> ArrayReader:
        """The array of that name for whoever reads parts of it: a remote catalog fetches no more than these."""
        return self.array(name)

    def take(self, name: str, rows: np.ndarray | Sequence[int] | int) -> np.ndarray:
        """The elements of an array at some rows, in the shape of ``rows``."""
        elements: np.ndarray = self.reader(name).take(np.asarray(rows, np.intp), axis=0)
        return elements

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        """A value computed from this version once, by key; two threads may both compute it, either result will do."""
        if key not in self._cached:
            self._cached[key] = compute()
        found: T = self._cached[key]
        return found

    def path(self, name: str) -> Path:
        """Where a file lies, fetched if need be; ask anew for each opening, for a cache may have lost it."""
        return self._fetch_file(name) if self._fetch_file else self.folder / name

    @property
    def required_files(self) -> Iterable[str]:
        """The files that must be on the disk; the others are fetched in part, when they are needed."""
        return self.manifest["files"]

    def prefetch_rows(self, rows: np.ndarray | Callable[[], np.ndarray], *columns: str) -> None:
        """Announce that songs will be read, above all these columns: a remote catalog fetches them in one round trip.

        rows : or a function that computes them, which is not called where nothing is fetched
        """

    def prefetch_keys(self, keys: Callable[[], Mapping[str, Sequence[int]]]) -> None:
        """Announce which hashes will be looked up: a function that computes them, by the column that holds them."""

    def prefetch_sample(self) -> None:
        """Announce that the songs of :func:`sample_rows` will be read."""

    def map_all(self) -> None:
        """Map every array now: what becomes of the files later does not reach them."""
        for name in self.manifest["files"]:
            if name.endswith(".npy"):
                self.array(name.removesuffix(".npy"))

    def unmap(self, limit: float | None = None) -> None:
        """Between requests: unmap pages of files if more bytes than ``limit`` are mapped; answers stay the same."""
        if limit is not None:
            unmap_pages(self._mapped_arrays, limit)

    def attribute(self, name: str, rows: np.ndarray | Sequence[int] | int | None = None) -> np.ndarray:
        """A number of some songs, or of every song, NaN where it is unknown."""
        name = f"{schema.ATTRIBUTE_PREFIX}{name}"
        return self.array(name) if rows is None else self.take(name, rows)

    def texts(self, name: str) -> StringArray:
        """``ids``, ``names``, ``albums`` (by song) or ``artists`` (by artist)."""
        if name not in self._texts:
            offsets, heap = map(self.reader, schema.LISTS[name, "heap"])
            self._texts[name] = (
                SharedStringArray(heap, offsets, self.reader("song_albums"))
                if name == "albums"
                else StringArray(heap, offsets)
            )
        return self._texts[name]

    def lists(self, owner: str, items: str) -> RaggedArray:
        """``("song", "artists")``: the artists of each song; likewise for :data:`segue.catalog.schema.LISTS`."""
        if (owner, items) not in self._lists:
            self._lists[owner, items] = RaggedArray(*map(self.reader, schema.LISTS[owner, items]))
        return self._lists[owner, items]

    def _map_file(self, name: str) -> np.ndarray:
        try:
            array = map_array(self.path(name))
        except (OSError, ValueError) as error:
            message = f"{name} of version {self.version} can't be opened ({type(error).__name__})"
            raise ArtifactsError(message) from error
        self._mapped_arrays.append(array)
        return array


def sample_rows(n_songs: int) -> np.ndarray:
    """Rows of the songs that stand for a catalogue, which a remote one keeps in a record of their own."""
    return np.arange(0, n_songs, max(1, n_songs // SAMPLE_SIZE))
