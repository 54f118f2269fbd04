"""Some elements of several arrays in one piece of bytes; of each array, runs of neighbours.

A piece is a table of ``HEAD``, one line an array, after their number as uint64; then for each array the first element
of each run, counted from the line's, and the lengths of the runs, both uint32, and the elements of all runs end to
end. Everything begins at a multiple of eight bytes.
"""

import mmap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

HEAD = np.dtype([("array", "<u4"), ("runs", "<u4"), ("first", "<u8"), ("bytes", "<u8")])
STEP = 8  # bytes
MOST = 2**32 - 1


class Array(NamedTuple):
    """An array as its file has it.

    name : of the file, without ``.npy``
    shape : of the whole array; its elements are rows where there are two axes
    """

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of an element."""
        return int(self.dtype.itemsize * np.prod(self.shape[1:], dtype=np.int64))


class Runs(NamedTuple):
    """What a piece holds of one array.

    starts, stops : int64, shape (n_runs,), rising and apart: elements of the array
    shifts : int64, shape (n_runs,), added to an element's number they give its place in ``values``
    values : the elements
    """

    starts: np.ndarray
    stops: np.ndarray
    shifts: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, starts: np.ndarray, lengths: np.ndarray, values: np.ndarray) -> "Runs":
        """Runs of these lengths."""
        return cls(starts, starts + lengths, np.cumsum(lengths) - lengths - starts, values)

    def places(self, wanted: np.ndarray) -> np.ndarray:
        """The places of elements in ``values``, -1 for those that are in no run."""
        runs = self.starts.searchsorted(wanted, side="right") - 1
        inside = (runs >= 0) & (wanted < self.stops.take(runs))
        return np.where(inside, wanted + self.shifts.take(runs), -1)


class Piece:
    """Bytes that were fetched; what they hold of an array is looked at when it is first asked for."""

    def __init__(self, content: bytes | mmap.mmap, arrays: Sequence[Array]):
        self._content = content
        self._arrays = arrays
        self._lines = {arrays[number].name: (number, *line) for number, *line in _lines(content)}
        self._runs: dict[str, Runs] = {}

    def __len__(self) -> int:
        return len(self._content)

    def runs(self, name: str) -> Runs | None:
        """What is here of an array, None: nothing."""
        if name not in self._runs:
            if name not in self._lines:
                return None
            self._runs[name] = self._decoded(*self._lines[name])
        return self._runs[name]

    def _decoded(self, number: int, n_runs: int, first: int, n_bytes: int, place: int) -> Runs:
        array = self._arrays[number]
        numbers = np.frombuffer(self._content, "<u4", 2 * n_runs, place).astype(np.int64)
        values = np.frombuffer(self._content, np.uint8, n_bytes, place + STEP * n_runs)
        values.flags.writeable = False
        return Runs.of(
            numbers[:n_runs] + first,
            numbers[n_runs:],
            values.view(array.dtype).reshape(-1, *array.shape[1:]),
        )


def packed(parts: Sequence[tuple[int, np.ndarray, np.ndarray, np.ndarray]]) -> bytes:
    """A piece of parts: the number of an array, the starts and lengths of runs, and their elements.

    Raises
    ------
    ValueError
        two runs are so far apart that 32 bits don't hold how far: in texts of 4 GB.

    """
    heads = np.empty(len(parts), HEAD)
    pieces = []
    for line, (number, starts, lengths, values) in enumerate(parts):
        first = int(starts[0]) if len(starts) else 0
        if len(starts) and int(starts[-1]) - first > MOST:
            raise ValueError("an array of more than 4 GB can't be served by cells")
        heads[line] = number, len(starts), first, values.nbytes
        pieces += [(starts - first).astype("<u4").tobytes(), lengths.astype("<u4").tobytes(), values.tobytes()]
        pieces.append(bytes(-values.nbytes % STEP))
    return b"".join([np.uint64(len(parts)).tobytes(), heads.tobytes(), *pieces])


def _lines(content: bytes | mmap.mmap) -> list[tuple[int, int, int, int, int]]:
    """The table of a piece, and where each array's part begins."""
    count = int(np.frombuffer(content, "<u8", 1)[0])
    place, lines = STEP + count * HEAD.itemsize, []
    for number, n_runs, first, n_bytes in np.frombuffer(content, HEAD, count, STEP).tolist():
        lines.append((number, n_runs, first, n_bytes, place))
        place += STEP * n_runs + n_bytes + -n_bytes % STEP
    return lines
