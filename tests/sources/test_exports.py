"""Tables as well-known exports have them: their headers and their ways with values, filled with invented songs."""

import numpy as np
import pytest

from segue.errors import SourceError
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import load_tracks
from tests.support.tables import song, songs, text

COUNT = 40


def export(*columns):
    """Rows of a header and what a song has there."""
    return [{header: make(row, number) for header, make in columns} for number, row in enumerate(songs(COUNT))]


def cell(name, make=lambda value: value):
    return lambda row, _: make(row[name])


def hundred(base):
    """Whole numbers up to 100, as if measured."""
    return lambda _, number: (base + 7 * number) % 100 + 1


def constant(value):
    return lambda *_: value


def clock(row, _):
    minutes, seconds = divmod(row["duration_ms"] // 1000, 60)
    return f"{minutes}:{seconds:02}"


def seconds(row, _):
    return row["duration_ms"] // 1000


def credit(row, number):
    """One artist, or two with a comma between them."""
    return row["artists"] if number % 3 else f"{row['artists']}, Guest {number}"


CHOSIC = export(
    ("#", lambda _, number: number), ("Song", cell("track_name")), ("Artist", credit), ("BPM", cell("tempo", round)),
    ("Camelot", constant("8A")), ("Energy", hundred(3)), ("Added At", constant("2024-02-01")), ("Duration", clock),
    ("Popularity", cell("popularity")), ("Genres", constant("dance pop,pop")), ("Album", cell("album_name")),
    ("Album Date", constant("1999-05-12")), ("Dance", hundred(5)), ("Acoustic", hundred(11)),
    ("Instrumental", lambda _, number: 70 * (number == 3)), ("Valence", hundred(9)), ("Speech", hundred(2)),
    ("Live", hundred(8)), ("Loud (Db)", cell("loudness")), ("Key", constant("A Minor")),
    ("Time Signature", constant(4)), ("Spotify Track Id", cell("track_id")),
    ("Label", constant("A Label")), ("ISRC", constant("X")),
)  # fmt: skip
EXPORTIFY = export(
    ("Track URI", cell("track_id", "spotify:track:{}".format)), ("Track Name", cell("track_name")),
    ("Album Name", cell("album_name")), ("Artist Name(s)", credit), ("Release Date", constant("1999-05")),
    ("Duration (ms)", cell("duration_ms")), ("Popularity", cell("popularity")), ("Explicit", constant("false")),
    ("Added By", constant("")), ("Added At", constant("2024-02-01T00:00:00Z")), ("Genres", constant("dance pop,pop")),
    ("Record Label", constant("A Label")), ("Danceability", cell("danceability")), ("Energy", cell("energy")),
    ("Key", cell("key")), ("Loudness", cell("loudness")), ("Mode", cell("mode")),
    ("Speechiness", cell("speechiness")),
    ("Acousticness", cell("acousticness")), ("Instrumentalness", cell("instrumentalness")),
    ("Liveness", cell("liveness")), ("Valence", cell("valence")), ("Tempo", cell("tempo")),
    ("Time Signature", constant(4)),
)  # fmt: skip
ORGANIZE = export(
    ("", lambda _, number: number), ("title", cell("track_name")), ("artist", cell("artists")),
    ("top genre", constant("dance pop")), ("year", constant(1999)), ("bpm", cell("tempo", round)),
    ("nrgy", hundred(3)), ("dnce", hundred(5)), ("dB", constant(-7)), ("live", hundred(8)),
    ("val", hundred(9)), ("dur", seconds),
    ("acous", hundred(11)), ("spch", hundred(2)), ("pop", cell("popularity")),
)  # fmt: skip
TOP_SONGS = export(
    ("track_name", cell("track_name")), ("artist(s)_name", credit), ("artist_count", constant(1)),
    ("released_year", constant(1999)), ("released_month", constant(5)), ("released_day", constant(12)),
    ("in_spotify_playlists", constant("1,021")), ("streams", constant("141381703")), ("bpm", cell("tempo", round)),
    ("key", constant("F#")), ("mode", constant("Minor")), ("danceability_%", hundred(5)), ("valence_%", hundred(9)),
    ("energy_%", hundred(3)), ("acousticness_%", hundred(11)), ("instrumentalness_%", constant(0)),
    ("liveness_%", hundred(8)), ("speechiness_%", hundred(2)),
)  # fmt: skip
TOP_2000 = export(
    ("Index", lambda _, number: number), ("Title", cell("track_name")), ("Artist", cell("artists")),
    ("Top Genre", constant("dance pop")), ("Year", constant(1999)), ("Beats Per Minute (BPM)", cell("tempo", round)),
    ("Energy", hundred(3)), ("Danceability", hundred(5)), ("Loudness (dB)", constant(-7)), ("Liveness", hundred(8)),
    ("Valence", hundred(9)), ("Length (Duration)", lambda row, number: seconds(row, number) if number else "1,412"),
    ("Acousticness", hundred(11)), ("Speechiness", hundred(2)), ("Popularity", cell("popularity")),
)  # fmt: skip
WORDS = export(
    ("Artist(s)", credit), ("song", cell("track_name")), ("Length", clock), ("Genre", constant("dance pop")),
    ("Album", cell("album_name")), ("Release Date", constant("29th April 2013")), ("Key", constant("D min")),
    ("Tempo", cell("tempo")), ("Loudness (db)", constant("-6.85db")), ("Time signature", constant("4/4")),
    ("Explicit", constant("No")), ("Popularity", cell("popularity")), ("Energy", hundred(3)),
    ("Danceability", hundred(5)), ("Positiveness", hundred(9)), ("Speechiness", hundred(2)), ("Liveness", hundred(8)),
    ("Acousticness", hundred(11)), ("Instrumentalness", lambda _, number: 90 * (number < 3)),
)  # fmt: skip
REKORDBOX = export(
    ("#", lambda _, number: number), ("Track Title", cell("track_name")), ("Artist", cell("artists")),
    ("Album", cell("album_name")), ("Genre", constant("dance pop")), ("BPM", constant("120,50")),
    ("Time", clock), ("Key", constant("8A")), ("Date Added", constant("2024-02-01")),
)  # fmt: skip
TUNEMYMUSIC = export(
    ("Track name", cell("track_name")), ("Artist name", cell("artists")), ("Album", cell("album_name")),
    ("Playlist name", constant("Mix")), ("Type", constant("Playlist")), ("ISRC", constant("X")),
    ("Spotify - id", cell("track_id")), ("Genre", constant("dance pop")),
)  # fmt: skip


@pytest.fixture
def frame(tmp_path):
    """The canonical table of an export."""

    def of(rows, delimiter=",", codec="utf-8"):
        (tmp_path / "export.csv").write_bytes(text(rows, delimiter).encode(codec))
        made, report = load_tracks([str(tmp_path / "export.csv")], {})
        assert (report.rows, report.dropped_rows, len(made)) == (COUNT, 0, COUNT)
        return made

    return of


def values(frame, *names):
    """Of the last song, which has one artist."""
    last = frame.iloc[-1]
    return {name: None if last[name] != last[name] else last[name] for name in names}


def shares(frame, **bases):
    """Whether features are what ``hundred`` wrote, brought to 0..1."""
    return {
        name: np.allclose(frame[name], [((base + 7 * number) % 100 + 1) / 100 for number in range(COUNT)])
        for name, base in bases.items()
    }


HUNDREDS = {"energy": 3, "danceability": 5, "acousticness": 11, "valence": 9, "speechiness": 2, "liveness": 8}


def test_chosic(frame):
    made = frame(CHOSIC)
    names = ("id", "name", "album", "year", "tempo", "key", "mode", "duration_ms", "genres", "loudness")
    assert values(made, *names) == {
        "id": "song40", "name": "Song 40", "album": "Album 40", "year": 1999, "tempo": 120, "key": 9, "mode": 0,
        "duration_ms": 200_000, "genres": f"dance pop{SEPARATOR}pop", "loudness": -7.5,
    }  # fmt: skip
    assert all(shares(made, **HUNDREDS).values())
    assert sorted(made["instrumentalness"].unique()) == [0, 0.7]
    assert made["artists"].iloc[0].split(SEPARATOR) == ["Artist 1", "Guest 0"]


def test_exportify(frame):
    made = frame(EXPORTIFY)
    plain = song(40)
    assert values(made, "id", "year", "explicit", "duration_ms", "energy", "key", "mode", "tempo") == {
        "id": "song40", "year": 1999, "explicit": 0, "duration_ms": plain["duration_ms"], "energy": 0.6, "key": 2,
        "mode": 1, "tempo": 120.5,
    }  # fmt: skip
    assert made["artists"].iloc[3].split(SEPARATOR) == ["Artist 4", "Guest 3"]


def test_organizeyourmusic(frame):
    made = frame(ORGANIZE, codec="latin-1")
    assert values(made, "name", "artists", "genres", "year", "duration_ms", "loudness", "popularity") == {
        "name": "Song 40", "artists": "Artist 40", "genres": "dance pop", "year": 1999, "duration_ms": 200_000,
        "loudness": -7, "popularity": 50,
    }  # fmt: skip
    assert all(shares(made, **HUNDREDS).values())


def test_a_table_of_top_songs_with_per_cent_signs(frame):
    made = frame(TOP_SONGS)
    assert values(made, "year", "key", "mode", "instrumentalness") == {
        "year": 1999, "key": 6, "mode": 0, "instrumentalness": 0,
    }  # fmt: skip
    assert all(shares(made, **HUNDREDS).values())
    assert made["artists"].iloc[3].split(SEPARATOR) == ["Artist 4", "Guest 3"]


def test_a_table_of_top_songs_with_thousands_of_seconds(frame):
    made = frame(TOP_2000)
    assert made["duration_ms"].iloc[0] == 1_412_000
    assert values(made, "duration_ms", "loudness", "tempo") == {"duration_ms": 200_000, "loudness": -7, "tempo": 120}
    assert all(shares(made, **HUNDREDS).values())


def test_a_table_in_words(frame):
    made = frame(WORDS)
    assert values(made, "year", "key", "mode", "loudness", "time_signature", "explicit", "duration_ms") == {
        "year": 2013, "key": 2, "mode": 0, "loudness": -6.85, "time_signature": 4, "explicit": 0,
        "duration_ms": 200_000,
    }  # fmt: skip
    assert all(shares(made, **HUNDREDS).values())
    assert sorted(made["instrumentalness"].unique()) == [0, 0.9]


def test_rekordbox(frame):
    made = frame(REKORDBOX, "\t", "utf-16")
    assert values(made, "name", "tempo", "duration_ms", "key", "mode") == {
        "name": "Song 40", "tempo": 120.5, "duration_ms": 200_000, "key": 9, "mode": 0,
    }  # fmt: skip


def test_tunemymusic(frame):
    made = frame(TUNEMYMUSIC)
    assert values(made, "id", "name", "artists", "energy") == {
        "id": "song40", "name": "Song 40", "artists": "Artist 40", "energy": None,
    }  # fmt: skip


# What is told of it


def told(tmp_path, capsys, rows, delimiter=","):
    (tmp_path / "export.csv").write_text(text(rows, delimiter), encoding="utf-8")
    _, report = load_tracks([str(tmp_path / "export.csv")], {})
    return capsys.readouterr().err, report.notes


def test_what_was_understood_is_told_with_what_was_left_unread(tmp_path, capsys):
    err, notes = told(tmp_path, capsys, CHOSIC, ";")
    lines = err[err.index("export.csv: CSV") :].splitlines()
    assert [line for line in lines if not line.startswith("reading ")] == [
        "export.csv: CSV, UTF-8, separated by semicolons",
        "  read: id from 'Spotify Track Id', name from 'Song',",
        "   artists from 'Artist' (several names separated by commas), album, genres, isrc,",
        "   year from 'Album Date', popularity, duration_ms from 'Duration',",
        "   danceability from 'Dance' (0..100), energy (0..100), key from 'Key' and 'Camelot' (modes too),",
        "   loudness from 'Loud (Db)', speechiness from 'Speech' (0..100),",
        "   acousticness from 'Acoustic' (0..100), instrumentalness from 'Instrumental' (0..100),",
        "   liveness from 'Live' (0..100), valence (0..100), tempo from 'BPM',",
        "   time_signature from 'Time Signature'",
        "  not interpreted, kept in catalog.parquet: #, Added At, Label",
        "what each file became:",
        f"  export.csv (playlist): songs {len(CHOSIC)}, playlists 1",
    ]
    features = "danceability, energy, speechiness, acousticness, instrumentalness, liveness, valence"
    assert notes == [
        "'Artist' has 14 distinct cells with several names, separated by commas",
        f"{features} are 0..100 in the table, and were divided by 100",
    ]


def test_decimal_commas_and_units_told_by_range_are_told(tmp_path, capsys):
    rows = [row | {"energy": "0,5", "duration_ms": 200, "popularity": 0.5} for row in songs(12)]
    err, notes = told(tmp_path, capsys, rows, ";")
    assert "export.csv: CSV, UTF-8, separated by semicolons, decimal commas\n" in err
    assert "duration_ms (seconds)" in err
    assert "popularity (0..1)" in err
    assert notes == [
        "durations were read as seconds, judging by their median",
        "popularity is 0..1 in the table, and was multiplied by 100",
    ]


def test_a_plain_table_needs_no_remark(tmp_path, capsys):
    err, notes = told(tmp_path, capsys, songs(12))
    assert "(" not in err[err.index("  read: ") :]
    assert notes == []


def test_a_column_that_only_seems_to_be_one_of_numbers_is_left_unread(tmp_path, capsys):
    """A listening log has times of day, a list of concerts says whether a song was played live."""
    rows = [
        {**{name: cell for name, cell in row.items() if name not in ("duration_ms", "liveness")},
         "time": "2024-01-01T10:00", "live": "yes"}
        for row in songs(12)
    ]  # fmt: skip
    err, _ = told(tmp_path, capsys, rows)
    assert "not interpreted, kept in catalog.parquet: time, live" in err


def test_what_the_user_names_is_read_whatever_it_holds(tmp_path):
    (tmp_path / "export.csv").write_text(text([row | {"time": "soon"} for row in songs(12)]))
    with pytest.raises(SourceError, match="12 with duration_ms not a number"):
        load_tracks([str(tmp_path / "export.csv")], {"duration_ms": "time"})
