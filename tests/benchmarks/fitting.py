"""How long a fit takes, how much memory, and how large the artifacts are."""

import resource
import subprocess
import sys
import time
from pathlib import Path


def measure(source: str, out: Path) -> list[tuple[str, str, str]]:
    """Fit a source into a folder; rows of (what, ours, peer)."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "build", "fit", "--source", source, "--out", str(out)], check=True)
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    return [
        ("fit, one core", f"{seconds:.0f} s, {peak:.0f} MB at the peak", ""),
        ("artifacts", f"{size:.0f} MB", ""),
    ]
