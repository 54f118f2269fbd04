"""The artifacts: what a version directory holds and how it is read.

``ROOT/current.json`` names a version; ``ROOT/versions/<id>/`` holds it: ``manifest.json``, NumPy files that are
memory-mapped on first use, and ``catalog.parquet``. Rows are songs, sorted by cluster, then cell.
:mod:`segue.catalog.schema` declares every array; strings and lists are rows of unequal length on top of them.

Mapping a file here takes a sixth of the time of ``np.load``: a cold start opens thirty. Pages that were touched stay
mapped, with their neighbours, and count as the process's memory: :func:`unmap_pages` bounds them.
"""

import itertools
import mmap
import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from segue.catalog import schema
from segue.errors import ArtifactsError

T = TypeVar("T")
SAMPLE_SIZE = 1_000  # songs, about, that stand for a catalogue
# https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0, rows first
_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][a-z]\d+)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)
_BOUNDS = np.array([[0], [1]])  # of a row in the offsets of rows: where it begins, and where the next one does
UNMAP_TARGET = 7 / 8  # of a bound, so that not every request gives pages back


def map_array(path: Path) -> np.ndarray:
    """The array in a file, read-only; pages come from the disk when they are first touched.

    Raises
    ------
    OSError
        the file can't be opened.
    ValueError
        it is no NumPy file as ``np.save`` writes it, or is too short for its array.

    """
    with path.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header = _NPY_HEADER.match(content)
    if header is None:
        raise ValueError(f"{path.name} is no NumPy file")
    shape = tuple(int(size) for size in header[2].split(b",") if size.strip())
    try:
        return np.ndarray(shape, np.dtype(header[1].decode()), content, header.end())
    except TypeError:
        raise ValueError(f"{path.name} is too short for an array of shape {shape}") from None


def unmap_pages(arrays: Iterable[np.ndarray], limit: float) -> None:
    """Unmap pages of mapped arrays, the largest array's first, once more than ``limit`` bytes of files are mapped.

    The largest need fewest pages anew for what they free. Other threads may be reading: a page that is touched again
    is mapped again, from the kernel's cache as a rule. Nothing happens where there is no /proc.
    """
    if mapped_bytes() <= limit:
        return
    for array in sorted(arrays, key=lambda array: -array.nbytes):
        if isinstance(array.base, mmap.mmap):
            array.base.madvise(mmap.MADV_DONTNEED)
        if mapped_bytes() <= UNMAP_TARGET * limit:
            return


def mapped_bytes() -> int:
    """Bytes of files that are in this process's memory, libraries among them; 0 where there is no /proc."""
    try:
        file = os.open("/proc/self/statm", os.O_RDONLY)  # anew each time: a fork would go on reading its parent's
    except OSError:
        return 0
    try:
        return int(os.read(file, 256).split()[2]) * mmap.PAGESIZE  # proc_pid_statm(5)
    finally:
        os.close(file)


class ArrayReader(Protocol):
    """Reads parts of an array, which may lie in a store: a plain NumPy array is one, and so is a ``RemoteArray``.

    Row numbers are positive. Whoever needs all of an array, or what else NumPy can do, asks for the whole one.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, bounds: slice, /) -> Any: ...

    def take(self, rows: Any, /, axis: Any = ...) -> Any:
        """Elements, in the shape of ``rows``; axis 0 if the array has two."""

    def searchsorted(self, keys: Any, /, side: Any = ...) -> Any:
        """Where keys belong in a sorted array."""


class StringArray:
    """Strings by row, from a byte heap.

    heap : uint8, shape (n_bytes,)
    offsets : shape (n_texts + 1,), the first byte of each text
    """

    def __init__(self, heap: ArrayReader, offsets: ArrayReader):
        self._heap = heap.data if isinstance(heap, np.ndarray) else heap  # bytes are sliced faster than arrays
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        first, last = self._offsets[row : row + 2].tolist()
        return str(self._heap[first:last], "utf-8")

    def take(self, rows: np.ndarray) -> list[str]:
        """The texts of several rows, in their order."""
        firsts, lasts = self._offsets.take(_BOUNDS + rows).tolist()
        return list(map(str, take_slices(self._heap, firsts, lasts), itertools.repeat("utf-8")))


class SharedStringArray(StringArray):
    """The same where many rows have the same text.

    numbers : shape (n_rows,), which of the texts a row has
    """

    def __init__(self, heap: ArrayReader, offsets: ArrayReader, numbers: ArrayReader):
        super().__init__(heap, offsets)
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, row: int) -> str:
        (number,) = self._numbers[row : row + 1].tolist()
        return super().__getitem__(number)

    def take(self, rows: np.ndarray) -> list[str]:
        """The texts of several rows, in their order."""
        return super().take(self._numbers.take(rows))


@dataclass(frozen=True, slots=True)
class RaggedArray:
    """Lists of unequal length, end to end in one array (a ragged array).

    offsets : shape (n_lists + 1,)
    values : shape (offsets[-1],)
    """

    offsets: ArrayReader
    values: ArrayReader

    def __getitem__(self, row: int) -> np.ndarray:
        first, last = self.offsets[row : row + 2].tolist()
        values: np.ndarray = self.values[first:last]
        return values

    def head(self, row: int, count: int) -> np.ndarray:
        """The beginning of a row."""
        first, last = self.offsets[row : row + 2].tolist()
        values: np.ndarray = self.values[first : min(last, first + count)]
        return values

    def length(self, row: int) -> int:
        """The length of a row."""
        first, last = self.offsets[row : row + 2].tolist()
        return int(last - first)

    def take(self, rows: np.ndarray) -> list[list[int]]:
        """The lists of a few rows, in their order."""
        firsts, lasts = self.offsets.take(_BOUNDS + rows).tolist()
        return [values.tolist() for values in take_slices(self.values, firsts, lasts)]

    def first_items(self, rows: np.ndarray) -> np.ndarray:
        """The first item of each of several lists, none of which may be empty."""
        items: np.ndarray = self.values.take(self.offsets.take(rows))
        return items

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lists of several rows end to end, and the length of each."""
        firsts = self.offsets.take(rows).astype(np.int64)
        counts = self.offsets.take(rows + 1) - firsts
        shifts = np.repeat(firsts - np.cumsum(counts) + counts, counts)
        return self.values.take(shifts + np.arange(len(shifts))), counts


def take_slices(values: ArrayReader | memoryview, firsts: Sequence[int], lasts: Sequence[int]) -> Iterable[Any]:
    """Several slices of an array; those of a remote one are fetched together."""
    fetch_slices: Callable[[Sequence[int], Sequence[int]], Iterable[Any]] | None
    fetch_slices = getattr(values, "take_slices", None)
    if fetch_slices is None:
        return map(values.__getitem__, map(slice, firsts, lasts))
    return fetch_slices(firsts, lasts)


class Catalog:
    """One version of the artifacts, each file opened when it is first needed.

    folder : the version directory
    manifest : its manifest, as :func:`load` has read it
    fetch_file : fetches a file of that name and returns its path; None: all of them lie in the folder
    check_array : raises ArtifactsError if an array that was mapped is not what its schema declares
    """

    is_remote = False  # whether songs stay in the store, so that not all of an array need be here
    warm_up = 0.0  # seconds that a version serves at least before another one replaces it

    def __init__(
        self,
        folder: Path,
        manifest: dict[str, Any],
        fetch_file: Callable[[str], Path] | None = None,
        check_array: Callable[[str, np.ndarray], None] | None = None,
    ):
        self.folder = folder
        self.manifest = manifest
        self._fetch_file = fetch_file
        self._check_array = check_array
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

    def parts(self) -> Iterator[tuple[str, np.ndarray]]:
        """All elements of arrays that are here, array by array; pages of one are unmapped before the next one."""
        for name in self.manifest["files"]:
            if name.endswith(".npy"):
                array = self.array(name.removesuffix(".npy"))
                yield name.removesuffix(".npy"), array
                unmap_pages([array], 0)

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

    @property
    def cluster_indices(self) -> dict[int, int]:
        """Id -> index in the manifest, of every cluster."""
        return {entry["id"]: index for index, entry in enumerate(self.manifest["clusters"])}

    def clusters_of(self, rows: np.ndarray) -> list[Mapping[str, Any]]:
        """The manifest's entries of the clusters of some songs."""
        cells = self.array("cell_offsets").searchsorted(rows, side="right") - 1
        entries = self.manifest["clusters"]
        return [entries[index] for index in self.array("cell_clusters").take(cells).tolist()]

    def _map_file(self, name: str) -> np.ndarray:
        try:
            array = map_array(self.path(name))
        except (OSError, ValueError) as error:
            message = f"{name} of version {self.version} can't be opened ({type(error).__name__})"
            raise ArtifactsError(message) from error
        if self._check_array:
            self._check_array(name.removesuffix(".npy"), array)
        self._mapped_arrays.append(array)
        return array


def sample_rows(n_songs: int) -> np.ndarray:
    """Rows of the songs that stand for a catalogue, which a remote one keeps in a record of their own."""
    return np.arange(0, n_songs, max(1, n_songs // SAMPLE_SIZE))
