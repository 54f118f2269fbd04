"""Rows that can't be used: dropped once, counted, and the first few shown with file, row and column."""

from typing import Any

import pandas as pd

from segue_build.sources.account import EXAMPLES, Account
from segue_build.sources.cells import Cells


class Refusals:
    """Which rows of a frame are still good.

    numbers : of the rows, as a spreadsheet counts
    """

    def __init__(self, numbers: Cells, table: str, account: Account):
        self._numbers = numbers
        self._table = table
        self._account = account
        self._good = pd.Series(True, numbers.index)

    def refuse(self, bad: Cells, header: str, cells: Cells, reason: str, expected: str) -> None:
        """Drop rows whose cell can't be used."""
        self._drop(bad, reason, lambda row: f", column '{header}': {_short(cells[row])} {expected}")

    def refuse_ragged(self, fields: Cells, width: int) -> None:
        """Drop rows that have more or fewer fields than there are headers."""
        reason = "with too many or too few fields"
        self._drop(fields.notna(), reason, lambda row: f": {fields[row]} fields, expected {width}")

    def good(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that were not refused."""
        return frame if self._good.all() else frame[self._good].reset_index(drop=True)

    def _drop(self, bad: Cells, reason: str, why: Any) -> None:
        bad = bad & self._good
        if not bad.any():
            return
        shown = self._numbers[bad].head(EXAMPLES)
        examples = [f"{self._table}, row {number}{why(row)}" for row, number in shown.items()]
        self._account.drop(reason, int(bad.sum()), examples)
        self._good &= ~bad


def _short(cell: object) -> str:
    text = f"{cell:.15g}" if isinstance(cell, float) else " ".join(str(cell).split())
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"
