"""What a request notes of itself on its way: its route, the model, the milliseconds of its parts."""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

Notes = dict[str, Any]
_NOTES: ContextVar[Notes | None] = ContextVar("notes", default=None)


@contextlib.contextmanager
def taken() -> Iterator[Notes]:
    """Collect what is noted until the end of the block."""
    notes: Notes = {}
    token = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(token)


def note(**facts: object) -> None:
    """Note facts; outside a request they are forgotten."""
    notes = _NOTES.get()
    if notes is not None:
        notes.update(facts)


def count(**numbers: int) -> None:
    """Add to numbers."""
    notes = _NOTES.get()
    if notes is not None:
        for name, number in numbers.items():
            notes[name] = notes.get(name, 0) + number


@contextlib.contextmanager
def timed(name: str) -> Iterator[None]:
    """Note how long a block takes, milliseconds; blocks of one name add up."""
    notes = _NOTES.get()
    began = time.perf_counter()
    try:
        yield
    finally:
        if notes is not None:
            notes[name] = notes.get(name, 0.0) + (time.perf_counter() - began) * 1000
