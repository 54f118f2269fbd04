"""Reads what a damaged file can crash, or make take any amount of memory: Parquet, Arrow, workbooks and SQLite.

So the readers run in a process of their own, ``python -m`` this module, whose memory and time follow from the size of
the file. What it has read and checked comes back as an Arrow stream: columns with types, or rows of texts.
"""

import contextlib
import datetime as dt
import functools
import itertools
import json
import os
import posixpath
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
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
    iter_chunks,
    list_names,
    split_headers,
    translate_errors,
)

if TYPE_CHECKING:
    import pandas as pd  # takes as long to import as all that a reader's process needs

PARQUET_MAGIC = b"PAR1"
PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_STREAM_MAGIC = b"\xff\xff\xff\xff"
MAX_FLATTENED_LEVELS = 2  # levels of nested fields that become columns: track, album.name
# What a reader may take: (at least, and so much more per byte of the file)
READER_MEMORY = (900 * 10**6, 40)  # bytes
READER_SECONDS = (12, 4e-6)  # of a processor
MAX_WAIT = 20  # times that, until it ends, on a busy machine
BATCH_ROWS = 500  # of texts, which are sent at a time
READER_ERRORS = (
    *UNPACKING_ERRORS, pa.ArrowException, calamine.CalamineError, sqlite3.Error, ParseError, ValueError, LookupError,
    ArithmeticError,
)  # fmt: skip
_UNSTORED_FORMULA = re.compile(  # a cell of a sheet: a formula, and its result; to parse all others would take long
    rb"<(?:\w+:)?c\s[^>]*+>\s*+<(?:\w+:)?f\b[^<]*+(?:</(?:\w+:)?f>)?\s*+"
    rb"(?:<(?:\w+:)?v\s*+/>|<(?:\w+:)?v>\s*+</(?:\w+:)?v>)?\s*+</(?:\w+:)?c>"
)
_TAG_PREFIX = re.compile(rb"(</?)\w+:")
_REFERENCE_OR_CALL = re.compile(r"[A-Za-z]\$?\d|[A-Za-z.]\(")  # of a formula; others are names, such as =LOVE


class Reading(NamedTuple):
    """What a reader finds.

    detail : for people, if there is anything to say
    schema : of all batches
    first_row : number of the first row if these are rows of texts, headers among them; 0 if columns have types
    """

    detail: str
    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    first_row: int = 0


def read_isolated(content: Content, kind: str, part: str | None = None) -> Table:
    """Read a table by the reader of a kind, in a process of its own.

    part : name of the sheet or table to read

    Raises
    ------
    SourceError
        it is damaged, holds no table, or takes more memory or time than its size explains.

    """
    with tempfile.NamedTemporaryFile(prefix="segue-") as output:
        _run_reader(content, kind, part, output.name)
        stream = pa.ipc.open_stream(pa.memory_map(output.name))
    detail, first_row = (stream.schema.metadata[name].decode() for name in (b"detail", b"first_row"))
    format_name = f"{kind}, {detail}" if detail else kind
    if first_row == "0":
        return Table(content.name, format_name, stream.schema.names, _iter_frames(stream))
    cells = (row for batch in stream for row in batch.column(0).to_pylist())
    headers, next_row, rows = split_headers(cells, int(first_row))
    if not any(headers):
        raise SourceError(f"{content.name}, {detail}, row {first_row}: no headers; {EXPECTED_TABLE}")
    return Table(content.name, format_name, headers, iter_chunks(content, rows, len(headers), next_row))


def _run_reader(content: Content, kind: str, part: str | None, output: str) -> None:
    """Run the process, which writes to a file."""
    memory, seconds = (int(least + per_byte * content.size) for least, per_byte in (READER_MEMORY, READER_SECONDS))
    given = json.dumps([kind, content.name, str(content.path), content.size, part, output, memory, seconds])
    command = [sys.executable, "-P", "-m", __name__, given]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    why = None
    with contextlib.suppress(subprocess.SubprocessError):  # it crashed, or never ends
        ended = subprocess.run(  # noqa: S603 # no shell
            command, env=environ, timeout=MAX_WAIT * seconds, check=True, capture_output=True
        )
        why = ended.stdout.decode()
    if why is None:
        hint = " (is there a cell far from the others?)" if kind == "workbook" else ""
        raise SourceError(
            f"{content.name}: the {kind} file can't be read: its reader crashed, or ran out of memory or time"
            f" ({seconds} s), as with no table of this size{hint}; write it again, or as CSV"
        )
    if why:
        raise SourceError(why)


def _iter_frames(batches: pa.RecordBatchReader) -> Iterator["pd.DataFrame"]:
    first_row = 2
    for table in itertools.chain(map(pa.Table.from_batches, zip(batches)), [batches.schema.empty_table()]):
        # Without pandas metadata, so that a stored index is a column like any other.
        yield add_row_numbers(table.to_pandas(ignore_metadata=True), first_row)
        first_row += len(table)


def is_parquet(path: Path) -> bool:
    """Whether a path is a Parquet file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.name.lower().endswith(PARQUET_SUFFIXES) or file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def parquet_parts(folder: Path) -> list[Path]:
    """The parts of a folder; writers' metadata files begin with a dot or an underscore."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if is_parquet(path) and not any(piece.startswith((".", "_")) for piece in path.relative_to(folder).parts)
    ]


# What follows runs in the process


def main(arguments: str) -> None:
    """Read a file within limits and write it as an Arrow stream, or print why it can't be read."""
    kind, name, path, size, part, output, memory, seconds = json.loads(arguments)
    for limit, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # where a system has no such limit, or a lower one
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
    pa.set_memory_pool(pa.system_memory_pool())  # others reserve more than they use
    pa.set_cpu_count(1)
    content = Content(name, Path(path), size)
    try:
        with translate_errors(name, f"{kind} file", READER_ERRORS):
            _write_stream(READERS[kind](content, part), content, output)
    except SourceError as error:
        sys.stdout.buffer.write(str(error).encode())


def _write_stream(found: Reading, content: Content, output: str) -> None:
    """Write what is read, if its data are what its types say, and no more of them than the file's size explains."""
    metadata = {"detail": found.detail, "first_row": str(found.first_row)}
    schema = _flatten(found.schema.empty_table()).schema.with_metadata(metadata)
    n_rows = n_bytes = 0
    with pa.ipc.new_stream(output, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        for batch in found.batches:
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
                check_unpacked(n_bytes, content)
                stream.write(rows)


def _flatten(table: pa.Table) -> pa.Table:
    """Nested fields as columns of their own, each value of a dictionary at its places, and bytes as texts."""
    for _ in range(MAX_FLATTENED_LEVELS):
        table = table.flatten()
    for place, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(place, column.name, table[place].cast(column.type.value_type))
        elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            texts = [value and value.decode("utf-8", "replace") for value in table[place].to_pylist()]
            table = table.set_column(place, column.name, pa.array(texts, pa.string()))
    return table


def _read_arrow(content: Content, _: str | None) -> Reading:
    source = pa.memory_map(str(content.path))
    if content.head().startswith(ARROW_STREAM_MAGIC):
        stream = pa.ipc.open_stream(source)
        return Reading("", stream.schema, stream)
    file = pa.ipc.open_file(source)
    return Reading("", file.schema, map(file.get_batch, range(file.num_record_batches)))


def _read_parquet(content: Content, _: str | None) -> Reading:
    """Read a file, or a folder of parts, whose subfolders named ``column=value`` become a column."""
    import pyarrow.dataset as ds

    paths, folder = [content.path], content.path.parent
    if content.path.is_dir():
        paths, folder = parquet_parts(content.path), content.path
    partitioning, parts = ds.partitioning(flavor="hive"), list(map(str, paths))
    dataset = ds.dataset(parts, format="parquet", partitioning=partitioning, partition_base_dir=str(folder))
    fragments = list(dataset.get_fragments())
    first = fragments[0].physical_schema
    types = dict(zip(first.names, first.types))
    for path, fragment in zip(paths, fragments):
        others = dict(zip(fragment.physical_schema.names, fragment.physical_schema.types))
        for column in {**types, **others}:
            if types.get(column) != others.get(column):
                raise SourceError(
                    f"{content.name}: column '{column}' is {others.get(column, 'none')} in"
                    f" {path.relative_to(folder)}, but {types.get(column, 'none')} in the first part; write the"
                    " parts with the same columns, or give them as several --source"
                )
    options = {"batch_size": CHUNK_ROWS, "batch_readahead": 1, "fragment_readahead": 1, "use_threads": False}
    batches = (batch for fragment in fragments for batch in fragment.to_batches(dataset.schema, **options))
    return Reading(f"{len(paths):,} files" if len(paths) > 1 else "", dataset.schema, batches)


def _read_database(content: Content, part: str | None) -> Reading:
    """Read a table of an SQLite database: the one named ``part``, or the only one."""
    address = f"file:{urllib.parse.quote(str(content.path))}?mode=ro&immutable=1"
    database = sqlite3.connect(address, uri=True)
    database.text_factory = functools.partial(str, encoding="utf-8", errors="replace")
    tables = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"
    )

    def select(what: str, table: str) -> sqlite3.Cursor:
        quoted = table.replace('"', '""')
        return database.execute(f'SELECT {what} FROM "{quoted}"')  # noqa: S608 # a name of the database's own, quoted

    name = _choose(
        content, "SQLite database", "table", {n: select("count(*)", n).fetchone()[0] for (n,) in tables}, part
    )
    rows = select("*", name)
    return _rows_of_texts(f"table '{name}'", 1, itertools.chain([next(zip(*rows.description))], rows))


def _read_workbook(content: Content, part: str | None) -> Reading:
    """Read a sheet: the one named ``part``, else the only visible one that is not empty.

    Calamine does not tell a blank cell from a formula whose result was never stored, as libraries write them.
    """
    with zipfile.ZipFile(content.path) as archive:
        check_unpacked(sum(entry.file_size for entry in archive.infolist()), content)
        book = calamine.CalamineWorkbook.from_path(content.path)
        visible = [sheet.name for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
                   and sheet.visible == calamine.SheetVisibleEnum.Visible]  # fmt: skip
        sheets = {name: book.get_sheet_by_name(name) for name in ([part] if part in book.sheet_names else visible)}
        if part not in sheets:
            filled = {name: sheet.height for name, sheet in sheets.items() if sheet.height}
            part = _choose(content, "workbook", "sheet", filled, part)
        literals = _literal_formulas(archive, part, content.name)
    sheet = sheets[part]
    top, left = sheet.start or (0, 0)

    def rows() -> Iterator[list[Any]]:
        for number, cells in enumerate(sheet.iter_rows(), top):
            for column, text in literals.get(number, ()):
                cells[column - left] = text
            yield cells

    return _rows_of_texts(f"sheet '{part}'", top + 1, rows())


def _choose(content: Content, owner: str, kind: str, found: Mapping[str, int], part: str | None) -> str:
    """Choose the table that is named, or the only one; ``found`` tells how many rows each has."""
    if not found:
        raise SourceError(f"{content.name}: no {kind} has anything in it; {EXPECTED_TABLE}")
    largest = max(found, key=lambda name: found[name])
    if part in found or (part is None and len(found) == 1):
        return part or largest
    what = f"no {kind} '{part}'" if part else f"{len(found)} {kind}s"
    shown = list_names([f"{name} with {rows:,} row{'s' * (rows != 1)}" for name, rows in found.items()])
    raise SourceError(
        f"{content.name}: the {owner} has {what} ({shown}); say which holds the songs, as in --source"
        f" {content.name}#{largest}"
    )


def _rows_of_texts(detail: str, first_row: int, rows: Iterable[Iterable[object]]) -> Reading:
    schema = pa.schema([("cells", pa.list_(pa.string()))])
    cells = ([_to_cell(value) for value in row] for row in rows)
    batches = iter(lambda: list(itertools.islice(cells, BATCH_ROWS)), [])
    return Reading(detail, schema, (pa.record_batch([batch], schema) for batch in batches), first_row)


def _to_cell(value: object) -> str:
    """A cell as in CSV."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _literal_formulas(archive: zipfile.ZipFile, sheet: str, table: str) -> dict[int, list[tuple[int, str]]]:
    """Formulas without a stored result that are only names with an equals sign before: row -> columns, texts.

    Raises
    ------
    SourceError
        one is a formula indeed.

    """
    literals: dict[int, list[tuple[int, str]]] = {}
    for found in _UNSTORED_FORMULA.finditer(archive.read(_sheet_entry(archive, sheet))):
        element = defusedxml.ElementTree.fromstring(_TAG_PREFIX.sub(rb"\1", found[0]))
        cell, formula = element.get("r", ""), element.findtext("f", "")
        if element.get("t") == "str":  # whose result is an empty text
            continue
        if not formula or _REFERENCE_OR_CALL.search(formula):
            raise SourceError(
                f"{table}, sheet '{sheet}', cell {cell}: a formula without its result; open the workbook in Excel or"
                " LibreOffice and save it, or save it as CSV"
            )
        letters = cell.rstrip("0123456789")
        column = functools.reduce(lambda number, letter: 26 * number + ord(letter) - ord("A") + 1, letters, 0)
        literals.setdefault(int(cell[len(letters) :]) - 1, []).append((column - 1, f"={formula}"))
    return literals


def _sheet_entry(archive: zipfile.ZipFile, name: str) -> str:
    """The file of a sheet: the workbook says which link leads to it, and another file where links lead."""
    book, links = (
        defusedxml.ElementTree.fromstring(archive.read(entry))
        for entry in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    )
    sheet = next(element for element in book.iterfind(".//{*}sheet") if element.get("name") == name)
    link = next(value for key, value in sheet.attrib.items() if key.endswith("}id"))
    target = next(element for element in links if element.get("Id") == link)
    return posixpath.join("xl", target.get("Target", "")).lstrip("/")


READERS: dict[str, Callable[[Content, str | None], Reading]] = {
    "Parquet": _read_parquet, "Feather": _read_arrow, "workbook": _read_workbook, "SQLite": _read_database,
}  # fmt: skip

if __name__ == "__main__":
    main(sys.argv[1])
