"""What cells mean, and what whole columns show."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue_build.sources.column_inference import (
    are_minutes_read_as_hours,
    infer_duration_unit,
    infer_scales,
    scale_by_range,
)
from segue_build.sources.multivalue import infer_credits
from segue_build.sources.values import parse_duration, parse_key, parse_numbers, parse_times, parse_year


def number(text, *, whole=False, hundred=None):
    values, _ = parse_numbers(pd.Series([text], dtype="str"), integers=whole, full_scale=hundred)
    return None if np.isnan(values[0]) else values[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,207", 0.207),
        ("-7,5", -7.5),
        ("120,5", 120.5),
        ("-7.5 dB", -7.5),
        ("-6.85db", -6.85),
        ("\u22127.5", -7.5),
        ("120 BPM", 120.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1 234,5", 1234.5),
        ("1.01e-06", 1.01e-06),
        ("1,01E-06", 1.01e-06),
        (".5", 0.5),
        ("1,2,3", None),
        ("0.1.2", None),
        ("fast", None),
        ("1_000", None),
        ("inf", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_a_number_is_read_as_it_is_meant(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("210,826", 210_826), ("1,021,345", 1_021_345), ("1.021.345", 1_021_345), ("210 826", 210_826),
     ("210\u202f826", 210_826), ("210'826", 210_826), ("0,735", 0.735), ("73,5", 73.5)],
)  # fmt: skip
def test_where_whole_numbers_are_expected_thousands_may_be_separated(text, value):
    assert number(text, whole=True) == value


def test_a_comma_parts_decimals_in_all_of_a_column_if_it_does_in_one_cell():
    cells = pd.Series(["210,826", "198,5"], dtype="str")
    assert [parse_numbers(cells, integers=True)[0].tolist(), parse_numbers(cells, integers=True)[1]] == [
        [210.826, 198.5],
        True,
    ]


def test_a_percentage_is_of_the_whole_scale():
    assert (number("83%", hundred=1), number("83 %", hundred=100), number("83%")) == (0.83, 83, None)


@given(st.floats(-1e6, 1e6, allow_nan=False), st.sampled_from([",", "."]))
def test_whatever_number_is_written_comes_back(value, point):
    assert number(f"{value!r}".replace(".", point)) == value


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("3:20", 200_000),
        ("03:20", 200_000),
        ("1:02:03", 3_723_000),
        ("0:03:20.5", 200_500),
        ("0 days 00:03:20", 200_000),
        ("PT3M20S", 200_000),
        ("PT1H2M3S", 3_723_000),
        ("3 min 20 s", 200_000),
        ("3m20s", 200_000),
        ("3.5 min", 210_000),
        ("200 sec", 200_000),
        ("200000 ms", 200_000),
        ("3", None),
        ("3:2O", None),
        ("", None),
        ("long", None),
        ("PT", None),
    ],
)
def test_a_duration_that_says_its_units_is_read(text, milliseconds):
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    ("header", "values", "unit"),
    [
        ("duration_ms", [200_000.0, 4_000.0], ("milliseconds", True)),
        ("Duration (ms)", [200_000.0], ("milliseconds", True)),
        ("durationMs", [200_000.0], ("milliseconds", True)),
        ("duration_s", [200.0], ("seconds", True)),
        ("Length (sec)", [200.0], ("seconds", True)),
        ("duration_min", [3.5], ("minutes", True)),
        ("duration_ms", [200.0, 210.826], ("seconds", False)),
        ("Length", [200.0], ("seconds", False)),
        ("Length", [3.5], ("minutes", False)),
        ("dur", [200_000.0], ("milliseconds", False)),
        ("dur", [], ("milliseconds", False)),
        ("duration_s", [], ("seconds", True)),
    ],
)
def test_the_unit_of_durations_is_the_headers_or_else_by_how_long_songs_are(header, values, unit):
    assert infer_duration_unit(header, np.array(values)) == unit


def test_a_spreadsheet_may_have_taken_minutes_for_hours():
    assert are_minutes_read_as_hours(np.array([parse_duration("3:20:00"), parse_duration("4:05:00")]))
    assert not are_minutes_read_as_hours(np.array([parse_duration("1:02:03"), parse_duration("1:10:00")]))
    assert not are_minutes_read_as_hours(np.array([]))


NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        *((name, (pitch, None)) for pitch, name in enumerate(NAMES)),
        ("Bb", (10, None)),
        ("bb", (10, None)),
        ("D♭", (1, None)),
        ("C#/Db", (1, None)),
        ("C♯/D♭", (1, None)),
        ("F#m", (6, 0)),
        ("F# minor", (6, 0)),
        ("D min", (2, 0)),
        ("C Major", (0, 1)),
        ("CM", (0, 1)),
        ("B-flat major", (10, 1)),
        ("8A", (9, 0)),
        ("08B", (0, 1)),
        ("12A", (1, 0)),
        ("5B", (3, 1)),
        ("1d", (0, 1)),
        ("1m", (9, 0)),
        ("13A", None),
        ("H#x", None),
        ("dorian", None),
    ],
)
def test_a_key_is_read_in_every_notation(text, key):
    assert parse_key(text) == key


@pytest.mark.parametrize("hour", range(1, 13))
def test_hours_of_the_wheel_are_fifths_apart_and_minor_is_relative(hour):
    (minor, _), (major, _) = parse_key(f"{hour}A"), parse_key(f"{hour}B")
    assert parse_key(f"{hour % 12 + 1}B")[0] == (major + 7) % 12
    assert minor == (major + 9) % 12


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1999", 1999),
        ("1999-05", 1999),
        ("1999-05-12", 1999),
        ("1999.0", 1999),
        ("19990512", 1999),
        ("1999-05-12T00:00:00Z", 1999),
        ("1999-05-12 00:00:00", 1999),
        ("12/05/1999", 1999),
        ("05/13/1999", 1999),
        ("12.05.1999", 1999),
        ("12 May 1999", 1999),
        ("May 12, 1999", 1999),
        ("29th April 2013", 2013),
        ("Wed, 12 May 1999 00:00:00 GMT", 1999),
        ("12/05/99", 1999),
        ("12-May-65", 1965),
        ("12.5.04", 2004),
        ("36292", 1999),
        ("36292.0", 1999),
        ("926467200", 1999),
        ("926467200000", 1999),
        ("926467200000000", 1999),
        ("-315619200000", 1960),
        ("0", None),
        ("0000", None),
        ("soon", None),
        ("99", None),
    ],
)
def test_the_year_is_read_off_a_date_however_it_is_written(text, year):
    assert parse_year(text) == year


SOUNDS = np.array([0.1, 0.5, 0.9, 1.0])
FLAGS = np.array([0.0, 1.0, 1.0])
HUNDREDS = np.array([10.0, 50.0, 90.0, 100.0])
SILENT = np.array([0.0] * 97 + [63.0, 1.0, 5.0])  # mostly 0, as instrumentalness is in a table of songs
DIRTY = np.array([0.5] * 19 + [7.0])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"a": SOUNDS}, {"a": 1}),
        ({"a": HUNDREDS}, {"a": 100}),
        ({"a": FLAGS}, {"a": 1}),
        ({"a": DIRTY}, {"a": 1}),
        ({"a": SILENT}, {"a": 1}),
        ({"a": np.array([])}, {"a": 1}),
        ({"a": np.array([0.6, 1.01])}, {"a": 1}),
        ({"a": HUNDREDS, "b": SOUNDS}, {"a": 100, "b": 1}),
        ({"a": HUNDREDS, "b": FLAGS}, {"a": 100, "b": 100}),
        ({"a": HUNDREDS, "b": SILENT}, {"a": 100, "b": 100}),
        ({"a": SOUNDS, "b": FLAGS}, {"a": 1, "b": 1}),
    ],
)
def test_a_scale_is_told_by_range_and_by_the_other_columns_where_that_tells_nothing(columns, expected):
    assert (
        infer_scales(
            {name: scale_by_range(values) for name, values in columns.items()}, dict.fromkeys(columns, False)
        )
        == expected
    )


def test_a_per_cent_sign_decides_where_the_range_tells_nothing():
    assert infer_scales({"a": scale_by_range(FLAGS), "b": scale_by_range(SOUNDS)}, {"a": True, "b": True}) == {
        "a": 100,
        "b": 1,
    }


BANDS = ["Tyler, The Creator", "Earth, Wind & Fire", "Grover Washington, Jr."]
SHARED = ["Ada, Bo", "Cy, Di, Ada", "Ed, Fay"]
SINGLE = [f"Artist {number}" for number in range(100)]


def split(cells, header_lists=False):
    return infer_credits(cells, header_lists).names


def test_where_many_cells_have_commas_they_part_names_but_not_those_that_look_like_one():
    assert split([*SINGLE[:20], *BANDS, *SHARED]) == {
        "Ada, Bo": ["Ada", "Bo"],
        "Cy, Di, Ada": ["Cy", "Di", "Ada"],
        "Ed, Fay": ["Ed", "Fay"],
    }


def test_where_few_cells_have_commas_they_part_only_names_that_stand_alone_elsewhere():
    assert split([*SINGLE, "Ada", "Bo", "Ada, Bo", "Slaughter Beach, Dog", *BANDS]) == {"Ada, Bo": ["Ada", "Bo"]}


def test_a_header_in_the_plural_says_that_commas_part_names():
    assert split([*SINGLE, "Ada, Bo", *BANDS], header_lists=True) == {"Ada, Bo": ["Ada", "Bo"]}


def test_a_name_with_a_comma_stays_whole_among_others():
    cells = [*BANDS, "Kay, Tyler, The Creator", r"Ada\, Inc,Dez"]
    assert split(cells, header_lists=True) == {
        "Kay, Tyler, The Creator": ["Kay", "Tyler, The Creator"],
        r"Ada\, Inc,Dez": ["Ada, Inc", "Dez"],
    }


def test_slashes_part_names_as_commas_do_and_ampersands_never():
    cells = ["Ada", "Bo", "Ada / Bo", "AC/DC", "Ada & Bo"]
    assert (split(cells), infer_credits(cells, False).separators) == ({"Ada / Bo": ["Ada", "Bo"]}, ("slashes",))


def test_ft_parts_names_where_nothing_else_does():
    assert split(["Ada ft. Bo", "Ada Ft Bo", "Craft. Co"]) == {
        "Ada ft. Bo": ["Ada", "Bo"],
        "Ada Ft Bo": ["Ada", "Bo"],
    }


def test_a_point_in_time_is_read_however_it_is_written():
    texts = ["2025-01-01T00:01:41Z", "2025-01-01 00:01", "01 Jan 2025, 00:01", "1735689701", "1735689701000"]
    times = parse_times(pd.Series([*texts, "01 S", "", "1e300"]))
    assert times.dt.strftime("%Y-%m-%d %H:%M").fillna("").tolist() == ["2025-01-01 00:01"] * 5 + [""] * 3
