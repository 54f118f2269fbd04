"""An LRU cache of blocks, which are fetched in parallel, verified and kept within a limit of bytes.

Blocks never change. A reader holds on to the block that it reads, so that evicting one can't make an answer wrong; at
worst it is fetched again.

The store's client allocates memory in its own threads. In glibc each thread uses an *arena* of its own, up to eight
for each processor, and free memory at the end of an arena goes back to the kernel from the first arena only: hence
:func:`use_single_arena` and :func:`trim_heap`.
"""

import ctypes
import hashlib
import itertools
import mmap
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from segue import log_context
from segue.catalog.remote.blocks import (
    ArrayInfo,
    Block,
    BlockIndex,
    BlockLocation,
    Segments,
    block_length,
    encode_block,
)
from segue.errors import ArtifactsError

# the number of the first element of each, that behind its last one, and the segments
RecentSegments = tuple[np.ndarray, np.ndarray, list[Segments]]
FetchRange = Callable[[str, int, int], bytes | memoryview]  # takes the name of an object, the first byte and the stop
PARALLEL_FETCHES = 16  # ranges fetched in parallel
MAX_GAP = 4096  # bytes between two blocks that are still fetched in one range
MAX_RANGE = 8 << 20  # bytes of a range that holds several blocks
ATTEMPTS = 3  # to fetch a range whose digest is wrong
RECENT_BLOCKS = 256  # blocks that are searched for the elements of an array
TRIM_BYTES = 4 << 20  # bytes of one fetch, above which free memory is returned to the kernel
MEMORY_FACTOR = 1.25  # bytes in memory for each byte of a block: segment numbers are widened to int64
_ARENA_MAX = -8  # M_ARENA_MAX of mallopt(3)


class BlockCache:
    """The blocks of a version that are in memory.

    limit : bytes that they may take
    """

    def __init__(self, index: BlockIndex, version: str, fetch_range: FetchRange, limit: int):
        self.limit = limit
        self._index = index
        self._version = version
        self._fetch_range = fetch_range
        self._arrays = list(index.arrays.values())
        self._array_numbers = {name: number for number, name in enumerate(index.arrays)}
        self._blocks: OrderedDict[tuple[str, int], Block] = OrderedDict()
        self._bytes = 0.0
        self._recent_blocks: dict[tuple[str, int], Block] = {}  # those requested last
        self._recent_segments: dict[str, RecentSegments] = {}  # their segments, by array
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes that the cached blocks take."""
        return round(self._bytes)

    def get(self, key: tuple[str, int]) -> Block | None:
        """A cached block; None if it is not cached."""
        return self._blocks.get(key)

    def cached(self) -> list[Block]:
        """All blocks that are cached."""
        with self._lock:
            return list(self._blocks.values())

    def recent(self, name: str) -> RecentSegments:
        """The segments of an array in the blocks that were requested last, the latest first."""
        with self._lock:
            known, blocks = self._recent_segments, self._recent_blocks
            if not blocks:
                blocks |= itertools.islice(reversed(self._blocks.items()), RECENT_BLOCKS)
        if name not in known:
            cached = (block.segments(name) for block in blocks.values())
            found = [segments for segments in cached if segments is not None and len(segments.starts)]
            known[name] = (
                np.array([segments.starts[0] for segments in found], np.int64),
                np.array([segments.stops[-1] for segments in found], np.int64),
                found,
            )
        return known[name]

    def missing(self, keys: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """The keys of blocks that are not cached; the others become the most recently used."""
        missing = []
        with self._lock:
            for key in keys:
                if key not in self._blocks:
                    missing.append(key)
                    continue
                self._blocks.move_to_end(key)
                if self._recent_blocks and key not in self._recent_blocks:
                    self._forget_recent()
        return missing

    def fetch(self, locations: Sequence[BlockLocation]) -> list[Block]:
        """Fetch blocks, in one round trip.

        Raises
        ------
        ArtifactsError
            a digest is wrong in every attempt, or the store can't be read.

        """
        self._evict(MEMORY_FACTOR * sum(location.stop - location.start for location in set(locations)))
        groups = list(_coalesced(locations))
        log_context.increment(
            trips=1, ranges=len(groups), fetched=sum(group[-1].stop - group[0].start for group in groups)
        )
        found = [self._fetch_group(groups[0])] if len(groups) == 1 else self._fetch_in_parallel(groups)
        blocks = dict(itertools.chain.from_iterable(found))
        self._store(blocks)
        if sum(map(len, blocks.values())) > TRIM_BYTES:
            trim_heap()
        return [blocks[location.key] for location in locations]

    def _fetch_in_parallel(
        self, groups: Sequence[Sequence[BlockLocation]]
    ) -> list[list[tuple[tuple[str, int], Block]]]:
        try:
            with ThreadPoolExecutor(min(PARALLEL_FETCHES, len(groups))) as pool:
                return list(pool.map(self._fetch_group, groups))
        except RuntimeError:  # no memory for threads
            return list(map(self._fetch_group, groups))

    def _store(self, blocks: dict[tuple[str, int], Block]) -> None:
        with self._lock:
            for key, block in blocks.items():
                self._bytes += MEMORY_FACTOR * len(block) * (key not in self._blocks)
                self._blocks[key] = block
        self._evict(0)

    def _evict(self, size: float) -> None:
        """Evict blocks until ``size`` more bytes fit; before they are fetched, which bounds the peak."""
        with self._lock:
            self._forget_recent()
            while self._blocks and self._bytes + size > self.limit:
                _, dropped = self._blocks.popitem(last=False)
                self._bytes -= MEMORY_FACTOR * len(dropped)

    def _forget_recent(self) -> None:
        self._recent_blocks, self._recent_segments = {}, {}

    def _fetch_group(self, group: Sequence[BlockLocation]) -> list[tuple[tuple[str, int], Block]]:
        start, stop = group[0].start, group[-1].stop
        for _ in range(ATTEMPTS):
            content = memoryview(self._fetch_range(group[0].object_name, start, stop))
            blocks = [content[location.start - start : location.stop - start] for location in group]
            if all(map(_is_published, group, blocks)):
                return [
                    (location.key, self._checked_block(location, block)) for location, block in zip(group, blocks)
                ]
        name = group[0].object_name
        message = f"{name} of version {self._version} is damaged in the store: bytes {start:,} to {stop:,} are"
        raise ArtifactsError(f"{message} not what was published, in {ATTEMPTS} tries")

    def _checked_block(self, location: BlockLocation, content: memoryview) -> Block:
        try:
            return self._to_block(location, content)
        except (ValueError, IndexError) as error:
            kind, number = location.key
            message = f"block {number} of {kind} of version {self._version} is not what the manifest declares"
            raise ArtifactsError(f"{message}; fit it again") from error

    def _to_block(self, location: BlockLocation, content: memoryview) -> Block:
        """A record as it is; a block of an array becomes a record of one segment."""
        name, number = location.key
        if name not in self._array_numbers:
            return Block(_own_pages(content), self._arrays)
        array = self._index.arrays[name]
        values = np.frombuffer(content, array.dtype).reshape(-1, *array.shape[1:])
        return Block(
            _own_pages(encode_block([_one_segment(self._array_numbers[name], array, number, values)])), self._arrays
        )


def _one_segment(
    number: int, array: ArrayInfo, block: int, values: np.ndarray
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    return number, np.array([block * block_length(array)]), np.array([len(values)]), values


def _is_published(location: BlockLocation, content: memoryview) -> bool:
    return hashlib.sha256(content).digest() == location.digest


def _coalesced(locations: Iterable[BlockLocation]) -> Iterator[list[BlockLocation]]:
    """Groups of adjacent blocks, up to a size at which a round trip costs little compared with the transfer."""
    group: list[BlockLocation] = []
    for location in sorted(set(locations), key=lambda location: (location.object_name, location.start)):
        near = group and location.object_name == group[0].object_name and location.start - group[-1].stop <= MAX_GAP
        if group and not (near and location.stop - group[0].start <= MAX_RANGE):
            yield group
            group = []
        group.append(location)
    if group:
        yield group


def _own_pages(content: bytes | memoryview) -> mmap.mmap:
    """A copy in pages of its own, which return to the kernel as soon as nobody reads it."""
    own = mmap.mmap(-1, len(content), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    own[:] = content
    return own


def use_single_arena() -> None:
    """Make all threads allocate from one arena; arenas that exist already stay in use."""
    _call_libc("mallopt", _ARENA_MAX, 1)


def trim_heap() -> None:
    """Return free memory to the kernel (malloc_trim(3))."""
    _call_libc("malloc_trim", 0)


def _call_libc(name: str, *numbers: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function:
        function(*numbers)
