"""Start to first answer: a new process of the functions framework, beside a hello-world of flask and numpy."""

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from build import FUNCTIONS, ROOT
from segue.catalog import load

OURS = FUNCTIONS / "main.py"
HELLO = ROOT / "tests" / "benchmarks" / "hello" / "main.py"


def measure(artifacts: Path, runs: int) -> list[tuple[str, str, str]]:
    """Rows of (what, ours, peer); the two kinds of start in turn, after one of each that does not count."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(FUNCTIONS), str(HELLO.parent)], check=True)
    path = "/recommend?song_id=" + load(artifacts).texts("ids")[0]
    ours, hello = [], []
    for _ in range(runs + 1):
        ours.append(first_answer(OURS, path, artifacts))
        hello.append(first_answer(HELLO, "/", artifacts))
    one, other = statistics.median(ours[1:]), statistics.median(hello[1:])
    ratio = statistics.median(a / b for a, b in zip(ours[1:], hello[1:]))
    return [
        (
            "start to first recommendation",
            f"{one * 1000:.0f} ms, {ratio:.2f} x hello-world",
            f"hello-world {other * 1000:.0f} ms; the classic 1,900-2,600 ms",
        )
    ]


def first_answer(source: Path, path: str, artifacts: Path) -> float:
    """Seconds from starting the process to its first 200."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("functions-framework")), "--source", str(source),
               "--target", "recommend", "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    environ = os.environ | {"SEGUE_ARTIFACTS": str(artifacts)}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()
                return time.perf_counter() - began
            except urllib.error.HTTPError:
                raise
            except OSError:
                time.sleep(0.002)
    finally:
        process.terminate()
        process.wait()
