"""Tables that are not quite as they should be are read as they are meant, or say what is odd."""

import openpyxl
import pandas as pd
import pytest

from segue.errors import SourceError
from segue_build.sources.multivalue import parse_list, split_genres
from segue_build.sources.tracks import load_tracks

NO_TEMPO = "which can't be tempo (beats per minute; 0 = not analysed)"
HEADERS = ["id", "name", "artists", "energy", "tempo"]
ROWS = [[f"song{n}", f"Song {n}", "Ada Blum", f"0.{n}", f"{100 + n}"] for n in range(10, 22)]


def as_text(rows, delimiter=","):
    return "".join(delimiter.join(row) + "\n" for row in rows)


def loaded(tmp_path, content, name="songs.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_tracks([str(path)], {}, has_playlists=True)


PLAIN = as_text([HEADERS, *ROWS])
FIRST, *OTHERS = PLAIN.splitlines()
QUOTED = ['"' + line.replace("Ada Blum", '""Ada Blum""') + '"' for line in OTHERS]
LEVELS = [["", "track", "track", "track", "sound", "sound"], ["", *HEADERS]]
NAMED_LEVELS = [
    ["", "track", "artist", "echonest", "echonest"],
    ["", "title", "name", "energy", "tempo"],
    ["track_id", "", "", "", ""],
]
SAME = {
    "a title above the headers": "My library\n" + PLAIN,
    "a title with commas, and a blank line": "My library,,,,\n,,,,\n" + PLAIN,
    "three lines above the headers": "Exported by a program\nversion 3, 2024\n\n" + PLAIN,
    "a title above semicolons": "My library, 2024\n" + PLAIN.replace(",", ";"),
    "blank rows": PLAIN.replace("song15,", ",,,,\nsong15,") + ",,,,\n" * 40,
    "whole lines quoted": "\n".join([f'"{FIRST}"', *QUOTED, ""]),
    "whole lines quoted below headers that are not": "\n".join([FIRST, *QUOTED, ""]),
    "spaces after commas": PLAIN.replace(",", ", ").replace("Ada Blum", '"Ada Blum"'),
    "quotes around each cell": "".join('"' + line.replace(",", '","') + '"\n' for line in PLAIN.splitlines()),
    "bytes as Python prints them": as_text(
        [HEADERS, *([f"b'{cell}'" for cell in row[:3]] + row[3:] for row in ROWS)]
    ),
    "headers in two rows": as_text([*LEVELS, *([str(n), *row] for n, row in enumerate(ROWS))]),
    "headers in three rows": as_text([*NAMED_LEVELS, *ROWS]),
}


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_a_table_is_the_same_with_odd_lines(tmp_path, content):
    expected, _ = loaded(tmp_path, PLAIN, "plain.csv")
    made, report = loaded(tmp_path, content)
    pd.testing.assert_frame_equal(made[list(expected)], expected)
    assert (report.rows, report.dropped_rows) == (12, 0)


def test_a_title_may_stand_above_two_columns_and_an_index_lack_a_name(tmp_path):
    rows = "".join(f"Song {n},rock\n" for n in range(12))
    titled, _ = loaded(tmp_path, "My library\ntitle,genre\n" + rows)
    indexed, _ = loaded(tmp_path, ",title\n" + "".join(f"{n},Song {n}\n" for n in range(12)))
    assert titled["name"].tolist() == indexed["name"].tolist() == [f"Song {n}" for n in range(12)]
    assert titled["genres"].unique().tolist() == ["rock"]


def test_headers_of_a_workbook_may_be_below_a_title(tmp_path):
    book = openpyxl.Workbook()
    for row in [["My library"], [], HEADERS, *ROWS]:
        book.active.append(row)
    book.save(tmp_path / "songs.xlsx")
    made, _ = load_tracks([str(tmp_path / "songs.xlsx")], {})
    assert made[["id", "name"]].iloc[0].tolist() == ["song10", "Song 10"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"Ballad (From "Some Show" TV)"', 'Ballad (From "Some Show" TV)'),
        ('"The "Best" of, me"', 'The "Best" of, me'),
        ('"12" mix"', '12" mix'),
        ('"ends "quoted""', 'ends "quoted"'),
        ('"all ""right"" here"', 'all "right" here'),
        ('5" record', '5" record'),
    ],
)
def test_quotes_in_a_title_are_kept(tmp_path, written, name):
    made, report = loaded(tmp_path, PLAIN.replace("Song 15", written))
    assert made["name"].tolist() == [row[1] if row[1] != "Song 15" else name for row in ROWS]
    assert report.dropped_rows == 0


@pytest.mark.parametrize("artist", ["nan", "NaN", "NULL", "None", "NA", "N/A", "null"])
def test_an_artist_may_be_called_like_a_missing_value(tmp_path, artist):
    made, _ = loaded(tmp_path, PLAIN.replace("Ada Blum", artist, 1).replace("Ada Blum", "", 1))
    assert made["artists"].iloc[0] == artist
    assert pd.isna(made["artists"].iloc[1])


@pytest.mark.parametrize(
    ("column", "cell", "note"),
    [
        ("tempo", "fast", "column 'tempo' was left unread, for its cells are like 'fast'"),
        ("energy", "high", "column 'energy' was left unread, for its cells are like 'high'"),
        (
            "tempo",
            "0.47",
            f"column 'tempo' was left unread: half of its values are below 0.47, as if normalised, {NO_TEMPO}",
        ),
        ("tempo", "1200", f"column 'tempo' was left unread: 12 values are like 1200, {NO_TEMPO}"),
    ],
)  # fmt: skip
def test_a_column_that_can_not_be_is_left_unread_and_all_songs_are_kept(tmp_path, column, cell, note):
    place = HEADERS.index(column)
    rows = [[*row[:place], cell, *row[place + 1 :]] for row in ROWS]
    made, report = loaded(tmp_path, as_text([HEADERS, *rows]))
    assert (len(made), report.dropped_rows, report.notes) == (12, 0, [note])
    assert made[column].isna().all()


def test_loudness_between_0_and_1_is_not_decibels(tmp_path):
    made, report = loaded(tmp_path, PLAIN.replace("tempo", "loudness").replace(",1", ",0.1"))
    assert made["loudness"].isna().all()
    assert "which can't be loudness (decibels, mean over the song)" in report.notes[0]


def test_a_release_that_is_a_year_is_no_album(tmp_path):
    made, _ = loaded(tmp_path, as_text([["id", "name", "release", "energy"],
                                        *([row[0], row[1], "1990", row[3]] for row in ROWS)]))  # fmt: skip
    assert (made["year"].unique().tolist(), made["album"].isna().all()) == ([1990], True)


def test_a_table_of_bad_rows_alone_is_refused_in_a_line(tmp_path):
    with pytest.raises(SourceError, match=r"100% of the rows are bad \(12 with too many or too few fields\)"):
        loaded(tmp_path, "name,artists,energy\n" + as_text(ROWS))


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("['a', 'b']", ["a", "b"]),
        ("\"['a', 'b']\"", ["a", "b"]),
        ("[['a', 'b'], ['c']]", ["a", "b", "c"]),
        ("{'a', 'b'}", ["a", "b"]),
        ('{a,"b c"}', ["a", "b c"]),
        ('["a", null]', ["a"]),
        ("[]", []),
        ("{}", []),
        ("a, b", None),
        ("[a", None),
    ],
)
def test_lists_are_read_however_they_are_written(cell, items):
    assert parse_list(cell) == items


def test_numbers_are_ids_of_genres_and_not_genres():
    assert split_genres("[21, 'Folk']") == ["folk"]


def test_headers_may_begin_with_the_name_of_a_service(tmp_path):
    made, _ = loaded(tmp_path, PLAIN.replace("id,name,artists", "spotify_track_id,spotify_song,performer"))
    assert made[["id", "artists"]].iloc[0].tolist() == ["song10", "Ada Blum"]
