"""A catalog whose songs stay in the store: small arrays are files on the disk, blocks of the others are fetched.

Whoever reads part of an array gets a :class:`RemoteArray`, an :class:`segue.catalog.catalog.ArrayReader` that fetches
the blocks of this part. Whoever asks for a whole array gets its file, fetched and mapped.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segue.catalog.catalog import ArrayReader, Catalog
from segue.catalog.remote.block_cache import BlockCache, FetchRange
from segue.catalog.remote.blocks import (
    CELLS,
    LOOKUPS,
    MANIFEST_KEY,
    MAX_RECORDS_PER_KEY,
    SAMPLE,
    ArrayInfo,
    Block,
    BlockIndex,
    Segments,
    block_count,
    block_length,
    object_name,
)
from segue.catalog.schema import RESIDENT_ARRAYS, is_per_song
from segue.errors import MissingFile

WHOLE_FILE_SHARE = 0.5  # share of a file's blocks from which all of it is fetched
_NO_ROWS = np.empty(0, np.int64)
MAPPED_LIMIT = 128_000_000  # bytes of whole files, and of libraries, that stay mapped between requests
CELLS_SHARE = 0.5  # of the budget, up to which records of cells are fetched for one search


class RemoteCatalog(Catalog):
    """A version by blocks; all that a :class:`segue.catalog.Catalog` answers is answered the same.

    fetch_file : fetches a whole file of that name and returns its path
    fetch_range : fetches bytes of an object of the version
    limit : bytes that blocks may have
    """

    is_remote = True
    warm_up = 20.0  # its cache begins empty, and each request waits for blocks until it has those that most need

    def __init__(
        self,
        folder: Path,
        manifest: dict[str, Any],
        fetch_file: Callable[[str], Path],
        fetch_range: FetchRange,
        limit: int,
        check_array: Callable[[str, np.ndarray], None] | None = None,
    ):
        super().__init__(folder, manifest, fetch_file, check_array)
        self._index = BlockIndex(self)
        self.cache = BlockCache(self._index, self.version, fetch_range, limit)
        self._remote_arrays: dict[str, RemoteArray] = {}
        self._lookup_kinds = {column: kind for kind, (column, _, _) in LOOKUPS.items()}

    @staticmethod
    def is_supported(manifest: Mapping[str, Any], fetch_range: FetchRange) -> bool:
        """Whether a version was fitted and published with records."""
        try:
            return MANIFEST_KEY in manifest and bool(fetch_range(object_name(0), 0, 1))
        except MissingFile:
            return False

    @property
    def required_files(self) -> Iterable[str]:
        """The files that must be on the disk."""
        return [f"{name}.npy" for name in sorted(RESIDENT_ARRAYS)]

    def parts(self) -> Iterator[tuple[str, np.ndarray]]:
        """The files that are here, and what cached blocks hold: an error came from one of them."""
        for name in sorted(RESIDENT_ARRAYS | self._arrays.keys()):
            yield name, self.array(name)
        for block in self.cache.cached():
            for name, segments in block.all_segments():
                yield name, segments.values

    def map_all(self) -> None:
        """Map the resident arrays."""
        for name in RESIDENT_ARRAYS:
            self.array(name)

    def unmap(self, limit: float | None = None) -> None:
        """As for other catalogs, but within :data:`MAPPED_LIMIT` if no limit is given: memory is scarce here."""
        super().unmap(MAPPED_LIMIT if limit is None else limit)

    def reader(self, name: str) -> ArrayReader:
        """The array of that name; resident ones and those whose whole file was needed are mapped."""
        if name in RESIDENT_ARRAYS or name in self._arrays or name not in self._index.arrays:
            return self.array(name)
        return self._remote_array(name)

    def _remote_array(self, name: str) -> "RemoteArray":
        if name not in self._remote_arrays:
            make = partial(RemoteSortedArray, self._lookup_kinds[name]) if name in self._lookup_kinds else RemoteArray
            info, whole = self._index.arrays[name], partial(self.array, name)
            self._remote_arrays[name] = make(info, self._index, self.cache, whole, by_cell=is_per_song(name))
        return self._remote_arrays[name]

    def prefetch_rows(self, rows: np.ndarray | Callable[[], np.ndarray], *columns: str) -> None:
        """Fetch the records of the songs' cells; if these are too large, the blocks of the columns."""
        rows = rows() if callable(rows) else rows
        cells = np.unique(self._index.cell_offsets.searchsorted(rows, side="right") - 1)
        missing = self.cache.missing((CELLS, cell) for cell in cells.tolist())
        locations = [self._index.record(*key) for key in missing]
        if sum(location.stop - location.start for location in locations) <= CELLS_SHARE * self.cache.limit:
            if locations:
                self.cache.fetch(locations)
            return
        for column in columns:
            self._remote_array(column).prefetch(rows)

    def prefetch_keys(self, keys: Callable[[], Mapping[str, Sequence[int]]]) -> None:
        """Fetch the records that hold the hashes."""
        wanted = [
            (kind, record)
            for column, digests in keys().items()
            for kind in [self._lookup_kinds[column]]
            for digest in digests
            for record in self._index.records_with_key(kind, digest)[:MAX_RECORDS_PER_KEY]
        ]
        self._fetch_missing(dict.fromkeys(wanted))

    def prefetch_sample(self) -> None:
        """Fetch the record of the sample."""
        self._fetch_missing([(SAMPLE, 0)])

    def _fetch_missing(self, keys: Iterable[tuple[str, int]]) -> None:
        locations = [self._index.record(*key) for key in self.cache.missing(keys)]
        if locations:
            self.cache.fetch(locations)


class RemoteArray:
    """Reads parts of an array in the store, see :class:`segue.catalog.catalog.ArrayReader`; it returns copies.

    by_cell : whether its elements are songs, which records of cells hold
    map_whole : fetches the file and maps it
    """

    def __init__(
        self,
        info: ArrayInfo,
        index: BlockIndex,
        cache: BlockCache,
        map_whole: Callable[[], np.ndarray],
        *,
        by_cell: bool,
    ):
        self.dtype, self.shape = info.dtype, info.shape
        self._info, self._index, self._cache = info, index, cache
        self._by_cell = by_cell
        self._map_whole = map_whole
        self._mapped: np.ndarray | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, bounds: slice) -> np.ndarray:
        """A slice of neighbouring elements."""
        first, last, step = bounds.indices(len(self))
        if self._mapped is not None or step != 1:
            return self.whole()[bounds]
        found = self._slice(first, last)
        return self._take(np.arange(first, last)) if found is None else found

    def take(self, rows: Any, axis: int | None = 0) -> Any:  # noqa: ARG002 # NumPy needs it for arrays of two axes
        """Elements by their numbers, in the shape of these: rows, where the array has two axes."""
        wanted = np.asarray(rows, np.int64)
        if self._mapped is not None:
            return self._mapped.take(wanted, axis=0)
        return self._take(wanted.reshape(-1)).reshape((*wanted.shape, *self.shape[1:]))[()]

    def searchsorted(self, keys: Any, side: Any = "left") -> Any:
        """As NumPy's."""
        return self.whole().searchsorted(keys, side)

    def whole(self) -> np.ndarray:
        """All of it."""
        if self._mapped is None:
            self._mapped = self._map_whole()
        return self._mapped

    def take_slices(self, firsts: list[int], lasts: list[int]) -> list[np.ndarray]:
        """Several slices, fetched at once."""
        slices = list(zip(firsts, lasts))
        found = [self._slice(*bounds) for bounds in slices]
        segments = [np.arange(*bounds) for bounds, values in zip(slices, found) if values is None]
        values = self.take(np.concatenate(segments)) if segments else self[:0]
        others = iter(np.split(values, np.cumsum([len(segment) for segment in segments])[:-1]))
        return [next(others) if values is None else values for values in found]

    def prefetch(self, wanted: np.ndarray) -> None:
        """Fetch the blocks of elements that are not cached, in one round trip; nothing if these are most blocks."""
        if self._mapped is None:
            self._get_blocks(np.unique(wanted // block_length(self._info)))

    def _take(self, wanted: np.ndarray) -> np.ndarray:
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"{self._info.name} has {len(self)} elements")
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        left = self._take_from_cells(wanted, found) if self._by_cell else np.arange(len(wanted))
        if len(left):
            low, high = int(wanted[left].min()), int(wanted[left].max())
            left = _fill(self._cached_segments(low, high + 1, inside=False), wanted, found, left)
        if len(left):
            blocks = self._get_blocks(np.unique(wanted[left] // block_length(self._info)))
            left = _fill(
                [segments for block in blocks if (segments := block.segments(self._info.name))], wanted, found, left
            )
        if len(left):
            found[left] = self.whole()[wanted[left]]
        return found

    def _take_from_cells(self, wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Fill in what records of cells hold, cell by cell; returns the positions of the others."""
        cells = self._index.cell_offsets.searchsorted(wanted, side="right") - 1
        order = np.argsort(cells, kind="stable")
        edges = np.flatnonzero(np.diff(cells[order], prepend=-1, append=-1)).tolist()
        left = [_NO_ROWS]
        for start, stop in itertools.pairwise(edges):
            positions = order[start:stop]
            record = self._cache.get((CELLS, int(cells[positions[0]])))
            segments = record.segments(self._info.name) if record else None
            if segments is None:
                left.append(positions)
            else:
                found[positions] = segments.values.take(wanted[positions] - segments.starts[0], axis=0)
        return np.concatenate(left)

    def _slice(self, first: int, last: int) -> np.ndarray | None:
        """A slice, if one cached segment holds all of it."""
        for segments in self._cached_segments(first, last, inside=True) if last > first else ():
            segment = int(segments.starts.searchsorted(first, side="right")) - 1
            if last <= segments.stops[segment]:
                position = first + int(segments.shifts[segment])
                return segments.values[position : position + last - first]
        return None

    def _cached_segments(self, low: int, high: int, *, inside: bool) -> list[Segments]:
        """What is here of elements in a range, or around all of it; what was asked for last goes first."""
        lows, highs, found = self._cache.recent(self._info.name)
        ends = (low, high) if inside else (high - 1, low + 1)
        return [found[position] for position in np.flatnonzero((lows <= ends[0]) & (highs >= ends[1])).tolist()]

    def _get_blocks(self, numbers: np.ndarray) -> list[Block]:
        """Blocks, fetched unless they are cached; none if the whole file should be fetched instead."""
        if len(numbers) > 1 and len(numbers) > WHOLE_FILE_SHARE * block_count(self._info):
            return []
        keys = [(self._info.name, number) for number in numbers.tolist()]
        missing = self._cache.missing(keys)
        here = [self._cache.get(key) for key in set(keys).difference(missing)]
        brought = self._cache.fetch([self._index.array_block(*key) for key in missing]) if missing else []
        return [block for block in (*here, *brought) if block]


class RemoteSortedArray(RemoteArray):
    """The sorted column of a look-up."""

    def __init__(self, kind: str, *given: Any, **options: Any):
        super().__init__(*given, **options)
        self._kind = kind

    def searchsorted(self, keys: Any, side: Any = "left") -> np.ndarray:
        """As NumPy's; only the records that can hold the keys are searched."""
        return np.array([self._search(key, side) for key in np.asarray(keys).tolist()], np.int64)

    def _search(self, key: int, side: Any) -> int:
        records, step = self._index.records_with_key(self._kind, key), LOOKUPS[self._kind][2]
        first, last = step * records.start, min(step * records.stop, len(self))
        if len(records) > MAX_RECORDS_PER_KEY:  # equal digests in all but the outermost
            inner = step * (1 if side == "left" else len(records) - 1)
            first, last = (first, first + step) if side == "left" else (first + inner, last)
        return first + int(self[first:last].searchsorted(np.uint64(key), side=side))


def _fill(blocks: Iterable[Segments], wanted: np.ndarray, found: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Fill in what blocks hold; returns the positions of the others."""
    for segments in blocks:
        positions = segments.positions(wanted[left])
        hits = positions >= 0
        found[left[hits]] = segments.values.take(positions[hits], axis=0)
        left = left[~hits]
        if not len(left):
            break
    return left
