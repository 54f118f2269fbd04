"""What is known of each song before it is embedded: its sound, genres and words, and those of its artists.

A mean over artists, albums or genres is a sum of fixed-point numbers, which is exact in whatever order it is taken.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from segue.engine.space import RankTransform, encode_audio
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.model.embedding import ARTIST_AUDIO_COLUMNS, PRIOR_SONGS, fit_ranks, mask_unanalysed
from segue_build.model.incidence import MIN_COMPILATION_ARTISTS, row_means
from segue_build.model.title_blocks import WordEmbedding
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.multivalue import SEPARATOR
from segue_build.spark.batches import (
    Frame,
    flatten_lists,
    list_column,
    map_batches,
    map_partitions_by_key,
    persist,
    ragged_column,
    sum_by_group,
    to_matrix,
)

SAMPLE_SIZE = 250_000  # songs from which ranks, words and genres are learned at the most
FIXED_POINT = 2.0**30  # parts of 1 in which numbers are summed, so that sums are exact and in any order the same
MISSING = np.iinfo(np.int64).min
NUMERIC_COLUMNS = [attribute.name for attribute in NUMERIC_ATTRIBUTES]
FEATURES = pa.schema([
    ("source_row", pa.int64()), ("artists", pa.list_(pa.string())), ("genres", pa.list_(pa.int32())),
    ("sound", pa.list_(pa.int64())), ("words", pa.list_(pa.int64())), ("popularity", pa.float64()),
    ("album", pa.string()), ("numbers", pa.list_(pa.float64())),
])  # fmt: skip
_ALBUM_GENRES = pa.schema(
    [("source_row", pa.int64()), ("context_genres", pa.list_(pa.int32())), ("context_weights", pa.list_(pa.int64()))]
)
_COMPILATION_GENRES = pa.schema(
    [("artist", pa.string()), ("context_genres", pa.list_(pa.int32())), ("context_weights", pa.list_(pa.int64()))]
)
ARTIST_FEATURES = pa.schema([
    ("artist", pa.string()), ("n_credits", pa.int32()), ("n_analysed", pa.int32()), ("sound", pa.list_(pa.float64())),
    ("words", pa.list_(pa.float64())), ("max_popularity", pa.float64()), ("genres", pa.list_(pa.int32())),
    ("weights", pa.list_(pa.float64())),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class FittedFeatures:
    """What a sample of songs taught, and the sums of all.

    genres : all there are, sorted
    sound : float64, shape (n_telling,), the mean sound
    genre_sound : float64, shape (n_genres, n_telling), that of each genre's songs
    """

    ranks: RankTransform
    words: WordEmbedding
    genres: list[str]
    sound: np.ndarray
    genre_sound: np.ndarray


def sample_rows(frame: Frame, n_songs: int, limit: int, columns: list[str]) -> pa.Table:
    """Some columns of at most about so many songs, which their ids choose, in the order of the source."""
    from pyspark.sql import functions as sql

    if n_songs > limit:
        frame = frame.where(sql.pmod(sql.xxhash64("id"), sql.lit(1 << 30)) < int(limit / n_songs * (1 << 30)))
    return frame.select("source_row", *columns).toArrow().sort_by("source_row")


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Canonical columns as the single-machine engine has them."""
    frame = table.to_pandas()
    return frame.assign(**{name: frame[name].astype("str") for name in ("name", "album") if name in frame})


def audio_block(frame: pd.DataFrame, ranks: RankTransform) -> np.ndarray:
    """The audio block, shape (n_songs, len(AUDIO_COLUMNS))."""
    analysed = mask_unanalysed(frame)
    return encode_audio({name: analysed[name].to_numpy(np.float64) for name in NUMERIC_COLUMNS}, ranks)


def fit_features(songs: Frame, n_songs: int, seed: int) -> tuple[FittedFeatures, Frame]:
    """Learn from songs, and their features by that."""
    from pyspark.sql import functions as sql

    sample = to_pandas(sample_rows(songs, n_songs, SAMPLE_SIZE, ["name", "album", *NUMERIC_COLUMNS]))
    ranks, words = fit_ranks(mask_unanalysed(sample)), WordEmbedding(sample, seed)
    split = songs.select(sql.explode(sql.split("genres", SEPARATOR)).alias("genre")).distinct()
    genres = sorted(split.toArrow()["genre"].to_pylist())
    features = persist(
        map_batches(songs.select(*CANONICAL_COLUMNS, "source_row"), FEATURES, _ExtractFeatures(ranks, words, genres))
    )
    sums = sum_by_group(features, (len(genres) + 1, 3 * len(ARTIST_AUDIO_COLUMNS)), _GenreSums(len(genres)))
    known, unknown, sound = np.split(sums, 3, axis=1)
    mean = sound[-1] / FIXED_POINT / np.maximum(known[-1], 1)
    genre_sound = (sound / FIXED_POINT + unknown * mean) / np.maximum(known + unknown, 1)
    return FittedFeatures(ranks, words, genres, mean, genre_sound[:-1]), features


@dataclass(frozen=True, slots=True)
class _ExtractFeatures:
    ranks: RankTransform
    words: WordEmbedding
    genres: list[str]

    def __call__(self, songs: pa.Table) -> dict[str, pa.Array]:
        frame = to_pandas(songs)
        sound = audio_block(frame, self.ranks)[:, ARTIST_AUDIO_COLUMNS]
        codes = {name: code for code, name in enumerate(self.genres)}
        split = [text.split(SEPARATOR) if text else [] for text in songs["genres"].to_pylist()]
        return {
            "source_row": songs["source_row"],
            "artists": [text.split(SEPARATOR) if text else [] for text in songs["artists"].to_pylist()],
            "genres": [[codes[genre] for genre in genres] for genres in split],
            "sound": list_column(
                np.where(np.isnan(sound), MISSING, to_fixed_point(np.nan_to_num(sound))), pa.int64()
            ),
            "words": list_column(to_fixed_point(self.words.transform(frame)), pa.int64()),
            "popularity": songs["popularity"],
            "album": songs["album"],
            "numbers": list_column(frame[[*NUMERIC_COLUMNS, "explicit"]].to_numpy(np.float64), pa.float64()),
        }


def to_fixed_point(values: np.ndarray) -> np.ndarray:
    """Numbers as whole parts, int64."""
    return np.rint(values * FIXED_POINT).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _GenreSums:
    """What songs add to their genres, and last to all: column by column how many are known, and not, and sums."""

    n_genres: int

    def __call__(self, features: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        sound = to_matrix(features["sound"], len(ARTIST_AUDIO_COLUMNS))
        known = sound != MISSING
        rows = np.column_stack([known, ~known, np.where(known, sound, 0)])
        counts, codes = flatten_lists(features["genres"])
        every = np.full(len(rows), self.n_genres)
        return np.concatenate([codes.to_numpy(), every]), np.concatenate([np.repeat(rows, counts, axis=0), rows])


def add_compilation_genres(
    features: Frame, artist_credits: Frame, artists: Frame, schema: pa.Schema, n_genres: int
) -> Frame:
    """Artists, to whose genres those are added that are on the compilations that their songs are on.

    artist_credits : columns ``source_row``, ``position`` and ``artist``
    artists : columns of ``schema``, with ``n_credits``, ``genres`` and ``weights``
    """
    from pyspark.sql import functions as sql

    first = sql.col("artists")[0].alias("first")
    of_songs = artists_of_songs(artist_credits, artists.select("artist", "genres", "weights"))
    sung = (
        features.where("album IS NOT NULL")
        .select("source_row", "album", first, "genres")
        .join(of_songs, "source_row")
    )
    on_albums = artist_credits.join(
        map_partitions_by_key(sung, "album", _ALBUM_GENRES, _AverageAlbums(n_genres)), "source_row"
    )
    added = map_partitions_by_key(on_albums, "artist", _COMPILATION_GENRES, _SumCompilations(n_genres))
    return map_batches(artists.join(added, "artist", "left"), schema, _CombineGenres(n_genres))


def artists_of_songs(artist_credits: Frame, artists: Frame) -> Frame:
    """Columns ``source_row`` and ``artist_features``: the artists of each song that has any, in their order."""
    from pyspark.sql import functions as sql

    mine = artist_credits.select("source_row", "position", "artist").join(artists, "artist")
    by = sql.sort_array(sql.collect_list(sql.struct("position", *artists.columns))).alias("artist_features")
    return mine.groupBy("source_row").agg(by)


def genre_context(songs: pa.Table, n_genres: int) -> sparse.csr_matrix:
    """How much of each genre there is about each song, from its own genres and its artists'; (n_songs, n_genres)."""
    counts, by = flatten_lists(songs["artist_features"])
    of_artists = lists_to_csr(pa.chunked_array([by.field("genres")]), n_genres, by.field("weights"))
    found = sparse.csr_matrix(lists_to_csr(songs["genres"], n_genres) + mean_over_artists(counts) @ of_artists)
    found.sort_indices()
    return found


def mean_over_artists(counts: np.ndarray) -> sparse.csr_matrix:
    """Song x credit: a product with it is the mean over a song's artists."""
    starts = np.concatenate([[0], np.cumsum(counts)])
    data = np.repeat(1 / np.maximum(counts, 1), counts)
    return sparse.csr_matrix((data, np.arange(starts[-1]), starts), (len(counts), starts[-1]))


def group_by_text(column: pa.ChunkedArray) -> tuple[pa.DictionaryArray, sparse.csr_matrix]:
    """A column with its distinct texts, and which rows have each of them, as :func:`incidence` has it."""
    named = column.combine_chunks().dictionary_encode()
    return named, incidence(named.indices.to_numpy(), len(named.dictionary))


def incidence(groups: np.ndarray, n_groups: int) -> sparse.csr_matrix:
    """Group x row: 1 where a row is of a group; int64, shape (n_groups, n_rows)."""
    n_rows = len(groups)
    return sparse.csr_matrix((np.ones(n_rows, np.int64), (groups, np.arange(n_rows))), (n_groups, n_rows))


def lists_to_csr(lists: pa.ChunkedArray, width: int, weights: pa.Array | None = None) -> sparse.csr_matrix:
    """Lists of genres as rows, each genre once or with its weight."""
    counts, codes = flatten_lists(lists)
    data = np.ones(len(codes)) if weights is None else weights.flatten().to_numpy(zero_copy_only=False)
    return sparse.csr_matrix((data, codes.to_numpy(), np.concatenate([[0], np.cumsum(counts)])), (len(counts), width))


@dataclass(frozen=True, slots=True)
class _AverageAlbums:
    """For each song on an album of several artists the mean of what is around the album's songs."""

    n_genres: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        album, first = (songs[name].combine_chunks().dictionary_encode() for name in ("album", "first"))
        codes, artists = album.indices.to_numpy(), first.indices.to_numpy()
        songs_of_albums = incidence(codes, len(album.dictionary))
        sizes = np.diff(songs_of_albums.indptr)
        first_artists = np.unique(np.stack([codes, artists]), axis=1)
        compiled = np.bincount(first_artists[0], minlength=len(sizes)) >= MIN_COMPILATION_ARTISTS
        amounts = genre_context(songs, self.n_genres)
        amounts.data = to_fixed_point(amounts.data)
        of_albums = sparse.csr_matrix(songs_of_albums @ amounts)  # whole numbers, for songs come in any order
        of_albums.data = np.rint(of_albums.data / np.repeat(sizes, np.diff(of_albums.indptr)))
        rows = np.flatnonzero(compiled[codes])
        return {
            "source_row": songs["source_row"].to_numpy()[rows],
            **_genre_columns(sparse.csr_matrix(of_albums[codes[rows]])),
        }


@dataclass(frozen=True, slots=True)
class _SumCompilations:
    """The sum over each artist's songs of what is on their compilations."""

    n_genres: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        named, of = group_by_text(songs["artist"])
        amounts = lists_to_csr(songs["context_genres"], self.n_genres, songs["context_weights"].combine_chunks())
        return {"artist": named.dictionary, **_genre_columns(sparse.csr_matrix(of @ amounts))}


@dataclass(frozen=True, slots=True)
class _CombineGenres:
    """An artist's own genres and those of compilations, a song of the artist's in the mean."""

    n_genres: int

    def __call__(self, artists: pa.Table) -> dict[str, Any]:
        own = lists_to_csr(artists["genres"], self.n_genres, artists["weights"].combine_chunks())
        added = lists_to_csr(artists["context_genres"], self.n_genres, artists["context_weights"].combine_chunks())
        per_song = sparse.diags(1 / FIXED_POINT / artists["n_credits"].to_numpy())
        found = sparse.csr_matrix(own + per_song @ added)
        found.sort_indices()
        columns = {name: artists[name] for name in artists.column_names}
        weights = ragged_column(np.diff(found.indptr), found.data, pa.float64())
        return {
            **columns,
            "genres": ragged_column(np.diff(found.indptr), found.indices, pa.int32()),
            "weights": weights,
        }


def _genre_columns(amounts: sparse.csr_matrix) -> dict[str, Any]:
    amounts.sort_indices()
    counts = np.diff(amounts.indptr)
    return {
        "context_genres": ragged_column(counts, amounts.indices, pa.int32()),
        "context_weights": ragged_column(counts, amounts.data.astype(np.int64), pa.int64()),
    }


def join_artists(features: Frame, fitted: FittedFeatures) -> Frame:
    """Songs' features, and in the column ``artist_features`` their artists in their order."""
    from pyspark.sql import functions as sql

    artist_credits = features.select("*", sql.posexplode("artists").alias("position", "artist")).drop("artists")
    artist_rows = persist(map_partitions_by_key(artist_credits, "artist", ARTIST_FEATURES, _SumArtists(fitted)))
    artist_credits = persist(artist_credits.select("source_row", "position", "artist"))
    found = add_compilation_genres(features, artist_credits, artist_rows, ARTIST_FEATURES, len(fitted.genres))
    return features.join(artists_of_songs(artist_credits, found), "source_row", "left")


@dataclass(frozen=True, slots=True)
class _SumArtists:
    fitted: FittedFeatures

    def __call__(self, artist_credits: pa.Table) -> dict[str, Any]:
        named, songs_of_artists = group_by_text(artist_credits["artist"])
        n_songs = np.diff(songs_of_artists.indptr)
        genres = self._genre_counts(songs_of_artists, artist_credits)
        analysed, sounds = self._mean_sound(songs_of_artists, artist_credits, genres)
        words = (
            songs_of_artists
            @ to_matrix(artist_credits["words"], self.fitted.words.dimensions)
            / FIXED_POINT
            / n_songs[:, None]
        )
        counts = np.diff(genres.indptr)
        return {
            "artist": named.dictionary,
            "n_credits": n_songs.astype(np.int32),
            "n_analysed": analysed.astype(np.int32),
            "sound": list_column(sounds, pa.float64()),
            "words": list_column(words, pa.float64()),
            "max_popularity": _max_popularity(named.indices.to_numpy(), len(named.dictionary), artist_credits),
            "genres": ragged_column(counts, genres.indices, pa.int32()),
            "weights": ragged_column(counts, genres.data / np.repeat(n_songs, counts), pa.float64()),
        }

    def _genre_counts(self, songs_of_artists: sparse.csr_matrix, artist_credits: pa.Table) -> sparse.csr_matrix:
        """How many of each artist's songs have a genre; int64, shape (n_artists, n_genres)."""
        found = sparse.csr_matrix(
            songs_of_artists @ lists_to_csr(artist_credits["genres"], len(self.fitted.genres)).astype(np.int64)
        )
        found.sort_indices()
        return found

    def _mean_sound(
        self, songs_of_artists: sparse.csr_matrix, artist_credits: pa.Table, genres: sparse.csr_matrix
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of how many songs the sound is known, and mean sounds, near their genres' where an artist has few songs."""
        sound = to_matrix(artist_credits["sound"], len(ARTIST_AUDIO_COLUMNS))
        known = sound != MISSING
        analysed = known.any(axis=1)
        imputed = np.where(known, sound, to_fixed_point(self.fitted.sound))
        sums, songs = (
            songs_of_artists @ np.where(analysed[:, None], imputed, 0) / FIXED_POINT,
            songs_of_artists @ analysed.astype(np.int64),
        )
        n_pseudo_songs = PRIOR_SONGS * (np.diff(genres.indptr) > 0)
        pseudo_sums = n_pseudo_songs[:, None] * (row_means(genres) @ self.fitted.genre_sound)
        return songs, np.asarray((sums + pseudo_sums) / np.maximum(songs + n_pseudo_songs, 1)[:, None])


def _max_popularity(artists: np.ndarray, n_artists: int, artist_credits: pa.Table) -> np.ndarray:
    """The popularity of the best-known song of which each is the first artist; NaN without one."""
    popularity = artist_credits["popularity"].to_numpy()
    first = (artist_credits["position"].to_numpy() == 0) & ~np.isnan(popularity)
    highest = np.full(n_artists, np.nan)
    np.fmax.at(highest, artists[first], popularity[first])
    return highest
