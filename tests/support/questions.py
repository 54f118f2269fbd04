"""Questions as people type them, each with the song that is meant, made from the best-known songs of a catalogue."""

import random
import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from segue.catalog import Catalog
from segue.catalog.lookup.exact import artist_names
from segue.catalog.normalization import title_key, without_version

BRACKETED = re.compile(r"\s*[(\[]")


class Question(NamedTuple):
    """What is typed, and the row that is meant."""

    pattern: str
    text: str
    row: int


def plain(text: str) -> str:
    """Lower case, without accents and punctuation."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return " ".join(re.sub(r"[^\w\s]", "", letters).split())


def mistyped(text: str, dice: random.Random) -> str | None:
    """A text with one typo in one of its longer words; None where all are short."""
    words = text.split()
    places = [place for place, word in enumerate(words) if len(word) >= 5]
    if not places:
        return None
    place = dice.choice(places)
    words[place] = edited(words[place], dice)
    return " ".join(words)


def edited(word: str, dice: random.Random) -> str:
    """A word with one letter inserted, deleted, swapped with the next or replaced."""
    place, letter = dice.randrange(len(word) - 1), dice.choice(string.ascii_lowercase)
    before, at, after = word[:place], word[place], word[place + 1 :]
    return dice.choice([before + letter + at + after, before + after, before + after[0] + at + after[1:],
                        before + letter + after])  # fmt: skip


def _without_the(text: str) -> str | None:
    kept = " ".join(word for word in text.split() if word.lower() != "the")
    return kept if kept != text else None


def _without_featured(name: str, title: str, artist: str) -> str | None:
    return f"{title} {artist}" if BRACKETED.search(name) else None


# name, title (without its version) and first artist -> what is typed, or None where the pattern says nothing new
PATTERNS: dict[str, Callable[[str, str, str, random.Random], str | None]] = {
    "artist - title": lambda _, title, artist, dice: f"{artist} - {title}",
    "name - artist": lambda name, _, artist, dice: f"{name} - {artist}",
    "title artist": lambda _, title, artist, dice: f"{title} {artist}",
    "artist title": lambda _, title, artist, dice: f"{artist} {title}",
    "title by artist": lambda _, title, artist, dice: f"{title} by {artist}",
    "title, artist": lambda _, title, artist, dice: f"{title}, {artist}",
    "plain": lambda _, title, artist, dice: plain(f"{title} {artist}"),
    "typo in the title": lambda _, title, artist, dice: (typo := mistyped(title, dice)) and f"{typo} {artist}",
    "typo in the artist": lambda _, title, artist, dice: (typo := mistyped(artist, dice)) and f"{title} {typo}",
    "without the": lambda _, title, artist, dice: _without_the(f"{title} {artist}"),
    "without featured": lambda name, title, artist, dice: _without_featured(name, title, artist),
}


def questions(catalog: Catalog, each: int, least: float = 0) -> Iterator[Question]:
    """So many questions of each pattern, the same each time, about songs of that popularity or more."""
    dice = random.Random(1)
    known = np.flatnonzero(catalog.attribute("popularity") >= least).tolist()
    for pattern, make in PATTERNS.items():
        made = (_asked(catalog, pattern, make, row, dice) for row in dice.sample(known, len(known)))
        yield from [question for question in made if question][:each]
    for row in dice.sample(known, each):
        link = dice.choice(["spotify:track:{}", "https://open.spotify.com/track/{}?si=x"])
        yield Question("link", link.format(catalog.texts("ids")[row]), row)


def _asked(
    catalog: Catalog, pattern: str, make: Callable[..., str | None], row: int, dice: random.Random
) -> Question | None:
    name, artists = catalog.texts("names")[row], artist_names(catalog, row)
    text = make(name, without_version(name), artists[0], dice) if artists else None
    return Question(pattern, text, row) if text else None


def is_meant(catalog: Catalog, found: int, meant: int) -> bool:
    """Whether a song is the one that is meant: the same title but for the version, by one of the same artists."""
    titles = {title_key(catalog.texts("names")[row]) for row in (found, meant)}
    artists = [{title_key(name) for name in artist_names(catalog, row)} for row in (found, meant)]
    return len(titles) == 1 and bool(artists[0] & artists[1])
