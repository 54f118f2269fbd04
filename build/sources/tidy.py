"""Rows of a stranger's table to rows of the tidy table; bad rows are dropped and counted.

The tidy table has the columns ``columns.TIDY``, missing values where a table has none, and the source's other
columns. Lists (artists, genres) are texts joined by ``SEPARATOR``: a tenth of the memory of Python lists.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from build.sources.account import EXAMPLES, Account
from build.sources.columns import Columns
from build.sources.listed import MISSING, SEPARATOR, joined, split_artists, split_genres
from build.sources.reading import RAGGED, ROW
from segue.query.attributes import BY_NAME, Attribute

Cells = Any  # a pandas Series: the stubs want a type for its cells, which only the table knows
NOTES = {
    name: number for number, name in enumerate(["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"])
}
NOTES |= {"Db": 1, "Eb": 3, "Gb": 6, "Ab": 8, "Bb": 10}
WORDS = {"key": NOTES, "mode": {"Major": 1, "Minor": 0}, "time_signature": {f"{n}/4": n for n in range(1, 8)}}
TRUTH = {"true": True, "1": True, "1.0": True, "yes": True, "t": True, "y": True}
TRUTH |= {"false": False, "0": False, "0.0": False, "no": False, "f": False, "n": False}

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
ID_TRIMMINGS = re.compile(r"^(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)|\?.*$")


class Chunk:
    """A chunk on its way to the tidy table: raw cells, what they become, and which rows are still good."""

    def __init__(self, raw: pd.DataFrame, columns: Columns, table: str, account: Account):
        self.raw = raw
        self.columns = columns
        self._table = table
        self._account = account
        self._good = pd.Series(True, raw.index)

    def cells(self, tidy: str) -> Cells:
        """The raw cells of the column that feeds a tidy column."""
        return self.raw[self.columns.tidy[tidy][0]]

    def texts(self, tidy: str) -> Cells:
        """The same as stripped texts, missing where empty."""
        return texts(self.cells(tidy))

    def refuse(self, bad: Cells, tidy: str, reason: str, expected: str) -> None:
        """Drop rows whose cell can't be used."""
        bad = bad & self._good
        if not bad.any():
            return
        header = self.columns.header(tidy)
        shown = self.raw.loc[bad].head(EXAMPLES)
        examples = [
            f"{self._table}, row {row}, column '{header}': {_short(cell)} {expected}"
            for row, cell in zip(shown[ROW], shown[self.columns.tidy[tidy][0]])
        ]
        self._account.drop(reason, int(bad.sum()), examples)
        self._good &= ~bad

    def refuse_ragged(self) -> None:
        """Drop rows that have more or fewer fields than there are headers."""
        bad = self.raw[RAGGED].notna()
        if not bad.any():
            return
        width = len(self.columns.headers)
        shown = self.raw.loc[bad].head(EXAMPLES)
        examples = [
            f"{self._table}, row {row}: {fields} fields, expected {width}"
            for row, fields in zip(shown[ROW], shown[RAGGED])
        ]
        self._account.drop("with too many or too few fields", int(bad.sum()), examples)
        self._good &= ~bad

    def good(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows that were not refused."""
        return frame[self._good].reset_index(drop=True)


def tidy(raw: pd.DataFrame, columns: Columns, table: str, account: Account) -> pd.DataFrame:
    """Turn a chunk of raw cells into rows of the tidy table.

    raw : as :func:`build.sources.reading.read` yields
    columns : what each raw column is
    table : the table's name, for messages
    account : receives the counts; rows are dropped here and nowhere else
    """
    account.rows += len(raw)
    chunk = Chunk(raw, columns, table, account)
    chunk.refuse_ragged()
    frame = pd.DataFrame({name: make(chunk) for name, make in _makers(columns)}, index=raw.index)
    if "name" in columns.tidy:
        chunk.refuse(_nameless(frame), "name", "without a name", "is no name of a song")
    else:
        chunk.refuse(frame["id"].isna(), "id", "without an id or a name", "is no id of a song")
    for name, place in columns.other.items():
        frame[name] = raw[place].mask(raw[place].isin([""]))
    return chunk.good(frame)


def texts(cells: Cells) -> Cells:
    """Cells as stripped texts, missing where empty."""
    stripped = cells.astype("str").str.strip()
    return stripped.mask(stripped == "")


def _makers(columns: Columns) -> Iterator[tuple[str, Callable[[Chunk], Cells]]]:
    special = {
        "id": _ids,
        "artists": _artists,
        "genres": _genres,
        "year": _years,
        "explicit": _explicit,
    }
    for name in columns.tidy:
        if name in special:
            yield name, special[name]
        elif name in BY_NAME:
            yield name, partial(_numbers, attribute=BY_NAME[name])
        else:
            yield name, partial(Chunk.texts, tidy=name)


def _ids(chunk: Chunk) -> Cells:
    ids = _known(chunk.texts("id")).str.replace(ID_TRIMMINGS, "", regex=True)
    wrong = ids.notna() & ~ids.str.fullmatch(_ID.pattern).fillna(False).astype(bool)
    chunk.refuse(wrong, "id", "with a malformed id", "is not 1..64 characters of A-Z a-z 0-9 _ . : -")
    return ids


def _nameless(frame: pd.DataFrame) -> Cells:
    """No name, or "NA" where the artist is "NA" too: alone, either may be a real name."""
    nameless = frame["name"].isna()
    if "artists" in frame:
        nameless |= (frame["name"] == "NA") & (frame["artists"] == "NA")
    return nameless


def _artists(chunk: Chunk) -> Cells:
    several = "name(s)" in chunk.columns.header("artists").lower()
    return _each(chunk.cells("artists"), lambda cell: joined(split_artists(cell, commas=several)))


def _genres(chunk: Chunk) -> Cells:
    first, *further = (
        _each(chunk.raw[place], lambda cell: joined(split_genres(cell))) for place in chunk.columns.tidy["genres"]
    )
    together = first.str.cat(further, SEPARATOR, na_rep="")
    return _each(together, lambda text: joined(sorted(text.split(SEPARATOR))))


def _each(cells: Cells, make: Callable[[Any], str | None]) -> Cells:
    """What each known cell becomes, made once for every distinct text or list."""
    if cells.dtype == object:
        cells = cells.map(_hashable, na_action="ignore")
    made = {cell: make(cell) for cell in cells.dropna().unique()}
    return cells.map(made.get, na_action="ignore").astype("str")


def _hashable(cell: object) -> str | tuple[str, ...]:
    return tuple(map(str, cell)) if isinstance(cell, list | tuple | np.ndarray) else str(cell)


def _known(cells: Cells) -> Cells:
    """The cells without those that say that nothing is known."""
    return cells.mask(cells.str.lower().isin(MISSING))


def _numbers(chunk: Chunk, attribute: Attribute) -> Cells:
    cells = chunk.cells(attribute.name)
    if not pd.api.types.is_numeric_dtype(cells):
        cells = _texts_to_numbers(chunk, attribute)
    values = cells.astype("float64")
    unit = f"is not {attribute.low:g}..{attribute.high:g} ({attribute.unit})"
    outside = values.notna() & ~values.between(attribute.low, attribute.high)
    chunk.refuse(outside, attribute.name, f"with {attribute.name} out of range", unit)
    if attribute.name in WORDS:
        chunk.refuse(values % 1 > 0, attribute.name, f"with a broken {attribute.name}", "is not a whole number")
    return values.round() if attribute.whole else values


def _texts_to_numbers(chunk: Chunk, attribute: Attribute) -> Cells:
    cells = chunk.texts(attribute.name)
    values: Cells = pd.to_numeric(cells, errors="coerce")
    values = values.astype("float64").replace([np.inf, -np.inf], np.nan)
    words = _known(cells[values.isna()]).dropna()
    values = values.fillna(words.str.capitalize().map(WORDS.get(attribute.name, {})).astype("float64"))
    unread = values.isna() & cells.index.isin(words.index)
    chunk.refuse(unread, attribute.name, f"with {attribute.name} not a number", "is not a number")
    return values


def _years(chunk: Chunk) -> Cells:
    """The first four digits of ``YYYY[-MM[-DD]]``; 0 and anything else is not known."""
    digits = chunk.texts("year").str.extract(r"^(\d{4})", expand=False)
    years = pd.to_numeric(digits, errors="coerce").astype("float64")
    return years.where(years.between(BY_NAME["year"].low, BY_NAME["year"].high))


def _explicit(chunk: Chunk) -> Cells:
    cells = chunk.texts("explicit").str.lower()
    values = cells.map(TRUTH).astype("boolean")
    wrong = cells.notna() & ~cells.isin(MISSING) & values.isna()
    chunk.refuse(wrong, "explicit", "with explicit neither true nor false", "is neither true nor false")
    return values.astype("Float64").astype("float64")


def _short(cell: object) -> str:
    text = " ".join(str(cell).split())
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"
