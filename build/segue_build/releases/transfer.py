"""A version's files into a store: created, read back and verified; what is there already is verified only."""

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tqdm import tqdm

from segue_build import progress
from segue_build.releases import pieces
from segue.catalog import Catalog, manifest, sha256
from segue.errors import ArtifactsError, Missing, StoreError
from segue.releases.remote import AT_ONCE
from segue.releases.store import Store

Files = Mapping[str, Mapping[str, Any]]  # as in a manifest: name -> bytes, sha256


def check(songs: Catalog) -> None:
    """Read every file of a version here; raises ArtifactsError that names the one which is missing or damaged."""
    for name, facts in songs.manifest["files"].items():
        try:
            found = sha256(songs.path(name))
        except OSError as error:
            raise ArtifactsError(f"{name} of version {songs.version} can't be read: {error.strerror}") from error
        if found != facts["sha256"]:
            raise ArtifactsError(f"{name} of version {songs.version} is damaged: fit it again")


def copy(songs: Catalog, store: Store) -> None:
    """Bring every file of a version into the store and read it back; the manifest comes last, when all others hold.

    Raises
    ------
    StoreError
        a file can't be written, or does not read back as it was written.

    """
    files: Files = songs.manifest["files"]
    absent = missing(store, songs.version, files)
    _put(songs, absent, store.create)
    bad = damaged(store, songs.version, files)
    if bad:  # bytes rot, and a store may answer that a name is taken before its file is there
        _put(songs, bad, store.replace)
        bad = damaged(store, songs.version, {name: files[name] for name in bad})
    if bad:
        raise StoreError(f"{bad[0]} of version {songs.version} does not read back as it was written; run again")
    pieces.copy(songs, store)
    _seal(songs, store)


def missing(store: Store, version: str, files: Files) -> list[str]:
    """Files that a version in a store lacks."""
    there = store.names(f"versions/{version}")
    return [name for name in files if f"versions/{version}/{name}" not in there]


def damaged(store: Store, version: str, files: Files) -> list[str]:
    """Read a version's files in a store; returns those that are missing or not what the manifest says."""

    def bad(name: str) -> bool:
        digest, size = hashlib.sha256(), int(files[name]["bytes"])
        with contextlib.suppress(Missing):
            for piece in store.stream(_name(version, name), size):
                digest.update(piece)
        return digest.hexdigest() != files[name]["sha256"]

    return [name for name, is_bad in zip(files, _with_progress("verifying", files, list(files), bad)) if is_bad]


def _put(songs: Catalog, names: list[str], put: Callable[..., object]) -> None:
    files = songs.manifest["files"]
    list(_with_progress("uploading", files, names, lambda name: put(_name(songs.version, name), songs.path(name))))


def _seal(songs: Catalog, store: Store) -> None:
    source, name = songs.folder / manifest.NAME, _name(songs.version, manifest.NAME)
    store.create(name, source)
    if store.read(name).content != source.read_bytes():
        store.replace(name, source)
        manifest.parsed(store.read(name).content, songs.version)


def _with_progress(what: str, files: Files, names: list[str], work: Callable[[str], Any]) -> Iterator[Any]:
    """The results of work on some files, several at a time, with a bar of bytes for a person at a terminal."""
    if not names:
        return
    total = sum(int(files[name]["bytes"]) for name in names)
    print(f"{what} {len(names)} files, {progress.size(total)} ...", file=sys.stderr, flush=True)
    bar = tqdm(desc=what, total=total, unit="B", unit_scale=True, leave=False, disable=None)
    with bar, ThreadPoolExecutor(AT_ONCE) as pool:
        for name, result in zip(names, pool.map(work, names)):
            bar.update(int(files[name]["bytes"]))
            yield result


def _name(version: str, name: str) -> str:
    return f"versions/{version}/{name}"
