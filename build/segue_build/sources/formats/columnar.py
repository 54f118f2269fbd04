"""Reads tables with types: Parquet, Arrow files (Feather) and streams, and workbooks; SQLite databases.

A damaged file can crash the readers of all but SQLite, or make them take any amount of memory. So they run in a
process of their own, ``python -m`` this module, whose memory and time follow from the size of the file. What it has
read and checked comes back as an Arrow stream.
"""

import contextlib
import itertools
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from segue.errors import SourceError
from segue_build.sources.formats.base import (
    CHUNK_ROWS,
    EXPECTED_TABLE,
    Content,
    Table,
    add_row_numbers,
    check_unpacked,
    file_content,
    iter_chunks,
    list_names,
)

if TYPE_CHECKING:
    import pandas as pd  # takes as long to import as all that a reader's process needs

PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_FILE_MAGIC, ARROW_STREAM_MAGIC, FEATHER_1_MAGIC = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
PARQUET, FEATHER, WORKBOOK = "Parquet", "Feather", "workbook"
MAX_FLATTENED_LEVELS = 2  # levels of nested fields that become columns: track, album.name
# What a reader may take: (at least, and so much more per byte of the file)
READER_MEMORY = (900 * 10**6, 40)  # bytes
READER_SECONDS = (12, 4e-6)  # of a processor
MAX_WAIT = 20  # times that, until it ends, on a busy machine
EXIT_UNREADABLE = 3  # the code of a process that says on stderr why a file can't be read
BATCH_CELLS = 10**6  # cells of a workbook that are sent at a time
METADATA = b"segue"  # key of what a process says of a table besides its columns
Batches = tuple[dict[str, Any], pa.Schema, Iterable[pa.RecordBatch]]  # and what else is known of the table


def read_isolated(content: Content, kind: str, part: str | None = None) -> Table:
    """Read a table by the reader of a kind, in a process of its own.

    part : name of the sheet to read

    Raises
    ------
    SourceError
        it is damaged, holds no table, or takes more memory or time than its size explains.

    """
    with content.as_path() as path, tempfile.NamedTemporaryFile(prefix="segue-") as output:
        _run_reader(replace(content, path=path), kind, part, output.name)
        stream = pa.ipc.open_stream(pa.memory_map(output.name))
    found = json.loads(stream.schema.metadata[METADATA])
    if kind == WORKBOOK:
        rows = (cells for batch in stream for cells in batch.column(0).to_pylist())
        format_name = f"{content.describe(kind)}, sheet '{found['sheet']}'"
        headers = found["headers"]
        return Table(content.name, format_name, headers, iter_chunks(content, rows, len(headers), found["row"]))
    name = f"{kind} in {found['parts']} files" if "parts" in found else content.describe(kind)
    return Table(content.name, name, stream.schema.names, _iter_frames(content.name, stream, kind))


def _run_reader(content: Content, kind: str, part: str | None, output: str) -> None:
    """Run the process, which writes to a file."""
    memory, seconds = (int(least + per_byte * content.size) for least, per_byte in (READER_MEMORY, READER_SECONDS))
    given = [output, kind, content.path, content.name, content.size, memory, seconds, *([part] if part else [])]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        ended = subprocess.run(  # noqa: S603 # no shell
            [sys.executable, "-P", "-m", __name__, *map(str, given)],
            capture_output=True, env=environ, timeout=MAX_WAIT * seconds, check=False,
        )  # fmt: skip
        code, error = ended.returncode, ended.stderr.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        code, error = -signal.SIGXCPU, ""
    if code == EXIT_UNREADABLE:
        raise SourceError(error.rpartition("\0")[2])
    if code:
        why = f"took more than {seconds} s" if code == -signal.SIGXCPU else "crashed, or ran out of memory"
        raise SourceError(
            f"{content.name}: the {kind} file can't be read: its reader {why}, as with no table of this size; write"
            " it again, or as CSV"
        )


def main(
    output: str, kind: str, path: str, name: str, size: str, memory: str, seconds: str, part: str | None = None
) -> int:
    """Read a file within limits, and write it as an Arrow stream."""
    _limit_resources(int(memory), int(seconds))
    pa.set_memory_pool(pa.system_memory_pool())  # others reserve more than they use
    pa.set_cpu_count(1)
    content = replace(file_content(Path(path)), name=name, size=int(size))
    try:
        with _translate_arrow_errors(name, kind):
            found, schema, batches = READERS[kind](content, part)
            schema = schema.with_metadata({METADATA: json.dumps(found)})
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.OSFile(output, "wb") as file, pa.ipc.new_stream(file, schema, options=options) as stream:
                unpacked = 0
                for batch in batches:
                    unpacked += batch.nbytes
                    check_unpacked(unpacked, content.size, name)
                    stream.write_batch(batch)
    except SourceError as error:
        print(f"\0{error}", end="", file=sys.stderr)
        return EXIT_UNREADABLE
    return 0


def _limit_resources(memory: int, seconds: int) -> None:
    """End this process where it takes more bytes, or more seconds of a processor."""
    for limit, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # where a system has no such limit, or a lower one
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))


def _read_workbook(content: Content, part: str | None) -> Batches:
    from segue_build.sources.formats.xlsx import read_workbook

    sheet, headers, row, rows = read_workbook(content, part)
    step = max(1, BATCH_CELLS // max(len(headers), 1))
    schema = pa.schema([("cells", pa.list_(pa.string()))])
    batches = (pa.record_batch([some], schema) for some in iter(lambda: list(itertools.islice(rows, step)), []))
    return {"sheet": sheet, "headers": headers, "row": row}, schema, batches


def _read_parquet(content: Content, _: str | None) -> Batches:
    if content.path and content.path.is_dir():
        return _read_parquet_folder(content.name, content.path, content.size)
    file = pq.ParquetFile(content.path, memory_map=True)
    _check_row_count(file.metadata.num_rows, content.size, content.name)
    return {}, *_plain(file.schema_arrow, file.iter_batches(CHUNK_ROWS, use_threads=False))


def _read_arrow(content: Content, _: str | None) -> Batches:
    if content.head(4) == FEATHER_1_MAGIC:
        raise SourceError(
            f"{content.name}: Feather version 1, which Arrow no longer reads; write it again as version 2"
        )
    source = pa.memory_map(str(content.path))
    reader = pa.ipc.open_stream(source) if content.head(4) == ARROW_STREAM_MAGIC else pa.ipc.open_file(source)
    return {}, *_plain(reader.schema, _arrow_batches(reader, content))


def _read_parquet_folder(name: str, folder: Path, size: int) -> Batches:
    import pyarrow.dataset as ds

    paths = parquet_parts(folder)
    partitioning = ds.partitioning(flavor="hive")
    dataset = ds.dataset(
        list(map(str, paths)), format="parquet", partitioning=partitioning, partition_base_dir=str(folder)
    )
    fragments = list(dataset.get_fragments())
    for path, fragment in zip(paths, fragments):
        _check_same_schema(name, fragments[0].physical_schema, path.relative_to(folder), fragment.physical_schema)
    _check_row_count(sum(fragment.metadata.num_rows for fragment in fragments), size, name)
    batches = (
        batch
        for fragment in fragments
        for batch in fragment.to_batches(
            dataset.schema, batch_size=CHUNK_ROWS, batch_readahead=1, fragment_readahead=1, use_threads=False
        )
    )
    return {"parts": len(paths)}, *_plain(dataset.schema, batches)


READERS: dict[str, Callable[[Content, str | None], Batches]] = {
    PARQUET: _read_parquet,
    FEATHER: _read_arrow,
    WORKBOOK: _read_workbook,
}


def _plain(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Batches whose data are what their types say, nested fields as columns of their own."""

    def checked() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            batch.validate(full=True)
            yield from _flatten(pa.Table.from_batches([batch])).to_batches()

    return _flatten(schema.empty_table()).schema, checked()


def read_parquet_folder(folder: Path) -> Table:
    """Read a folder of Parquet parts as one table; subfolders named ``column=value`` become a column.

    Raises
    ------
    SourceError
        there are no parts, or their columns differ; the message names the first part that differs.

    """
    paths = parquet_parts(folder)
    if not paths:
        raise SourceError(f"{folder}: a folder without files; {EXPECTED_TABLE}")
    size = sum(path.stat().st_size for path in paths)
    return read_isolated(replace(file_content(paths[0]), name=f"{folder.name}/", size=size, path=folder), PARQUET)


def parquet_parts(folder: Path) -> list[Path]:
    """The parts of a folder; writers' metadata files begin with a dot or an underscore."""
    return [path for path in sorted(folder.rglob("*")) if _is_part(path, folder)]


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
    return Table(content.name, format_name, headers, _iter_sqlite_chunks(content, rows, len(headers)))


def _several_tables(file: str, database: sqlite3.Connection, names: list[str], part: str | None) -> SourceError:
    rows = {name: _select(database, "count(*)", name).fetchone()[0] for name in names}
    if not rows:
        return SourceError(f"{file}: the SQLite database has no tables; {EXPECTED_TABLE}")
    largest = max(rows, key=lambda name: rows[name])
    shown = list_names([f"{name} with {count:,} rows" for name, count in rows.items()])
    what = f"has no table '{part}'" if part else f"has {len(rows)} tables"
    return SourceError(
        f"{file}: the SQLite database {what} ({shown}); say which holds the songs, as in --source {file}#{largest}"
    )


def _select(database: sqlite3.Connection, what: str, table: str) -> sqlite3.Cursor:
    quoted = table.replace('"', '""')
    return database.execute(f'SELECT {what} FROM "{quoted}"')  # noqa: S608 # a name of the database's own, quoted


def _iter_sqlite_chunks(content: Content, rows: sqlite3.Cursor, width: int) -> Iterator["pd.DataFrame"]:
    texts = ([_sqlite_cell(value) for value in row] for row in rows)
    with _translate_sqlite_errors(content.name):
        yield from iter_chunks(content, texts, width, 2)


def _sqlite_cell(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


@contextlib.contextmanager
def _translate_sqlite_errors(file: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        message = " ".join(str(error).split())
        raise SourceError(
            f"{file}: the SQLite database is damaged or locked ({message}); copy or export it again"
        ) from error


def _is_part(path: Path, folder: Path) -> bool:
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


def _iter_frames(name: str, batches: pa.RecordBatchReader, kind: str) -> Iterator["pd.DataFrame"]:
    first_row = 2
    with _translate_arrow_errors(name, kind):
        for table in itertools.chain(map(pa.Table.from_batches, zip(batches)), [batches.schema.empty_table()]):
            # Without pandas metadata, so that a stored index is a column like any other.
            yield add_row_numbers(table.to_pandas(ignore_metadata=True), first_row)
            first_row += len(table)


def _flatten(table: pa.Table) -> pa.Table:
    """Nested fields as columns of their own, each value of a dictionary at its places, and bytes as texts."""
    for _ in range(MAX_FLATTENED_LEVELS):
        table = table.flatten()
    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(place, column.name, table[place].cast(column.type.value_type))
        elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            texts = [
                None if value is None else value.decode("utf-8", "replace") for value in table[place].to_pylist()
            ]
            table = table.set_column(place, column.name, pa.array(texts, pa.string()))
    return table


@contextlib.contextmanager
def _translate_arrow_errors(name: str, kind: str) -> Iterator[None]:
    try:
        yield
    except MemoryError:
        raise SourceError(
            f"{name}: the {kind} file takes more memory than its size explains; write it again, or as CSV"
        ) from None
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        why = next(iter(str(error).splitlines()), "").strip()
        raise SourceError(
            f"{name}: the {kind} file is damaged or cut off ({why}); write or download it again"
        ) from error


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
