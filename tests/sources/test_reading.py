import csv
import gzip
import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import SourceError
from segue_build.sources.formats.base import EXPECTED_TABLE, FIELD_COUNT, ROW_NUMBER
from segue_build.sources.formats.detection import open_tables

TABLE = "id,name,tempo\ns1,Slow Rain,70.5\ns2,Low Tide,0\n"
CELLS = [["s1", "Slow Rain", "70.5"], ["s2", "Low Tide", "0"]]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "songs.csv"


def open_table(path):
    """The only table of a file."""
    (table,) = open_tables(path)
    return table


def whole(path):
    """The headers and cells of a table."""
    table = open_table(path)
    frame = pd.concat(table.chunks, ignore_index=True)
    return table.headers, frame.drop(columns=[ROW_NUMBER, FIELD_COUNT]).to_numpy().tolist()


def rows_of(path):
    frame = pd.concat(open_table(path).chunks, ignore_index=True)
    return frame[ROW_NUMBER].tolist(), frame[FIELD_COUNT].dropna().to_dict()


def verdict(path):
    """Why a table is refused; nothing where it is not."""
    try:
        list(open_table(path).chunks)
    except SourceError as refused:
        return str(refused)
    return ""


def refusal(path):
    message = verdict(path)
    assert message, f"{path} was read"
    return message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TABLE.encode(), id="plain"),
        pytest.param(TABLE.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(TABLE.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(TABLE.replace(",", ";").encode(), id="semicolons"),
        pytest.param(TABLE.replace(",", "\t").encode(), id="tabs"),
        pytest.param(TABLE.replace(",", "|").encode(), id="bars"),
        pytest.param(TABLE.rstrip().encode(), id="no last line end"),
        pytest.param(TABLE.replace("\n", "\n\n").encode() + b"\n\n", id="blank lines"),
        pytest.param(TABLE.replace("id,", '"id" ,').replace("Low Tide", '"Low Tide"').encode(), id="quotes"),
        pytest.param(gzip.compress(TABLE.encode()), id="gzip"),
    ],
)
def test_every_form_of_a_table_reads_the_same(file, content):
    file.write_bytes(content)
    assert whole(file) == (["id", "name", "tempo"], CELLS)


def test_parquet_keeps_its_types_and_an_index_is_a_column_like_any_other(tmp_path):
    frame = pd.DataFrame({"name": ["Slow Rain", "Low Tide"], "artists": [["A", "B"], ["C"]]}, index=["s1", "s2"])
    frame.rename_axis("id").to_parquet(tmp_path / "songs.parquet")
    headers, cells = whole(tmp_path / "songs.parquet")
    assert headers == ["name", "artists", "id"]
    assert [[name, list(artists), song] for name, artists, song in cells] == [
        ["Slow Rain", ["A", "B"], "s1"],
        ["Low Tide", ["C"], "s2"],
    ]


def test_a_quoted_cell_may_hold_lines_quotes_and_delimiters(file):
    file.write_text('id,name\ns1,"Slow\n""Rain"", again"\ns2,Low Tide\n')
    assert whole(file)[1] == [["s1", 'Slow\n"Rain", again'], ["s2", "Low Tide"]]


def test_rows_count_as_a_spreadsheet_counts_with_blank_and_ragged_ones(file):
    file.write_text('id,name\n\ns1,"two\nlines"\ns2\ns3,Low Tide,more\n\ns4,Last\n')
    assert rows_of(file) == ([3, 4, 5, 7], {1: 1, 2: 3})


def test_a_long_table_comes_in_chunks_with_rows_counted_on(file, monkeypatch):
    monkeypatch.setattr("segue_build.sources.formats.base.CHUNK_ROWS", 4)
    file.write_text("id\n" + "".join(f"s{n}\n" for n in range(2, 12)))
    chunks = list(open_table(file).chunks)
    assert [chunk[ROW_NUMBER].tolist() for chunk in chunks] == [[2, 3, 4, 5], [6, 7, 8, 9], [10, 11]]
    assert [f"s{row}" for chunk in chunks for row in chunk[ROW_NUMBER]] == [
        cell for chunk in chunks for cell in chunk[0]
    ]


def test_a_table_with_headers_only_has_no_rows(file, tmp_path):
    file.write_text("id,name\n")
    pd.DataFrame({"id": [], "name": []}).to_parquet(tmp_path / "songs.parquet")
    assert whole(file) == whole(tmp_path / "songs.parquet") == (["id", "name"], [])


CELL = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=50)
@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=5))
def test_whatever_text_csv_can_hold_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "songs.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["id", "name", "tempo"], *rows])
    path.write_bytes(text.getvalue().encode())
    assert whole(path)[1] == [row for row in rows if any(row)]


@given(st.binary(max_size=200))
def test_whatever_bytes_are_either_a_table_or_refused_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "songs.csv"
    path.write_bytes(content)
    message = verdict(path)
    assert message == "" or message.startswith("songs.csv")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", f"songs.csv: the file is empty; {EXPECTED_TABLE}", id="empty"),
        pytest.param(gzip.compress(b""), f"songs.csv, row 1: no headers; {EXPECTED_TABLE}", id="empty gzip"),
        pytest.param(b"\n\n", f"songs.csv, row 1: no headers; {EXPECTED_TABLE}", id="blank"),
        pytest.param(
            b"id,name\ns1,A\0\n", f"songs.csv, line 2: binary data (a zero byte); {EXPECTED_TABLE}", id="zero byte"
        ),
        pytest.param(
            b"id,\x01\x02\ns1,A\n", f"songs.csv, row 1: binary data in the headers; {EXPECTED_TABLE}", id="binary"
        ),
        pytest.param(
            b'id,name\ns1,A\ns2,"B\ns3,C\n',
            f"songs.csv, row 3, column 2: a quote is opened and never closed; {EXPECTED_TABLE}",
            id="open quote",
        ),
        pytest.param(
            b'id,"name\ns1,A\n',
            f"songs.csv, row 1, column 2: a quote is opened and never closed; {EXPECTED_TABLE}",
            id="open quote in the headers",
        ),
        pytest.param(
            b"id,name\ns1," + b"x" * 200_000,
            "songs.csv, row 2: field larger than field limit (131072) (a quote that is never closed?); "
            + EXPECTED_TABLE,
            id="a cell without end",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(file, content, message):
    file.write_bytes(content)
    assert refusal(file) == message


@pytest.mark.parametrize("place", [12, 30, -6])
def test_a_gzip_with_a_wrong_byte_is_refused(file, place):
    content = bytearray(gzip.compress(TABLE.encode()))
    content[place] ^= 0xFF
    file.write_bytes(content)
    assert "the gzip file is damaged or cut off" in refusal(file)


@pytest.mark.parametrize("cut", [slice(4, -4), slice(4, -20), slice(4, 8), slice(8, None)], ids=str)
def test_a_damaged_parquet_file_is_refused(tmp_path, cut):
    path = tmp_path / "songs.parquet"
    pd.DataFrame({"id": ["s1"]}).to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(b"PAR1" + content[cut])
    message = refusal(path)
    assert message.startswith("songs.parquet: the Parquet file is damaged or cut off (")
    assert message.endswith("; write or download it again")
    assert "\n" not in message


def test_an_empty_folder_and_a_missing_file_are_refused(tmp_path):
    assert refusal(tmp_path) == (f"{tmp_path}: a folder without files; {EXPECTED_TABLE}")
    assert refusal(tmp_path / "none.csv") == f"{tmp_path / 'none.csv'}: no such file; {EXPECTED_TABLE}"
