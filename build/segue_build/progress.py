"""Progress of long work, on stderr: a line per stage, a sign of life in a long one, a bar where it has many steps."""

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")

HEARTBEAT_SECONDS = 30.0  # seconds between signs of life
_KILOBYTE = 1 if sys.platform == "darwin" else 1024  # the unit of getrusage, which systems don't agree on


@contextlib.contextmanager
def stage(what: str) -> Iterator[None]:
    """Tell that a stage begins, that it is still at work, and what time and memory it took."""
    _log(f"{what} ...")
    started, done = time.monotonic(), threading.Event()
    threading.Thread(target=_heartbeat, args=(what, started, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()
    _log(f"{what}: {time.monotonic() - started:.1f} s, {peak_memory() / 1e6:,.0f} MB at the peak so far")


def bar(items: Iterable[Item], what: str, unit: str, total: int | None = None) -> Iterator[Item]:
    """The items, with a bar for a person at a terminal that goes when it is full."""
    return iter(tqdm(items, desc=what, unit=unit, total=total, leave=False, disable=None, unit_scale=True))


def thread_map(function: Callable[[Item], Result], items: Sequence[Item], what: str, unit: str) -> Iterator[Result]:
    """What ``function`` makes of each item, in order, with a bar.

    Threads, for NumPy lets go of the interpreter while it computes; as each item is one thread's, their number
    changes no result.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from bar(pool.map(function, items), what, unit, len(items))


def peak_memory() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE


def _heartbeat(what: str, started: float, done: threading.Event) -> None:
    while not done.wait(HEARTBEAT_SECONDS):
        _log(f"{what} ... {time.monotonic() - started:.0f} s")


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def format_bytes(n_bytes: float) -> str:
    """Bytes as a person reads them: ``44123456`` -> ``44.1 MB``."""
    units = ["bytes", "kB", "MB", "GB"]
    while n_bytes >= 1000 and len(units) > 1:
        n_bytes /= 1000
        del units[0]
    return f"{n_bytes:,.{0 if units[0] == 'bytes' else 1}f} {units[0]}"
