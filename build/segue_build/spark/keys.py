"""What finds a song by its texts, as numbers: digests of ids, titles and works."""

from typing import Any

import numpy as np
import pyarrow as pa

from segue_build.model.works import digests
from segue_build.sources.listed import SEPARATOR
from segue_build.spark.batches import Frame, each_batch, ragged
from segue.catalog import names
from segue.catalog.lookup import trigrams
from segue.catalog.lookup.beginnings import alphabetical
from segue.catalog.lookup.rows import by_spelling
from segue.catalog.names import digest

KEYS = pa.schema([
    ("row", pa.int64()), ("popularity", pa.float64()), ("id_key", pa.int64()), ("work_key", pa.int64()),
    ("name_key", pa.int64()), ("movement", pa.bool_()), ("entry_key", pa.int64()),
    ("title_keys", pa.list_(pa.int64())), ("alphabetical", pa.string()),
])  # fmt: skip
_ARTISTS = pa.schema([
    ("number", pa.int64()), ("key", pa.int64()), ("spelt_key", pa.int64()), ("alphabetical", pa.string())
])  # fmt: skip
_TRIGRAMS = pa.schema([("trigram", pa.int64()), ("entry", pa.int64())])
_SIGN = np.uint64(1 << 63)


def signed(values: np.ndarray) -> np.ndarray:
    """uint64 as int64 of the same order, for Spark has no other whole numbers."""
    return (values.astype(np.uint64) ^ _SIGN).view(np.int64)


def unsigned(values: np.ndarray) -> np.ndarray:
    """The same back."""
    return values.astype(np.int64).view(np.uint64) ^ _SIGN


def keys_of(songs: Frame) -> Frame:
    """The keys of each song."""
    return each_batch(songs.select("row", "id", "name", "artists", "popularity"), KEYS, _keys)


def artist_keys(artists: Frame) -> Frame:
    """The keys of each artist; columns ``artist`` and ``number``."""
    return each_batch(artists.select("artist", "number"), _ARTISTS, _artist_keys)


def trigrams_of(entries: Frame) -> Frame:
    """Which entries hold which trigrams; columns ``number``, ``name`` and ``artists``."""
    return each_batch(entries.select("number", "name", "artists"), _TRIGRAMS, _trigrams)


def _keys(songs: pa.Table) -> dict[str, Any]:
    ids, titles = songs["id"].to_pylist(), songs["name"].to_pylist()
    firsts = [(text or "").partition(SEPARATOR)[0] for text in songs["artists"].to_pylist()]
    plain = list(map(alphabetical, titles))
    spellings = list(map(names.forms, titles))
    works = digests(ids, titles, firsts)
    return {
        "row": songs["row"],
        "popularity": np.nan_to_num(songs["popularity"].to_numpy(), nan=-1.0),
        "id_key": _digests(ids),
        "work_key": signed(works["work"].to_numpy()),
        "name_key": signed(works["name"].to_numpy()),
        "movement": works["movement"].to_numpy(),
        "entry_key": _digests(f"{title}\x1f{by}" for title, by in zip(plain, firsts)),
        "title_keys": ragged(
            np.fromiter(map(len, spellings), np.int64, len(spellings)),
            _digests(form for forms in spellings for form in forms),
            pa.int64(),
        ),
        "alphabetical": plain,
    }


def _artist_keys(artists: pa.Table) -> dict[str, Any]:
    called = artists["artist"].to_pylist()
    return {
        "number": artists["number"],
        "key": _digests(map(names.title_key, called)),
        "spelt_key": _digests(by_spelling(names.spelt(name)) for name in called),
        "alphabetical": list(map(alphabetical, called)),
    }


def _trigrams(entries: pa.Table) -> dict[str, Any]:
    texts = zip(entries["name"].to_pylist(), entries["artists"].to_pylist())
    found = [np.unique(trigrams.keys(trigrams.searched(name, (by or "").split(SEPARATOR)))) for name, by in texts]
    numbers = np.repeat(entries["number"].to_numpy(), list(map(len, found)))
    return {"trigram": signed(np.concatenate(found)), "entry": numbers}


def _digests(texts: Any) -> np.ndarray:
    return signed(np.array([digest(text) for text in texts], np.uint64))
