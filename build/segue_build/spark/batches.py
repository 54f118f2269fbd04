"""Arrow batches: mapped and summed on the workers, streamed to the driver."""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

Frame = Any  # a DataFrame of Spark's, whose type is not there where pyspark is not installed
BatchFunction = Callable[[pa.Table], dict[str, Any]]  # the columns of what is made
REDUCERS = 4  # partitions in which arrays are reduced, so that the driver gets few, however many partitions there are
_ARRAY_SCHEMA = pa.schema([("array", pa.binary())])
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


def reduce_batches(frame: Frame, function: Callable[[pa.Table], np.ndarray], operation: np.ufunc) -> np.ndarray:
    """The arrays that ``function`` makes of all batches, as one by an operation that has no order.

    operation : np.add for whole numbers, or np.fmax
    """

    def reduced(arrays: list[np.ndarray]) -> Iterator[pa.RecordBatch]:
        if arrays:
            file = io.BytesIO()
            np.save(file, operation.reduce(arrays), allow_pickle=False)
            yield pa.RecordBatch.from_pydict({"array": [file.getvalue()]}, _ARRAY_SCHEMA)

    def of_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from reduced([function(pa.Table.from_batches([batch])) for batch in batches if batch.num_rows])

    def of_arrays(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from reduced([_load(file) for batch in batches for file in batch["array"].to_pylist()])

    schema = to_spark_schema(_ARRAY_SCHEMA)
    arrays = frame.mapInArrow(of_batches, schema).repartition(REDUCERS).mapInArrow(of_arrays, schema).toArrow()
    return operation.reduce([_load(file) for file in arrays["array"].to_pylist()])


def sample_rows(frame: Frame, n_songs: int, limit: int, columns: list[str]) -> pa.Table:
    """Some columns of at most about so many songs, which their places in the source choose; in its order."""
    chosen = choose_rows(frame, n_songs, limit, ["source_row"])
    return chosen.select("source_row", *columns).toArrow().sort_by("source_row")


def choose_rows(frame: Frame, n_rows: int, limit: int, by: list[str]) -> Frame:
    """At most about so many rows, which what is in some of their columns chooses."""
    from pyspark.sql import functions as sql

    chosen = sql.pmod(sql.xxhash64(*by), sql.lit(1 << 30)) < int(limit / max(n_rows, 1) * (1 << 30))
    return frame.where(chosen) if n_rows > limit else frame


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
    return flatten_lists(column)[1].to_numpy(zero_copy_only=False).reshape(len(column), width)


def list_column(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """An array of shape (n_rows, width) as a column of lists."""
    return ragged_column(np.full(len(values), values.shape[1]), np.ascontiguousarray(values).ravel(), kind)


def ragged_column(counts: np.ndarray, values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Lists of unequal length, end to end, as a column."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(values, kind))


def flatten_lists(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, pa.Array]:
    """The length of each list of a column, and the lists end to end."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.diff(whole.offsets.to_numpy()), whole.flatten()


def to_spark_schema(schema: pa.Schema) -> Any:
    """A schema as Spark has it."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


def _load(file: bytes) -> np.ndarray:
    return np.load(io.BytesIO(file), allow_pickle=False)


def _call(function: BatchFunction, table: pa.Table, schema: pa.Schema) -> list[pa.RecordBatch]:
    columns = function(table)
    return pa.table([columns[name] for name in schema.names], schema.names).cast(schema).combine_chunks().to_batches()
