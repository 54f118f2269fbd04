"""The look-up files of a version, and which songs are one work: hashed on the workers, sorted by Spark, streamed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from segue_build.artifacts import lookup_index
from segue_build.artifacts.array_files import NpyFolderWriter, RaggedWriter
from segue_build.model.works import is_merged, key_digests
from segue_build.sources.multivalue import SEPARATOR
from segue_build.spark.batches import (
    Frame,
    map_batches,
    persist,
    ragged_column,
    stream_batches,
    zip_with_index,
)

SONG_KEYS = pa.schema([
    ("row", pa.int64()), ("popularity", pa.float64()), ("id_key", pa.int64()), ("work_key", pa.int64()),
    ("name_key", pa.int64()), ("movement", pa.bool_()), ("entry_key", pa.int64()),
    ("title_keys", pa.list_(pa.int64())), ("alphabetical", pa.string()),
])  # fmt: skip
_ARTIST_KEYS = pa.schema([
    ("number", pa.int64()), ("key", pa.int64()), ("spelt_key", pa.int64()), ("alphabetical", pa.string())
])  # fmt: skip
_TRIGRAM_ENTRIES = pa.schema([("owner", pa.int64()), ("item", pa.int64())])
_SIGN_BIT = np.uint64(1 << 63)


def write(folder: Path, songs: Frame, keys: Frame, artists: Frame) -> None:
    """Write what :mod:`segue_build.artifacts.lookup_index` writes.

    songs : columns ``row``, ``name`` and ``artists``
    keys : columns of :data:`segue_build.spark.lookups.SONG_KEYS`
    artists : columns ``artist`` and ``number``
    """
    from pyspark.sql import functions as sql

    best_first = sql.col("popularity").desc(), sql.col("row")
    with NpyFolderWriter(folder) as columns:
        _write_titles(columns, keys, *best_first)
        _write_artists(columns, artists)
        best = sql.max_by("row", sql.struct("popularity", -sql.col("row"))).alias("row")
        entries = keys.groupBy("entry_key").agg(sql.max("popularity").alias("popularity"), best)
        entries = zip_with_index(entries, *best_first)
        for table in stream_batches(entries.sort("number").select("row")):
            _append_columns(columns, table, {}, {"row": "entry_songs"})
    texts = entries.select("row", "number").join(songs.select("row", "name", "artists"), "row")
    pairs = map_batches(texts.select("number", "name", "artists"), _TRIGRAM_ENTRIES, _list_trigrams)
    write_lists(folder, "trigram", "entries", pairs.sort("owner", "item"), "trigram_keys")


def _write_titles(columns: NpyFolderWriter, keys: Frame, *best_first: object) -> None:
    """Write songs by their ids, by the forms of their titles, and in the order of the alphabet."""
    from pyspark.sql import functions as sql

    for table in stream_batches(keys.select("id_key", "row").sort("id_key", "row")):
        _append_columns(columns, table, {"id_key": "id_hashes"}, {"row": "id_songs"})
    titles = keys.select(sql.explode("title_keys").alias("key"), "popularity", "row").sort("key", *best_first)
    for table in stream_batches(titles.select("key", "row")):
        _append_columns(columns, table, {"key": "title_hashes"}, {"row": "title_songs"})
    for table in stream_batches(keys.sort("alphabetical", "row").select("row")):
        _append_columns(columns, table, {}, {"row": "title_order"})


def _write_artists(columns: NpyFolderWriter, artists: Frame) -> None:
    from pyspark.sql import functions as sql

    found = persist(map_batches(artists.select("artist", "number"), _ARTIST_KEYS, _hash_artists))
    both = found.select(sql.col("key"), sql.lit(0).alias("form"), "number").union(
        found.select(sql.col("spelt_key"), sql.lit(1), "number")
    )
    for table in stream_batches(both.sort("key", "form", "number")):
        _append_columns(columns, table, {"key": "artist_hashes"}, {"number": "artist_rows"})
    for table in stream_batches(found.sort("alphabetical", "number").select("number")):
        _append_columns(columns, table, {}, {"number": "artist_order"})


def _append_columns(
    columns: NpyFolderWriter, table: pa.Table, hash_names: dict[str, str], row_names: dict[str, str]
) -> None:
    for source, name in hash_names.items():
        columns.append(name, to_unsigned(table[source].to_numpy()))
    for source, name in row_names.items():
        columns.append(name, table[source].to_numpy())


def write_lists(folder: Path, owner: str, items: str, frame: Frame, keys: str | None = None) -> int:
    """Write lists, and return how many there are.

    frame : columns ``owner``, rising, and ``item``, in the order of the lists
    keys : the array that owners are written to, which are digests as :func:`to_signed` has them; without it, they are
        numbers from 0 on without gaps
    """
    written, lists = 0, RaggedWriter(folder, owner, items)
    with NpyFolderWriter(folder) as columns:
        for owners, lengths, values in list_runs(stream_batches(frame)):
            if keys:
                columns.append(keys, to_unsigned(owners))
            lists.append(lengths, values)
            written += len(owners)
    lists.close()
    return written


def list_runs(tables: Iterable[pa.Table]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Owners, how many items each has, and the items of one batch; the last owner waits for the next batch.

    tables : columns ``owner``, rising, and ``item``
    """
    owner, length = np.empty(0, np.int64), 0
    for table in tables:
        owners, items = table["owner"].to_numpy(), table["item"].to_numpy()
        starts = np.flatnonzero(np.diff(owners, prepend=owners[0])) if len(owners) else np.empty(0, np.int64)
        found = owners[np.concatenate([[0], starts])]
        lengths = np.diff(np.concatenate([[0], starts, [len(owners)]]))
        if len(owner) and owner[0] != found[0]:
            found, lengths = np.concatenate([owner, found]), np.concatenate([[length], lengths])
        elif len(owner):
            lengths[0] += length
        owner, length = found[-1:], int(lengths[-1])
        yield found[:-1], lengths[:-1], items
    yield owner, np.array([length] * len(owner), np.int64), np.empty(0, np.int64)


def to_signed(values: np.ndarray) -> np.ndarray:
    """uint64 as int64 of the same order, for Spark has no other whole numbers."""
    return (values.astype(np.uint64) ^ _SIGN_BIT).view(np.int64)


def to_unsigned(values: np.ndarray) -> np.ndarray:
    """The same back."""
    return values.astype(np.int64).view(np.uint64) ^ _SIGN_BIT


def song_keys(songs: Frame) -> Frame:
    """The keys of each song."""
    return map_batches(songs.select("row", "id", "name", "artists", "popularity"), SONG_KEYS, _hash_songs)


def _hash_songs(songs: pa.Table) -> dict[str, Any]:
    ids, titles = songs["id"].to_pylist(), songs["name"].to_pylist()
    firsts = [(text or "").partition(SEPARATOR)[0] for text in songs["artists"].to_pylist()]
    keys, works = lookup_index.song_keys(ids, titles, firsts), key_digests(ids, titles, firsts)
    return {
        "row": songs["row"],
        "popularity": np.nan_to_num(songs["popularity"].to_numpy(), nan=-1.0),
        "id_key": to_signed(keys.ids),
        "work_key": to_signed(works["work"].to_numpy()),
        "name_key": to_signed(works["name"].to_numpy()),
        "movement": works["movement"].to_numpy(),
        "entry_key": to_signed(keys.entries),
        "title_keys": ragged_column(keys.title_counts, to_signed(keys.titles), pa.int64()),
        "alphabetical": keys.alphabetical,
    }


def _hash_artists(artists: pa.Table) -> dict[str, Any]:
    keys = lookup_index.artist_keys(artists["artist"].to_pylist())
    return {
        "number": artists["number"],
        "key": to_signed(keys.titles),
        "spelt_key": to_signed(keys.spelt),
        "alphabetical": keys.alphabetical,
    }


def _list_trigrams(entries: pa.Table) -> dict[str, Any]:
    texts = lookup_index.searchable_texts(entries["name"].to_pylist(), entries["artists"].fill_null("").to_pylist())
    trigrams, counts, numbers = lookup_index.invert_batch(texts, 0)
    return {
        "owner": to_signed(np.repeat(trigrams, counts)),
        "item": entries["number"].to_numpy()[numbers],
    }


def merge_works(keys: Frame) -> Frame:
    """The same with works of one name as one.

    keys : columns ``work_key``, ``name_key`` and ``movement``, and any others
    """
    from pyspark.sql import functions as sql

    renamed = _renamed_works(keys.select("work_key", "name_key", "movement"))
    work = sql.coalesce("renamed", "work_key").alias("work_key")
    others = [name for name in keys.columns if name not in ("work_key", "name_key", "movement")]
    return keys.join(renamed, "work_key", "left").select(work, *others)


def _renamed_works(keys: Frame) -> Frame:
    """Columns ``work_key`` and ``renamed``: the names of works that others are known by, too."""
    from pyspark.sql import functions as sql

    named = keys.where("name_key <> work_key").distinct()
    counts = sql.count_if(~sql.col("movement")).alias("pieces"), sql.count_if("movement").alias("movements")
    names = named.groupBy("name_key").agg(*counts)
    works = keys.select(sql.col("work_key").alias("name_key"))
    titles = works.join(names, "name_key", "left_semi").distinct().withColumn("title", sql.lit(True))
    known = named.join(names.join(titles, "name_key", "left").fillna(False, ["title"]), "name_key")
    one = known.where(is_merged(*map(sql.col, ("pieces", "movements", "movement", "title"))))
    return one.groupBy("work_key").agg(sql.max("name_key").alias("renamed"))
