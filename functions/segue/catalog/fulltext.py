"""Names with typos, as you type: shared trigrams find candidates, shared letters order them."""

import functools
from collections.abc import Sequence

import numpy as np

from segue.catalog import trigrams
from segue.catalog.likeness import Likeness
from segue.catalog.names import folded
from segue.catalog.ragged import Texts
from segue.catalog.version import Catalog

CANDIDATES = 200  # songs that are compared letter by letter
LONGEST = 100  # letters that are compared, of a text or a name
_PREFIX_WORTH = 0.95  # a name of which the query is the beginning, against one that it spells out
_WORD_WORTH = 0.9  # a name of which the query begins a later word


def search(catalog: Catalog, text: str, limit: int) -> list[int]:
    """Rows of the songs whose names, or names and artists, are most like a text; best first.

    Equally like ones come by popularity. A text shorter than a trigram finds names that begin with it.
    """
    rows: list[int] = _ranked(catalog, folded(text)[:LONGEST])[:limit].tolist()
    return rows


@functools.lru_cache(maxsize=1)
def _ranked(catalog: Catalog, asked: str) -> np.ndarray:
    """Rows by falling worth; the last ones are kept, for what is not found is looked for again, to suggest others."""
    likely = [trigrams.rows(catalog, asked, CANDIDATES), _beginning(catalog, asked)]
    rows = np.unique(np.concatenate(likely))
    titles, artists, by = catalog.texts("names"), catalog.texts("artists"), catalog.lists("by", "artists")
    names = [folded(titles[row])[:LONGEST] for row in rows.tolist()]
    firsts = (by[row][:1] for row in rows.tolist())
    singers = [folded(artists[int(first[0])])[:LONGEST] if len(first) else "" for first in firsts]
    worths = _worths(asked, names, singers)
    return rows[np.lexsort((rows, -_popularity(catalog, rows), -worths))]


def _worths(asked: str, names: Sequence[str], artists: Sequence[str]) -> np.ndarray:
    """How well a text spells each name, its beginning, or name and artist: 0..1, to three digits."""
    worths = np.array([_begun(asked, name) for name in names])
    others = np.flatnonzero(worths == 0)
    spelt = [_spellings(asked, names[place], artists[place]) for place in others.tolist()]
    if spelt:
        ratios = Likeness(asked).ratios([text for some in spelt for text, _ in some])
        starts = np.cumsum([0, *map(len, spelt)])[:-1]
        worths[others] = np.maximum.reduceat(ratios * [worth for some in spelt for _, worth in some], starts).round(3)
    return worths


def _spellings(asked: str, name: str, artist: str) -> list[tuple[str, float]]:
    """What a text may have meant to spell, and what that is worth."""
    if len(name) > len(asked):
        return [(name, 1.0), (name[: len(asked)], _PREFIX_WORTH)]
    return [(name, 1.0), (f"{name} {artist}", 1.0), (f"{artist} {name}", 1.0)]


def _begun(asked: str, name: str) -> float:
    """What a text is worth that is the beginning of a name or of its later words; else 0."""
    if name.startswith(asked):
        return _PREFIX_WORTH + (1 - _PREFIX_WORTH) * (len(name) == len(asked))
    return _WORD_WORTH if f" {asked}" in name else 0.0


def _beginning(catalog: Catalog, asked: str) -> np.ndarray:
    """The most popular songs whose folded names begin with a text."""
    order, names = catalog.array("title_order"), catalog.texts("names")
    first = _bisect(order, names, asked)
    last = _bisect(order, names, asked + "\U0010ffff")
    rows = order[first:last]
    popularity = _popularity(catalog, rows)
    if len(rows) > CANDIDATES:
        least = np.partition(popularity, -CANDIDATES)[-CANDIDATES]
        rows, popularity = rows[popularity >= least], popularity[popularity >= least]
    return rows[np.lexsort((rows, -popularity))[:CANDIDATES]]


def _popularity(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """Popularity of songs, 0 where it is not known."""
    return np.nan_to_num(catalog.attribute("popularity")[rows].astype(np.float32))


def _bisect(order: np.ndarray, names: Texts, text: str) -> int:
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        if folded(names[order[middle]]) < text:
            low = middle + 1
        else:
            high = middle
    return low
