"""How alike two texts are, letter by letter."""

from collections.abc import Iterable


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

    def best(self, others: Iterable[str], least: float = 0.0) -> float:
        """The highest ratio of several texts, or ``least``; those too long or short to reach it cost nothing."""
        for other in others:
            ceiling = 2 * min(len(self.text), len(other)) / max(len(self.text) + len(other), 1)
            least = max(least, self.ratio(other)) if ceiling > least else least
        return least
