"""The same fit gives the same bytes, and what is not the same is another version."""

import os
import subprocess
import sys

import pytest

from segue_build import ROOT
from segue_build.fit import FitOptions, fit
from tests.support import world

PINNED = """
import os, sys
os.sched_setaffinity(0, {int(cpu) for cpu in sys.argv.pop(1).split(",")})
from segue_build.cli import main
sys.exit(main(sys.argv[1:]))
"""


def fit_pinned(out, cpus, threads, hash_seed):
    environment = {
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONHASHSEED": hash_seed,
    }
    pinned = ",".join(map(str, cpus))
    command = [sys.executable, "-c", PINNED, pinned, "fit", "--source", "demo:400", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return tree(out)


def tree(folder):
    """All files but the history, which tells when, and the room that is kept for it, which any bytes fill."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("history.jsonl", ".reserve")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs to pin a process to a core")
def test_a_fit_gives_the_same_bytes_whatever_the_cores_threads_and_hash_seed(tmp_path):
    cpus = sorted(os.sched_getaffinity(0))
    one = fit_pinned(tmp_path / "one", cpus[:1], "1", "1")
    two = fit_pinned(tmp_path / "two", cpus[:2], "4", "2")
    assert one == two


def test_another_seed_is_another_version_and_the_same_fit_keeps_the_one_it_finds(tmp_path):
    source = [str(world.write(tmp_path / "world.csv"))]
    first = fit(FitOptions(source), tmp_path / "out")
    before = {path.name: path.stat() for path in first.folder.iterdir()}
    second = fit(FitOptions(source, seed=1), tmp_path / "out")
    again = fit(FitOptions(source), tmp_path / "out")
    assert second.version != first.version == again.version
    assert {path.name: path.stat() for path in first.folder.iterdir()} == before


@pytest.mark.parametrize("rows", [97, 600])
def test_runs_of_any_length_give_the_same_bytes(demo_catalog, tmp_path, monkeypatch, rows):
    monkeypatch.setattr("segue_build.sources.series.BATCH_ROWS", rows)
    found = fit(FitOptions(["demo:600"]), tmp_path)
    for name in demo_catalog.manifest["files"]:
        assert (found.folder / name).read_bytes() == (demo_catalog.folder / name).read_bytes(), name
