"""Functions of pandas columns: stripped texts, a function applied once per distinct cell, rows in batches.

Texts are read in batches, because ten million texts take gigabytes as Python objects.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segue_build.sources.multivalue import MISSING_MARKERS, SEPARATOR, join_values, parse_list, split_genres

Series = Any  # a pandas Series; the stubs require the type of its cells, which depends on the table
BATCH_ROWS = 65_536


def stripped_texts(cells: Series) -> Series:
    """Cells as stripped texts; empty ones are missing values."""
    stripped = cells.astype("str").str.strip()
    return stripped.mask(stripped == "")


def without_missing(cells: Series) -> Series:
    """The cells, with markers such as "n/a" as missing values."""
    return cells.mask(cells.str.lower().isin(MISSING_MARKERS))


def map_distinct(cells: Series, make: Callable[[Any], object], kind: str = "str") -> Series:
    """Apply a function to each known cell, once per distinct text or list."""
    cells = _hashable_cells(cells)
    made = {cell: make(cell) for cell in cells.dropna().unique()}
    return cells.map(made.get, na_action="ignore").astype(kind)


def joined_labels(cells: Series) -> Series:
    """Cells of tags, moods and the like as genres are: joined texts in lower case, sorted."""
    return map_distinct(cells, lambda cell: join_values(sorted(split_genres(cell))))


def distinct_cells(cells: Series) -> list[Any]:
    """The distinct known cells; lists become tuples of names."""
    return list(_hashable_cells(cells).dropna().unique())


def _hashable_cells(cells: Series) -> Series:
    return cells.map(_hashable, na_action="ignore") if cells.dtype == object else cells


def _hashable(cell: object) -> str | tuple[str, ...]:
    return tuple(parse_list(cell) or ()) if isinstance(cell, list | tuple | np.ndarray) else str(cell)


def batch_slices(n_rows: int, size: int = BATCH_ROWS) -> list[slice]:
    """Slices of ``size`` rows each, up to the last row; at least one."""
    return [slice(first, min(first + size, n_rows)) for first in range(0, max(n_rows, 1), size)]


def iter_text_batches(column: "pd.Series[str]") -> Iterator[list[str]]:
    """The texts of a column in batches; missing values are empty texts."""
    for batch in batch_slices(len(column)):
        yield column.iloc[batch].fillna("").tolist()


def iter_first_values(column: "pd.Series[str]") -> Iterator[list[str]]:
    """The first value of each joined text of a column, in batches; empty if there is none."""
    for batch in iter_text_batches(column):
        yield [values.partition(SEPARATOR)[0] for values in batch]


def to_arrow(column: "pd.Series[Any]") -> pa.Array:
    """A column as one Arrow array, without copying texts that are in one chunk."""
    whole = pa.array(column)
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
