"""A song's title and artists in the ways in which people type them."""

import functools
import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

from segue.catalog.lookup.likeness import Likeness
from segue.catalog.lookup.readings import Reading, is_of_version, words_of
from segue.catalog.names import forms, joined
from segue.catalog.version import Catalog

CREDITED = 5  # artists of a song that a text may name
SHORTEST = 3  # letters from which a word may have a typo or be the beginning of one
MOST_TYPOS = 2  # words of a text with one
ALIKE = 0.8  # likeness from which two words are one with a typo
_MOST = 0.5  # of a text's letters, that make a reading
_PARTS, _WHOLE_TITLE, _IN_A_ROW, _ARTIST_NAMED = 0.7, 0.1, 0.1, 0.05  # what a reading by words is worth


class Spelling(NamedTuple):
    """One way to type a song.

    place : of the song among several
    text : title and singer, in one order or the other
    title, singer : joined; no singer where the title stands alone
    artist : row of the first artist named, None where the title stands alone
    """

    place: int
    text: str
    title: str
    singer: str
    artist: int | None


class Song:
    """A song that a text may mean."""

    def __init__(self, catalog: Catalog, row: int):
        name, artists = catalog.texts("names")[row], catalog.texts("artists")
        self.row = row
        self.artists: list[int] = catalog.lists("by", "artists")[row][:CREDITED].tolist()
        self._title = words_of(name)
        self._names = [words_of(artists[artist]) for artist in self.artists]
        self._forms = forms(name)

    def spellings(self, place: int) -> list[Spelling]:
        """All ways to type it: the title alone, and with an artist or all of them before or after it."""
        singers = list(map(joined, self._names))
        named = list(zip(singers, self.artists))
        if len(named) > 1:
            named.append(("".join(singers), self.artists[0]))
        alone = [Spelling(place, title, title, "", None) for title in self._forms]
        return alone + [
            Spelling(place, text, title, singer, artist)
            for title in self._forms
            for singer, artist in named
            for text in (title + singer, singer + title)
        ]

    def by_words(self, asked: Sequence[str], *, typing: bool) -> Reading | None:
        """How a text reads whose words are of the title, of an artist, or said of the version; None if it does not.

        typing : whether the last word may be the beginning of one, and some words may be of nothing
        """
        everything = " ".join([*self._title, *itertools.chain.from_iterable(self._names)])
        if sum(word not in everything for word in asked) > MOST_TYPOS:
            return None
        begun = asked[-1] if typing else None
        inside, outside = _parted(asked, self._title, begun)
        artist, left = self._named(outside, begun)
        letters, whole = len("".join(inside)), len(self._forms[0])
        stray = bool(left) and (letters < whole or not all(map(is_of_version, left)))
        if stray or letters < min(SHORTEST, whole):
            return self._in_part(asked, left, artist, titled=bool(inside)) if typing else None
        in_a_row = f" {' '.join(inside)}" in f" {' '.join(self._title)}"
        worth = _PARTS + _WHOLE_TITLE * min(1.0, letters / whole) + _IN_A_ROW * in_a_row
        return Reading(self.row, "parts", worth + _ARTIST_NAMED * (artist is not None), artist)

    def _in_part(
        self, asked: Sequence[str], left: Sequence[str], artist: int | None, *, titled: bool
    ) -> Reading | None:
        """How a text reads of whose letters most are in words of the song."""
        share = 1 - len("".join(left)) / len("".join(asked))
        return Reading(self.row, "parts", _PARTS * share, artist, titled) if share >= _MOST else None

    def _named(self, words: Sequence[str], begun: str | None) -> tuple[int | None, list[str]]:
        """The first artist of whose name any of the words are, and the words that are of no artist's."""
        named, left = None, list(words)
        for name, artist in zip(self._names, self.artists):
            if not left:
                break
            theirs, left = _parted(left, name, begun)
            named = artist if theirs and named is None else named
        return named, left


def _parted(asked: Sequence[str], words: Sequence[str], begun: str | None) -> tuple[list[str], list[str]]:
    """What is asked for by words that are among others, or two of them typed as one, and what is not.

    begun : the word that may be the beginning of one
    """
    known = {*words, *(one + other for one, other in itertools.pairwise(words))}
    inside: list[str] = []
    outside: list[str] = []
    for word in asked:
        (inside if word in known or _is_like(word, known, word == begun) else outside).append(word)
    return inside, outside


def _is_like(word: str, known: Collection[str], begun: bool) -> bool:
    """Whether a word is one of the known with a typo, or the beginning of one if that is allowed."""
    if len(word) < SHORTEST:
        return False
    return any((begun and other.startswith(word)) or _alike(word, other) for other in known if other[0] == word[0])


@functools.lru_cache(maxsize=4096)
def _alike(word: str, other: str) -> bool:
    return abs(len(word) - len(other)) < SHORTEST and Likeness(word).ratio(other) >= ALIKE
