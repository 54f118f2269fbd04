"""The records of a version into a store, beside its files: made from these, created and read back."""

import contextlib
import hashlib
import itertools
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from segue_build.artifacts import records
from segue.catalog import Catalog
from segue.catalog.ranged.index import ENTRY, PART, part
from segue.errors import ArtifactsError, Missing, StoreError
from segue.releases.remote import AT_ONCE
from segue.releases.store import Store


def copy(songs: Catalog, store: Store) -> None:
    """Bring the objects of records that a store lacks into it; a version that was fitted without has none.

    Raises
    ------
    ArtifactsError
        the records are not those that were fitted.
    StoreError
        an object can't be written, or does not read back as it was written.

    """
    if ENTRY not in songs.manifest:
        return
    objects, made = _objects(songs), records.of(songs)
    with ThreadPoolExecutor(AT_ONCE) as pool, tempfile.TemporaryDirectory() as folder:
        there = pool.map(lambda name: _is_there(songs, store, name, objects[name]), objects)
        bad = [name for name, is_there in zip(objects, there) if not is_there]
        if bad:
            print(f"uploading records, {len(bad)} of {len(objects)} objects ...", file=sys.stderr, flush=True)
        done = pool.map(lambda name: _bring(songs, store, made, name, objects[name], Path(folder)), bad)
        list(tqdm(done, desc="records", total=len(bad), leave=False, disable=None))


def _bring(songs: Catalog, store: Store, made: records.Records, name: str, numbers: range, folder: Path) -> None:
    source = folder / name
    _write(songs, made, numbers, source)
    if not store.create(_path(songs, name), source):
        store.replace(_path(songs, name), source)
    source.unlink()
    if not _is_there(songs, store, name, numbers):
        raise StoreError(f"{name} of version {songs.version} does not read back as it was written; run again")


def _objects(songs: Catalog) -> dict[str, range]:
    """The records of each object."""
    starts = songs.array("record_offsets")[:-1] // PART
    edges = [0, *(place + 1 for place in range(len(starts) - 1) if starts[place] != starts[place + 1]), len(starts)]
    return {part(int(starts[first]) * PART): range(first, last) for first, last in itertools.pairwise(edges)}


def _is_there(songs: Catalog, store: Store, name: str, numbers: range) -> bool:
    offsets = songs.array("record_offsets")
    size = int(offsets[numbers.stop] - offsets[numbers.start])
    with contextlib.suppress(Missing):
        content = b"".join(store.stream(_path(songs, name), size))
        return all(_is_fitted(songs, number, record) for number, record in _parted(songs, numbers, content))
    return False


def _parted(songs: Catalog, numbers: range, content: bytes) -> Iterator[tuple[int, memoryview]]:
    offsets = songs.array("record_offsets")[numbers.start : numbers.stop + 1].tolist()
    for number, first, last in zip(numbers, offsets[:-1], offsets[1:]):
        yield number, memoryview(content)[first - offsets[0] : last - offsets[0]]


def _write(songs: Catalog, made: records.Records, numbers: range, path: Path) -> None:
    with path.open("wb") as file:
        for number in numbers:
            record = made.record(number)
            if not _is_fitted(songs, number, memoryview(record)):
                raise ArtifactsError(f"records of version {songs.version} are not those of its fit: fit it again")
            file.write(record)


def _is_fitted(songs: Catalog, number: int, record: memoryview) -> bool:
    return hashlib.sha256(record).digest() == songs.array("record_digests")[number].tobytes()


def _path(songs: Catalog, name: str) -> str:
    return f"versions/{songs.version}/{name}"
