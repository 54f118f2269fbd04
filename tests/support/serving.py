"""A real functions framework that serves artifacts, for tests that talk HTTP."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue_build import FUNCTIONS


@contextlib.contextmanager
def served(artifacts: Path, log: Path | None = None, **environ: str) -> Iterator[str]:
    """The base URL of a process of its own; what it writes goes to a file, if one is named."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("functions-framework"), "--source", FUNCTIONS / "main.py",
               "--target", "recommend", "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    environ = os.environ | {"SEGUE_ARTIFACTS": str(artifacts)} | environ
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/healthz")
        yield base
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str) -> None:
    """Return once an address answers."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer")
