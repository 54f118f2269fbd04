"""Where the pieces of a version lie in its store, and the digests by which each is known.

Two kinds of pieces lead to the same elements. *Records* hold all that one step of a request needs, from all files:
those of a cell of songs, of neighbouring keys of a look-up, of the sample. *Blocks* are neighbouring elements of one
file, for whatever else is read. Records lie end to end in the objects ``records-00000.bin``, ..., which are written
when a version is published; blocks are ranges of the version's own files.
"""

import itertools
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from segue.catalog.ranged.runs import Array
from segue.catalog.version import Catalog

ENTRY = "records"  # of the manifest
CELLS, TITLES, IDS, ARTISTS, SAMPLE = "cells", "titles", "ids", "artists", "sample"
KEYS = {  # of a look-up: its sorted column, what that leads to, keys of a record
    TITLES: ("title_hashes", "title_songs", 128),
    IDS: ("id_hashes", "id_songs", 1024),
    ARTISTS: ("artist_hashes", "artist_rows", 256),
}
MOST_RECORDS = 48  # of one key: more songs than are considered for a title
BLOCK = 32_768  # bytes, about
PART = 8 << 20  # bytes of an object of records, about


class Place(NamedTuple):
    """A piece in the store.

    key : names the piece
    name : of the object in the version's folder
    start, stop : bytes of it
    digest : sha256 of these
    """

    key: tuple[str, int]
    name: str
    start: int
    stop: int
    digest: bytes


class Index:
    """The places of a version's pieces.

    arrays : in the order in which pieces number them
    """

    def __init__(self, catalog: Catalog):
        entry: Mapping[str, Any] = catalog.manifest[ENTRY]
        self.arrays = {
            name: Array(name, np.dtype(kind), tuple(shape)) for name, (kind, shape) in entry["arrays"].items()
        }
        self.cells = catalog.array("cell_offsets").astype(np.int64)
        self._files = catalog.manifest["files"]
        counts = entry["records"]
        self._firsts = dict(zip(counts, itertools.accumulate(counts.values(), initial=0)))
        self._offsets = catalog.array("record_offsets")
        self._digests = catalog.array("record_digests")
        self._block_digests = catalog.array("block_digests")
        keys = np.split(catalog.array("record_keys"), np.cumsum([counts[kind] for kind in KEYS])[:-1])
        self._keys = dict(zip(KEYS, keys))

    @cached_property
    def _first_blocks(self) -> dict[str, int]:
        sizes = [blocks_of(array) for array in self.arrays.values()]
        return dict(zip(self.arrays, itertools.accumulate(sizes, initial=0)))

    def record(self, kind: str, number: int) -> Place:
        """The place of a record, by its number within its kind."""
        place = self._firsts[kind] + number
        start, stop = self._offsets[place : place + 2].tolist()
        base = int(self._offsets[self._offsets.searchsorted(start // PART * PART)])
        return Place((kind, number), part(start), start - base, stop - base, self._digests[place].tobytes())

    def records_of(self, kind: str, key: int) -> range:
        """The records that hold a key of a look-up."""
        firsts = self._keys[kind]
        sought = np.uint64(key)
        low = max(int(firsts.searchsorted(sought)) - 1, 0)
        return range(low, max(int(firsts.searchsorted(sought, side="right")), 1))

    def block(self, name: str, number: int) -> Place:
        """The place of a block, by its number within its file."""
        array = self.arrays[name]
        head = int(self._files[f"{name}.npy"]["bytes"]) - array.size * array.shape[0]
        step = elements(array)
        first, last = step * number, min(step * (number + 1), array.shape[0])
        digest = self._block_digests[self._first_blocks[name] + number].tobytes()
        return Place((name, number), f"{name}.npy", head + first * array.size, head + last * array.size, digest)


def elements(array: Array) -> int:
    """How many elements of an array are a block."""
    return max(1, BLOCK // array.size)


def blocks_of(array: Array) -> int:
    """How many blocks an array has."""
    return -(-array.shape[0] // elements(array))


def part(offset: int) -> str:
    """The name of the object in which the record at an offset lies: whole, for an object ends with a record."""
    return f"records-{offset // PART:05d}.bin"
