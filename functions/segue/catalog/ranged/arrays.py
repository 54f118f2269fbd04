"""Arrays of which what is read is fetched: rows and slices by pieces, anything else by the whole file.

They stand where the code expects NumPy's: what is taken of them is NumPy's, a copy. Numbers of rows are positive.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from segue.catalog.ranged.held import Held
from segue.catalog.ranged.index import CELLS, KEYS, MOST_RECORDS, Index, blocks_of, elements
from segue.catalog.ranged.runs import Array, Piece, Runs

WHOLE = 0.5  # share of a file's blocks from which all of it is fetched
_NONE = np.empty(0, np.int64)


class Fetched(np.lib.mixins.NDArrayOperatorsMixin):
    """An array in the store.

    by_cell : whether its elements are songs, which records of cells hold
    whole : fetches the file and maps it
    """

    def __init__(self, array: Array, index: Index, held: Held, whole: Callable[[], np.ndarray], *, by_cell: bool):
        self.dtype, self.shape, self.ndim = array.dtype, array.shape, len(array.shape)
        self._array, self._index, self._held = array, index, held
        self._by_cell = by_cell
        self._whole = whole
        self._mapped: np.ndarray | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        if self._mapped is not None or isinstance(key, tuple):
            return self.whole()[key]
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            found = self._slice(first, last) if step == 1 else None
            return self._taken(np.arange(first, last, step)) if found is None else found
        rows = np.asarray(key)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        return self.take(rows) if rows.ndim else self._taken(rows[None])[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.whole(), dtype, copy=copy)

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        arrays = (given.whole() if isinstance(given, Fetched) else given for given in inputs)
        return getattr(function, method)(*arrays, **options)

    def __getattr__(self, name: str) -> Any:
        """Whatever else arrays can do is done by the whole one."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.whole(), name)

    @property
    def data(self) -> "Fetched":
        """Itself, for its slices are bytes to read from, too."""
        return self

    def whole(self) -> np.ndarray:
        """All of it."""
        if self._mapped is None:
            self._mapped = self._whole()
        return self._mapped

    def take(self, rows: Any, axis: int | None = None) -> np.ndarray:  # noqa: ARG002 # called as NumPy's, with 0
        """Elements, rows of an array of two axes."""
        wanted = np.asarray(rows, np.int64)
        if self._mapped is not None:
            return self._mapped.take(wanted, axis=0)
        return self._taken(wanted.reshape(-1)).reshape(*wanted.shape, *self.shape[1:])

    def pieces(self, firsts: list[int], lasts: list[int]) -> list[np.ndarray]:
        """Several slices, fetched at once."""
        slices = list(zip(firsts, lasts))
        found = [self._slice(*bounds) for bounds in slices]
        runs = [np.arange(*bounds) for bounds, values in zip(slices, found) if values is None]
        values = self.take(np.concatenate(runs)) if runs else self[:0]
        others = iter(np.split(values, np.cumsum([len(run) for run in runs])[:-1]))
        return [next(others) if values is None else values for values in found]

    def expect(self, wanted: np.ndarray) -> None:
        """Fetch the blocks of elements which are not here, in one round trip; all of it where they are very many."""
        if self._mapped is None:
            self._blocks(np.unique(wanted // elements(self._array)))

    def _taken(self, wanted: np.ndarray) -> np.ndarray:
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"{self._array.name} has {len(self)} elements")
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        left = self._of_cells(wanted, found) if self._by_cell else np.arange(len(wanted))
        if len(left):
            low, high = int(wanted[left].min()), int(wanted[left].max())
            left = _filled(self._here(low, high + 1, inside=False), wanted, found, left)
        if len(left):
            blocks = self._blocks(np.unique(wanted[left] // elements(self._array)))
            left = _filled([runs for piece in blocks if (runs := piece.runs(self._array.name))], wanted, found, left)
        if len(left):
            found[left] = self.whole()[wanted[left]]
        return found

    def _of_cells(self, wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Fill in what records of cells hold, cell by cell; returns the places of the others."""
        cells = self._index.cells.searchsorted(wanted, side="right") - 1
        order = np.argsort(cells, kind="stable")
        edges = np.flatnonzero(np.diff(cells[order], prepend=-1, append=-1)).tolist()
        left = [_NONE]
        for start, stop in itertools.pairwise(edges):
            places = order[start:stop]
            record = self._held.get((CELLS, int(cells[places[0]])))
            runs = record.runs(self._array.name) if record else None
            if runs is None:
                left.append(places)
            else:
                found[places] = runs.values.take(wanted[places] - runs.starts[0], axis=0)
        return np.concatenate(left)

    def _slice(self, first: int, last: int) -> np.ndarray | None:
        """A slice that is here in one run."""
        for runs in self._here(first, last, inside=True) if last > first else ():
            run = int(runs.starts.searchsorted(first, side="right")) - 1
            if last <= runs.stops[run]:
                place = first + int(runs.shifts[run])
                return runs.values[place : place + last - first]
        return None

    def _here(self, low: int, high: int, *, inside: bool) -> list[Runs]:
        """What is here of elements in a range, or around all of it; what was asked for last goes first."""
        lows, highs, found = self._held.lately(self._array.name)
        ends = (low, high) if inside else (high - 1, low + 1)
        return [found[place] for place in np.flatnonzero((lows <= ends[0]) & (highs >= ends[1])).tolist()]

    def _blocks(self, numbers: np.ndarray) -> list[Piece]:
        """Blocks, fetched unless they are here; none where the whole file is to be fetched instead."""
        if len(numbers) > 1 and len(numbers) > WHOLE * blocks_of(self._array):
            return []
        keys = [(self._array.name, number) for number in numbers.tolist()]
        missing = self._held.missing(keys)
        here = [self._held.get(key) for key in set(keys).difference(missing)]
        brought = self._held.bring([self._index.block(*key) for key in missing]) if missing else []
        return [piece for piece in (*here, *brought) if piece]


class Digests(Fetched):
    """The sorted column of a look-up."""

    def __init__(self, kind: str, *given: Any, **options: Any):
        super().__init__(*given, **options)
        self._kind = kind

    def searchsorted(self, keys: Any, side: Any = "left") -> np.ndarray:
        """As NumPy's, of which the records that hold the keys are searched alone."""
        return np.array([self._place(key, side) for key in np.asarray(keys).tolist()], np.int64)

    def _place(self, key: int, side: Any) -> int:
        records, step = self._index.records_of(self._kind, key), KEYS[self._kind][2]
        first, last = step * records.start, min(step * records.stop, len(self))
        if len(records) > MOST_RECORDS:  # equal digests in all but the outermost
            inner = step * (1 if side == "left" else len(records) - 1)
            first, last = (first, first + step) if side == "left" else (first + inner, last)
        return first + int(self[first:last].searchsorted(np.uint64(key), side=side))


def _filled(pieces: Iterable[Runs], wanted: np.ndarray, found: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Fill in what pieces hold; returns the places of the others."""
    for runs in pieces:
        places = runs.places(wanted[left])
        hits = places >= 0
        found[left[hits]] = runs.values.take(places[hits], axis=0)
        left = left[~hits]
        if not len(left):
            break
    return left
