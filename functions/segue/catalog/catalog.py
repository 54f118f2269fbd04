"""The artifacts: what a version directory holds and how it is read.

``ROOT/current.json`` names a version; ``ROOT/versions/<id>/`` holds it: ``manifest.json``, NumPy files that are
memory-mapped on first use, and ``catalog.parquet``. Rows are songs, sorted by cluster, then cell.

=====================  ==========================  ========================================================
array                  shape                       what
=====================  ==========================  ========================================================
vectors                (n_songs, n_dims)           int8, the space's columns, block beside block
present                (n_songs,)                  uint16, bit b set: block b of the space is known, not imputed
local_scales           (n_songs,)                  float32, local scale of a song, see :mod:`segue.engine.space`
pq_codes               (n_songs, n_blocks)         uint16, product quantization, see :mod:`segue.engine.scoring`
pq_centroids           (n_centres, n_dims)         int8, centroids of each block, side by side
recommendable          (n_songs,)                  bool, the song was analysed (tempo above 0)
cell_offsets           (n_cells + 1,)              first row of each cell
cell_centroids         (n_cells, n_dims)           int8, the mean vector of a cell
cell_local_scales      (n_cells,)                  float32, the mean local scale of a cell's songs
cell_clusters          (n_cells,)                  the cluster that a cell belongs to
map                    (n_songs, 2)                uint16, where a song lies in the plane: to the right, up
works                  (n_songs,)                  the work of which a song is a version
source_rows            (n_songs,)                  each song's place in the source, to which ties go back
work_offsets, _songs   (n_works + 1,), (n_songs,)  a work's versions, most popular first
song_artists_offsets,  (n_songs + 1,), (links,)    a song's artists, the first artist first
 song_artists
artist_offsets, _songs (n_artists + 1,), (links,)  an artist's songs, those as first artist before the others,
                                                   most popular first
song_genres_offsets,   (n_songs + 1,), (links,)    a song's genres, indices into the manifest's list
 song_genres
neighbour_lists        (n_works,)                  the list of a work's co-occurrence neighbours, -1: none
neighbour_offsets,     (n_lists + 1,), (links,)    works of each list, the nearest first, and their weights,
 _works, _weights                                  float16, 0..1; these three only where playlists were learned from
genre_offsets, _songs  (n_genres + 1,), (<= 20 g,) the songs nearest to a genre's centre
cluster_offsets,       (n_clusters + 1,),          the same for clusters
 _songs                 (<= 20 c,)
attribute_NAME         (n_songs,)                  a number of the song, or explicit (0, 1); NaN: unknown; float32,
                                                   whole numbers in the smallest float that holds them
rank_values, _levels   (n_attributes, 256)         curves from an attribute's value to its rank
NAME_heap, _offsets    (bytes,), (n + 1,)          UTF-8 texts end to end: ids, names, different albums, artists
song_albums            (n_songs,)                  the album of each song, empty where it is unknown
id_hashes, id_songs    (n_songs,)                  sorted 64-bit digests of ids and their rows
title_hashes, _songs   (>= n_songs,)               the same for titles as they are typed, the most popular song first
artist_hashes, _rows   (2 n_artists,)              the same for artists' names, by title key and as they are typed
title_order            (n_songs,)                  rows in the alphabetical order of names as they are typed
artist_order           (n_artists,)                artists in that order
entry_songs            (n_entries,)                the best-known song of each name, as it is typed, and first artist,
                                                   the most popular first
trigram_keys           (n_trigrams,)               uint64, their trigrams, see :mod:`segue.catalog.lookup.fuzzy`
trigram_offsets,       (n_trigrams + 1,), (links,) the entries that have each trigram, rising
 _entries
record_offsets         (n_records + 1,)            where the records of a published version begin, see
                                                   :mod:`segue.catalog.remote`
record_digests         (n_records, 32)             their sha256
record_keys            (n_key_records,)            uint64, the first digest of each record of a look-up
block_digests          (n_blocks, 32)              sha256 of the blocks of all arrays above
=====================  ==========================  ========================================================
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from segue.catalog.arrays import RaggedArray, SharedStringArray, StringArray, map_array, unmap_pages
from segue.errors import ArtifactsError

T = TypeVar("T")


class Catalog:
    """One version of the artifacts, each file opened when it is first needed.

    folder : the version directory
    manifest : its manifest, as :func:`load` has read it
    fetch_file : fetches a file of that name and returns its path; None: all of them lie in the folder
    is_remote : whether arrays are fetched by the block, so that prefetching saves round trips
    """

    is_remote = False

    def __init__(self, folder: Path, manifest: dict[str, Any], fetch_file: Callable[[str], Path] | None = None):
        self.folder = folder
        self.manifest = manifest
        self._fetch_file = fetch_file
        self._mapped_arrays: list[np.ndarray] = []
        self._arrays: dict[str, np.ndarray] = {}
        self._texts: dict[str, StringArray] = {}
        self._lists: dict[tuple[str, str], RaggedArray] = {}
        self._cached: dict[Hashable, Any] = {}

    @property
    def version(self) -> str:
        """The version's id."""
        return self.folder.name

    def __len__(self) -> int:
        return int(self.manifest["songs"])

    def array(self, name: str) -> np.ndarray:
        """The memory-mapped array of that name; two threads may both open it, either's is as good."""
        if name not in self._arrays:
            self._arrays[name] = self._map_file(f"{name}.npy")
        return self._arrays[name]

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        """A value computed from this version once, by key; two threads may both compute it, either result will do."""
        if key not in self._cached:
            self._cached[key] = compute()
        found: T = self._cached[key]
        return found

    def path(self, name: str) -> Path:
        """Where a file lies, fetched if need be; ask anew for each opening, for a cache may have lost it."""
        return self._fetch_file(name) if self._fetch_file else self.folder / name

    @property
    def required_files(self) -> Iterable[str]:
        """The files that must be on the disk; the others are fetched in part, when they are needed."""
        return self.manifest["files"]

    def prefetch_rows(self, rows: np.ndarray, *columns: str) -> None:
        """Say that songs will be read, above all these columns: a remote catalog fetches them in one round trip."""

    def prefetch_keys(self, keys: Mapping[str, Sequence[int]]) -> None:
        """Say which hashes will be looked up, by the column that holds them."""

    def prefetch_sample(self) -> None:
        """Say that the sample's songs will be read, see :class:`segue.engine.explanations.Sample`."""

    def map_all(self) -> None:
        """Map every array now: what becomes of the files later does not reach them."""
        for name in self.manifest["files"]:
            if name.endswith(".npy"):
                self.array(name.removesuffix(".npy"))

    def unmap(self, limit: float | None = None) -> None:
        """Between requests: unmap pages of files if more bytes than ``limit`` are mapped; answers stay the same."""
        if limit is not None:
            unmap_pages(self._mapped_arrays, limit)

    def attribute(self, name: str) -> np.ndarray:
        """A number of every song, NaN where unknown; shape (n_songs,)."""
        return self.array(f"attribute_{name}")

    def texts(self, name: str) -> StringArray:
        """``ids``, ``names``, ``albums`` (by song) or ``artists`` (by artist)."""
        if name not in self._texts:
            stored = self.array(f"{name}_heap"), self.array(f"{name}_offsets")
            shared = name == "albums"
            self._texts[name] = (
                SharedStringArray(*stored, self.array("song_albums")) if shared else StringArray(*stored)
            )
        return self._texts[name]

    def lists(self, owner: str, items: str) -> RaggedArray:
        """``("song", "artists")``: the artists of each song; and so for all pairs of the table above."""
        if (owner, items) not in self._lists:
            values = f"{owner}_{items}"
            offsets = f"{values if owner == 'song' else owner}_offsets"
            self._lists[owner, items] = RaggedArray(self.array(offsets), self.array(values))
        return self._lists[owner, items]

    def _map_file(self, name: str) -> np.ndarray:
        try:
            array = map_array(self.path(name))
        except (OSError, ValueError) as error:
            message = f"{name} of version {self.version} can't be opened ({type(error).__name__})"
            raise ArtifactsError(message) from error
        self._mapped_arrays.append(array)
        return array
