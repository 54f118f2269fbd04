"""The pieces that are here: fetched side by side, verified, and kept within a budget of bytes.

Pieces never change and are only forgotten: who reads one keeps it until it has read. So nothing that is dropped can
make an answer wrong; at worst it is fetched again.
"""

import hashlib
import itertools
import mmap
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from segue import notes
from segue.catalog.ranged import heap
from segue.catalog.ranged.index import Index, Place, elements
from segue.catalog.ranged.runs import Array, Piece, Runs, packed
from segue.errors import ArtifactsError

Lately = tuple[np.ndarray, np.ndarray, list[Runs]]  # first and last elements of each, and what is between them
Fetch = Callable[[str, int, int], bytes | memoryview]  # an object, and from which byte to which

AT_ONCE = 16  # ranges fetched side by side
GAP = 4096  # bytes between two ranges that are fetched as one
LARGEST = 8 << 20  # bytes of ranges that are fetched as one
TRIES = 3  # for a range that is not what was published
LATELY = 256  # pieces among which what belongs to a song is looked for
MUCH = 4 << 20  # bytes that came at once, after which memory is given back
WEIGHT = 1.25  # of a piece in memory: numbers of runs are read into larger ones


class Held:
    """Pieces of a version.

    limit : bytes that they may have
    """

    def __init__(self, index: Index, version: str, fetch: Fetch, limit: int):
        self.limit = limit
        self._index = index
        self._version = version
        self._fetch = fetch
        self._arrays = list(index.arrays.values())
        self._numbers = {name: number for number, name in enumerate(index.arrays)}
        self._pieces: OrderedDict[tuple[str, int], Piece] = OrderedDict()
        self._bytes = 0.0
        self._latest: dict[tuple[str, int], Piece] = {}  # pieces that were asked for last
        self._known: dict[str, Lately] = {}  # what these hold
        self._turn = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of the pieces that are here."""
        return round(self._bytes)

    def get(self, key: tuple[str, int]) -> Piece | None:
        """A piece if it is here."""
        return self._pieces.get(key)

    def lately(self, name: str) -> Lately:
        """What the pieces that were asked for last hold of an array, the last one first."""
        with self._turn:
            known, pieces = self._known, self._latest
            if not pieces:
                pieces |= itertools.islice(reversed(self._pieces.items()), LATELY)
        if name not in known:
            here = (piece.runs(name) for piece in pieces.values())
            found = [runs for runs in here if runs is not None and len(runs.starts)]
            known[name] = (
                np.array([runs.starts[0] for runs in found], np.int64),
                np.array([runs.stops[-1] for runs in found], np.int64),
                found,
            )
        return known[name]

    def missing(self, keys: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """Which are not here; the others were asked for just now."""
        missing = []
        with self._turn:
            for key in keys:
                if key not in self._pieces:
                    missing.append(key)
                    continue
                self._pieces.move_to_end(key)
                if self._latest and key not in self._latest:
                    self._forget_order()
        return missing

    def bring(self, places: Sequence[Place]) -> list[Piece]:
        """Fetch pieces, in one round trip.

        Raises
        ------
        ArtifactsError
            one is not what was published, again and again, or the store can't be read.

        """
        self._make_room(WEIGHT * sum(place.stop - place.start for place in set(places)))
        groups = list(_grouped(places))
        notes.count(trips=1, ranges=len(groups), fetched=sum(group[-1].stop - group[0].start for group in groups))
        if len(groups) == 1:
            found = [self._fetched(groups[0])]
        else:
            with ThreadPoolExecutor(min(AT_ONCE, len(groups))) as pool:
                found = list(pool.map(self._fetched, groups))
        pieces = dict(itertools.chain.from_iterable(found))
        self._keep(pieces)
        if sum(map(len, pieces.values())) > MUCH:
            heap.give_back()
        return [pieces[place.key] for place in places]

    def _keep(self, pieces: dict[tuple[str, int], Piece]) -> None:
        with self._turn:
            for key, piece in pieces.items():
                self._bytes += WEIGHT * len(piece) * (key not in self._pieces)
                self._pieces[key] = piece
        self._make_room(0)

    def _make_room(self, size: float) -> None:
        """Drop pieces until so many bytes more are within the limit; before these are fetched, to bound the peak."""
        with self._turn:
            self._forget_order()
            while self._pieces and self._bytes + size > self.limit:
                _, dropped = self._pieces.popitem(last=False)
                self._bytes -= WEIGHT * len(dropped)

    def _forget_order(self) -> None:
        self._latest, self._known = {}, {}

    def _fetched(self, group: Sequence[Place]) -> list[tuple[tuple[str, int], Piece]]:
        start, stop = group[0].start, group[-1].stop
        for _ in range(TRIES):
            content = memoryview(self._fetch(group[0].name, start, stop))
            pieces = [content[place.start - start : place.stop - start] for place in group]
            if all(map(_is_published, group, pieces)):
                return [(place.key, self._piece(place, piece)) for place, piece in zip(group, pieces)]
        said = f"{group[0].name} of version {self._version} is damaged in the store: bytes {start:,} to {stop:,} are"
        raise ArtifactsError(f"{said} not what was published, in {TRIES} tries")

    def _piece(self, place: Place, content: memoryview) -> Piece:
        """A record as it is; of a block, a record of its one run."""
        name, number = place.key
        if name not in self._numbers:
            return Piece(_apart(content), self._arrays)
        array = self._index.arrays[name]
        values = np.frombuffer(content, array.dtype).reshape(-1, *array.shape[1:])
        return Piece(_apart(packed([_run(self._numbers[name], array, number, values)])), self._arrays)


def _run(number: int, array: Array, block: int, values: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    return number, np.array([block * elements(array)]), np.array([len(values)]), values


def _is_published(place: Place, content: memoryview) -> bool:
    return hashlib.sha256(content).digest() == place.digest


def _grouped(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Neighbours together, up to a size at which a round trip costs little beside the bytes."""
    group: list[Place] = []
    for place in sorted(set(places), key=lambda place: (place.name, place.start)):
        near = group and place.name == group[0].name and place.start - group[-1].stop <= GAP
        if group and not (near and place.stop - group[0].start <= LARGEST):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def _apart(content: bytes | memoryview) -> mmap.mmap:
    """A copy in pages of its own, which the kernel has back as soon as nobody reads it."""
    own = mmap.mmap(-1, len(content), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    own[:] = content
    return own
