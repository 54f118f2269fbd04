"""Requests a second over HTTP, under the functions framework, from 1 to 32 clients; beside a hello-world in turn."""

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.figures import Row, percentile, ratio
from tests.benchmarks.http import Client, post
from tests.benchmarks.servers import serving
from tests.benchmarks.subject import HELLO, OURS, Subject

CLIENTS = (1, 8, 16, 32)
ROUNDS = 3
SECONDS = 3.0  # of each round


@dataclass
class Load:
    """What one server has answered.

    rates : answers a second, by round
    took : milliseconds of every answer
    errors : requests that got no 200
    computed : seconds of a processor that the workers took meanwhile, where these were measured
    """

    rates: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    errors: int = 0
    computed: float = 0.0

    @property
    def processor_ms(self) -> float:
        """Milliseconds of a processor for each answer."""
        return 1000 * self.computed / max(1, len(self.took))


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each number of clients."""
    requests = [post(song) for song in subject.ids(2_000, seed=3)]
    with serving(OURS, subject.environ, requests[0]) as ours, serving(HELLO, subject.environ, requests[0]) as hello:
        for clients in CLIENTS:
            one, other = Load(), Load()
            for _ in range(ROUNDS):
                for load, server in ((one, ours), (other, hello)):
                    computed = server.computed()
                    put(load, server.port, requests, clients)
                    load.computed += server.computed() - computed
            yield {
                "clients": str(clients),
                "requests/s": statistics.median(one.rates),
                "p50 ms": percentile(one.took, 0.5),
                "p99 ms": percentile(one.took, 0.99),
                "errors": one.errors,
                "hello-world requests/s": statistics.median(other.rates),
                "share of hello-world's": ratio(one.rates, other.rates),
                "processor ms": one.processor_ms,
                "hello-world processor ms": other.processor_ms,
            }


def put(load: Load, port: int, requests: Sequence[bytes], clients: int, seconds: float = SECONDS) -> None:
    """Keep so many clients asking for a while, and add what came of it."""
    answered, began = len(load.took), time.perf_counter()
    threads = [
        threading.Thread(target=_ask, args=(load, port, requests[number::clients], began + seconds))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.rates.append((len(load.took) - answered) / (time.perf_counter() - began))


def _ask(load: Load, port: int, requests: Sequence[bytes], deadline: float) -> None:
    client, number = Client(port), 0
    while (began := time.perf_counter()) < deadline:
        try:
            status = client.status(requests[number % len(requests)])
        except OSError:
            status = 0
        if status == 200:
            load.took.append((time.perf_counter() - began) * 1000)
        else:
            load.errors += 1
        number += 1
    client.close()
