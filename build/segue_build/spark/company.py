"""The genres that songs keep company with, as :mod:`segue_build.model.company` has them, album by album."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from segue_build.model.context import COMPILATION
from segue_build.spark.batches import Frame, each_batch, each_key, lengths_of, ragged
from segue_build.spark.features import WHOLE, whole

_ALBUMS = pa.schema([("place", pa.int64()), ("around", pa.list_(pa.int32())), ("amounts", pa.list_(pa.int64()))])
_ADDED = pa.schema([("artist", pa.string()), ("around", pa.list_(pa.int32())), ("amounts", pa.list_(pa.int64()))])


def with_compilations(features: Frame, links: Frame, artists: Frame, schema: pa.Schema, n_genres: int) -> Frame:
    """Artists, to whose genres those are added that are on the compilations that their songs are on.

    links : columns ``place``, ``position`` and ``artist``
    artists : columns of ``schema``, with ``credits``, ``genres`` and ``weights``
    """
    from pyspark.sql import functions as sql

    first = sql.col("artists")[0].alias("first")
    of_songs = listed(links, artists.select("artist", "genres", "weights"))
    sung = features.where("album IS NOT NULL").select("place", "album", first, "genres").join(of_songs, "place")
    on_albums = links.join(each_key(sung, "album", _ALBUMS, _Albums(n_genres)), "place")
    added = each_key(on_albums, "artist", _ADDED, _Added(n_genres))
    return each_batch(artists.join(added, "artist", "left"), schema, _Together(n_genres))


def listed(links: Frame, artists: Frame) -> Frame:
    """Columns ``place`` and ``by``: the artists of each song that has any, in their order."""
    from pyspark.sql import functions as sql

    mine = links.select("place", "position", "artist").join(artists, "artist")
    by = sql.sort_array(sql.collect_list(sql.struct("position", *artists.columns))).alias("by")
    return mine.groupBy("place").agg(by)


def around(songs: pa.Table, n_genres: int) -> sparse.csr_matrix:
    """How much of each genre there is about each song; columns ``genres`` and ``by``; shape (n_songs, n_genres)."""
    counts, by = lengths_of(songs["by"])
    of_artists = sparse_of(pa.chunked_array([by.field("genres")]), n_genres, by.field("weights"))
    found = sparse.csr_matrix(sparse_of(songs["genres"], n_genres) + means(counts) @ of_artists)
    found.sort_indices()
    return found


def means(counts: np.ndarray) -> sparse.csr_matrix:
    """Song x credit: a product with it is the mean over a song's artists."""
    starts = np.concatenate([[0], np.cumsum(counts)])
    data = np.repeat(1 / np.maximum(counts, 1), counts)
    return sparse.csr_matrix((data, np.arange(starts[-1]), starts), (len(counts), starts[-1]))


def by_text(column: pa.ChunkedArray) -> tuple[pa.DictionaryArray, sparse.csr_matrix]:
    """A column with its distinct texts, and which rows have each of them, as :func:`members` has it."""
    named = column.combine_chunks().dictionary_encode()
    return named, members(named.indices.to_numpy(), len(named.dictionary))


def members(groups: np.ndarray, n_groups: int) -> sparse.csr_matrix:
    """Group x row: 1 where a row is of a group; int64, shape (n_groups, n_rows)."""
    n_rows = len(groups)
    return sparse.csr_matrix((np.ones(n_rows, np.int64), (groups, np.arange(n_rows))), (n_groups, n_rows))


def sparse_of(lists: pa.ChunkedArray, width: int, weights: pa.Array | None = None) -> sparse.csr_matrix:
    """Lists of genres as rows, each genre once or with its weight."""
    counts, codes = lengths_of(lists)
    data = np.ones(len(codes)) if weights is None else weights.flatten().to_numpy(zero_copy_only=False)
    return sparse.csr_matrix((data, codes.to_numpy(), np.concatenate([[0], np.cumsum(counts)])), (len(counts), width))


@dataclass(frozen=True, slots=True)
class _Albums:
    """For each song on an album of several artists the mean of what is around the album's songs."""

    n_genres: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        album, first = (songs[name].combine_chunks().dictionary_encode() for name in ("album", "first"))
        codes, artists = album.indices.to_numpy(), first.indices.to_numpy()
        of = members(codes, len(album.dictionary))
        sizes = np.diff(of.indptr)
        pairs = np.unique(np.stack([codes, artists]), axis=1)
        compiled = np.bincount(pairs[0], minlength=len(sizes)) >= COMPILATION
        amounts = around(songs, self.n_genres)
        amounts.data = whole(amounts.data)
        of_albums = sparse.csr_matrix(of @ amounts)  # whole numbers, for songs come in any order
        of_albums.data = np.rint(of_albums.data / np.repeat(sizes, np.diff(of_albums.indptr)))
        kept = np.flatnonzero(compiled[codes])
        return {"place": songs["place"].to_numpy()[kept], **_lists(sparse.csr_matrix(of_albums[codes[kept]]))}


@dataclass(frozen=True, slots=True)
class _Added:
    """The sum over each artist's songs of what is on their compilations."""

    n_genres: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        named, of = by_text(songs["artist"])
        amounts = sparse_of(songs["around"], self.n_genres, songs["amounts"].combine_chunks())
        return {"artist": named.dictionary, **_lists(sparse.csr_matrix(of @ amounts))}


@dataclass(frozen=True, slots=True)
class _Together:
    """An artist's own genres and those of compilations, a song of the artist's in the mean."""

    n_genres: int

    def __call__(self, artists: pa.Table) -> dict[str, Any]:
        own = sparse_of(artists["genres"], self.n_genres, artists["weights"].combine_chunks())
        added = sparse_of(artists["around"], self.n_genres, artists["amounts"].combine_chunks())
        per_song = sparse.diags(1 / WHOLE / artists["credits"].to_numpy())
        found = sparse.csr_matrix(own + per_song @ added)
        found.sort_indices()
        columns = {name: artists[name] for name in artists.column_names}
        weights = ragged(np.diff(found.indptr), found.data, pa.float64())
        return {**columns, "genres": ragged(np.diff(found.indptr), found.indices, pa.int32()), "weights": weights}


def _lists(amounts: sparse.csr_matrix) -> dict[str, Any]:
    amounts.sort_indices()
    counts = np.diff(amounts.indptr)
    return {
        "around": ragged(counts, amounts.indices, pa.int32()),
        "amounts": ragged(counts, amounts.data.astype(np.int64), pa.int64()),
    }
