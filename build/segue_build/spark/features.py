"""What is known of each song before it is embedded: its sound, genres and words, and those of its artists."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from segue.engine.space import RankTransform
from segue_build.model.artist_features import (
    ARTIST_AUDIO_COLUMNS,
    ArtistFeatures,
    GenreSound,
    artist_sound,
    sound_terms,
)
from segue_build.model.embedding import NUMBERS, audio_block, fit_ranks, mask_unanalysed
from segue_build.model.genre_block import add_compilations, compilation_genres, genre_context
from segue_build.model.incidence import group_members, to_fixed_point
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
    sample_rows,
    sum_by_group,
    to_matrix,
)

SAMPLE_SIZE = 250_000  # songs from which ranks, words and genres are learned at the most
FEATURES = pa.schema([
    ("source_row", pa.int64()), ("artists", pa.list_(pa.string())), ("genres", pa.list_(pa.int32())),
    ("sound", pa.list_(pa.int64())), ("words", pa.list_(pa.int64())), ("popularity", pa.float64()),
    ("album", pa.string()), ("numbers", pa.list_(pa.float64())),
])  # fmt: skip
_ALBUM_GENRES = pa.schema(
    [("source_row", pa.int64()), ("album_genres", pa.list_(pa.int32())), ("amounts", pa.list_(pa.int64()))]
)
_COMPILATION_GENRES = pa.schema(
    [("artist", pa.string()), ("album_genres", pa.list_(pa.int32())), ("amounts", pa.list_(pa.int64()))]
)
# of ArtistFeatures; the last two are its sparse rows
ARTIST_FEATURES = pa.schema([
    ("artist", pa.string()), ("n_songs", pa.int64()), ("n_analysed", pa.int64()), ("sound", pa.list_(pa.float64())),
    ("words", pa.list_(pa.float64())), ("max_popularity", pa.float64()), ("genres", pa.list_(pa.int32())),
    ("shares", pa.list_(pa.float64())),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class FittedFeatures:
    """What a sample of songs taught, and the sums of all.

    genres : all there are, sorted
    """

    ranks: RankTransform
    words: WordEmbedding
    genres: list[str]
    genre_sound: GenreSound


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Canonical columns as the single-machine engine has them."""
    frame = table.to_pandas()
    texts = [name for name in ("name", "album", "artists") if name in frame]
    return frame.assign(**{name: frame[name].astype("str") for name in texts})


def fit_features(songs: Frame, n_songs: int, seed: int) -> tuple[FittedFeatures, Frame]:
    """Learn from songs, and their features by that."""
    from pyspark.sql import functions as sql

    sample = to_pandas(sample_rows(songs, n_songs, SAMPLE_SIZE, ["name", "album", *NUMBERS]))
    ranks, words = fit_ranks(mask_unanalysed(sample)), WordEmbedding(sample, seed)
    split = songs.select(sql.explode(sql.split("genres", SEPARATOR)).alias("genre")).distinct()
    genres = sorted(split.toArrow()["genre"].to_pylist())
    features = persist(
        map_batches(songs.select(*CANONICAL_COLUMNS, "source_row"), FEATURES, _ExtractFeatures(ranks, words, genres))
    )
    sums = sum_by_group(features, (len(genres) + 1, 3 * len(ARTIST_AUDIO_COLUMNS)), _GenreTerms(len(genres)))
    return FittedFeatures(ranks, words, genres, GenreSound.from_sums(sums)), features


@dataclass(frozen=True, slots=True)
class _ExtractFeatures:
    ranks: RankTransform
    words: WordEmbedding
    genres: list[str]

    def __call__(self, songs: pa.Table) -> dict[str, pa.Array]:
        frame = to_pandas(songs)
        numbers = {name: frame[name].to_numpy(np.float64) for name in NUMBERS}
        codes = {name: code for code, name in enumerate(self.genres)}
        split = [text.split(SEPARATOR) if text else [] for text in songs["genres"].to_pylist()]
        return {
            **{name: songs[name] for name in ("source_row", "popularity", "album")},
            "artists": [text.split(SEPARATOR) if text else [] for text in songs["artists"].to_pylist()],
            "genres": [[codes[genre] for genre in genres] for genres in split],
            "sound": list_column(artist_sound(audio_block(numbers, self.ranks)), pa.int64()),
            "words": list_column(to_fixed_point(self.words.transform(frame)), pa.int64()),
            "numbers": list_column(np.stack(list(numbers.values()), axis=1), pa.float64()),
        }


@dataclass(frozen=True, slots=True)
class _GenreTerms:
    """What songs add to the sums of their genres, and last to that of all songs."""

    n_genres: int

    def __call__(self, features: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        terms = sound_terms(to_matrix(features["sound"], len(ARTIST_AUDIO_COLUMNS)))
        counts, codes = flatten_lists(features["genres"])
        all_songs = np.full(len(terms), self.n_genres)
        return np.concatenate([codes.to_numpy(), all_songs]), np.concatenate(
            [np.repeat(terms, counts, axis=0), terms]
        )


def join_artists(features: Frame, fitted: FittedFeatures) -> Frame:
    """Songs' features, and in the column ``artist_features`` their artists in their order."""
    from pyspark.sql import functions as sql

    n_genres = len(fitted.genres)
    exploded = features.select("*", sql.posexplode("artists").alias("position", "artist")).drop("artists")
    artists = persist(map_partitions_by_key(exploded, "artist", ARTIST_FEATURES, _SumArtists(fitted)))
    song_artists = persist(exploded.select("source_row", "position", "artist"))
    first = sql.col("artists")[0].alias("first")
    on_albums = (
        features.where("album IS NOT NULL")
        .select("source_row", "album", first, "genres")
        .join(_artists_by_song(song_artists, artists.select("artist", "genres", "shares")), "source_row")
    )
    on_compilations = map_partitions_by_key(on_albums, "album", _ALBUM_GENRES, _CompilationGenres(n_genres))
    sums = map_partitions_by_key(
        song_artists.join(on_compilations, "source_row"), "artist", _COMPILATION_GENRES, _SumCompilations(n_genres)
    )
    completed = map_batches(artists.join(sums, "artist", "left"), ARTIST_FEATURES, _AddCompilations(n_genres))
    return features.join(_artists_by_song(song_artists, completed), "source_row", "left")


def _artists_by_song(song_artists: Frame, artists: Frame) -> Frame:
    """Columns ``source_row`` and ``artist_features``: the artists of each song that has any, in their order."""
    from pyspark.sql import functions as sql

    joined = song_artists.select("source_row", "position", "artist").join(artists, "artist")
    in_order = sql.sort_array(sql.collect_list(sql.struct("position", *artists.columns))).alias("artist_features")
    return joined.groupBy("source_row").agg(in_order)


@dataclass(frozen=True, slots=True)
class _SumArtists:
    """Features of artists from all of their songs, a row for each artist of a song."""

    fitted: FittedFeatures

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        codes, names = _factorize(songs["artist"])
        artists = ArtistFeatures.from_songs(
            group_members(codes, len(names)),
            np.where(songs["position"].to_numpy() == 0, codes, -1),
            to_matrix(songs["sound"], len(ARTIST_AUDIO_COLUMNS)),
            to_matrix(songs["words"], self.fitted.words.dimensions),
            songs["popularity"].to_numpy(),
            genre_matrix(songs["genres"], len(self.fitted.genres)),
            self.fitted.genre_sound,
        )
        return {
            "artist": names,
            "n_songs": artists.n_songs,
            "n_analysed": artists.n_analysed,
            "sound": list_column(artists.sound, pa.float64()),
            "words": list_column(artists.words, pa.float64()),
            "max_popularity": artists.max_popularity,
            **_genre_columns(artists.genres, "genres", "shares", pa.float64()),
        }


@dataclass(frozen=True, slots=True)
class _CompilationGenres:
    """The genres of the compilation that each song is on, if it is."""

    n_genres: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        (albums, _), (first, _) = _factorize(songs["album"]), _factorize(songs["first"])
        means, artists = artist_rows(songs)
        of_artists = genre_matrix(artists.field("genres"), self.n_genres, artists.field("shares"))
        context = genre_context(genre_matrix(songs["genres"], self.n_genres), means, of_artists)
        found = compilation_genres(albums, first, context)
        rows = np.flatnonzero(np.diff(found.indptr)[albums])
        return {
            "source_row": songs["source_row"].to_numpy()[rows],
            **_genre_columns(found[albums[rows]], "album_genres", "amounts", pa.int64()),
        }


@dataclass(frozen=True, slots=True)
class _SumCompilations:
    """The sum over each artist's songs of the genres of their compilations."""

    n_genres: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        codes, names = _factorize(songs["artist"])
        amounts = genre_matrix(songs["album_genres"], self.n_genres, songs["amounts"])
        sums = sparse.csr_matrix(group_members(codes, len(names)) @ amounts)
        return {"artist": names, **_genre_columns(sums, "album_genres", "amounts", pa.int64())}


@dataclass(frozen=True, slots=True)
class _AddCompilations:
    """Artists' features, to whose genres those of compilations are added."""

    n_genres: int

    def __call__(self, artists: pa.Table) -> dict[str, Any]:
        own = genre_matrix(artists["genres"], self.n_genres, artists["shares"])
        sums = genre_matrix(artists["album_genres"], self.n_genres, artists["amounts"])
        both = add_compilations(own, sums, artists["n_songs"].to_numpy())
        columns = {name: artists[name] for name in artists.column_names}
        return {**columns, **_genre_columns(both, "genres", "shares", pa.float64())}


def artist_rows(songs: pa.Table) -> tuple[sparse.csr_matrix, pa.StructArray]:
    """The artists of all songs end to end, and a matrix by which a product is the mean over a song's artists."""
    counts, artists = flatten_lists(songs["artist_features"])
    starts = np.concatenate([[0], np.cumsum(counts)])
    data = np.repeat(1 / np.maximum(counts, 1), counts)
    return sparse.csr_matrix((data, np.arange(starts[-1]), starts), (len(counts), starts[-1])), artists


def genre_matrix(lists: Any, n_genres: int, amounts: Any = None) -> sparse.csr_matrix:
    """A column of lists of genres as a matrix, shape (n_rows, n_genres): 1 where a row has a genre, or its amount."""
    counts, codes = flatten_lists(lists)
    data = np.ones(len(codes)) if amounts is None else flatten_lists(amounts)[1].to_numpy(zero_copy_only=False)
    return sparse.csr_matrix(
        (data, codes.to_numpy(), np.concatenate([[0], np.cumsum(counts)])), (len(counts), n_genres)
    )


def _genre_columns(matrix: sparse.csr_matrix, codes: str, amounts: str, kind: pa.DataType) -> dict[str, pa.Array]:
    """The same back: a column of genres and one of their amounts."""
    counts = np.diff(matrix.indptr)
    return {
        codes: ragged_column(counts, matrix.indices, pa.int32()),
        amounts: ragged_column(counts, matrix.data, kind),
    }


def _factorize(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """The number of each row's text, and the texts."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary
