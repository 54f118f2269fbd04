"""What became of the rows of a table: read, dropped and why, merged."""

from collections import Counter
from dataclasses import dataclass, field

EXAMPLES = 3  # shown per reason


@dataclass
class Account:
    """Counts over all sources of one build; printed, and kept in the manifest.

    works : None as long as they are not counted; Spark counts them while it writes
    dropped : reason -> rows
    examples : reason -> the first few, each with file, row and column
    notes : what else a person should know
    """

    rows: int = 0
    ids_merged: int = 0
    songs: int = 0
    works: int | None = 0
    not_analysed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def drop(self, reason: str, rows: int, examples: list[str]) -> None:
        """Count rows that were left out for one reason."""
        self.dropped[reason] += rows
        shown = self.examples.setdefault(reason, [])
        shown.extend(examples[: EXAMPLES - len(shown)])

    def note(self, text: str) -> None:
        """Keep a remark, once."""
        if text not in self.notes:
            self.notes.append(text)

    @property
    def dropped_rows(self) -> int:
        """Rows left out, for whatever reason."""
        return sum(self.dropped.values())

    def lines(self) -> list[str]:
        """The account as a person reads it."""
        lines = [f"{self.rows:,} rows read, {self.dropped_rows:,} dropped"]
        for reason, rows in self.dropped.most_common():
            lines.append(f"  {rows:,} {reason}")
            lines.extend(f"    {example}" for example in self.examples[reason])
        works = "" if self.works is None else f" {self.works:,} works,"
        lines.append(
            f"{self.songs:,} songs ({self.ids_merged:,} rows repeated an id and were merged),"
            f"{works} {self.not_analysed:,} never recommended (not analysed)"
        )
        return lines + [f"note: {note}" for note in self.notes]

    def facts(self) -> dict[str, object]:
        """The account for the manifest."""
        return {
            "rows": self.rows,
            "dropped": dict(self.dropped),
            "ids_merged": self.ids_merged,
            "works": self.works,
            "not_analysed": self.not_analysed,
            "notes": self.notes,
        }
