"""Candidates for a text with typos, or an incomplete one: string similarity, and an inverted index of trigrams.

The index lists, for each three letters in a row, the entries that hold them. Entries are the distinct pairs of a
name, as it is typed, and a first artist, numbered from the most popular song on; their texts are the name and all
artists. A search reads the shortest lists first, for rare trigrams distinguish best, and no more of them than its
budget: lists begin with the most popular songs.
"""

import math
from collections.abc import Sequence

import numpy as np

from segue.catalog.catalog import Catalog, take_slices
from segue.catalog.normalization import search_text, without_separators
from segue.limits import POSTING, charge, checkpoint

BATCH_THRESHOLD = 48  # texts; fewer are compared one by one, which is faster
_WORD_BITS = 64  # bits
_ALL_BITS = np.uint64(2**_WORD_BITS - 1)
LETTERS = 3
MAX_CANDIDATES = 80  # songs that share most letters with a text, which are compared with it
MAX_COMPARED_LENGTH = 100  # letters that are compared, of a text or a name
MIN_GUESS_LENGTH = 4  # letters; shorter texts are like too many names
MAX_INDEXED_LENGTH = 100  # characters of a title, and of its artists together
MAX_POSTINGS = 200_000  # numbers of entries that one search reads
MIN_SHARE = 0.5  # of the most that any entry shares with a text, below which others are not worth comparing
MAX_RANKED = 4_000  # of those that share most; more only where very many share as much
LIKELY_SHARE = 0.75  # of the most, which mostly enough entries share, so that no others need be looked at
ENTRIES_PER_POSTING = 10  # whose sums take as long to look through as one number takes to read and add
_LETTER_BITS = 21  # of a Unicode character
_WEIGHT_STEPS = 16  # a weight is a whole number of these parts of a bit


class LcsSimilarity:
    """Compares texts with one text by the length of their longest common subsequence (LCS), as a share of both.

    A whole row of the dynamic program is computed at once, as bits of one number: Hyyrö, "Bit-parallel LCS-length
    computation revisited", Australasian Workshop on Combinatorial Algorithms (2004).
    """

    def __init__(self, text: str):
        self.text = text
        self._all = (1 << len(text)) - 1
        self._positions: dict[str, int] = {}
        for position, letter in enumerate(text):
            self._positions[letter] = self._positions.get(letter, 0) | 1 << position

    def allows(self, other: str, least: float) -> bool:
        """Whether texts of these lengths can have such a ratio."""
        size = len(self.text)
        return 2 * min(size, len(other)) >= least * (size + len(other))

    def is_at_least(self, other: str, least: float) -> bool:
        """Whether the ratio is so great or greater."""
        return self.allows(other, least) and self.ratio(other) >= least

    def ratio(self, other: str) -> float:
        """``2 * common / (len(text) + len(other))``: 1 for the same text, 0 if they share no letter."""
        positions, free = self._positions, self._all
        for letter in other:
            matched = free & positions.get(letter, 0)
            free = (free + matched) | (free - matched)
        common = len(self.text) - (free & self._all).bit_count()
        return 2 * common / max(len(self.text) + len(other), 1)

    def ratios(self, others: Sequence[str]) -> np.ndarray:
        """The ratio of each of several texts; float64, shape (n_texts,).

        The same numbers as by :meth:`ratio`; of many texts, a letter of each is processed at a time.
        """
        if len(others) < BATCH_THRESHOLD:
            return np.array([self.ratio(other) for other in others])
        lengths = np.array([len(other) for other in others], np.int64)
        longest = int(lengths.max(initial=1))
        letters = np.array(others, f"<U{longest}").view(np.uint32).reshape(len(others), longest)
        positions = self._table(int(letters.max(initial=0)))
        free = np.full((len(positions), len(others)), _ALL_BITS)
        for column in letters.T:
            matched = free & positions[:, column]
            free = _add_words(free, matched) | (free - matched)
        common = np.bitwise_count(~free).sum(axis=0, dtype=np.int64)
        return 2 * common / np.maximum(len(self.text) + lengths, 1)

    def _table(self, last: int) -> np.ndarray:
        """Where each letter up to a last one stands in the text; uint64, shape (n_words, last + 1), least first."""
        words = len(self.text) // _WORD_BITS + 1
        table = np.zeros((words, last + 1), np.uint64)
        for letter, positions in self._positions.items():
            if 0 < ord(letter) <= last:  # zeros fill what is shorter than the longest text
                table[:, ord(letter)] = [positions >> _WORD_BITS * word & int(_ALL_BITS) for word in range(words)]
        return table


def is_one_typo(text: str, other: str) -> bool:
    """Whether one text is the other, no plural of it, with a letter more, less, replaced or swapped with the next."""
    if abs(len(text) - len(other)) > 1 or text == f"{other}s" or other == f"{text}s":
        return False
    start = next((i for i, (one, two) in enumerate(zip(text, other)) if one != two), min(len(text), len(other)))
    rest, others = text[start:], other[start:]
    swapped = rest[:2] == others[1::-1] and rest[2:] == others[2:]
    return swapped or rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]


def indexed_text(title: str, artists: Sequence[str]) -> str:
    """The text of an entry, in which trigrams are looked for."""
    return f" {search_text(title)[:MAX_INDEXED_LENGTH]} {search_text(' '.join(artists))[:MAX_INDEXED_LENGTH]} "


def trigram_keys(text: str) -> np.ndarray:
    """A number for each three letters in a row; uint64, shape (len(text) - 2,) or empty."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    return letters[:-2] << 2 * _LETTER_BITS | letters[1:-1] << _LETTER_BITS | letters[2:]


def songs_by_trigrams(catalog: Catalog, text: str, limit: int) -> np.ndarray:
    """Rows of the songs that share most with a text, each trigram weighed by how rare it is; best first.

    Of songs that share as much, those whose names are as long as the text come first, then the most popular.
    """
    lists = _rarest_postings(catalog, text)
    if not lists:
        return np.empty(0, np.int64)
    songs = catalog.reader("entry_songs")
    scores = np.zeros(len(songs), np.uint16)
    charge(POSTING, sum(map(len, lists)) + len(songs) / ENTRIES_PER_POSTING)
    weights = [int(1 + _WEIGHT_STEPS * np.log2(len(songs) / len(entries))) for entries in lists]
    for entries, weight in zip(lists, weights):
        np.add.at(scores, entries.astype(np.intp), np.uint16(weight))
    best = _top_entries(lists, weights, scores, limit)[:MAX_RANKED]
    offsets = catalog.reader("names_offsets")
    found = songs.take(best)
    gaps = np.abs(
        (offsets.take(found + 1) - offsets.take(found)).astype(np.int64) - len(text.encode("utf-8", "replace"))
    )
    return found[np.lexsort((best, gaps, -scores[best].astype(np.int64)))[:limit]].astype(np.int64)


def candidates(catalog: Catalog, words: Sequence[str]) -> np.ndarray:
    """Rows of the songs that share most letters with words; kept for the last ones, which several readings need."""
    checkpoint()
    text = " ".join(without_separators(words))[:MAX_COMPARED_LENGTH]
    last: dict[str, np.ndarray] = catalog.cached(candidates, dict)
    if text not in last:
        rows = songs_by_trigrams(catalog, text, MAX_CANDIDATES)
        last.clear()
        last[text] = rows
    return last[text]


def _add_words(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The sums of numbers of several machine words, the least word first; an overflow of the last one is lost."""
    total = one + other
    if len(total) == 1:
        return total
    carry = total < one
    for word in range(1, len(total)):
        total[word] += carry[word - 1]
        carry[word] |= carry[word - 1] & (total[word] == 0)
    return total


def _rarest_postings(catalog: Catalog, text: str) -> list[np.ndarray]:
    """The entries of the text's trigrams, the shortest lists first, until the budget is spent."""
    known, offsets = catalog.array("trigram_keys"), catalog.array("trigram_offsets")
    entries = catalog.reader("trigram_entries")
    wanted = np.unique(trigram_keys(f" {text} ")) if len(known) else np.empty(0, np.uint64)
    positions = np.searchsorted(known, wanted)
    positions = positions[known[np.minimum(positions, len(known) - 1)] == wanted]
    starts = offsets[positions].astype(np.int64)
    sizes = offsets[positions + 1].astype(np.int64) - starts
    order = np.argsort(sizes, kind="stable")
    read = np.diff(np.minimum(np.cumsum(sizes[order]), MAX_POSTINGS), prepend=0)
    firsts = starts[order][read > 0]
    return list(take_slices(entries, firsts.tolist(), (firsts + read[read > 0]).tolist()))


def _top_entries(lists: Sequence[np.ndarray], weights: Sequence[int], scores: np.ndarray, limit: int) -> np.ndarray:
    """Entries by falling score: ``limit`` of them and all ties, none with less than ``MIN_SHARE`` of the best score.

    lists, weights : of entries, by falling weight; an entry's score is the sum of the weights of those that hold it
    """
    best, most = np.empty(0, np.int64), int(scores.max())
    for share in (LIKELY_SHARE, MIN_SHARE):
        best = _entries_reaching(math.ceil(share * most), lists, weights, scores)
        if len(best) >= limit:
            break
    found = scores[best]
    reached = np.bincount(found)[::-1].cumsum()  # entries of that score or more
    enough = np.searchsorted(reached, min(limit, len(best)))
    best = best[found >= len(reached) - 1 - enough]
    return best[np.argsort(np.iinfo(scores.dtype).max - scores[best], kind="stable")]


def _entries_reaching(
    least: int, lists: Sequence[np.ndarray], weights: Sequence[int], scores: np.ndarray
) -> np.ndarray:
    """Entries with a score, rising; the lists after those whose weights it takes hold no others (prefix filter)."""
    left = sum(weights) - np.cumsum(weights)
    entries = np.concatenate(lists[: 1 + int(np.flatnonzero(left < least)[0])])
    best = np.sort(entries[scores.take(entries) >= least])
    return best[np.diff(best, prepend=-1) > 0]  # np.unique would hash, ten times slower
