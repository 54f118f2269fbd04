"""A small world with a known right answer: twelve songs in three tight groups, a second version, an unheard song.

In each group sound, genre and popularity agree and no artist sings in two groups, so whatever a song is compared
in, its own group comes first.
"""

import csv
from pathlib import Path

HEADERS = [
    "id", "name", "artists", "album", "genres", "popularity", "duration_ms", "explicit", "danceability", "energy",
    "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo",
    "time_signature",
]  # fmt: skip

# name, artists; four songs a group, the first two by one artist
GROUPS = {
    "piano": [("Slow Rain", "Ada Lindqvist"), ("Grey Window", "Ada Lindqvist"), ("Low Tide", "Tomas Vrba"),
              ("Paper Moths", "Ines Okoro;Tomas Vrba")],
    "metal": [("Iron Choir", "Gravel Saints"), ("Ash Parade", "Gravel Saints"), ("Night Furnace", "Halberd"),
              ("Ruin Bells", "Skarn")],
    "disco": [("Mirror Floor", "Les Ondées"), ("Déjà Rêvé", "Les Ondées"), ("Velvet Count", "Polly Quartz"),
              ("Neon Waltz", "Dez & Dot")],
}  # fmt: skip

# energy, acousticness, valence, danceability, loudness, instrumentalness, tempo, popularity
SOUNDS = {
    "piano": (0.10, 0.95, 0.20, 0.30, -22.0, 0.90, 70.0, 20),
    "metal": (0.97, 0.02, 0.30, 0.35, -4.0, 0.30, 150.0, 50),
    "disco": (0.75, 0.20, 0.95, 0.90, -7.0, 0.01, 120.0, 80),
}


def rows() -> list[dict[str, object]]:
    """The world as rows of a table."""
    table = [
        _row(f"{genre}-{number}", name, artists, genre, number)
        for genre, songs in GROUPS.items()
        for number, (name, artists) in enumerate(songs, 1)
    ]
    again = _row("piano-1-live", "Slow Rain - Live", "Ada Lindqvist", "piano", 1)
    unheard = _row("piano-5", "Unheard Études", "Tomas Vrba", "piano", 5)
    return [*table, again | {"popularity": 5}, unheard | {"tempo": 0, "danceability": 0}]


def write(path: Path, table: list[dict[str, object]] | None = None) -> Path:
    """Write the world, or other rows, as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, HEADERS)
        out.writeheader()
        out.writerows(table or rows())
    return path


def _row(identity: str, name: str, artists: str, genre: str, number: int) -> dict[str, object]:
    energy, acousticness, valence, danceability, loudness, instrumentalness, tempo, popularity = SOUNDS[genre]
    nudge = number / 1000  # tells the songs of a group apart without leaving it
    return {
        "id": identity, "name": name, "artists": artists, "album": f"{genre} {number // 3}", "genres": genre,
        "popularity": popularity + number, "duration_ms": 200_000 + 1000 * number, "explicit": genre == "metal",
        "danceability": danceability + nudge, "energy": energy + nudge, "key": number, "loudness": loudness + nudge,
        "mode": number % 2, "speechiness": 0.05 + nudge, "acousticness": acousticness + nudge,
        "instrumentalness": instrumentalness + nudge, "liveness": 0.1 + nudge, "valence": valence + nudge,
        "tempo": tempo + number, "time_signature": 3 + number % 2,
    }  # fmt: skip
