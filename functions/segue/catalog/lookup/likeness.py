"""How alike two texts are, letter by letter."""

from collections.abc import Iterable, Sequence

import numpy as np

MANY = 64  # texts; to compare fewer one by one takes less time
_WORD = 64  # bits
_FULL = np.uint64(2**_WORD - 1)


class Likeness:
    """Compares texts with one text: their longest common subsequence, as a share of both.

    All letters of a row of the usual table are worked on at once, as bits of one number: Hyyrö, "Bit-parallel
    LCS-length computation revisited", Australasian Workshop on Combinatorial Algorithms (2004).
    """

    def __init__(self, text: str):
        self.text = text
        self._all = (1 << len(text)) - 1
        self._places: dict[str, int] = {}
        for place, letter in enumerate(text):
            self._places[letter] = self._places.get(letter, 0) | 1 << place

    def ratio(self, other: str) -> float:
        """``2 * common / (len(text) + len(other))``: 1 for the same text, 0 where no letter is shared."""
        places, free = self._places, self._all
        for letter in other:
            met = free & places.get(letter, 0)
            free = (free + met) | (free - met)
        common = len(self.text) - (free & self._all).bit_count()
        return 2 * common / max(len(self.text) + len(other), 1)

    def ratios(self, others: Sequence[str]) -> np.ndarray:
        """The ratio of each of several texts; float64, shape (n_texts,).

        The same as :meth:`ratio`, of many texts a letter of all at a time.
        """
        if len(others) < MANY:
            return np.array([self.ratio(other) for other in others])
        lengths = np.array([len(other) for other in others], np.int64)
        longest = int(lengths.max(initial=1))
        letters = np.array(others, f"<U{longest}").view(np.uint32).reshape(len(others), longest)
        places = self._table(int(letters.max(initial=0)))
        free = np.full((len(places), len(others)), _FULL)
        for column in letters.T:
            met = free & places[:, column]
            free = _sum(free, met) | (free - met)
        common = np.bitwise_count(~free).sum(axis=0, dtype=np.int64)
        return 2 * common / np.maximum(len(self.text) + lengths, 1)

    def _table(self, last: int) -> np.ndarray:
        """Where each letter up to a last one stands in the text; uint64, shape (n_words, last + 1), least first."""
        words = len(self.text) // _WORD + 1
        table = np.zeros((words, last + 1), np.uint64)
        for letter, places in self._places.items():
            if 0 < ord(letter) <= last:  # zeros fill what is shorter than the longest text
                table[:, ord(letter)] = [places >> _WORD * word & int(_FULL) for word in range(words)]
        return table

    def best(self, others: Iterable[str], least: float = 0.0) -> float:
        """The highest ratio of several texts, or ``least``; those too long or short to reach it cost nothing."""
        for other in others:
            ceiling = 2 * min(len(self.text), len(other)) / max(len(self.text) + len(other), 1)
            least = max(least, self.ratio(other)) if ceiling > least else least
        return least


def _sum(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The sums of numbers of several words, the least word first; what flows over the last one is lost."""
    total = one + other
    carry = total < one
    for word in range(1, len(total)):
        total[word] += carry[word - 1]
        carry[word] |= carry[word - 1] & (total[word] == 0)
    return total
