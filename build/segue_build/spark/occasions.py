"""Songs for an occasion or a use, as :mod:`segue_build.model.occasions` has them, by shared titles and albums."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segue_build.model.context import COMPILATION
from segue_build.model.occasions import FEWEST, KINDS, MOST_SONGS, SINGERS, Said, Telling, named, said, telling
from segue_build.sources.listed import SEPARATOR
from segue_build.spark.batches import Frame, each_batch, each_key
from segue_build.spark.features import SAMPLE, pandas_of, sample_of

_BITS = 1 << np.arange(len(KINDS))
_NAMED = pa.schema([
    ("place", pa.int64()), ("title", pa.string()), ("album", pa.string()), ("first", pa.string()),
    ("by_title", pa.int32()), ("by_album", pa.int32()), ("told", pa.int32()), ("by_artist", pa.int32()),
])  # fmt: skip
_TITLED = pa.schema([
    ("place", pa.int64()), ("album", pa.string()), ("first", pa.string()), ("sure", pa.int32()),
    ("by_album", pa.int32()),
])  # fmt: skip
KINDS_OF = pa.schema([("place", pa.int64()), ("kinds", pa.int32()), ("sure", pa.bool_())])


def occasions(songs: Frame, n_songs: int) -> Frame:
    """Which kinds each song is of, bit by bit, and whether that is sure enough to compare others with it."""
    sample = pandas_of(sample_of(songs, n_songs, SAMPLE, ["name", "album"]))
    learned = telling(Said.of(sample["name"]), Said.of(sample["album"]))
    found = each_batch(songs.select("place", "name", "album", "artists"), _NAMED, _Named(learned))
    return each_key(each_key(found, "title", _TITLED, _titled), "album", KINDS_OF, _albums)


@dataclass(frozen=True, slots=True)
class _Named:
    """What titles, albums and artists say by themselves."""

    telling: Telling

    def __call__(self, songs: pa.Table) -> dict[str, Any]:
        titles, albums = ([said(text or "") for text in songs[name].to_pylist()] for name in ("name", "album"))
        artists = [text.split(SEPARATOR) if text else [] for text in songs["artists"].to_pylist()]
        once = list(dict.fromkeys(name for names in artists for name in names))
        of_artist = dict(zip(once, _bits(named([said(name) for name in once])).tolist()))
        places = songs["place"].to_pylist()
        return {
            "place": songs["place"],
            # a text of its own where there is none: what says nothing has nothing in common
            "title": [text or f"\x1f{place}" for text, place in zip(titles, places)],
            "album": [text or f"\x1f{place}" for text, place in zip(albums, places)],
            "first": [names[0] if names else "" for names in artists],
            "by_title": _bits(named(titles) | self.telling.of(titles)),
            "by_album": _bits(named(albums)),
            "told": _bits(self.telling.of(albums)),
            "by_artist": [int(np.bitwise_or.reduce([0, *map(of_artist.__getitem__, names)])) for names in artists],
        }


def _titled(songs: pa.Table) -> dict[str, Any]:
    """What songs' titles say, those too that many sing on albums of a kind."""
    titles = _Texts(songs["title"], songs["first"])
    by_album = _flags(songs["by_album"])
    likely = (titles.share(by_album) >= MOST_SONGS) & (titles.artists >= SINGERS)[:, None]
    sure = _flags(songs["by_title"]) | likely[titles.codes] | _flags(songs["by_artist"])
    return {
        **{name: songs[name] for name in ("place", "album", "first")},
        "sure": _bits(sure),
        "by_album": _bits(by_album | _flags(songs["told"])),
    }


def _albums(songs: pa.Table) -> dict[str, Any]:
    """What songs' albums add."""
    albums = _Texts(songs["album"], songs["first"])
    sure = _flags(songs["sure"])
    mostly = (albums.share(sure) >= MOST_SONGS) & (albums.counts >= FEWEST)[:, None]
    by_album = _flags(songs["by_album"]) | mostly[albums.codes]
    sure |= by_album & (albums.artists < COMPILATION)[albums.codes, None]
    kinds = sure | by_album
    return {"place": songs["place"], "kinds": _bits(kinds), "sure": (sure == kinds).all(axis=1)}


class _Texts:
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


def _bits(flags: np.ndarray) -> np.ndarray:
    return (flags * _BITS).sum(axis=1).astype(np.int32)


def _flags(bits: pa.ChunkedArray) -> np.ndarray:
    return (bits.to_numpy()[:, None] & _BITS) > 0


def columns_of(bits: pa.ChunkedArray) -> np.ndarray:
    """The block, float64 0 or 1, shape (n_songs, len(KINDS))."""
    return _flags(bits).astype(np.float64)
