"""What a folder holds: CSV or Parquet files, on any file system that Spark reads, all with the same columns."""

import csv
import re
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from segue_build.sources.formats.separated import separator_of
from segue_build.spark.batches import Frame
from segue.errors import SourceError

SUFFIXES = {"Parquet": (".parquet", ".pq", ".parq"), "CSV": (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.bz2")}
LOOKED_AT = 100  # lines from which the separator is told
AT_ONCE = 8  # files whose columns are looked at
MALFORMED = "_malformed"  # a line of CSV with more or fewer fields than there are headers


class Look(NamedTuple):
    """What the beginning of a file shows.

    types : header -> what its cells are
    schema : Spark's, of Parquet files
    """

    headers: list[str]
    types: dict[str, str]
    schema: Any
    separator: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of parts, or one file.

    name : for messages
    paths : of the parts, sorted
    size : of all of them, in bytes
    look : at any of them
    """

    name: str
    form: str
    paths: list[str]
    size: int
    look: Look

    @property
    def headers(self) -> list[str]:
        """The columns' own names."""
        return self.look.headers

    def frame(self, spark: Any) -> Frame:
        """The rows, columns numbered "0", "1", ..., then ``MALFORMED``."""
        from pyspark.sql import functions as sql
        from pyspark.sql.types import StringType, StructField, StructType

        numbers = [str(place) for place in range(len(self.headers))]
        if self.form == "Parquet":
            read = spark.read.schema(self.look.schema).parquet(*self.paths)
            columns = [read[f"`{header}`"].alias(number) for number, header in zip(numbers, self.headers)]
            return read.select(*columns, sql.lit(None).cast("string").alias(MALFORMED), "_metadata.file_path")
        schema = StructType([StructField(name, StringType()) for name in (*numbers, MALFORMED)])
        reader = spark.read.schema(schema).options(
            header=True,
            sep=self.look.separator,
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
        counts = {urllib.parse.unquote(_place(row["file_path"])): row["count"] for row in found}
        hollow = [path for path in self.paths if _place(path) not in counts]
        if hollow:
            raise _empty(self.name, hollow[0])
        return sum(counts.values())


def opened(spark: Any, source: str) -> Folder:
    """Look at what a source holds.

    Raises
    ------
    SourceError
        there is nothing, it is of several forms, a part is empty or damaged, or parts differ in their columns.

    """
    found = _listed(spark, source)
    name = _last(source.rstrip("/"))
    name += "" if _last(found[0][0]) == name else "/"
    forms = {form for path, _ in found for form in SUFFIXES if path.lower().endswith(SUFFIXES[form])}
    strange = [path for path, _ in found if not path.lower().endswith(sum(SUFFIXES.values(), ()))]
    if strange or len(forms) != 1:
        odd = f"; {_last(strange[0])} is neither" if strange else ""
        raise SourceError(f"{source}: --engine spark reads a folder of Parquet files or one of CSV files{odd}")
    empty = [path for path, size in found if not size]
    if empty:
        raise _empty(name, empty[0])
    (form,), paths = forms, [path for path, _ in found]
    look = _parquet if form == "Parquet" else _csv
    with ThreadPoolExecutor(AT_ONCE) as pool:
        looks = list(pool.map(lambda path: look(spark, name, path), paths))
    for path, other in zip(paths, looks):
        _check_same(name, looks[0], path, other)
    return Folder(name, form, paths, sum(size for _, size in found), looks[0])


def _listed(spark: Any, source: str) -> list[tuple[str, int]]:
    """Paths and sizes of all files below a source but those of writers' notes."""
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
        raise SourceError(f"{source}: {_why_unread(error)}") from error
    parts = sorted((path, size) for path, size in found if not _is_note(path.removeprefix(base)))
    if not parts:
        raise SourceError(f"{source}: a folder without Parquet or CSV files")
    return parts


def _empty(name: str, path: str) -> SourceError:
    return SourceError(f"{name}: {_last(path)} is empty; take it out of the folder, or write it again")


def _place(address: str) -> str:
    """A path without its file system, whose name Hadoop and Spark write in two ways."""
    return re.sub(r"^\w[\w+.-]*:(//[^/]*)?", "", address)


def _why_unread(error: Exception) -> str:
    text = str(error)
    if "No FileSystem for scheme" in text or "ClassNotFoundException" in text:
        return "Spark has no connector for such addresses; docs/beyond-one-machine.md says how to give it one"
    from segue_build.spark.session import reason

    return reason(error)


def _is_note(below: str) -> bool:
    return any(piece.startswith((".", "_")) for piece in below.split("/"))


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _parquet(spark: Any, name: str, path: str) -> Look:
    try:
        schema = spark.read.parquet(path).schema
    except Exception as error:
        raise SourceError(f"{name}: {_last(path)} is no Parquet file, or damaged; write it again") from error
    return Look(schema.names, {field.name: field.dataType.simpleString() for field in schema.fields}, schema, "")


def _csv(spark: Any, name: str, path: str) -> Look:
    lines = [row["value"] + "\n" for row in spark.read.text(path).head(LOOKED_AT)]
    if not lines or "\0" in "".join(lines):
        raise SourceError(f"{name}: {_last(path)} is no CSV in UTF-8; write it again")
    separator = separator_of(lines)
    headers = [header.strip("\ufeff \t") for header in next(csv.reader(lines, delimiter=separator))]
    return Look(headers, dict.fromkeys(headers, "text"), None, separator)


def _check_same(name: str, first: Look, path: str, other: Look) -> None:
    """One table has one set of columns, in one order where it is CSV."""
    for column in {**first.types, **other.types}:
        has, had = other.types.get(column, "none"), first.types.get(column, "none")
        if has != had:
            raise SourceError(
                f"{name}: column '{column}' is {has} in {_last(path)}, but {had} in the first part; write the parts"
                " with the same columns"
            )
    if first.separator and (first.headers, first.separator) != (other.headers, other.separator):
        raise SourceError(f"{name}: the columns of {_last(path)} are in another order, or parted by something else")
