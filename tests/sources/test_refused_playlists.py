"""Playlists that fit and evaluate refuse in a line: bad ones, and too few to learn from or to judge by."""

import json
from pathlib import Path

import pytest

from segue.catalog import load
from segue_build.cli import main
from segue_build.sources import playlists
from tests.support import world

NOTHING = "no playlists and no plays in it, only"
COLUMNS = "no column holds a song's id or name"
MATCHES_NOTHING = "no song of these playlists is in the catalogue, by id or by artist and title"
BAD = {
    "empty": (b"", "bad.csv: the file is empty"),
    "binary": (b"\x7fELF\x02\x01\x01\0\0\0", "bad.csv, line 1: binary data"),
    "two encodings": (
        "playlist_id,title\np,Zoë\n".encode() + b"q,Zo\xeb\n",
        "line 3: byte 0xeb is not UTF-8, although",
    ),
    "unknown columns": (b"mix,song_ref\np,piano-1\n", f"bad.csv: {NOTHING} row 1: {COLUMNS}"),
    "no songs": (b"playlist_id,artist\np,Halberd\n", f"bad.csv: {NOTHING} row 1: {COLUMNS}"),
    "songs": (
        b"track_id,track_name,energy\n1,A,0.5\n",
        f"bad.csv: {NOTHING} songs; expected playlists or plays: a table",
    ),
    "headers only": (b"playlist_id,track_id\n", f"bad.csv: {MATCHES_NOTHING}"),
    "nothing matches": (b"playlist_id,track_id\np,nobody\nq,knows\n", f"bad.csv: {MATCHES_NOTHING}"),
}
TOO_LITTLE = {
    "playlists of one song": ("".join(f"{number},piano-{number % 4 + 1}\n" for number in range(30)), "0, of 30"),
    "one playlist": ("p,piano-1\np,piano-2\np,metal-1\np,metal-2\n", "1, of 1"),
    "one list of songs in any order": ("p,piano-1\np,metal-1\nq,metal-1\nq,piano-1\nq,metal-1\n", "1, of 2"),
}


@pytest.fixture
def refused(tmp_path, capsys):
    """What the command line says of playlists that it refuses; it writes nothing."""
    source = world.write(tmp_path / "world.csv")

    def of(content, *arguments):
        (tmp_path / "bad.csv").write_bytes(content)
        before = sorted(tmp_path.rglob("*"))
        command = arguments or ("fit", "--source", source, "--out", tmp_path / "artifacts")
        assert main([*map(str, command), "--playlists", str(tmp_path / "bad.csv")]) == 1
        told = capsys.readouterr()
        *progress, error = told.err.splitlines()
        assert (told.out, sorted(tmp_path.rglob("*"))) == ("", before)
        assert error.startswith("error: ")
        assert not any(line.startswith(("error", "Traceback")) for line in progress)
        return error

    return of


@pytest.mark.parametrize(("content", "told"), BAD.values(), ids=BAD)
def test_bad_playlists_are_one_line_and_nothing_is_written(refused, content, told):
    assert told in refused(content)


@pytest.mark.parametrize(("content", "told"), BAD.values(), ids=BAD)
def test_bad_playlists_judge_nothing(refused, world_artifacts, content, told):
    assert told in refused(content, "evaluate", "--artifacts", world_artifacts)


@pytest.mark.parametrize(("rows", "found"), TOO_LITTLE.values(), ids=TOO_LITTLE)
def test_playlists_that_tell_no_songs_apart_are_refused(refused, rows, found):
    assert refused(f"playlist_id,track_id\n{rows}".encode()) == (
        "error: learning takes 2 playlists or sessions that differ, each of two or more songs of the catalogue;"
        f" found: {found} in all"
    )


@pytest.fixture
def fold(refused, tmp_path):
    """What is said of playlists of so many songs that all are in the part that --fold learns from or judges by."""

    def of(part, songs):
        names = [name for name in map(str, range(50)) if playlists._fold_part(name, 1) == part]
        held = [f"{group}-{number}" for group in world.GROUPS for number in (1, 2, 3, 4)]
        rows = [f"{name},{song}\n" for k, name in enumerate(names) for song in held[k % 5 : k % 5 + songs]]
        fit = ("fit", "--source", tmp_path / "world.csv", "--out", tmp_path / "artifacts", "--fold", "1")
        return refused("".join(["playlist_id,track_id\n", *rows]).encode(), *fit)

    return of


def test_a_fold_that_leaves_nothing_to_learn_from_is_told(fold):
    assert "of the catalogue; found: 0, of 0 in all" in fold("valid", 6)


def test_a_fold_that_leaves_nothing_to_judge_by_is_told_before_anything_is_written(fold):
    assert "none of 0 playlists holds 5 songs of the catalogue: nothing to judge by" in fold("train", 3)


def test_a_fit_with_a_fold_reads_playlists_once_and_judges_as_evaluate_does(tmp_path, capsys):
    held = [f"{group}-{number}" for group in world.GROUPS for number in (1, 2, 3, 4)]
    rows = [f"{name},{song}\n" for name in range(60) for song in held[name % 6 : name % 6 + 6]]
    (tmp_path / "lists.csv").write_text("".join(["playlist_id,track_id\n", *rows]))
    source, out = world.write(tmp_path / "world.csv"), str(tmp_path / "artifacts")
    lists = ["--playlists", str(tmp_path / "lists.csv"), "--fold", "1"]
    assert main(["fit", "--source", str(source), "--out", out, *lists]) == 0
    progress = capsys.readouterr().err
    assert sum(line.startswith("  lists.csv:") for line in progress.splitlines()) == 1
    assert progress.count("entries match songs of the catalogue") == 2  # as it goes, and in the report
    assert main(["evaluate", "--artifacts", out, "--json", *lists]) == 0
    judged = json.loads(capsys.readouterr().out)["playlists"]
    fitted = load(Path(out)).manifest["quality"]["playlists"]
    assert fitted == {name: pytest.approx(list(of.values()), abs=1e-8) for name, of in judged.items()}


def test_playlists_of_few_songs_judge_nothing(refused, world_artifacts):
    content = b"playlist_id,track_id\np,piano-1\np,piano-2\nq,metal-1\n"
    told = refused(content, "evaluate", "--artifacts", world_artifacts)
    assert told == "error: none of 2 playlists holds 5 songs of the catalogue: nothing to judge by"
