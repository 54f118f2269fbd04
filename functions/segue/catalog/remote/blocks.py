"""The blocks of a version in its store: where each lies, the digest that it must have, and how its bytes are read.

A block is the unit that is fetched and cached. There are two kinds. A *record* holds all that one step of a request
needs, from all arrays: those of a cell of songs, of neighbouring keys of a look-up, of the sample. Records lie end to
end in the objects ``records-00000.bin``, ..., which are written when a version is published. An *array block* is a
range of neighbouring elements of one of the version's own files, for whatever else is read.

A record is encoded as a table of ``TABLE_DTYPE``, one line an array, after their number as uint64; then for each
array the first element of each segment, counted from the line's, and the lengths of the segments, both uint32, and
the elements of all segments end to end. Everything begins at a multiple of eight bytes.
"""

import itertools
import mmap
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.errors import ArtifactsError

MANIFEST_KEY = "records"  # of the manifest
CELLS, TITLES, IDS, ARTISTS, SAMPLE = "cells", "titles", "ids", "artists", "sample"
LOOKUPS = {  # of a look-up: its sorted column, what that leads to, keys of a record
    TITLES: ("title_hashes", "title_songs", 128),
    IDS: ("id_hashes", "id_songs", 1024),
    ARTISTS: ("artist_hashes", "artist_rows", 256),
}
MAX_RECORDS_PER_KEY = 48  # of one key: more songs than are considered for a title
BLOCK_BYTES = 32_768  # bytes, about
OBJECT_BYTES = 8 << 20  # bytes of an object of records, about
TABLE_DTYPE = np.dtype([("array", "<u4"), ("segments", "<u4"), ("first", "<u8"), ("bytes", "<u8")])
ALIGNMENT = 8  # bytes
MAX_SPAN = 2**32 - 1


class ArrayInfo(NamedTuple):
    """An array as its file has it.

    name : of the file, without ``.npy``
    shape : of the whole array; its elements are rows where there are two axes
    """

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def item_bytes(self) -> int:
        """Bytes of an element."""
        return int(self.dtype.itemsize * np.prod(self.shape[1:], dtype=np.int64))


class Segments(NamedTuple):
    """What a block holds of one array.

    starts, stops : int64, shape (n_segments,), rising and apart: elements of the array
    shifts : int64, shape (n_segments,), added to an element's number they give its position in ``values``
    values : the elements
    """

    starts: np.ndarray
    stops: np.ndarray
    shifts: np.ndarray
    values: np.ndarray

    @classmethod
    def from_lengths(cls, starts: np.ndarray, lengths: np.ndarray, values: np.ndarray) -> "Segments":
        """Segments of these lengths."""
        return cls(starts, starts + lengths, np.cumsum(lengths) - lengths - starts, values)

    def positions(self, wanted: np.ndarray) -> np.ndarray:
        """The indices of elements in ``values``, -1 for those that are in no segment."""
        segments = self.starts.searchsorted(wanted, side="right") - 1
        inside = (segments >= 0) & (wanted < self.stops.take(segments))
        return np.where(inside, wanted + self.shifts.take(segments), -1)


class Block:
    """Bytes that were fetched; their part of an array is decoded when it is first needed."""

    def __init__(self, content: bytes | mmap.mmap, arrays: Sequence[ArrayInfo]):
        self._content = content
        self._arrays = arrays
        self._table = {arrays[number].name: (number, *line) for number, *line in _read_table(content)}
        self._segments: dict[str, Segments] = {}

    def __len__(self) -> int:
        return len(self._content)

    def all_segments(self) -> Iterator[tuple[str, Segments]]:
        """The block's part of each array that it has one of."""
        return ((name, self._decode(*line)) for name, line in self._table.items())

    def segments(self, name: str) -> Segments | None:
        """The block's part of an array; None if it has none."""
        if name not in self._segments:
            if name not in self._table:
                return None
            self._segments[name] = self._decode(*self._table[name])
        return self._segments[name]

    def _decode(self, number: int, n_segments: int, first: int, n_bytes: int, offset: int) -> Segments:
        array = self._arrays[number]
        numbers = np.frombuffer(self._content, "<u4", 2 * n_segments, offset).astype(np.int64)
        values = np.frombuffer(self._content, np.uint8, n_bytes, offset + ALIGNMENT * n_segments)
        values.flags.writeable = False
        return Segments.from_lengths(
            numbers[:n_segments] + first,
            numbers[n_segments:],
            values.view(array.dtype).reshape(-1, *array.shape[1:]),
        )


class BlockLocation(NamedTuple):
    """A block in the store.

    key : names the block
    object_name : of the object in the version's folder
    start, stop : bytes of it
    digest : sha256 of these
    """

    key: tuple[str, int]
    object_name: str
    start: int
    stop: int
    digest: bytes


class BlockIndex:
    """Where a version's blocks lie in the store.

    arrays : in the order in which blocks number them
    """

    def __init__(self, catalog: Catalog):
        entry: Mapping[str, Any] = catalog.manifest[MANIFEST_KEY]
        counts = entry["records"]
        self.arrays = {
            name: ArrayInfo(name, np.dtype(kind), tuple(shape)) for name, (kind, shape) in entry["arrays"].items()
        }
        self.cell_offsets = catalog.array("cell_offsets").astype(np.int64)
        self._files = catalog.manifest["files"]
        self._first_records = dict(zip(counts, itertools.accumulate(counts.values(), initial=0)))
        self._record_offsets = catalog.array("record_offsets")
        self._record_digests = catalog.array("record_digests")
        self._block_digests = catalog.array("block_digests")
        found = [
            len(catalog.array(name)) for name in ("cell_offsets", "record_digests", "record_keys", "block_digests")
        ]
        n_blocks = sum(map(block_count, self.arrays.values()))
        if found != [counts[CELLS] + 1, sum(counts.values()), sum(counts[kind] for kind in LOOKUPS), n_blocks]:
            raise ArtifactsError(f"manifest.json of version {catalog.version} declares other records than it has")
        keys = np.split(catalog.array("record_keys"), np.cumsum([counts[kind] for kind in LOOKUPS])[:-1])
        self._lookup_keys = dict(zip(LOOKUPS, keys))

    @cached_property
    def _first_blocks(self) -> dict[str, int]:
        sizes = [block_count(array) for array in self.arrays.values()]
        return dict(zip(self.arrays, itertools.accumulate(sizes, initial=0)))

    def record(self, kind: str, number: int) -> BlockLocation:
        """Where a record lies, by its number within its kind."""
        position = self._first_records[kind] + number
        start, stop = self._record_offsets[position : position + 2].tolist()
        base = int(self._record_offsets[self._record_offsets.searchsorted(start // OBJECT_BYTES * OBJECT_BYTES)])
        return BlockLocation(
            (kind, number), object_name(start), start - base, stop - base, self._record_digests[position].tobytes()
        )

    def records_with_key(self, kind: str, key: int) -> range:
        """The records that hold a key of a look-up."""
        firsts = self._lookup_keys[kind]
        wanted = np.uint64(key)
        low = max(int(firsts.searchsorted(wanted)) - 1, 0)
        return range(low, max(int(firsts.searchsorted(wanted, side="right")), 1))

    def array_block(self, name: str, number: int) -> BlockLocation:
        """Where an array block lies, by its number within its file."""
        array = self.arrays[name]
        head = int(self._files[f"{name}.npy"]["bytes"]) - array.item_bytes * array.shape[0]
        step = block_length(array)
        first, last = step * number, min(step * (number + 1), array.shape[0])
        digest = self._block_digests[self._first_blocks[name] + number].tobytes()
        return BlockLocation(
            (name, number), f"{name}.npy", head + first * array.item_bytes, head + last * array.item_bytes, digest
        )


def block_length(array: ArrayInfo) -> int:
    """How many elements of an array are a block."""
    return max(1, BLOCK_BYTES // array.item_bytes)


def block_count(array: ArrayInfo) -> int:
    """How many blocks an array has."""
    return -(-array.shape[0] // block_length(array))


def object_name(offset: int) -> str:
    """The name of the object in which the record at an offset lies: whole, for an object ends with a record."""
    return f"records-{offset // OBJECT_BYTES:05d}.bin"


def encode_block(parts: Sequence[tuple[int, np.ndarray, np.ndarray, np.ndarray]]) -> bytes:
    """A block of parts: the number of an array, the starts and lengths of segments, and their elements.

    Raises
    ------
    ValueError
        two segments are so far apart that 32 bits don't hold how far: in texts of 4 GB.

    """
    heads = np.empty(len(parts), TABLE_DTYPE)
    blocks = []
    for line, (number, starts, lengths, values) in enumerate(parts):
        first = int(starts[0]) if len(starts) else 0
        if len(starts) and int(starts[-1]) - first > MAX_SPAN:
            raise ValueError("an array of more than 4 GB can't be served by cells")
        heads[line] = number, len(starts), first, values.nbytes
        blocks += [(starts - first).astype("<u4").tobytes(), lengths.astype("<u4").tobytes(), values.tobytes()]
        blocks.append(bytes(-values.nbytes % ALIGNMENT))
    return b"".join([np.uint64(len(parts)).tobytes(), heads.tobytes(), *blocks])


def _read_table(content: bytes | mmap.mmap) -> list[tuple[int, int, int, int, int]]:
    """The table of a block, and where each array's part begins."""
    count = int(np.frombuffer(content, "<u8", 1)[0])
    offset, lines = ALIGNMENT + count * TABLE_DTYPE.itemsize, []
    for number, n_segments, first, n_bytes in np.frombuffer(content, TABLE_DTYPE, count, ALIGNMENT).tolist():
        lines.append((number, n_segments, first, n_bytes, offset))
        offset += ALIGNMENT * n_segments + n_bytes + -n_bytes % ALIGNMENT
    return lines
