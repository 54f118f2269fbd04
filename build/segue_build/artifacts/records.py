"""Records: of each cell, of neighbouring keys of a look-up and of the sample, all that a request needs, in one piece.

:mod:`segue.catalog.ranged` reads them. A fit writes their digests and lengths, publishing writes the records.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segue_build.progress import bar
from segue.catalog import Catalog
from segue.catalog.mapping import mapped
from segue.catalog.ranged.index import ARTISTS, CELLS, ENTRY, IDS, KEYS, SAMPLE, TITLES, blocks_of, elements
from segue.catalog.ranged.ranged import of_songs
from segue.catalog.ranged.runs import Array, packed
from segue.engine.sample import sampled
from segue.engine.seeds import POINTS

Part = tuple[int, np.ndarray, np.ndarray, np.ndarray]  # see segue.catalog.ranged.runs.packed
LISTS = {  # owner -> what its offsets lead to
    "by": "by_artists", "in": "in_genres", "names": "names_heap", "ids": "ids_heap", "artists": "artists_heap",
    "albums": "albums_heap", "work": "work_songs",
}  # fmt: skip


def write(folder: Path) -> dict[str, Any]:
    """Write where records and blocks begin and their digests, for a version's files that lie in a folder.

    Returns
    -------
    The manifest's entry.

    """
    arrays = {path.stem: mapped(path) for path in sorted(folder.glob("*.npy"))}
    made = Records(arrays)
    contents = bar((made.record(number) for number in range(len(made))), "digesting cells", " records", len(made))
    facts = [(len(content), hashlib.sha256(content).digest()) for content in contents]
    blocks = [hashlib.sha256(block).digest() for array in arrays.values() for block in _blocks(array)]
    firsts = [arrays[column][::step] for column, _, step in KEYS.values()]
    np.save(folder / "record_offsets.npy", np.cumsum([0, *(size for size, _ in facts)], dtype=np.int64))
    np.save(folder / "record_digests.npy", _digests([digest for _, digest in facts]))
    np.save(folder / "record_keys.npy", np.concatenate(firsts))
    np.save(folder / "block_digests.npy", _digests(blocks))
    described = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
    return {"arrays": described, "records": made.counts}


def of(catalog: Catalog) -> "Records":
    """The records of a version, whose files are here."""
    return Records({name: catalog.array(name) for name in catalog.manifest[ENTRY]["arrays"]})


class Records:
    """Makes the records of a version, each by itself; the same files give the same bytes.

    arrays : name -> array, in the order in which records number them
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._arrays = arrays
        self._numbers = {name: number for number, name in enumerate(arrays)}
        self._songs = [name for name in arrays if of_songs(name)]
        self._cells = arrays["cell_offsets"].astype(np.int64)
        keys = {kind: -(-len(arrays[column]) // step) for kind, (column, _, step) in KEYS.items()}
        self.counts = {CELLS: len(self._cells) - 1, **keys, SAMPLE: 1}

    def __len__(self) -> int:
        return sum(self.counts.values())

    def record(self, number: int) -> bytes:
        """A record by its number among all."""
        makers: Mapping[str, Callable[[int], Iterator[Part]]] = {
            CELLS: self._cell, TITLES: self._titles, IDS: self._ids, ARTISTS: self._artists, SAMPLE: self._sample,
        }  # fmt: skip
        for kind, count in self.counts.items():
            if number < count:
                return packed(list(makers[kind](number)))
            number -= count
        raise IndexError(number)

    def _cell(self, cell: int) -> Iterator[Part]:
        """All of its songs, and what these refer to: artists and albums by name, works with their versions."""
        first, last = self._cells[cell : cell + 2].tolist()
        for name in self._songs:
            yield self._slice(name, first, last)
        for owner in ("by", "in", "names", "ids"):
            offsets = self._arrays[f"{owner}_offsets"]
            yield self._slice(f"{owner}_offsets", first, last + 1)
            yield self._slice(LISTS[owner], int(offsets[first]), int(offsets[last]))
        artists = self._arrays["by_artists"][slice(*self._arrays["by_offsets"][[first, last]].tolist())]
        yield from self._lists("artists", np.unique(artists))
        yield from self._lists("albums", np.unique(self._arrays["song_albums"][first:last]))
        yield from self._lists("work", np.unique(self._arrays["works"][first:last]))

    def _titles(self, number: int) -> Iterator[Part]:
        """What a title may mean: songs and their artists by name, and how well known they are."""
        songs = yield from self._keys(TITLES, number)
        for owner in ("by", "names", "ids"):
            yield from self._lists(owner, songs)
        artists = np.unique(self._values("by", songs)[3])
        yield from self._lists("artists", artists)
        yield from self._best(artists, 1)
        best = self._arrays["artist_songs"][self._arrays["artist_offsets"][artists]]
        yield self._some("attribute_popularity", np.union1d(songs, best))
        yield self._some("works", songs)

    def _ids(self, number: int) -> Iterator[Part]:
        yield from self._keys(IDS, number)

    def _artists(self, number: int) -> Iterator[Part]:
        """Artists by name, and the songs that stand for them."""
        artists = yield from self._keys(ARTISTS, number)
        yield from self._lists("artists", artists)
        yield from self._best(artists, POINTS)

    def _sample(self, _: int) -> Iterator[Part]:
        """Songs with which others are compared to explain what they have in common."""
        rows = sampled(len(self._arrays["works"]))
        for name in ("vectors", "present", *(name for name in self._songs if name.startswith("attribute_"))):
            yield self._some(name, rows)
        yield from self._lists("in", rows)

    def _keys(self, kind: str, number: int) -> Generator[Part, None, np.ndarray]:
        """Some keys of a look-up; returns what they lead to."""
        column, rows, step = KEYS[kind]
        first, last = step * number, min(step * (number + 1), len(self._arrays[column]))
        yield self._slice(column, first, last)
        yield self._slice(rows, first, last)
        return np.unique(self._arrays[rows][first:last]).astype(np.int64)

    def _best(self, artists: np.ndarray, most: int) -> Iterator[Part]:
        """The first songs of artists, and how many they have."""
        offsets = self._arrays["artist_offsets"]
        yield self._some("artist_offsets", np.union1d(artists, artists + 1))
        starts, stops = offsets[artists].astype(np.int64), offsets[artists + 1].astype(np.int64)
        yield self._runs("artist_songs", starts, np.minimum(stops, starts + most))

    def _lists(self, owner: str, rows: np.ndarray) -> Iterator[Part]:
        """Lists of some rows, rising, and their offsets."""
        rows = rows.astype(np.int64)
        yield self._some(f"{owner}_offsets", np.union1d(rows, rows + 1))
        yield self._values(owner, rows)

    def _values(self, owner: str, rows: np.ndarray) -> Part:
        offsets = self._arrays[f"{owner}_offsets"]
        return self._runs(LISTS[owner], offsets[rows].astype(np.int64), offsets[rows + 1].astype(np.int64))

    def _slice(self, name: str, first: int, last: int) -> Part:
        return self._numbers[name], np.array([first]), np.array([last - first]), self._arrays[name][first:last]

    def _some(self, name: str, rows: np.ndarray) -> Part:
        return self._runs(name, rows, rows + 1)

    def _runs(self, name: str, starts: np.ndarray, stops: np.ndarray) -> Part:
        """Elements in runs that rise; neighbours become one run, and empty ones none."""
        starts, stops = starts[stops > starts], stops[stops > starts]
        apart = np.append(True, starts[1:] != stops[:-1]) if len(starts) else np.empty(0, bool)
        firsts = np.flatnonzero(apart)
        lasts = np.append(firsts[1:], len(starts)) - 1 if len(firsts) else firsts
        begins, lengths = starts[firsts], stops[lasts] - starts[firsts]
        places = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        return self._numbers[name], begins, lengths, self._arrays[name][places]


def _blocks(array: np.ndarray) -> Iterator[bytes]:
    described = Array("", array.dtype, array.shape)
    step = elements(described)
    for number in range(blocks_of(described)):
        yield array[step * number : step * (number + 1)].tobytes()


def _digests(found: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, hashlib.sha256().digest_size)
