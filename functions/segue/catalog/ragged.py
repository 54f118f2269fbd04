"""Rows of unequal length, end to end in one array with offsets: texts and lists, how they are written and read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


class Texts:
    """Strings by row, from a byte heap.

    heap : uint8, shape (n_bytes,)
    offsets : shape (n_texts + 1,), the first byte of each text
    """

    def __init__(self, heap: np.ndarray, offsets: np.ndarray):
        self._heap = heap.data
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        first, last = self._offsets[row : row + 2].tolist()
        return str(self._heap[first:last], "utf-8")

    def several(self, rows: np.ndarray) -> list[str]:
        """The texts of several rows, in their order."""
        firsts, lasts = self._offsets.take(rows).tolist(), self._offsets.take(rows + 1).tolist()
        return [str(text, "utf-8") for text in slices(self._heap, firsts, lasts)]


class SharedTexts(Texts):
    """The same where many rows have the same text.

    numbers : shape (n_rows,), which of the texts a row has
    """

    def __init__(self, heap: np.ndarray, offsets: np.ndarray, numbers: np.ndarray):
        super().__init__(heap, offsets)
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, row: int) -> str:
        return super().__getitem__(int(self._numbers[row]))

    def several(self, rows: np.ndarray) -> list[str]:
        """The texts of several rows, in their order."""
        return super().several(self._numbers.take(rows))


@dataclass(frozen=True, slots=True)
class Lists:
    """Rows of unequal length, end to end.

    offsets : shape (n_lists + 1,)
    values : shape (offsets[-1],)
    """

    offsets: np.ndarray
    values: np.ndarray

    def __getitem__(self, row: int) -> np.ndarray:
        first, last = self.offsets[row : row + 2].tolist()
        return self.values[first:last]

    def first(self, row: int, most: int) -> np.ndarray:
        """The beginning of a row."""
        first, last = self.offsets[row : row + 2].tolist()
        return self.values[first : min(last, first + most)]

    def size(self, row: int) -> int:
        """The length of a row."""
        first, last = self.offsets[row : row + 2].tolist()
        return int(last - first)

    def several(self, rows: np.ndarray) -> list[list[int]]:
        """The lists of a few rows, in their order."""
        firsts, lasts = self.offsets.take(rows).tolist(), self.offsets.take(rows + 1).tolist()
        return [values.tolist() for values in slices(self.values, firsts, lasts)]

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lists of several rows end to end, and the length of each."""
        firsts = self.offsets[rows].astype(np.int64)
        counts = self.offsets[rows + 1] - firsts
        shifts = np.repeat(firsts - np.cumsum(counts) + counts, counts)
        return self.values[shifts + np.arange(len(shifts))], counts


def slices(values: Any, firsts: Sequence[int], lasts: Sequence[int]) -> Iterable[Any]:
    """Several slices; those of an array that lies elsewhere at once."""
    if isinstance(values, memoryview | np.ndarray):
        return (values[first:last] for first, last in zip(firsts, lasts))
    found: Iterable[Any] = values.pieces(firsts, lasts)
    return found


def write_texts(folder: Path, name: str, texts: Iterable[list[str]]) -> None:
    """Write strings, a run of them at a time, so that :class:`Texts` can read them."""
    heaps, lengths = [], [np.empty(0, np.int64)]
    for run in texts:
        encoded = [text.encode("utf-8", "replace") for text in run]
        lengths.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        heaps.append(b"".join(encoded))
    np.save(folder / f"{name}_heap.npy", np.frombuffer(b"".join(heaps), np.uint8))
    np.save(folder / f"{name}_offsets.npy", offsets_of(np.concatenate(lengths)))


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Where each of several runs begins and the last one ends: ``[2, 0, 3]`` -> ``[0, 2, 2, 5]``."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return ends.astype(np.uint32 if ends[-1] < 2**32 else np.uint64)
