"""Whole records from ``catalog.parquet``, by row group; pyarrow is imported by the first request that needs one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from segue.catalog import Catalog

FILE = "catalog.parquet"


def song(catalog: Catalog, row: int) -> dict[str, Any]:
    """Everything that is known of a song: column -> value, None where unknown."""
    return _read(catalog, range(row, row + 1))[0]


def _read(catalog: Catalog, rows: Sequence[int]) -> list[dict[str, Any]]:
    from pyarrow.parquet import ParquetFile

    firsts = np.asarray(catalog.manifest["row_groups"])
    group = int(np.searchsorted(firsts, rows[0], side="right")) - 1
    with ParquetFile(catalog.folder / FILE, memory_map=True) as file:
        table = file.read_row_group(group, use_threads=False)
    start = rows[0] - int(firsts[group])
    return [dict(record) for record in table.slice(start, len(rows)).to_pylist()]
