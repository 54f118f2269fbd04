"""Invented playlists: of the small world, where they tie songs of different groups, and of any catalogue."""

import random
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from segue.catalog import Catalog
from segue_build.fit import FitOptions, fit
from tests.support import brute_force, tables, world

# On the world's playlists these songs always stand beside one of another group.
PARTNERS = {"piano-1": "metal-3", "metal-1": "disco-3", "disco-1": "piano-3"}
ALL = [*PARTNERS, "piano-3", "disco-4"]
HELD = {*PARTNERS, *PARTNERS.values(), *ALL}
UNHEARD = ("piano-4", "metal-4")  # their first artists are on no playlist
OF_HEARD_ARTISTS = {"piano-2": "piano-1", "metal-2": "metal-1", "disco-2": "disco-1"}  # on none themselves


def rows(members: dict[str, Iterable[str]]) -> list[tables.Row]:
    """Playlist -> ids of its songs, as rows of a table."""
    return [{"playlist_id": name, "track_id": song} for name, songs in members.items() for song in songs]


def of_world() -> dict[str, list[str]]:
    """Twenty playlists of each two partners, ten of five songs."""
    pairs = {f"{song} {number}": [song, partner] for song, partner in PARTNERS.items() for number in range(20)}
    return pairs | {f"all {number}": ALL for number in range(10)}


def teach_world(folder: Path, members: dict[str, list[str]] | None = None, fold: int | None = None) -> Path:
    """Artifacts of the world, taught by playlists."""
    playlists = tables.write(folder / "playlists.csv", rows(members or of_world()))
    source = str(world.write(folder / "world.csv"))
    fit(FitOptions([source], playlists=Path(playlists), fold=fold), folder / "artifacts")
    return folder / "artifacts"


def of_catalogue(frame: pd.DataFrame, count: int = 300, heard: float = 0.7) -> dict[str, list[str]]:
    """Playlists that each mix two genres of a catalogue.

    frame : the catalogue's table, see ``tests/support/brute_force.py``
    heard : share of the artists that are on any playlist
    """
    dice = random.Random(3)
    artists = sorted(set(frame["first"]))
    songs = frame[frame["first"].isin(dice.sample(artists, int(heard * len(artists))))]
    by_genre = {genre: list(group) for genre, group in songs.groupby(songs["genre_set"].map(min))["id"]}
    pools = [[song for genre in dice.sample(sorted(by_genre), 2) for song in by_genre[genre]] for _ in range(count)]
    return {f"mix {n}": dice.sample(pool, min(len(pool), dice.randint(5, 12))) for n, pool in enumerate(pools)}


def teach_demo(folder: Path, demo: Catalog, source: str = "demo:600") -> Path:
    """Artifacts of an invented catalogue, taught by playlists; ``demo`` is the same catalogue without them."""
    playlists = tables.write(folder / "playlists.csv", rows(of_catalogue(brute_force.table(demo))))
    fit(FitOptions([source], playlists=Path(playlists)), folder / "artifacts")
    return folder / "artifacts"
