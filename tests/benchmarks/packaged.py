"""Start to first recommendation of what is deployed: ``python -m tests.benchmarks.packaged ARTIFACTS``.

The package for this machine under AWS's runtime client, beside a hello-world of flask and numpy that is packaged the
same way; in turn, each in a new process.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from infra.harness import run_runtime_client
from infra.lambda_runtime import RuntimeAPI, function_url_event
from segue.catalog import load
from segue_build import ROOT
from segue_build.package import builder
from segue_build.package.builder import CONSTRAINTS, REQUIREMENTS, PackageOptions, build_package
from segue_build.package.targets import UNPACK_PATHS, Target

HELLO = ROOT / "tests" / "benchmarks" / "hello" / "aws.py"
NEEDED = ("flask", "numpy", "apig-wsgi")


def main() -> None:
    """Print the row."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.packaged", description=__doc__)
    parser.add_argument("artifacts", type=Path)
    parser.add_argument("--runs", type=int, default=7, help="starts of each kind (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        ours = build_package(PackageOptions(Target.here("aws"), options.artifacts, work / "ours")).folder
        hello = hello_world(work / "hello", work / "wheels")
        event = json.dumps({"song_id": load(options.artifacts).texts("ids")[0]})
        times = [(start(ours, event, work), start(hello, event, work)) for _ in range(options.runs + 1)][1:]
    one, other = (statistics.median(column) * 1000 for column in zip(*times))
    ratio = statistics.median(a / b for a, b in times)
    print(f"packaged, start to first recommendation: {one:.0f} ms, hello-world {other:.0f} ms, {ratio:.2f} x")


def hello_world(folder: Path, cache: Path) -> Path:
    """Package the hello-world as the function is packaged."""
    folder.mkdir()
    cache.mkdir()
    target = Target.here("aws")
    pinned = [line for line in builder.pinned_requirements(REQUIREMENTS, target) if line.partition("==")[0] in NEEDED]
    builder.download_wheels(pinned, CONSTRAINTS, target, cache)
    builder.unpack_wheels(cache, folder)
    shutil.copyfile(HELLO, folder / "main.py")
    builder.compile_bytecode(folder, UNPACK_PATHS["aws"], builder.find_interpreter(target.python, [target.python]))
    return folder


def start(folder: Path, body: str, work: Path) -> float:
    """Seconds from a new process to its first answer."""
    event = function_url_event("POST", "/recommend", body=body)
    with RuntimeAPI() as runtime:
        began = time.perf_counter()
        with run_runtime_client(folder, runtime.environ, work / "client", work / "log"):
            answer = runtime.invoke(event)
            took = time.perf_counter() - began
    if answer["statusCode"] != 200:
        raise RuntimeError(f"the function answered {answer['statusCode']}: {answer['body'][:200]}")
    return took


if __name__ == "__main__":
    main()
