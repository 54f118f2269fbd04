"""Whole records from ``catalog.parquet``, by row group; pyarrow is imported by the first request that needs one."""

import re
from typing import Any

import numpy as np

from segue.catalog.catalog import Catalog

FILE = "catalog.parquet"
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")


def read_song(catalog: Catalog, row: int) -> dict[str, Any]:
    """Everything that is known about a song: column -> value, None where unknown."""
    from pyarrow.parquet import ParquetFile

    firsts = np.asarray(catalog.manifest["row_groups"])
    group = int(np.searchsorted(firsts, row, side="right")) - 1
    with ParquetFile(catalog.path(FILE), memory_map=True) as file:
        table = file.read_row_group(group, use_threads=False)
    return dict(table.slice(row - int(firsts[group]), 1).to_pylist()[0])


def spotify_url(catalog: Catalog, identity: str) -> str | None:
    """Where Spotify plays a song, if its id is Spotify's."""
    known = _SPOTIFY_ID.fullmatch(identity) and not catalog.manifest["invented"]
    return f"https://open.spotify.com/track/{identity}" if known else None
