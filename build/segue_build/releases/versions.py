"""``versions``: what a store holds, what is current, and how that came about."""

from collections.abc import Mapping, Sequence
from typing import Any

from segue_build import progress
from segue_build.arguments import STORES
from segue_build.releases import history
from segue_build.releases.pruning import by_version
from segue.catalog import manifest
from segue.errors import ArtifactsError, Missing, ReleaseError
from segue.releases import Pointer, pointer
from segue.releases.store import Entry, Store

HEADERS = ("version", "state", "songs", "size", "when", "by", "how", "why")


def lines(store: Store) -> list[str]:
    """One line a version, the one that was current last first.

    Raises
    ------
    ReleaseError
        there is none, nor any sign that there was.

    """
    entries = history.read(store)
    current = _current(store)
    latest = {entry["version"]: entry for entry in entries}
    places = {entry["version"]: place for place, entry in enumerate(entries)}
    found = by_version(store)
    if not (entries or current or found):
        raise ReleaseError(nothing_at(store))
    order = sorted(found, key=lambda version: (places.get(version, -1), version), reverse=True)
    rows = [_row(store, version, found[version], latest.get(version, {}), current) for version in order]
    return _table([HEADERS, *rows])


def nothing_at(store: Store) -> str:
    """That a store holds no versions, and what would."""
    return f"nothing is published at {store.address}; expected what `publish` or `fit --out` wrote to: {STORES}"


def _current(store: Store) -> Pointer | None:
    try:
        return pointer(store)
    except Missing:
        return None


def _row(
    store: Store, version: str, files: Mapping[str, Entry], last: Mapping[str, Any], current: Pointer | None
) -> tuple[str, ...]:
    songs, state = "", "incomplete"
    if f"versions/{version}/{manifest.NAME}" in files:
        try:
            said = manifest.parsed(store.read(f"versions/{version}/{manifest.NAME}").content, version)
            songs, state = f"{said['songs']:,}", ""
        except ArtifactsError:
            state = "unreadable"
    if current and version == current.version:
        state = "current"
    elif current and version == current.said.get("previous"):
        state = "previous"
    size = progress.size(sum(entry.size for entry in files.values()))
    how = f"{last.get('action', '')}{', lost to ' + last['lost_to'] if 'lost_to' in last else ''}"
    forced = "forced: " if last.get("refused") else ""
    why = forced + str(last.get("reason", ""))
    return version, state, songs, size, str(last.get("time", "")), str(last.get("by", "")), how, why


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
