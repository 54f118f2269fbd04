"""Records: of each cell, of neighbouring keys of a look-up and of the sample, all that a request needs, in one piece.

:mod:`segue.catalog.remote` reads them. A fit writes their digests and lengths, publishing writes the records.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segue.catalog import Catalog
from segue.catalog.catalog import map_array, sample_rows
from segue.catalog.remote.blocks import (
    ARTISTS,
    CELLS,
    IDS,
    LOOKUPS,
    MANIFEST_KEY,
    SAMPLE,
    TITLES,
    ArrayInfo,
    block_count,
    block_length,
    encode_block,
)
from segue.catalog.schema import ATTRIBUTE_PREFIX, LISTS, is_per_song
from segue.engine.seeds import POINTS_PER_SEED
from segue_build.artifacts.array_files import save_array
from segue_build.progress import bar

Segment = tuple[int, np.ndarray, np.ndarray, np.ndarray]  # see segue.catalog.remote.blocks.encode_block


def write(folder: Path) -> dict[str, Any]:
    """Write where records and blocks begin and their digests, for a version's files that lie in a folder.

    Returns
    -------
    The manifest's entry.

    """
    paths = sorted(folder.glob("*.npy"))
    # one after the other, and not mapped together: pages that were read count as memory of the process
    blocks = [hashlib.sha256(block).digest() for path in paths for block in _block_bytes(map_array(path))]
    arrays = {path.stem: map_array(path) for path in paths}
    builder = RecordBuilder(arrays)
    records = bar(
        (builder.record(number) for number in range(len(builder))), "digesting cells", " records", len(builder)
    )
    sizes_and_digests = [(len(content), hashlib.sha256(content).digest()) for content in records]
    first_keys = [arrays[column][::step] for column, _, step in LOOKUPS.values()]
    save_array(folder, "record_offsets", np.cumsum([0, *(size for size, _ in sizes_and_digests)], dtype=np.int64))
    save_array(folder, "record_digests", _digest_array([digest for _, digest in sizes_and_digests]))
    save_array(folder, "record_keys", np.concatenate(first_keys))
    save_array(folder, "block_digests", _digest_array(blocks))
    declared = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
    return {"arrays": declared, "records": builder.counts}


def records_of(catalog: Catalog) -> "RecordBuilder":
    """The records of a version, whose files are here."""
    return RecordBuilder({name: catalog.array(name) for name in catalog.manifest[MANIFEST_KEY]["arrays"]})


class RecordBuilder:
    """Makes the records of a version, each by itself; the same files give the same bytes.

    arrays : name -> array, in the order in which records number them
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._arrays = arrays
        self._numbers = {name: number for number, name in enumerate(arrays)}
        self._songs = [name for name in arrays if is_per_song(name)]
        self._cells = arrays["cell_offsets"].astype(np.int64)
        keys = {kind: -(-len(arrays[column]) // step) for kind, (column, _, step) in LOOKUPS.items()}
        self.counts = {CELLS: len(self._cells) - 1, **keys, SAMPLE: 1}

    def __len__(self) -> int:
        return sum(self.counts.values())

    def record(self, number: int) -> bytes:
        """A record by its number among all."""
        makers: Mapping[str, Callable[[int], Iterator[Segment]]] = {
            CELLS: self._cell_record, TITLES: self._title_record,
            IDS: self._id_record, ARTISTS: self._artist_record, SAMPLE: self._sample_record,
        }  # fmt: skip
        for kind, count in self.counts.items():
            if number < count:
                return encode_block(list(makers[kind](number)))
            number -= count
        raise IndexError(number)

    def _cell_record(self, cell: int) -> Iterator[Segment]:
        """All of its songs, and what these refer to: artists and albums by name, works with their versions."""
        first, last = self._cells[cell : cell + 2].tolist()
        for name in self._songs:
            yield self._slice(name, first, last)
        for of_song in (("song", "artists"), ("song", "genres"), ("names", "heap"), ("ids", "heap")):
            offsets, values = LISTS[of_song]
            yield self._slice(offsets, first, last + 1)
            yield self._slice(values, *self._arrays[offsets][[first, last]].tolist())
        artists = np.unique(self._list_values("song", "artists", np.arange(first, last))[3])
        yield from self._list_segments("artists", "heap", artists)
        yield from self._list_segments("albums", "heap", np.unique(self._arrays["song_albums"][first:last]))
        yield from self._list_segments("work", "songs", np.unique(self._arrays["works"][first:last]))

    def _title_record(self, number: int) -> Iterator[Segment]:
        """What a title may mean: songs and their artists by name, and how well known they are."""
        songs = yield from self._lookup_keys(TITLES, number)
        for of_song in (("song", "artists"), ("names", "heap"), ("ids", "heap")):
            yield from self._list_segments(*of_song, songs)
        artists = np.unique(self._list_values("song", "artists", songs)[3])
        yield from self._list_segments("artists", "heap", artists)
        yield from self._top_songs(artists, 1)
        best = self._arrays["artist_songs"][self._arrays["artist_offsets"][artists]]
        yield self._rows("attribute_popularity", np.union1d(songs, best))
        yield self._rows("works", songs)

    def _id_record(self, number: int) -> Iterator[Segment]:
        yield from self._lookup_keys(IDS, number)

    def _artist_record(self, number: int) -> Iterator[Segment]:
        """Artists by name, and the songs that stand for them."""
        artists = yield from self._lookup_keys(ARTISTS, number)
        yield from self._list_segments("artists", "heap", artists)
        yield from self._top_songs(artists, POINTS_PER_SEED)

    def _sample_record(self, _: int) -> Iterator[Segment]:
        """Songs with which others are compared to explain what they have in common."""
        rows = sample_rows(len(self._arrays["works"]))
        for name in ("vectors", "present", *(name for name in self._songs if name.startswith(ATTRIBUTE_PREFIX))):
            yield self._rows(name, rows)
        yield from self._list_segments("song", "genres", rows)

    def _lookup_keys(self, kind: str, number: int) -> Generator[Segment, None, np.ndarray]:
        """Some keys of a look-up; returns what they lead to."""
        column, rows, step = LOOKUPS[kind]
        first, last = step * number, min(step * (number + 1), len(self._arrays[column]))
        yield self._slice(column, first, last)
        yield self._slice(rows, first, last)
        return np.unique(self._arrays[rows][first:last]).astype(np.int64)

    def _top_songs(self, artists: np.ndarray, limit: int) -> Iterator[Segment]:
        """The first songs of artists, and how many they have."""
        offsets = self._arrays["artist_offsets"]
        yield self._rows("artist_offsets", np.union1d(artists, artists + 1))
        starts, stops = offsets[artists].astype(np.int64), offsets[artists + 1].astype(np.int64)
        yield self._ranges("artist_songs", starts, np.minimum(stops, starts + limit))

    def _list_segments(self, owner: str, items: str, rows: np.ndarray) -> Iterator[Segment]:
        """The lists of some rows, which rise, and their offsets."""
        rows = rows.astype(np.int64)
        yield self._rows(LISTS[owner, items].offsets, np.union1d(rows, rows + 1))
        yield self._list_values(owner, items, rows)

    def _list_values(self, owner: str, items: str, rows: np.ndarray) -> Segment:
        names = LISTS[owner, items]
        offsets = self._arrays[names.offsets]
        return self._ranges(names.values, offsets[rows].astype(np.int64), offsets[rows + 1].astype(np.int64))

    def _slice(self, name: str, first: int, last: int) -> Segment:
        return self._numbers[name], np.array([first]), np.array([last - first]), self._arrays[name][first:last]

    def _rows(self, name: str, rows: np.ndarray) -> Segment:
        return self._ranges(name, rows, rows + 1)

    def _ranges(self, name: str, starts: np.ndarray, stops: np.ndarray) -> Segment:
        """Elements in runs that rise; neighbours become one run, and empty ones none."""
        starts, stops = starts[stops > starts], stops[stops > starts]
        is_start = np.append(True, starts[1:] != stops[:-1]) if len(starts) else np.empty(0, bool)
        first = np.flatnonzero(is_start)
        last = np.append(first[1:], len(starts)) - 1 if len(first) else first
        range_starts, lengths = starts[first], stops[last] - starts[first]
        indices = np.repeat(range_starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        return self._numbers[name], range_starts, lengths, self._arrays[name][indices]


def _block_bytes(array: np.ndarray) -> Iterator[bytes]:
    described = ArrayInfo("", array.dtype, array.shape)
    step = block_length(described)
    for number in range(block_count(described)):
        yield array[step * number : step * (number + 1)].tobytes()


def _digest_array(found: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, hashlib.sha256().digest_size)
