"""A folder of CSV or Parquet files, on any file system that Spark reads, to the tidy table: one row a song."""

import csv
import dataclasses
import json
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from segue.errors import SourceError
from segue_build.sources.column_inference import ColumnInference, apply_inference, infer_columns
from segue_build.sources.columns import CANONICAL_COLUMNS, TEXT_COLUMNS, match_headers
from segue_build.sources.formats.base import FIELD_COUNT, ROW_NUMBER
from segue_build.sources.formats.text import detect_delimiter
from segue_build.sources.ingest_report import IngestReport, TableInterpretation
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.normalization import normalize, plausible_columns
from segue_build.sources.tracks import add_missing_ids
from segue_build.spark.batches import Frame, choose_rows, persist, to_spark_schema

SUFFIXES = {"Parquet": (".parquet", ".pq", ".parq"), "CSV": (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.bz2")}
HIDDEN = re.compile(r"/[._]")
SNIFFED_LINES = 100  # lines by which the delimiter is detected
PARALLEL_READS = 8  # files whose columns are read at the same time
MALFORMED = "_malformed"  # a line of CSV with more or fewer fields than there are headers
SAMPLED_ROWS = (
    250_000  # rows all over the table, at most about, that show units, scales and what separates artists' names
)
CHECKED_ROWS = 10_000  # rows that show whether a column is what its header says
FILE_PATH, FILE_ROW = "file_path", "row_index"  # of Spark's metadata: where a row is from; CSV has no numbers
SOURCE_ROW = "source_row"  # a number of each row, rising by file and row
MAX_FILE_ROWS = 1 << 40  # rows of a file
SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions"
PARTITION_BYTES = 8 << 20  # bytes of the source from which there are more partitions than cores
REPORT = "_report"  # what became of the rows of a partition: a row of its own
_ARROW_TYPES = {
    "double": pa.float64(), "float": pa.float32(), "bigint": pa.int64(), "int": pa.int32(), "smallint": pa.int16(),
    "tinyint": pa.int8(), "boolean": pa.bool_(),
}  # fmt: skip


class FileLayout(NamedTuple):
    """What the beginning of a file shows.

    types : header -> what its cells are
    schema : Spark's, of Parquet files
    """

    headers: list[str]
    types: dict[str, str]
    schema: Any
    separator: str


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A folder of parts, or one file.

    name : for messages
    paths : of the parts, sorted
    size : of all of them, in bytes
    layout : of each of them
    """

    name: str
    format: str
    paths: list[str]
    size: int
    layout: FileLayout

    def frame(self, spark: Any) -> Frame:
        """The rows, columns numbered "0", "1", ..., then ``MALFORMED``, ``FILE_PATH`` and ``FILE_ROW``."""
        from pyspark.sql import functions as sql
        from pyspark.sql.types import StringType, StructField, StructType

        numbers = [str(place) for place in range(len(self.layout.headers))]
        if self.format == "Parquet":
            read = spark.read.schema(self.layout.schema).parquet(*self.paths)
            columns = [read[f"`{header}`"].alias(number) for number, header in zip(numbers, self.layout.headers)]
            metadata = (f"_metadata.{name}" for name in (FILE_PATH, FILE_ROW))
            return read.select(*columns, sql.lit(None).cast("string").alias(MALFORMED), *metadata)
        schema = StructType([StructField(name, StringType()) for name in (*numbers, MALFORMED)])
        options = {"header": True, "sep": self.layout.separator, "quote": '"', "escape": '"', "multiLine": True}
        reader = spark.read.schema(schema).options(**options, columnNameOfCorruptRecord=MALFORMED)
        unnumbered = sql.lit(None).cast("long").alias(FILE_ROW)
        return reader.csv(self.paths).select("*", f"_metadata.{FILE_PATH}", unnumbered)

    def count_rows(self, rows: Frame) -> dict[str, int]:
        """How many rows each part has, by its address as ``frame`` has it.

        Raises
        ------
        SourceError
            a part has none.

        """
        counts = {row[FILE_PATH]: row["count"] for row in rows.groupBy(FILE_PATH).count().collect()}
        known = {urllib.parse.unquote(_without_scheme(address)) for address in counts}
        without_rows = [path for path in self.paths if _without_scheme(path) not in known]
        if without_rows:
            raise _empty_file(self.name, without_rows[0])
        return counts


def open_folder(spark: Any, source: str) -> SourceFolder:
    """Find the files of a source and their columns.

    Raises
    ------
    SourceError
        there is nothing, files are of several formats, a part is empty or damaged, or parts differ in their columns.

    """
    found = _list_files(spark, source)
    name = _file_name(source.rstrip("/"))
    name += "" if _file_name(found[0][0]) == name else "/"
    formats = {format_ for path, _ in found for format_ in SUFFIXES if path.lower().endswith(SUFFIXES[format_])}
    unsupported = [path for path, _ in found if not path.lower().endswith(sum(SUFFIXES.values(), ()))]
    if unsupported or len(formats) != 1:
        hint = f"; {_file_name(unsupported[0])} is neither" if unsupported else ""
        raise SourceError(f"{source}: --engine spark reads a folder of Parquet files or one of CSV files{hint}")
    empty = [path for path, size in found if not size]
    if empty:
        raise _empty_file(name, empty[0])
    (format_,), paths = formats, [path for path, _ in found]
    inspect = _inspect_parquet if format_ == "Parquet" else _inspect_csv
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        layouts = list(pool.map(lambda path: inspect(spark, name, path), paths))
    for path, other in zip(paths, layouts):
        _check_same_columns(name, layouts[0], path, other)
    return SourceFolder(name, format_, paths, sum(size for _, size in found), layouts[0])


def _list_files(spark: Any, source: str) -> list[tuple[str, int]]:
    """Paths and sizes of all files below a source but hidden ones, such as ``_SUCCESS``."""
    jvm, context = spark._jvm, spark.sparkContext
    try:
        place = jvm.org.apache.hadoop.fs.Path(source)
        system = place.getFileSystem(context._jsc.hadoopConfiguration())
        if not system.exists(place):
            raise SourceError(f"{source}: no such file or folder; expected one of Parquet or CSV files")
        files, found = system.listFiles(place, True), []
        base = system.getFileStatus(place).getPath().toString()
        while files.hasNext():
            status = files.next()
            found.append((status.getPath().toString(), status.getLen()))
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"{source}: {_read_failure(error)}") from error
    parts = sorted((path, size) for path, size in found if not HIDDEN.search(path.removeprefix(base)))
    if not parts:
        raise SourceError(f"{source}: a folder without Parquet or CSV files")
    return parts


def _empty_file(name: str, path: str) -> SourceError:
    return SourceError(f"{name}: {_file_name(path)} is empty; take it out of the folder, or write it again")


def _without_scheme(address: str) -> str:
    """A path without its file system, whose name Hadoop and Spark write in two ways."""
    return re.sub(r"^\w[\w+.-]*:(//[^/]*)?", "", address)


def _read_failure(error: Exception) -> str:
    text = str(error)
    if "No FileSystem for scheme" in text or "ClassNotFoundException" in text:
        return "Spark has no connector for such addresses; docs/beyond-one-machine.md says how to give it one"
    from segue_build.spark.session import error_message

    return error_message(error)


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _inspect_parquet(spark: Any, name: str, path: str) -> FileLayout:
    try:
        schema = spark.read.parquet(path).schema
    except Exception as error:
        raise SourceError(f"{name}: {_file_name(path)} is no Parquet file, or damaged; write it again") from error
    types = {field.name: field.dataType.simpleString() for field in schema.fields}
    return FileLayout(schema.names, types, schema, "")


def _inspect_csv(spark: Any, name: str, path: str) -> FileLayout:
    lines = [row["value"] + "\n" for row in spark.read.text(path).head(SNIFFED_LINES)]
    if not lines or "\0" in "".join(lines):
        raise SourceError(f"{name}: {_file_name(path)} is no CSV in UTF-8; write it again")
    separator = detect_delimiter(lines)
    headers = [header.strip("\ufeff \t") for header in next(csv.reader(lines, delimiter=separator))]
    return FileLayout(headers, dict.fromkeys(headers, "text"), None, separator)


def _check_same_columns(name: str, first: FileLayout, path: str, other: FileLayout) -> None:
    """SourceError if a part has other columns than the first or, in CSV, another order of them."""
    for column in {**first.types, **other.types}:
        kind, first_kind = other.types.get(column, "none"), first.types.get(column, "none")
        if kind != first_kind:
            raise SourceError(
                f"{name}: column '{column}' is {kind} in {_file_name(path)}, but {first_kind} in the first part;"
                " write the parts with the same columns"
            )
    if first.separator and (first.headers, first.separator) != (other.headers, other.separator):
        raise SourceError(
            f"{name}: the columns of {_file_name(path)} are in another order, or have another delimiter"
        )


@dataclass(frozen=True, slots=True)
class RowReader:
    """How a folder's rows become those of the canonical table; sent to the workers.

    parts : the addresses of all parts, in their order
    """

    interpretation: TableInterpretation
    parts: list[str]

    def to_raw(self, table: pa.Table, firsts: Counter[str]) -> pd.DataFrame:
        """A batch as sources read it; ``firsts`` counts the rows of each file that came before."""
        paths, numbers = table[FILE_PATH].to_pylist(), []
        for path, number in zip(paths, table[FILE_ROW].to_pylist()):
            numbers.append(firsts[path] if number is None else number)
            firsts[path] += 1
        frame = table.drop_columns([FILE_PATH, FILE_ROW, MALFORMED]).to_pandas(ignore_metadata=True)
        width = frame.shape[1]
        frame.columns = pd.RangeIndex(width)
        first_rows = {path: number * MAX_FILE_ROWS for number, path in enumerate(self.parts)}
        frame[width] = [first_rows[path] + number for number, path in zip(numbers, paths)]
        frame[FIELD_COUNT] = pd.Series(
            [_count_fields(line, width) for line in table[MALFORMED].to_pylist()], dtype="Int32"
        )
        frame[ROW_NUMBER] = [f"{number + 2} of {_file_name(path)}" for number, path in zip(numbers, paths)]
        return frame

    def to_tidy(self, raw: pd.DataFrame, report: IngestReport) -> pd.DataFrame:
        """The same as canonical cells, in the table's own units, and where rows come from."""
        columns = self.interpretation.columns
        located = dataclasses.replace(columns, extra={**columns.extra, SOURCE_ROW: len(columns.headers)})
        mine = dataclasses.replace(self.interpretation, columns=located)
        found = normalize(raw, mine, report)
        self.interpretation.artists_delimited |= mine.artists_delimited
        self.interpretation.decimal_commas |= mine.decimal_commas
        return found


def other_column(number: int) -> str:
    """What one of the source's other columns is called on Spark."""
    return f"_other{number}"


def read_folder(spark: Any, source: str, columns: Mapping[str, str], report: IngestReport) -> tuple[Frame, list[str]]:
    """Read a folder.

    columns : canonical name -> header
    report : receives the counts

    Returns
    -------
    The canonical table, one row a song: ``CANONICAL_COLUMNS``, ``SOURCE_ROW``, ``_rows`` (how many rows it had), then
    the source's others as :func:`other_column` calls them, so that none is like one of ours; and names of these.

    Raises
    ------
    SourceError
        see :func:`segue_build.spark.reader.open_folder`, and :func:`segue_build.sources.columns.match_headers`.

    """
    folder = open_folder(spark, source)
    if not spark.sparkContext.getConf().contains(SHUFFLE_PARTITIONS):
        spark.conf.set(SHUFFLE_PARTITIONS, max(spark.sparkContext.defaultParallelism, folder.size // PARTITION_BYTES))
    rows = folder.frame(spark)
    counts = folder.count_rows(rows)
    interpretation, others = _recognise(folder, rows, columns, sorted(counts), report)
    reading, schema = RowReader(interpretation, sorted(counts)), _schema(folder, interpretation)
    cells = [name for name in rows.columns if name.isdecimal()]
    sample = choose_rows(rows, sum(counts.values()), SAMPLED_ROWS, cells).toArrow()
    found = _infer_units(reading, sample, report)
    tidied = persist(rows.mapInArrow(partial(_tidy_partition, reading, found, schema), to_spark_schema(schema)))
    _merge_reports(tidied, report)
    interpretation.print_summary()
    return _merge_ids(tidied), others


def _recognise(
    folder: SourceFolder, rows: Frame, given: Mapping[str, str], parts: list[str], report: IngestReport
) -> tuple[TableInterpretation, list[str]]:
    """What the columns are, by their headers and first rows, and the names of those that are none of ours."""
    columns = match_headers(folder.layout.headers, given, folder.name)
    form = f"{folder.format} in {len(folder.paths)} files" if len(folder.paths) > 1 else folder.format
    interpretation = TableInterpretation(folder.name, form, columns)
    first = RowReader(interpretation, parts).to_raw(rows.limit(CHECKED_ROWS).toArrow(), Counter())
    columns = plausible_columns(first, columns, given, report)
    others = {other_column(number): place for number, place in enumerate(columns.extra.values())}
    interpretation.columns = dataclasses.replace(columns, extra=others)
    return interpretation, list(columns.extra)


def _infer_units(reading: RowReader, sample: pa.Table, report: IngestReport) -> ColumnInference:
    """Units, scales and what separates artists' names, by a sample."""
    frame = reading.to_tidy(reading.to_raw(sample, Counter()), IngestReport())
    return infer_columns(frame.drop(columns=SOURCE_ROW), reading.interpretation, report)


def _schema(folder: SourceFolder, interpretation: TableInterpretation) -> pa.Schema:
    """What is kept of a table."""
    canonical = [(name, pa.string() if name in TEXT_COLUMNS else pa.float64()) for name in CANONICAL_COLUMNS]
    types = [folder.layout.types.get(header, "text") for header in folder.layout.headers]
    extra = interpretation.columns.extra.items()
    others = [(name, _ARROW_TYPES.get(types[place], pa.string())) for name, place in extra]
    return pa.schema([*canonical, (SOURCE_ROW, pa.int64()), *others, (REPORT, pa.string())])


def _tidy_partition(
    reading: RowReader, found: ColumnInference, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """All of a partition, and last a row that says what became of its rows."""
    report, firsts = IngestReport(), Counter[str]()
    for batch in batches:
        if batch.num_rows:
            frame = reading.to_tidy(reading.to_raw(pa.Table.from_batches([batch]), firsts), report)
            frame = add_missing_ids(apply_inference(found, frame, reading.interpretation, report))
            table = pa.table([_arrow_column(frame, one) for one in schema], schema)
            yield from table.combine_chunks().to_batches()
    counts = json.dumps({"rows": report.rows, "dropped": report.dropped, "examples": report.examples})
    yield pa.RecordBatch.from_pylist([{REPORT: counts}], schema)


def _arrow_column(frame: pd.DataFrame, one: pa.Field) -> pa.Array:
    if one.name not in frame:
        return pa.nulls(len(frame), one.type)
    cells = frame[one.name]
    if pa.types.is_string(one.type) and not pd.api.types.is_string_dtype(cells):
        cells = cells.astype("object").where(cells.notna(), None).map(str, na_action="ignore")
    return pa.array(cells, from_pandas=True).cast(one.type)


def _count_fields(line: str | None, width: int) -> int | None:
    """How many fields a malformed line has; one with as many as it should have is damaged otherwise."""
    if line is None:
        return None
    fields = len(next(csv.reader([line]), []))
    return fields if fields != width else 0


def _merge_reports(tidied: Frame, report: IngestReport) -> None:
    for line in tidied.where(f"{REPORT} IS NOT NULL").select(REPORT).toArrow()[REPORT].to_pylist():
        counts = json.loads(line)
        report.rows += counts["rows"]
        for reason, rows in counts["dropped"].items():
            report.count_dropped(reason, rows, counts["examples"][reason])


def _merge_ids(tidied: Frame) -> Frame:
    """Rows of one id as one: what the most popular of them knows, then the next; all genres together."""
    from pyspark.sql import functions as sql

    order = sql.struct(sql.coalesce(-sql.col("popularity"), sql.lit(1.0)), SOURCE_ROW)
    merged = {
        name: sql.min_by(name, sql.when(sql.col(name).isNotNull(), order))
        for name in tidied.columns
        if name not in ("id", REPORT)
    }
    merged[SOURCE_ROW] = sql.min_by(SOURCE_ROW, order)
    genres = sql.array_sort(sql.array_distinct(sql.flatten(sql.collect_list(sql.split("genres", SEPARATOR)))))
    merged["genres"] = sql.when(sql.size(genres) > 0, sql.array_join(genres, SEPARATOR))
    rows = tidied.where(f"{REPORT} IS NULL").groupBy("id")
    return rows.agg(sql.count("*").alias("_rows"), *(column.alias(name) for name, column in merged.items()))
