"""What playlists taught, song by song: the learned block beside the others, and the lists of each song."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segue_build.model.learned import Learned, learn
from segue_build.model.space import Placed, with_block
from segue_build.sources import playlists
from segue_build.sources.account import Account
from segue_build.sources.listed import first_artist_names
from segue.catalog.names import plain

PLAYED = 2 / 6  # share of the learned block
TOGETHER = 3 / 6  # share of the lists


@dataclass(frozen=True, slots=True)
class Lists:
    """Who is played together with whom.

    of_song : int64, shape (n_songs,), the list of each song, -1 where it has none
    counts : int64, shape (n_lists,)
    songs : int64, shape (sum of counts,), the song that stands for each neighbour, the nearest first
    weights : float32, the same shape, 0..1
    """

    of_song: np.ndarray
    counts: np.ndarray
    songs: np.ndarray
    weights: np.ndarray


def teach(
    placed: Placed,
    frame: pd.DataFrame,
    works: playlists.Works,
    taught: playlists.Playlists,
    seed: int,
    account: Account,
) -> tuple[Placed, Lists]:
    """Learn from playlists and place songs by it.

    works : those of the table

    Raises
    ------
    SourceError
        the playlists are too few to learn from.

    """
    weighted = placed.vectors[works.rows] * placed.space.weights.astype(np.float32)
    learned = learn(taught, weighted, seed)
    account.note(_told(taught, learned))
    of_song = _work_of_song(works, frame)
    block = np.where(of_song[:, None] >= 0, learned.vectors[of_song], np.nan)
    known = (of_song >= 0) & (learned.held[of_song] > 0)
    lists = Lists(
        np.where(of_song >= 0, learned.lists[of_song], -1),
        learned.counts,
        works.rows[learned.neighbours],
        learned.weights,
    )
    return with_block(placed, "played", block, known, PLAYED, TOGETHER), lists


def _work_of_song(works: playlists.Works, frame: pd.DataFrame) -> np.ndarray:
    """The work of each song, that of its name where it can't be recommended itself; -1: none."""
    keys = zip(first_artist_names(frame), frame["name"])
    found: Sequence[int] = [
        works.of_id[song] if song in works.of_id else works.of_key.get((plain(artist), plain(title)), -1)
        for song, (artist, title) in zip(frame["id"], keys)
    ]
    return np.array(found, np.int64)


def _told(taught: playlists.Playlists, learned: Learned) -> str:
    rows = sum(map(len, taught.members))
    inside = int(learned.held.sum())
    return (
        f"{len(taught.names):,} playlists of {rows:,} songs taught, {inside:,} of them in the catalogue;"
        f" {int((learned.held > 0).sum()):,} of {len(learned.held):,} works are on any"
    )
