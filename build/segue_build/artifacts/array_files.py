"""Writes the arrays that :mod:`segue.catalog.schema` declares, as :mod:`segue.catalog.catalog` reads them.

Arrays that are in memory are saved whole; the writers append rows to files that grow.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from segue.catalog.schema import LISTS, schema_of


def write_strings(folder: Path, name: str, texts: Iterable[list[str]]) -> None:
    """Write strings, a batch of them at a time; see :class:`segue.catalog.catalog.StringArray`."""
    heap = RaggedWriter(folder, name, "heap")
    for batch in texts:
        heap.append(*encode_texts(batch))
    heap.close()


def encode_texts(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """How many bytes each text has, int64, and the bytes end to end, uint8."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    return np.fromiter(map(len, encoded), np.int64, len(encoded)), np.frombuffer(b"".join(encoded), np.uint8)


def save_lists(folder: Path, owner: str, items: str, lengths: np.ndarray, values: np.ndarray) -> None:
    """Write lists of these lengths, end to end in ``values``; see :class:`segue.catalog.catalog.RaggedArray`."""
    names = LISTS[owner, items]
    save_array(folder, names.offsets, offsets_from_lengths(lengths))
    save_array(folder, names.values, values)


def save_array(folder: Path, name: str, array: np.ndarray) -> None:
    """Write an array in the dtype that its schema declares; ValueError if the array can't be that one."""
    dtype = schema_of(name).storage_dtype(array.dtype, array.ndim)
    np.save(folder / f"{name}.npy", np.ascontiguousarray(array, dtype), allow_pickle=False)


def offsets_from_lengths(lengths: np.ndarray) -> np.ndarray:
    """Where each of several runs begins and the last one ends: ``[2, 0, 3]`` -> ``[0, 2, 2, 5]``."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return ends.astype(np.uint32 if ends[-1] < 2**32 else np.uint64)


class NpyWriter:
    """One ``.npy`` file, written from its first row to its last.

    width : of its rows, None where they are numbers
    """

    def __init__(self, folder: Path, name: str, dtype: Any, width: int | None = None):
        self._file = (folder / f"{name}.npy").open("wb")
        self._dtype = np.dtype(dtype)
        self._row_shape = () if width is None else (width,)
        self.rows = 0
        self._write_header()

    def append(self, values: np.ndarray) -> None:
        """Write some rows."""
        self._file.write(np.ascontiguousarray(values, self._dtype).reshape(-1, *self._row_shape).tobytes())
        self.rows += len(values)

    def close(self) -> None:
        """Write the number of rows into the header, which has space for any."""
        self._file.seek(0, os.SEEK_SET)
        self._write_header()
        self._file.close()

    def _write_header(self) -> None:
        shape = (self.rows, *self._row_shape)
        entry = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, entry)


class NpyFolderWriter:
    """Several files of a folder, closed together."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._writers: dict[str, NpyWriter] = {}

    def __enter__(self) -> "NpyFolderWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def append(self, name: str, values: np.ndarray) -> None:
        """Write some rows of one array, which has the width and the dtype of the first ones."""
        if name not in self._writers:
            width = values.shape[1] if values.ndim == 2 else None
            self._writers[name] = NpyWriter(self._folder, name, values.dtype, width)
        self._writers[name].append(values)


class RaggedWriter:
    """Rows of unequal length as :mod:`segue.catalog.catalog` reads them: values end to end, and offsets.

    The offsets, 8 bytes a row, lie in a file of their own until the sum of all lengths decides their type.
    """

    def __init__(self, folder: Path, owner: str, items: str):
        self._folder, (self._offsets_name, values) = folder, LISTS[owner, items]
        self._values = NpyWriter(folder, values, schema_of(values).dtype)
        self._lengths_name = f".{owner}_{items}_lengths"
        self._lengths = NpyWriter(folder, self._lengths_name, np.int32)

    def append(self, lengths: np.ndarray, values: np.ndarray) -> None:
        """Write some rows."""
        self._lengths.append(lengths)
        self._values.append(values)

    def close(self) -> None:
        """Write the offsets."""
        self._values.close()
        self._lengths.close()
        path = self._folder / f"{self._lengths_name}.npy"
        lengths = np.load(path, mmap_mode="r")
        offsets = NpyWriter(self._folder, self._offsets_name, np.uint32 if self._values.rows < 2**32 else np.uint64)
        end = 0
        offsets.append(np.zeros(1, np.int64))
        for first in range(0, len(lengths), 1 << 16):
            ends = end + np.cumsum(lengths[first : first + (1 << 16)], dtype=np.int64)
            offsets.append(ends)
            end = int(ends[-1])
        offsets.close()
        del lengths
        path.unlink()
