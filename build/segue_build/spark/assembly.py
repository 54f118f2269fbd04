"""From Spark's songs to a version's files, which grow as sorted rows stream in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segue_build.artifacts.table import row_groups
from segue_build.sources.listed import SEPARATOR
from segue_build.spark import groups, lookups
from segue_build.spark.batches import Frame, kept
from segue_build.spark.keys import keys_of
from segue_build.spark.numbering import numbered
from segue_build.spark.ordering import Ordered
from segue_build.spark.placing import Placed
from segue_build.spark.songs import write as write_songs
from segue_build.spark.songs import write_texts
from segue_build.spark.works import with_works


def write(folder: Path, songs: Frame, others: list[str], placed: Placed, ordered: Ordered) -> dict[str, Any]:
    """Write every file of a version but the manifest; what :func:`segue_build.artifacts.writing.write` returns.

    songs : the tidy table
    others : names of the source's other columns
    """
    from pyspark.sql import functions as sql

    codes = placed.features.select("place", sql.col("genres").alias("codes"))
    known = kept(songs.drop("_rows").join(codes, "place").join(ordered.rows, "place"))
    keys = kept(with_works(kept(keys_of(known))))
    related = _related(known, keys)
    _write_space(folder, placed, ordered)
    facts = write_songs(folder, related.songs, others, ordered)
    write_texts(folder, "albums", related.albums.sort("number").select("text"))
    write_texts(folder, "artists", related.artists.sort("number").select(sql.col("artist").alias("text")))
    lookups.write(folder, known, keys, related.artists)
    firsts = ordered.firsts
    return {
        "songs": int(ordered.offsets[-1]),
        **facts,
        "works": _write_groups(folder, related, placed, len(firsts) - 1),
        "space": placed.space.to_manifest(),
        "genres": placed.fitted.genres,
        "clusters": groups.described(related.songs, firsts, placed.space, placed.fitted.ranks),
        "row_groups": row_groups(firsts),
    }


@dataclass(frozen=True, slots=True)
class _Related:
    """What belongs to songs, numbered.

    songs : all that is known, and columns ``work``, ``album_number``, ``by`` (numbers of artists) and ``clusters``
    albums : columns ``text`` and ``number``
    artists : columns ``artist`` and ``number``
    credits : columns ``row``, ``popularity``, ``position`` and ``number`` of the artist
    """

    songs: Frame
    albums: Frame
    artists: Frame
    credits: Frame


def _related(known: Frame, keys: Frame) -> _Related:
    """Number works and albums as they first come, artists by their names."""
    from pyspark.sql import functions as sql

    first = sql.min("row").alias("first")
    works = numbered(keys.groupBy("work_key").agg(first), "first")
    album = sql.coalesce("album", sql.lit(""))
    albums = numbered(known.groupBy(album.alias("text")).agg(first), "first")
    named = sql.posexplode(sql.split("artists", SEPARATOR)).alias("position", "artist")
    links = known.select("row", "popularity", named)
    artists = numbered(links.select("artist").distinct(), "artist")
    credits_of_songs = kept(links.join(artists, "artist"))
    songs = (
        known.withColumn("text", album)
        .join(keys.select("row", "work_key"), "row")
        .join(works.select("work_key", sql.col("number").alias("work")), "work_key")
        .join(albums.select("text", sql.col("number").alias("album_number")), "text")
        .join(_listed(credits_of_songs), "row", "left")
        .withColumn("clusters", sql.array("cluster"))
    )
    return _Related(kept(songs.drop("text", "work_key")), albums, artists, credits_of_songs)


def _write_groups(folder: Path, related: _Related, placed: Placed, n_clusters: int) -> int:
    """Write the songs of works and artists, and the typical ones of genres and clusters; returns how many works."""
    from pyspark.sql import functions as sql

    best_first = sql.coalesce("popularity", sql.lit(-1.0)).desc(), "row"
    of_work = _owned(related.songs.sort("work", *best_first), "work")
    of_artist = _owned(related.credits.sort("number", sql.col("position") > 0, *best_first), "number")
    lookups.write_lists(folder, "artist", "songs", of_artist)
    for owner, column, count in ("genre", "codes", len(placed.fitted.genres)), ("cluster", "clusters", n_clusters):
        lookups.write_lists(folder, owner, "songs", groups.typical(related.songs, column, count, placed.space))
    return lookups.write_lists(folder, "work", "songs", of_work)


def _owned(frame: Frame, owner: str) -> Frame:
    from pyspark.sql import functions as sql

    return frame.select(sql.col(owner).alias("owner"), sql.col("row").alias("item"))


def _listed(by: Frame) -> Frame:
    """Each song's artists by number, in their order."""
    from pyspark.sql import functions as sql

    listed = sql.sort_array(sql.collect_list(sql.struct("position", "number")))
    return by.groupBy("row").agg(sql.transform(listed, lambda each: each["number"].cast("int")).alias("by"))


def _write_space(folder: Path, placed: Placed, ordered: Ordered) -> None:
    offsets = ordered.offsets
    arrays = {
        "sketch_centres": ordered.centres,
        "cell_offsets": offsets.astype(np.uint32 if offsets[-1] < 2**32 else np.uint64),
        "cell_centroids": ordered.centroids,
        "cell_clusters": ordered.clusters.astype(np.int16),
        "rank_values": placed.fitted.ranks.values,
        "rank_levels": placed.fitted.ranks.levels,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
