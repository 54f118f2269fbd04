"""The files of versions: parses ``current.json`` and ``manifest.json``, verifies files, and saves new versions.

A version is written to a temporary folder, read back, verified and renamed: readers see all of it or nothing.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from segue.catalog import validation
from segue.catalog.catalog import Catalog
from segue.errors import ArtifactsError, NoArtifacts

FORMAT = 7
POINTER = "current.json"
MANIFEST = "manifest.json"
FIT_COMMAND = "segue fit"
REFIT_COMMAND = f"{FIT_COMMAND} --source SOURCE"  # where no manifest says what a version was made of
_VERSION_ID = re.compile(r"[0-9a-f]{16}")
_FILE_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
LOCK_PATIENCE = 1.0  # seconds to wait in silence
PARTIAL = ".partial"  # the folder in which a version is written
RESERVE = ".reserve"  # a file that gives its space to small ones when the disk is full: the pointer, the history
RESERVE_BYTES = 256 * 1024
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def load(root: Path) -> Catalog:
    """Open the current version below ``root``; checks the format, the sizes and the manifest's hash, no other hashes.

    Raises
    ------
    ArtifactsError
        there is none, it is of another format, or a file is missing or has another size.

    """
    return load_version(root, current_version(root))


def load_version(root: Path, version: str) -> Catalog:
    """Open one version below ``root``, as :func:`load` does."""
    folder = root / "versions" / version
    found = _read_manifest(folder, version)
    for name, facts in found["files"].items():
        _check_size(folder / name, facts["bytes"], found)
    return Catalog(folder, found, check_array=validation.ArrayChecker(found, version).check_sample)


def current_version(root: Path) -> str:
    """The id of the version that ``root`` points to."""
    pointer = root / POINTER
    if not pointer.exists():
        raise NoArtifacts(f"no artifacts in '{root}': run '{FIT_COMMAND}' first")
    return str(parse_pointer(_read_file(pointer))["version"])


def verify(folder: Path, version: str) -> None:
    """Read every file of a version and compare its hash with the manifest, and the manifest's hash with the id.

    Raises
    ------
    ArtifactsError
        a file is missing or differs; the message names it.

    """
    found = _read_manifest(folder, version)
    for name, facts in found["files"].items():
        _check_size(folder / name, facts["bytes"], found)
        if file_sha256(folder / name) != facts["sha256"]:
            raise ArtifactsError(f"{name} of version {version} is damaged: run '{fit_command(found)}'")


def parse_pointer(content: bytes) -> dict[str, Any]:
    """The fields of a ``current.json``: ``version``, and if ``publish`` wrote it also when, by whom and why.

    Raises
    ------
    ArtifactsError
        it names no version.

    """
    pointer = _json_object(content, POINTER)
    if not is_version_id(pointer.get("version")):
        raise ArtifactsError(f"{POINTER} names no version: run '{REFIT_COMMAND}'")
    return pointer


def parse_manifest(content: bytes, version: str) -> dict[str, Any]:
    """The manifest of a version; the format is the first thing read.

    Raises
    ------
    ArtifactsError
        it is of another format, its hash is not the version's id, or an entry is not what it must be.

    """
    manifest = _json_object(content, MANIFEST)
    found = manifest.get("format")
    if found != FORMAT:
        raise ArtifactsError(
            f"{MANIFEST} of version {version} has format {found}, "
            f"this code reads format {FORMAT}: run '{fit_command(manifest)}'"
        )
    if version_id(content) != version:
        raise ArtifactsError(f"{MANIFEST} of version {version} is damaged: run '{fit_command(manifest)}'")
    validation.check_manifest(manifest, version)
    if not all(map(_FILE_NAME.fullmatch, manifest["files"])):  # no name may lead out of the version's folder
        raise ArtifactsError(f"{MANIFEST} of version {version} names a file that it can't have")
    return manifest


def fit_command(manifest: dict[str, Any]) -> str:
    """The command that makes a version anew, whatever its format; sources are named without their folders."""
    import shlex  # only errors need it

    parameters = manifest.get("parameters")
    arguments = parameters.get("arguments") if isinstance(parameters, dict) else None
    if isinstance(arguments, list) and arguments and all(isinstance(argument, str) for argument in arguments):
        return f"{FIT_COMMAND} {shlex.join(arguments)}"
    return f"{FIT_COMMAND} --source demo" if manifest.get("invented") is True else REFIT_COMMAND


def version_id(content: bytes) -> str:
    """The id of the version that has this manifest: the manifest holds the digests of all other files."""
    return hashlib.sha256(content).hexdigest()[:16]


def is_version_id(name: object) -> bool:
    """Whether this can be the id of a version."""
    return isinstance(name, str) and _VERSION_ID.fullmatch(name) is not None


def file_sha256(path: Path) -> str:
    """The digest of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_version(root: Path, fill: Callable[[Path], dict[str, Any]], needed: int = 0) -> Catalog:
    """Write a version and make it current: write to a temporary folder, verify, rename.

    If the process is killed at any moment, the version that was current still is.

    Parameters
    ----------
    root : the artifacts folder; created if it is missing
    fill : writes all files but the manifest into the given folder, and returns the manifest's entries
    needed : bytes that it will write at least

    Returns
    -------
    The version, opened as a reader does. Its id is a digest of its content: equal content is the same version.

    Raises
    ------
    ArtifactsError
        the disk is full, or has less room than is needed; nothing is left of the version.

    """
    (root / "versions").mkdir(parents=True, exist_ok=True)
    with write_lock(root):
        check_room(root, free_bytes(root), needed)
        partial = root / "versions" / PARTIAL
        partial.mkdir()
        try:
            version = _write_manifest(partial, fill(partial))
            verify(partial, version)
            _install(partial, root / "versions" / version)
            set_current(root, version)
        except OSError as error:
            if error.errno not in (None, *DISK_FULL):  # NumPy tells none
                raise
            why = error.strerror or "no space is left"
            raise ArtifactsError(f"{root}: the version can't be written: {why}; nothing was kept of it") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return load(root)


def set_current(root: Path, version: str) -> None:
    """Make a version current, atomically; the disk may be full."""
    replace_small_file(root, POINTER, _to_json({"version": version}))


def free_bytes(root: Path) -> int:
    """Bytes that can still be written below a folder that exists."""
    return shutil.disk_usage(root).free


def check_room(place: object, free: int, needed: int) -> None:
    """Raise ArtifactsError, which tells both numbers, if fewer bytes are free than are needed."""
    if free < needed:
        raise ArtifactsError(
            f"{place}: the version needs {needed / 1e6:,.1f} MB at least, {free / 1e6:,.1f} MB are free:"
            " nothing was written"
        )


def replace_small_file(root: Path, name: str, content: bytes) -> None:
    """Write a file below ``root`` anew, atomically; on a full disk in the space that is kept for that.

    Needs the writers' lock.
    """
    temporary = root / f".{name}"
    try:
        _write_synced(temporary, content)
    except OSError as error:
        if error.errno not in DISK_FULL or not (root / RESERVE).exists():
            raise
        (root / RESERVE).unlink()
        _write_synced(temporary, content)
    temporary.replace(root / name)


@contextlib.contextmanager
def write_lock(root: Path) -> Iterator[None]:
    """Hold the lock that every writer below ``root`` takes; the system releases it when the process ends.

    A process that waits for longer than ``LOCK_PATIENCE`` prints that on stderr. Whoever gets the lock removes what
    writers left that were killed, and keeps the reserve.
    """
    with (root / ".lock").open("a+") as lock:
        if not _acquired(lock):
            lock.seek(0)
            print(f"waiting for another writer of {root}: {lock.read() or 'since a moment ago'}", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        with contextlib.suppress(OSError):  # for those who wait: a full disk has no room for it
            os.write(lock.fileno(), f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}".encode())
        shutil.rmtree(root / "versions" / PARTIAL, ignore_errors=True)
        _keep_reserve(root / RESERVE)
        try:
            yield
        finally:
            lock.truncate(0)


def _keep_reserve(path: Path) -> None:
    if path.exists() and path.stat().st_size == RESERVE_BYTES:
        return
    try:
        path.write_bytes(os.urandom(RESERVE_BYTES))  # which no file system stores in less
    except OSError:
        path.unlink(missing_ok=True)


def current_manifest(root: Path) -> dict[str, Any] | None:
    """The manifest of the current version, of any format and perhaps damaged; None if there is no version.

    Raises
    ------
    ArtifactsError
        it can't be read.

    """
    if not (root / POINTER).exists():
        return None
    return _json_object(_read_file(root / "versions" / current_version(root) / MANIFEST), MANIFEST)


def _json_object(content: bytes, name: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArtifactsError(f"{name} can't be read ({type(error).__name__}): run '{REFIT_COMMAND}'") from error
    if not isinstance(parsed, dict):
        raise ArtifactsError(f"{name} does not hold an object: run '{REFIT_COMMAND}'")
    return parsed


def _read_manifest(folder: Path, version: str) -> dict[str, Any]:
    return parse_manifest(_read_file(folder / MANIFEST), version)


def _check_size(path: Path, expected: int, manifest: dict[str, Any]) -> None:
    file = f"{path.name} of version {path.parent.name}"
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        raise ArtifactsError(f"{file} is missing: run '{fit_command(manifest)}'") from None
    if found != expected:
        raise ArtifactsError(f"{file} has {found} bytes, not {expected}: run '{fit_command(manifest)}'")


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactsError(f"{path.name} can't be read ({type(error).__name__}): run '{REFIT_COMMAND}'") from error


def _acquired(lock: TextIO) -> bool:
    """Take the lock as soon as it is free; False if it is not within ``LOCK_PATIENCE``."""
    until = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(LOCK_PATIENCE / 20)
        else:
            return True


def _write_manifest(folder: Path, entries: dict[str, Any]) -> str:
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
    (folder / MANIFEST).write_bytes(_to_json({"format": FORMAT, **entries, "files": files}))
    for path in folder.iterdir():
        _fsync(path)
    return version_id((folder / MANIFEST).read_bytes())


def _install(partial: Path, folder: Path) -> None:
    """Rename a version's folder; one that exists and is intact stays, because readers may have it open."""
    if folder.exists():
        try:
            verify(folder, folder.name)
        except ArtifactsError:
            shutil.rmtree(folder)
        else:
            shutil.rmtree(partial)
            return
    partial.rename(folder)


def _to_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _fsync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
