"""Reads tables with types, Parquet, Arrow files (Feather) and streams; and what :mod:`.sheets` reads.

A damaged file can crash these readers, or make them take any amount of memory. So they run in a process of their own,
``python -m`` this module, whose memory and time follow from the size of the file. What it has read and checked comes
back as an Arrow stream.
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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa
import python_calamine as calamine

from segue.errors import SourceError
from segue_build.sources.formats.base import (
    CHUNK_ROWS,
    EXPECTED_TABLE,
    UNPACKING_ERRORS,
    Content,
    Table,
    add_row_numbers,
    check_unpacked,
    file_content,
    iter_chunks,
    translate_errors,
)
from segue_build.sources.formats.sheets import Sheet, read_database, read_workbook

if TYPE_CHECKING:
    import pandas as pd  # takes as long to import as all that a reader's process needs

PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_FILE_MAGIC, ARROW_STREAM_MAGIC, FEATHER_1_MAGIC = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
PARQUET, FEATHER, WORKBOOK, SQLITE = "Parquet", "Feather", "workbook", "SQLite"
MAX_FLATTENED_LEVELS = 2  # levels of nested fields that become columns: track, album.name
# What a reader may take: (at least, and so much more per byte of the file)
READER_MEMORY = (900 * 10**6, 40)  # bytes
READER_SECONDS = (12, 4e-6)  # of a processor
MAX_WAIT = 20  # times that, until it ends, on a busy machine
EXIT_UNREADABLE = 3  # the code of a process that says on stderr why a file can't be read
BATCH_CELLS = 10**6  # cells of a sheet that are sent at a time
METADATA = b"segue"  # key of what a process says of a table besides its columns
READER_ERRORS = (
    *UNPACKING_ERRORS, pa.ArrowException, calamine.CalamineError, sqlite3.Error, ParseError, ValueError, LookupError,
    ArithmeticError,
)  # fmt: skip
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
    format_name = ", ".join([content.describe(kind), *found["details"]])
    if "headers" not in found:
        return Table(content.name, format_name, stream.schema.names, _iter_frames(stream))
    rows = (cells for batch in stream for cells in batch.column(0).to_pylist())
    headers = found["headers"]
    return Table(content.name, format_name, headers, iter_chunks(content, rows, len(headers), found["row"]))


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
        hint = " (is there a cell far from the others?)" if kind == WORKBOOK else ""
        raise SourceError(
            f"{content.name}: the {kind} file can't be read: its reader {why}, as with no table of this size{hint};"
            " write it again, or as CSV"
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
        with translate_errors(name, f"{kind} file", READER_ERRORS):
            found, schema, batches = READERS[kind](content, part)
            schema = _flatten(schema.empty_table()).schema.with_metadata({METADATA: json.dumps(found)})
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.OSFile(output, "wb") as file, pa.ipc.new_stream(file, schema, options=options) as stream:
                for batch in _checked(batches, content):
                    stream.write(batch)
    except SourceError as error:
        print(f"\0{error}", end="", file=sys.stderr)
        return EXIT_UNREADABLE
    return 0


def _limit_resources(memory: int, seconds: int) -> None:
    """End this process where it takes more bytes, or more seconds of a processor."""
    for limit, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # where a system has no such limit, or a lower one
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))


def _checked(batches: Iterable[pa.RecordBatch], content: Content) -> Iterator[pa.Table]:
    """Rows whose data are what their types say, and no more of them than the size of the file explains."""
    n_rows = n_bytes = 0
    for batch in batches:
        n_rows += len(batch)
        if n_rows > content.size:  # songs differ, so each takes at least one byte
            raise SourceError(
                f"{content.name}: more rows than its {content.size:,} bytes, as in no table of tracks (a"
                " decompression bomb?); if it is one, write it as CSV"
            )
        batch.validate(full=True)
        for first in range(0, len(batch), CHUNK_ROWS):
            rows = _flatten(pa.Table.from_batches([batch.slice(first, CHUNK_ROWS)]))
            n_bytes += rows.nbytes
            check_unpacked(n_bytes, content.size, content.name)
            yield rows


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


def _sheet_batches(sheet: Sheet) -> Batches:
    step = max(1, BATCH_CELLS // max(len(sheet.headers), 1))
    schema = pa.schema([("cells", pa.list_(pa.string()))])
    batches = (pa.record_batch([rows], schema) for rows in iter(lambda: list(itertools.islice(sheet.rows, step)), []))
    return {"details": [sheet.name], "headers": sheet.headers, "row": sheet.row}, schema, batches


def _read_arrow(content: Content, _: str | None) -> Batches:
    head = content.head(4)
    if head == FEATHER_1_MAGIC:
        raise SourceError(
            f"{content.name}: Feather version 1, which Arrow no longer reads; write it again as version 2"
        )
    source = pa.memory_map(str(content.path))
    if head == ARROW_STREAM_MAGIC:
        stream = pa.ipc.open_stream(source)
        return {"details": []}, stream.schema, stream
    file = pa.ipc.open_file(source)
    return {"details": []}, file.schema, map(file.get_batch, range(file.num_record_batches))


def _read_parquet(content: Content, _: str | None) -> Batches:
    """Read a file, or a folder of parts, whose subfolders named ``column=value`` become a column."""
    import pyarrow.dataset as ds

    place = content.path or Path()
    paths, folder = (parquet_parts(place), place) if place.is_dir() else ([place], place.parent)
    partitioning = ds.partitioning(flavor="hive")
    parts = list(map(str, paths))
    dataset = ds.dataset(parts, format="parquet", partitioning=partitioning, partition_base_dir=str(folder))
    fragments = list(dataset.get_fragments())
    for path, fragment in zip(paths, fragments):
        _check_same_schema(content.name, fragments[0].physical_schema, path.relative_to(folder), fragment)
    batches = (
        batch
        for fragment in fragments
        for batch in fragment.to_batches(
            dataset.schema, batch_size=CHUNK_ROWS, batch_readahead=1, fragment_readahead=1, use_threads=False
        )
    )
    return {"details": [f"{len(paths):,} files"] if len(paths) > 1 else []}, dataset.schema, batches


READERS: dict[str, Callable[[Content, str | None], Batches]] = {
    PARQUET: _read_parquet,
    FEATHER: _read_arrow,
    WORKBOOK: lambda content, part: _sheet_batches(read_workbook(content, part)),
    SQLITE: lambda content, part: _sheet_batches(read_database(content, part)),
}


def _check_same_schema(name: str, first: pa.Schema, path: Path, part: Any) -> None:
    """Reject a part whose columns differ from those of the first."""
    types, others = (dict(zip(each.names, each.types)) for each in (first, part.physical_schema))
    differing = [column for column in {**types, **others} if types.get(column) != others.get(column)]
    if differing:
        column = differing[0]
        actual, expected = others.get(column, "none"), types.get(column, "none")
        raise SourceError(
            f"{name}: column '{column}' is {actual} in {path}, but {expected} in the first part; write the parts"
            " with the same columns, or give them as several --source"
        )


def read_parquet_folder(folder: Path) -> Table:
    """Read a folder of Parquet parts as one table.

    Raises
    ------
    SourceError
        there are no parts, or their columns differ; the message names the first part that differs.

    """
    paths = parquet_parts(folder)
    if not paths:
        raise SourceError(f"{folder}: a folder without files; {EXPECTED_TABLE}")
    size = sum(path.stat().st_size for path in paths)
    return read_isolated(replace(file_content(folder), name=f"{folder.name}/", size=size), PARQUET)


def parquet_parts(folder: Path) -> list[Path]:
    """The parts of a folder; writers' metadata files begin with a dot or an underscore."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if is_parquet(path) and not any(piece.startswith((".", "_")) for piece in path.relative_to(folder).parts)
    ]


def is_parquet(path: Path) -> bool:
    """Whether a path is a Parquet file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.name.lower().endswith(PARQUET_SUFFIXES) or file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def _iter_frames(batches: pa.RecordBatchReader) -> Iterator["pd.DataFrame"]:
    first_row = 2
    for table in itertools.chain(map(pa.Table.from_batches, zip(batches)), [batches.schema.empty_table()]):
        # Without pandas metadata, so that a stored index is a column like any other.
        yield add_row_numbers(table.to_pandas(ignore_metadata=True), first_row)
        first_row += len(table)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
