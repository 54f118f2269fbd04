"""Long columns a run of rows at a time: as Python objects ten million texts would take gigabytes."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa

from segue_build.sources.listed import SEPARATOR

RUN = 65_536  # rows


def slices(n_rows: int) -> list[slice]:
    """``slice(0, RUN)``, ``slice(RUN, 2 * RUN)``, ... up to the last row; one at the least."""
    return [slice(first, min(first + RUN, n_rows)) for first in range(0, max(n_rows, 1), RUN)]


def texts(column: "pd.Series[str]") -> Iterator[list[str]]:
    """The column's texts, empty where missing."""
    for run in slices(len(column)):
        yield column.iloc[run].fillna("").tolist()


def firsts(column: "pd.Series[str]") -> Iterator[list[str]]:
    """The first of each of the column's joined texts, empty where it has none."""
    for run in texts(column):
        yield [joined.partition(SEPARATOR)[0] for joined in run]


def arrow(column: "pd.Series[Any]") -> pa.Array:
    """The column as one Arrow array, its texts uncopied where they lie in one piece."""
    whole = pa.array(column)
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
