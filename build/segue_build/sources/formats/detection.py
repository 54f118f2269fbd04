"""Opens tables on disk in any format: the first bytes of a file show how it is compressed and which reader to use.

A file may be compressed by gzip, bzip2, xz or zstd; zip archives and folders hold any number of files.
"""

import bz2
import gzip
import itertools
import lzma
import zipfile
from collections.abc import Callable, Iterable, Iterator
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
    list_names,
    open_zip,
)
from segue_build.sources.formats.records import BYTES_BEFORE_TEXT, read_json, read_m3u, read_xml
from segue_build.sources.formats.text import read_delimited

# first bytes -> a format that is not supported, and what to do about it
UNSUPPORTED_MAGIC = {
    b"%PDF-": "a PDF document; save the table in it as CSV",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook (.xls), or one with a password; save it as .xlsx"
    " without a password, or as CSV",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it and give the table in it",
    b"Rar!": "a rar archive; unpack it and give the table in it",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; get that with git lfs pull",
    **dict.fromkeys(
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "a pickle, which could run code; save the table as Parquet or CSV",
    ),
    b"\x89HDF": "an HDF5 file; save the table as Parquet or CSV",
    b"ORC": "an ORC file; save the table as Parquet or CSV",
    b"Obj\x01": "an Avro file; save the table as Parquet or CSV",
    b"RDX": "an R data file; save the table as CSV",
    b"\x89PNG": "a picture; give the table as CSV",
    b"\xff\xd8\xff": "a picture; give the table as CSV",
}
MARKUP_STARTS = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<playlist", b"<dj_playlists", b"<nml")
TAR_MAGIC, TAR_MAGIC_OFFSET = b"ustar", 257
ISOLATED_MAGIC = {  # first bytes -> what reads them in a process of its own
    columnar.PARQUET_MAGIC: columnar.PARQUET,
    columnar.ARROW_FILE_MAGIC: columnar.FEATHER,
    columnar.ARROW_STREAM_MAGIC: columnar.FEATHER,
    columnar.FEATHER_1_MAGIC: columnar.FEATHER,
    b"SQLite format 3\0": columnar.SQLITE,
}
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the last: of an empty one
# entries of zip files that are documents, not archives
DOCUMENT_ENTRIES = ("xl/", "word/", "ppt/", "content.xml", "Index/Document.iwa")
MAX_FILES = 5_000  # of a folder or an archive
Unreadable = tuple[str, SourceError]  # a name, and why it can't be read
StreamOpener = Callable[[IO[bytes]], IO[bytes]]
# first bytes -> name, and the function that opens such a stream
STREAM_FORMATS: dict[bytes, tuple[str, StreamOpener]] = {
    b"\x1f\x8b": ("gzip", lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file))),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda file: pa.CompressedInputStream(file, "zstd")),
}


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
    if sum(1 for _ in itertools.islice(_iter_contents(path, part), MAX_FILES + 1)) > MAX_FILES:
        raise SourceError(f"{path.name}: more than {MAX_FILES:,} files; give those with songs or playlists only")
    contents = _iter_contents(path, part)
    first = list(itertools.islice(contents, 2))
    if path.is_dir() and (not first or any(map(columnar.is_parquet, path.rglob("*")))):
        yield columnar.read_parquet_folder(path)
    for content in itertools.chain(first, contents):
        if not isinstance(content, Content):
            yield content
            continue
        try:
            yield _read_content(content, part)
        except SourceError as error:
            if len(first) == 1:
                raise
            yield content.name, error


def _iter_contents(path: Path, part: str | None) -> Iterator[Content | Unreadable]:
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
                try:
                    for content in _iter_file(file, None):
                        yield replace(content, name=f"{path.name}: {relative}{content.name.removeprefix(file.name)}")
                except SourceError as error:  # an archive that can't be opened
                    yield f"{path.name}: {relative}", error
    else:
        yield from _iter_file(path, part)


def _iter_file(path: Path, part: str | None) -> Iterator[Content]:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; {EXPECTED_TABLE}")
    content = file_content(path)
    if not content.size:
        raise SourceError(f"{path.name}: the file is empty; {EXPECTED_TABLE}")
    if content.head().startswith(ZIP_MAGICS) and not _is_document(_archive_names(content)):
        yield from _iter_members(content, part)
    else:
        yield content


def _iter_members(content: Content, part: str | None) -> Iterator[Content]:
    archive = open_zip(content)
    members = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_hidden(entry.filename)]
    names = [member.filename for member in members]
    if not members:
        raise SourceError(f"{content.name}: the zip archive is empty; pack it again with the table in it")
    if part and part not in names:
        raise SourceError(f"{content.name}: the zip archive has no '{part}' ({list_names(names)})")
    for member in members:
        if part in (None, member.filename):
            yield _open_member(content, archive, member)


def _open_member(content: Content, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Content:
    if member.flag_bits & 1:
        raise SourceError(f"{content.name}: {member.filename} has a password; unpack it and give the table")
    name = f"{content.name}: {member.filename}"
    return decompressed(content, "zip", lambda stack: stack.enter_context(archive.open(member)), name)


def _read_content(content: Content, part: str | None) -> Table:
    """Read a file by the reader that its first bytes call for."""
    head = content.head()
    stream = next((kind for magic, kind in STREAM_FORMATS.items() if head.startswith(magic)), None)
    if stream:
        content = _decompress(content, *stream)
        head = content.head()
        if head.startswith(tuple(STREAM_FORMATS)):
            raise SourceError(f"{content.name}: this is compressed twice; unpack it and give the table in it")
    _check_supported(head, content.name)
    if head.startswith(ZIP_MAGICS):
        return _read_zip_document(content, part)
    kind = next((kind for magic, kind in ISOLATED_MAGIC.items() if head.startswith(magic)), None)
    if kind:
        return columnar.read_isolated(content, kind, part)
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
    names = _archive_names(content)
    if not _is_document(names):
        raise SourceError(f"{content.name}: this is an archive in an archive; unpack it and give what is in it")
    if "xl/workbook.xml" not in names:
        raise SourceError(f"{content.name}: this is a document, but not .xlsx; save its table as .xlsx or CSV")
    return columnar.read_isolated(content, columnar.WORKBOOK, part)


def _archive_names(content: Content) -> list[str]:
    with open_zip(content) as archive:
        return archive.namelist()


def _is_document(names: Iterable[str]) -> bool:
    """Whether a zip is a document, such as a workbook, and not an archive."""
    return any(name.startswith(DOCUMENT_ENTRIES) for name in names)


def _decompress(content: Content, compression: str, stream: StreamOpener) -> Content:
    return decompressed(
        content, compression, lambda stack: stack.enter_context(stream(stack.enter_context(content.open())))
    )


def _is_hidden(name: str) -> bool:
    """Whether an operating system added a file: ``__MACOSX/``, ``.DS_Store``."""
    return any(piece.startswith((".", "__MACOSX")) for piece in PurePosixPath(name).parts)
