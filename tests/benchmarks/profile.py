"""Where the time of a warm ``POST /recommend`` goes: its steps, and how many songs each of them handles.

Steps are timed by clocks round the functions that take them, an outer one less what is within it; the clocks
themselves cost some percent, so the shares are to be trusted more than the sum. They count processor time, which
other work on the machine disturbs least.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest import mock

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import Catalog
from segue.config import Config
from segue.engine import recommendation, rerank, scoring, search
from segue.query.parser import RequestParser
from segue.web import request_context, serializers
from segue.web.service import Service
from tests.benchmarks.figures import Row
from tests.benchmarks.hello.main import recommend as hello
from tests.benchmarks.subject import Subject
from tests.benchmarks.warm import NOT_COUNTED, REQUESTS, milliseconds

STEPS: dict[str, tuple[Any, str]] = {
    "reading the body": (request_context, "parse_body"),
    "making a query of it": (RequestParser, "query"),
    "seeds": (recommendation, "resolve"),
    "points": (scoring.Scorer, "__init__"),
    "order of cells": (search.CellProber, "rank_cells"),
    "approximate scores": (scoring.Scorer, "approximate_scores"),
    "scores": (scoring.Scorer, "score"),
    "which to score": (search._Candidates, "pop_best"),
    "choice, and the rest of the search": (rerank, "rerank"),
    "songs as JSON": (serializers, "recommendations"),
    "text of the JSON": (serializers, "json_response"),
    "giving pages back": (Catalog, "unmap"),
}
HANDLED = {"approximate scores", "scores"}  # steps whose first argument is as long as the songs that they handle


class Clocks:
    """Clocks round functions that call each other.

    spent : step -> seconds in it, without the steps within
    songs : step -> songs that it handled
    """

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self.songs: Counter[str] = Counter()
        self._within = [0.0]  # of each step that is under way, the seconds of those within it

    def round(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that does the same and is timed."""

        def timed(*given: Any, **named: Any) -> Any:
            self._within.append(0.0)
            began = time.thread_time()
            try:
                return function(*given, **named)
            finally:
                took = time.thread_time() - began
                self.spent[step] += took - self._within.pop()
                self._within[-1] += took
                self.songs[step] += len(given[1]) if step in HANDLED else 0

        return timed


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each step, and one for the whole of a hello-world."""
    client, peer = (Client(Request.application(one)) for one in (Service(Config(subject.artifacts)).handle, hello))
    songs = subject.ids(NOT_COUNTED + REQUESTS, seed=2)
    for song in songs[:NOT_COUNTED]:
        milliseconds(client, song)
    clocks = Clocks()
    with ExitStack() as stack:
        for step, (holder, name) in STEPS.items():
            stack.enter_context(mock.patch.object(holder, name, clocks.round(step, getattr(holder, name))))
        took = [(_worked(client, song), _worked(peer, song)) for song in songs[NOT_COUNTED:]]
    total, base = map(sum, zip(*took))
    spent = {step: 1000 * clocks.spent[step] for step in STEPS}
    spent["HTTP: routes, headers, the client"] = total - sum(spent.values())
    for step, took in spent.items():
        row: Row = {"step": step, "ms": took / REQUESTS, "share": took / total}
        yield {**row, "songs handled": round(clocks.songs[step] / REQUESTS)} if step in HANDLED else row
    yield {"step": "for comparison: a hello-world, all of it", "ms": base / REQUESTS, "share": base / total}


def _worked(client: Client, song: str) -> float:
    """Milliseconds of the processor for one request."""
    began = time.thread_time()
    milliseconds(client, song)
    return 1000 * (time.thread_time() - began)
