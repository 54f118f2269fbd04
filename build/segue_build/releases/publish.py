"""``publish`` and ``rollback``: verify a version, compare it, upload its files and records, swap one pointer."""

import contextlib
import hashlib
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from segue.catalog import validation, version_files
from segue.catalog.catalog import Catalog
from segue.catalog.remote.blocks import MANIFEST_KEY, OBJECT_BYTES, object_name
from segue.errors import ArtifactsError, MissingFile, ReleaseError, StoreError, WriteConflict
from segue.releases.remote import PARALLEL_TRANSFERS
from segue.releases.serving import load
from segue.releases.store import Pointer, Store, read_pointer
from segue_build import progress
from segue_build.artifacts import records
from segue_build.progress import stage
from segue_build.releases import gate, version_history
from segue_build.releases.version_history import nothing_published, prune

ManifestFiles = Mapping[str, Mapping[str, Any]]  # as in a manifest: name -> bytes, sha256


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How a version is published.

    allow : name of a figure -> how much worse it may become, overriding its rule
    force : publish even if a figure fails
    reason, by : why and who, for the history; ``by`` is by default who is logged in
    keep : how many versions stay in the store, at least 2; None: all
    """

    allow: Mapping[str, float] = field(default_factory=dict)
    force: bool = False
    reason: str | None = None
    by: str | None = None
    keep: int | None = None


def publish(candidate: Catalog, store: Store, options: PublishOptions) -> None:
    """Copy a version into a store and make it current.

    If it is killed, the current version stays current, and the next publish continues the upload.

    Raises
    ------
    ReleaseError
        a figure fails at the gate, or another publisher was faster, which the history records.
    ArtifactsError
        a file of the version is damaged, or the store can't be read or written; the message names the file.

    """
    current = current_pointer(store)
    with stage(f"checking version {candidate.version}"):
        verify_local(candidate)
    if current and current.version == candidate.version:
        upload(candidate, store)
        print(f"version {candidate.version} is current at {store.address} already")
        return
    failures = _run_gate(candidate, _load_current(store, current, options), options)
    upload(candidate, store)
    swap_pointer(store, _publish_entry("publish", candidate.version, current, options, failures), current)
    if missing_files(store, candidate.version, candidate.manifest["files"]):
        upload(candidate, store)  # somebody pruned it as an old version a moment before it was current
    print(f"version {candidate.version} is current at {store.address}")
    if options.keep:
        prune(store, options.keep)


def rollback(store: Store, version: str | None, options: PublishOptions) -> None:
    """Make an older version current again; by default the one before the current.

    Raises
    ------
    ReleaseError
        there is no such version, or another publisher was faster.
    ArtifactsError
        the version is damaged; the message names the file.

    """
    current = current_pointer(store)
    if current is None:
        raise ReleaseError(nothing_published(store))
    wanted = version or _previous_version(store, current)
    if wanted == current.version:
        print(f"version {wanted} is current at {store.address} already")
        return
    try:
        facts = version_files.parse_manifest(store.read(_stored_path(wanted, version_files.MANIFEST)).content, wanted)
    except MissingFile:
        raise ReleaseError(f"there is no whole version {wanted} at {store.address}; `versions` lists them") from None
    damaged = damaged_files(store, wanted, facts["files"])
    if damaged:
        raise ArtifactsError(f"{damaged[0]} of version {wanted} is damaged or missing: publish the version again")
    swap_pointer(store, _publish_entry("rollback", wanted, current, options), current)
    print(f"version {wanted} is current at {store.address}, in place of {current.version}")


def current_pointer(store: Store) -> Pointer | None:
    """What is current, or None; adds its entry to the history in case its publisher died before it did."""
    try:
        current = read_pointer(store)
    except MissingFile:
        return None
    if "id" in current.fields:
        version_history.append_history(store, dict(current.fields))
    return current


def swap_pointer(store: Store, entry: Mapping[str, Any], current: Pointer | None) -> None:
    """Make the version of an entry current if ``current`` still is; the history records success and failure."""
    try:
        store.compare_and_swap(
            version_files.POINTER, json.dumps(entry, ensure_ascii=False).encode(), current.tag if current else None
        )
    except WriteConflict:
        now = read_pointer(store)
        if now.fields.get("id") != entry["id"]:  # else it is our own write, of which the answer was lost
            version_history.append_history(store, {**entry, "lost_to": now.version})
            raise ReleaseError(
                f"another publisher made version {now.version} current meanwhile: version {entry['version']} is in"
                " the store, but not current; run again to compare it with the new one"
            ) from None
    version_history.append_history(store, dict(entry))


def _publish_entry(
    action: str, version: str, current: Pointer | None, options: PublishOptions, failures: list[str] | None = None
) -> version_history.HistoryEntry:
    previous = current.version if current else None
    return version_history.new_entry(action, version, previous, options.by, reason=options.reason, refused=failures)


def _load_current(store: Store, current: Pointer | None, options: PublishOptions) -> Catalog | None:
    """The current version, opened for the comparison."""
    if current is None:
        return None
    try:
        return load(store.address)
    except ArtifactsError as error:
        if options.force:
            return None
        raise ReleaseError(
            f"the current version can't be compared with: {error}; --force --reason TEXT publishes all the same"
        ) from error


def _run_gate(candidate: Catalog, current: Catalog | None, options: PublishOptions) -> list[str]:
    """Print the comparison; returns what failed, if the version is to be published all the same."""
    compared = gate.compare(current, candidate, options.allow)
    print("\n".join(gate.comparison_table(compared)))
    failures = gate.failures(compared)
    if failures and not options.force:
        raise ReleaseError(
            f"version {candidate.version} is refused: {'; '.join(failures)}. --allow NAME=NUMBER moves a threshold,"
            " --force --reason TEXT publishes all the same"
        )
    return failures


def _previous_version(store: Store, current: Pointer) -> str:
    """The version that was current before."""
    previous = current.fields.get("previous")
    earlier = [entry["version"] for entry in reversed(version_history.read_history(store)) if "lost_to" not in entry]
    for version in (previous, *earlier):
        if version_files.is_version_id(version) and version != current.version:
            return str(version)
    raise ReleaseError(f"no version was current at {store.address} before {current.version}")


def verify_local(songs: Catalog) -> None:
    """Read every file of a local version and check what it declares; ArtifactsError names the file at fault."""
    for name, facts in songs.manifest["files"].items():
        try:
            found = version_files.file_sha256(songs.path(name))
        except OSError as error:
            raise ArtifactsError(f"{name} of version {songs.version} can't be read: {error.strerror}") from error
        if found != facts["sha256"]:
            raise ArtifactsError(f"{name} of version {songs.version} is damaged: fit it again")
    validation.check_catalog(songs)


def upload(songs: Catalog, store: Store) -> None:
    """Copy every file of a version into the store and read it back; the manifest comes last.

    Raises
    ------
    ArtifactsError
        the store's disk has too little room.
    StoreError
        a file can't be written, or does not read back as it was written.

    """
    files: ManifestFiles = songs.manifest["files"]
    absent = missing_files(store, songs.version, files)
    free = store.free_bytes() if absent else None
    if free is not None:
        version_files.check_room(store.address, free, _bytes_to_write(songs, absent))
    _put_files(songs, absent, store.create)
    bad = damaged_files(store, songs.version, files)
    if bad:  # bytes rot, and a store may answer that a name is taken before its file is there
        _put_files(songs, bad, store.replace)
        bad = damaged_files(store, songs.version, {name: files[name] for name in bad})
    if bad:
        raise StoreError(f"{bad[0]} of version {songs.version} does not read back as it was written; run again")
    upload_records(songs, store)
    _put_manifest(songs, store)


def missing_files(store: Store, version: str, files: ManifestFiles) -> list[str]:
    """Files that a version in a store lacks."""
    stored = store.list_files(f"versions/{version}")
    return [name for name in files if _stored_path(version, name) not in stored]


def damaged_files(store: Store, version: str, files: ManifestFiles) -> list[str]:
    """Read a version's files in a store; returns those that are missing or differ from the manifest."""

    def bad(name: str) -> bool:
        digest, size = hashlib.sha256(), int(files[name]["bytes"])
        with contextlib.suppress(MissingFile):
            for chunk in store.stream(_stored_path(version, name), size):
                digest.update(chunk)
        return digest.hexdigest() != files[name]["sha256"]

    return [name for name, is_bad in zip(files, _map_with_progress("verifying", files, list(files), bad)) if is_bad]


def _bytes_to_write(songs: Catalog, names: list[str]) -> int:
    """Bytes of some files, and of all records."""
    records_size = int(songs.array("record_offsets")[-1]) if MANIFEST_KEY in songs.manifest else 0
    return records_size + sum(int(songs.manifest["files"][name]["bytes"]) for name in names)


def _put_files(songs: Catalog, names: list[str], put: Callable[..., object]) -> None:
    files = songs.manifest["files"]
    list(
        _map_with_progress(
            "uploading", files, names, lambda name: put(_stored_path(songs.version, name), songs.path(name))
        )
    )


def _put_manifest(songs: Catalog, store: Store) -> None:
    source, name = songs.folder / version_files.MANIFEST, _stored_path(songs.version, version_files.MANIFEST)
    store.create(name, source)
    if store.read(name).content != source.read_bytes():
        store.replace(name, source)
        version_files.parse_manifest(store.read(name).content, songs.version)


def _map_with_progress(
    what: str, files: ManifestFiles, names: list[str], work: Callable[[str], Any]
) -> Iterator[Any]:
    """Results of ``work`` on some files, several at a time; at a terminal with a progress bar."""
    if not names:
        return
    total = sum(int(files[name]["bytes"]) for name in names)
    print(f"{what} {len(names)} files, {progress.format_bytes(total)} ...", file=sys.stderr, flush=True)
    bar = tqdm(desc=what, total=total, unit="B", unit_scale=True, leave=False, disable=None)
    with bar, ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
        for name, result in zip(names, pool.map(work, names)):
            bar.update(int(files[name]["bytes"]))
            yield result


def _stored_path(version: str, name: str) -> str:
    return f"versions/{version}/{name}"


def upload_records(songs: Catalog, store: Store) -> None:
    """Upload the objects of records that a store lacks; a version may have none.

    Raises
    ------
    ArtifactsError
        the records are not those that were fitted.
    StoreError
        an object can't be written, or does not read back as it was written.

    """
    if MANIFEST_KEY not in songs.manifest:
        return
    objects, fitted_records = _record_objects(songs), records.records_of(songs)
    with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool, tempfile.TemporaryDirectory() as folder:
        uploaded = pool.map(lambda name: _is_uploaded(songs, store, name, objects[name]), objects)
        absent = [name for name, is_uploaded in zip(objects, uploaded) if not is_uploaded]
        if absent:
            print(f"uploading records, {len(absent)} of {len(objects)} objects ...", file=sys.stderr, flush=True)
        done = pool.map(
            lambda name: _upload_object(songs, store, fitted_records, name, objects[name], Path(folder)), absent
        )
        list(tqdm(done, desc="records", total=len(absent), leave=False, disable=None))


def _upload_object(
    songs: Catalog, store: Store, fitted_records: records.RecordBuilder, name: str, numbers: range, folder: Path
) -> None:
    source = folder / name
    _write_object(songs, fitted_records, numbers, source)
    if not store.create(_stored_path(songs.version, name), source):
        store.replace(_stored_path(songs.version, name), source)
    source.unlink()
    if not _is_uploaded(songs, store, name, numbers):
        raise StoreError(f"{name} of version {songs.version} does not read back as it was written; run again")


def _record_objects(songs: Catalog) -> dict[str, range]:
    """The records of each object."""
    starts = songs.array("record_offsets")[:-1] // OBJECT_BYTES
    edges = [0, *(index + 1 for index in range(len(starts) - 1) if starts[index] != starts[index + 1]), len(starts)]
    return {
        object_name(int(starts[first]) * OBJECT_BYTES): range(first, last)
        for first, last in itertools.pairwise(edges)
    }


def _is_uploaded(songs: Catalog, store: Store, name: str, numbers: range) -> bool:
    offsets = songs.array("record_offsets")
    size = int(offsets[numbers.stop] - offsets[numbers.start])
    with contextlib.suppress(MissingFile):
        content = b"".join(store.stream(_stored_path(songs.version, name), size))
        return all(
            _matches_digest(songs, number, record) for number, record in _split_records(songs, numbers, content)
        )
    return False


def _split_records(songs: Catalog, numbers: range, content: bytes) -> Iterator[tuple[int, memoryview]]:
    offsets = songs.array("record_offsets")[numbers.start : numbers.stop + 1].tolist()
    for number, first, last in zip(numbers, offsets[:-1], offsets[1:]):
        yield number, memoryview(content)[first - offsets[0] : last - offsets[0]]


def _write_object(songs: Catalog, fitted_records: records.RecordBuilder, numbers: range, path: Path) -> None:
    with path.open("wb") as file:
        for number in numbers:
            record = fitted_records.record(number)
            if not _matches_digest(songs, number, memoryview(record)):
                raise ArtifactsError(f"records of version {songs.version} are not those of its fit: fit it again")
            file.write(record)


def _matches_digest(songs: Catalog, number: int, record: memoryview) -> bool:
    return hashlib.sha256(record).digest() == songs.array("record_digests")[number].tobytes()
