"""Playlists from a file: their entries matched to the catalogue, plays made into sessions, all in bounded memory."""

import importlib.util
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue_build import ROOT
from segue_build.sources import importer, playlists
from segue_build.sources.importer import load_playlists
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.playlists import MAX_PLAYLIST_WORKS

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
    assert known.by_key == {("lesondees", "deja reve"): 0, ("tomasvrba", "low tide"): 1, ("", "three"): 2}
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


CREDITS = {
    "Ines & the Lanterns": ["Ines & the Lanterns", "Ines and The Lanterns", "ines lanterns"],
    f"Ada{SEPARATOR}Bo": [
        "Ada;Bo",
        "Ada, Bo",
        "Ada & Bo",
        "Ada feat. Bo",
        "Ada ft Bo",
        "Bo / Ada",
        "Ada x Bo",
        "Bo",
        "ADA",
    ],
    "Earth, Wind & Fire": ["Earth, Wind & Fire", "Earth Wind and Fire", "earth wind fire"],
    "Tyler, The Creator": ["Tyler, The Creator", "Tyler The Creator"],
    "The Ferries": ["Ferries", "The Ferries with Ada", "Ada vs. The Ferries"],
    "AC/DC": ["AC/DC", "ACDC", "AC DC"],
}


@pytest.mark.parametrize(
    ("credit", "written"), [(credit, written) for credit, forms in CREDITS.items() for written in forms]
)
def test_credits_match_however_they_are_written(credit, written):
    known = playlists.number_works(["a", "b"], ["Tide", "Rain"], [credit, credit], np.zeros(2), np.ones(2, bool))
    for artists in (written, written.replace(";", SEPARATOR)):
        assert (known.find(artists, "Tide"), known.find(artists, "Rain (Live)")) == (0, 1)
        assert (known.find(artists, "Tides"), known.find(artists, ""), known.find("", "Tide")) == (None, None, None)


def test_an_artists_own_song_comes_before_one_that_features_the_artist():
    artists = [f"Ada{SEPARATOR}Bo", "Bo", f"Cy{SEPARATOR}Bo"]
    known = playlists.number_works(["a", "b", "c"], ["Tide"] * 3, artists, np.zeros(3), np.ones(3, bool))
    found = {
        written: known.find(written, "Tide")
        for written in ("Bo", "Ada", "Ada & Bo", "Cy feat. Bo", "Dot & Bo", "Dot")
    }
    assert found == {"Bo": 1, "Ada": 0, "Ada & Bo": 0, "Cy feat. Bo": 2, "Dot & Bo": 1, "Dot": None}


def test_the_id_wins_over_artist_and_title(read):
    assert members(read("playlist_id,track_id,artist,title\np,two,Les Ondées,Déjà Rêvé\n")) == {"p": [1]}


@pytest.fixture
def matched(monkeypatch, known):
    """Playlists of entries, given as cells that differ from those of an entry that says nothing."""

    def of(*rows, known=known):
        blank = dict.fromkeys(("playlist", "id", "isrc", "name", "artists", "album"), "")
        blank |= {"played_at": None, "ms_played": np.nan, "duration_ms": np.nan, "skipped": None}
        entries = pd.DataFrame([blank | row for row in rows])
        entries["played_at"] = pd.to_datetime(entries["played_at"], utc=True)
        monkeypatch.setattr(importer, "iter_entries", lambda path: [entries[:2], entries[2:]])
        return load_playlists(Path("mine.zip"), known)

    return of


def test_the_isrc_comes_after_the_id_and_before_the_title():
    ids, names = ["a", "b", "c"], ["A", "B", "C"]
    known = playlists.number_works(
        ids, names, ["X"] * 3, np.zeros(3), np.ones(3, bool), isrcs=["", "QZ1112233333", "QZ1112233334"]
    )
    frame = pd.DataFrame({"id": ids, "name": names, "artists": "X", "isrc": [None, "QZ1112233333", "QZ1112233334"]})
    frame = frame.assign(popularity=0.0, tempo=1.0, duration_ms=1.0)
    assert playlists.catalog_works(frame).by_isrc == known.by_isrc == {"QZ1112233333": 1, "QZ1112233334": 2}


def test_entries_are_counted_by_what_they_matched_by(matched):
    ids, names = ["a", "b", "c"], ["A", "B", "C"]
    isrcs = ["", "QZ1112233333", "QZ1112233334"]
    known = playlists.number_works(ids, names, ["X"] * 3, np.zeros(3), np.ones(3, bool), isrcs=isrcs)
    rows = [
        {"id": "a", "isrc": isrcs[1], "artists": "X", "name": "C"},
        {"id": "elsewhere", "isrc": isrcs[1], "artists": "X", "name": "C"},
        {"id": "elsewhere", "isrc": "QZ0000000000", "artists": "X & Y", "name": "C"},
        {"artists": f"X{SEPARATOR}Y", "name": "D"},
        {"artists": f"X{SEPARATOR}Y", "name": "D"},
        {"id": "elsewhere"},
        {"name": "D"},
    ]
    found = matched(*({"playlist": "p"} | row for row in rows), known=known)
    assert (members(found), found.artists[3:]) == ({"p": [0, 1, 2, 3]}, ["x"])
    assert found.matches.lines() == [
        "3 entries match songs of the catalogue (1 by id, 1 by ISRC, 1 by artist and title), 4 do not",
        "  no match: D by X, Y",
        "  no match: elsewhere",
        "  no match: D",
    ]


def test_ten_entries_that_did_not_match_are_shown_those_that_are_there_most_often(matched):
    rows = [{"playlist": f"p{n}", "id": "one"} for n in range(3)]
    rows += [
        {"playlist": f"p{n}", "name": f"Song {k}", "artists": "X"} for k in range(15) for n in range(3 + (k == 9))
    ]
    first, *shown = matched(*rows).matches.lines()
    assert first == "3 entries match songs of the catalogue (3 by id), 46 do not"
    assert shown == [f"  no match: Song {k} by X" for k in (9, *range(9))]


def play(minute, song, **cells):
    return {"played_at": pd.Timestamp("2026-01-01T10:00Z") + pd.Timedelta(minutes=minute), "id": song, **cells}


def test_half_an_hour_without_a_play_ends_a_session(matched):
    found = matched(play(0, "one"), play(29, "two"), play(58.9, "one"), play(89, "two"), play(300, "three"))
    assert members(found) == {
        "2026-01-01T10:00:00Z": [0, 1],
        "2026-01-01T11:29:00Z": [1],
        "2026-01-01T15:00:00Z": [2],
    }


def test_plays_need_not_be_in_order_and_repeats_count_once(matched):
    found = matched(
        play(50, "one"), play(5, "two"), play(0, "three"), play(25, "one"), play(27, "one"), play(25, "two")
    )
    assert members(found) == {"2026-01-01T10:00:00Z": [2, 1, 0]}


def test_the_gap_is_from_the_end_of_a_play_to_the_beginning_of_the_next_where_its_length_is_known(matched):
    minute = 60_000
    found = matched(play(0, "one"), play(40, "two", ms_played=11 * minute), play(80, "three", ms_played=10 * minute))
    assert members(found) == {"2026-01-01T10:00:00Z": [0, 1], "2026-01-01T11:20:00Z": [2]}


def test_a_skip_or_less_than_half_a_minute_does_not_count_but_somebody_was_there(matched):
    found = matched(
        play(0, "one", ms_played=200_000, skipped=False),
        play(20, "two", ms_played=29_999),
        play(40, "three", ms_played=100_000, skipped=True),
        play(60, "two", ms_played=30_000),
        play(500, "one", skipped=True),
    )
    assert members(found) == {"2026-01-01T10:00:00Z": [0, 1]}
    assert found.matches.summary() == (
        "2 entries match songs of the catalogue (2 by id), 0 do not; 3 plays were skipped or shorter than 30 seconds"
    )


def test_plays_and_playlists_in_one_source_teach_both(matched):
    found = matched({"playlist": "p", "id": "two"}, play(0, "one"), {"playlist": "p", "id": "one"}, {"id": "three"})
    assert members(found) == {"p": [1, 0], "2026-01-01T10:00:00Z": [0]}


def test_a_history_takes_few_bytes_a_play(known):
    """Sessions of ten of a thousand songs: as dictionaries they would take 93 bytes a play."""
    n_plays = 20_000
    count = np.arange(n_plays)
    at = pd.Series(np.datetime64("2020-01-01", "ms") + (count * 200_000 + count // 10 * 7_200_000).astype("m8[ms]"))
    songs = pd.Series(count * 7 % 1_000).astype("str")
    entries = pd.DataFrame({"playlist": "", "id": np.where(count, "", "one"), "isrc": "", "artists": "Somebody",
                            "name": songs, "skipped": None, "played_at": at.dt.tz_localize("UTC"),
                            "ms_played": 200_000.0})  # fmt: skip
    matcher = playlists.PlaylistMatcher(known)
    matcher.add(entries)
    tracemalloc.start()
    found = matcher.playlists("history")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(found.names), sum(map(len, found.members))) == (2_000, n_plays)
    assert peak < 60 * n_plays


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


# --- a million rows -------------------------------------------------------------------------------------------

READ = """
import resource, sys
from pathlib import Path
import numpy as np
from segue_build.sources import importer, playlists
from segue_build.sources.multivalue import SEPARATOR
ids = [f"song{number}" for number in range(50_000)]
known = playlists.number_works(ids, ids, ids, np.zeros(len(ids)), np.ones(len(ids), bool))
found = importer.load_playlists(Path(sys.argv[1]), known)
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
