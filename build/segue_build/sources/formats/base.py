"""The input and the output of format readers.

:class:`Content` is the bytes of a file, which are decompressed while they are read, up to a limit. :class:`Table` is
what a reader makes of them: headers, and rows in chunks.
"""

import ast
import contextlib
import io
import itertools
import lzma
import re
import shutil
import tempfile
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

BLOCK_BYTES = 1 << 20  # bytes read at a time
MIN_SIZE_LIMIT = 100 * 10**6  # bytes to which any compressed file may unpack, however small it is
MAX_RATIO = 200  # times its own size to which a larger one may: tables in which each song has an id stay below 20
REMEDY = "write or download it again"  # what is damaged
UNPACKING_ERRORS = (EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
Opener = Callable[[contextlib.ExitStack], IO[bytes]]
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
_BYTES_LITERAL = re.compile(r"""b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*\"""")
ROW_NUMBER = "_row"  # the row's number as a spreadsheet counts: the header is row 1


@dataclass(frozen=True, slots=True)
class Content:
    """A file, or what is compressed in it.

    name : for messages
    open : opens it again, at its first byte
    size : size of the file on disk, bytes
    compression : outermost first, as in ``("zip", "gzip")``
    path : path of the file, if it is not compressed
    """

    name: str
    open: Callable[[], IO[bytes]]
    size: int
    compression: tuple[str, ...] = ()
    path: Path | None = None

    def head(self, size: int = 4096) -> bytes:
        """The first bytes."""
        with self.open() as file:
            return file.read(size)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, a block at a time."""
        with self.open() as file:
            while block := file.read(BLOCK_BYTES):
                yield block

    @contextlib.contextmanager
    def as_path(self) -> Iterator[Path]:
        """A file that can be read at any position: itself, or a temporary one with what is compressed in it."""
        if self.path:
            yield self.path
            return
        with tempfile.NamedTemporaryFile(prefix="segue-") as file:
            with self.open() as packed:
                shutil.copyfileobj(packed, file, BLOCK_BYTES)
            file.flush()
            yield Path(file.name)

    def describe(self, name: str) -> str:
        """Its format for people: ``"CSV in gzip"``."""
        return " in ".join([name, *reversed(self.compression)])


@dataclass(frozen=True, slots=True)
class Table:
    """A table as its reader returns it.

    name : for messages
    format_name : for people: ``"CSV in gzip, UTF-8, separated by semicolons"``
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
        check_width(self.name, len(self.headers))


def check_width(name: str, n_columns: int) -> None:
    """Reject a table with more columns than any of tracks has."""
    if n_columns > MAX_COLUMNS:
        raise SourceError(
            f"{name}: {n_columns:,} columns, and at most {MAX_COLUMNS:,} are read; leave out those that say nothing"
            " of a song (a table whose rows are its columns?)"
        )


def check_unpacked(n_bytes: int, size: int, name: str) -> None:
    """Reject what is implausibly larger than the file that it comes from.

    n_bytes : so many have come
    size : of the file
    """
    if n_bytes > max(MIN_SIZE_LIMIT, MAX_RATIO * size):
        raise SourceError(
            f"{name}: unpacks to more than {MAX_RATIO} times its size, as no table of tracks does (a"
            " decompression bomb?); if it is one, unpack it yourself and give the table in it"
        )


def file_content(path: Path) -> Content:
    """The content of a file."""
    return Content(path.name, lambda: path.open("rb"), path.stat().st_size, path=path)


def decompressed(packed: Content, compression: str, unpack: Opener, name: str | None = None) -> Content:
    """What is compressed in a content; ``unpack`` opens it and puts what must be closed on a stack."""

    def open_bounded() -> IO[bytes]:
        return io.BufferedReader(BoundedReader(unpack, packed.name, compression, packed.size), BLOCK_BYTES)

    return Content(name or packed.name, open_bounded, packed.size, (*packed.compression, compression))


class BoundedReader(io.RawIOBase):
    """The decompressed bytes of a file; a SourceError if it is damaged or unpacks to an implausible size."""

    def __init__(self, unpack: Opener, name: str, compression: str, size: int):
        self._name, self._compression, self._size = name, compression, size
        self._unpacked = 0
        with contextlib.ExitStack() as stack:
            with translate_errors(name, f"{compression} file"):
                self._file = unpack(stack)
            self._resources = stack.pop_all()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what BufferedReader gives
        """Read the next bytes into the buffer."""
        with translate_errors(self._name, f"{self._compression} file"):
            block = self._file.read(len(buffer))
        self._unpacked += len(block)
        check_unpacked(self._unpacked, self._size, self._name)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the compressed file, too."""
        if not self.closed and hasattr(self, "_resources"):
            self._resources.close()
        super().close()


@contextlib.contextmanager
def translate_errors(name: str, kind: str, errors: tuple[type[Exception], ...] = UNPACKING_ERRORS) -> Iterator[None]:
    """Turn errors of whoever reads a file of a kind into a SourceError."""
    try:
        yield
    except MemoryError:
        raise SourceError(f"{name}: the {kind} takes more memory than its size explains; {REMEDY}") from None
    except errors as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(f"{name}: the {kind} is damaged or cut off ({why}); {REMEDY}") from error


def list_names(names: Sequence[str]) -> str:
    """Names for a message, the first of them where there are many."""
    shown = [name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}…" for name in names[:MAX_NAMES]]
    return ", ".join([*shown, *(["..."] if len(names) > MAX_NAMES else [])])


def add_row_numbers(
    frame: "pd.DataFrame", first_row: int, field_counts: "pd.Series[int] | None" = None
) -> "pd.DataFrame":
    """Add the row numbers of a chunk, beginning with ``first_row``."""
    import pandas as pd

    frame.columns = pd.RangeIndex(frame.shape[1])
    frame[ROW_NUMBER] = range(first_row, first_row + len(frame))
    frame[FIELD_COUNT] = pd.Series(pd.NA, frame.index, dtype="Int32") if field_counts is None else field_counts
    return frame


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
    batch: list[Sequence[object]] = list(itertools.islice(rows, size))
    while True:
        n_cells += len(batch) * width
        if n_cells > max(MIN_CELL_LIMIT, MAX_CELLS_PER_BYTE * content.size):
            raise SourceError(
                f"{content.name}: more than {n_cells:,} cells in {content.size:,} bytes, as no table of tracks has;"
                " leave out columns that are mostly empty"
            )
        yield _chunk_frame(batch, width, first_row)
        first_row += len(batch)
        batch = list(itertools.islice(rows, size))
        if not batch:
            return


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
    """A column of texts, or of objects if some cells are lists; texts that Python printed as bytes are decoded."""
    import pandas as pd

    if all(map(_is_bytes_literal, filter(None, cells))):
        cells = [cell and _decode_bytes_literal(cell) for cell in cells]
    return pd.Series(cells, dtype="object" if list in map(type, cells) else "str")


def _is_bytes_literal(cell: object) -> bool:
    return isinstance(cell, str) and _BYTES_LITERAL.fullmatch(cell) is not None


def _decode_bytes_literal(cell: str) -> str:
    """``"b'Lied'"`` -> ``"Lied"``."""
    try:
        return str(ast.literal_eval(cell).decode("utf-8", "replace"))
    except (ValueError, SyntaxError):
        return cell


def open_zip(content: Content) -> zipfile.ZipFile:
    """Open a zip archive, which stays open as long as it is in use."""
    with translate_errors(content.name, "zip file"), content.as_path() as path:
        return zipfile.ZipFile(path)
