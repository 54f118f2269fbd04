"""NumPy files that grow while rows stream in: their length is known when the last one is written."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np


class Column:
    """One ``.npy`` file, written from its first row to its last.

    width : of its rows, None where they are numbers
    """

    def __init__(self, folder: Path, name: str, kind: Any, width: int | None = None):
        self._file = (folder / f"{name}.npy").open("wb")
        self._kind = np.dtype(kind)
        self._row = () if width is None else (width,)
        self.rows = 0
        self._head()

    def append(self, values: np.ndarray) -> None:
        """Write some rows."""
        self._file.write(np.ascontiguousarray(values, self._kind).reshape(-1, *self._row).tobytes())
        self.rows += len(values)

    def close(self) -> None:
        """Write how many rows there are; a header has space for any number."""
        self._file.seek(0, os.SEEK_SET)
        self._head()
        self._file.close()

    def _head(self) -> None:
        shape = (self.rows, *self._row)
        entry = {"descr": np.lib.format.dtype_to_descr(self._kind), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, entry)


class Columns:
    """Several files of a folder, closed together."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._columns: dict[str, Column] = {}

    def __enter__(self) -> "Columns":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for column in self._columns.values():
            column.close()

    def append(self, name: str, values: np.ndarray, kind: Any = None) -> None:
        """Write some rows of one file, which has the type and the width of the first ones."""
        if name not in self._columns:
            width = values.shape[1] if values.ndim == 2 else None
            self._columns[name] = Column(self._folder, name, kind or values.dtype, width)
        self._columns[name].append(values)

    def rows(self, name: str) -> int:
        """How many rows a file has so far."""
        return self._columns[name].rows if name in self._columns else 0


class Ragged:
    """Rows of unequal length as :mod:`segue.catalog.ragged` reads them: values end to end, and offsets.

    The offsets, 8 bytes a row, lie in a file of their own until the sum of all lengths decides their type.
    """

    def __init__(self, folder: Path, owner: str, items: str, kind: Any):
        self._folder, self._name = folder, f"{owner}_offsets"
        self._values = Column(folder, f"{owner}_{items}", kind)
        self._lengths = Column(folder, f".{owner}_lengths", np.int32)

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
        whole = Column(self._folder, self._name, np.uint32 if self._values.rows < 2**32 else np.uint64)
        end = 0
        whole.append(np.zeros(1, np.int64))
        for first in range(0, len(lengths), 1 << 16):
            ends = end + np.cumsum(lengths[first : first + (1 << 16)], dtype=np.int64)
            whole.append(ends)
            end = int(ends[-1])
        whole.close()
        del lengths
        path.unlink()

    @property
    def _lengths_name(self) -> str:
        return f".{self._name.removesuffix('_offsets')}_lengths"
