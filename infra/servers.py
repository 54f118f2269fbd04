"""Programs that a rehearsal runs beside itself: a stand-in for AWS, the runtime client, the functions framework."""

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.steps import Failed, Skipped

PATIENCE = 60  # seconds until a server answers
# moto takes a linter's warnings for errors, those that serverless.yml waives, too; the stack is linted by itself.
MOTO = """
import sys
from moto.cloudformation import models
from moto.server import main
models.validate_template_cfn_lint = lambda template: []
main(sys.argv[1:])
"""
# What the runtime client consists of; the platform puts it beside the package.
CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """The address of a server that speaks as AWS does (https://docs.getmoto.org/)."""
    if importlib.util.find_spec("moto") is None:
        raise Skipped("moto is missing: requirements-dev.txt has it")
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-c", MOTO, "-H", "127.0.0.1", "-p", str(port)]
    with program(command, dict(os.environ)):
        yield wait_for(f"http://127.0.0.1:{port}", "/moto-api/")


@contextlib.contextmanager
def runtime_client(package: Path, environ: Mapping[str, str], beside: Path, log: Path) -> Iterator[None]:
    """A packaged function under AWS's own client, which sees the package and nothing else that is installed here.

    beside : a folder for the client
    log : takes what the function logs
    """
    beside.mkdir(exist_ok=True)
    for name in CLIENT:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise Skipped(f"{name} is missing: requirements-dev.txt has awslambdaric")
        origin = Path(found.origin)
        place = origin.parent if origin.name == "__init__.py" else origin
        if not (beside / place.name).exists():
            (beside / place.name).symlink_to(place)
    alone = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{package}{os.pathsep}{beside}", "AWS_REGION": "eu-west-1"}
    command = [sys.executable, "-S", "-s", "-B", "-m", "awslambdaric", "main.lambda_handler"]
    with program(command, alone | dict(environ), package, log):
        yield


@contextlib.contextmanager
def functions_framework(python: Path, source: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The address of a staged folder, served as Google serves it."""
    port = free_port()
    command = [str(python.with_name("functions-framework")), "--source", str(source / "main.py"),
               "--target", "recommend", "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    with program(command, {"PATH": os.environ["PATH"], **environ}, source):
        yield wait_for(f"http://127.0.0.1:{port}", "/healthz")


@contextlib.contextmanager
def program(
    command: list[str], environ: Mapping[str, str], folder: Path | None = None, log: Path | None = None
) -> Iterator[None]:
    """Run a program until the end of the block."""
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL
        process = subprocess.Popen(command, env=dict(environ), cwd=folder, stdout=out, stderr=out)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(base: str, path: str) -> str:
    """The base of an address that answers by now."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(base + path, timeout=PATIENCE).close()
        except urllib.error.HTTPError:
            return base
        except OSError:
            time.sleep(0.1)
        else:
            return base
    raise Failed(f"{base}{path} does not answer within {PATIENCE} s")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
