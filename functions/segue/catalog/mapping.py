"""NumPy files, memory-mapped: a cold start opens thirty of them, which ``np.load`` takes six times as long for.

Pages that were touched stay mapped, with their neighbours, and count as the process's memory: :func:`give_back`
bounds them.
"""

import mmap
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

# https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0, rows first
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][a-z]\d+)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)
KEPT = 7 / 8  # of a bound, so that not every request gives pages back


def mapped(path: Path) -> np.ndarray:
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
    header = _HEADER.match(content)
    if header is None:
        raise ValueError(f"{path.name} is no NumPy file")
    shape = tuple(int(size) for size in header[2].split(b",") if size.strip())
    try:
        return np.ndarray(shape, np.dtype(header[1].decode()), content, header.end())
    except TypeError:
        raise ValueError(f"{path.name} is too short for an array of shape {shape}") from None


def give_back(arrays: Iterable[np.ndarray], bound: float) -> None:
    """Unmap pages of mapped arrays, the largest array's first, once more than ``bound`` bytes of files are mapped.

    The largest need fewest pages anew for what they free. Other threads may be reading: a page that is touched again
    is mapped again, from the kernel's cache as a rule. Nothing happens where there is no /proc.
    """
    if resident() <= bound:
        return
    for array in sorted(arrays, key=lambda array: -array.nbytes):
        if isinstance(array.base, mmap.mmap):
            array.base.madvise(mmap.MADV_DONTNEED)
        if resident() <= KEPT * bound:
            return


def resident() -> int:
    """Bytes of files that are in this process's memory, libraries among them; 0 where there is no /proc."""
    try:
        file = os.open("/proc/self/statm", os.O_RDONLY)  # anew each time: a fork would go on reading its parent's
    except OSError:
        return 0
    try:
        return int(os.read(file, 256).split()[2]) * mmap.PAGESIZE  # proc_pid_statm(5)
    finally:
        os.close(file)
