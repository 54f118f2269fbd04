"""What is no table is refused in a line that says what to do about it."""

import gzip
import io
import json
import re
import shutil
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.errors import SourceError
from segue_build.cli import main
from segue_build.sources.tracks import load_tracks
from tests.support.table_formats import CSV, KINDS, ROWS, archive, compressed, excel
from tests.support.tables import songs

BOMB = b"id,name\n" + b"s1,Song\n" * 20_000_000
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def with_password():
    """A zip whose entry says that it is encrypted, as Python can't make one."""
    data = bytearray(archive(("table.csv", CSV)))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def with_shared_strings(data):
    return changed(excel(ROWS), "xl/sharedStrings.xml", lambda _: data)


def with_prefixes(workbook):
    """The same sheet, as writers that name every namespace have it, its formulas shared."""
    return changed(
        workbook, "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(rb"(</?)(\w)", rb"\1x:\2", xml.replace(b"xmlns=", b"xmlns:x=")).replace(
            b"<x:f>B2*2</x:f>", b'<x:f t="shared" si="0"/>'
        ),
    )  # fmt: skip


def changed(workbook, entry, change):
    """A workbook, one of whose entries is changed."""
    saved = zipfile.ZipFile(io.BytesIO(workbook))
    content = {name: saved.read(name) for name in saved.namelist()}
    return archive(*{**content, entry: change(content.get(entry, b""))}.items())


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


BAD = {
    "an empty zip": (archive(), "the zip archive is empty; pack it again with the table in it"),
    "a zip of a file without a name": (
        archive(("table.csv", CSV)).replace(b"table.csv", b"\0able.csv"),
        "the zip archive is empty; pack it again with the table in it",
    ),
    "a zip whose file has a damaged name": (
        archive(("tablé.csv", CSV)).replace(b"\xc3\xa9", b"\xf0\xa9", 1),
        "the zip file is damaged or cut off ('utf-8' codec can't decode bytes in position 4-5",
    ),
    "a zip whose list of files has a damaged name": (
        archive(("tablé.csv", CSV)).replace(b"\xc3\xa9", b"\xf0\xa9"),
        "the zip file is damaged or cut off ('utf-8' codec can't decode bytes in position 4-5",
    ),
    "a zip with a password": (with_password(), "table.csv has a password; unpack it and give the table"),
    "two sheets": (
        excel(ROWS, ("More", True)),
        "has 2 sheets (Songs with 23 rows, More with 1 row); say which holds the songs, as in --source bad#Songs",
    ),
    "a bomb in a workbook": (with_shared_strings(BOMB), "unpacks to more than 200 times its size"),
    "an empty sheet": (excel([{}], title="Sheet1"), "no sheet has anything in it"),
    "formulas without results": (
        excel(songs(energy="=B2*2")),
        "cell K2: a formula without its result; open the work",
    ),
    "formulas without results, shared and with prefixes": (
        with_prefixes(excel(songs(energy="=B2*2"))),
        "cell K2: a formula without its result; open the work",
    ),
    "a cell far away": (
        far_cell(),
        "as with no table of this size (is there a cell far from the others?)",
    ),
    "another document": (archive(("word/document.xml", "<x/>")), "this is a document, but not .xlsx"),
    "an old workbook": (OLD_EXCEL, "this is an old Excel workbook (.xls), or one with a password; save it as .xlsx"),
    "two encodings": (
        CSV.encode() + b"s23,Zo\xeb\n",
        "line 25: byte 0xeb is not UTF-8, although everything before it is",
    ),
    "no encoding": (b"id,name\n" + bytes(range(128, 160)) * 40, "line 2: byte 0x80 is not UTF-8, and no other enc"),
    "half of UTF-16": (CSV.encode("utf-16")[:-1], "is not UTF-16, although everything before it is"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "this is a PDF document; save the table in it as CSV"),
    "a web page": (b"\n<!DOCTYPE html><html><body>id,name</body></html>", "this is a web page or XML, not a table"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "this is a pointer of Git LFS"),
    "a pickle": (b"\x80\x04\x95\x0c", "this is a pickle, which could run code; save the table as Parquet or CSV"),
    "a tar in gzip": (gzip.compress(bytes(257) + b"ustar" + bytes(250)), "this is a tar archive; unpack it"),
    "packed twice": (gzip.compress(gzip.compress(CSV.encode())), "this is compressed twice; unpack it and give"),
    "an archive in an archive": (
        archive(("in.zip", archive(("a.csv", CSV)))),
        "this is an archive in an archive; unpack it and give what is in it",
    ),
    "a bomb in gzip": (gzip.compress(BOMB), "unpacks to more than 200 times its size"),
    "a bomb in zstd": (compressed(BOMB, "zstd"), "unpacks to more than 200 times its size"),
    "a bomb in zip": (archive(("table.csv", BOMB)), "unpacks to more than 200 times its size"),
    "a bomb of Parquet": (wide_parquet(), "more rows than its "),
    "one object": (b'{"name": {"0": "A", "1": "B"}}', "only one object in it; expected one array of objects"),
    "JSON of texts": (b'["A", "B"]', "value 1: 'A' is not an object; expected one array of objects"),
    "JSON cut off": (json.dumps(ROWS).encode()[:-40], "not JSON, or cut off ("),
    "a JSON array cut off": (json.dumps(ROWS).encode()[:-1], "the array is not closed: the file is cut off"),
    "a line without end": (b"id,name\n" + b"s1,A " * 4_000_000, "line 2: longer than 16,777,216 characters"),
} | {
    f"half a {name} file": (data[: len(data) // 2], "is damaged or cut off (")
    for name, data in KINDS.items()
    if name in ("gzip", "bzip2", "xz", "zstd", "zip", "xlsx", "Parquet", "Feather", "Arrow stream")
}


@pytest.mark.parametrize(("data", "told"), BAD.values(), ids=BAD)
def test_what_is_no_table_is_one_line_that_says_what_to_do(tmp_path, data, told):
    (tmp_path / "bad").write_bytes(data)
    with pytest.raises(SourceError) as refused:
        load_tracks([str(tmp_path / "bad")], {})
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
        load_tracks([str(tmp_path)], {})


def test_a_table_that_is_not_in_an_archive_is_told_with_those_that_are(tmp_path):
    (tmp_path / "two.zip").write_bytes(archive(("a.csv", CSV), ("b.csv", CSV)))
    (tmp_path / "one.xlsx").write_bytes(excel(ROWS))
    with pytest.raises(SourceError, match=r"two.zip: the zip archive has no 'c.csv' \(a.csv, b.csv\)"):
        load_tracks([str(tmp_path / "two.zip#c.csv")], {})
    with pytest.raises(SourceError, match=r"one\.xlsx: the workbook has no sheet 'Songz' \(Songs with 23 rows\)"):
        load_tracks([str(tmp_path / "one.xlsx#Songz")], {})
