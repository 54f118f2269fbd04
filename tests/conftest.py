"""Fixtures that several folders of tests share, above all artifacts, each of which is fitted once."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as functions/main.py does, before NumPy comes

import pytest
from hypothesis import settings

from segue.catalog import Catalog, load
from segue_build.fit import FitOptions, fit
from segue_build.sources import demo
from tests.support import world
from tests.support.releases import wait_for_checks
from tests.support.serving import served
from tests.support.stores import address, behind_proxy, google, moto, places, plain, s3, stocked, stocked_bucket  # noqa: F401 # fixtures

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TRACKS = SHARED / "spotify_tracks_114k.csv"
PLAYLISTS = SHARED / "playlists_dev.csv"

settings.register_profile("untimed", deadline=None)  # a busy machine is not a failure
settings.load_profile("untimed")

DESELECTED = pytest.StashKey[int]()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count deselected tests; each process of a distributed run does."""
    stash = items[0].config.stash
    stash[DESELECTED] = stash.get(DESELECTED, 0) + len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report the count to the process that distributes the tests."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = session.config.stash.get(DESELECTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the count of one process; it is the same in all."""
    node.config.stash[DESELECTED] = getattr(node, "workeroutput", {}).get("deselected", 0)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Print as the last line of a run how many tests were left out, and how to run them."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not reporter:
        return
    skipped, deselected = len(reporter.stats.get("skipped", [])), config.stash.get(DESELECTED, 0)
    fast = config.getoption("markexpr") == "not slow"
    unasked = "slow ones (make test-all)" if fast else "that -m or -k leaves out"
    ways = {
        f"{deselected} {unasked}": deselected,
        f"{skipped} for what is not here (.ci/run installs Node's clients, osls, Chromium, Java, pyspark)": skipped,
    }
    if any(ways.values()):
        print("tests left out:", " and ".join(way for way, count in ways.items() if count))


@pytest.fixture(scope="session")
def world_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of the catalogue in ``tests/support/world.py``."""
    folder = tmp_path_factory.mktemp("world")
    fit(FitOptions([str(world.write(folder / "world.csv"))]), folder / "artifacts")
    return folder / "artifacts"


@pytest.fixture(scope="session")
def world_catalog(world_artifacts: Path) -> Catalog:
    return load(world_artifacts)


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Catalog]:
    """Four versions of that catalogue, each without another song."""
    folder, made = tmp_path_factory.mktemp("versions"), []
    for place in range(4):
        rows = [row for row in world.rows() if row["id"] != f"metal-{place + 1}"]
        made.append(fit(FitOptions([str(world.write(folder / "world.csv", rows))]), folder / "artifacts"))
    return made


@pytest.fixture(scope="session")
def demo_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of a small invented catalogue."""
    folder = tmp_path_factory.mktemp("demo")
    fit(FitOptions(["demo:600"]), folder)
    return folder


@pytest.fixture(scope="session")
def demo_catalog(demo_artifacts: Path) -> Catalog:
    return load(demo_artifacts)


@pytest.fixture(scope="session")
def demo_service(demo_artifacts: Path) -> Iterator[str]:
    """The address of a server with the small invented catalogue."""
    with served(demo_artifacts) as base:
        yield base


@pytest.fixture(scope="session")
def empty_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server without artifacts."""
    with served(tmp_path_factory.mktemp("empty")) as base:
        yield base


@pytest.fixture(scope="session")
def dialect_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of a small invented catalogue whose ids Spotify's clients accept: 22 letters and digits."""
    folder = tmp_path_factory.mktemp("dialect")
    songs = next(demo.demo_chunks(600))
    songs = songs.assign(
        id=songs["id"].str.replace("demo-", "Invented0000000"),
        artists=songs["artists"].str.join(";"),
        genres=songs["genres"].str.join(";"),
    )
    songs.to_csv(folder / "songs.csv", index=False)
    fit(FitOptions([str(folder / "songs.csv")]), folder / "artifacts")
    return folder / "artifacts"


@pytest.fixture(scope="session")
def real_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of the 114k real tracks; skips the test if they are not there."""
    if not TRACKS.exists():
        pytest.skip("needs the 114k tracks")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # one fit serves all processes of a distributed run
    folder = shared / "real"
    with (shared / "real.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "current.json").exists():
            fit(FitOptions([str(TRACKS)]), folder)
    return folder


@pytest.fixture
def no_check_outlives_its_test():
    """Wait for checks for a new version that are still running when a test ends."""
    yield
    wait_for_checks()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"
