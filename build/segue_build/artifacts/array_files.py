"""Writes the arrays that :mod:`segue.catalog.schema` declares, as :mod:`segue.catalog.arrays` reads them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from segue.catalog.schema import LISTS, schema_of


def write_strings(folder: Path, name: str, texts: Iterable[list[str]]) -> None:
    """Write strings, a run of them at a time; see :class:`segue.catalog.arrays.StringArray`."""
    heaps, lengths = [], [np.empty(0, np.int64)]
    for run in texts:
        encoded = [text.encode("utf-8", "replace") for text in run]
        lengths.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
        heaps.append(b"".join(encoded))
    save_lists(folder, name, "heap", np.concatenate(lengths), np.frombuffer(b"".join(heaps), np.uint8))


def save_lists(folder: Path, owner: str, items: str, lengths: np.ndarray, values: np.ndarray) -> None:
    """Write lists of these lengths, end to end in ``values``; see :class:`segue.catalog.arrays.RaggedArray`."""
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
