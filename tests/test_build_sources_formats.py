"""The same table in every form that people have it in, and what is no table."""

import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import shutil
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from build.cli import main
from build.sources.tracks import tracks
from segue.errors import SourceError
from tests.tables import song, songs, text

ROWS = [
    *songs(20, track_name="Über die Brücke", mood="grün"),
    song(21, artists="Zoë;Dez & Dot", track_genre="folk, jazz", tempo="", explicit=True),
    song(22, track_name="Low\nTide, \"again\"", instrumentalness=1.01e-06, popularity=0, tempo=87.5),
]  # fmt: skip
ROWS = [{**row, "mood": row.get("mood", "")} for row in ROWS]
CSV = text(ROWS)


def frame():
    return pd.read_csv(io.StringIO(CSV))


def commas():
    """Numbers as much of Europe writes them, which takes another separator."""
    rows = [{name: str(cell).replace(".", ",") if isinstance(cell, float) else cell for name, cell in row.items()}
            for row in ROWS]  # fmt: skip
    return text(rows, ";")


def excel(rows, *further, title="Songs"):
    """A workbook of a sheet, and of further ones."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for cells in [list(rows[0]), *(list(row.values()) for row in rows)]:
        sheet.append(cells)
    for name, filled in further:
        book.create_sheet(name).append(["name"] if filled else [])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(*entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in entries:
            opened.writestr(name, data)
    return file.getvalue()


def compressed(data, kind):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, kind) as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def parquet():
    file = io.BytesIO()
    frame().to_parquet(file)
    return file.getvalue()


def arrow(writer):
    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame())
    with writer(sink, table.schema) as out:
        out.write_table(table)
    return sink.getvalue()


def nested():
    """Tracks as the Web API answers with them."""
    rows = [
        {
            "track": {
                "id": row["track_id"], "name": row["track_name"],
                "artists": [{"name": name, "id": "x"} for name in row["artists"].split(";")],
                "album": {"name": row["album_name"], "release_date": row["release_date"]},
                **{name: row[name] for name in ("popularity", "duration_ms", "explicit")},
            },
            "audio_features": {name: row[name] for name in SOUND},
            "genres": row["track_genre"].split(", "),
            "release_date": row["release_date"],
            "mood": row["mood"] or None,
        }
        for row in ROWS
    ]  # fmt: skip
    return json.dumps(rows)


SOUND = [name for name in ROWS[0] if name in ("key", "mode", "tempo", "time_signature", "loudness")]
SOUND += [name for name in ROWS[0] if name.endswith(("ness", "ability", "valence", "energy"))]
KINDS = {
    "UTF-8 with a mark": CSV.encode("utf-8-sig"),
    "UTF-16 with a mark": CSV.encode("utf-16"),
    "UTF-16 LE": CSV.encode("utf-16-le"),
    "UTF-16 BE": CSV.encode("utf-16-be"),
    "UTF-32 with a mark": CSV.encode("utf-32"),
    "Latin-1": CSV.encode("latin-1"),
    "Windows-1252": CSV.encode("cp1252"),
    "semicolons and decimal commas": commas().encode(),
    "semicolons, decimal commas, Latin-1": commas().encode("latin-1"),
    "a first line that says what separates": ("sep=;\n" + commas()).encode(),
    "tabs": text(ROWS, "\t").encode(),
    "bars": text(ROWS, "|").encode(),
    "CRLF": text(ROWS, end="\r\n").encode(),
    "iTunes: UTF-16, tabs": text(ROWS, "\t", "\r\n").encode("utf-16"),
    "JSON lines": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    "JSON array": json.dumps(ROWS, indent=1, ensure_ascii=False).encode(),
    "JSON with a mark": json.dumps(ROWS, ensure_ascii=False).encode("utf-8-sig"),
    "JSON of the Web API": nested().encode(),
    "xlsx": excel(ROWS),
    "xlsx with an empty and a hidden sheet": excel(ROWS, ("Notes", False)),
    "gzip": gzip.compress(CSV.encode()),
    "bzip2": bz2.compress(CSV.encode()),
    "xz": lzma.compress(CSV.encode()),
    "zstd": compressed(CSV.encode(), "zstd"),
    "lz4": compressed(CSV.encode(), "lz4"),
    "zip": archive(("songs/table.csv", CSV)),
    "zip of a Mac": archive(("table.csv", CSV), ("__MACOSX/._table.csv", "x"), (".DS_Store", "x")),
    "zip with a note": archive(("LICENSE", "free"), ("table.csv", CSV)),
    "zip of a workbook": archive(("table.xlsx", excel(ROWS))),
    "JSON lines in zstd": compressed("".join(json.dumps(row) + "\n" for row in ROWS).encode(), "zstd"),
    "Parquet": parquet(),
    "Parquet in gzip": gzip.compress(parquet()),
    "Feather": arrow(pa.ipc.new_file),
    "Arrow stream": arrow(pa.ipc.new_stream),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The table as plain CSV."""
    path = tmp_path_factory.mktemp("plain") / "table.csv"
    path.write_text(CSV, encoding="utf-8")
    return tracks([str(path)], {})


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_a_table_is_the_same_in_every_form(tmp_path, plain, data):
    path = tmp_path / "table"
    path.write_bytes(data)
    made, account = tracks([str(path)], {})
    frame, expected = plain
    assert_frame_equal(made[list(frame)], frame, check_dtype=False)
    assert account == expected


@pytest.mark.parametrize("partition", [None, ["track_genre"]], ids=["plain", "by folders"])
def test_a_folder_of_parquet_parts_is_one_table(tmp_path, plain, partition):
    whole, folder = frame(), tmp_path / "songs"
    if partition:
        whole.to_parquet(folder, partition_cols=partition)
    else:
        folder.mkdir()
        for part in range(3):
            whole.iloc[part * 8 : part * 8 + 8].to_parquet(folder / f"part-{part}.parquet")
    (folder / "_SUCCESS").write_text("")
    made, account = tracks([str(folder)], {})
    expected = plain[0].set_index("id").loc[made["id"]].reset_index()
    assert_frame_equal(made[list(expected)], expected, check_dtype=False)
    assert account == plain[1]


def test_one_of_several_tables_is_read_when_it_is_named(tmp_path, plain):
    (tmp_path / "two.zip").write_bytes(archive(("a.csv", CSV), ("b.csv", "id,name\n")))
    (tmp_path / "two.xlsx").write_bytes(excel(ROWS, ("Notes", True)))
    for source in ("two.zip#a.csv", "two.xlsx#Songs"):
        assert_frame_equal(tracks([str(tmp_path / source)], {})[0], plain[0], check_dtype=False)


def test_cells_of_a_workbook_are_what_a_spreadsheet_shows(tmp_path):
    """Dates, durations, numbers that are names, and a name that looks like a formula."""
    rows = [
        song(n, track_name=1999, artists="=LOVE", release_date=dt.date(1999, 5, 12), duration_ms=dt.time(0, 3, 20))
        for n in range(1, 13)
    ]
    (tmp_path / "songs.xlsx").write_bytes(excel(rows))
    made = tracks([str(tmp_path / "songs.xlsx")], {})[0]
    shown = made[["name", "artists", "year", "duration_ms", "release_date"]].drop_duplicates()
    assert shown.to_numpy().tolist() == [["1999", "=LOVE", 1999, 200_000, "1999-05-12"]]


def test_a_formula_is_read_as_its_result(tmp_path):
    saved = zipfile.ZipFile(io.BytesIO(excel(songs(energy="=B1"))))
    entries = [
        (name, saved.read(name).replace(b"<f>B1</f><v />", b"<f>B1</f><v>0.25</v>")) for name in saved.namelist()
    ]
    (tmp_path / "songs.xlsx").write_bytes(archive(*entries))
    assert tracks([str(tmp_path / "songs.xlsx")], {})[0]["energy"].unique().tolist() == [0.25]


def test_a_late_letter_decides_the_encoding_of_the_whole(tmp_path):
    rows = songs(5_000)
    rows[-1]["track_name"] = "Smörgåsbord à la Zoë"
    (tmp_path / "songs.csv").write_bytes(text(rows).encode("latin-1"))
    assert tracks([str(tmp_path / "songs.csv")], {})[0]["name"].iloc[-1] == "Smörgåsbord à la Zoë"


CYRILLIC = "Песня о далёкой звезде и тихой воде"  # noqa: RUF001 # Russian


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r"])
def test_other_alphabets_are_told_by_their_letters(tmp_path, codec):
    (tmp_path / "songs.csv").write_bytes(text(songs(track_name=CYRILLIC)).encode(codec))
    assert tracks([str(tmp_path / "songs.csv")], {})[0]["name"].unique().tolist() == [CYRILLIC]


# What is no table, and what to do about it

BOMB = b"id,name\n" + b"s1,Song\n" * 20_000_000
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def with_password():
    """A zip whose entry says that it is encrypted, as Python can't make one."""
    data = bytearray(archive(("table.csv", CSV)))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def with_shared_strings(data):
    saved = zipfile.ZipFile(io.BytesIO(excel(ROWS)))
    entries = [(name, saved.read(name)) for name in saved.namelist() if name != "xl/sharedStrings.xml"]
    return archive(*entries, ("xl/sharedStrings.xml", data))


def far_cell():
    book = openpyxl.Workbook()
    book.active.append(["name", "energy"])
    book.active["XFD1048576"] = "far"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def wide_parquet():
    """More rows than bytes: one value repeated."""
    file = io.BytesIO()
    pq.write_table(pa.table({"name": pa.array(["x"]).take(pa.array([0] * 3_000_000))}), file)
    return file.getvalue()


def packed_over(times):
    data = CSV.encode()
    for _ in range(times):
        data = gzip.compress(data)
    return data


BAD = {
    "two tables in a zip": (
        archive(("a.csv", CSV), ("b.csv", CSV)),
        "holds 2 files (a.csv, b.csv); say which is the table, as in",
    ),
    "an empty zip": (archive(), "the zip archive is empty; pack it again with the table in it"),
    "a zip with a password": (with_password(), "table.csv has a password; unpack it and give the table"),
    "two sheets": (
        excel(ROWS, ("More", True)),
        "has 2 sheets (Songs, More); say which is the table, as in --source bad#So",
    ),
    "a bomb in a workbook": (with_shared_strings(BOMB), "unpacks to more than 200 times its size"),
    "an empty sheet": (excel([{}], title="Sheet1"), "no sheet has anything in it"),
    "formulas without results": (
        excel(songs(energy="=B2*2")),
        "cell K2: a formula without its result; open the work",
    ),
    "a cell far away": (far_cell(), "reaches to cell XFD1048576, more than 50,000,000 cells; remove what stands far"),
    "another document": (archive(("word/document.xml", "<x/>")), "this is a document, but no .xlsx"),
    "an old workbook": (OLD_EXCEL, "this is an old Excel workbook (.xls), or one with a password; save it as .xlsx"),
    "two encodings": (CSV.encode() + b"s23,Zo\xeb\n", "line 25: byte 0xeb is not UTF-8, though what is before it is"),
    "no encoding": (b"id,name\n" + bytes(range(128, 160)) * 40, "line 2: byte 0x80 is not UTF-8, and no other enc"),
    "half of UTF-16": (CSV.encode("utf-16")[:-1], "is not UTF-16, though what is before it is"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "this is a PDF document; save the table in it as CSV"),
    "a web page": (b"\n<!DOCTYPE html><html><body>id,name</body></html>", "this is a web page or XML, not a table"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "this is a pointer of Git LFS"),
    "a pickle": (b"\x80\x04\x95\x0c", "this is a pickle, which could run code; save the table as Parquet or CSV"),
    "a tar in gzip": (gzip.compress(bytes(257) + b"ustar" + bytes(250)), "this is a tar archive; unpack it"),
    "packed over and over": (packed_over(4), "packed more than 3 times over; unpack it and give the table in it"),
    "a bomb in gzip": (gzip.compress(BOMB), "unpacks to more than 200 times its size"),
    "a bomb in zstd": (compressed(BOMB, "zstd"), "unpacks to more than 200 times its size"),
    "a bomb in zip": (archive(("table.csv", BOMB)), "unpacks to more than 200 times its size"),
    "a bomb of Parquet": (wide_parquet(), "3,000,000 rows in"),
    "one object": (b'{"name": {"0": "A", "1": "B"}}', "only one object in it; expected one array of objects"),
    "JSON of texts": (b'["A", "B"]', "value 1: 'A' is no object; expected one array of objects"),
    "JSON cut off": (json.dumps(ROWS).encode()[:-40], "no JSON, or cut off ("),
    "a JSON array cut off": (json.dumps(ROWS).encode()[:-1], "the array is not closed: the file is cut off"),
    "a line without end": (b"id,name\n" + b"s1,A " * 4_000_000, "line 2: longer than 16,777,216 characters"),
} | {
    f"half a {name} file": (data[: len(data) // 2], "is damaged or cut off (")
    for name, data in KINDS.items()
    if name in ("gzip", "bzip2", "xz", "zstd", "lz4", "zip", "xlsx", "Parquet", "Feather", "Arrow stream")
}


@pytest.mark.parametrize(("data", "told"), BAD.values(), ids=BAD)
def test_what_is_no_table_is_one_line_that_says_what_to_do(tmp_path, data, told):
    (tmp_path / "bad").write_bytes(data)
    with pytest.raises(SourceError) as refused:
        tracks([str(tmp_path / "bad")], {})
    assert str(refused.value).startswith("bad")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["a bomb in zip", "formulas without results", "half a zstd file", "an old workbook"])
def test_after_what_is_no_table_the_old_version_is_current_and_untouched(tmp_path, world_artifacts, capsys, kind):
    out, bad = tmp_path / "artifacts", tmp_path / "bad"
    shutil.copytree(world_artifacts, out)
    bad.write_bytes(BAD[kind][0])
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert main(["fit", "--source", str(bad), "--out", str(out)]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: bad")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_parts_that_differ_are_told_with_the_part_and_the_column(tmp_path):
    pd.DataFrame({"name": ["A"], "energy": [0.5]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"name": ["B"], "energy": ["loud"]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(SourceError, match=r"column 'energy' is \w+ in b.parquet, but double in the first part"):
        tracks([str(tmp_path)], {})


def test_a_table_that_is_not_in_an_archive_is_told_with_those_that_are(tmp_path):
    (tmp_path / "two.zip").write_bytes(archive(("a.csv", CSV), ("b.csv", CSV)))
    (tmp_path / "one.xlsx").write_bytes(excel(ROWS))
    with pytest.raises(SourceError, match=r"two.zip: the zip archive has no 'c.csv' \(a.csv, b.csv\)"):
        tracks([str(tmp_path / "two.zip#c.csv")], {})
    with pytest.raises(SourceError, match=r"one\.xlsx: no sheet 'Songz'; there are: Songs"):
        tracks([str(tmp_path / "one.xlsx#Songz")], {})
