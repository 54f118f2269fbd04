"""Opens a table on disk in any format: its first bytes show how it is compressed and which reader to use.

Compressed files are gzip, bzip2, xz, zstd or lz4 streams, and zip archives.
"""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, cast

import pyarrow as pa

from segue.errors import SourceError
from segue_build.sources.formats import columnar
from segue_build.sources.formats.base import (
    EXPECTED_TABLE,
    Content,
    Table,
    decompressed,
    file_content,
    open_zip,
)
from segue_build.sources.formats.records import BYTES_BEFORE_TEXT, read_json, read_m3u, read_xml
from segue_build.sources.formats.text import read_delimited
from segue_build.sources.formats.xlsx import read_workbook

# first bytes -> a format that is not supported, and what to do about it
UNSUPPORTED_MAGIC = {
    b"%PDF-": "a PDF document; save the table in it as CSV",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls), or one with a password; save it as .xlsx"
    " without a password, or as CSV",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it and give the table in it",
    b"Rar!": "a rar archive; unpack it and give the table in it",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; get that with git lfs pull",
    b"\x80\x02": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x80\x03": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x80\x04": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x80\x05": "a pickle, which could run code; save the table as Parquet or CSV",
    b"\x89HDF": "an HDF5 file; save the table as Parquet or CSV",
    b"ORC": "an ORC file; save the table as Parquet or CSV",
    b"Obj\x01": "an Avro file; save the table as Parquet or CSV",
    b"RDX": "an R data file; save the table as CSV",
    b"\x89PNG": "a picture; give the table as CSV",
    b"\xff\xd8\xff": "a picture; give the table as CSV",
}
MARKUP_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<playlist", b"<dj_playlists", b"<nml")
TAR_MAGIC, TAR_MAGIC_OFFSET = b"ustar", 257
MAX_COMPRESSION_DEPTH = 3  # levels of compression around one table
SQLITE_MAGIC = b"SQLite format 3\0"
ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
# entries of zip files that are documents, not archives
DOCUMENT_ENTRIES = ("xl/", "word/", "ppt/", "content.xml", "Index/Document.iwa")
TABLE_SUFFIXES = (
    ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".feather", ".arrow", ".xlsx",
    ".gz", ".bz2", ".xz", ".zst", ".zip",
)  # fmt: skip
MAX_NAMES_SHOWN = 5  # of an archive's files, in a message
StreamOpener = Callable[[IO[bytes]], IO[bytes]]
# first bytes -> name, and the function that opens such a stream
STREAM_FORMATS: dict[bytes, tuple[str, StreamOpener]] = {
    b"\x1f\x8b": ("gzip", lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file))),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda file: pa.CompressedInputStream(file, "zstd")),
    b"\x04\x22\x4d\x18": ("lz4", lambda file: pa.CompressedInputStream(file, "lz4")),
}


def open_table(path: Path, part: str | None = None) -> Table:
    """Open a table: a file, a file in an archive, or a folder of Parquet files.

    part : name of the table in an archive of several files, or of the sheet in a workbook of several

    Raises
    ------
    SourceError
        the file is missing, empty, damaged, or not a table; some of this is noticed only while chunks are read.

    """
    if path.is_dir():
        return columnar.read_parquet_folder(path)
    return read_content(decompress(_whole_file(path), part), part)


def open_tables(path: Path, part: str | None = None) -> Iterator[Table | tuple[str, SourceError]]:
    """All tables of a file, an archive or a folder; of those that can't be read, name and reason.

    Raises
    ------
    SourceError
        there is nothing, or only one file, which can't be read.

    """
    contents = list(_iter_contents(path, part))
    if path.is_dir() and (not contents or any(map(columnar.is_parquet, path.rglob("*")))):
        yield columnar.read_parquet_folder(path)
    for content in contents:
        try:
            yield read_content(decompress(content, None), part)
        except SourceError as error:
            if len(contents) == 1:
                raise
            yield content.name, error


def _iter_contents(path: Path, part: str | None) -> Iterator[Content]:
    """The files of a folder and of its archives, but for Parquet files; of an archive; or the file itself."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            relative = file.relative_to(path)
            if (
                file.is_file()
                and not _is_hidden(str(relative))
                and file.stat().st_size
                and not columnar.is_parquet(file)
            ):
                for content in _iter_contents(file, None):
                    yield replace(content, name=f"{path.name}: {relative}{content.name.removeprefix(file.name)}")
        return
    content = _whole_file(path)
    if part or not content.head().startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)) or is_zip_document(content):
        yield decompress(content, part) if part else content
        return
    with open_zip(content) as archive:
        members = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_hidden(entry.filename)]
    if not members:
        raise SourceError(f"{content.name}: the zip archive is empty; pack it again with the table in it")
    for member in members:
        yield _open_member(content, member)


def _whole_file(path: Path) -> Content:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; {EXPECTED_TABLE}")
    content = file_content(path)
    if not content.size:
        raise SourceError(f"{path.name}: the file is empty; {EXPECTED_TABLE}")
    return content


def read_content(content: Content, part: str | None) -> Table:
    """Read what is no longer compressed by the reader that its first bytes call for."""
    head = content.head()
    _check_supported(head, content.name)
    if head.startswith(ZIP_MAGIC):
        return _read_zip_document(content, part)
    if head.startswith(columnar.PARQUET_MAGIC):
        return columnar.read_parquet(content)
    if head.startswith((columnar.ARROW_FILE_MAGIC, columnar.ARROW_STREAM_MAGIC, columnar.FEATHER_1_MAGIC)):
        return columnar.read_arrow(content)
    if head.startswith(SQLITE_MAGIC):
        return columnar.read_sqlite(content, part)
    text = head.replace(b"\0", b"").lstrip(BYTES_BEFORE_TEXT)
    if text.startswith((b"{", b"[")):
        return read_json(content)
    if text.startswith(b"#EXTM3U"):
        return read_m3u(content)
    if text.lower().startswith(MARKUP_STARTS):
        return read_xml(content)
    return read_delimited(content)


def _check_supported(head: bytes, name: str) -> None:
    """Reject files that are known to be something else, and say what."""
    unsupported = next(
        (description for magic, description in UNSUPPORTED_MAGIC.items() if head.startswith(magic)), None
    )
    if head[TAR_MAGIC_OFFSET:].startswith(TAR_MAGIC):
        unsupported = "a tar archive; unpack it and give the table in it"
    if unsupported:
        raise SourceError(f"{name}: this is {unsupported}")


def _read_zip_document(content: Content, part: str | None) -> Table:
    with open_zip(content) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            raise SourceError(f"{content.name}: this is a document, but not .xlsx; save its table as .xlsx or CSV")
    return read_workbook(content, part)


def decompress(content: Content, part: str | None) -> Content:
    """Remove all levels of compression around a table.

    part : name of the table in an archive of several

    Raises
    ------
    SourceError
        an archive holds no table or several, has a password, or is damaged; or there are too many levels.

    """
    while len(content.compression) <= MAX_COMPRESSION_DEPTH:
        head = content.head()
        stream = next((kind for magic, kind in STREAM_FORMATS.items() if head.startswith(magic)), None)
        if stream:
            content = _decompress_stream(content, *stream)
        elif head.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)) and not is_zip_document(content):
            content, part = _zip_member(content, part), None
        else:
            return content
    raise SourceError(
        f"{content.name}: compressed more than {MAX_COMPRESSION_DEPTH} times; unpack it and give the table in it"
    )


def is_zip_document(content: Content) -> bool:
    """Whether a zip archive is a document, such as a workbook."""
    with open_zip(content) as archive:
        return any(name.startswith(DOCUMENT_ENTRIES) for name in archive.namelist())


def _decompress_stream(content: Content, compression: str, stream: StreamOpener) -> Content:
    return decompressed(
        content, compression, lambda stack: stack.enter_context(stream(stack.enter_context(content.open())))
    )


def _zip_member(content: Content, part: str | None) -> Content:
    with open_zip(content) as archive:
        member = _select_member(archive, content.name, part)
    return _open_member(content, member)


def _open_member(content: Content, member: zipfile.ZipInfo) -> Content:
    if member.flag_bits & 1:
        raise SourceError(f"{content.name}: {member.filename} has a password; unpack it and give the table")
    name = f"{content.name}: {member.filename}"
    return decompressed(
        content, "zip", lambda stack: stack.enter_context(stack.enter_context(open_zip(content)).open(member)), name
    )


def _select_member(archive: zipfile.ZipFile, name: str, part: str | None) -> zipfile.ZipInfo:
    """The file that is the table: the one named by ``part``, the only one, or the only one with a table's suffix."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_hidden(entry.filename)]
    matching = [entry for entry in entries if entry.filename == part] if part else entries
    if len(matching) > 1:
        matching = [entry for entry in entries if entry.filename.lower().endswith(TABLE_SUFFIXES)]
    if len(matching) == 1:
        return matching[0]
    names = [entry.filename for entry in matching or entries]
    if not names:
        raise SourceError(f"{name}: the zip archive is empty; pack it again with the table in it")
    shown = ", ".join(names[:MAX_NAMES_SHOWN]) + (", ..." if len(names) > MAX_NAMES_SHOWN else "")
    what = f"has no '{part}'" if part else f"holds {len(names)} files"
    raise SourceError(
        f"{name}: the zip archive {what} ({shown}); say which is the table, as in --source {name}#{names[0]}"
        " (several --source merge)"
    )


def _is_hidden(name: str) -> bool:
    """Whether an operating system added a file: ``__MACOSX/``, ``.DS_Store``."""
    return any(piece.startswith((".", "__MACOSX")) for piece in PurePosixPath(name).parts)
