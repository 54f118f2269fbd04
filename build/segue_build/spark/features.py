"""What each song brings with it: its sound, its genres and its words, before anybody else's are known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from segue_build.model.space import TELLING, fit_ranks, without_unanalysed
from segue_build.model.wording import WordAxes
from segue_build.sources.columns import TIDY
from segue_build.sources.listed import SEPARATOR
from segue_build.spark.batches import Frame, each_batch, grouped, kept, lengths_of, matrix, rows_of
from segue.engine.space import Ranks, encode
from segue.query.attributes import NUMERIC

SAMPLE = 250_000  # songs from which ranks, words and genres are learned at the most
WHOLE = 2.0**30  # parts of 1 in which numbers are summed, so that sums are exact and in any order the same
UNKNOWN = np.iinfo(np.int64).min
NUMBERS = [attribute.name for attribute in NUMERIC]

FEATURES = pa.schema([
    ("place", pa.int64()), ("artists", pa.list_(pa.string())), ("genres", pa.list_(pa.int32())),
    ("sound", pa.list_(pa.int64())), ("words", pa.list_(pa.int64())), ("popularity", pa.float64()),
    ("album", pa.string()), ("numbers", pa.list_(pa.float64())),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a sample of songs taught, and the sums of all.

    genres : all there are, sorted
    sound : float64, shape (n_telling,), the mean sound
    of_genres : float64, shape (n_genres, n_telling), that of each genre's songs
    """

    ranks: Ranks
    words: WordAxes
    genres: list[str]
    sound: np.ndarray
    of_genres: np.ndarray


def sample_of(frame: Frame, n_songs: int, most: int, columns: list[str]) -> pa.Table:
    """Some columns of at most about so many songs, which their ids choose, in the order of the source."""
    from pyspark.sql import functions as sql

    if n_songs > most:
        frame = frame.where(sql.pmod(sql.xxhash64("id"), sql.lit(1 << 30)) < int(most / n_songs * (1 << 30)))
    return frame.select("place", *columns).toArrow().sort_by("place")


def pandas_of(table: pa.Table) -> pd.DataFrame:
    """Tidy columns as the single-machine engine has them."""
    frame = table.to_pandas()
    return frame.assign(**{name: frame[name].astype("str") for name in ("name", "album") if name in frame})


def audio_of(frame: pd.DataFrame, ranks: Ranks) -> np.ndarray:
    """The audio block, shape (n_songs, len(AUDIO_COLUMNS))."""
    analysed = without_unanalysed(frame)
    return encode({name: analysed[name].to_numpy(np.float64) for name in NUMBERS}, ranks)


def fitted(songs: Frame, n_songs: int, seed: int) -> tuple[Fitted, Frame]:
    """Learn from songs, and their features by that."""
    from pyspark.sql import functions as sql

    sample = pandas_of(sample_of(songs, n_songs, SAMPLE, ["name", "album", *NUMBERS]))
    ranks, words = fit_ranks(without_unanalysed(sample)), WordAxes(sample, seed)
    split = songs.select(sql.explode(sql.split("genres", SEPARATOR)).alias("genre")).distinct()
    genres = sorted(split.toArrow()["genre"].to_pylist())
    features = kept(each_batch(songs.select(*TIDY, "place"), FEATURES, _Features(ranks, words, genres)))
    sums = grouped(features, (len(genres) + 1, 3 * len(TELLING)), _Sums(len(genres)))
    known, unknown, sound = np.split(sums, 3, axis=1)
    mean = sound[-1] / WHOLE / np.maximum(known[-1], 1)
    of_genres = (sound / WHOLE + unknown * mean) / np.maximum(known + unknown, 1)
    return Fitted(ranks, words, genres, mean, of_genres[:-1]), features


@dataclass(frozen=True, slots=True)
class _Features:
    ranks: Ranks
    words: WordAxes
    genres: list[str]

    def __call__(self, songs: pa.Table) -> dict[str, pa.Array]:
        frame = pandas_of(songs)
        sound = audio_of(frame, self.ranks)[:, TELLING]
        codes = {name: code for code, name in enumerate(self.genres)}
        split = [text.split(SEPARATOR) if text else [] for text in songs["genres"].to_pylist()]
        return {
            "place": songs["place"],
            "artists": [text.split(SEPARATOR) if text else [] for text in songs["artists"].to_pylist()],
            "genres": [[codes[genre] for genre in genres] for genres in split],
            "sound": rows_of(np.where(np.isnan(sound), UNKNOWN, whole(np.nan_to_num(sound))), pa.int64()),
            "words": rows_of(whole(self.words.place(frame)), pa.int64()),
            "popularity": songs["popularity"],
            "album": songs["album"],
            "numbers": rows_of(frame[[*NUMBERS, "explicit"]].to_numpy(np.float64), pa.float64()),
        }


def whole(values: np.ndarray) -> np.ndarray:
    """Numbers as whole parts, int64."""
    return np.rint(values * WHOLE).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What songs add to their genres, and last to all: column by column how many are known, and not, and sums."""

    n_genres: int

    def __call__(self, features: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        sound = matrix(features["sound"], len(TELLING))
        known = sound != UNKNOWN
        rows = np.column_stack([known, ~known, np.where(known, sound, 0)])
        counts, codes = lengths_of(features["genres"])
        every = np.full(len(rows), self.n_genres)
        return np.concatenate([codes.to_numpy(), every]), np.concatenate([np.repeat(rows, counts, axis=0), rows])
