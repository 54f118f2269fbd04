"""Arrow batches: mapped and summed on the workers, streamed to the driver."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

Frame = Any  # a DataFrame of Spark's, whose type is not there where pyspark is not installed
BatchFunction = Callable[[pa.Table], pa.Table | dict[str, Any]]
_SUM_SCHEMA = pa.schema([("shape", pa.list_(pa.int64())), ("sums", pa.list_(pa.int64()))])
_GROUP_SUM_SCHEMA = pa.schema([("group", pa.int64()), ("sums", pa.list_(pa.int64()))])
_MIN_MAX_SCHEMA = pa.schema([("low", pa.list_(pa.float64())), ("high", pa.list_(pa.float64()))])
_IPC_SCHEMA = pa.schema([("batch", pa.binary())])


def map_batches(frame: Frame, schema: pa.Schema, function: BatchFunction) -> Frame:
    """What is made of each batch, a few thousand rows; ``function`` runs on the workers."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield from _call(function, pa.Table.from_batches([batch]), schema)

    return frame.mapInArrow(run, to_spark_schema(schema))


def map_partitions_by_key(frame: Frame, key: str, schema: pa.Schema, function: BatchFunction) -> Frame:
    """What is made of all rows of several keys at once, as many as lie in one partition."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(batches)
        if rows and sum(map(len, rows)):
            yield from _call(function, pa.Table.from_batches(rows), schema)

    return frame.repartition(key).mapInArrow(run, to_spark_schema(schema))


def sum_batches(frame: Frame, function: Callable[[pa.Table], np.ndarray]) -> np.ndarray:
    """The sum over all batches of an array of whole numbers, which is exact in whatever order; int64."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = [function(pa.Table.from_batches([batch])) for batch in batches if batch.num_rows]
        if found:
            total = np.sum(found, axis=0).astype(np.int64)
            yield pa.RecordBatch.from_pydict({"shape": [list(total.shape)], "sums": [total.ravel()]}, _SUM_SCHEMA)

    parts = frame.mapInArrow(run, to_spark_schema(_SUM_SCHEMA)).toArrow()
    shape = parts["shape"][0].as_py()
    return np.sum([row.values.to_numpy() for row in parts["sums"]], axis=0).reshape(shape)


def sum_by_group(
    frame: Frame, shape: tuple[int, int], function: Callable[[pa.Table], tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Sums over all batches of whole numbers by group, exact in whatever order; int64, shape (n_groups, width).

    function : a batch to groups and what each adds, several rows of a group if need be

    The driver receives the sum of each group once, however many partitions hold rows of it.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = [_sum_by_group(*function(pa.Table.from_batches([batch]))) for batch in batches if batch.num_rows]
        yield from _group_sum_batches(found)

    def again(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tables = (pa.Table.from_batches([batch]) for batch in batches if batch.num_rows)
        yield from _group_sum_batches(
            [(table["group"].to_numpy(), to_matrix(table["sums"], shape[1])) for table in tables]
        )

    of_partitions = frame.mapInArrow(run, to_spark_schema(_GROUP_SUM_SCHEMA)).repartition("group")
    sums = of_partitions.mapInArrow(again, to_spark_schema(_GROUP_SUM_SCHEMA)).toArrow()
    found = np.zeros(shape, np.int64)
    found[sums["group"].to_numpy()] = to_matrix(sums["sums"], shape[1])
    return found


def min_max(frame: Frame, function: Callable[[pa.Table], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest of each column of what is made, without NaN; float64, shape (n_columns,)."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found = [function(pa.Table.from_batches([batch])) for batch in batches if batch.num_rows]
        if found:
            low = np.fmin.reduce([np.fmin.reduce(each, axis=0) for each in found])
            high = np.fmax.reduce([np.fmax.reduce(each, axis=0) for each in found])
            yield pa.RecordBatch.from_pydict({"low": [low], "high": [high]}, _MIN_MAX_SCHEMA)

    parts = frame.mapInArrow(run, to_spark_schema(_MIN_MAX_SCHEMA)).toArrow()
    low, high = (np.stack([row.values.to_numpy() for row in parts[name]]) for name in ("low", "high"))
    return np.fmin.reduce(low, axis=0), np.fmax.reduce(high, axis=0)


def sample_rows(frame: Frame, n_songs: int, limit: int, columns: list[str]) -> pa.Table:
    """Some columns of at most about so many songs, which their places in the source choose; in its order."""
    from pyspark.sql import functions as sql

    if n_songs > limit:
        frame = frame.where(sql.pmod(sql.xxhash64("source_row"), sql.lit(1 << 30)) < int(limit / n_songs * (1 << 30)))
    return frame.select("source_row", *columns).toArrow().sort_by("source_row")


def stream_batches(frame: Frame) -> Iterator[pa.Table]:
    """The rows in their order, a batch at a time: the driver holds two partitions at the most."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema) as stream:
                stream.write_batch(batch)
            yield pa.RecordBatch.from_pydict({"batch": [sink.getvalue().to_pybytes()]}, _IPC_SCHEMA)

    for row in frame.mapInArrow(run, to_spark_schema(_IPC_SCHEMA)).toLocalIterator(prefetchPartitions=True):
        yield pa.ipc.open_stream(row["batch"]).read_all()


def persist(frame: Frame) -> Frame:
    """The same, computed once and kept in the workers' memory or on their disks.

    What a lost worker held is computed again. The plan begins anew: Spark writes plans out whole, and one of all
    steps would grow with each use of a step.
    """
    from pyspark.sql import DataFrame

    spark, rows = frame.sparkSession, frame.persist()._jdf
    truncated = spark._jsparkSession.internalCreateDataFrame(rows.queryExecution().toRdd(), rows.schema(), False)
    return DataFrame(truncated, spark)


def to_matrix(column: pa.ChunkedArray | pa.Array, width: int) -> np.ndarray:
    """A column of lists of ``width`` numbers as an array, shape (n_rows, width)."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.flatten().to_numpy(zero_copy_only=False).reshape(len(whole), width)


def list_column(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """An array of shape (n_rows, width) as a column of lists."""
    offsets = np.arange(len(values) + 1, dtype=np.int32) * np.int32(values.shape[1])
    return pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values).ravel(), kind))


def ragged_column(counts: np.ndarray, values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Lists of unequal length, end to end, as a column."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(values, kind))


def flatten_lists(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, pa.Array]:
    """The length of each list of a column, and the lists end to end."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.diff(whole.offsets.to_numpy()), whole.flatten()


def binary_column(vectors: np.ndarray) -> pa.Array:
    """int8 vectors, shape (n_rows, n_dims), as a column of bytes."""
    offsets = np.arange(len(vectors) + 1, dtype=np.int32) * np.int32(vectors.shape[1])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(vectors))]
    return pa.Array.from_buffers(pa.binary(), len(vectors), buffers)


def to_vectors(column: pa.ChunkedArray) -> np.ndarray:
    """The same back; int8, shape (n_rows, n_dims)."""
    whole = column.combine_chunks()
    offsets = np.frombuffer(whole.buffers()[1], np.int32)[whole.offset : whole.offset + len(whole) + 1]
    found = np.frombuffer(whole.buffers()[2], np.int8)[offsets[0] : offsets[-1]]
    return found.reshape(len(whole), -1)


def to_spark_schema(schema: pa.Schema) -> Any:
    """A schema as Spark has it."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


def _group_sum_batches(found: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[pa.RecordBatch]:
    if found:
        groups, sums = _sum_by_group(*map(np.concatenate, zip(*found)))
        yield pa.RecordBatch.from_arrays([pa.array(groups), list_column(sums, pa.int64())], schema=_GROUP_SUM_SCHEMA)


def _sum_by_group(groups: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The groups that there are, rising, and the sum of each one's rows."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    if not len(starts):
        return groups, rows.astype(np.int64)
    return groups[order][starts], np.add.reduceat(rows[order], starts, axis=0, dtype=np.int64)


def _call(function: BatchFunction, table: pa.Table, schema: pa.Schema) -> list[pa.RecordBatch]:
    found = function(table)
    made = found if isinstance(found, pa.Table) else pa.table([found[name] for name in schema.names], schema.names)
    return made.select(schema.names).cast(schema).combine_chunks().to_batches()
