"""``publish`` and ``rollback``: a version is made current in a store by swapping one pointer, or not at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from segue_build.progress import stage
from segue_build.releases import gate, history, transfer
from segue_build.releases.pruning import prune
from segue_build.releases.versions import nothing_at
from segue import releases
from segue.catalog import Catalog, manifest
from segue.errors import ArtifactsError, Missing, Moved, ReleaseError
from segue.releases import Pointer, pointer
from segue.releases.store import Store


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a version is published.

    allow : name of a figure -> how much worse it may become, in place of what its rule allows
    force : publish although the gate refuses
    reason, by : for the history; by default who is logged in
    keep : versions that stay in the store, at least 2; None: all
    """

    allow: Mapping[str, float] = field(default_factory=dict)
    force: bool = False
    reason: str | None = None
    by: str | None = None
    keep: int | None = None


def publish(candidate: Catalog, store: Store, terms: Terms) -> None:
    """Copy a version into a store and make it current.

    Killed at any moment, what was current still is; the next publish takes up what is there.

    Raises
    ------
    ReleaseError
        the gate refuses the version, or another publisher was faster; the history records the latter.
    ArtifactsError
        a file of the version is damaged, or the store can't be read or written; the message names the file.

    """
    standing = settled(store)
    with stage(f"checking version {candidate.version}"):
        transfer.check(candidate)
    if standing and standing.version == candidate.version:
        transfer.copy(candidate, store)
        print(f"version {candidate.version} is current at {store.address} already")
        return
    refused = _judged(candidate, _current(store, standing, terms), terms)
    transfer.copy(candidate, store)
    swap(store, _entry("publish", candidate.version, standing, terms, refused), standing)
    if transfer.missing(store, candidate.version, candidate.manifest["files"]):
        transfer.copy(candidate, store)  # somebody pruned it as an old version a moment before it was current
    print(f"version {candidate.version} is current at {store.address}")
    if terms.keep:
        prune(store, terms.keep)


def rollback(store: Store, version: str | None, terms: Terms) -> None:
    """Make an older version current again; by default the one before the current.

    Raises
    ------
    ReleaseError
        there is no such version, or another publisher was faster.
    ArtifactsError
        the version is damaged; the message names the file.

    """
    standing = settled(store)
    if standing is None:
        raise ReleaseError(nothing_at(store))
    wanted = version or _before(store, standing)
    if wanted == standing.version:
        print(f"version {wanted} is current at {store.address} already")
        return
    try:
        said = manifest.parsed(store.read(f"versions/{wanted}/{manifest.NAME}").content, wanted)
    except Missing:
        raise ReleaseError(f"there is no whole version {wanted} at {store.address}; `versions` lists them") from None
    bad = transfer.damaged(store, wanted, said["files"])
    if bad:
        raise ArtifactsError(f"{bad[0]} of version {wanted} is damaged or missing: publish the version again")
    swap(store, _entry("rollback", wanted, standing, terms), standing)
    print(f"version {wanted} is current at {store.address}, in place of {standing.version}")


def settled(store: Store) -> Pointer | None:
    """What is current, None: nothing; with its entry in the history, should its publisher have died before that."""
    try:
        standing = pointer(store)
    except Missing:
        return None
    if "id" in standing.said:
        history.append(store, dict(standing.said))
    return standing


def swap(store: Store, said: Mapping[str, Any], standing: Pointer | None) -> None:
    """Make the version of an entry current if what is current is still what it was; the history records both."""
    try:
        store.swap(
            manifest.POINTER, json.dumps(said, ensure_ascii=False).encode(), standing.tag if standing else None
        )
    except Moved:
        now = pointer(store)
        if now.said.get("id") != said["id"]:  # else it is our own write, of which the answer was lost
            history.append(store, {**said, "lost_to": now.version})
            raise ReleaseError(
                f"another publisher made version {now.version} current meanwhile: version {said['version']} is in the"
                " store, but not current; run again to compare it with the new one"
            ) from None
    history.append(store, dict(said))


def _entry(
    action: str, version: str, standing: Pointer | None, terms: Terms, refused: list[str] | None = None
) -> history.Entry:
    previous = standing.version if standing else None
    return history.entry(action, version, previous, terms.by, reason=terms.reason, refused=refused)


def _current(store: Store, standing: Pointer | None, terms: Terms) -> Catalog | None:
    """The current version, opened for the comparison."""
    if standing is None:
        return None
    try:
        return releases.load(store.address)
    except ArtifactsError as error:
        if terms.force:
            return None
        raise ReleaseError(
            f"the current version can't be compared with: {error}; --force --reason TEXT publishes all the same"
        ) from error


def _judged(candidate: Catalog, current: Catalog | None, terms: Terms) -> list[str]:
    """Print the comparison; returns what is refused, when that is forced."""
    compared = gate.compare(current, candidate, terms.allow)
    print("\n".join(gate.lines(compared)))
    refused = gate.refusals(compared)
    if refused and not terms.force:
        raise ReleaseError(
            f"version {candidate.version} is refused: {'; '.join(refused)}. --allow NAME=NUMBER moves a threshold,"
            " --force --reason TEXT publishes all the same"
        )
    return refused


def _before(store: Store, standing: Pointer) -> str:
    """What was current before."""
    previous = standing.said.get("previous")
    earlier = [entry["version"] for entry in reversed(history.read(store)) if "lost_to" not in entry]
    for version in (previous, *earlier):
        if manifest.is_version(version) and version != standing.version:
            return str(version)
    raise ReleaseError(f"no version was current at {store.address} before {standing.version}")
