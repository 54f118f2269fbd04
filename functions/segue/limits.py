"""What one request may cost: bytes of its body, its hold of the engine, seconds of a processor, work.

Work is charged before it is done, each piece at the price of its kind. So a request that would cost far more than
others is refused, the same on every machine, and whether it is one or many in a batch.

A long request computes in *slices*. After each, whoever has computed less goes first: a request queues as if it had
come ``PRECEDENCE`` seconds later for each second that it has computed, so that a short one waits for no more than the
slice that runs, a dear one behind those that ask little, and none for ever (shortest elapsed time first, with aging).
"""

import contextlib
import heapq
import io
import itertools
import math
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar, Token
from typing import Any, NamedTuple

from segue.errors import Fault, HttpError, InvalidQuery, WorkEnded

MAX_BODY_BYTES = 1024 * 1024
SLICE = 0.005  # seconds that a request computes before others may: of a clock, as those that wait feel them
PRECEDENCE = 20.0
LOOK_INTERVAL = 0.25  # seconds between looks whether a caller is still there
RETRY_AFTER = 5  # seconds; by then a queue of this length has moved
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Work(NamedTuple):
    """A kind of work.

    price : of a piece of it, in microseconds of the processor on which all were measured; what counts is their ratios
    what : it is for
    advice : what a caller can do about it
    """

    price: float
    what: str
    advice: str


_FEWER = "name fewer seeds or targets, ask for fewer songs, allow more songs of one artist, or let fewer songs pass"
_BY_ID = "name fewer songs and artists by text: /search finds their ids"
_APART = "send fewer requests together"
REQUEST = Work(400, "answering", _APART)  # what comes with each over HTTP
PARSED = Work(0.02, "reading the body", "send a shorter one")  # a byte
VALIDATED = Work(2.5, "checking the body", "send a shorter one")  # a field of an object, or an entry of a list
SEARCH = Work(800, "searching for many requests or seeds", _APART)
SEED = Work(140, "preparing seeds", "name fewer seeds")
COMPARISON = Work(0.06, "comparing songs with seeds and targets", _FEWER)
ESTIMATE = Work(0.02, "estimating how like the seeds songs are", _FEWER)
CANDIDATE = Work(0.036, "estimating scores of songs", _FEWER)
FILTERED = Work(0.0045, "filtering", "filter by fewer features and genres")
EXCLUDED = Work(4, "looking up songs and artists", "name fewer that are excluded, played or skipped")
RANKED = Work(8, "passing over songs", _FEWER)
DIVERSIFIED = Work(30, "making lists diverse", "ask for no diversity")
SAMPLED = Work(1, "drawing songs", "ask for fewer songs, or for no draw")
EXPLAINED = Work(85, "explaining", "ask for fewer songs, or for no explanations")
SERIALIZED = Work(14, "listing songs", "ask for fewer songs")
READ = Work(35, "reading texts", _BY_ID)  # a word
GUESSED = Work(45, "reading texts that are spelled like nothing", _BY_ID)  # a song that is compared with one
POSTING = Work(0.008, "reading texts that are spelled like nothing", _BY_ID)
STEP = Work(75, "putting songs into an order", "ask for fewer songs")
ARRANGED = Work(0.007, "putting songs into an order", "ask for fewer songs")  # a pair
STEPPED = Work(0.036, "finding small steps between songs", "ask for fewer paths, of fewer songs and stops")  # a pair


class CostExceeded(InvalidQuery):
    """A request would cost too much.

    most : ordinary requests that it may cost
    dearest : the work that most of its price is for
    """

    def __init__(self, most: float, dearest: Work):
        detail = f"this takes more work than {most:g} ordinary requests, most of all {dearest.what}: {dearest.advice}"
        super().__init__([Fault("", f"{detail} (SEGUE_REQUEST_COST)")])


class BoundedInput(io.RawIOBase):
    """A request's body, of which nobody reads more than ``limit`` bytes, and whose faults end it.

    The functions framework reads the rest of a body after the answer, whole, and writes the text of an error, which
    quotes the caller, into log and answer. Here a body that can't be read ends where that is so, and ``failed``.
    """

    def __init__(self, raw: Any, limit: int):
        super().__init__()
        self._raw = raw
        self._left = limit
        self._fetched: io.BytesIO | None = None
        self.failed = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        content = self._take(len(buffer)) if self._fetched is None else self._fetched.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def fetch(self) -> None:
        """Read what is there now: it may come slowly, and who waits for it keeps nobody else waiting."""
        if self._fetched is None:
            self._fetched = io.BytesIO(b"".join(iter(lambda: self._take(self._left), b"")))

    def _take(self, size: int) -> bytes:
        try:
            content: bytes = self._raw.read(min(size, self._left)) if self._left and size else b""
        except Exception:  # a server raises what it likes; its text may quote the caller
            self.failed = True
            content = b""
        self._left = 0 if self.failed else self._left - len(content)
        return content


def bound_input(environ: dict[str, Any]) -> BoundedInput:
    """Bound the body of a request, once; nothing is read of one that is declared to be longer than any may be."""
    body = environ["wsgi.input"]
    if isinstance(body, BoundedInput):
        return body
    declared = environ.get("CONTENT_LENGTH") or ""
    length = int(declared[: len(str(MAX_BODY_BYTES)) + 1]) if declared.isdecimal() else 0
    if length > MAX_BODY_BYTES:
        length = 0
    elif environ.get("wsgi.input_terminated"):  # it says where it ends; one byte more tells what is too long
        length = MAX_BODY_BYTES + 1
    bounded = environ["wsgi.input"] = BoundedInput(body, length)
    return bounded


def bounding_middleware(app: WsgiApp) -> WsgiApp:
    """An application that gets bounded bodies, on whichever route."""

    def bounded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        bound_input(environ)
        return app(environ, start_response)

    return bounded


def read_input(stream: Any, size: int, environ: Mapping[str, Any]) -> bytes:
    """Up to so many bytes of a request's body; raises HttpError if it can't be read."""
    content: bytes = stream.read(size)
    if getattr(environ["wsgi.input"], "failed", False):
        raise unreadable_body()
    return content


def unreadable_body() -> HttpError:
    """The error for a body that ends too early, or is no body of HTTP."""
    return HttpError(400, "the request ended before it was complete, or can't be read")


class FairLock:
    """A lock for one request at a time. ``threading.Lock`` is not fair: who takes it again passes those who wait.

    max_waiting : requests that may wait; more would leave no thread to answer those that need not wait
    """

    def __init__(self, max_waiting: float = math.inf):
        self._max_waiting = max_waiting
        self._mutex = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._busy = False

    def __len__(self) -> int:
        return len(self._waiting)

    def acquire(self, computed: float, is_gone: Callable[[], bool] = lambda: False) -> None:
        """Wait for the lock.

        computed : seconds that the request has computed so far
        is_gone : whether its caller does not wait any more

        Raises
        ------
        WorkEnded
            its caller has gone, or too many wait.

        """
        with self._mutex:
            if not self._busy:
                self._busy = True
                return
            if len(self._waiting) >= self._max_waiting and not computed:
                raise WorkEnded(503, "too many requests wait: ask again later", {"Retry-After": str(RETRY_AFTER)})
            granted = threading.Lock()
            granted.acquire()
            entry = (time.monotonic() + PRECEDENCE * computed, next(self._numbers), granted)
            heapq.heappush(self._waiting, entry)
        while not granted.acquire(timeout=LOOK_INTERVAL):
            if is_gone() and self._leave(entry):
                raise caller_gone()

    def release(self) -> None:
        """Pass the lock to the next one."""
        with self._mutex:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._busy = False

    def _leave(self, entry: tuple[float, int, threading.Lock]) -> bool:
        """Stop waiting; False if the lock was passed to this one by now."""
        with self._mutex:
            if entry not in self._waiting:
                return False
            self._waiting.remove(entry)
            heapq.heapify(self._waiting)
            return True


class RequestBudget(contextlib.AbstractContextManager[None]):
    """What a request may compute. Each ``with`` block holds the lock; within it :func:`checkpoint` knows the budget.

    seconds : of a processor that the request may compute, in all blocks together
    max_pairs : of a song and a point that it may compare if it asks for the exact list; None: as many as it likes
    max_cost : as many ordinary requests its work may cost; None: as much as it likes
    ordinary_price : gives the price of such a request, once work is charged
    environ : of the request; the socket in it, if there is one, tells whether the caller is still there
    """

    def __init__(
        self,
        lock: FairLock,
        seconds: float = math.inf,
        max_pairs: int | None = None,
        max_cost: float | None = None,
        ordinary_price: Callable[[], float] = lambda: math.inf,
        environ: Mapping[str, Any] | None = None,
    ):
        self._lock = lock
        self._seconds = seconds
        self.max_pairs = max_pairs
        self._max_cost = max_cost
        self._ordinary_price = ordinary_price
        self._max_price: float | None = None  # until it is known
        self._spent: defaultdict[Work, float] = defaultdict(float)
        self._total = 0.0
        self._dearest: Work | None = None  # once it is too much
        self._socket = (environ or {}).get("gunicorn.socket")
        self._computed = 0.0
        self._began = 0.0  # by this thread's time
        self._entered = 0.0  # by the clock
        self._next_look = time.monotonic() + LOOK_INTERVAL
        self._token: Token[RequestBudget | None] | None = None

    def __enter__(self) -> None:
        self._enter()
        self._token = _BUDGET.set(self)

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _BUDGET.reset(self._token)
            self._token = None
            self._exit()

    def checkpoint(self) -> None:
        """Once a slice is over: end the work if its time is over or its caller gone, and let others go first."""
        now = time.monotonic()
        if now - self._entered <= SLICE:
            return
        if self._computed + time.thread_time() - self._began > self._seconds:
            raise WorkEnded(
                503,
                f"this takes more than {self._seconds:g} seconds of a processor: ask for fewer seeds or songs, or let"
                " more songs pass (SEGUE_REQUEST_SECONDS)",
                {"Retry-After": str(RETRY_AFTER)},
            )
        if now > self._next_look and self._is_gone():
            raise caller_gone()
        if len(self._lock):
            self._exit()
            self._enter()

    def charge(self, work: Work, count: float) -> None:
        """Charge work before it is done; raise CostExceeded if that makes too much."""
        if self._max_cost is None:
            return
        if self._max_price is None:
            self._max_price = self._max_cost * self._ordinary_price()
        price = work.price * count
        self._spent[work] += price
        self._total += price
        if self._total > self._max_price:
            self._dearest = self._dearest or max(self._spent, key=lambda one: self._spent[one])
            raise CostExceeded(self._max_cost, self._dearest)

    def _enter(self) -> None:
        try:
            self._lock.acquire(self._computed, self._is_gone)
        except WorkEnded:
            if self._token is not None:  # it has given the lock away, and is not to release another's
                _BUDGET.reset(self._token)
                self._token = None
            raise
        self._began, self._entered = time.thread_time(), time.monotonic()

    def _exit(self) -> None:
        self._computed += time.thread_time() - self._began
        self._lock.release()

    def _is_gone(self) -> bool:
        self._next_look = time.monotonic() + LOOK_INTERVAL
        return self._socket is not None and is_closed(self._socket)


_BUDGET: ContextVar[RequestBudget | None] = ContextVar("request_budget", default=None)


def checkpoint() -> None:
    """Where long work may end or let others go first; outside of a request's budget this does nothing."""
    budget = _BUDGET.get()
    if budget is not None:
        budget.checkpoint()


def checked(items: Iterable[Any]) -> Iterator[Any]:
    """The same items, with a checkpoint before each."""
    for item in items:
        checkpoint()
        yield item


def charge(work: Work, count: float = 1) -> None:
    """Charge pieces of work that are about to be done, which a request's budget bounds."""
    budget = _BUDGET.get()
    if budget is not None:
        budget.charge(work, count)


def check_exact(n_songs: int, n_points: int) -> None:
    """Raise InvalidQuery where the exact list compares more songs with points than this request may."""
    budget = _BUDGET.get()
    most = None if budget is None else budget.max_pairs
    if most is not None and n_songs * n_points > most:
        raise InvalidQuery([Fault(
            "/exact",
            f"it would compare {n_songs:,} songs with the {n_points:,} points of the seeds; {most:,} pairs are"
            " the most: leave exact out, name fewer seeds, or let fewer songs pass (SEGUE_EXACT_PAIRS)",
        )])  # fmt: skip


def caller_gone() -> WorkEnded:
    """The error for a request whose caller does not wait any more; 499 as nginx writes it in its log."""
    return WorkEnded(499, "the caller has closed the connection")


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side of a connection has closed it, as far as its end can tell."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, InterruptedError, ValueError):  # ValueError: TLS can't look ahead
        return False
    except OSError:
        return True
