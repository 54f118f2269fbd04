"""Reads tables with types: Parquet files, folders of Parquet parts, Arrow files (Feather) and streams, SQLite."""

import contextlib
import sqlite3
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from segue.errors import SourceError
from segue_build.sources.formats.base import CHUNK_ROWS, EXPECTED_TABLE, Content, Table, add_row_numbers, iter_chunks

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


def read_sqlite(content: Content, part: str | None) -> Table:
    """Read a table of an SQLite database: the one named ``part``, or the only one.

    Raises
    ------
    SourceError
        there are several tables, or none, or the database is damaged.

    """
    with _translate_sqlite_errors(content.name):
        with content.as_path() as path:
            address = f"file:{urllib.parse.quote(str(path))}?mode=ro&immutable=1"
            database = sqlite3.connect(address, uri=True)
            found = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"
            )
            names = [name for (name,) in found]
        name = part or (names[0] if len(names) == 1 else "")
        if name not in names:
            raise _several_tables(content.name, database, names, part)
        rows = _select(database, "*", name)
    headers = [header for header, *_ in rows.description]
    format_name = f"{content.describe('SQLite')}, table '{name}'"
    return Table(content.name, format_name, headers, _iter_sqlite_chunks(content.name, rows, len(headers)))


def _several_tables(file: str, database: sqlite3.Connection, names: list[str], part: str | None) -> SourceError:
    rows = {name: _select(database, "count(*)", name).fetchone()[0] for name in names}
    if not rows:
        return SourceError(f"{file}: the SQLite database has no tables; {EXPECTED_TABLE}")
    largest = max(rows, key=lambda name: rows[name])
    shown = ", ".join(f"{name} with {count:,} rows" for name, count in rows.items())
    what = f"has no table '{part}'" if part else f"has {len(rows)} tables"
    return SourceError(
        f"{file}: the SQLite database {what} ({shown}); say which holds the songs, as in --source {file}#{largest}"
    )


def _select(database: sqlite3.Connection, what: str, table: str) -> sqlite3.Cursor:
    quoted = table.replace('"', '""')
    return database.execute(f'SELECT {what} FROM "{quoted}"')  # noqa: S608 # a name of the database's own, quoted


def _iter_sqlite_chunks(file: str, rows: sqlite3.Cursor, width: int) -> Iterator[pd.DataFrame]:
    texts = ([_sqlite_cell(value) for value in row] for row in rows)
    with _translate_sqlite_errors(file):
        yield from iter_chunks(texts, width, 2)


def _sqlite_cell(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


@contextlib.contextmanager
def _translate_sqlite_errors(file: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise SourceError(
            f"{file}: the SQLite database is damaged or locked ({error}); copy or export it again"
        ) from error


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
    """Nested fields as columns of their own, and bytes as texts."""
    for _ in range(MAX_FLATTENED_LEVELS):
        table = table.flatten()
    for place, column in enumerate(table.schema):
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            texts = [
                None if value is None else value.decode("utf-8", "replace") for value in table[place].to_pylist()
            ]
            table = table.set_column(place, column.name, pa.array(texts, pa.string()))
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
