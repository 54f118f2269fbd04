"""Every processor makes the same version of a table, and gives the same answers from it."""

import csv
import platform
import random

import pytest

from tests.conftest import PLAYLISTS, TRACKS
from tests.support.processors import PROCESSORS, run

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="needs an x86-64 processor")
ELSEWHERE = [name for name in PROCESSORS if name != "as it is"]
UNLIKE = ["as it is", "Nehalem", "without AVX"]  # a fit of the real tracks takes half a minute
WHICH = "import numpy, threadpoolctl; print(*(one['architecture'] for one in threadpoolctl.threadpool_info()))"


def fitted(processor, folder, *options):
    """The id of the version."""
    out = run(processor, "-m", "segue_build", "fit", "--out", folder / processor, *options)
    return out.split()[1].rstrip(":")


@pytest.fixture(scope="module")
def playlists(tmp_path_factory):
    """Playlists of the invented catalogue: songs that were made one after the other."""
    path = tmp_path_factory.mktemp("playlists") / "playlists.csv"
    dice = random.Random(0)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["playlist_id", "track_id"])
        for playlist in range(300):
            first = dice.randrange(2_900)
            rows.writerows([playlist, f"demo-{first + dice.randrange(100):07}"] for _ in range(20))
    return path


@pytest.fixture(scope="module")
def here(tmp_path_factory, playlists):
    """The folder of versions, and the id of this processor's own one."""
    folder = tmp_path_factory.mktemp("versions")
    return folder, fitted("as it is", folder, "--source", "demo:3000", "--playlists", playlists)


def test_the_kernels_that_are_asked_for_are_used_where_the_processor_has_them():
    used = {kernel: run(kernel, "-c", WHICH).split()[0] for kernel in ("Nehalem", "Haswell")}
    assert used == {"Nehalem": "Nehalem", "Haswell": "Haswell"}


@pytest.mark.parametrize("processor", ELSEWHERE)
def test_another_processor_fits_the_same_version(here, playlists, processor):
    folder, version = here
    assert fitted(processor, folder, "--source", "demo:3000", "--playlists", playlists) == version


@pytest.fixture(scope="module")
def own_answers(here):
    return run("as it is", "-m", "tests.support.answer_digest", here[0] / "as it is", 1_000)


@pytest.mark.parametrize("processor", ELSEWHERE)
def test_another_processor_gives_the_same_thousand_answers(here, own_answers, processor):
    assert run(processor, "-m", "tests.support.answer_digest", here[0] / "as it is", 1_000) == own_answers


@pytest.mark.slow
@pytest.mark.skipif(not PLAYLISTS.exists(), reason="needs playlists")
def test_unlike_processors_fit_the_same_version_of_the_real_tracks_and_answer_alike(tmp_path):
    options = ["--source", TRACKS, "--playlists", PLAYLISTS]
    versions = {processor: fitted(processor, tmp_path, *options) for processor in UNLIKE}
    assert set(versions.values()) == {versions["as it is"]}
    answers = {
        run(processor, "-m", "tests.support.answer_digest", tmp_path / "as it is", 1_000) for processor in UNLIKE
    }
    assert len(answers) == 1
