"""Latency of ``POST /recommend`` for ten songs in a warm process, beside the hello-world through the same stack."""

import statistics
import time
from collections.abc import Iterator

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web.service import Service
from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.hello.main import recommend as hello
from tests.benchmarks.subject import Subject

REQUESTS = 600
NOT_COUNTED = 50  # open the files


def measure(subject: Subject) -> Iterator[Row]:
    """One row; requests of all kinds in turn. Processor time is what other work on the machine disturbs least."""
    ours = Client(Request.application(Service(Config.from_environ(subject.environ)).handle))
    peer = Client(Request.application(hello))
    took, empty, worked, idle, explained = [], [], [], [], []
    for song in subject.ids(NOT_COUNTED + REQUESTS, seed=2):
        for client, wall, processor, explain in (
            (ours, took, worked, False),
            (peer, empty, idle, False),
            (ours, [], explained, True),
        ):
            began = time.thread_time()
            wall.append(milliseconds(client, song, explain))
            processor.append(1000 * (time.thread_time() - began))
    took, empty, worked, idle, explained = (times[NOT_COUNTED:] for times in (took, empty, worked, idle, explained))
    p50, p99, base = statistics.median(took), percentile(took, 0.99), statistics.median(empty)
    yield {
        "p50 ms": p50,
        "p99 ms": p99,
        "p99 / p50": p99 / p50,
        "hello-world p50 ms": base,
        "p50 / hello-world": p50 / base,
        "processor p50 ms": statistics.median(worked),
        "processor p50 / hello-world": statistics.median(worked) / statistics.median(idle),
        "with explain, processor p50 / without": statistics.median(explained) / statistics.median(worked),
    }


def milliseconds(client: Client, song: str, explain: bool = False) -> float:
    """One request, timed."""
    began = time.perf_counter()
    answer = client.post("/recommend", json={"song_id": song, "explain": explain})
    took = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(f"the function answered {answer.status_code}: {answer.get_data(as_text=True)[:200]}")
    return took * 1000
