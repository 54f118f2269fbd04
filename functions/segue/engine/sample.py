"""A sample of the catalogue, among which is counted how rare a thing is.

Sets of its songs are whole numbers, bit n set for song n: what two sets share is one operation on them.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from segue.catalog import Catalog
from segue.engine.points import Landmarks
from segue.engine.seeds import ranks
from segue.engine.space import space_of

SONGS = 1_000


@dataclass(frozen=True, slots=True)
class Sample:
    """Songs that stand for the catalogue.

    places : their vectors
    known : bool, shape (n_blocks, n_songs), which blocks they have
    levels : feature -> ranks, float64, 0..1, shape (n_songs,), NaN where unknown
    tempos : beats per minute, shape (n_songs,)
    genres : genre -> the set of songs that have it
    """

    places: Landmarks
    known: np.ndarray
    levels: Mapping[str, np.ndarray]
    tempos: np.ndarray
    genres: Mapping[int, int]

    @classmethod
    def of(cls, catalog: Catalog, features: tuple[str, ...]) -> "Sample":
        """The catalogue's, made once; ``features`` are those whose levels are needed."""
        return catalog.derived(("sample", features), lambda: cls._drawn(catalog, features))

    @classmethod
    def _drawn(cls, catalog: Catalog, features: tuple[str, ...]) -> "Sample":
        space, curve = space_of(catalog), ranks(catalog)
        rows = sampled(len(catalog))
        catalog.drawn()
        return cls(
            Landmarks(space, catalog.array("vectors")[rows]),
            space.blocks_of(catalog.array("present")[rows]),
            {name: curve(name, catalog.attribute(name)[rows].astype(np.float64)) for name in features},
            catalog.attribute("tempo")[rows],
            _genres(catalog, rows),
        )

    def bits(self, songs: int) -> float:
        """How rare a thing is that is true of a set of songs: 1 where that is half of the sample."""
        return math.log2((len(self.tempos) + 1) / (songs.bit_count() + 1))


def sampled(n_songs: int) -> np.ndarray:
    """Rows of the sample."""
    return np.arange(0, n_songs, max(1, n_songs // SONGS))


def sets(true_of: np.ndarray) -> list[int]:
    """Rows of bool, shape (n_sets, n_songs), as sets."""
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(true_of, axis=1, bitorder="little")]


def _genres(catalog: Catalog, rows: np.ndarray) -> Mapping[int, int]:
    found, counts = catalog.lists("in", "genres").of(rows)
    genres: defaultdict[int, int] = defaultdict(int)
    for song, genre in zip(np.repeat(np.arange(len(rows)), counts).tolist(), found.tolist()):
        genres[genre] |= 1 << song
    return genres
