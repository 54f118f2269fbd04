"""How long a fit takes and how much memory."""

import os
import subprocess
import sys
import time
from pathlib import Path

from segue.catalog import load
from tests.benchmarks.figures import Row


def fit(source: str, out: Path) -> Row:
    """Fit a source into a folder: a row."""
    began = time.monotonic()
    command = [sys.executable, "-m", "segue_build", "fit", "--source", source, "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)  # its own peak; getrusage tells the largest of all children
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"--source: '{source}' can't be fitted")
    return {
        "songs": len(load(out)),
        "source": Path(source).name,
        "fit s": time.monotonic() - began,
        "peak MB": used.ru_maxrss * 1024 / 1e6,
    }
