"""Old versions leave a store: never the current one, never the one before it."""

import sys
import time
from collections.abc import Iterable, Mapping

from segue_build.releases import history
from segue.catalog import manifest
from segue.releases import pointer
from segue.releases.store import Entry, Store

LEFTOVER = 24 * 3600  # seconds after which a version that nobody finished is nobody's


def prune(store: Store, keep: int) -> list[str]:
    """Remove all versions but ``keep``, those that were current last; returns what was removed.

    A version that never was current, as it is while somebody uploads it, is left alone for a day.
    """
    entries = history.read(store)
    versions = by_version(store)
    known = [version for version in _latest_first(entries) if version in versions]
    old = [version for version in known[keep:] if version not in _spared(store)]
    now = time.time()
    left = [
        version
        for version, files in versions.items()
        if version not in known and now - max(entry.modified for entry in files.values()) > LEFTOVER
    ]
    return [version for version in (*old, *left) if _remove(store, version, versions[version])]


def by_version(store: Store) -> dict[str, dict[str, Entry]]:
    """The files of each version in a store: version -> full name -> entry."""
    found: dict[str, dict[str, Entry]] = {}
    for name, entry in store.names("versions").items():
        _, version, *rest = name.split("/")
        if rest and manifest.is_version(version):
            found.setdefault(version, {})[name] = entry
    return found


def _latest_first(entries: Iterable[history.Entry]) -> list[str]:
    return list(dict.fromkeys(entry["version"] for entry in reversed(list(entries))))


def _spared(store: Store) -> set[object]:
    said = pointer(store).said
    return {said["version"], said.get("previous")}


def _remove(store: Store, version: str, files: Mapping[str, Entry]) -> bool:
    """Remove a version that nobody has pointed to meanwhile; the manifest first: without it none is whole."""
    if version in _spared(store):
        return False
    print(f"removing version {version}", file=sys.stderr)
    store.remove(sorted(files, key=lambda name: not name.endswith(f"/{manifest.NAME}")))
    return True
