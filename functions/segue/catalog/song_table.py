"""Whole records from ``catalog.parquet``, by row group; pyarrow is imported by the first request that needs one."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from segue.catalog.catalog import Catalog

FILE = "catalog.parquet"
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")


def read_song(catalog: Catalog, row: int) -> dict[str, Any]:
    """Everything that is known of a song: column -> value, None where unknown."""
    return _read_rows(catalog, range(row, row + 1))[0]


def songs_containing(catalog: Catalog, column: str, words: str) -> np.ndarray:
    """Songs of which a text holds words, but for case, accents and punctuation; bool, shape (n_songs,).

    words : as :func:`segue.catalog.normalization.normalized` leaves them; the last one may be cut short
    """
    from pyarrow import compute

    spaced, places = _normalized_column(catalog, column)
    starts, holds = compute.starts_with(spaced, words), compute.match_substring(spaced, f" {words}")
    hits = compute.fill_null(compute.or_(starts, holds), False).to_numpy(zero_copy_only=False)
    return np.append(hits, False)[places]


def text_numbers(catalog: Catalog, column: str) -> np.ndarray:
    """A number for each song's text in a column, equal for texts that differ in case, accents and punctuation only.

    -1 where a song has none; shape (n_songs,)
    """
    spaced, places = _normalized_column(catalog, column)
    return np.append(spaced.dictionary_encode().indices.to_numpy(), -1)[places]


def _normalized_column(catalog: Catalog, column: str) -> tuple[Any, np.ndarray]:
    """The distinct texts of a column, normalized, and which of them each song has; cached, because it takes long.

    A song without a text has the number after the last text's.
    """
    return catalog.cached((_normalized_column, column), lambda: _normalize_column(catalog, column))


def _normalize_column(catalog: Catalog, column: str) -> tuple[Any, np.ndarray]:
    from pyarrow import compute
    from pyarrow.parquet import ParquetFile

    with ParquetFile(catalog.path(FILE), memory_map=True) as file:
        texts = file.read([column], use_threads=False).column(0).combine_chunks().dictionary_encode()
    letters = compute.replace_substring_regex(compute.utf8_normalize(texts.dictionary, "NFKD"), r"\pM", "")
    spaced = compute.replace_substring_regex(compute.utf8_lower(letters), r"[^\pL\pN_]+", " ")
    return spaced, texts.indices.fill_null(len(spaced)).to_numpy()


def _read_rows(catalog: Catalog, rows: Sequence[int]) -> list[dict[str, Any]]:
    from pyarrow.parquet import ParquetFile

    firsts = np.asarray(catalog.manifest["row_groups"])
    group = int(np.searchsorted(firsts, rows[0], side="right")) - 1
    with ParquetFile(catalog.path(FILE), memory_map=True) as file:
        table = file.read_row_group(group, use_threads=False)
    start = rows[0] - int(firsts[group])
    return [dict(record) for record in table.slice(start, len(rows)).to_pylist()]


def spotify_url(catalog: Catalog, identity: str) -> str | None:
    """Where Spotify plays a song, if its id is Spotify's."""
    known = _SPOTIFY_ID.fullmatch(identity) and not catalog.manifest["invented"]
    return f"https://open.spotify.com/track/{identity}" if known else None
