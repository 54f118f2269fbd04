"""Which songs are one work: versions of a song, and recordings of one composition."""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from segue.catalog.compositions import MAX_CHARACTERS, movement_name, parse_numbered, parse_unnumbered
from segue.catalog.normalization import case_folded, hash64, title_key, without_version
from segue_build.sources import series

_ENSEMBLE = re.compile(r"^the | (?:and (?:his|her|the) )?(?:orchestra|band|trio|quartet|quintet|sextet|ensemble)$")
MIN_ZEROS, MIN_ZERO_SHARE = 20, 0.01  # songs of popularity 0, of all songs, from which 0 may mean that it is unknown
ZEROS_PER_OTHER = 2  # and for each song of the most frequent other value


class WorkKey(NamedTuple):
    """What all songs of one work share.

    work : first artist, who stands for a composer's, and title or catalogue number
    name : the ``work`` of a title that is this piece's name alone; None where that is the title anyway, or one word,
        which may be a form's or a tempo's
    movement : whether the name is that of a movement, the last of a title's parts
    """

    work: str
    name: str | None = None
    movement: bool = False


def work_key(first_artist: str, title: str) -> WorkKey:
    """The key of a song's work.

    ``"Déjà Vu (feat. X) - Live"`` and ``"Déjà Vu"`` share it, ``"Für Elise, WoO 59"`` and ``"Bagatelle, WoO 59"``
    do, ``"3 Gymnopédies: I. Lent"`` and ``"Gymnopédie No. 1"``, and what an artist and the artist's quartet play.
    """
    artist = _artist_key(first_artist)
    title, rest = title[:MAX_CHARACTERS], title[MAX_CHARACTERS:]
    piece, alone, movement = parse_numbered(case_folded(title)) or (
        parse_unnumbered(title),
        "",
        movement_name(case_folded(without_version(title))) if ":" in title else "",
    )
    name = movement or alone
    return WorkKey(f"{artist}\x1f{piece}{rest}", f"{artist}\x1f{name}" if " " in name else None, bool(movement))


@functools.lru_cache(maxsize=65_536)  # most artists have several songs
def _artist_key(name: str) -> str:
    key = title_key(name)
    return _ENSEMBLE.sub("", key) or key


def match_key(first_artist: str, title: str) -> tuple[str, str]:
    """The two parts of :func:`work_key`, by which entries of playlists are matched: artist, and title or number."""
    artist, _, piece = work_key(first_artist, title).work.partition("\x1f")
    return artist, piece


def work_numbers(frame: pd.DataFrame) -> np.ndarray:
    """One number for all versions of a song; a song without artists is a work of its own."""
    return merge_by_name(work_keys(frame))


def work_keys(frame: pd.DataFrame) -> pd.DataFrame:
    """The keys of songs of the canonical table, as :func:`key_digests` has them."""
    columns = (
        series.iter_text_batches(frame["id"]),
        series.iter_text_batches(frame["name"]),
        series.iter_first_values(frame["artists"]),
    )
    return pd.concat([key_digests(*chunk) for chunk in zip(*columns)], ignore_index=True)


def key_digests(ids: Sequence[str], titles: Sequence[str], first_artists: Sequence[str]) -> pd.DataFrame:
    """Keys of songs as numbers: columns ``work`` and ``name``, int64, and ``movement``, bool.

    ``name`` is the same as ``work`` where a song has none.
    """
    songs = zip(ids, titles, first_artists)
    keys = [work_key(artist, title) if artist else WorkKey(f"\x1f\x1f{song}") for song, title, artist in songs]
    works = [hash64(found.work) for found in keys]
    names = [hash64(found.name) if found.name else work for found, work in zip(keys, works)]
    numbers = np.array([works, names], np.uint64).view(np.int64)  # Arrow and Spark share no unsigned numbers
    return pd.DataFrame({"work": numbers[0], "name": numbers[1], "movement": [found.movement for found in keys]})


def merge_by_name(keys: pd.DataFrame) -> np.ndarray:
    """The works of all songs, numbered from 0 as they first come; int64, shape (n_songs,).

    A composer's works of one name are one, whatever their numbers: the movement of a suite, a piece with a number of
    its own, a title without one. Movements alone are not merged, nor pieces of one name with several numbers: their
    name is that of a form or a tempo.

    keys : of :func:`work_keys`
    """
    works = keys["work"].to_numpy()
    named = keys[keys["name"] != keys["work"]].drop_duplicates()
    movement_by_name = named.groupby("name")["movement"]
    n_movements, titles = movement_by_name.transform("sum"), works[keys["work"].isin(named["name"])]
    n_pieces, has_title = movement_by_name.transform("size") - n_movements, named["name"].isin(titles)
    is_merged = ((n_pieces == 1) & (has_title | (n_movements > 0))) | (named["movement"] & has_title)
    renamed = named[is_merged].groupby("work")["name"].max()
    if not renamed.empty:
        index = renamed.index.get_indexer(pd.Index(works))
        works = np.where(index < 0, works, renamed.to_numpy()[index])
    return pd.factorize(works)[0].astype(np.int64)


def known_popularity(popularity: np.ndarray, works: np.ndarray) -> np.ndarray:
    """The popularity of songs, where 0 means that it is unknown.

    Where 0 is the value of far more songs than any other one, it stands for re-releases that nobody counted rather
    than for songs that nobody plays. Such a song is a step less popular than the best-known version of its work, so
    that this one stands for the work; else it is unknown.

    Parameters
    ----------
    popularity : float64, shape (n_songs,), NaN where unknown
    works : int64, shape (n_songs,), from 0

    """
    values, counts = np.unique(popularity[popularity > 0], return_counts=True)
    zero = popularity == 0
    if zero.sum() < max(MIN_ZEROS, MIN_ZERO_SHARE * len(popularity), ZEROS_PER_OTHER * counts.max(initial=0)):
        return popularity
    best = np.full(int(works.max(initial=-1)) + 1, np.nan)
    np.fmax.at(best, works[~zero], popularity[~zero])
    step, lowest = np.diff(values, prepend=0).min(initial=np.inf), values.min(initial=np.inf)
    return np.where(zero, np.maximum(best[works] - step, lowest), popularity)
