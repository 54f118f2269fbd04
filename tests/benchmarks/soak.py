"""Minutes of full load: no errors, and memory that stays flat.

Steps of a few seconds find the knee, the number of clients past which answers a second rise no more; so many keep
asking over HTTP, and a row a minute tells what came of it. PSS counts the artifacts' pages that were read, which the
kernel takes back at will; what is anonymous it can't. Both rise while pages are read and the heaps of the server's
threads meet their largest request, so the last minute is compared with the middle one as well.
"""

import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.http import post
from tests.benchmarks.load import Load, put
from tests.benchmarks.memory import megabytes
from tests.benchmarks.servers import Server, serving
from tests.benchmarks.subject import OURS, Subject

STEPS = (1, 2, 4, 8, 16)  # clients
STEP = 5.0  # seconds of each
MINUTE = 60.0
SAMPLES = 6  # a minute, of memory
RISE = 1.03  # answers a second, against the step before: less is no rise


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each step, for each minute at the knee, and for what the last minute has more than earlier ones."""
    requests = [post(song) for song in subject.ids(5_000, seed=5)]
    with serving(OURS, subject.environ, requests[0]) as server:
        steps = []
        for clients in STEPS:
            steps.append(_spell(server, requests, clients, [STEP]))
            yield {"of": "step", **steps[-1]}
        clients = knee({step["clients"]: step["requests/s"] for step in steps})
        minutes = []
        for number in range(subject.minutes):
            minutes.append(_spell(server, requests, clients, [MINUTE / SAMPLES] * SAMPLES))
            yield {"of": f"minute {number + 1}", **minutes[-1]}
    for name, minute in {"first": minutes[0], "middle": minutes[len(minutes) // 2]}.items():
        yield {"of": f"last less {name}"} | {
            what: minutes[-1][what] - minute[what] for what in ("PSS MB", "anonymous MB")
        }


def knee(rates: Mapping[int, float]) -> int:
    """The number of clients past which answers a second rise no more.

    rates : answers a second by rising number of clients
    """
    for fewer, more in itertools.pairwise(rates):
        if rates[more] < RISE * rates[fewer]:
            return fewer
    return max(rates)


def _spell(server: Server, requests: Sequence[bytes], clients: int, parts: Sequence[float]) -> dict[str, int | float]:
    """What came of so many clients, who ask for parts of so many seconds; memory is the median after each part."""
    load, memory = Load(), []
    for seconds in parts:
        put(load, server.port, requests, clients, seconds)
        memory.append([megabytes(server.workers(), what) for what in ("Pss", "Pss_Anon")])
    pss, anonymous = map(statistics.median, zip(*memory))
    return {
        "clients": clients,
        "requests/s": statistics.median(load.rates),
        "p50 ms": percentile(load.took, 0.5),
        "p99 ms": percentile(load.took, 0.99),
        "errors": load.errors,
        "PSS MB": pss,
        "anonymous MB": anonymous,
    }
