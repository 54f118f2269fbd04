"""A catalogue of which little is here: what is small, and the pieces that requests have asked for lately."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from segue.catalog.ranged.arrays import Digests, Fetched
from segue.catalog.ranged.held import Fetch, Held
from segue.catalog.ranged.index import CELLS, ENTRY, KEYS, MOST_RECORDS, SAMPLE, Index, part
from segue.catalog.version import Catalog
from segue.errors import Missing

MAPPED = 128_000_000  # bytes of whole files, and of libraries, that stay mapped between requests
SHARE = 0.5  # of the budget, up to which records of cells are fetched for one search
OF_SONGS = (
    "vectors",
    "present",
    "reaches",
    "sketches",
    "works",
    "song_albums",
)  # and attributes
HERE = frozenset((  # what is small, whatever the number of songs, and a byte a song
    "sketch_centres", "cell_offsets", "cell_centroids", "cell_reaches", "cell_clusters", "rank_values", "rank_levels",
    "genre_offsets", "genre_songs", "cluster_offsets", "cluster_songs", "trigram_keys", "trigram_offsets",
    "recommendable", "record_offsets", "record_digests", "record_keys", "block_digests",
))  # fmt: skip


def of_songs(name: str) -> bool:
    """Whether an array has an element for each song that records of cells hold."""
    return name in OF_SONGS or name.startswith("attribute_")


class Ranged(Catalog):
    """A version by pieces; all that a :class:`segue.catalog.Catalog` answers is answered the same.

    fetch : fetches a whole file of that name and returns its path
    range_of : fetches bytes of an object of the version
    limit : bytes that pieces may have
    """

    far = True

    def __init__(
        self, folder: Path, manifest: dict[str, Any], fetch: Callable[[str], Path], range_of: Fetch, limit: int
    ):
        super().__init__(folder, manifest, fetch)
        self._index = Index(self)
        self.held = Held(self._index, self.version, range_of, limit)
        self._sorted = {column: kind for kind, (column, _, _) in KEYS.items()}

    @staticmethod
    def is_possible(manifest: Mapping[str, Any], range_of: Fetch) -> bool:
        """Whether a version was fitted and published with records."""
        try:
            return ENTRY in manifest and bool(range_of(part(0), 0, 1))
        except Missing:
            return False

    @property
    def kept(self) -> Iterable[str]:
        """The files that are to be here."""
        return [f"{name}.npy" for name in sorted(HERE)]

    def map(self) -> None:
        """Map what is here."""
        for name in HERE:
            self.array(name)

    def give_back(self, most: float | None = None) -> None:
        """As for other catalogues, and where no bound is given within one, for whoever serves so lacks memory."""
        super().give_back(MAPPED if most is None else most)

    def array(self, name: str) -> np.ndarray:
        """The array of that name; what is small lies here."""
        if name in HERE or name not in self._index.arrays:
            return super().array(name)
        if name not in self._arrays:
            make = partial(Digests, self._sorted[name]) if name in self._sorted else Fetched
            described, whole = self._index.arrays[name], partial(self._mapped, f"{name}.npy")
            made = make(described, self._index, self.held, whole, by_cell=of_songs(name))
            self._arrays[name] = cast(np.ndarray, made)  # it does what the code here asks of arrays
        return self._arrays[name]

    def near(self, rows: np.ndarray, *columns: str) -> None:
        """Bring the cells of songs, or where these are too many, of the columns what is to be read."""
        cells = np.unique(self._index.cells.searchsorted(rows, side="right") - 1)
        missing = self.held.missing((CELLS, cell) for cell in cells.tolist())
        places = [self._index.record(*key) for key in missing]
        if sum(place.stop - place.start for place in places) <= SHARE * self.held.limit:
            if places:
                self.held.bring(places)
            return
        for column in columns:
            cast(Fetched, self.array(column)).expect(rows)

    def sought(self, keys: Mapping[str, Sequence[int]]) -> None:
        """Bring the records of digests that are to be looked up, by the column in which they stand."""
        wanted = [
            (kind, record)
            for column, digests in keys.items()
            for kind in [self._sorted[column]]
            for digest in digests
            for record in self._index.records_of(kind, digest)[:MOST_RECORDS]
        ]
        self._bring(dict.fromkeys(wanted))

    def drawn(self) -> None:
        """Bring the sample's songs."""
        self._bring([(SAMPLE, 0)])

    def _bring(self, keys: Iterable[tuple[str, int]]) -> None:
        places = [self._index.record(*key) for key in self.held.missing(keys)]
        if places:
            self.held.bring(places)
