"""``fit`` without a source: invented songs never take the place of real ones."""

import json

import pytest

from segue.catalog import load
from segue_build.cli import main
from segue_build.fit import default_sources
from tests.support import invented_playlists, world
from tests.support.tables import write
from tests.test_cli import everything


@pytest.fixture
def real(tmp_path):
    """A folder whose current version is of real songs."""
    source = str(world.write(tmp_path / "my songs.csv"))
    playlists = write(tmp_path / "lists.csv", invented_playlists.rows(invented_playlists.of_world()))
    out = tmp_path / "artifacts"
    assert main(["fit", "--source", source, "--playlists", playlists, "--seed", "3", "--out", str(out)]) == 0
    return out


def test_without_a_source_invented_songs_never_take_the_place_of_real_ones(real, capsys):
    before = everything(real)
    assert main(["fit", "--out", str(real)]) == 1
    assert everything(real) == before
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: the songs in {real} are real ones, and without --source they would be replaced by invented ones:"
        " run 'segue fit --source 'my songs.csv' --playlists lists.csv --seed 3', or say --source demo if that is"
        " what you want"
    )
    assert main(["fit", "--source", "demo:200", "--out", str(real)]) == 0
    assert load(real).manifest["invented"]


@pytest.mark.parametrize("damage", [{"format": 4}, {"format": 4, "parameters": None, "invented": None}])
def test_real_songs_of_an_older_format_are_not_replaced_either(real, capsys, damage):
    path = next(real.glob("versions/*/manifest.json"))
    path.write_text(json.dumps(json.loads(path.read_bytes()) | damage))
    assert main(["fit", "--out", str(real)]) == 1
    assert "are real ones, and without --source" in capsys.readouterr().err
    path.write_text("{")
    assert main(["fit", "--out", str(real)]) == 1
    assert capsys.readouterr().err.endswith("run 'segue fit --source SOURCE'\n")


def test_without_a_source_songs_are_invented_where_there_are_none_or_invented_ones(tmp_path):
    out = tmp_path / "artifacts"
    assert default_sources(out) == ("demo",)
    assert main(["fit", "--source", "demo:200", "--out", str(out)]) == 0
    assert default_sources(out) == ("demo",)
