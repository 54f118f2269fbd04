"""``fit --engine spark``: a folder of parts to a version's files, which grow as sorted rows stream in."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from segue.errors import SourceError
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.artifacts import parquet
from segue_build.artifacts.array_files import (
    NpyFolderWriter,
    RaggedWriter,
    encode_texts,
    save_array,
    write_strings,
)
from segue_build.artifacts.parquet import RowGroupWriter, row_group_starts
from segue_build.model.embedding import NUMBERS
from segue_build.model.map_layout import to_coordinates
from segue_build.progress import stage
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import check_columns, check_dropped_share, check_song_count
from segue_build.spark import clustering, lookups
from segue_build.spark.batches import (
    Frame,
    flatten_lists,
    persist,
    stream_batches,
    sum_batches,
    to_matrix,
    to_vectors,
    zip_with_index,
)
from segue_build.spark.clustering import OrderedSongs, order_songs
from segue_build.spark.embedding import Embedding, embed
from segue_build.spark.lookups import merge_works, song_keys
from segue_build.spark.reader import other_column, read_folder
from segue_build.spark.session import session

_INTEGER_COLUMNS = [attribute.name for attribute in NUMERIC_ATTRIBUTES if attribute.is_integer] + ["explicit"]


@contextlib.contextmanager
def fit_on_spark(
    sources: Sequence[str], columns: Mapping[str, str], weights: Mapping[str, float], *, strict: bool, seed: int,
    master: str | None,
) -> Iterator["SparkFit"]:  # fmt: skip
    """Fit a folder of parts; files can be written as long as the session lives.

    Parameters are those of :class:`segue_build.fit.FitOptions`.

    Raises
    ------
    SourceError
        the folder can't be used.
    SparkError
        Spark can't be.

    """
    if len(sources) != 1:
        raise SourceError(f"--engine spark reads one --source, a folder of parts, not {len(sources)}")
    (source,) = sources
    report = IngestReport()
    with stage("starting Spark"):
        opened = contextlib.ExitStack()
        spark = opened.enter_context(session(master))
    with opened:
        with stage(f"reading {source}"):
            tidy_table = read_folder(spark, source, columns, report)
            songs, n_songs = _usable_songs(tidy_table.frame, source, report, strict)
        with stage(f"placing {n_songs:,} songs in the space"):
            embedding = embed(songs, n_songs, report, seed, weights)
        with stage("clustering and sorting"):
            ordered = order_songs(embedding.space, embedding.points, songs, n_songs, seed)
        yield SparkFit(
            report, songs, lambda folder: write_version(folder, songs, tidy_table.others, embedding, ordered)
        )


class SparkFit:
    """A catalogue on Spark.

    write : writes a version's files, and returns what the manifest says of them
    """

    def __init__(self, report: IngestReport, songs: Frame, write: Any):
        self.report = report
        self.write = write
        self._songs = songs

    def fingerprint(self) -> str:
        """A digest of the canonical table, whatever its rows' order."""
        from pyspark.sql import functions as sql

        columns = [name for name in self._songs.columns if name not in ("source_row", "_rows")]
        hashed = sql.xxhash64(*columns).cast("decimal(38,0)")
        return hashlib.sha256(str(self._songs.agg(sql.sum(hashed)).first()[0]).encode()).hexdigest()


def _usable_songs(frame: Frame, source: str, report: IngestReport, strict: bool) -> tuple[Frame, int]:
    """The songs that have a name, and how many they are."""
    from pyspark.sql import functions as sql

    frame = persist(frame)
    check_dropped_share(report, strict)
    named = sql.col("name").isNotNull()
    n_rows, n_songs, n_all = frame.agg(sql.sum("_rows"), sql.count_if(named), sql.count("*")).first() or (0, 0, 0)
    report.ids_merged += (n_rows or 0) - n_all
    if n_all > n_songs:
        report.count_dropped("without a name in any source", n_all - n_songs, [])
        check_dropped_share(report, strict)
    known = frame.agg(*(sql.count(name).alias(name) for name in CANONICAL_COLUMNS)).first()
    check_columns([name for name in CANONICAL_COLUMNS if known[name]], [source])
    check_song_count(n_songs, report, [source])
    songs = frame.where(named)
    report.not_analysed = songs.where("tempo = 0").count()
    report.songs, report.works = n_songs, None
    return songs, n_songs


def write_version(
    folder: Path, songs: Frame, others: list[str], embedding: Embedding, ordered: OrderedSongs
) -> dict[str, Any]:
    """Write every file of a version but the manifest; what :func:`segue_build.artifacts.writer.write` returns.

    songs : the canonical table
    others : names of the source's other columns
    """
    from pyspark.sql import functions as sql

    codes = embedding.features.select("source_row", sql.col("genres").alias("codes"))
    known = persist(songs.drop("_rows").join(codes, "source_row").join(ordered.rows, "source_row"))
    keys = persist(merge_works(persist(song_keys(known))))
    relations = _number_relations(known, keys)
    _write_space(folder, embedding, ordered)
    facts = write_song_arrays(folder, relations.songs, others, ordered)
    albums, artists = relations.albums.sort("number"), relations.artists.sort("number")
    write_strings(folder, "albums", _iter_texts(albums, "text"))
    write_strings(folder, "artists", _iter_texts(artists, "artist"))
    lookups.write(folder, known, keys, relations.artists)
    cluster_starts = ordered.cluster_starts
    return {
        "songs": int(ordered.offsets[-1]),
        **facts,
        "works": _write_groups(folder, relations, embedding, len(cluster_starts) - 1),
        "space": embedding.space.to_manifest(),
        "genres": embedding.fitted.genres,
        "clusters": clustering.describe_clusters(
            relations.songs, cluster_starts, embedding.space, embedding.fitted.ranks
        ),
        "row_groups": row_group_starts(cluster_starts),
    }


@dataclass(frozen=True, slots=True)
class _Relations:
    """What belongs to songs, numbered.

    songs : all that is known, and columns ``work``, ``album_number``, ``artist_numbers`` and ``clusters``
    albums : columns ``text`` and ``number``
    artists : columns ``artist`` and ``number``
    credits : columns ``row``, ``popularity``, ``position`` and ``number`` of the artist
    """

    songs: Frame
    albums: Frame
    artists: Frame
    credits: Frame


def _number_relations(known: Frame, keys: Frame) -> _Relations:
    """Number works and albums as they first come, artists by their names."""
    from pyspark.sql import functions as sql

    first = sql.min("row").alias("first")
    works = zip_with_index(keys.groupBy("work_key").agg(first), "first")
    album = sql.coalesce("album", sql.lit(""))
    albums = zip_with_index(known.groupBy(album.alias("text")).agg(first), "first")
    named = sql.posexplode(sql.split("artists", SEPARATOR)).alias("position", "artist")
    links = known.select("row", "popularity", named)
    artists = zip_with_index(links.select("artist").distinct(), "artist")
    credits_of_songs = persist(links.join(artists, "artist"))
    songs = (
        known.withColumn("text", album)
        .join(keys.select("row", "work_key"), "row")
        .join(works.select("work_key", sql.col("number").alias("work")), "work_key")
        .join(albums.select("text", sql.col("number").alias("album_number")), "text")
        .join(_artist_numbers(credits_of_songs), "row", "left")
        .withColumn("clusters", sql.array("cluster"))
    )
    return _Relations(persist(songs.drop("text", "work_key")), albums, artists, credits_of_songs)


def _write_groups(folder: Path, relations: _Relations, embedding: Embedding, n_clusters: int) -> int:
    """Write the songs of works and artists, and the typical ones of genres and clusters; returns how many works."""
    from pyspark.sql import functions as sql

    best_first = sql.coalesce("popularity", sql.lit(-1.0)).desc(), "row"
    of_work = _owner_items(relations.songs.sort("work", *best_first), "work")
    of_artist = _owner_items(relations.credits.sort("number", sql.col("position") > 0, *best_first), "number")
    lookups.write_lists(folder, "artist", "songs", of_artist)
    for owner, column, count in ("genre", "codes", len(embedding.fitted.genres)), ("cluster", "clusters", n_clusters):
        lookups.write_lists(
            folder, owner, "songs", clustering.typical_songs(relations.songs, column, count, embedding.space)
        )
    return lookups.write_lists(folder, "work", "songs", of_work)


def _owner_items(frame: Frame, owner: str) -> Frame:
    from pyspark.sql import functions as sql

    return frame.select(sql.col(owner).alias("owner"), sql.col("row").alias("item"))


def _artist_numbers(credit_rows: Frame) -> Frame:
    """Each song's artists by number, in their order."""
    from pyspark.sql import functions as sql

    in_order = sql.sort_array(sql.collect_list(sql.struct("position", "number")))
    return credit_rows.groupBy("row").agg(
        sql.transform(in_order, lambda each: each["number"].cast("int")).alias("artist_numbers")
    )


def _write_space(folder: Path, embedding: Embedding, ordered: OrderedSongs) -> None:
    offsets = ordered.offsets
    save_array(folder, "pq_centroids", ordered.pq_centroids)
    save_array(folder, "cell_offsets", offsets.astype(np.uint32 if offsets[-1] < 2**32 else np.uint64))
    save_array(folder, "cell_centroids", ordered.centroids)
    save_array(folder, "cell_clusters", ordered.clusters)
    save_array(folder, "rank_values", embedding.fitted.ranks.values)
    save_array(folder, "rank_levels", embedding.fitted.ranks.levels)


def write_song_arrays(folder: Path, songs: Frame, others: list[str], ordered: OrderedSongs) -> dict[str, Any]:
    """Write columns, lists, texts and the table, and return what the manifest says of them.

    songs : all that is known of songs
    others : names of the source's other columns
    """
    ends = [*row_group_starts(ordered.cluster_starts)[1:], int(ordered.offsets[-1])]
    types = dict(zip(others, _other_types(songs, len(others))))
    with NpyFolderWriter(folder) as npy_files, RowGroupWriter(folder / parquet.FILE_NAME, ends) as table:
        files = _SongArrays(folder, npy_files, ordered, _attribute_dtypes(songs))
        for batch in stream_batches(songs.sort("row")):
            files.append(batch)
            table.append(_table_rows(batch, types))
        files.close()
    return files.manifest_entries()


def _iter_texts(frame: Frame, column: str) -> Iterator[list[str]]:
    for batch in stream_batches(frame.select(column)):
        yield batch[column].to_pylist()


class _SongArrays:
    """The arrays that have a row for each song, and the sums over songs that cells and the manifest need.

    dtypes : attribute -> its type
    """

    def __init__(self, folder: Path, columns: NpyFolderWriter, ordered: OrderedSongs, dtypes: dict[str, Any]):
        self._columns, self._ordered, self._dtypes = columns, ordered, dtypes
        self._texts = {
            "id": RaggedWriter(folder, "ids", "heap"),
            "name": RaggedWriter(folder, "names", "heap"),
        }
        self._lists = {
            "artist_numbers": RaggedWriter(folder, "song", "artists"),
            "codes": RaggedWriter(folder, "song", "genres"),
        }
        self._known = dict.fromkeys(NUMBERS, False)
        self._recommendable = 0
        self._local_scale_sums = np.zeros(len(ordered.clusters))

    def append(self, songs: pa.Table) -> None:
        """Write some rows."""
        self._append_vectors(songs)
        self._append_attributes(songs)
        np.add.at(
            self._local_scale_sums, songs["cell"].to_numpy(), songs["local_scale"].to_numpy().astype(np.float64)
        )
        for name, heap in self._texts.items():
            heap.append(*encode_texts(songs[name].to_pylist()))
        for name, lists in self._lists.items():
            counts, values = flatten_lists(songs[name])
            lists.append(counts, values.to_numpy())

    def close(self) -> None:
        """Write what follows from all songs."""
        self._columns.append("cell_local_scales", self._local_scale_sums / np.diff(self._ordered.offsets))
        for each in (*self._texts.values(), *self._lists.values()):
            each.close()

    def manifest_entries(self) -> dict[str, Any]:
        """What the manifest says."""
        return {
            "recommendable": self._recommendable,
            "attributes": [attribute.name for attribute in NUMERIC_ATTRIBUTES if self._known[attribute.name]],
            "has_explicit": self._known["explicit"],
        }

    def _append_vectors(self, songs: pa.Table) -> None:
        columns, width = self._columns, len(songs["pq_code"][0])
        positions = np.stack([songs["x"].to_numpy(), songs["y"].to_numpy()], axis=1)
        columns.append("vectors", to_vectors(songs["vector"]))
        columns.append("present", songs["present"].to_numpy(), np.uint16)
        columns.append("local_scales", songs["local_scale"].to_numpy())
        columns.append("pq_codes", to_matrix(songs["pq_code"], width), np.uint16)
        columns.append("map", to_coordinates(positions, self._ordered.low, self._ordered.high))
        columns.append("works", songs["work"].to_numpy())
        columns.append("source_rows", songs["source_row"].to_numpy())
        columns.append("song_albums", songs["album_number"].to_numpy(), np.uint32)

    def _append_attributes(self, songs: pa.Table) -> None:
        for name, dtype in self._dtypes.items():
            values = songs[name].to_numpy(zero_copy_only=False).astype(np.float64)
            self._known[name] |= not np.isnan(values).all()
            self._columns.append(f"attribute_{name}", values, dtype)
        analysed = songs["tempo"].to_numpy(zero_copy_only=False) != 0
        self._columns.append("recommendable", analysed)
        self._recommendable += int(analysed.sum())


def _attribute_dtypes(songs: Frame) -> dict[str, Any]:
    """The smallest float of each attribute that holds all of its values, where they are whole."""
    small, single = sum_batches(songs.select(*_INTEGER_COLUMNS), _count_inexact)
    dtypes = np.where(small == 0, "float16", np.where(single == 0, "float32", "float64"))
    fractions = {attribute.name: np.float32 for attribute in NUMERIC_ATTRIBUTES if not attribute.is_integer}
    return {**fractions, **dict(zip(_INTEGER_COLUMNS, dtypes.tolist()))}


def _count_inexact(songs: pa.Table) -> np.ndarray:
    """How many values are not the same as float16, and as float32; shape (2, n_attributes)."""
    values = np.stack([songs[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in _INTEGER_COLUMNS])
    known = ~np.isnan(values)
    with np.errstate(over="ignore"):
        return np.stack([((values.astype(kind) != values) & known).sum(axis=1) for kind in (np.float16, np.float32)])


def _table_rows(songs: pa.Table, types: Mapping[str, pa.DataType | None]) -> pa.Table:
    """Some rows of the table.

    types : name of each of the source's other columns -> what it becomes
    """
    frame = songs.select(CANONICAL_COLUMNS).to_pandas()
    columns = {name: parquet.column_to_arrow(name, frame[name]) for name in CANONICAL_COLUMNS}
    columns |= {name: songs[name] for name in ("cluster", "cell")}
    columns |= {name: _cast(songs[other_column(number)], kind) for number, (name, kind) in enumerate(types.items())}
    return pa.table(columns)


def _other_types(songs: Frame, n_others: int) -> list[pa.DataType | None]:
    """What columns that Segue knows nothing of become: numbers where all of a text column is numbers."""
    from pyspark.sql import functions as sql

    types, counts_of = dict(songs.dtypes), []
    texts = [name for name in map(other_column, range(n_others)) if types[name] == "string"]
    for name in texts:
        number = sql.expr(f"try_cast({name} AS double)")
        broken = sql.count(sql.when(number % 1 != 0, 1))
        counts_of.append(
            sql.struct(sql.count(name).alias("known"), sql.count(number).alias("numbers"), broken.alias("broken"))
        )
    counts = dict(zip(texts, songs.agg(*counts_of).first())) if texts else {}
    return [_number_type(*counts.get(name, (0, 0, 0))) for name in map(other_column, range(n_others))]


def _number_type(known: int, numbers: int, broken: int) -> pa.DataType | None:
    if not known or known != numbers:
        return None
    return pa.float64() if broken else pa.int64()


def _cast(cells: pa.ChunkedArray, kind: pa.DataType | None) -> pa.ChunkedArray:
    return cells if kind is None else cells.cast(pa.float64()).cast(kind)
