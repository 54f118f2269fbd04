"""Songs as vectors: segue_build.model's blocks on Arrow batches of songs that hold their artists' features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from segue.engine.space import RankTransform, Space
from segue_build.model.artist_features import ARTIST_AUDIO_COLUMNS, ArtistFeatures
from segue_build.model.embedding import (
    BLOCK_NAMES,
    NUMBERS,
    BlockEncoder,
    Songs,
    build_space,
    constant_blocks,
    first_artist_popularity,
)
from segue_build.model.genre_block import GenreEmbedding, genre_context
from segue_build.model.incidence import build_incidence, first_artists
from segue_build.model.quantization import (
    ScalarQuantizer,
    code_moments,
    column_means,
    known_sums,
    mean_squared_difference,
)
from segue_build.model.title_blocks import (
    OCCASIONS,
    DistinctTexts,
    NamedOccasions,
    PhraseClassifier,
    add_album_occasions,
    add_title_occasions,
    fit_phrase_classifier,
)
from segue_build.sources.ingest_report import IngestReport
from segue_build.spark.batches import (
    Frame,
    binary_column,
    list_column,
    map_batches,
    map_partitions_by_key,
    min_max,
    persist,
    sample_rows,
    sum_batches,
    to_matrix,
)
from segue_build.spark.features import (
    SAMPLE_SIZE,
    FittedFeatures,
    artist_rows,
    fit_features,
    genre_matrix,
    join_artists,
    to_pandas,
)

RAW_BLOCKS = pa.schema([("source_row", pa.int64()), ("raw", pa.list_(pa.float64())), ("seedable", pa.bool_())])
VECTORS = pa.schema([("source_row", pa.int64()), ("vector", pa.binary()), ("present", pa.int32())])
_BITS = 1 << np.arange(len(OCCASIONS))
_BY_TEXT = pa.schema([
    ("source_row", pa.int64()), ("title", pa.string()), ("album", pa.string()), ("first", pa.string()),
    ("certain", pa.int32()), ("by_album_pattern", pa.int32()), ("by_album", pa.int32()),
])  # fmt: skip
_BY_TITLE = pa.schema([
    ("source_row", pa.int64()), ("album", pa.string()), ("first", pa.string()), ("certain", pa.int32()),
    ("by_album", pa.int32()),
])  # fmt: skip
OCCASION_BITS = pa.schema([("source_row", pa.int64()), ("occasions", pa.int32()), ("seedable", pa.bool_())])


def embed(
    songs: Frame, n_songs: int, report: IngestReport, seed: int, weights: Mapping[str, float]
) -> tuple[Space, RankTransform, Frame]:
    """The space, ranks of attributes, and every song as a vector: columns of ``VECTORS``.

    Parameters are those of :func:`segue_build.model.embedding.embed`.
    """
    fitted, features = fit_features(songs, n_songs, seed)
    with_artists = persist(join_artists(features, fitted))
    names = tuple(name for name in BLOCK_NAMES if weights.get(name))
    encoder = _fit_encoder(with_artists, n_songs, fitted, names, seed)
    described = with_artists.join(find_occasions(songs, n_songs), "source_row")
    raw = persist(map_batches(described, RAW_BLOCKS, _EncodeBlocks(encoder, len(fitted.genres))))
    width = sum(encoder.widths.values())
    low, high = min_max(raw, lambda table: to_matrix(table["raw"], width))
    means = column_means(*sum_batches(raw, lambda table: known_sums(to_matrix(table["raw"], width))))
    stops = np.cumsum(list(encoder.widths.values())).tolist()
    columns = {name: slice(stop - encoder.widths[name], stop) for name, stop in zip(names, stops)}
    constant = constant_blocks({name: (high - low)[block] for name, block in columns.items()}, report)
    quantizers = {
        name: ScalarQuantizer.from_ranges(means[block], low[block], high[block])
        for name, block in columns.items()
        if name not in constant
    }
    quantize = _Quantize({name: (columns[name], quantizer) for name, quantizer in quantizers.items()}, width)
    moments = sum_batches(raw, quantize.moments).astype(np.float64)
    space = build_space(quantizers, mean_squared_difference(*moments), weights)
    return space, fitted.ranks, persist(map_batches(raw, VECTORS, quantize))


def _fit_encoder(
    features: Frame, n_songs: int, fitted: FittedFeatures, names: tuple[str, ...], seed: int
) -> BlockEncoder:
    """Learn from a sample of songs and their artists' features."""
    from pyspark.sql import functions as sql

    wanted = sql.transform(
        "artist_features", lambda artist: sql.struct(artist["max_popularity"], artist["genres"], artist["shares"])
    )
    frame = features.withColumn("artist_features", wanted)
    sample = sample_rows(frame, n_songs, SAMPLE_SIZE, ["genres", "artist_features", "popularity"])
    means, artists = artist_rows(sample)
    best = first_artist_popularity(
        sample["popularity"].to_numpy(), _first_rows(means), _numbers(artists, "max_popularity")
    )
    n_genres = len(fitted.genres)
    of_artists = genre_matrix(artists.field("genres"), n_genres, artists.field("shares"))
    context = genre_context(genre_matrix(sample["genres"], n_genres), means, of_artists)
    del sample, artists, of_artists  # before the SVD, which takes as much memory
    return BlockEncoder(
        fitted.ranks,
        GenreEmbedding(context, seed),
        fitted.words.dimensions,
        np.sort(best[~np.isnan(best)]),
        names,
    )


def _first_rows(artist_means: Any) -> np.ndarray:
    """The row of each song's first artist, -1 where a song has none."""
    starts, ends = artist_means.indptr[:-1], artist_means.indptr[1:]
    return np.where(starts < ends, starts, -1)


def _numbers(artists: pa.StructArray, name: str) -> np.ndarray:
    return artists.field(name).to_numpy(zero_copy_only=False)


@dataclass(frozen=True, slots=True)
class _EncodeBlocks:
    """The columns of all blocks, side by side; NaN where unknown."""

    encoder: BlockEncoder
    n_genres: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        means, artists = artist_rows(songs)
        n_words = self.encoder.n_word_dimensions
        described = Songs(
            dict(zip(NUMBERS, to_matrix(songs["numbers"], len(NUMBERS)).T)),
            to_matrix(songs["words"], n_words),
            _unpack_bits(songs["occasions"]),
            genre_matrix(songs["genres"], self.n_genres),
            means,
            _first_rows(means),
            ArtistFeatures(
                _numbers(artists, "n_songs"),
                _numbers(artists, "n_analysed"),
                to_matrix(artists.field("sound"), len(ARTIST_AUDIO_COLUMNS)),
                to_matrix(artists.field("words"), n_words),
                _numbers(artists, "max_popularity"),
                genre_matrix(artists.field("genres"), self.n_genres, artists.field("shares")),
            ),
        )
        blocks = self.encoder.encode(described)
        return {
            "source_row": songs["source_row"],
            "raw": list_column(np.concatenate(list(blocks.values()), axis=1), pa.float64()),
            "seedable": songs["seedable"],
        }


@dataclass(frozen=True, slots=True)
class _Quantize:
    """Codes of raw columns.

    quantizers : block -> its raw columns and how they are coded, in the order of the space
    width : of the raw columns
    """

    quantizers: Mapping[str, tuple[slice, ScalarQuantizer]]
    width: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        raw = to_matrix(songs["raw"], self.width)
        present = np.zeros(len(raw), np.int32)
        for bit, (name, (columns, _)) in enumerate(self.quantizers.items()):
            known = ~np.isnan(raw[:, columns]).all(axis=1)
            if name == "occasion":
                known &= songs["seedable"].to_numpy(zero_copy_only=False)
            present |= known.astype(np.int32) << bit
        return {"source_row": songs["source_row"], "vector": binary_column(self._encode(raw)), "present": present}

    def moments(self, songs: pa.Table) -> np.ndarray:
        """What :func:`segue_build.model.quantization.mean_squared_difference` is made of."""
        raw = to_matrix(songs["raw"], self.width)
        kept = np.concatenate([raw[:, columns] for columns, _ in self.quantizers.values()], axis=1)
        return code_moments(kept, self._encode(raw))

    def _encode(self, raw: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [quantizer.encode(raw[:, columns]) for columns, quantizer in self.quantizers.values()], axis=1
        )


def find_occasions(songs: Frame, n_songs: int) -> Frame:
    """Columns of ``OCCASION_BITS``: what :func:`segue_build.model.title_blocks.occasion_block` returns."""
    sample = to_pandas(sample_rows(songs, n_songs, SAMPLE_SIZE, ["name", "album"]))
    phrases = fit_phrase_classifier(
        DistinctTexts.from_column(sample["name"]), DistinctTexts.from_column(sample["album"])
    )
    by_text = map_batches(songs.select("source_row", "name", "album", "artists"), _BY_TEXT, _NameOccasions(phrases))
    by_title = map_partitions_by_key(by_text, "title", _BY_TITLE, _add_title_occasions)
    return map_partitions_by_key(by_title, "album", OCCASION_BITS, _add_album_occasions)


@dataclass(frozen=True, slots=True)
class _NameOccasions:
    phrases: PhraseClassifier

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        frame = to_pandas(songs)
        titles, albums = DistinctTexts.from_column(frame["name"]), DistinctTexts.from_column(frame["album"])
        song_artists = build_incidence(frame["artists"])
        named = NamedOccasions.of(titles, albums, song_artists, self.phrases)
        rows = songs["source_row"].to_pylist()
        # A text of its own where there is none, so that such songs are spread over partitions.
        keys = (
            [text.texts[code] or f"\x1f{row}" for code, row in zip(text.codes, rows)] for text in (titles, albums)
        )
        return {
            "source_row": songs["source_row"],
            **dict(zip(("title", "album"), keys)),
            "first": np.array([*song_artists.names, ""], object)[first_artists(song_artists)],
            "certain": _pack_bits(named.certain),
            "by_album_pattern": _pack_bits(named.by_album_pattern),
            "by_album": _pack_bits(named.by_album),
        }


def _add_title_occasions(songs: pa.Table) -> dict[str, Any]:
    certain, by_pattern = _unpack_bits(songs["certain"]), _unpack_bits(songs["by_album_pattern"])
    certain = add_title_occasions(certain, _distinct(songs["title"]), songs["first"].to_pandas(), by_pattern)
    return {
        **{name: songs[name] for name in ("source_row", "album", "first", "by_album")},
        "certain": _pack_bits(certain),
    }


def _add_album_occasions(songs: pa.Table) -> dict[str, Any]:
    certain, by_album = _unpack_bits(songs["certain"]), _unpack_bits(songs["by_album"])
    occasions, seedable = add_album_occasions(
        certain, _distinct(songs["album"]), songs["first"].to_pandas(), by_album
    )
    return {"source_row": songs["source_row"], "occasions": _pack_bits(occasions), "seedable": seedable}


def _distinct(texts: pa.ChunkedArray) -> DistinctTexts:
    encoded = texts.combine_chunks().dictionary_encode()
    return DistinctTexts(encoded.dictionary.to_pylist(), encoded.indices.to_numpy())


def _pack_bits(flags: np.ndarray) -> np.ndarray:
    return (flags * _BITS).sum(axis=1).astype(np.int32)


def _unpack_bits(bits: pa.ChunkedArray) -> np.ndarray:
    """bool, shape (n_songs, len(OCCASIONS))."""
    return (bits.to_numpy()[:, None] & _BITS) > 0
