"""The functions framework as it runs in production, in a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.http import answers

PATIENCE = 120  # seconds until a start has failed


@dataclass(frozen=True, slots=True)
class Server:
    """A running functions framework; its worker is a child of its process."""

    process: subprocess.Popen[bytes]
    port: int

    def workers(self) -> list[int]:
        """Ids of the processes that answer."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def computed(self) -> float:
        """Seconds of a processor that the workers have taken so far."""
        times = (Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split() for worker in self.workers())
        return sum(int(fields[11]) + int(fields[12]) for fields in times) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(folder: Path, environ: Mapping[str, str], request: bytes) -> Iterator[Server]:
    """Serve ``main.recommend`` of a folder; the block begins when the request has been answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("functions-framework"), "--source", folder / "main.py",
               "--target", "recommend", "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    process = subprocess.Popen(command, env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, folder, port, request)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], folder: Path, port: int, request: bytes) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers(port, request):
        if process.poll() is not None:
            raise ChildProcessError(f"{folder / 'main.py'} ended with {process.returncode} before it answered")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder / 'main.py'} did not answer 200 within {PATIENCE} s")
        time.sleep(0.001)
