"""The input and the output of format readers: a file, unpacked, and a table of headers and rows in chunks."""

import ast
import contextlib
import itertools
import lzma
import os
import re
import tempfile
import weakref
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from segue.errors import SourceError

if TYPE_CHECKING:
    import pandas as pd  # the processes of :mod:`segue_build.sources.formats.columnar` do without it

HEAD_BYTES, BLOCK_BYTES = 1 << 12, 1 << 20  # bytes that show what a file is; bytes read at a time
MIN_SIZE_LIMIT = 100 * 10**6  # bytes to which any compressed file may unpack, however small it is
MAX_RATIO = 200  # times its own size to which a larger one may: tables in which each song has an id stay below 20
UNPACKING_ERRORS = (
    EOFError, OSError, RuntimeError, UnicodeDecodeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
SNIFFED_ROWS = 30  # rows among which the headers are
CHUNK_ROWS, CHUNK_CELLS = 50_000, 2_000_000  # at most, which bounds memory whatever the table's length
MAX_COLUMNS = 2_000
MIN_CELL_LIMIT, MAX_CELLS_PER_BYTE = 4 * 10**6, 4  # cells that any file may have, and a larger one; most take bytes
MAX_NAMES, MAX_NAME_LENGTH = 30, 60  # in a message
EXPECTED_TABLE = (
    "expected a table of tracks as CSV, JSON, .xlsx, Parquet or Feather,"
    " or an export of playlists, a library or a history"
)
FIELD_COUNT = "_fields"  # the number of fields of a row, if it differs from the number of headers
ROW_NUMBER = "_row"  # the row's number as a spreadsheet counts: the header is row 1
_BYTES_LITERAL = re.compile(r"""b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*\"""")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Content:
    """A file on disk, or what was compressed in one.

    name : for messages
    path : where it can be read
    size : of the file that it came in, bytes
    """

    name: str
    path: Path
    size: int

    def head(self) -> bytes:
        """The first bytes."""
        with self.path.open("rb") as file:
            return file.read(HEAD_BYTES)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as its reader returns it.

    name : for messages
    format_name : for people: ``"CSV, UTF-8, separated by semicolons"``
    headers : in the table's order
    chunks : at least one frame of at most ``CHUNK_ROWS`` rows; columns are numbered 0, 1, ... in the order of the
        headers, then ``ROW_NUMBER`` and ``FIELD_COUNT`` (a missing value if a row is well formed). Cells of text
        formats are texts, possibly empty; those of Parquet and Feather keep their types; lists are lists.
    """

    name: str
    format_name: str
    headers: list[str]
    chunks: Iterator["pd.DataFrame"]

    def __post_init__(self) -> None:
        if len(self.headers) > MAX_COLUMNS:
            raise SourceError(
                f"{self.name}: {len(self.headers):,} columns, and at most {MAX_COLUMNS:,} are read; leave out those"
                " that say nothing of a song (a table whose rows are its columns?)"
            )


def unpack(packed: Content, compression: str, opener: Callable[[], IO[bytes]], name: str | None = None) -> Content:
    """Unpack what is compressed in a file into a temporary one, which goes with the last reference to it.

    opener : opens what is compressed

    Raises
    ------
    SourceError
        it is damaged, or unpacks to an implausible size.

    """
    with tempfile.NamedTemporaryFile(prefix="segue-", delete=False) as file:
        unpacked = Content(name or packed.name, Path(file.name), packed.size)
        weakref.finalize(unpacked, os.unlink, file.name)
        for block in _iter_unpacked(packed.name, compression, opener):
            file.write(block)
            check_unpacked(file.tell(), packed)
    return unpacked


def _iter_unpacked(name: str, compression: str, opener: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    with translate_errors(name, f"{compression} file"), opener() as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def check_unpacked(n_bytes: int, content: Content) -> None:
    """Reject what is implausibly larger than the file that it comes from."""
    if n_bytes > max(MIN_SIZE_LIMIT, MAX_RATIO * content.size):
        raise SourceError(
            f"{content.name}: unpacks to more than {MAX_RATIO} times its size, as no table of tracks does (a"
            " decompression bomb?); if it is one, unpack it yourself and give the table in it"
        )


@contextlib.contextmanager
def translate_errors(name: str, kind: str, errors: tuple[type[Exception], ...] = UNPACKING_ERRORS) -> Iterator[None]:
    """Turn errors of whoever reads a file of a kind into a SourceError."""
    try:
        yield
    except MemoryError:
        raise SourceError(f"{name}: the {kind} takes more memory than its size explains; write it again") from None
    except errors as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"{name}: the {kind} is damaged or cut off ({why}); write or download it again") from error


def list_names(names: Sequence[str]) -> str:
    """Names for a message, the first of them where there are many."""
    shown = [name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}…" for name in names[:MAX_NAMES]]
    return ", ".join([*shown, *(["..."] if len(names) > MAX_NAMES else [])])


def split_headers(rows: Iterator[list[str]], first_row: int) -> tuple[list[str], int, Iterator[list[str]]]:
    """The headers of a table, the number of the row after them, and the rows from there.

    Lines above the headers, such as a title, have a first cell only, or less than half the cells of most rows.
    Headers in several rows, as pandas writes those of several levels, become one: ``track.title``. The last of these
    rows may hold nothing but the name of the first column.

    first_row : number of the first row
    """
    sample = list(itertools.islice(rows, SNIFFED_ROWS))
    cells = [sum(map(bool, map(str.strip, row))) for row in sample]
    usual = Counter(filter(None, cells)).most_common(1)[0][0] if any(cells) else 0
    is_title = [not count or 2 * count < usual or (count == 1 < usual and bool(row[0].strip()))
                for row, count in zip(sample, cells)]  # fmt: skip
    start = is_title.index(False) if False in is_title else 0
    levels = list(itertools.takewhile(lambda row: row and not row[0].strip(), sample[start:]))
    headers = [cell.strip() for cell in (sample[start] if sample else [])]
    end = start + 1
    if len(levels) > 1 and len(set(headers)) < len(headers):
        end = start + len(levels)
        named = end < len(sample) and sample[end][0].strip() and cells[end] == 1
        names = [".".join(filter(None, map(str.strip, column))) for column in zip(*levels)]
        headers = [sample[end][0].strip() if named else "", *names[1:]]
        end += bool(named)
    return headers, first_row + end, itertools.chain(sample[end:], rows)


def iter_chunks(
    content: Content, rows: Iterator[Sequence[object]], width: int, first_row: int
) -> Iterator["pd.DataFrame"]:
    """Group rows of cells into chunks; ``FIELD_COUNT`` marks rows whose number of fields is not ``width``.

    first_row : number of the first row

    Raises
    ------
    SourceError
        the table has more cells than its size explains.

    """
    size, n_cells = min(CHUNK_ROWS, CHUNK_CELLS // max(width, 1)), 0
    for number in itertools.count():
        batch = list(itertools.islice(rows, size))
        if number and not batch:
            return
        n_cells += len(batch) * width
        if n_cells > max(MIN_CELL_LIMIT, MAX_CELLS_PER_BYTE * content.size):
            raise SourceError(
                f"{content.name}: more than {n_cells:,} cells in {content.size:,} bytes, as no table of tracks has;"
                " leave out columns that are mostly empty"
            )
        yield _chunk_frame(batch, width, first_row + number * size)


def _chunk_frame(rows: list[Sequence[object]], width: int, first_row: int) -> "pd.DataFrame":
    """The rows that have any cell, as a frame: made at once, because small files are read by the hundred."""
    import pandas as pd

    numbers = [number for number, row in enumerate(rows, first_row) if any(row)]
    kept = rows if len(numbers) == len(rows) else [rows[number - first_row] for number in numbers]
    padded = [row if len(row) == width else [*row, *[""] * width][:width] for row in kept]
    n_fields = np.fromiter(map(len, kept), np.int32, len(kept))
    columns: dict[Any, Any] = dict(enumerate(map(_text_column, zip(*padded) if padded else [()] * width)))
    columns |= {
        ROW_NUMBER: np.array(numbers, np.int64),
        FIELD_COUNT: pd.arrays.IntegerArray(n_fields, n_fields == width),
    }
    return pd.DataFrame(columns)


def _text_column(cells: Sequence[Any]) -> "pd.Series[str]":
    """A column of texts, or of objects if some are lists; ``"b'Lied'"``, as Python prints bytes, is ``"Lied"``."""
    import pandas as pd

    if all(isinstance(cell, str) and _BYTES_LITERAL.fullmatch(cell) for cell in filter(None, cells)):
        with contextlib.suppress(ValueError, SyntaxError):
            cells = [cell and ast.literal_eval(cell).decode("utf-8", "replace") for cell in cells]
    return pd.Series(cells, dtype="object" if list in map(type, cells) else "str")


def add_row_numbers(frame: "pd.DataFrame", first_row: int) -> "pd.DataFrame":
    """Number the columns of a chunk, and its rows from ``first_row`` on."""
    import pandas as pd

    frame.columns = pd.RangeIndex(frame.shape[1])
    frame[ROW_NUMBER] = range(first_row, first_row + len(frame))
    frame[FIELD_COUNT] = pd.Series(pd.NA, frame.index, dtype="Int32")
    return frame
