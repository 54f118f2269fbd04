"""Playlists that people made, as sets of works, whether the catalogue has these works or not."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from segue.catalog.normalization import core_text
from segue.errors import SourceError
from segue_build import progress
from segue_build.sources.formats.detection import open_table
from segue_build.sources.multivalue import first_artist_names
from segue_build.sources.normalization import ID_AFFIXES
from segue_build.sources.series import stripped_texts

PLAYLIST_HEADERS = {
    "playlist": ("playlist_id", "pid", "playlist"),
    "id": ("track_id", "track_uri", "id", "song_id", "spotify_id"),
    "artist": ("artist_name", "artist", "artists", "track_artist"),
    "title": ("track_name", "title", "name", "track", "song"),
}
FOLDS = 5
MAX_PLAYLIST_WORKS = 1_000  # works of a playlist that are used: learning costs the square of it
EXPECTED_PLAYLISTS = "expected playlist_id and track_id, or playlist_id, artist and title"


Key = tuple[str, str]  # first artist and title, normalized; a song of which either is empty matches by its id alone
KeyFunction = Callable[[str, str], Key]


def plain_key(artist: str, title: str) -> Key:
    """Artist and title without case, accents, brackets and version: evaluation by playlists counts these as one work.

    The model has a rule of its own (:func:`segue_build.model.works.match_key`); a model that is evaluated
    by its own rule can't be compared with others.
    """
    return core_text(artist), core_text(title)


@dataclass(frozen=True, slots=True)
class CatalogWorks:
    """The works of a catalogue that can be recommended, and how entries of playlists are matched to them.

    by_id : song id -> work
    by_key : key -> work
    rows : shape (n_works,), the row of each work's most popular song
    artists : of each work, the first artist in its key
    key : first artist, title -> key
    """

    by_id: dict[str, int]
    by_key: dict[Key, int]
    rows: np.ndarray
    artists: list[str]
    key: KeyFunction = plain_key


@dataclass(frozen=True, slots=True)
class Playlists:
    """Playlists as sets of works.

    names : playlist ids, in the order of the file
    members : the works of each playlist in its order, without repeats; those from ``n_known`` on are not in the
        catalogue
    artists : first artist in the key of each work; works of the catalogue come first
    n_known : number of works in the catalogue
    """

    names: list[str]
    members: list[list[int]]
    artists: list[str]
    n_known: int

    def split(self, part: str, fold: int) -> "Playlists":
        """A part of the playlists: ``valid``, a fifth, by a hash of their ids; ``train``, the rest; ``all``, both."""
        kept = [k for k, name in enumerate(self.names) if part in ("all", _fold_part(name, fold))]
        return Playlists([self.names[k] for k in kept], [self.members[k] for k in kept], self.artists, self.n_known)


def number_works(
    ids: Sequence[str],
    titles: Sequence[str],
    artists: Sequence[str],
    popularity: np.ndarray,
    usable: np.ndarray,
    key: KeyFunction = plain_key,
    works: np.ndarray | None = None,
) -> CatalogWorks:
    """Number the works of songs that can be recommended; each is represented by its (first) most popular song.

    Parameters
    ----------
    usable : bool, shape (n_songs,), songs that can be recommended
    works : shape (n_songs,), equal numbers for versions of one work; None: songs with equal keys are one work

    """
    numbers: dict[object, int] = {}
    by_id: dict[str, int] = {}
    by_key: dict[Key, int] = {}
    rows: list[int] = []
    first_artists: list[str] = []
    for row in map(int, np.flatnonzero(usable)):
        song_key = key(artists[row], titles[row])
        if not all(song_key):
            song_key = ("", ids[row])
        work = numbers.setdefault(song_key if works is None else int(works[row]), len(numbers))
        by_id[ids[row]] = work
        by_key.setdefault(song_key, work)
        if work == len(rows):
            rows.append(row)
            first_artists.append(song_key[0])
        elif popularity[row] > popularity[rows[work]]:
            rows[work] = row
    return CatalogWorks(by_id, by_key, np.array(rows, np.int64), first_artists, key)


def catalog_works(frame: pd.DataFrame, key: KeyFunction = plain_key, works: np.ndarray | None = None) -> CatalogWorks:
    """The works of a canonical table or of ``catalog.parquet``, see :func:`number_works`; rows are the frame's."""
    usable = ((frame["tempo"] != 0) & ~(frame["duration_ms"] <= 0)).to_numpy(bool)
    popularity = frame["popularity"].fillna(-1).to_numpy(np.float64)
    titles = frame["name"].tolist()
    return number_works(frame["id"].tolist(), titles, first_artist_names(frame), popularity, usable, key, works)


def load_playlists(path: Path, known: CatalogWorks) -> Playlists:
    """Read playlists and match their songs: by id, else by artist and title.

    Raises
    ------
    SourceError
        the file can't be read, lacks columns, or has no song of the catalogue.

    """
    index_of: dict[str, int] = {}
    members: list[dict[int, None]] = []
    unknown_works: dict[Key, int] = {}
    for playlist, song, key in _iter_entries(path, known.key):
        index = index_of.setdefault(playlist, len(index_of))
        if index == len(members):
            members.append({})
        work = known.by_id.get(song, known.by_key.get(key))
        if work is None and all(key):
            work = unknown_works.setdefault(key, len(known.rows) + len(unknown_works))
        if work is not None and len(members[index]) < MAX_PLAYLIST_WORKS:
            members[index][work] = None
    if not any(work < len(known.rows) for playlist_works in members for work in playlist_works):
        raise SourceError(
            f"{path.name}: no song of these playlists is in the catalogue, by id or by artist and title"
        )
    artists = known.artists + [artist for artist, _ in unknown_works]
    return Playlists(list(index_of), [list(playlist_works) for playlist_works in members], artists, len(known.rows))


def _iter_entries(path: Path, key: KeyFunction) -> Iterator[tuple[str, str, Key]]:
    """Playlist, song id and key of every row."""
    table = open_table(path)
    positions = _column_positions(table.headers, table.name)
    keys: dict[tuple[str, str], Key] = {}
    for chunk in progress.bar(table.chunks, table.name, " chunks"):
        columns = {name: stripped_texts(chunk[position]).fillna("") for name, position in positions.items()}
        if "id" in columns:
            columns["id"] = columns["id"].str.replace(ID_AFFIXES, "", regex=True)
        cells = {name: column.tolist() for name, column in columns.items()}
        blanks = [""] * len(chunk)
        rows = zip(*(cells.get(name, blanks) for name in PLAYLIST_HEADERS))
        for playlist, song, artist, title in rows:
            if (artist, title) not in keys:
                keys[artist, title] = key(artist, title)
            if playlist:
                yield playlist, song, keys[artist, title]


def _column_positions(headers: list[str], table: str) -> dict[str, int]:
    lower = [header.lower() for header in headers]
    matches = {
        name: next((lower.index(header) for header in known if header in lower), None)
        for name, known in PLAYLIST_HEADERS.items()
    }
    positions = {name: position for name, position in matches.items() if position is not None}
    if "playlist" not in positions or not ("id" in positions or {"artist", "title"} <= set(positions)):
        raise SourceError(
            f"{table}, row 1: no column identifies playlists or songs in {', '.join(headers)}; {EXPECTED_PLAYLISTS}"
        )
    return positions


def _fold_part(name: str, fold: int) -> str:
    return "valid" if hashlib.sha256(f"part:{name}".encode()).digest()[0] % FOLDS == fold else "train"


def playlist_frequencies(playlists: Playlists) -> np.ndarray:
    """How many playlists hold each work, shape (n_works,), including works outside the catalogue."""
    held = pd.Series(list(itertools.chain.from_iterable(playlists.members)), dtype="int64")
    return np.bincount(held, minlength=len(playlists.artists))
