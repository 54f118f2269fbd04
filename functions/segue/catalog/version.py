"""The artifacts: what a version directory holds and how it is read.

``ROOT/current.json`` names a version; ``ROOT/versions/<id>/`` holds it: ``manifest.json``, NumPy files that are
memory-mapped on first use, and ``catalog.parquet``. Rows are songs, sorted by cluster, then cell.

=====================  ==========================  ========================================================
array                  shape                       what
=====================  ==========================  ========================================================
vectors                (n_songs, n_dims)           int8, the space's columns, block beside block
present                (n_songs,)                  uint16, bit b set: block b of the space is known, not imputed
reaches                (n_songs,)                  float32, local scale of a song, see :mod:`segue.engine.space`
sketches               (n_songs, n_blocks)         uint16, see :mod:`segue.engine.sketch`
sketch_centres         (n_centres, n_dims)         int8, centres of each block, side by side
recommendable          (n_songs,)                  bool, the song was analysed (tempo above 0)
cell_offsets           (n_cells + 1,)              first row of each cell
cell_centroids         (n_cells, n_dims)           int8, the mean vector of a cell
cell_reaches           (n_cells,)                  float32, the mean reach of a cell's songs
cell_clusters          (n_cells,)                  the cluster that a cell belongs to
map                    (n_songs, 2)                uint16, where a song lies in the plane: to the right, up
works                  (n_songs,)                  the work of which a song is a version
source_rows            (n_songs,)                  each song's place in the source, to which ties go back
work_offsets, _songs   (n_works + 1,), (n_songs,)  a work's versions, most popular first
by_offsets, _artists   (n_songs + 1,), (links,)    a song's artists, the first artist first
artist_offsets, _songs (n_artists + 1,), (links,)  an artist's songs, those as first artist before the others,
                                                   most popular first
in_offsets, _genres    (n_songs + 1,), (links,)    a song's genres, indices into the manifest's list
together_lists         (n_works,)                  the list of what is played together with a work, -1: none
together_offsets,      (n_lists + 1,), (links,)    works of each list, the nearest first, and their weights,
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
trigram_keys           (n_trigrams,)               uint64, their trigrams, see :mod:`segue.catalog.lookup.trigrams`
trigram_offsets,       (n_trigrams + 1,), (links,) the entries that have each trigram, rising
 _entries
record_offsets         (n_records + 1,)            where the records of a published version begin, see
                                                   :mod:`segue.catalog.ranged`
record_digests         (n_records, 32)             their sha256
record_keys            (n_key_records,)            uint64, the first digest of each record of a look-up
block_digests          (n_blocks, 32)              sha256 of the blocks of all arrays above
=====================  ==========================  ========================================================
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from segue.catalog import manifest
from segue.catalog.manifest import REBUILD
from segue.catalog.mapping import give_back, mapped
from segue.catalog.ragged import Lists, SharedTexts, Texts
from segue.errors import ArtifactsError

Made = TypeVar("Made")


class Catalog:
    """One version of the artifacts, each file opened when it is first needed.

    folder : the version directory
    manifest : its manifest, as :func:`load` has read it
    fetch : fetches a file of that name and returns its path; None: all of them lie in the folder
    far : whether songs are fetched when they are needed, so that saying so beforehand saves round trips
    """

    far = False

    def __init__(self, folder: Path, manifest: dict[str, Any], fetch: Callable[[str], Path] | None = None):
        self.folder = folder
        self.manifest = manifest
        self._fetch = fetch
        self._maps: list[np.ndarray] = []
        self._arrays: dict[str, np.ndarray] = {}
        self._texts: dict[str, Texts] = {}
        self._lists: dict[tuple[str, str], Lists] = {}
        self._derived: dict[Hashable, Any] = {}

    @property
    def version(self) -> str:
        """The version's id."""
        return self.folder.name

    def __len__(self) -> int:
        return int(self.manifest["songs"])

    def array(self, name: str) -> np.ndarray:
        """The memory-mapped array of that name; two threads may both open it, either's is as good."""
        if name not in self._arrays:
            self._arrays[name] = self._mapped(f"{name}.npy")
        return self._arrays[name]

    def derived(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What is made of this version once, by key; two threads may both make it, either's is as good."""
        if key not in self._derived:
            self._derived[key] = make()
        found: Made = self._derived[key]
        return found

    def path(self, name: str) -> Path:
        """Where a file lies, fetched if need be; ask anew for each opening, for a cache may have lost it."""
        return self._fetch(name) if self._fetch else self.folder / name

    @property
    def kept(self) -> Iterable[str]:
        """The files that are to be here; the others are fetched in part, when they are needed."""
        return self.manifest["files"]

    def near(self, rows: np.ndarray, *columns: str) -> None:
        """Say that songs will be read, above all these columns: of a version that is far they are fetched at once."""

    def sought(self, keys: Mapping[str, Sequence[int]]) -> None:
        """Say which digests will be looked up, by the column in which they stand."""

    def drawn(self) -> None:
        """Say that the sample's songs will be read, see :mod:`segue.engine.sample`."""

    def map(self) -> None:
        """Map every array now: what becomes of the files later does not reach them."""
        for name in self.manifest["files"]:
            if name.endswith(".npy"):
                self.array(name.removesuffix(".npy"))

    def give_back(self, most: float | None = None) -> None:
        """Between requests: unmap pages of files if more bytes than ``most`` are mapped; answers stay the same."""
        if most is not None:
            give_back(self._maps, most)

    def attribute(self, name: str) -> np.ndarray:
        """A number of every song, NaN where unknown; shape (n_songs,)."""
        return self.array(f"attribute_{name}")

    def texts(self, name: str) -> Texts:
        """``ids``, ``names``, ``albums`` (by song) or ``artists`` (by artist)."""
        if name not in self._texts:
            stored = self.array(f"{name}_heap"), self.array(f"{name}_offsets")
            shared = name == "albums"
            self._texts[name] = SharedTexts(*stored, self.array("song_albums")) if shared else Texts(*stored)
        return self._texts[name]

    def lists(self, owner: str, items: str) -> Lists:
        """``("song", "artists")``: the artists of each song; and so for all pairs of the table above."""
        if (owner, items) not in self._lists:
            self._lists[owner, items] = Lists(self.array(f"{owner}_offsets"), self.array(f"{owner}_{items}"))
        return self._lists[owner, items]

    def _mapped(self, name: str) -> np.ndarray:
        try:
            found = mapped(self.path(name))
        except (OSError, ValueError) as error:
            said = f"{name} of version {self.version} can't be opened ({type(error).__name__})"
            raise ArtifactsError(said) from error
        self._maps.append(found)
        return found


def load(root: Path) -> Catalog:
    """Open the current version below ``root``; format and sizes are checked, of the hashes only the manifest's.

    Raises
    ------
    ArtifactsError
        there is none, it is of another format, or a file is missing or has another size.

    """
    return load_version(root, current(root))


def load_version(root: Path, version: str) -> Catalog:
    """Open one version below ``root``, as :func:`load` does."""
    folder = root / "versions" / version
    found = _manifest_in(folder, version)
    for name, facts in found["files"].items():
        _check_size(folder / name, facts["bytes"])
    return Catalog(folder, found)


def current(root: Path) -> str:
    """The id of the version that ``root`` points to."""
    pointer = root / manifest.POINTER
    if not pointer.exists():
        raise ArtifactsError(f"no artifacts in '{root.name}': run '{REBUILD}' first")
    return str(manifest.pointed(_read(pointer))["version"])


def verify(folder: Path, version: str) -> None:
    """Read every file of a version back and compare its hash with the manifest's, and the manifest's with the id.

    Raises
    ------
    ArtifactsError
        a file is missing or differs; the message names it.

    """
    for name, facts in _manifest_in(folder, version)["files"].items():
        _check_size(folder / name, facts["bytes"])
        if sha256(folder / name) != facts["sha256"]:
            raise ArtifactsError(f"{name} of version {version} is damaged: run '{REBUILD}'")


def _manifest_in(folder: Path, version: str) -> dict[str, Any]:
    return manifest.parsed(_read(folder / manifest.NAME), version)


def _check_size(path: Path, expected: int) -> None:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        raise ArtifactsError(f"{path.name} of version {path.parent.name} is missing: run '{REBUILD}'") from None
    if found != expected:
        raise ArtifactsError(
            f"{path.name} of version {path.parent.name} has {found} bytes, not {expected}: run '{REBUILD}'"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactsError(f"{path.name} can't be read ({type(error).__name__}): run '{REBUILD}'") from error


def sha256(path: Path) -> str:
    """The digest of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
