"""How a table was understood, told to whoever gave it."""

import sys
from dataclasses import dataclass, field

from segue_build.sources.columns import Columns

WIDTH = 100  # characters of a line


@dataclass
class Recognised:
    """What one table was taken for.

    table, form : its name, and how it is written
    remarks : tidy name -> how its cells were understood, where that was not plain
    lists_artists : whether cells of artists say themselves how many names they hold, by semicolons or as lists
    decimal_commas : whether any number has one
    """

    table: str
    form: str
    columns: Columns
    remarks: dict[str, list[str]] = field(default_factory=dict)
    lists_artists: bool = False
    decimal_commas: bool = False

    def remark(self, tidy: str, text: str) -> None:
        """Keep a remark on a column, once."""
        remarks = self.remarks.setdefault(tidy, [])
        if text not in remarks:
            remarks.append(text)

    def tell(self) -> None:
        """Print which header became which column, and which were left unread, to stderr."""
        print("\n".join(self.lines()), file=sys.stderr, flush=True)

    def lines(self) -> list[str]:
        """The same as a person reads it."""
        pieces = [self._piece(name) for name in self.columns.tidy]
        fed = {place for places in self.columns.tidy.values() for place in places}
        unread = [_plain(header) for place, header in enumerate(self.columns.headers) if place not in fed]
        return [
            f"{self.table}: {self.form}{', decimal commas' if self.decimal_commas else ''}",
            *_wrapped("  read: ", pieces),
            *(_wrapped("  left unread, kept in catalog.parquet: ", unread) if unread else []),
        ]

    def _piece(self, name: str) -> str:
        headers = [_plain(self.columns.headers[place]) for place in self.columns.tidy[name]]
        source = (
            ""
            if [header.lower() for header in headers] == [name]
            else " from " + " and ".join(f"'{header}'" for header in headers)
        )
        remarks = "".join(f" ({remark})" for remark in self.remarks.get(name, ()))
        return f"{name}{source}{remarks}"


def _plain(header: str) -> str:
    """A header on one line, whatever a stranger's table put into it."""
    return " ".join(header.split())[:WIDTH] or "(no header)"


def _wrapped(start: str, pieces: list[str]) -> list[str]:
    """Pieces with commas between them, in lines that none of them is cut by."""
    lines = [start]
    for number, piece in enumerate(pieces):
        piece += "," if number < len(pieces) - 1 else ""
        if len(lines[-1]) + len(piece) > WIDTH and lines[-1].strip():
            lines.append("   ")
        lines[-1] += ("" if lines[-1].endswith(" ") else " ") + piece
    return lines
