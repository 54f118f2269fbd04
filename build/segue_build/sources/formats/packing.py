"""Files that hold another one: gzip, bzip2, xz, zstd and lz4 streams, and zip archives."""

import bz2
import contextlib
import gzip
import lzma
import zipfile
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO, cast

import pyarrow as pa

from segue_build.sources.formats.content import Content, damage, unpacked
from segue.errors import SourceError

DEEPEST = 3  # packings around one table
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
DOCUMENTS = ("xl/", "word/", "ppt/", "content.xml", "Index/Document.iwa")  # entries of what is a zip only by the way
SUFFIXES = (
    ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".feather", ".arrow", ".xlsx",
    ".gz", ".bz2", ".xz", ".zst", ".zip",
)  # fmt: skip
SHOWN = 5  # names of an archive that a message lists

Stream = Callable[[IO[bytes]], IO[bytes]]
STREAMS: dict[bytes, tuple[str, Stream]] = {
    b"\x1f\x8b": ("gzip", lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file))),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda file: pa.CompressedInputStream(file, "zstd")),
    b"\x04\x22\x4d\x18": ("lz4", lambda file: pa.CompressedInputStream(file, "lz4")),
}
"""first bytes -> name, and what opens a stream of that kind"""


def unwrap(content: Content, part: str | None) -> Content:
    """What is left when everything that packs a table is taken off.

    part : name of the table in an archive of several

    Raises
    ------
    SourceError
        an archive holds no table or several, has a password, or is damaged; or it is packed too often.

    """
    while len(content.packing) <= DEEPEST:
        head = content.head()
        stream = next((kind for magic, kind in STREAMS.items() if head.startswith(magic)), None)
        if stream:
            content = _streamed(content, *stream)
        elif head.startswith((ZIP, EMPTY_ZIP)) and not is_document(content):
            content, part = _member(content, part), None
        else:
            return content
    raise SourceError(f"{content.name}: packed more than {DEEPEST} times over; unpack it and give the table in it")


def is_document(content: Content) -> bool:
    """Whether a zip archive is a document of its own: a workbook or the like."""
    with archive(content) as opened:
        return any(name.startswith(DOCUMENTS) for name in opened.namelist())


@contextlib.contextmanager
def archive(content: Content) -> Iterator[zipfile.ZipFile]:
    """A zip archive, opened."""
    with contextlib.ExitStack() as stack:
        with damage(content.name, "zip"):
            opened = stack.enter_context(zipfile.ZipFile(stack.enter_context(content.on_disk())))
        yield opened


def _streamed(content: Content, packing: str, stream: Stream) -> Content:
    return unpacked(
        content, packing, lambda stack: stack.enter_context(stream(stack.enter_context(content.opened())))
    )


def _member(content: Content, part: str | None) -> Content:
    with archive(content) as opened:
        chosen = _chosen(opened, content.name, part)
    if chosen.flag_bits & 1:
        raise SourceError(f"{content.name}: {chosen.filename} has a password; unpack it and give the table")
    name = f"{content.name}#{chosen.filename}"
    return unpacked(
        content, "zip", lambda stack: stack.enter_context(stack.enter_context(archive(content)).open(chosen)), name
    )


def _chosen(opened: zipfile.ZipFile, name: str, part: str | None) -> zipfile.ZipInfo:
    """The entry that is the table: the one asked for, the only one, or the only one that is called as tables are."""
    entries = [entry for entry in opened.infolist() if not entry.is_dir() and not _is_hidden(entry.filename)]
    wanted = [entry for entry in entries if entry.filename == part] if part else entries
    if len(wanted) > 1:
        wanted = [entry for entry in entries if entry.filename.lower().endswith(SUFFIXES)]
    if len(wanted) == 1:
        return wanted[0]
    names = [entry.filename for entry in wanted or entries]
    if not names:
        raise SourceError(f"{name}: the zip archive is empty; pack it again with the table in it")
    listed = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    what = f"has no '{part}'" if part else f"holds {len(names)} files"
    raise SourceError(
        f"{name}: the zip archive {what} ({listed}); say which is the table, as in --source {name}#{names[0]}"
        " (several --source merge)"
    )


def _is_hidden(name: str) -> bool:
    """What systems add of their own: ``__MACOSX/``, ``.DS_Store``."""
    return any(piece.startswith((".", "__MACOSX")) for piece in PurePosixPath(name).parts)
