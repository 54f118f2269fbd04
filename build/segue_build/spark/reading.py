"""A folder to the tidy table: cells by segue_build.sources, a batch at a time, and rows that share an id as one."""

import csv
import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa

from segue_build.sources.account import Account
from segue_build.sources.columns import TEXTS, TIDY, recognise
from segue_build.sources.formats.table import RAGGED, ROW
from segue_build.sources.listed import SEPARATOR
from segue_build.sources.merging import with_ids
from segue_build.sources.recognised import Recognised
from segue_build.sources.settling import Settled, applied, settled
from segue_build.sources.tidy import misread, tidy
from segue_build.spark.batches import Frame, in_spark, kept
from segue_build.spark.files import MALFORMED, Folder, opened

SAMPLE = 250_000  # rows that show units, scales and what parts artists' names
FIRST = 10_000  # rows that show whether a column is what its header says
PATH, PLACE = "file_path", "_place"  # where a row comes from, and its place in its file
SHUFFLED = "spark.sql.shuffle.partitions"
PER_PARTITION = 8 << 20  # bytes of the source from which there are more partitions than cores
SAID = "_account"  # what became of the rows of a partition, in a row of its own


@dataclass(frozen=True, slots=True)
class Reading:
    """How a folder's rows become tidy ones; goes to the workers."""

    recognised: Recognised
    kept: pa.Schema

    def raw(self, table: pa.Table, firsts: Counter[str]) -> pd.DataFrame:
        """A batch as readers of tables have it; ``firsts`` counts the rows of each file that came before."""
        paths, numbers = table[PATH].to_pylist(), []
        for path in paths:
            firsts[path] += 1
            numbers.append(firsts[path])
        frame = table.drop_columns([PATH, MALFORMED]).to_pandas(ignore_metadata=True)
        width = frame.shape[1]
        frame.columns = pd.RangeIndex(width)
        frame[width], frame[width + 1] = paths, numbers
        frame[RAGGED] = pd.Series([_fields(line, width) for line in table[MALFORMED].to_pylist()], dtype="Int32")
        frame[ROW] = [f"{number + 1} of {path.rpartition('/')[2]}" for number, path in zip(numbers, paths)]
        return frame

    def tidied(self, raw: pd.DataFrame, account: Account) -> pd.DataFrame:
        """The same as tidy cells, in the table's own units, and where rows come from."""
        columns = self.recognised.columns
        width = len(columns.headers)
        located = dataclasses.replace(columns, other={**columns.other, PATH: width, PLACE: width + 1})
        mine = dataclasses.replace(self.recognised, columns=located)
        found = tidy(raw, mine, account)
        self.recognised.lists_artists |= mine.lists_artists
        self.recognised.decimal_commas |= mine.decimal_commas
        return found

    def settled(self, frame: pd.DataFrame, found: Settled, account: Account) -> pa.Table:
        """In the units of the tidy table, with ids."""
        frame = with_ids(applied(found, frame, self.recognised, account))
        return pa.table([_column(frame, one) for one in self.kept], self.kept)


@dataclass(frozen=True, slots=True)
class Read:
    """The tidy table.

    frame : columns ``TIDY``, ``place`` (a row's number in the source), then the source's others; one row a song
    others : names of these, which in the frame are called as :func:`other` says, so that none is like one of ours
    """

    frame: Frame
    others: list[str]


def other(number: int) -> str:
    """What one of the source's other columns is called on Spark."""
    return f"_other{number}"


def read(spark: Any, source: str, given: Mapping[str, str], account: Account) -> Read:
    """Read a folder.

    given : tidy name -> header
    account : receives the counts

    Raises
    ------
    SourceError
        see :func:`segue_build.spark.files.opened`, and :func:`segue_build.sources.columns.recognise`.

    """
    folder = opened(spark, source)
    if not spark.sparkContext.getConf().contains(SHUFFLED):
        spark.conf.set(SHUFFLED, max(spark.sparkContext.defaultParallelism, folder.size // PER_PARTITION))
    rows = folder.frame(spark)
    n_rows = folder.count(rows)
    recognised, others = _recognised(folder, rows, given)
    found = _settled(rows, n_rows, recognised, account)
    reading = Reading(recognised, _schema(folder, recognised))
    tidied = kept(rows.mapInArrow(partial(_tidied, reading, found), in_spark(reading.kept)))
    _count(tidied, account)
    recognised.tell()
    return Read(_complete(_merged(tidied, reading.kept), tidied, len(others)), others)


def _recognised(folder: Folder, rows: Frame, given: Mapping[str, str]) -> tuple[Recognised, list[str]]:
    """What the columns are, by their headers and first rows, and the names of those that are none of ours."""
    columns = recognise(folder.headers, given, folder.name)
    form = f"{folder.form} in {len(folder.paths)} files" if len(folder.paths) > 1 else folder.form
    recognised = Recognised(folder.name, form, columns)
    first = Reading(recognised, pa.schema([])).raw(rows.limit(FIRST).toArrow(), Counter())
    columns = columns.without(set(misread(first, columns)) - set(given))
    others = {other(number): place for number, place in enumerate(columns.other.values())}
    recognised.columns = dataclasses.replace(columns, other=others)
    return recognised, list(columns.other)


def _settled(rows: Frame, n_rows: int, recognised: Recognised, account: Account) -> Settled:
    """Units, scales and what parts artists' names, by a sample."""
    reading = Reading(recognised, pa.schema([]))
    frame = reading.tidied(reading.raw(_sample(rows, n_rows), Counter()), Account())
    return settled(frame.drop(columns=[PATH, PLACE]), recognised, account)


def _sample(rows: Frame, n_rows: int) -> pa.Table:
    """Rows from all over the table, which their cells choose, about ``SAMPLE`` of them at the most."""
    from pyspark.sql import functions as sql

    if n_rows > SAMPLE:
        places = [name for name in rows.columns if name.isdecimal()]
        rows = rows.where(sql.pmod(sql.xxhash64(*places), sql.lit(1 << 30)) < int(SAMPLE / n_rows * (1 << 30)))
    return rows.toArrow()


def _schema(folder: Folder, recognised: Recognised) -> pa.Schema:
    """What is kept of a table."""
    columns = recognised.columns
    has = {*columns.tidy, "id"} | ({"mode"} if "key" in columns.tidy else set())
    kinds = [(name, pa.string() if name in TEXTS else pa.float64()) for name in TIDY if name in has]
    of_place = [folder.look.types.get(header, "text") for header in folder.headers]
    others = [(name, _KINDS.get(of_place[place], pa.string())) for name, place in columns.other.items()]
    return pa.schema([*kinds, (PATH, pa.string()), (PLACE, pa.int64()), *others, (SAID, pa.string())])


_KINDS = {
    "double": pa.float64(), "float": pa.float32(), "bigint": pa.int64(), "int": pa.int32(), "smallint": pa.int16(),
    "tinyint": pa.int8(), "boolean": pa.bool_(),
}  # fmt: skip


def _tidied(reading: Reading, found: Settled, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """All of a partition, and last a row that says what became of its rows."""
    account, firsts = Account(), Counter[str]()
    for batch in batches:
        if batch.num_rows:
            frame = reading.tidied(reading.raw(pa.Table.from_batches([batch]), firsts), account)
            yield from reading.settled(frame, found, account).combine_chunks().to_batches()
    said = json.dumps({"rows": account.rows, "dropped": account.dropped, "examples": account.examples})
    nothing = {one.name: pa.nulls(1, one.type) for one in reading.kept}
    yield pa.RecordBatch.from_pydict({**nothing, SAID: [said]}, reading.kept)


def _column(frame: pd.DataFrame, one: pa.Field) -> pa.Array:
    if one.name not in frame:
        return pa.nulls(len(frame), one.type)
    cells = frame[one.name]
    if pa.types.is_string(one.type) and not pd.api.types.is_string_dtype(cells):
        cells = cells.astype("object").where(cells.notna(), None).map(str, na_action="ignore")
    return pa.array(cells, from_pandas=True).cast(one.type)


def _fields(line: str | None, width: int) -> int | None:
    """How many fields a malformed line has; one with as many as it should have is damaged otherwise."""
    if line is None:
        return None
    fields = len(next(csv.reader([line]), []))
    return fields if fields != width else 0


def _count(tidied: Frame, account: Account) -> None:
    for text in tidied.where(f"{SAID} IS NOT NULL").select(SAID).toArrow()[SAID].to_pylist():
        said = json.loads(text)
        account.rows += said["rows"]
        for reason, rows in said["dropped"].items():
            account.drop(reason, rows, said["examples"][reason])


def _complete(merged: Frame, tidied: Frame, n_others: int) -> Frame:
    """Every tidy column, null throughout where the source lacks it, and each row's number in the source."""
    from pyspark.sql import functions as sql

    ends = tidied.where(f"{PATH} IS NOT NULL").groupBy(PATH).agg(sql.max(PLACE).alias("last"))
    last = {row[PATH]: row["last"] for row in ends.collect()}
    paths = sorted(last)
    firsts = zip(paths, itertools.accumulate((last[path] for path in paths), initial=0))
    table = merged.sparkSession.createDataFrame(list(firsts), f"{PATH} string, first long")
    tidy_columns = [
        sql.col(name)
        if name in merged.columns
        else sql.lit(None).cast("string" if name in TEXTS else "double").alias(name)
        for name in TIDY
    ]
    place = (sql.col("first") + sql.col(PLACE) - 1).alias("place")
    others = map(other, range(n_others))
    return merged.join(sql.broadcast(table), PATH).select(*tidy_columns, place, "_rows", *others)


def _merged(tidied: Frame, kept: pa.Schema) -> Frame:
    """Rows of one id as one: what the most popular of them knows, then the next; all genres together."""
    from pyspark.sql import functions as sql

    popularity = sql.coalesce(-sql.col("popularity"), sql.lit(1.0)) if "popularity" in kept.names else sql.lit(0.0)
    rows = tidied.where(f"{SAID} IS NULL").withColumn("_order", sql.struct(popularity, sql.col(PATH), sql.col(PLACE)))
    names = [name for name in kept.names if name not in ("id", SAID)]
    known = [
        sql.min_by(sql.col(name), sql.when(sql.col(name).isNotNull(), sql.col("_order"))).alias(name)
        for name in names
        if name not in ("genres", PATH, PLACE)
    ]
    places = [sql.min_by(name, "_order").alias(name) for name in (PATH, PLACE)]
    listed = sql.array_sort(sql.array_distinct(sql.flatten(sql.collect_list(sql.split("genres", SEPARATOR)))))
    united = sql.when(sql.size(listed) > 0, sql.array_join(listed, SEPARATOR)).alias("genres")
    genres = [united] if "genres" in names else []
    return rows.groupBy("id").agg(sql.count("*").alias("_rows"), *known, *places, *genres)
