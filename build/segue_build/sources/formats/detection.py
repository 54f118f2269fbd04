"""Opens tables on disk in any format: the first bytes of a file show how it is compressed and which reader to use.

A file may be compressed by gzip, bzip2, xz or zstd; zip archives and folders hold any number of files.
"""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from segue.errors import SourceError
from segue_build.sources.formats import columnar
from segue_build.sources.formats.base import EXPECTED_TABLE, Content, Table, list_names, translate_errors, unpack
from segue_build.sources.formats.records import BYTES_BEFORE_TEXT, read_json, read_m3u, read_xml
from segue_build.sources.formats.text import read_delimited

# first bytes -> a format that is not supported, and what to do about it
UNSUPPORTED_MAGIC = {
    (b"%PDF-",): "a PDF document; save the table in it as CSV",
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",): "an old Excel workbook (.xls), or one with a password; save it as .xlsx"
    " without a password, or as CSV",
    (b"7z\xbc\xaf\x27\x1c", b"Rar!"): "a 7z or rar archive; unpack it and give the table in it",
    (b"version https://git-lfs",): "a pointer of Git LFS, not the file itself; get that with git lfs pull",
    (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"): "a pickle, which could run code; save the table as Parquet"
    " or CSV",
    (b"\x89HDF", b"ORC", b"Obj\x01", b"RDX"): "a file of HDF5, ORC, Avro or R; save the table as Parquet or CSV",
    (b"FEA1",): "Feather version 1, which Arrow no longer reads; write it again as version 2",
    (b"\x89PNG", b"\xff\xd8\xff"): "a picture; give the table as CSV",
}
TAR_MAGIC, TAR_MAGIC_OFFSET = b"ustar", 257
ISOLATED_MAGIC = {  # first bytes -> what reads them in a process of its own
    (columnar.PARQUET_MAGIC,): "Parquet",
    (b"ARROW1", columnar.ARROW_STREAM_MAGIC): "Feather",
    (b"SQLite format 3\0",): "SQLite",
}
TEXT_READERS: Mapping[tuple[bytes, ...], Callable[[Content], Table]] = {  # what a text begins with, in small letters
    (b"{", b"["): read_json,
    (b"#extm3u",): read_m3u,
    (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<playlist", b"<dj_playlists", b"<nml"): read_xml,
    (b"",): read_delimited,
}
UNSUPPORTED_ZIPS = {  # see _zip_kind
    "archive": "an archive in an archive; unpack it and give what is in it",
    "document": "a document, but not .xlsx; save its table as .xlsx or CSV",
}
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the last: of an empty one
# entries of zip files that are documents, not archives
DOCUMENT_ENTRIES = ("xl/", "word/", "ppt/", "content.xml", "Index/Document.iwa")
MAX_FILES = 5_000  # of a folder and the archives in it
STREAM_FORMATS: Mapping[tuple[bytes, ...], tuple[str, Callable[[Path], Any]]] = {
    (b"\x1f\x8b",): ("gzip", gzip.open),
    (b"BZh",): ("bzip2", bz2.open),
    (b"\xfd7zXZ\x00",): ("xz", lzma.open),
    (b"\x28\xb5\x2f\xfd",): ("zstd", lambda path: pa.CompressedInputStream(str(path), "zstd")),
}
Unreadable = tuple[str, SourceError]  # a name, and why it can't be read
Opener = Callable[[], Iterator[Table | Unreadable]]


def open_tables(path: Path, part: str | None = None) -> Iterator[Table | Unreadable]:
    """All tables of a file, an archive or a folder; of those that can't be read, name and reason.

    The Parquet files of a folder are one table. An archive in an archive is not opened.

    part : name of the only table to open, in an archive, a workbook or a database of several

    Raises
    ------
    SourceError
        there is nothing, or only one file, which is missing, empty, damaged, or not a table; some of this is noticed
        only while chunks are read.

    """
    for number, opened in enumerate(_open_folder(path) if path.is_dir() else _open_file(path, path.name, part), 1):
        _check_count(number, path.name)
        yield opened


def _check_count(n_files: int, name: str) -> None:
    if n_files > MAX_FILES:
        raise SourceError(f"{name}: more than {MAX_FILES:,} files; give those with songs or playlists only")


def _open_each(openers: Mapping[str, Opener], owner: str) -> Iterator[Table | Unreadable]:
    """The tables of each file, or why it can't be read, which is an error if it is the only one."""
    _check_count(len(openers), owner)
    for name, opener in openers.items():
        try:
            yield from opener()
        except SourceError as error:
            if len(openers) == 1:
                raise
            yield name, error


def _open_folder(folder: Path) -> Iterator[Table | Unreadable]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    names = {path: str(path.relative_to(folder)) for path in files if not columnar.is_parquet(path)}
    names = {path: f"{folder.name}: {name}" for path, name in names.items() if not _is_hidden(name)}
    parts = columnar.parquet_parts(folder)
    if parts:
        yield columnar.read_isolated(
            Content(f"{folder.name}/", folder, sum(path.stat().st_size for path in parts)), "Parquet"
        )
    elif not names:
        raise SourceError(f"{folder}: a folder without files; {EXPECTED_TABLE}")
    yield from _open_each({name: partial(_open_file, path, name) for path, name in names.items()}, folder.name)


def _open_file(path: Path, name: str, part: str | None = None) -> Iterator[Table | Unreadable]:
    """The tables of an archive, or the one of any other file."""
    if not path.is_file():
        raise SourceError(f"{path}: no such file; {EXPECTED_TABLE}")
    content = Content(name, path, path.stat().st_size)
    if not content.size:
        raise SourceError(f"{name}: the file is empty; {EXPECTED_TABLE}")
    if content.head().startswith(ZIP_MAGICS) and _zip_kind(content) == "archive":
        with zipfile.ZipFile(path) as archive:
            yield from _open_members(content, archive, part)
    else:
        yield _read_content(content, part)


def _open_members(content: Content, archive: zipfile.ZipFile, part: str | None) -> Iterator[Table | Unreadable]:
    named = [entry for entry in archive.infolist() if entry.filename]  # none if it begins with a zero byte
    members = [entry for entry in named if not entry.is_dir() and not _is_hidden(entry.filename)]
    openers = {
        f"{content.name}: {member.filename}": partial(_open_member, content, archive, member)
        for member in members
        if part in (None, member.filename)
    }
    if not members:
        raise SourceError(f"{content.name}: the zip archive is empty; pack it again with the table in it")
    if not openers:
        names = list_names([member.filename for member in members])
        raise SourceError(f"{content.name}: the zip archive has no '{part}' ({names})")
    yield from _open_each(openers, content.name)


def _open_member(content: Content, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Table]:
    name = f"{content.name}: {member.filename}"
    if member.flag_bits & 1:
        raise SourceError(f"{name} has a password; unpack it and give the table")
    yield _read_content(unpack(content, "zip", partial(archive.open, member), name), None)


def _is_hidden(name: str) -> bool:
    """Whether an operating system added a file: ``__MACOSX/``, ``.DS_Store``."""
    return any(piece.startswith((".", "__MACOSX")) for piece in PurePosixPath(name).parts)


def _zip_kind(content: Content) -> str:
    """What a zip is: ``"workbook"``, another ``"document"``, or an ``"archive"``."""
    with translate_errors(content.name, "zip file"), zipfile.ZipFile(content.path) as archive:
        names = archive.namelist()
    if "xl/workbook.xml" in names:
        return "workbook"
    return "document" if any(name.startswith(DOCUMENT_ENTRIES) for name in names) else "archive"


def _read_content(content: Content, part: str | None) -> Table:
    """Read a file by the reader that its first bytes call for."""
    compression = _find(STREAM_FORMATS, content.head())
    if compression:
        name, opener = compression
        content = unpack(content, name, partial(opener, content.path))
    head = content.head()
    if compression and _find(STREAM_FORMATS, head):
        raise SourceError(f"{content.name}: this is compressed twice; unpack it and give the table in it")
    unsupported, kind = _find(UNSUPPORTED_MAGIC, head), _find(ISOLATED_MAGIC, head)
    if head[TAR_MAGIC_OFFSET:].startswith(TAR_MAGIC):
        unsupported = "a tar archive; unpack it and give the table in it"
    elif head.startswith(ZIP_MAGICS):
        kind = _zip_kind(content)
        unsupported = UNSUPPORTED_ZIPS.get(kind)
    if unsupported:
        raise SourceError(f"{content.name}: this is {unsupported}")
    if kind:
        return columnar.read_isolated(content, kind, part)
    text = head.replace(b"\0", b"").lstrip(BYTES_BEFORE_TEXT).lower()
    return _find(TEXT_READERS, text)(content)


def _find(found: Mapping[tuple[bytes, ...], Any], head: bytes) -> Any:
    """What the first bytes of a file stand for, if anything."""
    return next((meaning for starts, meaning in found.items() if head.startswith(starts)), None)
