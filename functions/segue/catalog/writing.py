"""How a version is written: aside, read back, verified, renamed; a reader sees all of it or nothing."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from segue.catalog import manifest
from segue.catalog.manifest import FORMAT
from segue.catalog.version import Catalog, load, sha256, verify
from segue.errors import ArtifactsError

PATIENCE = 1.0  # seconds


def save(root: Path, fill: Callable[[Path], dict[str, Any]]) -> Catalog:
    """Write a version and make it current: write aside, load back, verify, rename.

    Killed at any moment, the version that was current still is, whole.

    Parameters
    ----------
    root : the artifacts folder; made when missing
    fill : writes every file but the manifest into the folder it is given and returns the manifest's entries

    Returns
    -------
    The version as a reader sees it. Its id is a digest of its content: the same content gives the same version.

    """
    (root / "versions").mkdir(parents=True, exist_ok=True)
    with one_writer(root):
        aside = root / "versions" / ".partial"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        version = _write(aside, fill(aside))
        verify(aside, version)
        _install(aside, root / "versions" / version)
        point_to(root, version)
    return load(root)


def point_to(root: Path, version: str) -> None:
    """Make a version current, in one step."""
    aside = root / ".current.json"
    _write_json(aside, {"version": version})
    aside.replace(root / manifest.POINTER)


@contextlib.contextmanager
def one_writer(root: Path) -> Iterator[None]:
    """Hold the lock under which alone anything below ``root`` is replaced; a process that dies lets it go.

    Who waits for it for longer than ``PATIENCE`` says so on stderr.
    """
    with (root / ".lock").open("a+") as lock:
        if not _locked(lock):
            lock.seek(0)
            print(f"waiting for another writer of {root}: {lock.read() or 'since a moment ago'}", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _locked(lock: TextIO) -> bool:
    """Take the lock as soon as it is free; False when it is not for long."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(PATIENCE / 20)
        else:
            return True


def _write(folder: Path, entries: dict[str, Any]) -> str:
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
    _write_json(folder / manifest.NAME, {"format": FORMAT, **entries, "files": files})
    for path in folder.iterdir():
        _flush(path)
    return manifest.version_of((folder / manifest.NAME).read_bytes())


def _install(aside: Path, folder: Path) -> None:
    """Move a version to its place; a whole one that is there already stays, for readers may have it open."""
    if folder.exists():
        try:
            verify(folder, folder.name)
        except ArtifactsError:
            shutil.rmtree(folder)
        else:
            shutil.rmtree(aside)
            return
    aside.rename(folder)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
