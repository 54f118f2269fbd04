"""Songs as vectors: segue_build.model's functions on batches of songs, and on partitions with all of an artist's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from segue.engine.space import RankTransform, Space
from segue_build.model import artist_features, title_blocks
from segue_build.model.artist_features import ARTIST_AUDIO_COLUMNS, ArtistFeatures, GenreSound
from segue_build.model.embedding import (
    BLOCK_NAMES,
    NUMBERS,
    BlockEncoder,
    Songs,
    VectorEncoder,
    audio_block,
    fit_encoder,
    fit_ranks,
    fit_vectors,
    mask_unanalysed,
)
from segue_build.model.genre_block import add_compilations, compilation_genres, genre_context
from segue_build.model.incidence import build_incidence, group_members, to_fixed_point
from segue_build.model.title_blocks import OCCASIONS, DistinctTexts, NamedOccasions, PhraseClassifier, WordEmbedding
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import SEPARATOR
from segue_build.spark.batches import (
    Frame,
    flatten_lists,
    list_column,
    map_batches,
    map_partitions_by_key,
    persist,
    ragged_column,
    reduce_batches,
    sample_rows,
    to_matrix,
)

SAMPLE_SIZE = 250_000  # songs from which ranks, words, phrases and genres are learned at the most
OCCASION_KEYS = pa.schema([
    ("source_row", pa.int64()), ("first", pa.string()), ("title_key", pa.string()), ("album_key", pa.string()),
    ("flags", pa.int32()),
])  # fmt: skip
FEATURES = pa.schema([
    *OCCASION_KEYS, ("artists", pa.list_(pa.string())), ("name", pa.string()), ("album", pa.string()),
    ("genres", pa.list_(pa.int32())), ("sound", pa.list_(pa.int64())), ("words", pa.list_(pa.int64())),
    ("numbers", pa.list_(pa.float64())), ("popularity", pa.float64()),
])  # fmt: skip
OCCASION_FLAGS = pa.schema([("source_row", pa.int64()), ("occasions", pa.int32()), ("seedable", pa.bool_())])
# of ArtistFeatures; the last two are its sparse rows
ARTIST_FEATURES = pa.schema([
    ("artist", pa.string()), ("n_songs", pa.int64()), ("n_analysed", pa.int64()), ("sound", pa.list_(pa.float64())),
    ("words", pa.list_(pa.float64())), ("max_popularity", pa.float64()), ("genres", pa.list_(pa.int32())),
    ("shares", pa.list_(pa.float64())),
])  # fmt: skip
ALBUM_GENRES = pa.schema(
    [("source_row", pa.int64()), ("album_genres", pa.list_(pa.int32())), ("amounts", pa.list_(pa.int64()))]
)
BLOCKS = pa.schema([("source_row", pa.int64()), ("blocks", pa.list_(pa.float64())), ("seedable", pa.bool_())])
VECTORS = pa.schema([("source_row", pa.int64()), ("vector", pa.list_(pa.int8())), ("present", pa.int32())])


def embed(
    songs: Frame, n_songs: int, report: IngestReport, seed: int, weights: Mapping[str, float]
) -> tuple[Space, RankTransform, Frame]:
    """The space, ranks of attributes, and every song as a vector: columns of ``VECTORS``.

    Parameters are those of :func:`segue_build.model.embedding.embed`.
    """
    extract = _fit_extraction(songs, n_songs, seed)
    features = persist(map_batches(songs.select(*CANONICAL_COLUMNS, "source_row"), FEATURES, extract))
    sums, n_words = _SongSums(len(extract.genres)), extract.words.dimensions
    sound = GenreSound.from_sums(reduce_batches(features, sums.sum_sound, np.add))
    described = persist(_join_artists(features, sums, sound).join(_find_occasions(features), "source_row"))
    describe, names = _DescribeSongs(sums, n_words), tuple(name for name in BLOCK_NAMES if weights.get(name))
    sample = describe(sample_rows(described, n_songs, SAMPLE_SIZE, described.columns[1:]))
    encoder = fit_encoder(sample, extract.ranks, names, seed)
    del sample
    blocks = persist(map_batches(described, BLOCKS, _EncodeBlocks(describe, encoder)))
    blocks_of = partial(_split_blocks, encoder.widths)
    space, encode = fit_vectors(
        lambda function, operation: reduce_batches(blocks, lambda table: function(blocks_of(table)), operation),
        encoder.widths,
        report,
        weights,
    )
    return (
        space,
        extract.ranks,
        persist(map_batches(blocks, VECTORS, partial(_encode_vectors, encode, encoder.widths))),
    )


@dataclass(frozen=True, slots=True)
class _ExtractFeatures:
    """What is known of songs by themselves: columns of ``FEATURES``."""

    ranks: RankTransform
    words: WordEmbedding
    phrases: PhraseClassifier
    genres: list[str]

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        frame = to_pandas(songs)
        numbers = {name: frame[name].to_numpy(np.float64) for name in NUMBERS}
        codes = {name: code for code, name in enumerate(self.genres)}
        artists, genres = (
            [text.split(SEPARATOR) if text else [] for text in songs[name].to_pylist()]
            for name in ("artists", "genres")
        )
        titles, albums = (DistinctTexts.from_column(frame[name]) for name in ("name", "album"))
        named = NamedOccasions.of(titles, albums, build_incidence(frame["artists"]), self.phrases)
        rows = songs["source_row"].to_pylist()
        # A text of its own where there is none, so that such songs are spread over partitions.
        keys = (
            [texts.texts[code] or f"\x1f{row}" for code, row in zip(texts.codes, rows)] for texts in (titles, albums)
        )
        return {
            **{name: songs[name] for name in ("source_row", "popularity", "name", "album")},
            **dict(zip(("title_key", "album_key"), keys)),
            "first": [names[0] if names else "" for names in artists],
            "flags": _pack_bits(named.certain, named.by_album_pattern, named.by_album),
            "artists": artists,
            "genres": [[codes[genre] for genre in of_song] for of_song in genres],
            "sound": list_column(artist_features.artist_sound(audio_block(numbers, self.ranks)), pa.int64()),
            "words": list_column(to_fixed_point(self.words.transform(frame)), pa.int64()),
            "numbers": list_column(np.stack(list(numbers.values()), axis=1), pa.float64()),
        }


def _fit_extraction(songs: Frame, n_songs: int, seed: int) -> _ExtractFeatures:
    """Learn from a sample of songs, and find all genres that there are."""
    from pyspark.sql import functions as sql

    sample = to_pandas(sample_rows(songs, n_songs, SAMPLE_SIZE, ["name", "album", *NUMBERS]))
    texts = (DistinctTexts.from_column(sample[name]) for name in ("name", "album"))
    phrases = title_blocks.fit_phrase_classifier(*texts)
    split = songs.select(sql.explode(sql.split("genres", SEPARATOR)).alias("genre")).distinct()
    genres = sorted(split.toArrow()["genre"].to_pylist())
    return _ExtractFeatures(fit_ranks(mask_unanalysed(sample)), WordEmbedding.fit(sample, seed)[0], phrases, genres)


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Canonical columns as the single-machine engine has them."""
    frame = table.to_pandas()
    texts = [name for name in ("name", "album", "artists") if name in frame]
    return frame.assign(**{name: frame[name].astype("str") for name in texts})


def _join_artists(features: Frame, sums: "_SongSums", sound: GenreSound) -> Frame:
    """Songs' features, and in the column ``artist_features`` their artists in their order."""
    from pyspark.sql import functions as sql

    exploded = features.select("*", sql.posexplode("artists").alias("position", "artist")).drop("artists")
    artists = persist(map_partitions_by_key(exploded, "artist", ARTIST_FEATURES, partial(sums.sum_artists, sound)))
    song_artists = persist(exploded.select("source_row", "position", "artist"))
    around = _artists_by_song(song_artists, artists.select("artist", "genres", "shares"))
    on_albums = features.where("album IS NOT NULL").select("source_row", "album", "first", "genres")
    on_compilations = map_partitions_by_key(
        on_albums.join(around, "source_row"), "album", ALBUM_GENRES, sums.compilation_genres
    )
    amounts = song_artists.join(on_compilations, "source_row").select("artist", "album_genres", "amounts")
    completed = map_partitions_by_key(
        artists.join(amounts, "artist", "left"), "artist", ARTIST_FEATURES, sums.add_compilations
    )
    return features.join(_artists_by_song(song_artists, completed), "source_row", "left")


def _artists_by_song(song_artists: Frame, artists: Frame) -> Frame:
    """Columns ``source_row`` and ``artist_features``: the artists of each song that has any, in their order."""
    from pyspark.sql import functions as sql

    joined = song_artists.join(artists, "artist")
    in_order = sql.sort_array(sql.collect_list(sql.struct("position", *artists.columns))).alias("artist_features")
    return joined.groupBy("source_row").agg(in_order)


@dataclass(frozen=True, slots=True)
class _SongSums:
    """What songs add up to: functions of batches, and of partitions that hold all songs of an artist or album."""

    n_genres: int

    def sum_sound(self, features: pa.Table) -> np.ndarray:
        """What songs add to the sound of their genres and, last, of all songs."""
        return artist_features.sum_genre_sound(
            self.matrix(features["genres"]), to_matrix(features["sound"], len(ARTIST_AUDIO_COLUMNS))
        )

    def sum_artists(self, genre_sound: GenreSound, songs: pa.Table) -> dict[str, Any]:
        """Features of artists from all of their songs, a row for each artist of a song."""
        codes, names = _factorize(songs["artist"])
        members, n_words = group_members(codes, len(names)), len(songs["words"][0])
        artists = ArtistFeatures.from_songs(
            members,
            np.where(songs["position"].to_numpy() == 0, codes, -1),
            to_matrix(songs["sound"], len(ARTIST_AUDIO_COLUMNS)),
            to_matrix(songs["words"], n_words),
            title_blocks.artist_languages(members, songs["name"], songs["album"], n_words),
            songs["popularity"].to_numpy(),
            self.matrix(songs["genres"]),
            genre_sound,
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

    def compilation_genres(self, songs: pa.Table) -> dict[str, Any]:
        """The genres of the compilation that each song is on, if it is."""
        (albums, _), (first, _) = _factorize(songs["album"]), _factorize(songs["first"])
        means, artists = artist_rows(songs)
        of_artists = self.matrix(artists.field("genres"), artists.field("shares"))
        found = compilation_genres(albums, first, genre_context(self.matrix(songs["genres"]), means, of_artists))
        rows = np.flatnonzero(np.diff(found.indptr)[albums])
        return {
            "source_row": songs["source_row"].to_numpy()[rows],
            **_genre_columns(found[albums[rows]], "album_genres", "amounts", pa.int64()),
        }

    def add_compilations(self, artists: pa.Table) -> dict[str, Any]:
        """Artists' features, to whose genres those of compilations are added; a row for each song on one."""
        codes, names = _factorize(artists["artist"])
        amounts = self.matrix(artists["album_genres"], artists["amounts"])
        added = sparse.csr_matrix(group_members(codes, len(names)) @ amounts)
        artists = artists.take(np.unique(codes, return_index=True)[1])
        own = self.matrix(artists["genres"], artists["shares"])
        both = add_compilations(own, added, artists["n_songs"].to_numpy())
        columns = {name: artists[name] for name in ARTIST_FEATURES.names}
        return {**columns, **_genre_columns(both, "genres", "shares", pa.float64())}

    def matrix(self, lists: Any, amounts: Any = None) -> sparse.csr_matrix:
        """Lists of genres as a matrix, shape (n_rows, n_genres): 1 where a row has a genre, or its amount."""
        counts, codes = flatten_lists(lists)
        data = np.ones(len(codes)) if amounts is None else flatten_lists(amounts)[1].to_numpy(zero_copy_only=False)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return sparse.csr_matrix((data, codes.to_numpy(), starts), (len(counts), self.n_genres))


def artist_rows(songs: pa.Table) -> tuple[sparse.csr_matrix, pa.StructArray]:
    """The artists of all songs end to end, and a matrix by which a product is the mean over a song's artists."""
    counts, artists = flatten_lists(songs["artist_features"])
    starts = np.concatenate([[0], np.cumsum(counts)])
    data = np.repeat(1 / np.maximum(counts, 1), counts)
    return sparse.csr_matrix((data, np.arange(starts[-1]), starts), (len(counts), starts[-1])), artists


def _genre_columns(matrix: sparse.csr_matrix, codes: str, amounts: str, kind: pa.DataType) -> dict[str, pa.Array]:
    """A matrix of genres as a column of genres and one of their amounts."""
    counts = np.diff(matrix.indptr)
    return {
        codes: ragged_column(counts, matrix.indices, pa.int32()),
        amounts: ragged_column(counts, matrix.data, kind),
    }


def _find_occasions(features: Frame) -> Frame:
    """Columns of ``OCCASION_FLAGS``: what :func:`segue_build.model.title_blocks.occasion_block` returns."""
    by_title = map_partitions_by_key(features.select(*OCCASION_KEYS.names), "title_key", OCCASION_KEYS, _add_titles)
    return map_partitions_by_key(by_title, "album_key", OCCASION_FLAGS, _add_albums)


def _add_titles(songs: pa.Table) -> dict[str, Any]:
    """Occasions of songs, and by their titles' albums; all songs of a title are among them."""
    certain, by_pattern, by_album = _unpack_bits(songs["flags"], 3)
    titles, first = _distinct(songs["title_key"]), songs["first"].to_pandas()
    certain = title_blocks.add_title_occasions(certain, titles, first, by_pattern)
    return {**{name: songs[name] for name in OCCASION_KEYS.names}, "flags": _pack_bits(certain, by_pattern, by_album)}


def _add_albums(songs: pa.Table) -> dict[str, Any]:
    """The same by albums, all songs of which are among them."""
    certain, _, by_album = _unpack_bits(songs["flags"], 3)
    albums, first = _distinct(songs["album_key"]), songs["first"].to_pandas()
    occasions, seedable = title_blocks.add_album_occasions(certain, albums, first, by_album)
    return {"source_row": songs["source_row"], "occasions": _pack_bits(occasions), "seedable": seedable}


def _factorize(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """The number of each row's text, and the texts."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary


def _distinct(column: pa.ChunkedArray) -> DistinctTexts:
    codes, texts = _factorize(column)
    return DistinctTexts(texts.to_pylist(), codes)


def _pack_bits(*flags: np.ndarray) -> np.ndarray:
    side_by_side = np.concatenate(flags, axis=1)
    return (side_by_side * (1 << np.arange(side_by_side.shape[1]))).sum(axis=1).astype(np.int32)


def _unpack_bits(bits: pa.ChunkedArray, count: int) -> list[np.ndarray]:
    """Flags of occasions; each bool, shape (n_songs, len(OCCASIONS))."""
    return np.split((bits.to_numpy()[:, None] & (1 << np.arange(count * len(OCCASIONS)))) > 0, count, axis=1)


@dataclass(frozen=True, slots=True)
class _DescribeSongs:
    """What blocks are made of, from columns of ``FEATURES`` and ``OCCASION_FLAGS`` and from ``artist_features``."""

    sums: _SongSums
    n_words: int

    def __call__(self, songs: pa.Table) -> Songs:
        means, artists = artist_rows(songs)
        starts, ends, matrix = means.indptr[:-1], means.indptr[1:], self.sums.matrix
        (occasions,) = _unpack_bits(songs["occasions"], 1)
        return Songs(
            dict(zip(NUMBERS, to_matrix(songs["numbers"], len(NUMBERS)).T)),
            to_matrix(songs["words"], self.n_words),
            occasions,
            matrix(songs["genres"]),
            means,
            np.where(starts < ends, starts, -1),
            ArtistFeatures(
                artists.field("n_songs").to_numpy(zero_copy_only=False),
                artists.field("n_analysed").to_numpy(zero_copy_only=False),
                to_matrix(artists.field("sound"), len(ARTIST_AUDIO_COLUMNS)),
                to_matrix(artists.field("words"), self.n_words),
                artists.field("max_popularity").to_numpy(zero_copy_only=False),
                matrix(artists.field("genres"), artists.field("shares")),
            ),
        )


@dataclass(frozen=True, slots=True)
class _EncodeBlocks:
    """The columns of all blocks, side by side: columns of ``BLOCKS``."""

    describe: _DescribeSongs
    encoder: BlockEncoder

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        columns = np.concatenate(list(self.encoder.encode(self.describe(songs)).values()), axis=1)
        blocks = list_column(columns, pa.float64())
        return {"source_row": songs["source_row"], "seedable": songs["seedable"], "blocks": blocks}


def _split_blocks(widths: Mapping[str, int], songs: pa.Table) -> dict[str, np.ndarray]:
    """The blocks that ``_EncodeBlocks`` laid side by side."""
    columns = to_matrix(songs["blocks"], sum(widths.values()))
    return dict(zip(widths, np.split(columns, np.cumsum(list(widths.values()))[:-1], axis=1)))


def _encode_vectors(encode: VectorEncoder, widths: Mapping[str, int], songs: pa.Table) -> dict[str, Any]:
    """Columns of ``VECTORS``."""
    vectors, present = encode(_split_blocks(widths, songs), songs["seedable"].to_numpy())
    return {
        "source_row": songs["source_row"],
        "vector": list_column(vectors, pa.int8()),
        "present": present.astype(np.int32),
    }
