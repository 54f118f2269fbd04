"""Playlists from a file: matched to the catalogue, bounded, and bad ones told in a line."""

import importlib.util
import random
import subprocess
import sys

import numpy as np
import pytest

from segue_build import ROOT
from segue_build.cli import main
from segue_build.sources import playlists
from segue_build.sources.playlists import MAX_PLAYLIST_WORKS, load_playlists
from tests.support import world

SCORE = ROOT.parent / "shared" / "quality" / "score.py"
SONGS = [
    ("one", "Déjà Rêvé", "Les Ondées", 80),
    ("one-live", "Déjà Rêvé - Live", "Les Ondées", 5),
    ("two", "Low Tide", "Tomas Vrba", 20),
    ("three", "(???)", "", 1),
]
GIGABYTES = 1.5


@pytest.fixture
def known():
    ids, titles, artists, popularity = zip(*SONGS)
    return playlists.number_works(ids, titles, artists, np.array(popularity), np.ones(len(ids), bool))


@pytest.fixture
def read(tmp_path, known):
    """Playlists read from a text."""

    def of(text):
        (tmp_path / "lists.csv").write_text(text, encoding="utf-8")
        return load_playlists(tmp_path / "lists.csv", known)

    return of


def members(found):
    return dict(zip(found.names, found.members))


def test_works_are_numbered_and_the_most_popular_version_stands_for_each(known):
    assert known.by_id == {"one": 0, "one-live": 0, "two": 1, "three": 2}
    assert known.by_key == {("les ondees", "deja reve"): 0, ("tomas vrba", "low tide"): 1, ("", "three"): 2}
    assert (known.rows.tolist(), known.artists) == ([0, 2, 3], ["les ondees", "tomas vrba", ""])


def test_songs_that_cannot_be_recommended_are_no_works(known):
    found = playlists.number_works(["a", "b"], ["A", "B"], ["x", "x"], np.zeros(2), np.array([False, True]))
    assert (found.by_id, found.rows.tolist()) == ({"b": 0}, [1])


@pytest.mark.parametrize(
    "song", ["one", "spotify:track:one", "https://open.spotify.com/track/one?si=x", "one-live", " one "]
)
def test_a_song_is_found_by_its_id_or_uri(read, song):
    assert members(read(f"playlist_id,track_id\np,{song}\n")) == {"p": [0]}


@pytest.mark.parametrize(
    ("artist", "title"),
    [
        ("Les Ondées", "Déjà Rêvé"),
        ("LES ONDEES", "deja reve"),
        ("Les Ondées", "Déjà Rêvé (feat. Polly Quartz)"),
        ("les-ondées", "Déjà Rêvé - Remastered 2011"),
    ],
)
def test_a_song_without_a_known_id_is_found_by_artist_and_title(read, artist, title):
    found = read(f"playlist_id,track_id,artist_name,track_name\np,elsewhere,{artist},{title}\n")
    assert members(found) == {"p": [0]}


def test_the_id_wins_over_artist_and_title(read):
    assert members(read("playlist_id,track_id,artist,title\np,two,Les Ondées,Déjà Rêvé\n")) == {"p": [1]}


def test_works_outside_the_catalogue_are_kept_apart(read):
    found = read(
        "playlist_id,artist,title\n"
        "p,Tomas Vrba,Low Tide\np,Tomas Vrba,Elsewhere\np,,Nameless\n"
        "q,Nobody,Else\nq,TOMAS VRBA,Elsewhere - Live\n"
    )
    assert members(found) == {"p": [1, 3], "q": [4, 3]}
    assert (found.artists[3:], found.n_known) == (["tomas vrba", "nobody"], 3)
    assert playlists.playlist_frequencies(found).tolist() == [0, 1, 0, 2, 1]


def test_a_song_that_a_playlist_repeats_counts_once(read):
    assert members(read("playlist_id,track_id\np,two\np,one\np,two\np,one-live\n")) == {"p": [1, 0]}


def test_rows_of_one_playlist_need_not_stand_together(read):
    assert members(read("pid,track_id\n1,one\n2,two\n1,two\n,one\n")) == {"1": [0, 1], "2": [1]}


def test_a_long_playlist_is_cut(read):
    rows = [f"p,,Artist,Song {number}" for number in range(MAX_PLAYLIST_WORKS + 5)]
    found = read("\n".join(["playlist,id,artist,title", "p,one,,", *rows, "q,two,,"]))
    assert list(map(len, found.members)) == [MAX_PLAYLIST_WORKS, 1]
    assert found.members[0] == [0, *range(3, MAX_PLAYLIST_WORKS + 2)]


@pytest.mark.parametrize(
    "header",
    [
        "playlist_id,track_id,artist_name,track_name",
        "PID,Track_URI,Artist_Name,Track_Name",
        "playlist,song_id,artists,song",
        "pid,spotify_id,track_artist,name",
    ],
)
def test_headers_go_by_several_names(read, header):
    assert members(read(f"{header}\np,one,,\np,,Tomas Vrba,Low Tide\n")) == {"p": [0, 1]}


def test_columns_that_mean_nothing_here_are_passed_over(read):
    assert members(read("position;playlist_id;added_by;track_id\n0;p;somebody;one\n")) == {"p": [0]}


@pytest.mark.parametrize("fold", range(playlists.FOLDS))
def test_a_fold_cuts_the_playlists_in_two(read, fold):
    whole = read("playlist_id,track_id\n" + "".join(f"{number},one\n" for number in range(200)))
    valid, train = whole.split("valid", fold).names, whole.split("train", fold).names
    assert sorted([*valid, *train]) == sorted(whole.names) == sorted(whole.split("all", fold).names)
    assert 20 <= len(valid) <= 60


def test_every_playlist_is_judged_in_one_fold(read):
    whole = read("playlist_id,track_id\n" + "".join(f"{number},one\n" for number in range(100)))
    folds = [name for fold in range(playlists.FOLDS) for name in whole.split("valid", fold).names]
    assert sorted(folds) == sorted(whole.names)


@pytest.mark.skipif(not SCORE.exists(), reason="needs the score script")
def test_the_folds_are_those_of_the_judge_outside(read):
    spec = importlib.util.spec_from_file_location("score", SCORE)
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    whole = read("playlist_id,track_id\n" + "".join(f"{name},one\n" for name in [*range(300), "mixé", "a b"]))
    for fold in range(playlists.FOLDS):
        for part in ("train", "valid"):
            expected = [name for name in whole.names if score.part_of(name, fold) == part]
            assert whole.split(part, fold).names == expected


# --- bad input ------------------------------------------------------------------------------------------------

COLUMNS = "no column identifies playlists or songs in"
MATCHES_NOTHING = "no song of these playlists is in the catalogue, by id or by artist and title"
BAD = {
    "empty": (b"", "bad.csv: the file is empty"),
    "binary": (b"\x7fELF\x02\x01\x01\0\0\0", "bad.csv, line 1: binary data"),
    "two encodings": (
        "playlist_id,title\np,Zoë\n".encode() + b"q,Zo\xeb\n",
        "line 3: byte 0xeb is not UTF-8, although",
    ),
    "unknown columns": (b"mix,song_ref\np,piano-1\n", f"bad.csv, row 1: {COLUMNS} mix, song_ref; expected"),
    "no songs": (b"playlist_id,artist\np,Halberd\n", f"bad.csv, row 1: {COLUMNS} playlist_id, artist; expected"),
    "headers only": (b"playlist_id,track_id\n", f"bad.csv: {MATCHES_NOTHING}"),
    "nothing matches": (b"playlist_id,track_id\np,nobody\nq,knows\n", f"bad.csv: {MATCHES_NOTHING}"),
}
TOO_LITTLE = {
    "playlists of one song": "".join(f"{number},piano-{number % 4 + 1}\n" for number in range(30)),
    "one playlist": "p,piano-1\np,piano-2\np,metal-1\np,metal-2\n",
    "one list of songs in any order": "p,piano-1\np,metal-1\nq,metal-1\nq,piano-1\nq,metal-1\n",
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


@pytest.mark.parametrize("rows", TOO_LITTLE.values(), ids=TOO_LITTLE)
def test_playlists_that_tell_no_songs_apart_are_refused(refused, rows):
    told = refused(f"playlist_id,track_id\n{rows}".encode())
    assert told.endswith("learning takes 2 such playlists that differ")


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
    assert "of 0 playlists to learn from" in fold("valid", 6)


def test_a_fold_that_leaves_nothing_to_judge_by_is_told_before_anything_is_written(fold):
    assert "none of 0 playlists holds 5 songs of the catalogue: nothing to judge by" in fold("train", 3)


def test_playlists_of_few_songs_judge_nothing(refused, world_artifacts):
    content = b"playlist_id,track_id\np,piano-1\np,piano-2\nq,metal-1\n"
    told = refused(content, "evaluate", "--artifacts", world_artifacts)
    assert told == "error: none of 2 playlists holds 5 songs of the catalogue: nothing to judge by"


# --- a million rows -------------------------------------------------------------------------------------------

READ = """
import resource, sys
from pathlib import Path
import numpy as np
from segue_build.sources import playlists
ids = [f"song{number}" for number in range(50_000)]
known = playlists.number_works(ids, ids, ids, np.zeros(len(ids)), np.ones(len(ids), bool))
found = playlists.load_playlists(Path(sys.argv[1]), known)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(len(found.names), sum(map(len, found.members)), len(found.artists), peak)
"""


@pytest.mark.slow
def test_a_million_rows_are_read_in_bounded_memory(tmp_path):
    dice = random.Random(5)
    with (tmp_path / "lists.csv").open("w", encoding="utf-8") as file:
        file.write("playlist_id,track_id,artist_name,track_name\n")
        for row in range(1_000_000):
            song = int(400_000 * dice.random() ** 2)
            file.write(f"{row // 80},song{song},Artist {song // 9},Song {song} - Remix (feat. Somebody)\n")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "lists.csv")],
        env={"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'build'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    names, held, works, peak = map(float, done.stdout.split())
    assert (names, held > 990_000, works > 300_000) == (12_500, True, True)
    assert peak < GIGABYTES
