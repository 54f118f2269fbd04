"""Helpers for pandas columns: texts without the missing, a function once per distinct cell, rows in batches.

Batches, since as Python objects ten million texts take gigabytes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segue_build.sources.multivalue import MISSING_MARKERS, SEPARATOR, parse_list

Series = Any  # a pandas Series: the stubs want a type for its cells, which only the table knows
BATCH_ROWS = 65_536


def stripped_texts(cells: Series) -> Series:
    """Cells as stripped texts, missing where empty."""
    stripped = cells.astype("str").str.strip()
    return stripped.mask(stripped == "")


def without_missing(cells: Series) -> Series:
    """The cells without those that say that nothing is known."""
    return cells.mask(cells.str.lower().isin(MISSING_MARKERS))


def map_distinct(cells: Series, make: Callable[[Any], object], kind: str = "str") -> Series:
    """What each known cell becomes, made once for every distinct text or list."""
    made = {cell: make(cell) for cell in distinct_cells(cells)}
    if cells.dtype == object:
        cells = cells.map(_hashable, na_action="ignore")
    return cells.map(made.get, na_action="ignore").astype(kind)


def distinct_cells(cells: Series) -> list[Any]:
    """The different known cells; a list is a tuple of names."""
    if cells.dtype == object:
        cells = cells.map(_hashable, na_action="ignore")
    return list(cells.dropna().unique())


def _hashable(cell: object) -> str | tuple[str, ...]:
    return tuple(parse_list(cell) or ()) if isinstance(cell, list | tuple | np.ndarray) else str(cell)


def batch_slices(n_rows: int) -> list[slice]:
    """``slice(0, RUN)``, ``slice(RUN, 2 * RUN)``, ... up to the last row; one at the least."""
    return [slice(first, min(first + BATCH_ROWS, n_rows)) for first in range(0, max(n_rows, 1), BATCH_ROWS)]


def iter_text_batches(column: "pd.Series[str]") -> Iterator[list[str]]:
    """The column's texts, empty where missing."""
    for batch in batch_slices(len(column)):
        yield column.iloc[batch].fillna("").tolist()


def iter_first_values(column: "pd.Series[str]") -> Iterator[list[str]]:
    """The first of each of the column's joined texts, empty where it has none."""
    for batch in iter_text_batches(column):
        yield [values.partition(SEPARATOR)[0] for values in batch]


def to_arrow(column: "pd.Series[Any]") -> pa.Array:
    """The column as one Arrow array, its texts uncopied where they lie in one piece."""
    whole = pa.array(column)
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
