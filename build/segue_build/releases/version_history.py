"""The versions in a store: a table of them, the history of how they came about, and the pruning of old ones.

``history.jsonl`` lies beside the pointer. The pointer also holds the entry of the current version: if a publisher
dies between the two writes, the next one copies it to the history.
"""

import datetime as dt
import getpass
import json
import os
import secrets
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from segue.catalog import version_files
from segue.errors import ArtifactsError, MissingFile, ReleaseError, StoreError, WriteConflict
from segue.releases.store import FileInfo, Pointer, Store, Tag, read_pointer
from segue_build import progress
from segue_build.arguments import STORE_FORMS, format_table

HEADERS = ("version", "state", "songs", "size", "when", "by", "how", "why")
HISTORY_FILE = "history.jsonl"
MAX_ATTEMPTS = 50
HistoryEntry = dict[str, Any]
ABANDONED_SECONDS = 24 * 3600  # seconds after which an unfinished version counts as abandoned


def version_table(store: Store) -> list[str]:
    """One line for each version, those that were current most recently first.

    Raises
    ------
    ReleaseError
        the store holds no version, and no history of one.

    """
    entries = read_history(store)
    current = _read_pointer(store)
    latest = {entry["version"]: entry for entry in entries}
    positions = {entry["version"]: position for position, entry in enumerate(entries)}
    found = files_by_version(store)
    if not (entries or current or found):
        raise ReleaseError(nothing_published(store))
    order = sorted(found, key=lambda version: (positions.get(version, -1), version), reverse=True)
    rows = [_version_row(store, version, found[version], latest.get(version, {}), current) for version in order]
    return format_table([HEADERS, *rows])


def nothing_published(store: Store) -> str:
    """The message that a store holds no versions."""
    return f"nothing is published at {store.address}; expected what `publish` or `fit --out` wrote to: {STORE_FORMS}"


def _read_pointer(store: Store) -> Pointer | None:
    try:
        return read_pointer(store)
    except MissingFile:
        return None


def _version_row(
    store: Store, version: str, files: Mapping[str, FileInfo], last: Mapping[str, Any], current: Pointer | None
) -> tuple[str, ...]:
    songs, state = "", "incomplete"
    if f"versions/{version}/{version_files.MANIFEST}" in files:
        try:
            facts = version_files.parse_manifest(
                store.read(f"versions/{version}/{version_files.MANIFEST}").content, version
            )
            songs, state = f"{facts['songs']:,}", ""
        except ArtifactsError:
            state = "unreadable"
    if current and version == current.version:
        state = "current"
    elif current and version == current.fields.get("previous"):
        state = "previous"
    size = progress.format_bytes(sum(entry.size for entry in files.values()))
    how = f"{last.get('action', '')}{', lost to ' + last['lost_to'] if 'lost_to' in last else ''}"
    forced = "forced: " if last.get("refused") else ""
    why = forced + str(last.get("reason", ""))
    return version, state, songs, size, str(last.get("time", "")), str(last.get("by", "")), how, why


def new_entry(action: str, version: str, previous: str | None, by: str | None = None, **more: Any) -> HistoryEntry:
    """One line of the history.

    action : ``fit``, ``publish`` or ``rollback``
    previous : the version that was current before
    by : default: who is logged in
    more : ``reason``, ``refused`` (what failed at the gate, if forced), ``lost_to`` (what somebody else made
        current); of a fit ``input`` (a digest of options and files, if they can't change unseen), and
        ``clusters_kept`` and ``clusters_agreement`` with the version before
    """
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "id": secrets.token_hex(8),
        "time": now,
        "action": action,
        "version": version,
        "previous": previous,
        "by": by or _login_name(),
        **{name: value for name, value in more.items() if value},
    }


def read_history(store: Store) -> list[HistoryEntry]:
    """All entries, oldest first; malformed lines are skipped."""
    return _parse_history(_read_history_file(store)[0])


def entry_time(entry: HistoryEntry) -> float | None:
    """When an entry was written, in seconds since 1970; None if it does not say."""
    try:
        return dt.datetime.fromisoformat(entry["time"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def append_history(store: Store, entry: HistoryEntry) -> None:
    """Add an entry unless it is there, even if others add theirs at the same time."""
    for _ in range(MAX_ATTEMPTS):
        content, tag = _read_history_file(store)
        if any(other.get("id") == entry["id"] for other in _parse_history(content)):
            return
        if content and not content.endswith(b"\n"):
            content += b"\n"
        try:
            store.compare_and_swap(
                HISTORY_FILE, content + json.dumps(entry, ensure_ascii=False).encode() + b"\n", tag
            )
        except WriteConflict:
            continue
        return
    raise StoreError(f"{HISTORY_FILE} changes faster than it can be written")


def _read_history_file(store: Store) -> tuple[bytes, Tag | None]:
    try:
        stored = store.read(HISTORY_FILE)
    except MissingFile:
        return b"", None
    return stored.content, stored.tag


def _parse_history(content: bytes) -> list[HistoryEntry]:
    entries = []
    for line in content.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "version" in entry:
            entries.append(entry)
    return entries


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return f"user {os.getuid()}"


def prune(store: Store, keep: int) -> list[str]:
    """Remove all but the ``keep`` versions that were current most recently; returns the removed ones.

    A version that was never current, perhaps because somebody is still uploading it, stays for a day.
    """
    entries = read_history(store)
    versions = files_by_version(store)
    published = [version for version in _latest_first(entries) if version in versions]
    old = [version for version in published[keep:] if version not in _protected_versions(store)]
    now = time.time()
    abandoned = [
        version
        for version, files in versions.items()
        if version not in published and now - max(entry.modified for entry in files.values()) > ABANDONED_SECONDS
    ]
    return [version for version in (*old, *abandoned) if _remove_version(store, version, versions[version])]


def files_by_version(store: Store) -> dict[str, dict[str, FileInfo]]:
    """The files of each version in a store: version -> full name -> entry."""
    found: dict[str, dict[str, FileInfo]] = {}
    for name, entry in store.list_files("versions").items():
        _, version, *rest = name.split("/")
        if rest and version_files.is_version_id(version):
            found.setdefault(version, {})[name] = entry
    return found


def _latest_first(entries: Iterable[HistoryEntry]) -> list[str]:
    return list(dict.fromkeys(entry["version"] for entry in reversed(list(entries))))


def _protected_versions(store: Store) -> set[object]:
    entry = read_pointer(store).fields
    return {entry["version"], entry.get("previous")}


def _remove_version(store: Store, version: str, files: Mapping[str, FileInfo]) -> bool:
    """Remove a version unless it has become current meanwhile; the manifest goes first, so none looks whole."""
    if version in _protected_versions(store):
        return False
    print(f"removing version {version}", file=sys.stderr)
    store.delete(sorted(files, key=lambda name: not name.endswith(f"/{version_files.MANIFEST}")))
    return True
