"""``catalog.parquet``: every column of the source, cluster, family and cell; row groups follow the clusters."""

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.progress import bar
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.series import to_arrow

Maker = Callable[[slice], pa.Array]  # makes some rows of a column

FILE_NAME = "catalog.parquet"
MAX_ROW_GROUP = 16_384  # rows at the most
COMPRESSION_LEVEL = 15  # of zstd: an eighth smaller than by default, and read as fast
CLUSTER_COLUMNS = ("cluster", "family", "cell")  # by which readers skip row groups
# of which a row group has few values: in others a dictionary would be as long as the column
FEW_VALUED_COLUMNS = (
    "artists.list.element", "genres.list.element", "explicit", "key", "mode", "time_signature", "cluster", "family",
)  # fmt: skip
INTEGER_COLUMNS = tuple(attribute.name for attribute in NUMERIC_ATTRIBUTES if attribute.is_integer)


def write(
    path: Path, frame: pd.DataFrame, clusters: np.ndarray, families: np.ndarray, cells: np.ndarray
) -> list[int]:
    """Write the table.

    Parameters
    ----------
    frame : the canonical table, sorted by cluster, then cell
    clusters, families, cells : int64, shape (n_songs,), of each song; clusters and cells rise

    Returns
    -------
    The first row of each row group.

    """
    makers: dict[str, Maker] = {name: partial(_canonical_rows, name, frame[name]) for name in CANONICAL_COLUMNS}
    makers |= {"cluster": lambda rows: pa.array(clusters[rows], pa.int32())}
    makers |= {"family": lambda rows: pa.array(families[rows], pa.int32())}
    makers |= {"cell": lambda rows: pa.array(cells[rows], pa.int32())}
    makers |= {str(name): _extra_column(frame[name]) for name in frame if name not in CANONICAL_COLUMNS}
    schema = pa.schema([(name, make(slice(0, 0)).type) for name, make in makers.items()])
    firsts = row_group_starts(np.append(np.flatnonzero(np.diff(clusters, prepend=-1)), len(clusters)))
    groups = [slice(first, last) for first, last in zip(firsts, [*firsts[1:], len(frame)])]
    with RowGroupWriter(path, [group.stop for group in groups]) as file:
        for rows in bar(groups, FILE_NAME, " row groups", len(groups)):
            file.append(pa.table([make(rows) for make in makers.values()], schema))
    return firsts


class RowGroupWriter:
    """Takes rows in batches of any size, and writes them in row groups.

    ends : the row after the last one of each row group
    """

    def __init__(self, path: Path, ends: list[int]):
        self._path, self._ends = path, list(ends)
        self._pending: list[pa.Table] = []
        self._row = 0
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> "RowGroupWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def append(self, rows: pa.Table) -> None:
        """Take some rows."""
        self._pending.append(rows)
        end = self._row + sum(map(len, self._pending))
        while self._ends and self._ends[0] <= end:
            pending = pa.concat_tables(self._pending)
            size = self._ends.pop(0) - self._row
            self._write(pending.slice(0, size))
            self._row, self._pending = self._row + size, [pending.slice(size)]

    def _write(self, rows: pa.Table) -> None:
        if self._file is None:
            self._file = _open_writer(self._path, rows.schema)
        self._file.write_table(rows, row_group_size=MAX_ROW_GROUP)


def _open_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    others = [
        one.name for one in schema if pa.types.is_string(one.type) and one.name not in ("id", "name", "album", "isrc")
    ]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=[*FEW_VALUED_COLUMNS, *others],
        write_statistics=list(CLUSTER_COLUMNS),
    )


def row_group_starts(clusters: np.ndarray) -> list[int]:
    """First rows of row groups of at most ``MAX_ROW_GROUP`` rows, none of which crosses a cluster.

    clusters : the first row of each cluster, and the number of songs
    """
    bounds = itertools.pairwise(clusters.tolist())
    return [first for start, stop in bounds for first in range(start, stop, MAX_ROW_GROUP)]


def _canonical_rows(name: str, values: Any, rows: slice) -> pa.Array:
    return column_to_arrow(name, values.iloc[rows])


def column_to_arrow(name: str, values: Any) -> pa.Array:
    """Cells of a canonical column as the file has them."""
    if name in ("artists", "genres"):
        return pc.split_pattern(pa.array(values, pa.string()), SEPARATOR)
    if name == "explicit":
        return pa.array(values.astype("boolean"), pa.bool_())
    if name in INTEGER_COLUMNS:
        return pa.array(values.astype("Int64"), pa.int32())
    if name in ("id", "name", "album", "isrc"):
        return pa.array(values, pa.string())
    return pa.array(values.astype("Float64"), pa.float64())


def _extra_column(values: Any) -> Maker:
    """A column of the source that is not interpreted: numbers if all of its cells are numbers, else texts."""
    if not (pd.api.types.is_string_dtype(values) or values.dtype == object):
        return lambda rows: to_arrow(values.iloc[rows])
    if values.dtype == object and any(isinstance(value, list | tuple | np.ndarray | dict) for value in values):
        return partial(_text_rows, values)
    numbers = pd.to_numeric(values.replace("", pd.NA), errors="coerce")
    known = values.notna() & (values != "")
    if known.any() and numbers[known].notna().all():
        whole = numbers.astype("Float64")
        numbers = whole.astype("Int64") if (whole.dropna() % 1 == 0).all() else whole
        return lambda rows: to_arrow(numbers.iloc[rows])
    return partial(_text_rows, values)


def _text_rows(values: Any, rows: slice) -> pa.Array:
    kept = values.iloc[rows].astype("object")
    return pa.array([None if value is None else str(value) for value in kept.where(kept.notna(), None)], pa.string())
