"""Songs as points: segue_build.model's blocks on batches of songs that bring along what their artists add."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from segue_build.model.coding import ROUNDING, Coding, code_sums, spread
from segue_build.model.genres import GenreAxes
from segue_build.model.occasions import KINDS
from segue_build.model.space import ARTISTS_FAME, OF_TITLES, TELLING, space_of
from segue_build.model.wording import with_artists as words_with_artists
from segue_build.sources.account import Account
from segue_build.spark import occasions
from segue_build.spark.artists import with_artists
from segue_build.spark.batches import Frame, bytes_of, each_batch, extremes, kept, lengths_of, matrix, rows_of, totals
from segue_build.spark.company import around, means
from segue_build.spark.features import NUMBERS, SAMPLE, WHOLE, Fitted, fitted, sample_of, whole
from segue.engine.space import AUDIO_COLUMNS, Space, encode
from segue.errors import SourceError

RAW = pa.schema([("place", pa.int64()), ("raw", pa.list_(pa.float32())), ("sure", pa.bool_())])
CODES = pa.schema([("place", pa.int64()), ("vector", pa.binary()), ("present", pa.int32())])
_COUNTS = pa.schema([("place", pa.int64()), ("genres", pa.list_(pa.int32())), ("weights", pa.list_(pa.float64())),
                     ("fame", pa.float64())])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """Songs as points.

    features : columns of :data:`segue_build.spark.features.FEATURES`
    points : columns of ``CODES``
    """

    space: Space
    fitted: Fitted
    features: Frame
    points: Frame


def place(songs: Frame, n_songs: int, account: Account, seed: int, shares: Mapping[str, float]) -> Placed:
    """Place every song; what :func:`segue_build.model.space.place` does, whose parameters these are."""
    found, features = fitted(songs, n_songs, seed)
    bringing = kept(with_artists(features, found))
    axes, fame = _from_sample(bringing, songs, n_songs, len(found.genres), seed)
    kinds = occasions.occasions(songs, n_songs)
    blocks = _Blocks(found, axes, fame, tuple(name for name in WIDTHS if shares.get(name)))
    raw = kept(each_batch(bringing.join(kinds, "place"), RAW, blocks))
    low, high = extremes(raw, lambda table: matrix(table["raw"], blocks.width))
    sums = totals(raw, lambda table: _sums(matrix(table["raw"], blocks.width)))
    codings = _codings(blocks, low, high, sums[1] / WHOLE / np.maximum(sums[0], 1), account)
    if not codings.keys() - set(OF_TITLES):
        raise SourceError(
            f"the table says nothing about {', '.join(blocks.names)}: there is nothing to compare songs by"
        )
    coded = _Coded({name: (blocks.columns[name], coding) for name, coding in codings.items()}, blocks.width)
    known, total, squares = totals(raw, coded.sums).astype(np.float64)
    points = kept(each_batch(raw, CODES, coded))
    return Placed(space_of(codings, spread(known, total, squares), shares), found, features, points)


def _from_sample(
    bringing: Frame, songs: Frame, n_songs: int, n_genres: int, seed: int
) -> tuple[GenreAxes, np.ndarray]:
    """What songs about whom everything is known teach: the genres' axes, and artists' fame, rising."""
    from pyspark.sql import functions as sql

    told = sql.transform("by", lambda artist: sql.struct(artist["fame"], artist["genres"], artist["weights"]))
    frame = bringing.join(songs.select("place", "id"), "place").withColumn("by", told)
    sample = sample_of(frame, n_songs, SAMPLE, ["genres", "by", "popularity"])
    best, counts = _fame(sample), _counts(sample, n_genres)
    del sample  # before the axes are learned, which takes as much
    return GenreAxes(counts, seed), np.sort(best[~np.isnan(best)])


def _counts(songs: pa.Table, n_genres: int) -> sparse.csr_matrix:
    """Roots of how much of each genre there is about each song; shape (n_songs, n_genres)."""
    found = around(songs, n_genres)
    found.data = np.sqrt(found.data)
    return found


def _fame(songs: pa.Table) -> np.ndarray:
    """The popularity of the best-known song of each song's first artist, of songs without artists their own."""
    counts, by = lengths_of(songs["by"])
    best = songs["popularity"].to_numpy().copy()
    firsts = (np.cumsum(counts) - counts)[counts > 0]
    best[counts > 0] = by.field("fame").to_numpy(zero_copy_only=False)[firsts]
    return best


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The raw columns of all blocks, side by side; NaN where unknown.

    fame : of the artists of a sample of songs, rising
    """

    fitted: Fitted
    genre_axes: GenreAxes
    fame: np.ndarray
    names: tuple[str, ...]

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        made = np.concatenate([getattr(self, f"_{name}")(songs) for name in self.names], axis=1)
        return {"place": songs["place"], "raw": rows_of(made.astype(np.float32), pa.float32()), "sure": songs["sure"]}

    @property
    def columns(self) -> dict[str, slice]:
        """Where each block stands."""
        sizes = [WIDTHS[name] or self._learned[name] for name in self.names]
        stops = np.cumsum(sizes).tolist()
        return {name: slice(stop - size, stop) for name, size, stop in zip(self.names, sizes, stops)}

    @property
    def width(self) -> int:
        """Columns of all blocks."""
        return max(columns.stop for columns in self.columns.values())

    @property
    def _learned(self) -> dict[str, int]:
        return {"genre": self.genre_axes.dimensions, "words": self.fitted.words.dimensions}

    def _numbers(self, songs: pa.Table) -> dict[str, np.ndarray]:
        return dict(zip([*NUMBERS, "explicit"], matrix(songs["numbers"], len(NUMBERS) + 1).T))

    def _audio(self, songs: pa.Table) -> np.ndarray:
        numbers = self._numbers(songs)
        analysed = numbers["tempo"] != 0
        features = {feature for feature, *_ in AUDIO_COLUMNS}
        return encode({name: np.where(analysed, numbers[name], np.nan) for name in features}, self.fitted.ranks)

    def _artist(self, songs: pa.Table) -> np.ndarray:
        counts, by = lengths_of(songs["by"])
        block = means(counts) @ matrix(pa.chunked_array([by.field("sound")]), len(TELLING))
        silent = means(counts) @ (by.field("songs").to_numpy() == 0)
        block[(silent > 0) | (counts == 0)] = np.nan
        return np.asarray(block)

    def _genre(self, songs: pa.Table) -> np.ndarray:
        return self.genre_axes.place(_counts(songs, len(self.fitted.genres)))

    def _fame(self, songs: pa.Table) -> np.ndarray:
        own = self.fitted.ranks("popularity", songs["popularity"].to_numpy())
        best = _fame(songs)
        below, upto = (np.searchsorted(self.fame, best, side) for side in ("left", "right"))
        artists = np.where(np.isnan(best), np.nan, (below + upto + 1) / 2 / max(len(self.fame), 1))
        return np.stack([own, ARTISTS_FAME * np.where(np.isnan(artists), own, artists)], axis=1)

    def _year(self, songs: pa.Table) -> np.ndarray:
        return self.fitted.ranks("year", self._numbers(songs)["year"])[:, None]

    def _explicit(self, songs: pa.Table) -> np.ndarray:
        return self._numbers(songs)["explicit"][:, None]

    def _occasion(self, songs: pa.Table) -> np.ndarray:
        return occasions.columns_of(songs["kinds"])

    def _words(self, songs: pa.Table) -> np.ndarray:
        counts, by = lengths_of(songs["by"])
        width = self.fitted.words.dimensions
        own = matrix(songs["words"], width) / WHOLE
        return words_with_artists(own, means(counts) @ matrix(pa.chunked_array([by.field("words")]), width))


WIDTHS = {"audio": len(AUDIO_COLUMNS), "artist": len(TELLING), "genre": 0, "fame": 2, "year": 1, "explicit": 1,
          "occasion": len(KINDS), "words": 0}  # fmt: skip
"""Block -> its columns, 0 where a sample of songs decides."""


def _sums(raw: np.ndarray) -> np.ndarray:
    """How much of each column is known, and its sum."""
    return np.stack([(~np.isnan(raw)).sum(axis=0), whole(np.nan_to_num(raw.astype(np.float64))).sum(axis=0)])


def _codings(
    blocks: _Blocks, low: np.ndarray, high: np.ndarray, means: np.ndarray, account: Account
) -> dict[str, Coding]:
    """How each block is coded that says anything."""
    codings = {}
    for name, columns in blocks.columns.items():
        if (np.nan_to_num(high - low)[columns] > ROUNDING**0.5).any():
            codings[name] = Coding.of(means[columns], low[columns], high[columns])
        elif name not in OF_TITLES:
            account.note(f"the table says nothing about {name}: that block is left out of the space")
    return codings


@dataclass(frozen=True, slots=True)
class _Coded:
    """Codes of raw columns.

    codings : block -> its raw columns and its coding, in the order of the space
    width : of the raw columns
    """

    codings: Mapping[str, tuple[slice, Coding]]
    width: int

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        raw, sure = matrix(songs["raw"], self.width).astype(np.float64), songs["sure"].to_numpy(zero_copy_only=False)
        present = np.zeros(len(raw), np.int32)
        for bit, (name, (columns, _)) in enumerate(self.codings.items()):
            known = ~np.isnan(raw[:, columns]).all(axis=1) & (sure if name == "occasion" else True)
            present |= known.astype(np.int32) << bit
        return {"place": songs["place"], "vector": bytes_of(self._codes(raw)), "present": present}

    def sums(self, songs: pa.Table) -> np.ndarray:
        """What :func:`segue_build.model.coding.spread` is made of."""
        raw = matrix(songs["raw"], self.width).astype(np.float64)
        kept = np.concatenate([raw[:, columns] for columns, _ in self.codings.values()], axis=1)
        return code_sums(kept, self._codes(raw))

    def _codes(self, raw: np.ndarray) -> np.ndarray:
        return np.concatenate([coding.codes(raw[:, columns]) for columns, coding in self.codings.values()], axis=1)
