"""Tables in columns: Parquet, a folder of Parquet parts, and Arrow's own files, of which Feather is another name."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from segue_build.sources.formats.content import Content
from segue_build.sources.formats.table import CHUNK, EXPECTED, Table, numbered
from segue.errors import SourceError

PARQUET = b"PAR1"
SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_FILE, ARROW_STREAM, FEATHER_1 = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
NESTED = 2  # levels of fields within fields that become columns: track, album.name


def parquet(content: Content) -> Table:
    """Read a Parquet file."""
    with _faults(content.name, "Parquet"):
        file = pq.ParquetFile(_opened(content))
    _check_rows(file.metadata.num_rows, content.size, content.name)
    batches = file.iter_batches(CHUNK)
    return _table(content.name, content.form("Parquet"), file.schema_arrow, batches, "Parquet")


def arrow(content: Content) -> Table:
    """Read a file or a stream of Arrow's."""
    if content.head(4) == FEATHER_1:
        raise SourceError(f"{content.name}: Feather of version 1, which Arrow gives up; write it again as version 2")
    with _faults(content.name, "Feather"):
        source = _opened(content)
        opened = pa.ipc.open_stream(source) if content.head(4) == ARROW_STREAM else pa.ipc.open_file(source)
        schema = opened.schema
    return _table(content.name, content.form("Feather"), schema, _arrow_batches(opened, content), "Feather")


def parts(folder: Path) -> Table:
    """Read a folder of Parquet parts as one table; folders in it that are called ``column=value`` are a column.

    Raises
    ------
    SourceError
        there are no parts, or they differ in their columns; the message names the first that does.

    """
    name = f"{folder.name}/"
    paths = sorted(str(path) for path in folder.rglob("*") if _is_part(path, folder))
    if not paths:
        raise SourceError(f"{folder}: a folder without Parquet files; give the path of the table in it; {EXPECTED}")
    with _faults(name, "Parquet"):
        by_folders = ds.partitioning(flavor="hive")
        found = ds.dataset(paths, format="parquet", partitioning=by_folders, partition_base_dir=str(folder))
        fragments = list(found.get_fragments())
        for path, fragment in zip(paths, fragments):
            _check_same(name, fragments[0].physical_schema, Path(path).relative_to(folder), fragment.physical_schema)
        rows = sum(fragment.metadata.num_rows for fragment in fragments)
    _check_rows(rows, sum(Path(path).stat().st_size for path in paths), name)
    batches = (
        batch
        for fragment in fragments
        for batch in fragment.to_batches(
            found.schema, batch_size=CHUNK, batch_readahead=1, fragment_readahead=1, use_threads=False
        )
    )
    return _table(name, f"Parquet in {len(paths)} files", found.schema, batches, "Parquet")


def _opened(content: Content) -> pa.NativeFile:
    """The file, which outlives its name if it was unpacked for the purpose."""
    with content.on_disk() as path:
        return pa.memory_map(str(path))


def _is_part(path: Path, folder: Path) -> bool:
    """Writers leave notes beside the parts, whose names begin with a dot or an underscore."""
    if not path.is_file() or any(piece.startswith((".", "_")) for piece in path.relative_to(folder).parts):
        return False
    with path.open("rb") as file:
        return path.name.lower().endswith(SUFFIXES) or file.read(len(PARQUET)) == PARQUET


def _check_same(name: str, first: pa.Schema, part: Path, schema: pa.Schema) -> None:
    """One table has one set of columns: what is missing in a part may be its or the others' mistake."""
    types, others = (dict(zip(each.names, each.types)) for each in (first, schema))
    differing = [column for column in {**types, **others} if types.get(column) != others.get(column)]
    if differing:
        column = differing[0]
        has, had = others.get(column, "none"), types.get(column, "none")
        raise SourceError(
            f"{name}: column '{column}' is {has} in {part}, but {had} in the first part; write the parts with the"
            " same columns, or give them as several --source"
        )


def _check_rows(rows: int, size: int, name: str) -> None:
    """Songs differ, so each takes a byte at the least."""
    if rows > size:
        raise SourceError(
            f"{name}: {rows:,} rows in {size:,} bytes, as no table of tracks has (a decompression bomb?); if it is"
            " one, write it as CSV"
        )


def _arrow_batches(opened: pa.RecordBatchReader, content: Content) -> Iterator[pa.RecordBatch]:
    rows = 0
    is_file = hasattr(opened, "num_record_batches")
    for batch in map(opened.get_batch, range(opened.num_record_batches)) if is_file else opened:
        rows += len(batch)
        _check_rows(rows, content.size, content.name)
        yield from (batch.slice(first, CHUNK) for first in range(0, len(batch), CHUNK))


def _table(name: str, form: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], kind: str) -> Table:
    headers = _flat(schema.empty_table()).column_names
    return Table(name, form, headers, _chunks(name, schema, batches, kind))


def _chunks(name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], kind: str) -> Iterator[pd.DataFrame]:
    first = 2
    with _faults(name, kind):
        for batch in batches:
            # Without its metadata: an index that pandas stored is a column like any other.
            frame = _flat(pa.Table.from_batches([batch])).to_pandas(ignore_metadata=True)
            yield numbered(frame, first)
            first += len(frame)
        yield numbered(_flat(schema.empty_table()).to_pandas(ignore_metadata=True), first)


def _flat(table: pa.Table) -> pa.Table:
    """Fields within fields as columns of their own."""
    for _ in range(NESTED):
        table = table.flatten()
    return table


@contextlib.contextmanager
def _faults(name: str, kind: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        why = next(iter(str(error).splitlines()), "").strip()
        raise SourceError(
            f"{name}: the {kind} file is damaged or cut off ({why}); write or download it again"
        ) from error
