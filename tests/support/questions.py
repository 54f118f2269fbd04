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
SYMBOLS = re.compile(r"[#%+=<>@~^|\u2260]")
MARKED = re.compile("[\u00c0-\u017f\u0900-\u0dff\u0e31-\u0e4e\u304c-\u30f4]")  # accents, vowel signs, kana with marks


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


class NameQuestion(NamedTuple):
    """What is typed, and which answers are right.

    artist : given apart, if it is
    rows : songs that may be meant; an artist alone: none
    meant_artist : the artist who is meant alone, as the catalogue spells the name
    """

    pattern: str
    text: str
    artist: str | None = None
    rows: tuple[int, ...] = ()
    meant_artist: str | None = None


def name_questions(catalog: Catalog, each: int, least: float = 0) -> Iterator[NameQuestion]:
    """So many questions of each kind that is not a song's own title and artist, the same each time.

    An artist alone, a title beside another artist, songs that are not here, symbols, marks.
    """
    dice = random.Random(2)
    known = np.flatnonzero(catalog.attribute("popularity") >= least).tolist()
    names, artists = catalog.texts("names"), catalog.texts("artists")
    sizes = np.diff(catalog.array("artist_offsets").astype(np.int64))
    largest = np.argsort(-sizes, kind="stable")[:each].tolist()
    for number in largest:
        yield NameQuestion("artist alone", artists[number], meant_artist=artists[number])
        yield NameQuestion("artist in lower case", artists[number].lower(), meant_artist=artists[number])
    for row in dice.sample(known, min(each, len(known))):
        title, by = without_version(names[row]), artists[dice.choice(largest)]
        if title_key(by) not in {title_key(name) for name in artist_names(catalog, row)}:
            form = dice.choice(["{0} - {1}", "{1} - {0}", "{0} by {1}", "{0} {1}"])
            yield NameQuestion("another artist", form.format(title, by))
            yield NameQuestion("another artist apart", title, by)
    titles = {title_key(names[row]) for row in range(len(catalog))}
    for row, other in zip(*(dice.sample(known, min(each, len(known))) for _ in range(2))):
        words = [*without_version(names[row]).split()[:2], *without_version(names[other]).split()[-2:]]
        spliced = " ".join(words)
        if title_key(spliced) not in titles and len(set(words)) > 3:
            yield NameQuestion("not here", spliced)
            yield NameQuestion("not here, with an artist", f"{spliced} - {artists[dice.choice(largest)]}")
    yield from _written_questions(catalog, each, dice)


def _written_questions(catalog: Catalog, each: int, dice: random.Random) -> Iterator[NameQuestion]:
    """Titles as they are written, with symbols, or with marks of letters that another title lacks."""
    names = list(catalog.texts("names").take(np.arange(len(catalog))))
    for pattern, expression in {"symbols": SYMBOLS, "marks": MARKED}.items():
        rows = [row for row, name in enumerate(names) if expression.search(name)]
        for row in dice.sample(rows, min(each, len(rows))):
            same = tuple(other for other in rows if names[other].casefold() == names[row].casefold())
            yield NameQuestion(pattern, names[row], rows=same)
            by = artist_names(catalog, row)
            if by:
                yield NameQuestion(f"{pattern} by an artist", f"{by[0]} - {names[row]}", rows=same)
