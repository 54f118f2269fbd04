"""How well a text matches a song: as a title, a title and an artist in either order, or some words of both.

Each candidate is compared letter by letter with all its spellings, else word by word; the best match of each song is
ranked together with the song's popularity.
"""

import functools
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names_by_song, popularity, popularity_with_artist
from segue.catalog.lookup.fuzzy import LcsSimilarity
from segue.catalog.normalization import case_folded, join_words, search_text, title_variants

MAX_WORDS = 24  # of a text, that are looked at
CLOSE_SCORE = 0.85  # score below which another spelling is another name
_FEATURING = frozenset(("feat", "ft", "featuring"))
_BY = "by"
_VERSION_WORDS = frozenset((  # said of a recording and of videos of it; years are as well
    "acoustic", "album", "audio", "cover", "deluxe", "demo", "edit", "extended", "hd", "hq", "instrumental",
    "karaoke", "live", "lyric", "lyrics", "mix", "mono", "music", "official", "original", "radio", "remaster",
    "remastered", "remix", "session", "sessions", "single", "song", "stereo", "version", "video",
))  # fmt: skip
MAX_ARTISTS = 5  # artists of a song that a text may name
MIN_FUZZY_LENGTH = 3  # letters from which a word may have a typo or be the beginning of one
MAX_TYPO_WORDS = 2  # words of a text with one
WORD_SIMILARITY = 0.8  # similarity from which two words are one with a typo
_MIN_LETTERS_SHARE = 0.5  # of a text's letters, that make a match
_WORDS_SCORE, _WHOLE_TITLE_BONUS, _PHRASE_BONUS, _ARTIST_BONUS = (
    0.7,
    0.1,
    0.1,
    0.05,
)  # parts of the score of a match by words
MAX_COMPARED_LENGTH = 100  # letters that are compared, of a text or a name
MIN_SCORE = 0.7  # score of a match below which nothing is meant
POPULARITY_WEIGHT = 0.0015  # of a match's worth, for each point of fame
_MIN_PART_SIMILARITY = 0.6  # similarity that title and artist of one spelling need each
_PREFIX_FACTOR = 0.9  # score of a spelling that the text begins, against one that it ends


@dataclass(frozen=True, slots=True)
class SongMatch:
    """A song that a text may mean.

    kind : ``"exact"`` (but for case, accents, punctuation, silent words and the version), ``"close"`` (with typos) or
        ``"parts"`` (some words of title and artists)
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
    """How a text reads as each of several songs, of those as which it does.

    words : typed
    typing : whether the text may be the beginning of what is meant
    """
    words = without_separators(words)
    if catalog.is_remote:  # all of them in a few round trips
        catalog.texts("names").take(rows)
        artist_names_by_song(catalog, rows)
    songs = [CandidateSong(catalog, row) for row in rows.tolist()]
    found = _match_spellings(join_words(words), songs, typing=typing)
    for index, song in enumerate(songs):
        if index not in found or found[index].score < CLOSE_SCORE:
            match = song.match_words(words, typing=typing)
            if match and (index not in found or found[index].score < match.score):
                found[index] = match
    return list(found.values())


def rank_matches(catalog: Catalog, found: Sequence[SongMatch]) -> list[SongMatch]:
    """Matches by their scores and the songs' popularity together, then the most popular first."""
    rows = np.array([match.row for match in found], np.int64)
    scores = np.array([match.score for match in found]) + POPULARITY_WEIGHT * popularity_with_artist(
        catalog, rows
    ).astype(np.float64)
    order = np.lexsort((rows, -popularity(catalog, rows), -scores.round(6)))
    return [found[place] for place in order.tolist()]


def query_words(text: str) -> list[str]:
    """The words of a text as they are typed, one at the least."""
    return search_text(text).split()[:MAX_WORDS] or [case_folded(text)]


def title_artist_splits(words: Sequence[str]) -> list[tuple[str, str]]:
    """The titles and artists, joined, that words may be: all of them a title ("" for the artist), or parted anywhere.

    ``["yellow", "by", "coldplay"]`` -> ``("yellowbycoldplay", ""), ("yellow", "coldplay"), ...``
    """
    without = [word for word in words if word not in _FEATURING]
    pairs = _splits_of(words) + (_splits_of(without) if 0 < len(without) < len(words) else [])
    return list(dict.fromkeys(pairs))


def _splits_of(words: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [(join_words(words), "")]
    for place in range(1, len(words)):
        left, right = words[:place], words[place:]
        artist = right[1:] if right[0] == _BY and len(right) > 1 else right
        pairs += [(join_words(left), join_words(artist)), (join_words(right), join_words(left))]
    return pairs


def without_separators(words: Sequence[str]) -> list[str]:
    """Words without those that part a title from its artists."""
    return [word for word in words if word not in _FEATURING and word != _BY] or list(words)


def is_version_word(word: str) -> bool:
    """Whether a word may tell one recording of a song from another."""
    return word in _VERSION_WORDS or (word.isdecimal() and len(word) == 4)


class Spelling(NamedTuple):
    """One way to type a song.

    song_index : of the song among several
    text : title and singer, in one order or the other
    title, artist_name : joined; no singer where the title stands alone
    artist : row of the first artist named, None where the title stands alone
    """

    song_index: int
    text: str
    title: str
    artist_name: str
    artist: int | None


class CandidateSong:
    """A song that a text may mean."""

    def __init__(self, catalog: Catalog, row: int):
        name, artists = catalog.texts("names")[row], catalog.texts("artists")
        self.row = row
        self.artists: list[int] = catalog.lists("song", "artists")[row][:MAX_ARTISTS].tolist()
        self._title_words = query_words(name)
        self._artist_words = [query_words(artists[artist]) for artist in self.artists]
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
        """How a text reads whose words are of the title, of an artist, or said of the version; None if it does not.

        typing : whether the last word may be the beginning of one, and some words may be of nothing
        """
        everything = " ".join([*self._title_words, *itertools.chain.from_iterable(self._artist_words)])
        if sum(word not in everything for word in query) > MAX_TYPO_WORDS:
            return None
        prefix = query[-1] if typing else None
        matched, rest = _partition(query, self._title_words, prefix)
        artist, unmatched = self._artist_among(rest, prefix)
        letters, whole = len("".join(matched)), len(self._variants[0])
        stray = bool(unmatched) and (letters < whole or not all(map(is_version_word, unmatched)))
        if stray or letters < min(MIN_FUZZY_LENGTH, whole):
            return self._match_partly(query, unmatched, artist, names_title=bool(matched)) if typing else None
        is_phrase = f" {' '.join(matched)}" in f" {' '.join(self._title_words)}"
        score = _WORDS_SCORE + _WHOLE_TITLE_BONUS * min(1.0, letters / whole) + _PHRASE_BONUS * is_phrase
        return SongMatch(self.row, "parts", score + _ARTIST_BONUS * (artist is not None), artist)

    def _match_partly(
        self, query: Sequence[str], unmatched: Sequence[str], artist: int | None, *, names_title: bool
    ) -> SongMatch | None:
        """How a text reads of whose letters most are in words of the song."""
        share = 1 - len("".join(unmatched)) / len("".join(query))
        return (
            SongMatch(self.row, "parts", _WORDS_SCORE * share, artist, names_title)
            if share >= _MIN_LETTERS_SHARE
            else None
        )

    def _artist_among(self, words: Sequence[str], prefix: str | None) -> tuple[int | None, list[str]]:
        """The first artist of whose name any of the words are, and the words that are of no artist's."""
        named, unmatched = None, list(words)
        for name, artist in zip(self._artist_words, self.artists):
            if not unmatched:
                break
            matched, unmatched = _partition(unmatched, name, prefix)
            named = artist if matched and named is None else named
        return named, unmatched


def _partition(query: Sequence[str], words: Sequence[str], prefix: str | None) -> tuple[list[str], list[str]]:
    """What is asked for by words that are among others, or two of them typed as one, and what is not.

    prefix : the word that may be the beginning of one
    """
    known = {*words, *(one + other for one, other in itertools.pairwise(words))}
    matched: list[str] = []
    unmatched: list[str] = []
    for word in query:
        (matched if word in known or _matches_any(word, known, word == prefix) else unmatched).append(word)
    return matched, unmatched


def _matches_any(word: str, known: Collection[str], prefix: bool) -> bool:
    """Whether a word is one of the known with a typo, or the beginning of one if that is allowed."""
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
    """The best spelling of each song that the text is like, by the song's place."""
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
    """Similarity of each text, or to its beginning where the one that is asked for may be no more than that."""
    similarity = LcsSimilarity(query)
    if not typing:
        return similarity.ratios(texts)
    longer = [place for place, text in enumerate(texts) if len(text) > len(query)]
    ratios = similarity.ratios([*texts, *(texts[place][: len(query)] for place in longer)])
    scores, prefix = ratios[: len(texts)], _PREFIX_FACTOR * ratios[len(texts) :]
    scores[longer] = np.maximum(scores[longer], prefix)
    return scores


def _match_kind(query: str, text: str) -> str:
    return "exact" if text == query else "close" if LcsSimilarity(query).ratio(text) >= CLOSE_SCORE else "parts"


def _names_title(query: str, spelling: Spelling) -> bool:
    """Whether a text goes on where the name of an artist ends."""
    begins = bool(spelling.artist_name) and spelling.text.startswith(spelling.artist_name)
    return not begins or len(query) > len(spelling.artist_name)


def _lengths_allow(query: str, text: str, *, typing: bool) -> bool:
    """Whether the lengths allow the least similarity."""
    size = min(len(text), len(query)) if typing else len(text)
    return 2 * min(size, len(query)) >= MIN_SCORE * (size + len(query))


def _parts_agree(query: str, spelling: Spelling) -> bool:
    """Whether both title and artist are like their part of the text: one that is long must not outweigh the other."""
    if not spelling.artist_name:
        return True
    first, second = spelling.title, spelling.artist_name
    if not spelling.text.startswith(first):
        first, second = second, first
    prefix, rest = query[: len(first)], query[len(first) :]
    return _are_similar_parts(prefix, first) and (not rest or _are_similar_parts(rest, second[: len(rest)]))


def _are_similar_parts(part: str, name: str) -> bool:
    return LcsSimilarity(part).ratio(name) >= _MIN_PART_SIMILARITY
