"""Names with typos, as you type: shared trigrams find candidates, shared letters order them."""

import numpy as np

from segue import trigrams
from segue.catalog import Catalog
from segue.likeness import Likeness
from segue.names import folded
from segue.ragged import Texts

CANDIDATES = 200  # songs that are compared letter by letter
LONGEST = 100  # letters that are compared, of a text or a name
_PREFIX_WORTH = 0.95  # a name of which the query is the beginning, against one that it spells out
_WORD_WORTH = 0.9  # a name of which the query begins a later word


def search(catalog: Catalog, text: str, limit: int) -> list[int]:
    """Rows of the songs whose names, or names and artists, are most like a text; best first.

    Equally like ones come by popularity. A text shorter than a trigram finds names that begin with it.
    """
    asked = folded(text)[:LONGEST]
    likely = [trigrams.rows(catalog, asked, CANDIDATES), _beginning(catalog, asked)]
    rows = np.unique(np.concatenate(likely))
    names, artists, by = catalog.texts("names"), catalog.texts("artists"), catalog.lists("by", "artists")
    likeness = Likeness(asked)

    def worth(row: int) -> float:
        first = by[row][:1]
        artist = folded(artists[int(first[0])]) if len(first) else ""
        return _worth(likeness, folded(names[row])[:LONGEST], artist)

    worths = np.array([worth(row) for row in rows.tolist()])
    return rows[np.lexsort((rows, -_popularity(catalog, rows), -worths))[:limit]].tolist()


def _worth(likeness: Likeness, name: str, artist: str) -> float:
    """0..1: how well a text spells a name, its beginning, or name and artist."""
    asked = likeness.text
    if name.startswith(asked):
        return _PREFIX_WORTH + (1 - _PREFIX_WORTH) * (len(name) == len(asked))
    if f" {asked}" in name:
        return _WORD_WORTH
    if len(name) > len(asked):
        beginning = _PREFIX_WORTH * likeness.ratio(name[: len(asked)])
        return round(likeness.best([name], beginning), 3)
    return round(likeness.best([name, f"{name} {artist}", f"{artist} {name}"]), 3)


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
