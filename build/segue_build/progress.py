"""Progress on stderr: a line for each stage, a heartbeat in long ones, a bar for many steps, what each took.

And the threads that it is made by: :func:`thread_map` for many alike items, :func:`beside` for one long piece of work
that what follows does not need at once. Neither changes a result.
"""

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import pyarrow as pa
from threadpoolctl import threadpool_limits
from tqdm import tqdm

Parameters = ParamSpec("Parameters")
Item = TypeVar("Item")
Result = TypeVar("Result")

HEARTBEAT_SECONDS = 30.0  # between two lines about a stage that is still running
# seconds that a thread runs Python while others wait; with 5 ms, as usual, NumPy's short calls would mostly wait
SWITCH_INTERVAL = 1e-4
_KILOBYTE = 1 if sys.platform == "darwin" else 1024  # the unit of getrusage: bytes on macOS, elsewhere KiB


@dataclass(frozen=True, slots=True)
class Clock:
    """Runs from when it is made, in wall-clock and in processor time of all threads, both in seconds."""

    seconds: float = field(default_factory=time.monotonic)
    processor_seconds: float = field(default_factory=time.process_time)

    def elapsed(self) -> "Clock":
        """What it shows now."""
        return Clock(time.monotonic() - self.seconds, time.process_time() - self.processor_seconds)


@dataclass(slots=True)
class _Times:
    """What each stage took, and how many seconds each piece of work that ran beside others."""

    stages: dict[str, Clock] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)


_times: ContextVar[_Times | None] = ContextVar("_times", default=None)  # for time_table


@contextlib.contextmanager
def time_table() -> Iterator[None]:
    """Log at the end what each stage in between took, as one table."""
    times, clock = _Times(), Clock()
    token = _times.set(times)
    try:
        yield
    finally:
        _times.reset(token)
    total, stages = clock.elapsed(), times.stages
    rest = Clock(
        total.seconds - sum(took.seconds for took in stages.values()),
        total.processor_seconds - sum(took.processor_seconds for took in stages.values()),
    )
    rows = {**stages, "everything else": rest, "altogether": total}
    _log("where the time went, in seconds:\n      clock  processor")
    _log("\n".join(f"{row.seconds:11.1f}{row.processor_seconds:11.1f}  {what}" for what, row in rows.items()))
    if times.beside:
        _log("of which ran beside stages, in whose processor time it is counted:")
        _log("\n".join(f"{seconds:11.1f}{'':11}  {what}" for what, seconds in times.beside.items()))


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Libraries compute with one thread each, and threads take turns often.

    With several threads sums come in another order, and the same input must give the same bytes.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        with threadpool_limits(1):
            yield
    finally:
        sys.setswitchinterval(interval)


@contextlib.contextmanager
def stage(what: str) -> Iterator[None]:
    """Log the start of a stage, a heartbeat while it runs, and the time and memory that it took."""
    with _timed(what, Clock()) as clock:
        yield
    if (times := _times.get()) is not None:
        times.stages[what] = clock.elapsed()


def beside(
    what: str, function: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> "Future[Result]":
    """What a function returns, while the stages that follow run.

    For what computes outside the interpreter lock for long, as t-SNE and compression do. It must not change what the
    stages use.
    """
    times = _times.get()

    def run() -> Result:
        # limits of OpenMP's threads are those of a thread
        with threadpool_limits(1, user_api="openmp"), _timed(f"{what}, beside what follows", Clock()) as clock:
            result = function(*arguments, **named)
        if times is not None:
            times.beside[what] = clock.elapsed().seconds
        return result

    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(run)
    finally:
        pool.shutdown(wait=False)


@contextlib.contextmanager
def _timed(what: str, clock: Clock) -> Iterator[Clock]:
    """Memory that Arrow keeps for itself is given back at the end, or what follows would need its own beside it."""
    _log(f"{what} ...")
    done = threading.Event()
    threading.Thread(target=_heartbeat, args=(what, clock, done), daemon=True).start()
    try:
        yield clock
    finally:
        done.set()
        pa.default_memory_pool().release_unused()
    _log(f"{what}: {clock.elapsed().seconds:.1f} s, {peak_memory() / 1e6:,.0f} MB at the peak so far")


def bar(items: Iterable[Item], what: str, unit: str, total: int | None = None) -> Iterator[Item]:
    """The items; at a terminal with a progress bar, which disappears at the end."""
    return iter(tqdm(items, desc=what, unit=unit, total=total, leave=False, disable=None, unit_scale=True))


def thread_map(function: Callable[[Item], Result], items: Sequence[Item], what: str, unit: str) -> Iterator[Result]:
    """The results of ``function`` for all items, in order, with a progress bar.

    NumPy releases the interpreter lock while it computes, so threads suffice. One thread computes each item, so the
    number of threads changes no result.
    """
    if len(items) == 1:  # starting threads would take longer
        yield function(items[0])
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from bar(pool.map(function, items), what, unit, len(items))


def peak_memory() -> int:
    """The peak memory of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE


def _heartbeat(what: str, clock: Clock, done: threading.Event) -> None:
    while not done.wait(HEARTBEAT_SECONDS):
        _log(f"{what} ... {clock.elapsed().seconds:.0f} s")


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def format_bytes(n_bytes: float) -> str:
    """A number of bytes for people: ``44123456`` -> ``44.1 MB``."""
    units = ["bytes", "kB", "MB", "GB"]
    while n_bytes >= 1000 and len(units) > 1:
        n_bytes /= 1000
        del units[0]
    return f"{n_bytes:,.{0 if units[0] == 'bytes' else 1}f} {units[0]}"
