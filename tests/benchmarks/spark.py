"""What a fit takes on Spark, a master and two workers of one core on this machine, beside one machine's engine.

    python -m tests.benchmarks.spark SOURCE

SOURCE is a file or folder that both engines read. *driver MB* is what the driver holds at its peak, in Python and in
Java; workers are apart.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import Row, table
from tests.cluster import Cluster

ROOT = Path(__file__).parent.parent.parent
PULSE = 0.5  # seconds between looks at memory


def main() -> None:
    """Print a table of both engines."""
    (source,) = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured("sklearn", source, Path(folder) / "one")]
        cluster = Cluster(Path(folder), workers=2)
        try:
            rows.append(measured("spark", source, Path(folder) / "spark", "--master", cluster.master))
        finally:
            cluster.stop()
    print(table(rows))


def measured(engine: str, source: str, out: Path, *options: str) -> Row:
    """Fit, and look at the memory of what fits."""
    command = [
        sys.executable,
        "-m",
        "build",
        "fit",
        "--engine",
        engine,
        "--source",
        source,
        "--out",
        str(out),
        *options,
    ]
    began, peak = time.monotonic(), 0.0
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(PULSE)
    if process.returncode:
        raise SystemExit(f"{engine} failed")
    return {"engine": engine, "fit s": time.monotonic() - began, "driver MB": peak}


def memory(pid: int) -> float:
    """What a process and all below it hold, in megabytes; pages that several share count in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return own * 1024 / 1e6 + sum(memory(int(child)) for child in below)


if __name__ == "__main__":
    main()
