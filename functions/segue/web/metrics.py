"""``/metrics``: what the log lines of a process add up to, as Prometheus reads it. Imported only where it is wanted.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

import bisect
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from werkzeug.wrappers import Response

from segue import VERSION, log_context

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # of buckets, seconds
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STORE_COUNTERS = {  # fields of log lines -> metrics
    "trips": ("segue_store_waits_total", "times that a request waited for the store"),
    "ranges": ("segue_store_reads_total", "reads from the store that no cache answered"),
    "fetched": ("segue_store_bytes_total", "bytes of these reads"),
}


class Metrics:
    """Counts since the process started. Each worker counts for itself and says which it is: sum over ``worker``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()  # by route, method and status
        self._durations: dict[str, list[int]] = {}  # route -> requests by bucket, the last one above all bounds
        self._seconds: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._model = ""

    def observe(self, line: Mapping[str, Any]) -> None:
        """Add the log line of one request."""
        route, seconds = line["route"], line["duration"] / 1000
        with self._lock:
            self._requests[route, line["method"], line["status"]] += 1
            buckets = self._durations.setdefault(route, [0] * (len(BOUNDS) + 1))
            buckets[bisect.bisect_left(BOUNDS, seconds)] += 1
            self._seconds[route] += seconds
            self._totals.update({name: line.get(name, 0) for name in ("cold", "bytes", *STORE_COUNTERS)})
            self._model = line["model"] or self._model

    def response(self) -> Response:
        """All metrics, in the text format."""
        with self._lock:
            text = "".join(f"{line}\n" for line in self._lines())
        return Response(text, content_type=MEDIA_TYPE)

    def _lines(self) -> Iterator[str]:
        yield from _family("segue_info", "gauge", "the release, and the version of the model that answered last")
        yield _sample("segue_info", 1, version=VERSION, model=self._model)
        yield from _family("segue_requests_total", "counter", "requests answered")
        for (route, method, status), count in sorted(self._requests.items()):
            yield _sample("segue_requests_total", count, route=route, method=method, status=status)
        yield from self._histogram("segue_request_duration_seconds")
        yield from _counter("segue_cold_starts_total", "first requests of a process", self._totals["cold"])
        yield from _counter("segue_response_bytes_total", "bytes of responses", self._totals["bytes"])
        failures = log_context.totals()["refresh_failures"]
        yield from _counter("segue_refresh_failures_total", "times that no current model could be opened", failures)
        for field, (name, description) in STORE_COUNTERS.items():
            yield from _counter(name, description, self._totals[field])

    def _histogram(self, name: str) -> Iterator[str]:
        yield from _family(name, "histogram", "time until a response was ready, without the platform's")
        for route, buckets in sorted(self._durations.items()):
            below = 0
            for bound, count in zip((*BOUNDS, "+Inf"), buckets):
                below += count
                yield _sample(f"{name}_bucket", below, route=route, le=bound)
            yield _sample(f"{name}_sum", round(self._seconds[route], 6), route=route)
            yield _sample(f"{name}_count", below, route=route)


def _family(name: str, kind: str, description: str) -> Iterator[str]:
    yield f"# HELP {name} {description}"
    yield f"# TYPE {name} {kind}"


def _counter(name: str, description: str, value: int) -> Iterator[str]:
    yield from _family(name, "counter", description)
    yield _sample(name, value)


def _sample(name: str, value: float, **labels: object) -> str:
    """One line; no value of a label here needs escaping."""
    pairs = ",".join(f'{label}="{text}"' for label, text in {**labels, "worker": os.getpid()}.items())
    return f"{name}{{{pairs}}} {value}"
