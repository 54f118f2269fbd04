"""Reads columnar tables: Parquet files, folders of Parquet parts, and Arrow files (Feather) and streams."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from segue.errors import SourceError
from segue_build.sources.formats.base import CHUNK_ROWS, EXPECTED_TABLE, Content, Table, add_row_numbers

PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_FILE_MAGIC, ARROW_STREAM_MAGIC, FEATHER_1_MAGIC = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
MAX_FLATTENED_LEVELS = 2  # levels of nested fields that become columns: track, album.name


def read_parquet(content: Content) -> Table:
    """Read a Parquet file."""
    with _translate_arrow_errors(content.name, "Parquet"):
        file = pq.ParquetFile(_memory_map(content))
    _check_row_count(file.metadata.num_rows, content.size, content.name)
    batches = file.iter_batches(CHUNK_ROWS)
    return _make_table(content.name, content.describe("Parquet"), file.schema_arrow, batches, "Parquet")


def read_arrow(content: Content) -> Table:
    """Read an Arrow file (Feather) or an Arrow stream."""
    if content.head(4) == FEATHER_1_MAGIC:
        raise SourceError(
            f"{content.name}: Feather version 1, which Arrow no longer reads; write it again as version 2"
        )
    with _translate_arrow_errors(content.name, "Feather"):
        source = _memory_map(content)
        reader = pa.ipc.open_stream(source) if content.head(4) == ARROW_STREAM_MAGIC else pa.ipc.open_file(source)
        schema = reader.schema
    return _make_table(content.name, content.describe("Feather"), schema, _arrow_batches(reader, content), "Feather")


def read_parquet_folder(folder: Path) -> Table:
    """Read a folder of Parquet parts as one table; subfolders named ``column=value`` become a column.

    Raises
    ------
    SourceError
        there are no parts, or their columns differ; the message names the first part that differs.

    """
    name = f"{folder.name}/"
    paths = sorted(str(path) for path in folder.rglob("*") if _is_part(path, folder))
    if not paths:
        raise SourceError(f"{folder}: a folder without files; {EXPECTED_TABLE}")
    with _translate_arrow_errors(name, "Parquet"):
        partitioning = ds.partitioning(flavor="hive")
        dataset = ds.dataset(paths, format="parquet", partitioning=partitioning, partition_base_dir=str(folder))
        fragments = list(dataset.get_fragments())
        for path, fragment in zip(paths, fragments):
            _check_same_schema(
                name, fragments[0].physical_schema, Path(path).relative_to(folder), fragment.physical_schema
            )
        rows = sum(fragment.metadata.num_rows for fragment in fragments)
    _check_row_count(rows, sum(Path(path).stat().st_size for path in paths), name)
    batches = (
        batch
        for fragment in fragments
        for batch in fragment.to_batches(
            dataset.schema, batch_size=CHUNK_ROWS, batch_readahead=1, fragment_readahead=1, use_threads=False
        )
    )
    return _make_table(name, f"Parquet in {len(paths)} files", dataset.schema, batches, "Parquet")


def _memory_map(content: Content) -> pa.NativeFile:
    """Map the file; a temporary file stays readable after it was deleted."""
    with content.as_path() as path:
        return pa.memory_map(str(path))


def _is_part(path: Path, folder: Path) -> bool:
    """Whether a file is a part; writers' metadata files begin with a dot or an underscore."""
    return is_parquet(path) and not any(piece.startswith((".", "_")) for piece in path.relative_to(folder).parts)


def is_parquet(path: Path) -> bool:
    """Whether a path is a Parquet file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.name.lower().endswith(PARQUET_SUFFIXES) or file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def _check_same_schema(name: str, first: pa.Schema, part: Path, schema: pa.Schema) -> None:
    """Reject a part whose columns differ from those of the first."""
    types, others = (dict(zip(each.names, each.types)) for each in (first, schema))
    differing = [column for column in {**types, **others} if types.get(column) != others.get(column)]
    if differing:
        column = differing[0]
        actual, expected = others.get(column, "none"), types.get(column, "none")
        raise SourceError(
            f"{name}: column '{column}' is {actual} in {part}, but {expected} in the first part; write the parts"
            " with the same columns, or give them as several --source"
        )


def _check_row_count(rows: int, size: int, name: str) -> None:
    """Reject more rows than bytes: songs differ, so each takes at least one byte."""
    if rows > size:
        raise SourceError(
            f"{name}: {rows:,} rows in {size:,} bytes, which no table of tracks has (a decompression bomb?); if it is"
            " one, write it as CSV"
        )


def _arrow_batches(reader: pa.RecordBatchReader, content: Content) -> Iterator[pa.RecordBatch]:
    rows = 0
    is_file = hasattr(reader, "num_record_batches")
    for batch in map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader:
        rows += len(batch)
        _check_row_count(rows, content.size, content.name)
        yield from (batch.slice(first, CHUNK_ROWS) for first in range(0, len(batch), CHUNK_ROWS))


def _make_table(
    name: str, format_name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], kind: str
) -> Table:
    headers = _flatten(schema.empty_table()).column_names
    return Table(name, format_name, headers, _iter_frames(name, schema, batches, kind))


def _iter_frames(
    name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], kind: str
) -> Iterator[pd.DataFrame]:
    first_row = 2
    with _translate_arrow_errors(name, kind):
        for batch in batches:
            # Without pandas metadata, so that a stored index is a column like any other.
            frame = _flatten(pa.Table.from_batches([batch])).to_pandas(ignore_metadata=True)
            yield add_row_numbers(frame, first_row)
            first_row += len(frame)
        yield add_row_numbers(_flatten(schema.empty_table()).to_pandas(ignore_metadata=True), first_row)


def _flatten(table: pa.Table) -> pa.Table:
    """Nested fields as columns of their own."""
    for _ in range(MAX_FLATTENED_LEVELS):
        table = table.flatten()
    return table


@contextlib.contextmanager
def _translate_arrow_errors(name: str, kind: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        why = next(iter(str(error).splitlines()), "").strip()
        raise SourceError(
            f"{name}: the {kind} file is damaged or cut off ({why}); write or download it again"
        ) from error
