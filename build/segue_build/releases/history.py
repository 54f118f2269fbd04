"""``history.jsonl`` beside the pointer: when, by whom and why a version was published, pointed to, or was not.

The entry of what is current stands in the pointer, too: a publisher that dies between the two writes leaves nothing
out, for the next one copies it over.
"""

import datetime as dt
import getpass
import json
import os
import secrets
from typing import Any

from segue.errors import Missing, Moved, StoreError
from segue.releases.store import Store, Tag

FILE = "history.jsonl"
TRIES = 50
Entry = dict[str, Any]


def entry(action: str, version: str, previous: str | None, by: str | None = None, **more: Any) -> Entry:
    """One line of the history.

    action : ``fit``, ``publish`` or ``rollback``
    previous : what was current before
    by : default: who is logged in
    more : ``reason``, ``refused`` (what the gate said, when forced), ``lost_to`` (what somebody else made current)
    """
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "id": secrets.token_hex(8),
        "time": now,
        "action": action,
        "version": version,
        "previous": previous,
        "by": by or _user(),
        **{name: value for name, value in more.items() if value},
    }


def read(store: Store) -> list[Entry]:
    """All entries, oldest first; a line that is none is passed over."""
    return _entries(_content(store)[0])


def seconds(said: Entry) -> float | None:
    """When an entry was written, in seconds since 1970; None if it does not say."""
    try:
        return dt.datetime.fromisoformat(said["time"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def append(store: Store, said: Entry) -> None:
    """Add an entry, once, whoever else adds one at the same time."""
    for _ in range(TRIES):
        content, tag = _content(store)
        if any(other.get("id") == said["id"] for other in _entries(content)):
            return
        if content and not content.endswith(b"\n"):
            content += b"\n"
        try:
            store.swap(FILE, content + json.dumps(said, ensure_ascii=False).encode() + b"\n", tag)
        except Moved:
            continue
        return
    raise StoreError(f"{FILE} changes faster than it can be written")


def _content(store: Store) -> tuple[bytes, Tag | None]:
    try:
        stored = store.read(FILE)
    except Missing:
        return b"", None
    return stored.content, stored.tag


def _entries(content: bytes) -> list[Entry]:
    entries = []
    for line in content.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and "version" in said:
            entries.append(said)
    return entries


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return f"user {os.getuid()}"
