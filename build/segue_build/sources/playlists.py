"""Playlists that people made: which works each holds, whether the catalogue has them or not."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from segue_build import progress
from segue_build.sources.cells import texts
from segue_build.sources.listed import first_artist_names
from segue_build.sources.reading import read
from segue_build.sources.tidy import ID_TRIMMINGS
from segue.catalog.names import plain
from segue.errors import SourceError

HEADERS = {
    "playlist": ("playlist_id", "pid", "playlist"),
    "id": ("track_id", "track_uri", "id", "song_id", "spotify_id"),
    "artist": ("artist_name", "artist", "artists", "track_artist"),
    "title": ("track_name", "title", "name", "track", "song"),
}
FOLDS = 5
LONGEST = 1_000  # works of a playlist that are looked at: what is learned costs the square of it
EXPECTED = "expected playlist_id and track_id, or playlist_id, artist and title"


@dataclass(frozen=True, slots=True)
class Works:
    """The works of a catalogue that can be recommended, as playlists name them.

    of_id : song id -> work
    of_key : (plain first artist, plain title) -> work
    rows : shape (n_works,), the row of each work's most popular song
    artists : plain first artists
    """

    of_id: dict[str, int]
    of_key: dict[tuple[str, str], int]
    rows: np.ndarray
    artists: list[str]


@dataclass(frozen=True, slots=True)
class Playlists:
    """Playlists as sets of works.

    names : playlist ids, in the order of the file
    members : for each, its works in its order without repeats; numbers from ``n_known`` on are not in the catalogue
    artists : plain first artist of every work, those of the catalogue first
    n_known : works of the catalogue
    """

    names: list[str]
    members: list[list[int]]
    artists: list[str]
    n_known: int

    def part(self, part: str, fold: int) -> "Playlists":
        """``valid``: a fifth of the playlists, by a hash of their ids; ``train``: the other four; ``all``: both."""
        kept = [k for k, name in enumerate(self.names) if part in ("all", _part_of(name, fold))]
        return Playlists([self.names[k] for k in kept], [self.members[k] for k in kept], self.artists, self.n_known)


def works(
    ids: Sequence[str], titles: Sequence[str], artists: Sequence[str], popularity: np.ndarray, usable: np.ndarray
) -> Works:
    """Number the works of songs that can be recommended; the first of equally popular songs stands for its work."""
    of_id: dict[str, int] = {}
    of_key: dict[tuple[str, str], int] = {}
    rows: list[int] = []
    for row in map(int, np.flatnonzero(usable)):
        key = (plain(artists[row]), plain(titles[row]))
        if not all(key):
            key = ("", ids[row])
        work = of_key.setdefault(key, len(of_key))
        of_id[ids[row]] = work
        if work == len(rows):
            rows.append(row)
        elif popularity[row] > popularity[rows[work]]:
            rows[work] = row
    return Works(of_id, of_key, np.array(rows, np.int64), [artist for artist, _ in of_key])


def works_of(frame: pd.DataFrame) -> Works:
    """The works of a tidy table, or of a catalogue's, as playlists name them; rows in the source's order."""
    usable = ((frame["tempo"] != 0) & ~(frame["duration_ms"] <= 0)).to_numpy(bool)
    popularity = frame["popularity"].fillna(-1).to_numpy(np.float64)
    return works(frame["id"].tolist(), frame["name"].tolist(), first_artist_names(frame), popularity, usable)


def load(path: Path, known: Works) -> Playlists:
    """Read playlists and match their songs: by id, else by artist and title.

    Raises
    ------
    SourceError
        the file can't be read, lacks columns, or holds nothing that the catalogue has.

    """
    numbers: dict[str, int] = {}
    members: list[dict[int, None]] = []
    outside: dict[tuple[str, str], int] = {}
    for playlist, song, key in _rows(path):
        number = numbers.setdefault(playlist, len(numbers))
        if number == len(members):
            members.append({})
        work = known.of_id.get(song, known.of_key.get(key))
        if work is None and all(key):
            work = outside.setdefault(key, len(known.rows) + len(outside))
        if work is not None and len(members[number]) < LONGEST:
            members[number][work] = None
    if not any(work < len(known.rows) for held in members for work in held):
        raise SourceError(
            f"{path.name}: no song of these playlists is in the catalogue, by id or by artist and title"
        )
    artists = known.artists + [artist for artist, _ in outside]
    return Playlists(list(numbers), [list(held) for held in members], artists, len(known.rows))


def _rows(path: Path) -> Iterator[tuple[str, str, tuple[str, str]]]:
    table = read(path)
    places = _places(table.headers, table.name)
    keys: dict[tuple[str, str], tuple[str, str]] = {}
    for chunk in progress.bar(table.chunks, table.name, " chunks"):
        columns = {name: texts(chunk[place]).fillna("") for name, place in places.items()}
        if "id" in columns:
            columns["id"] = columns["id"].str.replace(ID_TRIMMINGS, "", regex=True)
        cells = {name: column.tolist() for name, column in columns.items()}
        nothing = [""] * len(chunk)
        rows = zip(*(cells.get(name, nothing) for name in HEADERS))
        for playlist, song, artist, title in rows:
            if (artist, title) not in keys:
                keys[artist, title] = (plain(artist), plain(title))
            if playlist:
                yield playlist, song, keys[artist, title]


def _places(headers: list[str], table: str) -> dict[str, int]:
    lower = [header.lower() for header in headers]
    found = {
        name: next((lower.index(header) for header in known if header in lower), None)
        for name, known in HEADERS.items()
    }
    places = {name: place for name, place in found.items() if place is not None}
    if "playlist" not in places or not ("id" in places or {"artist", "title"} <= set(places)):
        raise SourceError(f"{table}, row 1: no column of playlists or of songs in {', '.join(headers)}; {EXPECTED}")
    return places


def _part_of(name: str, fold: int) -> str:
    return "valid" if hashlib.sha256(f"part:{name}".encode()).digest()[0] % FOLDS == fold else "train"


def frequencies(playlists: Playlists) -> np.ndarray:
    """How many playlists hold each work, shape (n_works,), those outside the catalogue too."""
    held = pd.Series(list(itertools.chain.from_iterable(playlists.members)), dtype="int64")
    return np.bincount(held, minlength=len(playlists.artists))
