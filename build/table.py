"""``catalog.parquet``: every column of the source, cluster and cell, in row groups that follow the clusters."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from build.columns import TIDY
from build.tidy import SEPARATOR
from segue.attributes import NUMERIC

FILE = "catalog.parquet"
ROW_GROUP = 16_384  # rows at the most
LEVEL = 9  # of zstd: a tenth smaller than by default, and read as fast
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
    columns = {name: _column(name, frame[name]) for name in TIDY}
    columns |= {"cluster": pa.array(clusters, pa.int32()), "cell": pa.array(cells, pa.int32())}
    columns |= {str(name): _other(frame[name]) for name in frame if name not in TIDY}
    table = pa.table(columns)
    firsts = row_groups(clusters)
    repeating = [name for name in table.column_names if name not in ("id", "name")]
    with pq.ParquetWriter(
        path, table.schema, compression="zstd", compression_level=LEVEL, use_dictionary=repeating
    ) as writer:
        for first, last in zip(firsts, [*firsts[1:], len(table)]):
            writer.write_table(table.slice(first, last - first), row_group_size=ROW_GROUP)
    return firsts


def row_groups(clusters: np.ndarray) -> list[int]:
    """First rows of row groups of at most ``ROW_GROUP`` rows, none of which crosses a cluster."""
    starts = np.flatnonzero(np.diff(clusters, prepend=-1))
    stops = [*starts[1:], len(clusters)]
    return [int(first) for start, stop in zip(starts, stops) for first in range(start, stop, ROW_GROUP)]


def _column(name: str, values: Any) -> pa.Array:
    if name in ("artists", "genres"):
        return pc.split_pattern(pa.array(values.astype("object").where(values.notna(), None), pa.string()), SEPARATOR)
    if name == "explicit":
        return pa.array(values.astype("boolean"), pa.bool_())
    if name in WHOLE:
        return pa.array(values.astype("Int64"), pa.int32())
    if name in ("id", "name", "album"):
        return pa.array(values.astype("object").where(values.notna(), None), pa.string())
    return pa.array(values.astype("Float64"), pa.float64())


def _other(values: Any) -> pa.Array:
    """A column that Segue knows nothing of: numbers where all of it is numbers, else texts."""
    if not (pd.api.types.is_string_dtype(values) or values.dtype == object):
        return pa.Array.from_pandas(values)
    texts = values.astype("object").where(values.notna(), None)
    if any(isinstance(value, list | tuple | np.ndarray | dict) for value in texts):
        return pa.array([None if value is None else str(value) for value in texts], pa.string())
    numbers = pd.to_numeric(values.replace("", pd.NA), errors="coerce")
    known = values.notna() & (values != "")
    if known.any() and numbers[known].notna().all():
        whole = numbers.astype("Float64")
        return pa.array(whole.astype("Int64") if (whole.dropna() % 1 == 0).all() else whole)
    return pa.array([None if value is None else str(value) for value in texts], pa.string())
