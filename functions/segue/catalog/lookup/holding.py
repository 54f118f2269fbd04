"""Names, ready to be searched for words in them: for lists that are short enough to be read as a whole."""

import re
from collections.abc import Iterable

import numpy as np


class Names:
    """Names without case, accents and punctuation, see :func:`segue.catalog.names.bare`.

    all : the names
    """

    def __init__(self, names: Iterable[str]):
        self.all = list(names)
        self._lines = "".join(f"\n {name}" for name in self.all)
        self._starts = np.cumsum([0, *(len(name) + 2 for name in self.all)])[:-1]

    def holding(self, words: str) -> np.ndarray:
        """The places of names that hold bare words, the last one maybe cut short, rising."""
        places = [found.start() for found in re.finditer(re.escape(f" {words}"), self._lines)]
        return np.unique(np.searchsorted(self._starts, places, side="right") - 1)
