"""Disks that fill: what is told, what is left, and that the pointer can still be moved."""

import contextlib
import os
import re
import resource
import subprocess
import sys

import pytest

from segue import releases
from segue.catalog import current_version, load, version_files
from segue.errors import ArtifactsError
from segue_build.cli import main
from segue_build.fit import FitOptions, fit
from segue_build.releases.publish import publish, rollback
from tests.support import world
from tests.support.releases import ANYHOW, published, told_of

MEGABYTE = 1 << 20
SMALL_DISK = 4 * MEGABYTE  # bytes: several versions of the world
pytestmark = pytest.mark.filterwarnings(  # of a fit that fails, whose process would end
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "segue-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system, and not in every container")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


def fill(disk, left=0):
    """Fill a file system but for some bytes."""
    with (disk / "ballast").open("ab") as file:
        size = max(0, version_files.free_bytes(disk) - left)
        with contextlib.suppress(OSError):
            while size > 0:
                size -= os.write(file.fileno(), bytes(min(size, 4096)))


def tables(folder, count):
    """Tables of the world, each without another song."""
    paths = []
    for number in range(count):
        rows = [row for row in world.rows() if row["id"] != f"metal-{number + 1}"]
        paths.append(str(world.write(folder / f"world-{number}.csv", rows)))
    return paths


def names(root):
    return {path.name for path in root.iterdir()}, {path.name for path in (root / "versions").iterdir()}


@pytest.mark.parametrize("left", [0, 100_000, 200_000])
def test_a_fit_that_fills_the_disk_leaves_the_current_version_and_nothing_of_its_own(disk, tmp_path, left):
    first, second = tables(tmp_path, 2)
    kept = fit(FitOptions([first]), disk / "artifacts").version
    before = names(disk / "artifacts")
    fill(disk, left)
    with pytest.raises(
        ArtifactsError, match=r"MB are free: nothing was written|can't be written: .*nothing was kept"
    ):
        fit(FitOptions([second]), disk / "artifacts")
    assert names(disk / "artifacts") == before
    assert load(disk / "artifacts").version == kept
    (disk / "ballast").unlink()
    assert fit(FitOptions([second]), disk / "artifacts").version != kept


def test_a_version_that_has_no_room_is_told_before_anything_is_written(disk, tmp_path):
    with pytest.raises(ArtifactsError) as refused:
        version_files.save_version(disk, lambda folder: {"songs": 1}, 10 * MEGABYTE)
    assert re.search(
        r": the version needs 10\.5 MB at least, 3\.\d MB are free: nothing was written$", str(refused.value)
    )
    assert list((disk / "versions").iterdir()) == []


def test_a_full_disk_takes_no_version_that_is_published_and_says_how_much_that_needs(disk, versions):
    store = releases.open_store(str(disk / "store"))
    published(store.address, versions[:1])
    fill(disk)
    with pytest.raises(ArtifactsError, match=r"the version needs 0\.\d MB at least, 0\.0 MB are free"):
        publish(versions[1], store, ANYHOW)
    assert names(disk / "store")[1] == {versions[0].version}


def test_a_rollback_needs_no_room_on_the_disk(disk, versions, capsys):
    address = str(disk / "store")
    published(address, versions[:2])
    fill(disk)
    for wanted in (versions[0].version, versions[1].version):
        rollback(releases.open_store(address), wanted, ANYHOW)
        assert current_version(disk / "store") == wanted == told_of(address)[-1]["version"]
    (disk / "ballast").unlink()
    published(address, versions[2:3])
    assert (disk / "store" / ".reserve").stat().st_size == version_files.RESERVE_BYTES


def test_a_fit_after_one_that_was_killed_removes_what_it_left(tmp_path):
    (tmp_path / "versions" / ".partial").mkdir(parents=True)
    (tmp_path / "versions" / ".partial" / "vectors.npy").write_bytes(b"half")
    with version_files.write_lock(tmp_path):
        assert list((tmp_path / "versions").iterdir()) == []


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_file_that_may_not_become_that_large_is_told_on_one_line(tmp_path):
    (table,) = tables(tmp_path, 1)
    command = [sys.executable, "-m", "segue_build", "fit", "--source", table, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, preexec_fn=limit_files, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"error: .*out: the version can't be written: .*; nothing was kept of it", last), done.stderr
    assert list((tmp_path / "out" / "versions").iterdir()) == []
    assert main(["fit", "--source", table, "--out", str(tmp_path / "out")]) == 0
