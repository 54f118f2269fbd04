"""What the first recommendation imports and how long each module takes by itself (``-X importtime``)."""

import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator

from tests.benchmarks.figures import Row
from tests.benchmarks.subject import OURS, Subject

SHOWN = 15
FIRST = """
import io, json, sys, main
from werkzeug.wrappers import Request
body = json.dumps({"song_id": sys.argv[1]}).encode()
asked = {"REQUEST_METHOD": "POST", "PATH_INFO": "/recommend", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
         "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.url_scheme": "http",
         "wsgi.input": io.BytesIO(body)}
Request.application(main.recommend)(asked, lambda status, headers: print(status, *sys.modules, sep="\\n"))
"""
_LINE = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)", re.MULTILINE)


def measure(subject: Subject) -> Iterator[Row]:
    """A row for the sum, each package's and the slowest modules'; medians of ``subject.runs`` starts."""
    reports = [report(subject) for _ in range(subject.runs + 1)][1:]
    times = {name: statistics.median(run.get(name, 0.0) for run in reports) for name in reports[-1]}
    packages: dict[str, float] = defaultdict(float)
    for name, took in times.items():
        packages[name.partition(".")[0]] += took
    yield {"imported": f"all {len(times)} modules", "ms by itself": sum(times.values())}
    for name in ("numpy", "werkzeug", "segue"):
        yield {"imported": f"{name}, all of it", "ms by itself": packages[name]}
    for name in sorted(times, key=lambda name: -times[name])[:SHOWN]:
        yield {"imported": f"`{name}`", "ms by itself": times[name]}


def report(subject: Subject) -> dict[str, float]:
    """Milliseconds of each module in one start."""
    return {name: int(took) / 1000 for took, name in _LINE.findall(_run(subject, "-X", "importtime").stderr)}


def loaded(subject: Subject) -> set[str]:
    """The modules that are loaded once the first recommendation is answered."""
    status, *modules = _run(subject).stdout.split("\n")
    if status != "200 OK":
        raise RuntimeError(f"the function answered {status}")
    return set(modules)


def _run(subject: Subject, *flags: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *flags, "-c", FIRST, subject.ids(1, seed=1)[0]]
    return subprocess.run(command, cwd=OURS, env=subject.environ, capture_output=True, text=True, check=True)
