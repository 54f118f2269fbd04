"""The look-up files and the relations of a version, sorted by Spark and written as they stream in."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from segue_build.spark.batches import Frame, kept, streamed
from segue_build.spark.columns import Columns, Ragged
from segue_build.spark.keys import artist_keys, trigrams_of, unsigned
from segue_build.spark.numbering import numbered


def write(folder: Path, songs: Frame, keys: Frame, artists: Frame) -> None:
    """Write what :mod:`segue_build.artifacts.lookups` writes.

    songs : columns ``row``, ``name`` and ``artists``
    keys : columns of :data:`segue_build.spark.keys.KEYS`
    artists : columns ``artist`` and ``number``
    """
    from pyspark.sql import functions as sql

    best_first = sql.col("popularity").desc(), sql.col("row")
    with Columns(folder) as columns:
        _write_titles(columns, keys, *best_first)
        _write_artists(columns, artists)
        best = sql.max_by("row", sql.struct("popularity", -sql.col("row"))).alias("row")
        entries = keys.groupBy("entry_key").agg(sql.max("popularity").alias("popularity"), best)
        entries = numbered(entries, *best_first)
        for table in streamed(entries.sort("number").select("row")):
            _append(columns, table, {}, {"row": "entry_songs"})
    found = trigrams_of(entries.select("row", "number").join(songs.select("row", "name", "artists"), "row"))
    pairs = found.select(sql.col("trigram").alias("owner"), sql.col("entry").alias("item"))
    write_trigrams(folder, pairs.sort("owner", "item"))


def _write_titles(columns: Columns, keys: Frame, *best_first: object) -> None:
    """Write songs by their ids, by the forms of their titles, and in the order of the alphabet."""
    from pyspark.sql import functions as sql

    for table in streamed(keys.select("id_key", "row").sort("id_key", "row")):
        _append(columns, table, {"id_key": "id_hashes"}, {"row": "id_songs"})
    titles = keys.select(sql.explode("title_keys").alias("key"), "popularity", "row").sort("key", *best_first)
    for table in streamed(titles.select("key", "row")):
        _append(columns, table, {"key": "title_hashes"}, {"row": "title_songs"})
    for table in streamed(keys.sort("alphabetical", "row").select("row")):
        _append(columns, table, {}, {"row": "title_order"})


def _write_artists(columns: Columns, artists: Frame) -> None:
    from pyspark.sql import functions as sql

    found = kept(artist_keys(artists))
    both = found.select(sql.col("key"), sql.lit(0).alias("form"), "number").union(
        found.select(sql.col("spelt_key"), sql.lit(1), "number")
    )
    for table in streamed(both.sort("key", "form", "number")):
        _append(columns, table, {"key": "artist_hashes"}, {"number": "artist_rows"})
    for table in streamed(found.sort("alphabetical", "number").select("number")):
        _append(columns, table, {}, {"number": "artist_order"})


def _append(columns: Columns, table: pa.Table, digests: dict[str, str], rows: dict[str, str]) -> None:
    for source, name in digests.items():
        columns.append(name, unsigned(table[source].to_numpy()), np.uint64)
    for source, name in rows.items():
        columns.append(name, table[source].to_numpy(), np.int32)


def write_lists(folder: Path, owner: str, items: str, frame: Frame) -> int:
    """Write lists, and return how many there are.

    frame : columns ``owner``, rising from 0 without gaps, and ``item``, in the order of the lists
    """
    written, lists = 0, Ragged(folder, owner, items, np.int32)
    for owners, lengths, values in runs(streamed(frame)):
        lists.append(lengths, values)
        written += len(owners)
    lists.close()
    return written


def runs(tables: Iterable[pa.Table]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
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


def write_trigrams(folder: Path, pairs: Frame) -> None:
    """Write the index of trigrams; columns ``owner``, as :func:`segue_build.spark.keys.signed` has them, and ``item``."""
    lists = Ragged(folder, "trigram", "entries", np.int32)
    with Columns(folder) as columns:
        columns.append("trigram_keys", np.empty(0, np.uint64))
        for owners, lengths, values in runs(streamed(pairs)):
            columns.append("trigram_keys", unsigned(owners))
            lists.append(lengths, values)
    lists.close()
