"""A table on disk, in whichever form, as chunks of rows."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from segue.errors import SourceError

CHUNK = 50_000  # rows; bounds memory whatever the table's length
EXPECTED = "expected a table of tracks as CSV (UTF-8), gzipped CSV or Parquet"
RAGGED = "_fields"  # how many fields a row had when they are not as many as headers
ROW = "_row"  # the row's number as a spreadsheet counts: the header is row 1
_END = "\0"  # after the last line: no line of text holds a zero byte


def read(path: Path) -> Iterator[pd.DataFrame]:
    """Read a table.

    Yields
    ------
    Frames of at most ``CHUNK`` rows; the columns are numbered 0, 1, ... in the table's order, after them ``ROW``
    and ``RAGGED`` (missing where a row is well formed). CSV cells are texts, Parquet cells have their types.
    The first frame's ``attrs["headers"]`` are the headers.

    Raises
    ------
    SourceError
        the file is missing, empty, damaged, binary or not UTF-8.

    """
    if not path.is_file():
        raise SourceError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}; {EXPECTED}")
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if not magic:
            raise SourceError(f"{path.name}: the file is empty; {EXPECTED}")
        if magic == b"PAR1":
            yield from _parquet(path)
        elif magic[:2] == b"\x1f\x8b":
            yield from _csv(cast(IO[bytes], gzip.GzipFile(fileobj=file)), path.name)
        else:
            yield from _csv(file, path.name)


def _parquet(path: Path) -> Iterator[pd.DataFrame]:
    try:
        table = pq.ParquetFile(path)
        first = 2
        for batch in chain(table.iter_batches(CHUNK), [table.schema_arrow.empty_table()]):
            # Without its metadata: an index that pandas stored is a column like any other.
            frame = batch.to_pandas(ignore_metadata=True)
            headers = list(map(str, frame.columns))
            frame.columns = pd.RangeIndex(len(headers))
            yield _finished(frame, headers, first, pd.Series(pd.NA, frame.index, dtype="Int32"))
            first += len(frame)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path.name}: damaged Parquet ({_one_line(error)}); {EXPECTED}") from error


def _csv(file: IO[bytes], table: str) -> Iterator[pd.DataFrame]:
    lines = _lines(file, table)
    first_line = next(lines, "")
    reader = csv.reader(chain([first_line], lines, [_END]), delimiter=_delimiter(first_line))
    rows = _rows(reader, table)
    try:
        headers = [header.strip() for header in next(rows, [])]
        if not any(headers):
            raise SourceError(f"{table}, row 1: no headers; {EXPECTED}")
        yield from _chunks(rows, headers)
    except csv.Error as error:
        raise SourceError(
            f"{table}, line {reader.line_num}: {error} (a quote that is never closed?); {EXPECTED}"
        ) from error


def _rows(reader: Iterator[list[str]], table: str) -> Iterator[list[str]]:
    """The reader's rows; a quote that is never closed would hide all that follow in one cell."""
    for number, row in enumerate(reader, 1):
        if row == [_END]:
            return
        if row and row[-1].endswith(_END):
            raise SourceError(
                f"{table}, row {number}, column {len(row)}: a quote is opened and never closed; {EXPECTED}"
            )
        yield row


def _chunks(lines: Iterator[list[str]], headers: list[str]) -> Iterator[pd.DataFrame]:
    rows: list[list[str]] = []
    first = 2
    for row in lines:
        rows.append(row)
        if len(rows) == CHUNK:
            yield _frame(rows, headers, first)
            first += len(rows)
            rows = []
    yield _frame(rows, headers, first)


def _frame(rows: list[list[str]], headers: list[str], first: int) -> pd.DataFrame:
    width = len(headers)
    fields = pd.Series([len(row) for row in rows], dtype="Int32")
    even = [row if len(row) == width else [*row, *[""] * width][:width] for row in rows]
    frame = pd.DataFrame(even, columns=range(width), dtype="str")
    finished = _finished(frame, headers, first, fields.mask(fields == width))
    return finished[fields > 0].reset_index(drop=True)  # a blank line is no row


def _finished(frame: pd.DataFrame, headers: list[str], first: int, ragged: "pd.Series[int]") -> pd.DataFrame:
    frame[ROW] = range(first, first + len(frame))
    frame[RAGGED] = ragged
    frame.attrs["headers"] = headers
    return frame


def _lines(file: IO[bytes], table: str) -> Iterator[str]:
    """The file's lines as text; what is not text is reported with its place."""
    number, delimiter = 0, ""
    try:
        for number, line in enumerate(file, 1):
            if b"\0" in line:
                raise SourceError(f"{table}, line {number}: binary data or UTF-16 (a zero byte); {EXPECTED}")
            text = _decoded(line, number, delimiter, table)
            delimiter = delimiter or _delimiter(text)
            yield text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(
            f"{table}, line {number}: the gzip file is damaged or cut off ({error}); {EXPECTED}"
        ) from error


def _decoded(line: bytes, number: int, delimiter: str, table: str) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        before = line[: error.start].decode("utf-8")
        column = len(next(csv.reader([before.replace("\r", "")], delimiter=delimiter or _delimiter(before)), [])) or 1
        raise SourceError(
            f"{table}, row {number}, column {column}: byte 0x{line[error.start]:02x} is not UTF-8; {EXPECTED}"
        ) from error


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _one_line(error: Exception) -> str:
    return io.StringIO(str(error)).readline().strip()
