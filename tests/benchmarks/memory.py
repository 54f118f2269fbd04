"""Memory of the process that answers, after the first recommendation and after a thousand.

What is a process's own is what it has written. The rest are pages of files, of libraries and of artifacts, which the
kernel keeps whether they are mapped or not, and drops when others need memory. PSS counts a page that processes share
by its share of them, RSS counts it whole. The worker shares what was imported before it was forked with the process
that watches over it, so both together are told as well.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.benchmarks.figures import Row
from tests.benchmarks.http import Client, post
from tests.benchmarks.servers import Server, serving
from tests.benchmarks.subject import HELLO, OURS, Subject

REQUESTS = 1_000


def measure(subject: Subject) -> Iterator[Row]:
    """Two rows of Segue's and one of the hello-world's."""
    requests = [post(song) for song in subject.ids(REQUESTS, seed=4)]
    with serving(OURS, subject.environ, requests[0]) as server:
        yield {"of": "Segue", "after": "1 request", **_of(server)}
        _ask(server, requests)
        yield {"of": "Segue", "after": f"{REQUESTS:,} requests", **_of(server)}
    with serving(HELLO, subject.environ, requests[0]) as server:
        _ask(server, requests)
        yield {"of": "hello-world", "after": f"{REQUESTS:,} requests", **_of(server)}


def _ask(server: Server, requests: Iterable[bytes]) -> None:
    client = Client(server.port)
    for request in requests:
        if client.status(request) != 200:
            raise RuntimeError("the function answered no 200")
    client.close()


def _of(server: Server) -> Row:
    workers = server.workers()
    return {
        "worker PSS MB": megabytes(workers, "Pss"),
        "of it its own MB": megabytes(workers, "Pss_Anon"),
        "worker RSS MB": megabytes(workers, "Rss"),
        "all PSS MB": megabytes([server.process.pid, *workers], "Pss"),
    }


def megabytes(processes: Iterable[int], what: str) -> float:
    """The sum of a line of ``/proc/PID/smaps_rollup``."""
    found = [
        re.search(rf"^{what}: *(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        for pid in processes
    ]
    return sum(int(line[1]) for line in found if line) * 1024 / 1e6
