"""Which songs are one work: what people call versions of a song, and recordings of one composition."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from segue_build.sources import runs
from segue.catalog.names import digest, folded, plain, title_key, without_version

_ENSEMBLE = re.compile(r"^the | (?:and (?:his|her|the) )?(?:orchestra|band|trio|quartet|quintet|sextet|ensemble)$")
_NUMBER = re.compile(  # of a catalogue of somebody's compositions: "Op. 27 No. 2", "BWV 988", "K. 331"
    r"\b(?:(op|bwv|kv|woo|hwv|rv|wwv|twv|sc)\b\.?|([kdlsrm])(?:\.|(?<=, .))) ?(\d+[a-z]?)\b(?:[,/]? ?n[or]\. ?(\d+))?"
)
_OTHER_NUMBER = re.compile(r"\b(?!no|pt)[a-z]{1,2}\. ?\d+[a-z]?\b")
_ASIDE = re.compile(r"[\"“„”].*?[\"“”]|[(\[].*?[)\]]|\bin [a-h](?:[- ](?:sharp|flat))?(?: (?:major|minor))?\b")
_MOVEMENT = re.compile(r"\W*(?:no\. ?)?(\d+|[ivx]+)([a-z]?)\b ?[.:,]")
_OF_SET = re.compile(r"(?:\d+|two|three|four|five|six|eight|twelve) (\w+)s: (?:no\. ?)?(\d+|[ivx]+)\b")
READ = 500  # characters of a title in which its form is looked for
_ROMAN = (
    "", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii",
    "xviii", "xix", "xx",
)  # fmt: skip


class Key(NamedTuple):
    """What all songs of one work share.

    work : first artist, who stands for a composer's, and title or catalogue number
    name : the ``work`` of a title that is this piece's name alone; None where that is the title anyway, or one word,
        which may be a form's or a tempo's
    movement : whether the name is that of a movement, the last of a title's parts
    """

    work: str
    name: str | None = None
    movement: bool = False


def key(first_artist: str, title: str) -> Key:
    """By what a song's work is known.

    ``"Déjà Vu (feat. X) - Live"`` and ``"Déjà Vu"`` share it, ``"Für Elise, WoO 59"`` and ``"Bagatelle, WoO 59"``
    do, ``"3 Gymnopédies: I. Lent"`` and ``"Gymnopédie No. 1"``, and what an artist and the artist's quartet play.
    """
    artist = title_key(first_artist)
    artist = _ENSEMBLE.sub("", artist) or artist
    text, rest = folded(title[:READ]), title[READ:]
    piece, alone, movement = _numbered(text) or _unnumbered(title[:READ], text)
    name = movement or alone
    return Key(f"{artist}\x1f{piece}{rest}", f"{artist}\x1f{name}" if " " in name else None, bool(movement))


def _numbered(text: str) -> tuple[str, str, str] | None:
    """A piece by its catalogue number, what it is called, and what its movement is; None without a number."""
    number = _NUMBER.search(text)
    if number is None:
        return None
    after = _without_asides(text[number.end() :])
    before, _, part = after.partition(":")
    found = [*number.groups(), ":", plain(_OTHER_NUMBER.sub("", before)), *_part(part)]
    return " ".join(word for word in found if word), plain(_ASIDE.sub("", text[: number.start()])), _movement(after)


def _unnumbered(title: str, text: str) -> tuple[str, str, str]:
    one = _OF_SET.match(text)
    piece = f"{one[1]} no {_arabic(one[2])}" if one else title_key(title)
    return piece, "", _movement(_without_asides(folded(without_version(title)))) if ":" in text else ""


def _without_asides(text: str) -> str:
    """What is not in quotes, brackets or a key, unless it is the last part, which is then an aria's first words."""
    bare = _ASIDE.sub("", text)
    return text if ":" in bare and not plain(bare.rpartition(":")[2]) else bare


def _movement(text: str) -> str:
    """What a title's last part is called, without its number; nothing where it has one part."""
    _, colon, part = text.rpartition(":")
    return plain(_MOVEMENT.sub("", part, count=1)) if colon else ""


def work_numbers(frame: pd.DataFrame) -> np.ndarray:
    """One number for all versions of a song; a song without artists is a work of its own."""
    columns = runs.texts(frame["id"]), runs.texts(frame["name"]), runs.firsts(frame["artists"])
    keys = pd.concat([digests(*run) for run in zip(*columns)], ignore_index=True)
    return pd.factorize(_by_name(keys))[0].astype(np.int64)


def digests(ids: Sequence[str], titles: Sequence[str], first_artists: Sequence[str]) -> pd.DataFrame:
    """Keys of songs as numbers: columns ``work`` and ``name``, uint64, and ``movement``, bool.

    ``name`` is the same as ``work`` where a song has none.
    """
    songs = zip(ids, titles, first_artists)
    keys = [key(artist, title) if artist else Key(f"\x1f\x1f{song}") for song, title, artist in songs]
    works = [digest(found.work) for found in keys]
    names = [digest(found.name) if found.name else work for found, work in zip(keys, works)]
    movements = [found.movement for found in keys]
    kinds = {"work": np.uint64, "name": np.uint64, "movement": bool}
    return pd.DataFrame({"work": works, "name": names, "movement": movements}).astype(kinds)


def shared(pieces: Any, movements: Any, movement: Any, title: Any) -> Any:
    """Whether a work is one with others of its name; in arrays or in Spark's columns.

    What a composer gave one name is one work, whatever its numbers: the movement of a suite, a piece with a number
    of its own, a title without any. Movements alone are not, nor pieces of one name with several numbers: such a name
    is that of a form or a tempo.

    pieces, movements : how many works have the name that are not movements, and that are
    movement : whether the work is a movement
    title : whether songs are called by the name alone
    """
    return ((pieces == 1) & (title | (movements > 0))) | (movement & title)


def _by_name(keys: pd.DataFrame) -> np.ndarray:
    """The works of all songs, uint64, shape (n_songs,), by their names where these are shared."""
    works = keys["work"].to_numpy()
    named = keys[keys["name"] != keys["work"]].drop_duplicates()
    of_name = named.groupby("name")["movement"]
    movements, titles = of_name.transform("sum"), works[keys["work"].isin(named["name"])]
    pieces, title = of_name.transform("size") - movements, named["name"].isin(titles)
    renamed = named[shared(pieces, movements, named["movement"], title)].groupby("work")["name"].max()
    if renamed.empty:
        return works
    place = renamed.index.get_indexer(works)
    return np.where(place < 0, works, renamed.to_numpy()[place])


def _part(text: str) -> list[str]:
    """What tells a movement from others: its number, and what is numbered or named within it."""
    movement = _MOVEMENT.match(text)
    if movement is None:
        return [plain(text)]
    numeral, letter = movement.groups()
    rest = text[movement.end() :]
    return [_arabic(numeral) + letter, *re.findall(r"\d+", rest), plain(rest.partition(":")[2])]


def _arabic(numeral: str) -> str:
    return str(_ROMAN.index(numeral)) if numeral in _ROMAN else numeral
