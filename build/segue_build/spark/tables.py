"""``catalog.parquet``, which grows while sorted rows stream in."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from segue_build.artifacts import table
from segue_build.sources.columns import TIDY
from segue_build.spark.batches import Frame
from segue_build.spark.reading import other


class GrowingTable:
    """Takes rows in whatever runs they come, and writes them in row groups.

    songs : all rows, of which the types of the columns are told
    others : names of the source's other columns
    ends : row after the last one of each row group
    """

    def __init__(self, folder: Path, songs: Frame, others: list[str], ends: list[int]):
        self._kinds = dict(zip(others, _kinds(songs, len(others))))
        self._ends = ends
        self._held: list[pa.Table] = []
        self._row = 0
        self._path = folder / table.FILE
        self._file: pq.ParquetWriter | None = None

    def append(self, songs: pa.Table) -> None:
        """Take some rows."""
        self._held.append(songs)
        end = self._row + sum(map(len, self._held))
        while self._ends and self._ends[0] <= end:
            held = pa.concat_tables(self._held)
            size = self._ends.pop(0) - self._row
            self._write(held.slice(0, size))
            self._row, self._held = self._row + size, [held.slice(size)]

    def close(self) -> None:
        """Write the end of the file."""
        if self._file:
            self._file.close()

    def _write(self, songs: pa.Table) -> None:
        frame = songs.select(TIDY).to_pandas()
        columns = {name: table.column(name, frame[name]) for name in TIDY}
        columns |= {name: songs[name] for name in ("cluster", "cell")}
        for place, (name, kind) in enumerate(self._kinds.items()):
            columns[name] = _as(songs[other(place)], kind)
        made = pa.table(columns)
        if self._file is None:
            self._file = table.opened(self._path, made.schema)
        self._file.write_table(made, row_group_size=table.ROW_GROUP)


def _kinds(songs: Frame, n_others: int) -> list[pa.DataType | None]:
    """What columns that Segue knows nothing of become: numbers where all of a text column is numbers."""
    from pyspark.sql import functions as sql

    types, asked = dict(songs.dtypes), []
    texts = [name for name in map(other, range(n_others)) if types[name] == "string"]
    for name in texts:
        number = sql.expr(f"try_cast({name} AS double)")
        broken = sql.count(sql.when(number % 1 != 0, 1))
        asked.append(
            sql.struct(sql.count(name).alias("known"), sql.count(number).alias("numbers"), broken.alias("broken"))
        )
    counts = dict(zip(texts, songs.agg(*asked).first())) if texts else {}
    return [_kind(*counts.get(name, (0, 0, 0))) for name in map(other, range(n_others))]


def _kind(known: int, numbers: int, broken: int) -> pa.DataType | None:
    if not known or known != numbers:
        return None
    return pa.float64() if broken else pa.int64()


def _as(cells: pa.ChunkedArray, kind: pa.DataType | None) -> pa.ChunkedArray:
    return cells if kind is None else cells.cast(pa.float64()).cast(kind)
