"""Parts of the rehearsal: timed steps, and the programs that it starts (moto, awslambdaric, functions framework)."""

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

STARTUP_TIMEOUT = 60  # seconds until a server answers
# moto treats all warnings of cfn-lint as errors, also those that serverless.yml waives; a step of its own lints.
MOTO_SCRIPT = """
import sys
from moto.cloudformation import models
from moto.server import main
models.validate_template_cfn_lint = lambda template: []
main(sys.argv[1:])
"""
# The modules of the runtime client, which Lambda puts beside the package.
CLIENT_MODULES = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")


class StepSkipped(Exception):
    """A step can't be taken on this machine; the message is the reason."""


class StepFailed(Exception):
    """A step failed; the message says what was expected and what happened."""


class Rehearsal:
    """Runs the steps, prints how each went, and remembers those that were skipped."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print how a step went; a failed step ends the rehearsal, a skipped one does not."""
        began = time.monotonic()
        try:
            yield
        except StepSkipped as reason:
            self.skipped.append(what)
            print(f"skipped  {what}: {reason}", flush=True)
            return
        except StepFailed:
            print(f"FAILED   {what}", flush=True)
            raise
        print(f"passed   {what} ({time.monotonic() - began:.0f} s)", flush=True)


def expect(what: str, found: object, wanted: object) -> None:
    """Raise StepFailed if ``found`` is not ``wanted``."""
    if found != wanted:
        raise StepFailed(f"{what}: expected {wanted!r}, found {found!r}")


@contextlib.contextmanager
def run_moto() -> Iterator[str]:
    """The URL of a stand-in for AWS's APIs (https://docs.getmoto.org/)."""
    if importlib.util.find_spec("moto") is None:
        raise StepSkipped("moto is missing: requirements-dev.txt has it")
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-c", MOTO_SCRIPT, "-H", "127.0.0.1", "-p", str(port)]
    with run_program(command, dict(os.environ)):
        yield wait_for(f"http://127.0.0.1:{port}", "/moto-api/")


@contextlib.contextmanager
def run_runtime_client(package: Path, environ: Mapping[str, str], client_folder: Path, log: Path) -> Iterator[None]:
    """Run a packaged function under AWS's own runtime client, which sees the package but no other installed module.

    client_folder : a folder for the client
    log : file to which the function logs
    """
    client_folder.mkdir(exist_ok=True)
    for name in CLIENT_MODULES:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise StepSkipped(f"{name} is missing: requirements-dev.txt has awslambdaric")
        origin = Path(found.origin)
        place = origin.parent if origin.name == "__init__.py" else origin
        if not (client_folder / place.name).exists():
            (client_folder / place.name).symlink_to(place)
    alone = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{package}{os.pathsep}{client_folder}",
        "AWS_REGION": "eu-west-1",
    }
    command = [sys.executable, "-S", "-s", "-B", "-m", "awslambdaric", "main.lambda_handler"]
    with run_program(command, alone | dict(environ), package, log):
        yield


@contextlib.contextmanager
def run_functions_framework(python: Path, source: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The URL of a staged folder, served as Google serves it."""
    port = free_port()
    command = [str(python.with_name("functions-framework")), "--source", str(source / "main.py"),
               "--target", "recommend", "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    with run_program(command, {"PATH": os.environ["PATH"], **environ}, source):
        yield wait_for(f"http://127.0.0.1:{port}", "/healthz")


@contextlib.contextmanager
def run_program(
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
    """The base URL, as soon as it answers."""
    until = time.monotonic() + STARTUP_TIMEOUT
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(base + path, timeout=STARTUP_TIMEOUT).close()
        except urllib.error.HTTPError:
            return base
        except OSError:
            time.sleep(0.1)
        else:
            return base
    raise StepFailed(f"{base}{path} does not answer within {STARTUP_TIMEOUT} s")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
