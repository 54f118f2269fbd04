"""How well a text matches a song: as a title, a title and an artist in either order, or some words of both.

Each candidate is compared letter by letter with all its spellings, else word by word. What a text surely names has no
word more, no word less and no other number than the text, but for typos; anything else is a guess.
"""

import functools
import itertools
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names_by_song
from segue.catalog.lookup.fuzzy import MAX_COMPARED_LENGTH, LcsSimilarity, is_one_typo
from segue.catalog.normalization import (
    FEATURING,
    STOP_WORDS,
    join_words,
    query_words,
    title_variants,
    without_separators,
)
from segue.limits import GUESSED, charge, checkpoint

CLOSE_SCORE = 0.85  # score below which another spelling is another name
MIN_CERTAIN_LENGTH = 12  # letters of a title alone that has a typo, rather than is like another one by chance
MIN_TYPO_TITLE = 5  # letters of a title with an artist that may have one
_MIN_TITLE_SHARE = 0.5  # share of a title's letters that names it without its artist
_MIN_CERTAIN_SHARE = 0.6  # share that makes it certain, with an artist
_NUMBER = re.compile(r"\d+|[ivx]+$")  # the last Roman
_VERSION_WORDS = frozenset((  # describe a recording or a video of it, as years do
    "acoustic", "album", "audio", "cover", "deluxe", "demo", "edit", "extended", "hd", "hq", "instrumental",
    "karaoke", "live", "lyric", "lyrics", "mix", "mono", "music", "official", "original", "radio", "remaster",
    "remastered", "remix", "session", "sessions", "single", "song", "stereo", "version", "video",
))  # fmt: skip
MAX_ARTISTS = 5  # artists of a song that a text may name
MIN_FUZZY_LENGTH = 3  # letters of a word that may have a typo or be incomplete
MAX_TYPO_WORDS = 2  # words of a text that may have a typo
WORD_SIMILARITY = 0.8  # similarity from which one word is the other with a typo
_MIN_LETTERS_SHARE = 0.5  # share of a text's letters, in words of the song, that makes a match
# Parts of the score of a match by words.
_WORDS_SCORE, _WHOLE_TITLE_BONUS, _PHRASE_BONUS, _ARTIST_BONUS = 0.7, 0.1, 0.1, 0.05
MIN_SCORE = 0.7  # score of a match below which nothing is meant
_MIN_PART_SIMILARITY = 0.6  # similarity that a title and an artist each need
_PREFIX_FACTOR = 0.9  # score of a spelling that the text begins, against one that it ends


@dataclass(frozen=True, slots=True)
class SongMatch:
    """A song that a text may mean.

    kind : ``"exact"`` (but for case, accents, punctuation, silent words and the version), ``"close"`` (with typos),
        ``"parts"`` (some words of title and artists), ``"title"`` (by another artist), ``"guess"`` or ``"id"``
    score : 0..1, how well the text spells the song
    artist : row of the artist whom the text names; None where it names none
    names_title : whether the text names the title, and not the artist alone
    certain : whether no other song is likely to be meant
    """

    row: int
    kind: str
    score: float
    artist: int | None = None
    names_title: bool = True
    certain: bool = True


def match_songs(catalog: Catalog, words: Sequence[str], rows: np.ndarray, *, typing: bool) -> list[SongMatch]:
    """The best match of each of several songs; songs that the text can't mean are left out.

    words : of the text, as typed
    typing : whether the text may also be some words of what is meant, or the beginning of it
    """
    words = without_separators(words)
    songs = candidate_songs(catalog, rows)
    found = _match_spellings(words, songs, typing=typing)
    for index, song in enumerate(songs if typing else ()):
        if index not in found or found[index].kind == "guess":
            match = song.match_words(words)
            if match and (index not in found or _rank(found[index]) < _rank(match)):
                found[index] = match
    return list(found.values())


def match_songs_by(catalog: Catalog, title: str, artist: str, rows: np.ndarray) -> list[SongMatch]:
    """The songs among some that a title means and an artist sings, both with typos."""
    variants = [LcsSimilarity(variant) for variant in title_variants(title)]
    singer = LcsSimilarity(join_words(query_words(artist)))
    found = (song.match_apart(variants, singer) for song in candidate_songs(catalog, rows))
    return [match for match in found if match]


def candidate_songs(catalog: Catalog, rows: np.ndarray) -> list["CandidateSong"]:
    """Songs to be compared with a text; those of the last call are kept, as most of them are needed again."""
    checkpoint()
    charge(GUESSED, len(rows))
    last: dict[int, CandidateSong] = catalog.cached(candidate_songs, dict)
    new = rows[[row not in last for row in rows.tolist()]] if last else rows
    names, artists = catalog.texts("names").take(new), catalog.lists("song", "artists").take(new)
    columns = new.tolist(), names, artists, artist_names_by_song(catalog, new)
    made = {song.row: song for song in (CandidateSong(*values) for values in zip(*columns))}
    songs = [made.get(row) or last[row] for row in rows.tolist()]
    last.clear()
    last.update((song.row, song) for song in songs)
    return songs


def _rank(match: SongMatch) -> tuple[bool, float]:
    return match.kind != "guess", match.score


def is_silent_word(word: str) -> bool:
    """Whether a word names nothing alone: it describes a recording, or connects names."""
    return word in _VERSION_WORDS or word in STOP_WORDS or word in FEATURING


def is_version_word(word: str) -> bool:
    """Whether a word may distinguish one recording of a song from another."""
    return word in _VERSION_WORDS or (word.isdecimal() and len(word) == 4)


class Spelling(NamedTuple):
    """One way to type a song.

    text : title and artist, in either order
    title, artist_name : joined words; no artist if the title stands alone
    artist : row of the first artist named, None if the title stands alone
    """

    text: str
    title: str
    artist_name: str
    artist: int | None


class CandidateSong:
    """A song that a text may mean."""

    def __init__(self, row: int, name: str, artists: list[int], artist_names: list[str]):
        self.row = row
        self.artists = artists[:MAX_ARTISTS]
        self._title_words = query_words(name)
        self._artist_words = [query_words(artist) for artist in artist_names[:MAX_ARTISTS]]
        self._artist_keys = [join_words(words) for words in self._artist_words]
        self._variants = title_variants(name)

    def spellings(self, shortest: float, longest: float) -> list[tuple[str, str, str, int | None]]:
        """Ways to type it, in so many letters: the title alone, and with an artist or all before or after it.

        As tuples, for few of them become a :class:`Spelling`.
        """
        named = list(zip(self._artist_keys, self.artists))
        if len(named) > 1:
            named.append(("".join(self._artist_keys), self.artists[0]))
        alone = [title for title in self._variants if shortest <= len(title) <= longest]
        found: list[tuple[str, str, str, int | None]] = [(title, title, "", None) for title in alone]
        for title in self._variants:
            for name, artist in named:
                if shortest <= len(title) + len(name) <= longest:
                    found += [(title + name, title, name, artist), (name + title, title, name, artist)]
        return found

    def match_apart(self, titles: Sequence[LcsSimilarity], singer: LcsSimilarity) -> SongMatch | None:
        """The match if a title, given in its variants, and one artist, or all, are close to the song's."""
        names = self._artist_keys
        ratios = [singer.ratio(name) for name in (*names, "".join(names))]
        by = max(range(len(ratios)), key=ratios.__getitem__)
        score, title, variant = max(
            (title.ratio(variant), title.text, variant) for title in titles for variant in self._variants
        )
        if not names or min(score, ratios[by]) < CLOSE_SCORE:
            return None
        is_typo = len(title) >= MIN_TYPO_TITLE and _same_numbers(title, variant) and is_one_typo(title, variant)
        certain = title == variant or is_typo
        artist = self.artists[by if by < len(names) else 0]
        kind = "close" if certain else "guess"
        return SongMatch(self.row, kind, round(min(score, ratios[by]), 3), artist, certain=certain)

    def match_words(self, query: Sequence[str]) -> SongMatch | None:
        """The match if all words are of the title, of an artist or of a version's description, or else most of them.

        It is a guess if the last word is incomplete, or others match nothing.
        """
        everything = " ".join(["", *self._title_words, *itertools.chain.from_iterable(self._artist_words)])
        others = [word for word in query if word not in everything]
        stray = [word for word in others if f" {word[0]}" not in everything and not is_version_word(word)]
        if len(others) > MAX_TYPO_WORDS or len("".join(stray)) > (1 - _MIN_LETTERS_SHARE) * len("".join(query)):
            return None
        matched, rest = _partition(query, self._title_words, query[-1])
        artist, unmatched = self._artist_among(rest, query[-1])
        letters, whole = len("".join(word for word in matched if word not in STOP_WORDS)), len(self._variants[0])
        is_stray = bool(unmatched) and (letters < whole or not all(map(is_version_word, unmatched)))
        is_short = letters < min(MIN_FUZZY_LENGTH, whole) and not any(map(str.isdecimal, matched))
        if is_stray or is_short:
            return self._match_partly(query, unmatched, artist, names_title=letters > 0)
        is_phrase = f" {' '.join(matched)}" in f" {' '.join(self._title_words)}"
        share = min(1.0, letters / whole)
        score = _WORDS_SCORE + _WHOLE_TITLE_BONUS * share + _PHRASE_BONUS * is_phrase
        kind, certain = self._judge_parts(query, matched, rest, artist, share if is_phrase else 0.0)
        return SongMatch(self.row, kind, score + _ARTIST_BONUS * (artist is not None), artist, certain=certain)

    def _judge_parts(
        self, query: Sequence[str], matched: Sequence[str], rest: Sequence[str], artist: int | None, share: float
    ) -> tuple[str, bool]:
        """Whether words are parts of what is meant, or make it a guess; and whether it is certain.

        matched, rest : the words that are of the title, and the others
        share : of the title's letters that the words have in a row
        """
        if not self._has_all(query) or not matched or (artist is None and share < _MIN_TITLE_SHARE):
            return "guess", False
        if artist is None:
            return "parts", False
        name = self._artist_words[self.artists.index(artist)]
        named = len("".join(word for word in rest if word in name)) / len("".join(name))
        return ("parts" if share or named else "guess"), min(share, named) >= _MIN_CERTAIN_SHARE

    def _match_partly(
        self, query: Sequence[str], unmatched: Sequence[str], artist: int | None, *, names_title: bool
    ) -> SongMatch | None:
        """A guess if enough of the text's letters are in words of the song."""
        share = 1 - len("".join(unmatched)) / len("".join(query))
        if share < _MIN_LETTERS_SHARE:
            return None
        return SongMatch(self.row, "guess", _WORDS_SCORE * share, artist, names_title, certain=False)

    def judge_spelling(self, words: Sequence[str], similarity: LcsSimilarity, spelling: Spelling) -> tuple[str, bool]:
        """The kind of a match by a spelling, and whether it is certain."""
        query = similarity.text
        if query == spelling.text:
            return "exact", True
        if not similarity.is_at_least(spelling.text, CLOSE_SCORE) or not self._explains(words, query, spelling.text):
            return "guess", False
        is_long = len(spelling.title) >= (MIN_TYPO_TITLE if spelling.artist is not None else MIN_CERTAIN_LENGTH)
        is_whole = abs(len(query) - len(spelling.text)) <= 1 and _same_numbers(query, spelling.text)
        certain = is_long and is_whole and self._has_one_typo(words)
        return ("close" if certain or self._has_all(words) else "guess"), certain

    def _has_one_typo(self, words: Sequence[str]) -> bool:
        """Whether title and artists have all words but one, and that one with a typo."""
        known = [*self._title_words, *itertools.chain.from_iterable(self._artist_words)]
        joined = {one + other for one, other in itertools.pairwise(known)}
        unknown = [word for word in words if word not in known and word not in joined]
        return len(unknown) == 1 and any(is_one_typo(unknown[0], other) for other in known)

    def _has_all(self, words: Sequence[str]) -> bool:
        """Whether title and artists have all words, without typos."""
        known = {*self._title_words, *itertools.chain.from_iterable(self._artist_words)}
        return all(word in known or is_version_word(word) for word in words)

    def _explains(self, words: Sequence[str], query: str, spelling: str) -> bool:
        """Whether a spelling has all words of a text, with typos, and its numbers."""
        known = [*self._title_words, *itertools.chain.from_iterable(self._artist_words)]
        pieces = {
            *known,
            *(one + other for one, other in itertools.pairwise(known)),
            *self._artist_keys,
        }
        return set(_NUMBER.findall(query)) <= set(_NUMBER.findall(spelling)) and all(
            word in STOP_WORDS
            or word in pieces
            or (len(word) > 1 and word in spelling)
            or _has_typo_of_any(word, pieces)
            for word in words
        )

    def _artist_among(self, words: Sequence[str], prefix: str | None) -> tuple[int | None, list[str]]:
        """The first artist whose name has any of the words, and the words that no artist's name has."""
        named, unmatched = None, list(words)
        for name, artist in zip(self._artist_words, self.artists):
            if not unmatched:
                break
            matched, unmatched = _partition(unmatched, name, prefix)
            named = artist if matched and named is None else named
        return named, unmatched


def _same_numbers(query: str, spelling: str) -> bool:
    """Whether two texts have the same numbers, in which nobody makes a typo."""
    return _NUMBER.findall(query) == _NUMBER.findall(spelling)


def _has_typo_of_any(word: str, known: Collection[str]) -> bool:
    return len(word) >= MIN_FUZZY_LENGTH and any(_are_similar_words(word, other) for other in known)


def _partition(query: Sequence[str], words: Sequence[str], prefix: str | None) -> tuple[list[str], list[str]]:
    """The words of a query that are among others, or are two of them typed as one, and those that are not.

    prefix : the word that may be incomplete, None for none
    """
    known = {*words, *(one + other for one, other in itertools.pairwise(words))}
    matched: list[str] = []
    unmatched: list[str] = []
    for word in query:
        (matched if word in known or _matches_any(word, known, word == prefix) else unmatched).append(word)
    return matched, unmatched


def _matches_any(word: str, known: Collection[str], prefix: bool) -> bool:
    """Whether a word is a known one with a typo, or the beginning of one if ``prefix`` allows it."""
    if len(word) < MIN_FUZZY_LENGTH:
        return False
    with_initial = [other for other in known if other[0] == word[0]]
    return any((prefix and other.startswith(word)) or _are_similar_words(word, other) for other in with_initial)


@functools.lru_cache(maxsize=4096)
def _are_similar_words(word: str, other: str) -> bool:
    return abs(len(word) - len(other)) < MIN_FUZZY_LENGTH and LcsSimilarity(word).ratio(other) >= WORD_SIMILARITY


def _match_spellings(words: Sequence[str], songs: Sequence[CandidateSong], *, typing: bool) -> dict[int, SongMatch]:
    """The best spelling of each song that the text is similar to, by the song's index."""
    query, least = join_words(words), MIN_SCORE if typing else CLOSE_SCORE
    shortest, longest = len(query) * least / (2 - least), len(query) * (2 - least) / least
    spellings = [
        (index, spelling)
        for index, song in enumerate(songs)
        for spelling in song.spellings(shortest, math.inf if typing else longest)
    ]
    scores = _similarities(query, [text for _, (text, *_) in spellings], longest, typing=typing)
    similarity, found = LcsSimilarity(query), dict[int, SongMatch]()
    for position in np.argsort(-scores, kind="stable")[: np.count_nonzero(scores >= least)].tolist():
        index, values = spellings[position]
        spelling = Spelling(*values)
        if index not in found and _parts_agree(query, spelling):
            song, names_title = songs[index], _names_title(query, spelling)
            score, is_all = float(scores[position]), max(len(query), len(spelling.text)) <= MAX_COMPARED_LENGTH
            is_guess = score < CLOSE_SCORE and is_all  # the whole is no more similar
            kind, certain = ("guess", False) if is_guess else song.judge_spelling(words, similarity, spelling)
            found[index] = SongMatch(song.row, kind, round(score, 3), spelling.artist, names_title, certain)
    return found


def _similarities(query: str, texts: Sequence[str], longest: float, *, typing: bool) -> np.ndarray:
    """The query's similarity to each text, or while typing to its beginning if that is greater.

    longest : letters of a text that can be similar as a whole; a longer one's similarity is 0
    """
    query = query[:MAX_COMPARED_LENGTH]
    size = len(query)
    whole = [index for index, text in enumerate(texts) if len(text) <= longest]
    begun = [index for index, text in enumerate(texts) if len(text) > size] if typing else []
    compared = [texts[index][:MAX_COMPARED_LENGTH] for index in whole]
    beginnings = [texts[index][:size] for index in begun]
    numbers = {text: number for number, text in enumerate(dict.fromkeys([*compared, *beginnings]))}
    ratios, scores = LcsSimilarity(query).ratios(list(numbers)), np.zeros(len(texts))
    scores[whole] = ratios[[numbers[text] for text in compared]]
    scores[begun] = np.maximum(scores[begun], _PREFIX_FACTOR * ratios[[numbers[text] for text in beginnings]])
    return scores


def _names_title(query: str, spelling: Spelling) -> bool:
    """Whether a query names more than an artist: it goes on after the artist's name, or doesn't begin with it."""
    begins = bool(spelling.artist_name) and spelling.text.startswith(spelling.artist_name)
    return not begins or len(query) > len(spelling.artist_name)


def _parts_agree(query: str, spelling: Spelling) -> bool:
    """Whether title and artist are each similar to their part of the query: a long one can't outweigh the other."""
    if not spelling.artist_name:
        return True
    first, second = spelling.title, spelling.artist_name
    if not spelling.text.startswith(first):
        first, second = second, first
    prefix, rest = query[: len(first)], query[len(first) :]
    parts = [(prefix, first), (rest, second[: len(rest)])] if rest else [(prefix, first)]
    return all(part == name or LcsSimilarity(part).ratio(name) >= _MIN_PART_SIMILARITY for part, name in parts)
