"""``catalog.parquet``: every column of the source, cluster and cell, in row groups that follow the clusters."""

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segue_build.progress import bar
from segue_build.sources.columns import TIDY
from segue_build.sources.listed import SEPARATOR
from segue_build.sources.runs import arrow
from segue.query.attributes import NUMERIC

Maker = Callable[[slice], pa.Array]  # of some rows of a column

FILE = "catalog.parquet"
ROW_GROUP = 16_384  # rows at the most
LEVEL = 15  # of zstd: an eighth smaller than by default, and read as fast
WHOLE = tuple(attribute.name for attribute in NUMERIC if attribute.whole)


def write(path: Path, frame: pd.DataFrame, clusters: np.ndarray, cells: np.ndarray) -> list[int]:
    """Write the table.

    Parameters
    ----------
    frame : the tidy table, sorted by cluster, then cell
    clusters, cells : int64, shape (n_songs,), rising

    Returns
    -------
    The first row of each row group.

    """
    makers: dict[str, Maker] = {name: partial(_rows_of, name, frame[name]) for name in TIDY}
    makers |= {"cluster": partial(_numbers, clusters), "cell": partial(_numbers, cells)}
    makers |= {str(name): _other(frame[name]) for name in frame if name not in TIDY}
    schema = pa.schema([(name, make(slice(0, 0)).type) for name, make in makers.items()])
    firsts = row_groups(np.append(np.flatnonzero(np.diff(clusters, prepend=-1)), len(clusters)))
    groups = [slice(first, last) for first, last in zip(firsts, [*firsts[1:], len(frame)])]
    with opened(path, schema) as file:
        for rows in bar(groups, FILE, " row groups", len(groups)):
            file.write_table(pa.table([make(rows) for make in makers.values()], schema), row_group_size=ROW_GROUP)
    return firsts


def opened(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """The file, to which row groups are written."""
    repeating = [one.name for one in schema if one.name not in ("id", "name") and not pa.types.is_floating(one.type)]
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=LEVEL, use_dictionary=repeating)


def row_groups(clusters: np.ndarray) -> list[int]:
    """First rows of row groups of at most ``ROW_GROUP`` rows, none of which crosses a cluster.

    clusters : the first row of each cluster, and the number of songs
    """
    bounds = itertools.pairwise(clusters.tolist())
    return [first for start, stop in bounds for first in range(start, stop, ROW_GROUP)]


def _rows_of(name: str, values: Any, rows: slice) -> pa.Array:
    return column(name, values.iloc[rows])


def column(name: str, values: Any) -> pa.Array:
    """Cells of a tidy column as the file has them."""
    if name in ("artists", "genres"):
        return pc.split_pattern(pa.array(values, pa.string()), SEPARATOR)
    if name == "explicit":
        return pa.array(values.astype("boolean"), pa.bool_())
    if name in WHOLE:
        return pa.array(values.astype("Int64"), pa.int32())
    if name in ("id", "name", "album"):
        return pa.array(values, pa.string())
    return pa.array(values.astype("Float64"), pa.float64())


def _numbers(values: np.ndarray, rows: slice) -> pa.Array:
    return pa.array(values[rows], pa.int32())


def _other(values: Any) -> Maker:
    """A column that Segue knows nothing of: numbers where all of it is numbers, else texts."""
    if not (pd.api.types.is_string_dtype(values) or values.dtype == object):
        return partial(_as_it_is, values)
    if values.dtype == object and any(isinstance(value, list | tuple | np.ndarray | dict) for value in values):
        return partial(_texts, values)
    numbers = pd.to_numeric(values.replace("", pd.NA), errors="coerce")
    known = values.notna() & (values != "")
    if known.any() and numbers[known].notna().all():
        whole = numbers.astype("Float64")
        return partial(_as_it_is, whole.astype("Int64") if (whole.dropna() % 1 == 0).all() else whole)
    return partial(_texts, values)


def _as_it_is(values: Any, rows: slice) -> pa.Array:
    return arrow(values.iloc[rows])


def _texts(values: Any, rows: slice) -> pa.Array:
    kept = values.iloc[rows].astype("object")
    return pa.array([None if value is None else str(value) for value in kept.where(kept.notna(), None)], pa.string())
