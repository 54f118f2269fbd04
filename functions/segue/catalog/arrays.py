"""Arrays in files: NumPy files mapped into memory, and rows of unequal length (strings, lists) on top of them.

Mapping a file here takes a sixth of the time of ``np.load``: a cold start opens thirty. Pages that were touched stay
mapped, with their neighbours, and count as the process's memory: :func:`unmap_pages` bounds them.
"""

import mmap
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

# https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0, rows first
_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][a-z]\d+)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)
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
        firsts, lasts = self._offsets.take(rows).tolist(), self._offsets.take(rows + 1).tolist()
        return [str(text, "utf-8") for text in take_slices(self._heap, firsts, lasts)]


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
        firsts, lasts = self.offsets.take(rows).tolist(), self.offsets.take(rows + 1).tolist()
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
        return (values[first:last] for first, last in zip(firsts, lasts))
    return fetch_slices(firsts, lasts)
