"""How a version is written: aside, read back, verified, renamed; a reader sees all of it or nothing."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from segue.catalog import manifest
from segue.catalog.manifest import FORMAT
from segue.catalog.version import Catalog, load, sha256, verify
from segue.errors import ArtifactsError


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
    """Hold the lock under which alone anything below ``root`` is replaced; a process that dies lets it go."""
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
