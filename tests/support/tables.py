"""Small tables of invented songs, and files of them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
SOUND: Row = {
    "danceability": 0.5, "energy": 0.6, "key": 2, "loudness": -7.5, "mode": 1, "speechiness": 0.05,
    "acousticness": 0.3, "instrumentalness": 0.01, "liveness": 0.1, "valence": 0.4, "tempo": 120.5,
    "time_signature": 4,
}  # fmt: skip


def song(number: int, **cells: Any) -> Row:
    """A song whose every column is known, but for the cells that say otherwise."""
    return {
        "track_id": f"song{number:02}",
        "track_name": f"Song {number}",
        "artists": f"Artist {number}",
        "album_name": f"Album {number}",
        "track_genre": "folk",
        "release_date": "1999-12-31",
        "explicit": False,
        "popularity": 50,
        "duration_ms": 200_000 + number,
        **SOUND,
    } | cells


def songs(count: int = 12, **cells: Any) -> list[Row]:
    return [song(number, **cells) for number in range(1, count + 1)]


def some(rows: Sequence[Row], *headers: str) -> list[Row]:
    """The rows with these columns only."""
    return [{header: row[header] for header in headers} for row in rows]


def text(rows: Sequence[Row], delimiter: str = ",", end: str = "\n") -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def write(path: Path, rows: Sequence[Row]) -> str:
    """Write a CSV file; -> its path, as a source is named."""
    path.write_text(text(rows), encoding="utf-8")
    return str(path)
