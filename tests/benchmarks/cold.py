"""Start to first recommendation: a new process until the first POST is answered, beside a hello-world's."""

import contextlib
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from infra.lambda_runtime import RuntimeAPI, function_url_event
from tests.benchmarks.figures import Row, interleaved, ratio
from tests.benchmarks.http import post
from tests.benchmarks.servers import serving
from tests.benchmarks.subject import HELLO, OURS, Skipped, Subject

LAMBDA = "AWS runtime client"


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each platform."""
    song = subject.ids(1, seed=1)[0]
    yield _row("functions framework", subject, lambda folder, _: framework(folder, subject, song))
    if importlib.util.find_spec("awslambdaric") is None:
        raise Skipped(f"under the {LAMBDA} it needs awslambdaric: tests/benchmarks/requirements.txt")
    yield _row(LAMBDA, subject, lambda folder, module: runtime_client(folder, module, subject, song))


def _row(under: str, subject: Subject, start) -> Row:
    ours, hello = interleaved([lambda: start(OURS, "main"), lambda: start(HELLO, "aws")], subject.runs)
    return {
        "under": under,
        "Segue ms": statistics.median(ours) * 1000,
        "hello-world ms": statistics.median(hello) * 1000,
        "ratio": ratio(ours, hello),
    }


def framework(folder: Path, subject: Subject, song: str) -> float:
    """Seconds under the functions framework."""
    began = time.perf_counter()
    with serving(folder, subject.environ, post(song)):
        return time.perf_counter() - began


def runtime_client(folder: Path, module: str, subject: Subject, song: str) -> float:
    """Seconds under the AWS runtime client."""
    event = function_url_event("POST", "/recommend", body=json.dumps({"song_id": song}))
    with RuntimeAPI() as runtime:
        began = time.perf_counter()
        with invoked(folder, module, subject.environ | runtime.environ):
            answer = runtime.invoke(event)
            took = time.perf_counter() - began
    if answer["statusCode"] != 200:
        raise RuntimeError(f"the function answered {answer['statusCode']}: {answer['body'][:200]}")
    return took


@contextlib.contextmanager
def invoked(folder: Path, module: str, environ: dict[str, str]) -> Iterator[None]:
    """A runtime client that calls ``lambda_handler`` of a folder's module."""
    command = [sys.executable, "-m", "awslambdaric", f"{module}.lambda_handler"]
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
