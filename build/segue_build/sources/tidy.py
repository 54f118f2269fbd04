"""Cells of a stranger's table to cells of the tidy table, a chunk at a time; bad rows are dropped and counted.

The tidy table has the columns ``columns.TIDY``, missing values where a table has none, and the source's other
columns. Lists (artists, genres) are texts joined by ``SEPARATOR``: a tenth of the memory of Python lists. What only
a whole column shows is settled in :mod:`segue_build.sources.settling`.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from segue_build.sources.account import Account
from segue_build.sources.cells import Cells, distinct, each, known, texts
from segue_build.sources.columns import TIDY, Columns
from segue_build.sources.formats.table import RAGGED, ROW
from segue_build.sources.listed import MISSING, SEPARATOR, joined, names_in, split_artists, split_genres
from segue_build.sources.recognised import Recognised
from segue_build.sources.refusing import Refusals
from segue_build.sources.values import durations
from segue_build.sources.values.dates import year_of
from segue_build.sources.values.keys import MODES, key_of
from segue_build.sources.values.numbers import numbers
from segue.query.attributes import AUDIO, BY_NAME, Attribute

FEATURES = [attribute.name for attribute in AUDIO if attribute.name not in ("key", "mode", "time_signature")]
CLOCKS = "_clocks"  # durations that say their units, in milliseconds, beside the plain numbers
BEATS = re.compile(r"(\d{1,2})/\d{1,2}")
TRUTH = dict.fromkeys(("true", "1", "1.0", "yes", "t", "y", "explicit"), True)
TRUTH |= dict.fromkeys(("false", "0", "0.0", "no", "f", "n", "clean", "cleaned", "notexplicit"), False)

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
ID_TRIMMINGS = re.compile(r"^(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)|\?.*$")


class Chunk:
    """A chunk on its way to the tidy table: raw cells, and which rows are still good."""

    def __init__(self, raw: pd.DataFrame, recognised: Recognised, account: Account):
        self.raw = raw
        self.columns = recognised.columns
        self.recognised = recognised
        self.rows = Refusals(raw[ROW], recognised.table, account)

    def cells(self, tidy: str) -> Cells:
        """The raw cells of the column that feeds a tidy column."""
        return self.raw[self.columns.tidy[tidy][0]]

    def texts(self, tidy: str) -> Cells:
        """The same as stripped texts, missing where empty."""
        return texts(self.cells(tidy))

    def refuse(self, bad: Cells, tidy: str, reason: str, expected: str) -> None:
        """Drop rows whose cell can't be used."""
        self.rows.refuse(bad, self.columns.header(tidy), self.cells(tidy), reason, expected)


def tidy(raw: pd.DataFrame, recognised: Recognised, account: Account) -> pd.DataFrame:
    """Turn a chunk of raw cells into cells of the tidy table, numbers still in the table's own units.

    raw : as tables are read, see :class:`segue_build.sources.formats.table.Table`
    recognised : what each raw column is; receives how cells were understood
    account : receives the counts

    Returns
    -------
    The columns that the table has, then ``CLOCKS``, where it has durations, and the rows' numbers ``ROW``.

    """
    account.rows += len(raw)
    chunk, columns = Chunk(raw, recognised, account), recognised.columns
    chunk.rows.refuse_ragged(raw[RAGGED], len(columns.headers))
    made = {name: make(chunk) for name, make in _makers(columns)}
    if "key" in columns.tidy:
        made |= _keys(chunk, made.get("mode"))
    if "duration_ms" in columns.tidy:
        made |= _durations(chunk)
    frame = pd.DataFrame({name: made[name] for name in (*TIDY, CLOCKS) if name in made}, index=raw.index)
    if "name" in columns.tidy:
        chunk.refuse(_nameless(frame), "name", "without a name", "is no name of a song")
    else:
        chunk.refuse(frame["id"].isna(), "id", "without an id or a name", "is no id of a song")
    for name, place in columns.other.items():
        frame[name] = raw[place].mask(raw[place].isin([""]))
    return chunk.rows.good(frame.assign(**{ROW: raw[ROW]}))


def misread(raw: pd.DataFrame, columns: Columns) -> list[str]:
    """Tidy columns of numbers whose source has another header, as "time" or "live", and mostly holds no numbers."""
    named = (name for name in ("popularity", "duration_ms", *FEATURES) if columns.by_another_name(name))
    return [name for name in named if _is_something_else(texts(raw[columns.tidy[name][0]]))]


def _is_something_else(cells: Cells) -> bool:
    said = known(cells).dropna()
    values, _ = numbers(said, whole=True, hundred=1)
    left = said[values.isna()]
    return 2 * each(left, durations.told, "float64").isna().sum() > len(said)


def _makers(columns: Columns) -> Iterator[tuple[str, Callable[[Chunk], Cells]]]:
    special: dict[str, Callable[[Chunk], Cells]] = {
        "id": _ids,
        "artists": _artists,
        "genres": _genres,
        "year": _years,
        "explicit": _explicit,
        "mode": partial(_words, name="mode", words=_mode),
        "time_signature": partial(_words, name="time_signature", words=_beats),
    }
    for name in columns.tidy:
        if name in special:
            yield name, special[name]
        elif name in ("key", "duration_ms"):
            continue
        elif name in BY_NAME:
            yield name, partial(_numbers, attribute=BY_NAME[name])
        else:
            yield name, partial(Chunk.texts, tidy=name)


def _ids(chunk: Chunk) -> Cells:
    ids = known(chunk.texts("id")).str.replace(ID_TRIMMINGS, "", regex=True)
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
    cells = chunk.cells("artists")
    chunk.recognised.lists_artists |= any(";" in str(cell) or names_in(cell) is not None for cell in distinct(cells))
    return each(cells, lambda cell: joined(split_artists(cell)))


def _genres(chunk: Chunk) -> Cells:
    first, *further = (
        each(chunk.raw[place], lambda cell: joined(split_genres(cell))) for place in chunk.columns.tidy["genres"]
    )
    together = first.str.cat(further, SEPARATOR, na_rep="")
    return each(together, lambda text: joined(sorted(text.split(SEPARATOR))))


def _numbers(chunk: Chunk, attribute: Attribute) -> Cells:
    cells = chunk.cells(attribute.name)
    if pd.api.types.is_numeric_dtype(cells):
        return cells.astype("float64")
    hundred = attribute.high if attribute.high in (1, 100) else None
    said = known(texts(cells))
    values, decimal = numbers(said, whole=attribute.whole, hundred=hundred)
    chunk.recognised.decimal_commas |= decimal
    chunk.refuse(
        values.isna() & said.notna(), attribute.name, f"with {attribute.name} not a number", "is not a number"
    )
    return values


def _words(chunk: Chunk, name: str, words: Callable[[str], float | None]) -> Cells:
    """Whole numbers, for which words may stand."""
    cells = chunk.cells(name)
    if pd.api.types.is_numeric_dtype(cells):
        values = cells.astype("float64")
    else:
        said = known(texts(cells))
        values, _ = numbers(said, whole=True)
        values = values.fillna(each(said[values.isna()], words, "float64"))
        chunk.refuse(values.isna() & said.notna(), name, f"with {name} not a number", "is not a number")
    chunk.refuse(values % 1 > 0, name, f"with a broken {name}", "is not a whole number")
    return values


def _mode(text: str) -> float | None:
    return MODES.get(text.lower())


def _beats(text: str) -> float | None:
    found = BEATS.fullmatch(text)
    return float(found[1]) if found else None


def _keys(chunk: Chunk, modes: Cells | None) -> dict[str, Cells]:
    """Keys of the first column that has one, and modes of those keys where no column of modes has them."""
    keys = _words(chunk, "key", _pitch)
    said = [known(texts(chunk.raw[place])) for place in chunk.columns.tidy["key"]]
    for cells in said[1:]:
        keys = keys.fillna(each(cells[keys.isna()], _pitch, "float64"))
    for cells in said:
        found = each(cells, _mode_of_key, "float64")
        if modes is None and found.notna().any():
            chunk.recognised.remark("key", "modes too")
        modes = found if modes is None else modes.fillna(found)
    return {"key": keys, "mode": modes}


def _pitch(text: str) -> float | None:
    key = key_of(text)
    return key[0] if key else None


def _mode_of_key(text: str) -> float | None:
    key = key_of(text)
    return key[1] if key else None


def _durations(chunk: Chunk) -> dict[str, Cells]:
    """Plain numbers, whose unit is not yet known, and what says its units."""
    cells = chunk.cells("duration_ms")
    if pd.api.types.is_numeric_dtype(cells):
        return {"duration_ms": cells.astype("float64"), CLOCKS: pd.Series(np.nan, cells.index)}
    said = known(texts(cells))
    plain, _ = numbers(said, whole=True)
    clocks = each(said[plain.isna()], durations.told, "float64").reindex(cells.index)
    unread = said.notna() & plain.isna() & clocks.isna()
    chunk.refuse(unread, "duration_ms", "with duration_ms not a number", "is not a number, and no duration like 3:20")
    return {"duration_ms": plain, CLOCKS: clocks}


def _years(chunk: Chunk) -> Cells:
    """Years of dates; what is none is not known."""
    years = each(chunk.texts("year"), year_of, "float64")
    return years.where(years.between(BY_NAME["year"].low, BY_NAME["year"].high))


def _explicit(chunk: Chunk) -> Cells:
    cells = chunk.texts("explicit").str.lower()
    values = cells.map(TRUTH).astype("boolean")
    wrong = cells.notna() & ~cells.isin(MISSING) & values.isna()
    chunk.refuse(wrong, "explicit", "with explicit neither true nor false", "is neither true nor false")
    return values.astype("Float64").astype("float64")
