"""A folder of CSV or Parquet files, on any file system that Spark reads, to the tidy table: one row a song."""

import csv
import dataclasses
import itertools
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
from segue_build.sources.normalization import non_numeric_columns, normalize
from segue_build.sources.tracks import add_missing_ids
from segue_build.spark.batches import Frame, persist, to_spark_schema

SUFFIXES = {"Parquet": (".parquet", ".pq", ".parq"), "CSV": (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.bz2")}
SNIFFED_LINES = 100  # lines by which the delimiter is detected
PARALLEL_READS = 8  # files whose columns are read at the same time
MALFORMED = "_malformed"  # a line of CSV with more or fewer fields than there are headers
SAMPLED_ROWS = 250_000  # rows that show units, scales and what separates artists' names
CHECKED_ROWS = 10_000  # rows that show whether a column is what its header says
FILE_PATH, FILE_ROW = "file_path", "_file_row"  # the file that a row comes from, and its number there
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

    @property
    def headers(self) -> list[str]:
        """The columns' own names."""
        return self.layout.headers

    def frame(self, spark: Any) -> Frame:
        """The rows, columns numbered "0", "1", ..., then ``MALFORMED``."""
        from pyspark.sql import functions as sql
        from pyspark.sql.types import StringType, StructField, StructType

        numbers = [str(place) for place in range(len(self.headers))]
        if self.format == "Parquet":
            read = spark.read.schema(self.layout.schema).parquet(*self.paths)
            columns = [read[f"`{header}`"].alias(number) for number, header in zip(numbers, self.headers)]
            return read.select(*columns, sql.lit(None).cast("string").alias(MALFORMED), "_metadata.file_path")
        schema = StructType([StructField(name, StringType()) for name in (*numbers, MALFORMED)])
        reader = spark.read.schema(schema).options(
            header=True,
            sep=self.layout.separator,
            quote='"',
            escape='"',
            multiLine=True,
            columnNameOfCorruptRecord=MALFORMED,
        )
        return reader.csv(self.paths).select("*", "_metadata.file_path")

    def count(self, rows: Frame) -> int:
        """How many rows there are, each part having some.

        Raises
        ------
        SourceError
            a part has none.

        """
        found = rows.groupBy("file_path").count().collect()
        counts = {urllib.parse.unquote(_without_scheme(row["file_path"])): row["count"] for row in found}
        without_rows = [path for path in self.paths if _without_scheme(path) not in counts]
        if without_rows:
            raise _empty_file(self.name, without_rows[0])
        return sum(counts.values())


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
    parts = sorted((path, size) for path, size in found if not _is_hidden(path.removeprefix(base)))
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


def _is_hidden(below: str) -> bool:
    return any(piece.startswith((".", "_")) for piece in below.split("/"))


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _inspect_parquet(spark: Any, name: str, path: str) -> FileLayout:
    try:
        schema = spark.read.parquet(path).schema
    except Exception as error:
        raise SourceError(f"{name}: {_file_name(path)} is no Parquet file, or damaged; write it again") from error
    return FileLayout(
        schema.names, {field.name: field.dataType.simpleString() for field in schema.fields}, schema, ""
    )


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
    """How a folder's rows become those of the canonical table; sent to the workers."""

    interpretation: TableInterpretation
    schema: pa.Schema

    def to_raw(self, table: pa.Table, firsts: Counter[str]) -> pd.DataFrame:
        """A batch as sources read it; ``firsts`` counts the rows of each file that came before."""
        paths, numbers = table[FILE_PATH].to_pylist(), []
        for path in paths:
            firsts[path] += 1
            numbers.append(firsts[path])
        frame = table.drop_columns([FILE_PATH, MALFORMED]).to_pandas(ignore_metadata=True)
        width = frame.shape[1]
        frame.columns = pd.RangeIndex(width)
        frame[width], frame[width + 1] = paths, numbers
        frame[FIELD_COUNT] = pd.Series(
            [_count_fields(line, width) for line in table[MALFORMED].to_pylist()], dtype="Int32"
        )
        frame[ROW_NUMBER] = [f"{number + 1} of {path.rpartition('/')[2]}" for number, path in zip(numbers, paths)]
        return frame

    def to_tidy(self, raw: pd.DataFrame, report: IngestReport) -> pd.DataFrame:
        """The same as canonical cells, in the table's own units, and where rows come from."""
        columns = self.interpretation.columns
        width = len(columns.headers)
        located = dataclasses.replace(columns, extra={**columns.extra, FILE_PATH: width, FILE_ROW: width + 1})
        mine = dataclasses.replace(self.interpretation, columns=located)
        found = normalize(raw, mine, report)
        self.interpretation.artists_delimited |= mine.artists_delimited
        self.interpretation.decimal_commas |= mine.decimal_commas
        return found

    def convert(self, frame: pd.DataFrame, found: ColumnInference, report: IngestReport) -> pa.Table:
        """In the units of the canonical table, with ids."""
        frame = add_missing_ids(apply_inference(found, frame, self.interpretation, report))
        return pa.table([_arrow_column(frame, one) for one in self.schema], self.schema)


@dataclass(frozen=True, slots=True)
class TidyTable:
    """The canonical table.

    frame : one row a song; columns ``CANONICAL_COLUMNS``, ``source_row`` (a row's number in the source), then the
        source's others
    others : names of these; the frame calls them as :func:`other_column` says, so that none is like one of ours
    """

    frame: Frame
    others: list[str]


def other_column(number: int) -> str:
    """What one of the source's other columns is called on Spark."""
    return f"_other{number}"


def read_folder(spark: Any, source: str, columns: Mapping[str, str], report: IngestReport) -> TidyTable:
    """Read a folder.

    columns : canonical name -> header
    report : receives the counts

    Raises
    ------
    SourceError
        see :func:`segue_build.spark.reader.open_folder`, and :func:`segue_build.sources.columns.match_headers`.

    """
    folder = open_folder(spark, source)
    if not spark.sparkContext.getConf().contains(SHUFFLE_PARTITIONS):
        spark.conf.set(SHUFFLE_PARTITIONS, max(spark.sparkContext.defaultParallelism, folder.size // PARTITION_BYTES))
    rows = folder.frame(spark)
    n_rows = folder.count(rows)
    interpretation, others = _recognise(folder, rows, columns)
    found = _infer_units(rows, n_rows, interpretation, report)
    reading = RowReader(interpretation, _schema(folder, interpretation))
    tidied = persist(rows.mapInArrow(partial(_tidy_partition, reading, found), to_spark_schema(reading.schema)))
    _merge_reports(tidied, report)
    interpretation.print_summary()
    return TidyTable(_complete_columns(_merge_ids(tidied, reading.schema), tidied, len(others)), others)


def _recognise(folder: SourceFolder, rows: Frame, given: Mapping[str, str]) -> tuple[TableInterpretation, list[str]]:
    """What the columns are, by their headers and first rows, and the names of those that are none of ours."""
    columns = match_headers(folder.headers, given, folder.name)
    form = f"{folder.format} in {len(folder.paths)} files" if len(folder.paths) > 1 else folder.format
    interpretation = TableInterpretation(folder.name, form, columns)
    first = RowReader(interpretation, pa.schema([])).to_raw(rows.limit(CHECKED_ROWS).toArrow(), Counter())
    columns = columns.without(set(non_numeric_columns(first, columns)) - set(given))
    others = {other_column(number): place for number, place in enumerate(columns.extra.values())}
    interpretation.columns = dataclasses.replace(columns, extra=others)
    return interpretation, list(columns.extra)


def _infer_units(
    rows: Frame, n_rows: int, interpretation: TableInterpretation, report: IngestReport
) -> ColumnInference:
    """Units, scales and what separates artists' names, by a sample."""
    reading = RowReader(interpretation, pa.schema([]))
    frame = reading.to_tidy(reading.to_raw(_sample(rows, n_rows), Counter()), IngestReport())
    return infer_columns(frame.drop(columns=[FILE_PATH, FILE_ROW]), interpretation, report)


def _sample(rows: Frame, n_rows: int) -> pa.Table:
    """Rows from all over the table, which their cells choose, about ``SAMPLED_ROWS`` of them at the most."""
    from pyspark.sql import functions as sql

    if n_rows > SAMPLED_ROWS:
        places = [name for name in rows.columns if name.isdecimal()]
        rows = rows.where(sql.pmod(sql.xxhash64(*places), sql.lit(1 << 30)) < int(SAMPLED_ROWS / n_rows * (1 << 30)))
    return rows.toArrow()


def _schema(folder: SourceFolder, interpretation: TableInterpretation) -> pa.Schema:
    """What is kept of a table."""
    columns = interpretation.columns
    has = {*columns.positions, "id"} | ({"mode"} if "key" in columns.positions else set())
    tidy_types = [
        (name, pa.string() if name in TEXT_COLUMNS else pa.float64()) for name in CANONICAL_COLUMNS if name in has
    ]
    types = [folder.layout.types.get(header, "text") for header in folder.headers]
    others = [(name, _ARROW_TYPES.get(types[place], pa.string())) for name, place in columns.extra.items()]
    return pa.schema([*tidy_types, (FILE_PATH, pa.string()), (FILE_ROW, pa.int64()), *others, (REPORT, pa.string())])


def _tidy_partition(
    reading: RowReader, found: ColumnInference, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """All of a partition, and last a row that says what became of its rows."""
    report, firsts = IngestReport(), Counter[str]()
    for batch in batches:
        if batch.num_rows:
            frame = reading.to_tidy(reading.to_raw(pa.Table.from_batches([batch]), firsts), report)
            yield from reading.convert(frame, found, report).combine_chunks().to_batches()
    counts = json.dumps({"rows": report.rows, "dropped": report.dropped, "examples": report.examples})
    nulls = {one.name: pa.nulls(1, one.type) for one in reading.schema}
    yield pa.RecordBatch.from_pydict({**nulls, REPORT: [counts]}, reading.schema)


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


def _complete_columns(merged: Frame, tidied: Frame, n_others: int) -> Frame:
    """Every canonical column, null throughout where the source lacks it, and each row's number in the source."""
    from pyspark.sql import functions as sql

    ends = tidied.where(f"{FILE_PATH} IS NOT NULL").groupBy(FILE_PATH).agg(sql.max(FILE_ROW).alias("last"))
    last = {row[FILE_PATH]: row["last"] for row in ends.collect()}
    paths = sorted(last)
    firsts = zip(paths, itertools.accumulate((last[path] for path in paths), initial=0))
    table = merged.sparkSession.createDataFrame(list(firsts), f"{FILE_PATH} string, first long")
    tidy_columns = [
        sql.col(name)
        if name in merged.columns
        else sql.lit(None).cast("string" if name in TEXT_COLUMNS else "double").alias(name)
        for name in CANONICAL_COLUMNS
    ]
    source_row = (sql.col("first") + sql.col(FILE_ROW) - 1).alias("source_row")
    others = map(other_column, range(n_others))
    return merged.join(sql.broadcast(table), FILE_PATH).select(*tidy_columns, source_row, "_rows", *others)


def _merge_ids(tidied: Frame, schema: pa.Schema) -> Frame:
    """Rows of one id as one: what the most popular of them knows, then the next; all genres together."""
    from pyspark.sql import functions as sql

    popularity = sql.coalesce(-sql.col("popularity"), sql.lit(1.0)) if "popularity" in schema.names else sql.lit(0.0)
    rows = tidied.where(f"{REPORT} IS NULL").withColumn(
        "_order", sql.struct(popularity, sql.col(FILE_PATH), sql.col(FILE_ROW))
    )
    names = [name for name in schema.names if name not in ("id", REPORT)]
    known = [
        sql.min_by(sql.col(name), sql.when(sql.col(name).isNotNull(), sql.col("_order"))).alias(name)
        for name in names
        if name not in ("genres", FILE_PATH, FILE_ROW)
    ]
    places = [sql.min_by(name, "_order").alias(name) for name in (FILE_PATH, FILE_ROW)]
    distinct = sql.array_sort(sql.array_distinct(sql.flatten(sql.collect_list(sql.split("genres", SEPARATOR)))))
    united = sql.when(sql.size(distinct) > 0, sql.array_join(distinct, SEPARATOR)).alias("genres")
    genres = [united] if "genres" in names else []
    return rows.groupBy("id").agg(sql.count("*").alias("_rows"), *known, *places, *genres)
