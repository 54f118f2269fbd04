"""What became of a table: rows read, rejected and merged, and how its columns were interpreted."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from segue_build.sources.columns import ColumnMapping
from segue_build.sources.series import Series

MAX_EXAMPLES = 3  # shown per reason
LINE_WIDTH = 100  # characters of a line


@dataclass
class IngestReport:
    """Counts over all sources of one fit; printed, and kept in the manifest.

    dropped : reason -> rows
    examples : reason -> the first few messages, each with file, row and column
    notes : further remarks for people
    enriched_from : what songs borrowed from each reference
    playlist_sources : the sources that hold playlists or plays
    """

    rows: int = 0
    ids_merged: int = 0
    songs: int = 0
    works: int = 0
    not_analysed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    enriched_from: list[dict[str, object]] = field(default_factory=list)
    playlist_sources: list[Path] = field(default_factory=list, compare=False)

    def count_dropped(self, reason: str, rows: int, examples: list[str]) -> None:
        """Count rows that were left out for one reason."""
        self.dropped[reason] += rows
        shown = self.examples.setdefault(reason, [])
        shown.extend(examples[: MAX_EXAMPLES - len(shown)])

    def add_note(self, text: str) -> None:
        """Add a remark, unless it is there already."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def dropped_rows(self) -> int:
        """Rows that were left out, for any reason."""
        return sum(self.dropped.values())

    def lines(self) -> list[str]:
        """The report as lines of text."""
        lines = [f"{self.rows:,} rows read, {self.dropped_rows:,} dropped"]
        for reason, rows in self.dropped.most_common():
            lines.append(f"  {rows:,} {reason}")
            lines.extend(f"    {example}" for example in self.examples[reason])
        lines.append(
            f"{self.songs:,} songs ({self.ids_merged:,} rows repeated an id and were merged),"
            f" {self.works:,} works, {self.not_analysed:,} never recommended (not analysed)"
        )
        return lines + [f"note: {note}" for note in self.notes]

    def to_manifest(self) -> dict[str, object]:
        """The report as part of the manifest."""
        return {
            "rows": self.rows,
            "dropped": dict(self.dropped),
            "ids_merged": self.ids_merged,
            "works": self.works,
            "not_analysed": self.not_analysed,
            "notes": self.notes,
            **({"enriched_from": self.enriched_from} if self.enriched_from else {}),
        }


class RowFilter:
    """Which rows of a frame have not been rejected.

    row_numbers : numbers of the rows, as a spreadsheet counts
    """

    def __init__(self, row_numbers: Series, table: str, report: IngestReport):
        self._row_numbers = row_numbers
        self._table = table
        self._report = report
        self._accepted = pd.Series(True, row_numbers.index)

    def reject(self, bad: Series, header: str, cells: Series, reason: str, expected: str) -> None:
        """Drop rows whose cell can't be used."""
        self._reject(bad, reason, lambda row: f", column '{header}': {_shorten(cells[row])} {expected}")

    def reject_ragged(self, fields: Series, width: int) -> None:
        """Drop rows that have more or fewer fields than there are headers."""
        reason = "with too many or too few fields"
        self._reject(fields.notna(), reason, lambda row: f": {fields[row]} fields, expected {width}")

    def accepted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that were not rejected."""
        return frame if self._accepted.all() else frame[self._accepted].reset_index(drop=True)

    def _reject(self, bad: Series, reason: str, why: Any) -> None:
        bad = bad & self._accepted
        if not bad.any():
            return
        shown = self._row_numbers[bad].head(MAX_EXAMPLES)
        examples = [f"{self._table}, row {number}{why(row)}" for row, number in shown.items()]
        self._report.count_dropped(reason, int(bad.sum()), examples)
        self._accepted &= ~bad


@dataclass
class TableInterpretation:
    """How one table was interpreted.

    table, format_name : its name, and its format for people
    remarks : canonical name -> how its cells were interpreted, if that is not obvious
    artists_delimited : whether semicolons or lists separate the artists of a cell
    decimal_commas : whether any number has one
    """

    table: str
    format_name: str
    columns: ColumnMapping
    remarks: dict[str, list[str]] = field(default_factory=dict)
    artists_delimited: bool = False
    decimal_commas: bool = False

    def add_remark(self, column: str, text: str) -> None:
        """Add a remark on a column, unless it is there already."""
        remarks = self.remarks.setdefault(column, [])
        if text not in remarks:
            remarks.append(text)

    def print_summary(self) -> None:
        """Print to stderr which header became which column, and which headers were not interpreted."""
        print("\n".join(self.lines()), file=sys.stderr, flush=True)

    def lines(self) -> list[str]:
        """The same as lines of text."""
        described = [self._describe_column(name) for name in self.columns.positions]
        used = {index for indices in self.columns.positions.values() for index in indices}
        kept = [index for index in self.columns.extra.values() if index not in used]
        unused = [_one_line(self.columns.headers[index]) for index in kept]
        return [
            f"{self.table}: {self.format_name}{', decimal commas' if self.decimal_commas else ''}",
            *_wrap("  read: ", described),
            *(_wrap("  not interpreted, kept in catalog.parquet: ", unused) if unused else []),
        ]

    def _describe_column(self, name: str) -> str:
        headers = [_one_line(self.columns.headers[index]) for index in self.columns.positions[name]]
        source = (
            ""
            if [header.lower() for header in headers] == [name]
            else " from " + " and ".join(f"'{header}'" for header in headers)
        )
        remarks = "".join(f" ({remark})" for remark in self.remarks.get(name, ()))
        return f"{name}{source}{remarks}"


def _shorten(cell: object) -> str:
    text = f"{cell:.15g}" if isinstance(cell, float) else " ".join(str(cell).split())
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def _one_line(header: str) -> str:
    """A header on one line, without line breaks and not too long."""
    return " ".join(header.split())[:LINE_WIDTH] or "(no header)"


def _wrap(prefix: str, items: list[str]) -> list[str]:
    """Items separated by commas, wrapped between items."""
    lines = [prefix]
    for number, item in enumerate(items):
        item += "," if number < len(items) - 1 else ""
        if len(lines[-1]) + len(item) > LINE_WIDTH and lines[-1].strip():
            lines.append("   ")
        lines[-1] += ("" if lines[-1].endswith(" ") else " ") + item
    return lines
