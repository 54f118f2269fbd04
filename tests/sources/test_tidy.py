from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.sources.column_inference import infer_and_apply
from segue_build.sources.columns import match_headers
from segue_build.sources.formats.detection import open_tables
from segue_build.sources.ingest_report import IngestReport, TableInterpretation
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.normalization import normalize
from tests.support.tables import Row, some, song, songs, write


def tidied(path: Path, rows: list[Row]) -> tuple[pd.DataFrame, IngestReport]:
    """The rows, written and read, as rows of the canonical table."""
    write(path, rows)
    return read_and_tidied(path)


def read_and_tidied(path: Path) -> tuple[pd.DataFrame, IngestReport]:
    report, table = IngestReport(), next(open_tables(path))
    interpretation = TableInterpretation(table.name, table.format_name, match_headers(table.headers, {}, table.name))
    frame = pd.concat([normalize(chunk, interpretation, report) for chunk in table.chunks], ignore_index=True)
    return infer_and_apply(frame, interpretation, report), report


@pytest.fixture
def file(tmp_path):
    return tmp_path / "songs.csv"


@pytest.fixture
def cell(file):
    """What one cell of a table becomes: a value, a list, or None where nothing is known."""

    def of(name: str, header: str, text: object) -> object:
        frame, report = tidied(file, [song(1, **{header: text})])
        assert report.dropped_rows == 0
        value = frame.at[0, name]
        if pd.isna(value):
            return None
        return value.split(SEPARATOR) if name in ("artists", "genres") else value

    return of


@pytest.fixture
def refused(file):
    """Why a row is dropped for one cell: the reason and the example."""

    def of(header: str, text: object) -> tuple[str, str]:
        frame, report = tidied(file, [song(1), song(2, **{header: text})])
        assert frame["id"].tolist() == ["song01"]
        assert report.rows == 2
        [(reason, [example])] = report.examples.items()
        assert report.dropped == {reason: 1}
        return reason, example

    return of


def test_a_whole_row_becomes_a_row_of_the_tidy_table(file):
    frame, report = tidied(file, [song(1)])
    assert frame.to_dict("records") == [
        {
            "id": "song01", "name": "Song 1", "artists": "Artist 1", "album": "Album 1", "genres": "folk",
            "year": 1999.0, "explicit": 0.0, "popularity": 50.0, "duration_ms": 200_001.0, "danceability": 0.5,
            "energy": 0.6, "key": 2.0, "loudness": -7.5, "mode": 1.0, "speechiness": 0.05, "acousticness": 0.3,
            "instrumentalness": 0.01, "liveness": 0.1, "valence": 0.4, "tempo": 120.5, "time_signature": 4.0,
            "release_date": "1999-12-31",
        }
    ]  # fmt: skip
    assert report == IngestReport(rows=1)


@pytest.mark.parametrize("missing", ["", " ", "NA", "nan", "NaN", "null", "None", "N/A", "<NA>"])
def test_what_is_missing_is_not_invented(file, missing):
    names = ["explicit", "genres", *(attribute.name for attribute in NUMERIC_ATTRIBUTES)]
    frame, report = tidied(file, [{"name": "Song"} | dict.fromkeys(names, missing)])
    assert frame[names].isna().all(axis=None)
    assert report.dropped_rows == 0


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("instrumentalness", "1.01e-06", 1.01e-06),
        ("energy", " 1 ", 1.0),
        ("energy", "0", 0.0),
        ("tempo", "0.0", 0.0),
        ("key", "C#", 1.0),
        ("key", "bb", 10.0),
        ("key", "-1", -1.0),
        ("mode", "Major", 1.0),
        ("mode", "minor", 0.0),
        ("time_signature", "4/4", 4.0),
        ("time_signature", "3.0", 3.0),
        ("loudness", "-60", -60.0),
        ("duration_ms", "215000.7", 215_001.0),
    ],
)
def test_numbers_in_the_spellings_met_in_the_wild(cell, name, text, value):
    assert cell(name, name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("tempo", "fast", "with tempo not a number: 'fast' is not a number"),
        ("energy", "inf", "with energy not a number: 'inf' is not a number"),
        ("mode", "dorian", "with mode not a number: 'dorian' is not a number"),
        ("energy", "1.01", "with energy out of range: '1.01' is not 0..1 (0 calm, 1 fast, loud and noisy)"),
        ("energy", "C#", "with energy not a number: 'C#' is not a number"),
        ("tempo", "-1", "with tempo out of range: '-1' is not 0..300 (beats per minute; 0 = not analysed)"),
        ("key", "2.5", "with a key that is not whole: '2.5' is not a whole number"),
        ("popularity", "101", "with popularity out of range: '101' is not 0..100 (0 unknown, 100 most popular)"),
        ("duration_ms", "long",
         "with duration_ms not a number: 'long' is neither a number nor a duration like 3:20"),
        ("explicit", "maybe", "with explicit neither true nor false: 'maybe' is neither true nor false"),
        ("track_name", "", "without a name: '' is not a song title"),
        ("track_id", "no id!", "with a malformed id: 'no id!' is not 1..64 characters of A-Z a-z 0-9 _ . : -"),
        ("track_id", "x" * 65,
         f"with a malformed id: '{'x' * 40}…' is not 1..64 characters of A-Z a-z 0-9 _ . : -"),
        ("tempo", "two\nlines", "with tempo not a number: 'two lines' is not a number"),
    ],
)  # fmt: skip
def test_a_bad_row_is_dropped_and_told_with_file_row_and_column(refused, name, text, expected):
    reason, example = refused(name, text)
    place, said = f"songs.csv, row 3, column '{name}': ", expected.removeprefix(f"{reason}: ")
    assert (reason, example) == (expected[: -len(said) - 2], place + said)


def test_a_row_is_dropped_once_whatever_is_wrong_with_it_and_three_examples_are_shown(file):
    rows = [song(1), *(song(n, tempo="fast", energy=2) for n in range(2, 7))]
    _, report = tidied(file, rows)
    assert report.dropped_rows == 5
    assert sum(map(len, report.examples.values())) == 3
    assert report.lines()[0] == "6 rows read, 5 dropped"


def test_rows_with_more_or_fewer_fields_are_dropped_and_told(file):
    write(file, some(songs(2), "track_id", "track_name"))
    file.write_text(file.read_text() + "song03\nsong04,Song 4,more\nsong05,Song 5\n")
    frame, report = read_and_tidied(file)
    assert frame["id"].tolist() == ["song01", "song02", "song05"]
    assert report.examples == {
        "with too many or too few fields": [
            "songs.csv, row 4: 1 fields, expected 2",
            "songs.csv, row 5: 3 fields, expected 2",
        ]
    }


@pytest.mark.parametrize("text", ["True", "TRUE", "true", "1", "1.0", "yes", "t"])
def test_every_spelling_of_true(cell, text):
    assert cell("explicit", "explicit", text) == 1.0


@pytest.mark.parametrize("text", ["False", "FALSE", "false", "0", "0.0", "no", "f"])
def test_every_spelling_of_false(cell, text):
    assert cell("explicit", "explicit", text) == 0.0


@pytest.mark.parametrize(
    ("text", "artists"),
    [
        ("Ada", ["Ada"]),
        ("Ada;Tomas Vrba", ["Ada", "Tomas Vrba"]),
        ("['Ada', \"Dez' Dot\"]", ["Ada", "Dez' Dot"]),
        ("[]", None),
        ('["Ada", "Dez & Dot"]', ["Ada", "Dez & Dot"]),
        ("['Ada' 'Tomas']", ["Ada", "Tomas"]),
        ('[{"name": "Ada", "id": null}, {"name": "Tomas", "id": null}]', ["Ada", "Tomas"]),
        ("[Brackets]", ["[Brackets]"]),
        ("[{[]: 1}]", ["[{[]: 1}]"]),
        ("Ada Featuring Tomas", ["Ada", "Tomas"]),
        ("Ada feat. Tomas", ["Ada", "Tomas"]),
        ("Tyler, the Invented", ["Tyler, the Invented"]),
        ("Ada;Ada; ", ["Ada"]),
        ("", None),
    ],
)
def test_artists_in_the_spellings_met_in_the_wild(cell, text, artists):
    assert cell("artists", "artists", text) == artists


@pytest.mark.parametrize(
    ("text", "artists"),
    [("Ada,Tomas Vrba", ["Ada", "Tomas Vrba"]), ("Ada;Dez", ["Ada", "Dez"]), (r"Ada\, Inc,Dez", ["Ada, Inc", "Dez"])],
)
def test_a_header_that_says_names_lists_them_with_commas(file, text, artists):
    frame, _ = tidied(file, [{"Track Name": "Song", "Artist Name(s)": text}])
    assert frame.at[0, "artists"].split(SEPARATOR) == artists


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("folk", ["folk"]),
        ("Pop, folk ,Pop", ["folk", "pop"]),
        ("['rock', 'Folk']", ["folk", "rock"]),
        ("rock|folk;NA", ["folk", "rock"]),
    ],
)
def test_genres_are_a_set_of_lower_case_words(cell, text, genres):
    assert cell("genres", "track_genre", text) == genres


def test_genres_of_several_columns_are_one_set(file):
    rows = [
        {"name": "A", "playlist_genre": "pop", "playlist_subgenre": "dance pop"},
        {"name": "B", "playlist_genre": "pop", "playlist_subgenre": ""},
        {"name": "C", "playlist_genre": "NA", "playlist_subgenre": ""},
    ]
    frame, _ = tidied(file, rows)
    assert frame["genres"].tolist() == [f"dance pop{SEPARATOR}pop", "pop", pytest.approx(np.nan, nan_ok=True)]


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1999", 1999),
        ("1999-12", 1999),
        ("1999-12-31", 1999),
        ("1999.0", 1999),
        ("0", None),
        ("0000", None),
        ("soon", None),
    ],
)
def test_the_year_is_read_off_a_date(cell, text, year):
    assert cell("year", "release_date", text) == year


@pytest.mark.parametrize(
    "text",
    [
        "5SuOikwiRyPMVoIQDJUgSV",
        "spotify:track:5SuOikwiRyPMVoIQDJUgSV",
        "https://open.spotify.com/track/5SuOikwiRyPMVoIQDJUgSV?si=abc",
        "https://open.spotify.com/intl-de/track/5SuOikwiRyPMVoIQDJUgSV",
    ],
)
def test_an_id_is_the_same_in_every_spelling(cell, text):
    assert cell("id", "track_id", text) == "5SuOikwiRyPMVoIQDJUgSV"


def test_a_missing_id_is_missing_in_every_spelling(cell):
    assert [cell("id", "track_id", text) for text in ("", "NA", "nan")] == [None, None, None]


def test_a_row_with_neither_id_nor_name_is_dropped(file):
    frame, report = tidied(file, [{"id": "s1", "tempo": 100}, {"id": "", "tempo": 90}])
    assert frame["id"].tolist() == ["s1"]
    assert report.dropped == {"without an id or a name": 1}


def test_na_is_a_name_unless_the_artist_is_na_too(file):
    frame, report = tidied(file, [song(1, track_name="NA"), song(2, track_name="NA", artists="NA")])
    assert frame["id"].tolist() == ["song01"]
    assert report.dropped == {"without a name": 1}


def test_an_unknown_column_is_kept_as_it_is_and_missing_where_it_is_empty(file):
    frame, _ = tidied(file, [song(1, mood=" 007 "), song(2, mood="")])
    assert frame["mood"].tolist() == [" 007 ", pytest.approx(np.nan, nan_ok=True)]


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=6), min_size=1))
def test_every_row_is_kept_or_counted_whatever_its_cells(tmp_path_factory, texts):
    rows = [song(n, track_id=text, tempo=text, artists=text, track_genre=text) for n, text in enumerate(texts)]
    frame, report = tidied(tmp_path_factory.mktemp("tidy") / "songs.csv", rows)
    assert report.rows == len(texts) == len(frame) + report.dropped_rows
    assert set(frame["id"].dropna()) <= {text.strip() for text in texts}
