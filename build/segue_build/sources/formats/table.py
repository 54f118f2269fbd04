"""A table that was opened: what it is, its headers, and its rows in chunks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

CHUNK = 50_000  # rows; bounds memory whatever the table's length
EXPECTED = "expected a table of tracks as CSV, JSON, .xlsx, Parquet or Feather, packed or not"
RAGGED = "_fields"  # how many fields a row had when they are not as many as headers
ROW = "_row"  # the row's number as a spreadsheet counts: the header is row 1


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a reader found it.

    name : for messages
    form : how it is written, for people: ``"CSV in gzip, UTF-8, separated by semicolons"``
    headers : in the table's order
    chunks : at least one frame, each of at most ``CHUNK`` rows; columns are numbered 0, 1, ... in the order of the
        headers, after them ``ROW`` and ``RAGGED`` (missing where a row is well formed). Cells of text formats are
        texts, empty where nothing is; those of Parquet and Feather have their types; lists are lists.
    """

    name: str
    form: str
    headers: list[str]
    chunks: Iterator[pd.DataFrame]


def numbered(frame: pd.DataFrame, first: int, ragged: "pd.Series[int] | None" = None) -> pd.DataFrame:
    """A chunk with its row numbers, the first of which is given."""
    frame.columns = pd.RangeIndex(frame.shape[1])
    frame[ROW] = range(first, first + len(frame))
    frame[RAGGED] = pd.Series(pd.NA, frame.index, dtype="Int32") if ragged is None else ragged
    return frame


def chunked(rows: Iterable[Sequence[object]], width: int, first: int) -> Iterator[pd.DataFrame]:
    """Rows of cells as chunks; a row that has another number of fields than ``width`` says so.

    first : number of the first row
    """
    held: list[Sequence[object]] = []
    for row in rows:
        held.append(row)
        if len(held) == CHUNK:
            yield _frame(held, width, first)
            first += len(held)
            held = []
    yield _frame(held, width, first)


def _frame(rows: list[Sequence[object]], width: int, first: int) -> pd.DataFrame:
    fields = pd.Series([len(row) for row in rows], dtype="Int32")
    even = [row if len(row) == width else [*row, *[""] * width][:width] for row in rows]
    columns = dict(enumerate(map(_column, zip(*even)))) if even else {}
    frame = pd.DataFrame(columns, index=range(len(rows)), columns=range(width), dtype=None if even else "str")
    finished = numbered(frame, first, fields.mask(fields == width))
    return finished[fields > 0].reset_index(drop=True)  # a blank line is no row


def _column(cells: Sequence[Any]) -> "pd.Series[str]":
    """Texts; if there are lists among them, both."""
    return pd.Series(cells, dtype="object" if list in map(type, cells) else "str")
