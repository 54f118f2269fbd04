"""``serve``: the process becomes the functions framework, and a lock shows that a folder's songs are being served."""

import fcntl
import os
import socket
import sys
from pathlib import Path

from segue.catalog.version_files import current_version
from segue.errors import SegueError
from segue_build import FUNCTIONS

LOCK = ".served"


def serve(artifacts: str, host: str, port: int) -> None:
    """Become the functions framework, with the function as Google runs it.

    artifacts : a folder or a bucket's URI

    Raises
    ------
    ArtifactsError
        there is nothing to serve.

    """
    if "://" not in artifacts:
        current_version(Path(artifacts))
        _hold_lock(Path(artifacts))
    os.environ["SEGUE_ARTIFACTS"] = artifacts
    shown = f"[{host}]" if ":" in host else host
    print(f"Segue listens on http://{shown}:{port}/ (page) and /docs (API); Ctrl-C stops it", flush=True)
    command = [sys.executable, "-P", "-m", "functions_framework", "--source", str(FUNCTIONS / "main.py"),
               "--target", "recommend", "--host", host, "--port", str(port)]  # fmt: skip
    os.execv(sys.executable, command)  # noqa: S606 # no shell is wanted


def check_address(host: str, port: int) -> None:
    """Raise SegueError if nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python repeats the address after it
        raise SegueError(f"can't listen on {host}, port {port}: {reason}; choose another --port or --host") from None


def is_served(folder: Path) -> bool:
    """Whether a server holds the lock of a folder."""
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _hold_lock(folder: Path) -> None:
    """Hold the lock until this process and its children end; nobody can fit into a folder that is read-only."""
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY | os.O_CREAT, 0o644)
    except OSError:
        return
    fcntl.flock(lock, fcntl.LOCK_SH)
    os.set_inheritable(lock, True)
