"""A table on disk, in whichever form: what its first bytes say it is decides who reads it."""

from pathlib import Path

from segue_build.sources.formats import columnar, packing
from segue_build.sources.formats.content import Content, content_of
from segue_build.sources.formats.objects import objects
from segue_build.sources.formats.separated import separated
from segue_build.sources.formats.sheets import workbook
from segue_build.sources.formats.table import EXPECTED, Table
from segue.errors import SourceError

# first bytes -> what that is no table, and what to do about it
OTHERS = {
    b"%PDF-": "a PDF document; save the table in it as CSV",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls), or one with a password; save it as .xlsx"
    " without a password, or as CSV",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it and give the table in it",
    b"Rar!": "a rar archive; unpack it and give the table in it",
    b"SQLite format 3\0": "an SQLite database; save its table as CSV",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; get that with git lfs pull",
    b"\x80\x02": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x80\x03": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x80\x04": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x80\x05": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x89HDF": "an HDF5 file; save the table as Parquet or CSV",
    b"ORC": "an ORC file; save the table as Parquet or CSV",
    b"Obj\x01": "an Avro file; save the table as Parquet or CSV",
    b"RDX": "a file of R's; save the table as CSV",
    b"\x89PNG": "a picture; give the table as CSV",
    b"\xff\xd8\xff": "a picture; give the table as CSV",
}
PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body")
TAR, TAR_AT = b"ustar", 257
_AROUND = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"  # marks, spaces and every second byte of UTF-16


def read(path: Path, part: str | None = None) -> Table:
    """Open a table: a file, what is packed in one, or a folder of Parquet files.

    part : name of the table in an archive of several files, or of the sheet in a workbook of several

    Raises
    ------
    SourceError
        the file is missing, empty, damaged, or no table; some of that shows only while its chunks are read.

    """
    if path.is_dir():
        return columnar.parts(path)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; {EXPECTED}")
    content = content_of(path)
    if not content.size:
        raise SourceError(f"{path.name}: the file is empty; {EXPECTED}")
    content = packing.unwrap(content, part)
    head = content.head()
    _check_kind(head, content.name)
    if head.startswith(packing.ZIP):
        return _document(content, part)
    if head.startswith(columnar.PARQUET):
        return columnar.parquet(content)
    if head.startswith((columnar.ARROW_FILE, columnar.ARROW_STREAM, columnar.FEATHER_1)):
        return columnar.arrow(content)
    if head.lstrip(_AROUND).startswith((b"{", b"[")):
        return objects(content)
    return separated(content)


def _check_kind(head: bytes, name: str) -> None:
    """What is known to be something else is called by its name."""
    other = next((what for magic, what in OTHERS.items() if head.startswith(magic)), None)
    if head[TAR_AT:].startswith(TAR):
        other = "a tar archive; unpack it and give the table in it"
    if head.replace(b"\0", b"").lstrip(_AROUND).lower().startswith(PAGES):
        other = "a web page or XML, not a table; download the file itself"
    if other:
        raise SourceError(f"{name}: this is {other}")


def _document(content: Content, part: str | None) -> Table:
    with packing.archive(content) as opened:
        if "xl/workbook.xml" not in opened.namelist():
            raise SourceError(f"{content.name}: this is a document, but no .xlsx; save its table as .xlsx or CSV")
    return workbook(content, part)
