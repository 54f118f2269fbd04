"""How well a text matches a song: as a title, a title and an artist in either order, or some words of both.

Each candidate is compared letter by letter with all its spellings, else word by word.
"""

import functools
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names_by_song
from segue.catalog.lookup.fuzzy import LcsSimilarity
from segue.catalog.normalization import join_words, query_words, title_variants, without_separators

CLOSE_SCORE = 0.85  # score below which another spelling is another name
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
MAX_COMPARED_LENGTH = 100  # letters that are compared, of a text or a name
MIN_SCORE = 0.7  # score of a match below which nothing is meant
_MIN_PART_SIMILARITY = 0.6  # similarity that a title and an artist each need
_PREFIX_FACTOR = 0.9  # score of a spelling that the text begins, against one that it ends


@dataclass(frozen=True, slots=True)
class SongMatch:
    """A song that a text may mean.

    kind : ``"exact"`` (but for case, accents, punctuation, silent words and the version), ``"close"`` (with typos),
        ``"parts"`` (some words of title and artists) or ``"id"``
    score : 0..1, how well the text spells the song
    artist : row of the artist whom the text names; None where it names none
    names_title : whether the text names the title, and not the artist alone
    """

    row: int
    kind: str
    score: float
    artist: int | None = None
    names_title: bool = True


def match_songs(catalog: Catalog, words: Sequence[str], rows: np.ndarray, *, typing: bool) -> list[SongMatch]:
    """The best match of each of several songs; songs that the text can't mean are left out.

    words : of the text, as typed
    typing : whether the text may be the beginning of what is meant
    """
    words = without_separators(words)
    names, artists = catalog.texts("names").take(rows), catalog.lists("song", "artists").take(rows)
    columns = rows.tolist(), names, artists, artist_names_by_song(catalog, rows)
    songs = [CandidateSong(*values) for values in zip(*columns)]
    found = _match_spellings(join_words(words), songs, typing=typing)
    for index, song in enumerate(songs):
        if index not in found or found[index].score < CLOSE_SCORE:
            match = song.match_words(words, typing=typing)
            if match and (index not in found or found[index].score < match.score):
                found[index] = match
    return list(found.values())


def is_version_word(word: str) -> bool:
    """Whether a word may distinguish one recording of a song from another."""
    return word in _VERSION_WORDS or (word.isdecimal() and len(word) == 4)


class Spelling(NamedTuple):
    """One way to type a song.

    song_index : of the song among several
    text : title and artist, in either order
    title, artist_name : joined words; no artist if the title stands alone
    artist : row of the first artist named, None if the title stands alone
    """

    song_index: int
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
        self._variants = title_variants(name)

    def spellings(self, song_index: int) -> list[Spelling]:
        """All ways to type it: the title alone, and with an artist or all of them before or after it."""
        names = list(map(join_words, self._artist_words))
        named = list(zip(names, self.artists))
        if len(named) > 1:
            named.append(("".join(names), self.artists[0]))
        alone = [Spelling(song_index, title, title, "", None) for title in self._variants]
        return alone + [
            Spelling(song_index, text, title, name, artist)
            for title in self._variants
            for name, artist in named
            for text in (title + name, name + title)
        ]

    def match_words(self, query: Sequence[str], *, typing: bool) -> SongMatch | None:
        """The match if all words are of the title, of an artist or of a version's description; None if there is none.

        typing : whether the last word may be incomplete, and some words may match nothing
        """
        everything = " ".join([*self._title_words, *itertools.chain.from_iterable(self._artist_words)])
        if sum(word not in everything for word in query) > MAX_TYPO_WORDS:
            return None
        prefix = query[-1] if typing else None
        matched, rest = _partition(query, self._title_words, prefix)
        artist, unmatched = self._artist_among(rest, prefix)
        letters, whole = len("".join(matched)), len(self._variants[0])
        is_stray = bool(unmatched) and (letters < whole or not all(map(is_version_word, unmatched)))
        if is_stray or letters < min(MIN_FUZZY_LENGTH, whole):
            return self._match_partly(query, unmatched, artist, names_title=bool(matched)) if typing else None
        is_phrase = f" {' '.join(matched)}" in f" {' '.join(self._title_words)}"
        score = _WORDS_SCORE + _WHOLE_TITLE_BONUS * min(1.0, letters / whole) + _PHRASE_BONUS * is_phrase
        return SongMatch(self.row, "parts", score + _ARTIST_BONUS * (artist is not None), artist)

    def _match_partly(
        self, query: Sequence[str], unmatched: Sequence[str], artist: int | None, *, names_title: bool
    ) -> SongMatch | None:
        """The match if enough of the text's letters are in words of the song."""
        share = 1 - len("".join(unmatched)) / len("".join(query))
        if share < _MIN_LETTERS_SHARE:
            return None
        return SongMatch(self.row, "parts", _WORDS_SCORE * share, artist, names_title)

    def _artist_among(self, words: Sequence[str], prefix: str | None) -> tuple[int | None, list[str]]:
        """The first artist whose name has any of the words, and the words that no artist's name has."""
        named, unmatched = None, list(words)
        for name, artist in zip(self._artist_words, self.artists):
            if not unmatched:
                break
            matched, unmatched = _partition(unmatched, name, prefix)
            named = artist if matched and named is None else named
        return named, unmatched


def _partition(query: Sequence[str], words: Sequence[str], prefix: str | None) -> tuple[list[str], list[str]]:
    """The words of a query that are among others, or are two of them typed as one, and those that are not.

    prefix : the word that may be incomplete
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
    return any(
        (prefix and other.startswith(word)) or _are_similar_words(word, other)
        for other in known
        if other[0] == word[0]
    )


@functools.lru_cache(maxsize=4096)
def _are_similar_words(word: str, other: str) -> bool:
    return abs(len(word) - len(other)) < MIN_FUZZY_LENGTH and LcsSimilarity(word).ratio(other) >= WORD_SIMILARITY


def _match_spellings(query: str, songs: Sequence[CandidateSong], *, typing: bool) -> dict[int, SongMatch]:
    """The best spelling of each song that the text is similar to, by the song's index."""
    spellings = [
        spelling
        for index, song in enumerate(songs)
        for spelling in song.spellings(index)
        if _lengths_allow(query, spelling.text, typing=typing)
    ]
    scores = _similarities(
        query[:MAX_COMPARED_LENGTH], [spelling.text[:MAX_COMPARED_LENGTH] for spelling in spellings], typing=typing
    )
    found: dict[int, SongMatch] = {}
    for position in np.argsort(-scores, kind="stable").tolist():
        spelling, score = spellings[position], float(scores[position])
        if score < (MIN_SCORE if typing else CLOSE_SCORE):
            break
        if spelling.song_index not in found and _parts_agree(query, spelling):
            row, names_title = songs[spelling.song_index].row, _names_title(query, spelling)
            found[spelling.song_index] = SongMatch(
                row, _match_kind(query, spelling.text), round(score, 3), spelling.artist, names_title
            )
    return found


def _similarities(query: str, texts: Sequence[str], *, typing: bool) -> np.ndarray:
    """The query's similarity to each text, or while typing to its beginning if that is greater."""
    similarity = LcsSimilarity(query)
    if not typing:
        return similarity.ratios(texts)
    longer = [index for index, text in enumerate(texts) if len(text) > len(query)]
    ratios = similarity.ratios([*texts, *(texts[index][: len(query)] for index in longer)])
    scores, prefix = ratios[: len(texts)], _PREFIX_FACTOR * ratios[len(texts) :]
    scores[longer] = np.maximum(scores[longer], prefix)
    return scores


def _match_kind(query: str, text: str) -> str:
    return "exact" if text == query else "close" if LcsSimilarity(query).ratio(text) >= CLOSE_SCORE else "parts"


def _names_title(query: str, spelling: Spelling) -> bool:
    """Whether a query names more than an artist: it goes on after the artist's name, or doesn't begin with it."""
    begins = bool(spelling.artist_name) and spelling.text.startswith(spelling.artist_name)
    return not begins or len(query) > len(spelling.artist_name)


def _lengths_allow(query: str, text: str, *, typing: bool) -> bool:
    """Whether texts of these lengths can be similar enough."""
    size = min(len(text), len(query)) if typing else len(text)
    return 2 * min(size, len(query)) >= MIN_SCORE * (size + len(query))


def _parts_agree(query: str, spelling: Spelling) -> bool:
    """Whether title and artist are each similar to their part of the query: a long one can't outweigh the other."""
    if not spelling.artist_name:
        return True
    first, second = spelling.title, spelling.artist_name
    if not spelling.text.startswith(first):
        first, second = second, first
    prefix, rest = query[: len(first)], query[len(first) :]
    parts = [(prefix, first), (rest, second[: len(rest)])] if rest else [(prefix, first)]
    return all(LcsSimilarity(part).ratio(name) >= _MIN_PART_SIMILARITY for part, name in parts)
