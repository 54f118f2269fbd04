"""What a fit takes on Spark, a master and two workers of one core on this machine, beside one machine's engine.

    python -m tests.benchmarks.spark SOURCE [--engines spark] [--heap 1g]

SOURCE is a file or folder that both engines read, or ``demo:N``, which Spark reads from Parquet files of 50,000 songs
each. Memory is what Python and Java hold of their own at their peaks; *mapped too* is Python's with pages of files
besides, which the system takes back when it needs them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from segue_build.sources import demo
from tests.benchmarks.figures import Row, table
from tests.support.spark_cluster import Cluster

ROOT = Path(__file__).parent.parent.parent
PULSE = 1.0  # seconds between looks at memory
PART = 50_000  # songs of a part
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print a table of both engines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--engines", default="sklearn,spark")
    parser.add_argument("--heap", default="1g", help="of the driver's Java (default: %(default)s, as Spark's)")
    parser.add_argument("--out", type=Path, help="folder in which versions and parts stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        rows = [ENGINES[name](options.source, folder, options.heap) for name in options.engines.split(",")]
    print(table(rows))


def on_one_machine(source: str, folder: Path, _: str) -> Row:
    """What one machine's engine takes."""
    row, _ = measured("sklearn", source, folder / "one", [])
    return row


def on_spark(source: str, folder: Path, heap: str) -> Row:
    """What Spark takes."""
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-memory {heap} pyspark-shell"
    if source.startswith("demo:"):
        source = str(parts(int(source.removeprefix("demo:")), folder / "parts"))
    cluster = Cluster(folder / "workers", workers=2)
    try:
        pids = [worker.pid for worker in cluster.workers]
        row, workers = measured("spark", source, folder / "spark", pids, "--master", cluster.master)
    finally:
        cluster.stop()
    held = {f"a worker's {name} MB": workers[name, "Pss_Anon"] / len(pids) for name in ("java", "python")}
    cpu = sum(seconds for (_, kind), seconds in workers.items() if kind == "cpu")
    return {**row, "workers' CPU s": cpu, **held}


ENGINES = {"sklearn": on_one_machine, "spark": on_spark}


def parts(songs: int, folder: Path) -> Path:
    """An invented catalogue as a folder of Parquet files."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for number, frame in enumerate(demo.demo_chunks(songs, rows=PART)):
            frame.to_parquet(folder / f"part-{number:05}.parquet", index=False)
    return folder


def measured(
    engine: str, source: str, out: Path, workers: list[int], *options: str
) -> tuple[Row, Counter[tuple[str, str]]]:
    """Fit, and look at the memory of what fits and of workers."""
    command = [sys.executable, "-m", "segue_build", "fit", "--engine", engine, "--source", source, "--out", str(out)]
    began, peak, theirs = time.monotonic(), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak |= use(process.pid)
        theirs |= sum(map(use, workers), Counter())
        time.sleep(PULSE)
    if process.returncode:
        raise SystemExit(f"{engine} failed")
    held = {f"driver's {name} MB": peak[name, "Pss_Anon"] for name in ("python", "java") if peak[name, "cpu"]}
    cpu = sum(seconds for (_, kind), seconds in peak.items() if kind == "cpu")
    row = {"engine": engine, "fit s": time.monotonic() - began, "CPU s": cpu, **held}
    return {**row, "mapped too": peak["python", "Pss"]}, theirs


def use(pid: int) -> Counter[tuple[str, str]]:
    """What a process and all below it hold, in megabytes, and the seconds that they computed, by their programs.

    Pages that several share count in parts.
    """
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]  # of ended children, too
        below = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return Counter()
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines}
    own = {(name, kind): sizes[kind] for kind in ("Pss", "Pss_Anon")}
    found = Counter({**own, (name, "cpu"): sum(map(int, times)) / TICKS})
    return sum((use(int(child)) for child in " ".join(below).split()), found)


if __name__ == "__main__":
    main()
