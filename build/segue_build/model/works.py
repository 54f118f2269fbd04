"""Which songs are one work: versions of a song, and recordings of one composition."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from segue.catalog.normalization import case_folded, core_text, hash64, title_key, without_version
from segue_build.sources import series

_ENSEMBLE = re.compile(r"^the | (?:and (?:his|her|the) )?(?:orchestra|band|trio|quartet|quintet|sextet|ensemble)$")
_CATALOGUE_NUMBER = re.compile(  # of a catalogue of somebody's compositions: "Op. 27 No. 2", "BWV 988", "K. 331"
    r"\b(?:(op|bwv|kv|woo|hwv|rv|wwv|twv|sc)\b\.?|([kdlsrm])(?:\.|(?<=, .))) ?(\d+[a-z]?)\b(?:[,/]? ?n[or]\. ?(\d+))?"
)
_OTHER_CATALOGUE_NUMBER = re.compile(r"\b(?!no|pt)[a-z]{1,2}\. ?\d+[a-z]?\b")
_ASIDE = re.compile(r"[\"“„”].*?[\"“”]|[(\[].*?[)\]]|\bin [a-h](?:[- ](?:sharp|flat))?(?: (?:major|minor))?\b")
_MOVEMENT_NUMBER = re.compile(r"\W*(?:no\. ?)?(\d+|[ivx]+)([a-z]?)\b ?[.:,]")
_ONE_OF_SET = re.compile(r"(?:\d+|two|three|four|five|six|eight|twelve) (\w+)s: (?:no\. ?)?(\d+|[ivx]+)\b")
MIN_ZEROS, MIN_ZERO_SHARE = 20, 0.01  # songs of popularity 0, of all songs, from which 0 may mean that it is unknown
ZEROS_PER_OTHER = 2  # and for each song of the most frequent other value
MAX_CHARACTERS = 500  # characters of a title in which its form is looked for
_ROMAN = (
    "", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii",
    "xviii", "xix", "xx",
)  # fmt: skip


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
    artist = title_key(first_artist)
    artist = _ENSEMBLE.sub("", artist) or artist
    text, rest = case_folded(title[:MAX_CHARACTERS]), title[MAX_CHARACTERS:]
    piece, alone, movement = _parse_numbered(text) or _parse_unnumbered(title[:MAX_CHARACTERS], text)
    name = movement or alone
    return WorkKey(f"{artist}\x1f{piece}{rest}", f"{artist}\x1f{name}" if " " in name else None, bool(movement))


def match_key(first_artist: str, title: str) -> tuple[str, str]:
    """The two parts of :func:`work_key`, by which entries of playlists are matched: artist, and title or number."""
    artist, _, piece = work_key(first_artist, title).work.partition("\x1f")
    return artist, piece


def _parse_numbered(text: str) -> tuple[str, str, str] | None:
    """A piece by its catalogue number, what it is called, and what its movement is; None without a number."""
    number = _CATALOGUE_NUMBER.search(text)
    if number is None:
        return None
    after = _without_asides(text[number.end() :])
    before, _, part = after.partition(":")
    found = [*number.groups(), ":", core_text(_OTHER_CATALOGUE_NUMBER.sub("", before)), *_movement_words(part)]
    return (
        " ".join(word for word in found if word),
        core_text(_ASIDE.sub("", text[: number.start()])),
        _movement_name(after),
    )


def _parse_unnumbered(title: str, text: str) -> tuple[str, str, str]:
    one = _ONE_OF_SET.match(text)
    piece = f"{one[1]} no {_arabic(one[2])}" if one else title_key(title)
    return piece, "", _movement_name(_without_asides(case_folded(without_version(title)))) if ":" in text else ""


def _without_asides(text: str) -> str:
    """The text without quotes, brackets and keys; all of it if its last part is one, as an aria's first words."""
    bare = _ASIDE.sub("", text)
    return text if ":" in bare and not core_text(bare.rpartition(":")[2]) else bare


def _movement_name(text: str) -> str:
    """What a title's last part is called, without its number; nothing where it has one part."""
    _, colon, part = text.rpartition(":")
    return core_text(_MOVEMENT_NUMBER.sub("", part, count=1)) if colon else ""


def work_numbers(frame: pd.DataFrame) -> np.ndarray:
    """One number for all versions of a song; a song without artists is a work of its own."""
    columns = (
        series.iter_text_batches(frame["id"]),
        series.iter_text_batches(frame["name"]),
        series.iter_first_values(frame["artists"]),
    )
    keys = pd.concat([key_digests(*chunk) for chunk in zip(*columns)], ignore_index=True)
    return pd.factorize(_merge_by_name(keys))[0].astype(np.int64)


def key_digests(ids: Sequence[str], titles: Sequence[str], first_artists: Sequence[str]) -> pd.DataFrame:
    """Keys of songs as numbers: columns ``work`` and ``name``, uint64, and ``movement``, bool.

    ``name`` is the same as ``work`` where a song has none.
    """
    songs = zip(ids, titles, first_artists)
    keys = [work_key(artist, title) if artist else WorkKey(f"\x1f\x1f{song}") for song, title, artist in songs]
    works = [hash64(found.work) for found in keys]
    names = [hash64(found.name) if found.name else work for found, work in zip(keys, works)]
    movements = [found.movement for found in keys]
    kinds = {"work": np.uint64, "name": np.uint64, "movement": bool}
    return pd.DataFrame({"work": works, "name": names, "movement": movements}).astype(kinds)


def is_merged(n_pieces: Any, n_movements: Any, is_movement: Any, is_title: Any) -> Any:
    """Whether a work is merged with others of its name; for arrays or Spark's columns.

    A composer's works of one name are one, whatever their numbers: the movement of a suite, a piece with a number of
    its own, a title without one. Movements alone are not merged, nor pieces of one name with several numbers: their
    name is that of a form or a tempo.

    n_pieces, n_movements : how many works have the name that are not movements, and that are
    is_movement : whether the work is a movement
    is_title : whether songs are called by the name alone
    """
    return ((n_pieces == 1) & (is_title | (n_movements > 0))) | (is_movement & is_title)


def _merge_by_name(keys: pd.DataFrame) -> np.ndarray:
    """The works of all songs, uint64, shape (n_songs,), by their names where these are shared."""
    works = keys["work"].to_numpy()
    named = keys[keys["name"] != keys["work"]].drop_duplicates()
    movement_by_name = named.groupby("name")["movement"]
    n_movements, titles = movement_by_name.transform("sum"), works[keys["work"].isin(named["name"])]
    n_pieces, has_title = movement_by_name.transform("size") - n_movements, named["name"].isin(titles)
    renamed = named[is_merged(n_pieces, n_movements, named["movement"], has_title)].groupby("work")["name"].max()
    if renamed.empty:
        return works
    index = renamed.index.get_indexer(works)
    return np.where(index < 0, works, renamed.to_numpy()[index])


def known_popularity(popularity: np.ndarray, works: np.ndarray) -> np.ndarray:
    """The popularity of songs, where 0 means that it is unknown.

    Where 0 is the value of far more songs than any other one, it stands for re-releases that nobody counted rather
    than for songs that nobody plays. Such a song is as popular as the best-known version of its work, else unknown.

    Parameters
    ----------
    popularity : float64, shape (n_songs,), NaN where unknown
    works : int64, shape (n_songs,), from 0

    """
    counts = np.unique(popularity[popularity > 0], return_counts=True)[1]
    zero = popularity == 0
    if zero.sum() < max(MIN_ZEROS, MIN_ZERO_SHARE * len(popularity), ZEROS_PER_OTHER * counts.max(initial=0)):
        return popularity
    best = np.full(int(works.max(initial=-1)) + 1, np.nan)
    np.fmax.at(best, works[~zero], popularity[~zero])
    return np.where(zero, best[works], popularity)


def _movement_words(text: str) -> list[str]:
    """What tells a movement from others: its number, and what is numbered or named within it."""
    movement = _MOVEMENT_NUMBER.match(text)
    if movement is None:
        return [core_text(text)]
    numeral, letter = movement.groups()
    rest = text[movement.end() :]
    return [_arabic(numeral) + letter, *re.findall(r"\d+", rest), core_text(rest.partition(":")[2])]


def _arabic(numeral: str) -> str:
    return str(_ROMAN.index(numeral)) if numeral in _ROMAN else numeral
