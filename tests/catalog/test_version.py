"""Saving and loading a version: whole or not at all, whatever is killed, cut off, flipped or deleted."""

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from segue import catalog
from segue.catalog.catalog import StringArray
from segue.catalog.version_files import FORMAT
from segue.errors import ArtifactsError
from segue_build.artifacts import array_files

# saves version after version, slowly, and tells of each when it is saved
SAVER = """
import itertools, sys
from pathlib import Path
from segue import catalog
from tests.catalog.test_version import small

for number in itertools.count(int(sys.argv[2])):
    print(number, flush=True)
    catalog.save(Path(sys.argv[1]), small(number, pause=0.002))
"""
ROOT = Path(__file__).resolve().parents[2]
KILLS = 25


def small(number, pause=0):
    """Fills a version of a few files that tells its number."""

    def fill(folder):
        for name in ("first", "second", "third"):
            np.save(folder / f"{name}.npy", np.full(1000, number))
            time.sleep(pause)
        return {"songs": number}

    return fill


def folder_of(root):
    return root / "versions" / catalog.current_version(root)


def checked(root):
    """The current version, every file of it verified."""
    found = catalog.load(root)
    catalog.verify(found.folder, found.version)
    return found


def write_text(path, text):
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path):
    catalog.save_version(tmp_path, small(1))
    return tmp_path


def test_a_saved_version_reads_back(root):
    found = checked(root)
    assert (len(found), found.array("second").tolist()) == (1, [1] * 1000)
    assert found.version == catalog.current_version(root)


def test_the_same_content_is_the_same_version_and_stays_untouched(root):
    before = {path.name: path.stat() for path in folder_of(root).iterdir()}
    catalog.save_version(root, small(1))
    assert {path.name: path.stat() for path in folder_of(root).iterdir()} == before
    assert len(list((root / "versions").iterdir())) == 1


def test_other_content_is_another_version_beside_the_first(root):
    first = catalog.current_version(root)
    second = catalog.save_version(root, small(2)).version
    assert catalog.current_version(root) == second
    assert {path.name for path in (root / "versions").iterdir()} == {first, second}


def test_a_fill_that_fails_leaves_the_current_version(root):
    def failing(folder):
        small(2)(folder)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        catalog.save_version(root, failing)
    assert len(checked(root)) == 1


def test_a_damaged_version_is_replaced_when_its_content_is_saved_again(root):
    path = folder_of(root) / "second.npy"
    path.write_bytes(path.read_bytes()[:-1])
    catalog.save_version(root, small(1))
    assert len(checked(root)) == 1


def saver(root, number):
    command = [sys.executable, "-c", SAVER, str(root), str(number)]
    path = {"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'build'}", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=path, stdout=subprocess.PIPE, text=True)


def test_a_save_that_is_killed_at_any_moment_leaves_the_old_or_the_new_version(root):
    dice = random.Random(7)
    number = 1
    for _ in range(KILLS):
        with saver(root, number + 1) as process:
            begun = process.stdout.readline()
            time.sleep(dice.uniform(0, 0.03))
            process.kill()
            begun = int((begun + process.stdout.read()).split()[-1])
        number = len(checked(root))
        assert number in (begun - 1, begun)
    assert len(catalog.save_version(root, small(number + 1))) == number + 1
    assert not [path.name for path in (root / "versions").iterdir() if path.name.startswith(".")]


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.fixture
def each_file(world_artifacts, tmp_path):
    """Yields the files of a version one by one; each is put right again when the next one is asked for."""
    root = tmp_path / "artifacts"
    shutil.copytree(world_artifacts, root)

    def files():
        for path in sorted(folder_of(root).iterdir()):
            content = path.read_bytes()
            yield root, path
            path.write_bytes(content)

    return files()


def test_a_flipped_byte_in_any_file_is_found_by_verify_which_names_the_file(each_file):
    for root, path in each_file:
        flip(path)
        with pytest.raises(ArtifactsError, match=rf"^{path.name} .*segue fit"):
            catalog.verify(path.parent, catalog.current_version(root))


@pytest.mark.parametrize("damage", [truncate, lambda path: path.unlink()], ids=["truncated", "deleted"])
def test_any_file_that_is_truncated_or_deleted_is_named_by_load_with_the_command_to_run(each_file, damage):
    for root, path in each_file:
        damage(path)
        with pytest.raises(ArtifactsError, match=rf"^{path.name} .*run 'segue fit --source "):
            catalog.load(root)


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        (
            {"parameters": {"arguments": ["--source", "my songs.csv", "--playlists", "mine.zip"]}},
            "segue fit --source 'my songs.csv' --playlists mine.zip",
        ),
        ({"parameters": {}, "invented": True}, "segue fit --source demo"),
        ({"parameters": {}, "invented": False}, "segue fit --source SOURCE"),
        ({"parameters": {"arguments": "--source demo"}, "invented": 1}, "segue fit --source SOURCE"),
        ({"parameters": None, "invented": None}, "segue fit --source SOURCE"),
    ],
)
def test_another_format_is_refused_with_both_numbers_and_the_command_of_its_sources(root, facts, command):
    path = folder_of(root) / "manifest.json"
    manifest = json.loads(path.read_bytes())
    write_text(path, json.dumps(manifest | {"format": 77} | facts))
    with pytest.raises(ArtifactsError) as refused:
        catalog.load(root)
    assert str(refused.value) == (
        f"manifest.json of version {path.parent.name} has format 77, this code reads format {FORMAT}: run '{command}'"
    )


GARBAGE = ["", "{", "[]", "null", "{}", '{"version": 7}', '{"version": "../../etc"}', '{"format": 1}', "\x00" * 9]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", ["current.json", "manifest.json"])
def test_garbage_is_refused_with_the_command(root, name, garbage):
    path = root / name if name == "current.json" else folder_of(root) / name
    write_text(path, garbage)
    with pytest.raises(ArtifactsError, match=f"^{name} .*run 'segue fit --source "):
        catalog.load(root)


def test_a_pointer_to_a_version_that_is_gone_is_refused(root):
    shutil.rmtree(folder_of(root))
    with pytest.raises(ArtifactsError, match=r"^manifest\.json .*run 'segue fit --source "):
        catalog.load(root)


@pytest.mark.parametrize("missing", ["", "nowhere"])
def test_no_artifacts_are_told_with_the_command_to_run_first(tmp_path, missing):
    with pytest.raises(ArtifactsError, match=r"^no artifacts in '.*': run 'segue fit' first$"):
        catalog.load(tmp_path / missing)


@pytest.mark.parametrize("texts", [[], [""], ["a", "", "Déjà", "猫", ""], ["x" * 300]])
def test_texts_read_back_as_they_were_written(tmp_path, texts):
    array_files.write_strings(tmp_path, "names", [texts[:2], texts[2:]])
    found = StringArray(np.load(tmp_path / "names_heap.npy"), np.load(tmp_path / "names_offsets.npy"))
    assert [found[row] for row in range(len(found))] == texts


def test_offsets_tell_where_runs_begin_and_the_last_one_ends():
    assert array_files.offsets_from_lengths(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert array_files.offsets_from_lengths(np.array([2**32])).dtype == np.uint64
