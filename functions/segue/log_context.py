"""Fields for the log line of the current request: its route, the version, counters, durations in milliseconds.

What happens outside of requests is counted for the whole process.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

LogContext = dict[str, Any]
_CONTEXT: ContextVar[LogContext | None] = ContextVar("log_context", default=None)
_TOTALS: Counter[str] = Counter()


@contextlib.contextmanager
def collect() -> Iterator[LogContext]:
    """Collect the fields that the block sets, counts and times."""
    context: LogContext = {}
    token = _CONTEXT.set(context)
    try:
        yield context
    finally:
        _CONTEXT.reset(token)


def bind(**facts: object) -> None:
    """Set fields; outside of ``collect`` this does nothing."""
    context = _CONTEXT.get()
    if context is not None:
        context.update(facts)


def increment(**numbers: int) -> None:
    """Add to counters."""
    context = _CONTEXT.get()
    if context is not None:
        for name, number in numbers.items():
            context[name] = context.get(name, 0) + number


@contextlib.contextmanager
def timed(name: str) -> Iterator[None]:
    """Record how many milliseconds the block takes; blocks of the same name add up."""
    context = _CONTEXT.get()
    began = time.perf_counter()
    try:
        yield
    finally:
        if context is not None:
            context[name] = context.get(name, 0.0) + (time.perf_counter() - began) * 1000


def count(name: str) -> None:
    """Count an event of the process; only one thread may count events of a name."""
    _TOTALS[name] += 1


def totals() -> Mapping[str, int]:
    """How many events of each name there were; 0 of any other."""
    return _TOTALS
