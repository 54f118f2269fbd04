"""Songs as vectors: segue_build.model's blocks on Arrow batches of songs that hold their artists' features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from segue.engine.space import AUDIO_COLUMNS, Space, encode_audio
from segue.errors import SourceError
from segue_build.model.embedding import ARTIST_AUDIO_COLUMNS, ARTIST_POPULARITY_WEIGHT, TITLE_BLOCKS, build_space
from segue_build.model.genre_block import GenreEmbedding
from segue_build.model.incidence import MIN_COMPILATION_ARTISTS
from segue_build.model.quantization import VARIANCE_TOLERANCE, ScalarQuantizer, code_moments, mean_squared_difference
from segue_build.model.title_blocks import (
    MIN_ARTISTS,
    MIN_SONG_SHARE,
    MIN_SUPPORT,
    OCCASIONS,
    DistinctTexts,
    PhraseClassifier,
    fit_phrase_classifier,
    match_patterns,
    normalized,
)
from segue_build.model.title_blocks import add_artists as words_with_artists
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import SEPARATOR
from segue_build.spark.batches import (
    Frame,
    binary_column,
    flatten_lists,
    list_column,
    map_batches,
    map_partitions_by_key,
    min_max,
    persist,
    sum_batches,
    to_matrix,
)
from segue_build.spark.features import (
    FIXED_POINT,
    NUMERIC_COLUMNS,
    SAMPLE_SIZE,
    FittedFeatures,
    fit_features,
    genre_context,
    join_artists,
    mean_over_artists,
    sample_rows,
    to_fixed_point,
    to_pandas,
)

RAW_BLOCKS = pa.schema([("source_row", pa.int64()), ("raw", pa.list_(pa.float32())), ("certain", pa.bool_())])
VECTORS = pa.schema([("source_row", pa.int64()), ("vector", pa.binary()), ("present", pa.int32())])
# block -> its number of columns, 0 where a sample of songs decides
BLOCK_WIDTHS = {"audio": len(AUDIO_COLUMNS), "artist": len(ARTIST_AUDIO_COLUMNS), "genre": 0, "popularity": 2,
          "year": 1, "explicit": 1,
          "occasion": len(OCCASIONS), "words": 0}  # fmt: skip
_BITS = 1 << np.arange(len(OCCASIONS))
_BY_TEXT = pa.schema([
    ("source_row", pa.int64()), ("title", pa.string()), ("album", pa.string()), ("first", pa.string()),
    ("by_title", pa.int32()), ("by_album", pa.int32()), ("by_album_phrase", pa.int32()), ("by_artist", pa.int32()),
])  # fmt: skip
_BY_TITLE = pa.schema([
    ("source_row", pa.int64()), ("album", pa.string()), ("first", pa.string()), ("certain", pa.int32()),
    ("by_album", pa.int32()),
])  # fmt: skip
OCCASIONS_BY_KIND = pa.schema([("source_row", pa.int64()), ("kinds", pa.int32()), ("certain", pa.bool_())])


@dataclass(frozen=True, slots=True)
class Embedding:
    """Songs as points.

    features : columns of :data:`segue_build.spark.features.FEATURES`
    points : columns of ``VECTORS``
    """

    space: Space
    fitted: FittedFeatures
    features: Frame
    points: Frame


def embed(songs: Frame, n_songs: int, report: IngestReport, seed: int, weights: Mapping[str, float]) -> Embedding:
    """Place every song; what :func:`segue_build.model.embedding.embed` does, whose parameters these are."""
    found, features = fit_features(songs, n_songs, seed)
    with_artists = persist(join_artists(features, found))
    axes, artist_popularity = _fit_on_sample(with_artists, songs, n_songs, len(found.genres), seed)
    occasions_of = find_occasions(songs, n_songs)
    blocks = _BuildBlocks(found, axes, artist_popularity, tuple(name for name in BLOCK_WIDTHS if weights.get(name)))
    raw = persist(map_batches(with_artists.join(occasions_of, "source_row"), RAW_BLOCKS, blocks))
    low, high = min_max(raw, lambda table: to_matrix(table["raw"], blocks.width))
    sums = sum_batches(raw, lambda table: _counts_and_sums(to_matrix(table["raw"], blocks.width)))
    codings = _fit_quantization(blocks, low, high, sums[1] / FIXED_POINT / np.maximum(sums[0], 1), report)
    if not codings.keys() - set(TITLE_BLOCKS):
        raise SourceError(
            f"the table says nothing about {', '.join(blocks.names)}: there is nothing to compare songs by"
        )
    quantize = _Quantize(
        {name: (blocks.block_slices[name], coding) for name, coding in codings.items()}, blocks.width
    )
    known, total, squares = sum_batches(raw, quantize.sums).astype(np.float64)
    points = persist(map_batches(raw, VECTORS, quantize))
    return Embedding(
        build_space(codings, mean_squared_difference(known, total, squares), weights), found, features, points
    )


def _fit_on_sample(
    features: Frame, songs: Frame, n_songs: int, n_genres: int, seed: int
) -> tuple[GenreEmbedding, np.ndarray]:
    """What songs about whom everything is known teach: the genres' axes, and artists' popularities, rising."""
    from pyspark.sql import functions as sql

    wanted = sql.transform(
        "artist_features", lambda artist: sql.struct(artist["max_popularity"], artist["genres"], artist["weights"])
    )
    frame = features.join(songs.select("source_row", "id"), "source_row").withColumn("artist_features", wanted)
    sample = sample_rows(frame, n_songs, SAMPLE_SIZE, ["genres", "artist_features", "popularity"])
    popularity, counts = _first_artist_popularity(sample), _root_genre_context(sample, n_genres)
    del sample  # before the axes are learned, which takes as much
    return GenreEmbedding(counts, seed), np.sort(popularity[~np.isnan(popularity)])


def _root_genre_context(songs: pa.Table, n_genres: int) -> sparse.csr_matrix:
    """Roots of how much of each genre there is about each song; shape (n_songs, n_genres)."""
    found = genre_context(songs, n_genres)
    found.data = np.sqrt(found.data)
    return found


def _first_artist_popularity(songs: pa.Table) -> np.ndarray:
    """The popularity of the best-known song of each song's first artist, of songs without artists their own."""
    counts, by = flatten_lists(songs["artist_features"])
    best = songs["popularity"].to_numpy().copy()
    firsts = (np.cumsum(counts) - counts)[counts > 0]
    best[counts > 0] = by.field("max_popularity").to_numpy(zero_copy_only=False)[firsts]
    return best


@dataclass(frozen=True, slots=True)
class _BuildBlocks:
    """The raw columns of all blocks, side by side; NaN where unknown.

    artist_popularity : of the artists of a sample of songs, rising
    """

    fitted: FittedFeatures
    genre_axes: GenreEmbedding
    artist_popularity: np.ndarray
    names: tuple[str, ...]

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        made = np.concatenate([getattr(self, f"_{name}")(songs) for name in self.names], axis=1)
        return {
            "source_row": songs["source_row"],
            "raw": list_column(made.astype(np.float32), pa.float32()),
            "certain": songs["certain"],
        }

    @property
    def block_slices(self) -> dict[str, slice]:
        """Where each block stands."""
        widths = [BLOCK_WIDTHS[name] or self._fitted_widths[name] for name in self.names]
        stops = np.cumsum(widths).tolist()
        return {name: slice(stop - size, stop) for name, size, stop in zip(self.names, widths, stops)}

    @property
    def width(self) -> int:
        """Columns of all blocks."""
        return max(columns.stop for columns in self.block_slices.values())

    @property
    def _fitted_widths(self) -> dict[str, int]:
        return {"genre": self.genre_axes.dimensions, "words": self.fitted.words.dimensions}

    def _numbers(self, songs: pa.Table) -> dict[str, np.ndarray]:
        return dict(zip([*NUMERIC_COLUMNS, "explicit"], to_matrix(songs["numbers"], len(NUMERIC_COLUMNS) + 1).T))

    def _audio(self, songs: pa.Table) -> np.ndarray:
        numbers = self._numbers(songs)
        analysed = numbers["tempo"] != 0
        features = {feature for feature, *_ in AUDIO_COLUMNS}
        return encode_audio({name: np.where(analysed, numbers[name], np.nan) for name in features}, self.fitted.ranks)

    def _artist(self, songs: pa.Table) -> np.ndarray:
        counts, by = flatten_lists(songs["artist_features"])
        block = mean_over_artists(counts) @ to_matrix(
            pa.chunked_array([by.field("sound")]), len(ARTIST_AUDIO_COLUMNS)
        )
        silent = mean_over_artists(counts) @ (by.field("n_analysed").to_numpy() == 0)
        block[(silent > 0) | (counts == 0)] = np.nan
        return np.asarray(block)

    def _genre(self, songs: pa.Table) -> np.ndarray:
        return self.genre_axes.transform(_root_genre_context(songs, len(self.fitted.genres)))

    def _popularity(self, songs: pa.Table) -> np.ndarray:
        own = self.fitted.ranks("popularity", songs["popularity"].to_numpy())
        best = _first_artist_popularity(songs)
        below, upto = (np.searchsorted(self.artist_popularity, best, side) for side in ("left", "right"))
        artists = np.where(np.isnan(best), np.nan, (below + upto + 1) / 2 / max(len(self.artist_popularity), 1))
        return np.stack([own, ARTIST_POPULARITY_WEIGHT * np.where(np.isnan(artists), own, artists)], axis=1)

    def _year(self, songs: pa.Table) -> np.ndarray:
        return self.fitted.ranks("year", self._numbers(songs)["year"])[:, None]

    def _explicit(self, songs: pa.Table) -> np.ndarray:
        return self._numbers(songs)["explicit"][:, None]

    def _occasion(self, songs: pa.Table) -> np.ndarray:
        return occasion_block(songs["kinds"])

    def _words(self, songs: pa.Table) -> np.ndarray:
        counts, by = flatten_lists(songs["artist_features"])
        width = self.fitted.words.dimensions
        own = to_matrix(songs["words"], width) / FIXED_POINT
        return words_with_artists(
            own, mean_over_artists(counts) @ to_matrix(pa.chunked_array([by.field("words")]), width)
        )


def _counts_and_sums(raw: np.ndarray) -> np.ndarray:
    """How much of each column is known, and its sum."""
    return np.stack([(~np.isnan(raw)).sum(axis=0), to_fixed_point(np.nan_to_num(raw.astype(np.float64))).sum(axis=0)])


def _fit_quantization(
    blocks: _BuildBlocks, low: np.ndarray, high: np.ndarray, means: np.ndarray, report: IngestReport
) -> dict[str, ScalarQuantizer]:
    """How each block is coded that says anything."""
    codings = {}
    for name, columns in blocks.block_slices.items():
        if (np.nan_to_num(high - low)[columns] > VARIANCE_TOLERANCE**0.5).any():
            codings[name] = ScalarQuantizer.from_ranges(means[columns], low[columns], high[columns])
        elif name not in TITLE_BLOCKS:
            report.add_note(f"the table says nothing about {name}: that block is left out of the space")
    return codings


@dataclass(frozen=True, slots=True)
class _Quantize:
    """Codes of raw columns.

    codings : block -> its raw columns and its coding, in the order of the space
    width : of the raw columns
    """

    codings: Mapping[str, tuple[slice, ScalarQuantizer]]
    width: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        raw, certain = (
            to_matrix(songs["raw"], self.width).astype(np.float64),
            songs["certain"].to_numpy(zero_copy_only=False),
        )
        present = np.zeros(len(raw), np.int32)
        for bit, (name, (columns, _)) in enumerate(self.codings.items()):
            known = ~np.isnan(raw[:, columns]).all(axis=1) & (certain if name == "occasion" else True)
            present |= known.astype(np.int32) << bit
        return {"source_row": songs["source_row"], "vector": binary_column(self._quantize(raw)), "present": present}

    def sums(self, songs: pa.Table) -> np.ndarray:
        """What :func:`segue_build.model.quantization.mean_squared_difference` is made of."""
        raw = to_matrix(songs["raw"], self.width).astype(np.float64)
        quantized = np.concatenate([raw[:, columns] for columns, _ in self.codings.values()], axis=1)
        return code_moments(quantized, self._quantize(raw))

    def _quantize(self, raw: np.ndarray) -> np.ndarray:
        return np.concatenate([coding.encode(raw[:, columns]) for columns, coding in self.codings.values()], axis=1)


def find_occasions(songs: Frame, n_songs: int) -> Frame:
    """Which kinds each song is of, bit by bit, and whether that is sure enough to compare others with it."""
    sample = to_pandas(sample_rows(songs, n_songs, SAMPLE_SIZE, ["name", "album"]))
    learned = fit_phrase_classifier(
        DistinctTexts.from_column(sample["name"]), DistinctTexts.from_column(sample["album"])
    )
    found = map_batches(songs.select("source_row", "name", "album", "artists"), _BY_TEXT, _TextOccasions(learned))
    return map_partitions_by_key(
        map_partitions_by_key(found, "title", _BY_TITLE, _title_occasions),
        "album",
        OCCASIONS_BY_KIND,
        _album_occasions,
    )


@dataclass(frozen=True, slots=True)
class _TextOccasions:
    """What titles, albums and artists say by themselves."""

    telling: PhraseClassifier

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        titles, albums = ([normalized(text or "") for text in songs[name].to_pylist()] for name in ("name", "album"))
        artists = [text.split(SEPARATOR) if text else [] for text in songs["artists"].to_pylist()]
        once = list(dict.fromkeys(name for names in artists for name in names))
        of_artist = dict(zip(once, _pack_bits(match_patterns([normalized(name) for name in once])).tolist()))
        places = songs["source_row"].to_pylist()
        return {
            "source_row": songs["source_row"],
            # a text of its own where there is none: what says nothing has nothing in common
            "title": [text or f"\x1f{place}" for text, place in zip(titles, places)],
            "album": [text or f"\x1f{place}" for text, place in zip(albums, places)],
            "first": [names[0] if names else "" for names in artists],
            "by_title": _pack_bits(match_patterns(titles) | self.telling.predict(titles)),
            "by_album": _pack_bits(match_patterns(albums)),
            "by_album_phrase": _pack_bits(self.telling.predict(albums)),
            "by_artist": [int(np.bitwise_or.reduce([0, *map(of_artist.__getitem__, names)])) for names in artists],
        }


def _title_occasions(songs: pa.Table) -> dict[str, Any]:
    """What songs' titles say, those too that many sing on albums of a kind."""
    titles = _SharedTexts(songs["title"], songs["first"])
    by_album = _unpack_bits(songs["by_album"])
    likely = (titles.share(by_album) >= MIN_SONG_SHARE) & (titles.artists >= MIN_ARTISTS)[:, None]
    certain = _unpack_bits(songs["by_title"]) | likely[titles.codes] | _unpack_bits(songs["by_artist"])
    return {
        **{name: songs[name] for name in ("source_row", "album", "first")},
        "certain": _pack_bits(certain),
        "by_album": _pack_bits(by_album | _unpack_bits(songs["by_album_phrase"])),
    }


def _album_occasions(songs: pa.Table) -> dict[str, Any]:
    """What songs' albums add."""
    albums = _SharedTexts(songs["album"], songs["first"])
    certain = _unpack_bits(songs["certain"])
    mostly = (albums.share(certain) >= MIN_SONG_SHARE) & (albums.counts >= MIN_SUPPORT)[:, None]
    by_album = _unpack_bits(songs["by_album"]) | mostly[albums.codes]
    certain |= by_album & (albums.artists < MIN_COMPILATION_ARTISTS)[albums.codes, None]
    kinds = certain | by_album
    return {"source_row": songs["source_row"], "kinds": _pack_bits(kinds), "certain": (certain == kinds).all(axis=1)}


class _SharedTexts:
    """Songs that share a text."""

    def __init__(self, texts: pa.ChunkedArray, firsts: pa.ChunkedArray):
        self.codes, found = pd.factorize(texts.to_pandas())
        self.counts = np.bincount(self.codes, minlength=len(found))
        pairs = pd.DataFrame({"text": self.codes, "artist": firsts.to_pandas()}).drop_duplicates()
        self.artists = np.bincount(pairs["text"], minlength=len(found))

    def share(self, flags: np.ndarray) -> np.ndarray:
        """The share of each text's songs that are flagged; shapes (n_songs, n_kinds) and (n_texts, n_kinds)."""
        sums = np.zeros((len(self.counts), flags.shape[1]))
        np.add.at(sums, self.codes, flags)
        return sums / self.counts[:, None]


def _pack_bits(flags: np.ndarray) -> np.ndarray:
    return (flags * _BITS).sum(axis=1).astype(np.int32)


def _unpack_bits(bits: pa.ChunkedArray) -> np.ndarray:
    return (bits.to_numpy()[:, None] & _BITS) > 0


def occasion_block(bits: pa.ChunkedArray) -> np.ndarray:
    """The block, float64 0 or 1, shape (n_songs, len(KINDS))."""
    return _unpack_bits(bits).astype(np.float64)
