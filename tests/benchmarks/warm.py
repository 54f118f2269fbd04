"""Latency of ``POST /recommend`` in a warm process, beside the hello-world through the same stack."""

import random
import resource
import statistics
import time
from pathlib import Path

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.config import Config
from segue.web import Service
from tests.benchmarks.hello.main import recommend as hello

REQUESTS = 600


def measure(artifacts: Path) -> list[tuple[str, str, str]]:
    """Rows of (what, ours, peer); requests of both kinds in turn."""
    ids, dice = load(artifacts).texts("ids"), random.Random(1)
    ours = Client(Request.application(Service(Config(artifacts)).handle))
    peer = Client(Request.application(hello))
    took, empty = [], []
    for _ in range(REQUESTS):
        took.append(seconds(ours, {"song_id": ids[dice.randrange(len(ids))]}))
        empty.append(seconds(peer, {}))
    took, empty = sorted(took[20:]), sorted(empty[20:])
    p50, p99 = statistics.median(took), took[int(0.99 * len(took))]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        (
            "POST /recommend, ten songs, warm",
            f"p50 {p50 * 1000:.1f} ms ({p50 / statistics.median(empty):.0f} x hello-world), p99 {p99 * 1000:.1f} ms",
            "the classic: p50 11 ms at 5,000 songs, 429 ms at 40,000",
        ),
        ("memory after it", f"{memory:.0f} MB with the client", "the classic: 152 MB at 5,000 songs"),
    ]


def seconds(client: Client, body: dict[str, str]) -> float:
    """One request, timed."""
    began = time.perf_counter()
    client.post("/recommend", json=body)
    return time.perf_counter() - began
