"""Which names hold the same three letters in a row as a text: an inverted index, memory-mapped.

Its entries are the distinct pairs of a name, as it is typed, and a first artist, numbered from the most popular song
on; their texts are the name and all artists. The list of a trigram holds the numbers of the entries that have it,
rising. A search reads the shortest lists first, for rare trigrams distinguish best, and no more of them than its
budget: lists begin with the best-known songs.
"""

from collections.abc import Sequence

import numpy as np

from segue.catalog.names import typed
from segue.catalog.ragged import slices
from segue.catalog.version import Catalog

LETTERS = 3
LONGEST = 100  # characters of a title, and of its artists together
MOST_READ = 200_000  # numbers of entries that one search reads
LEAST = 0.5  # of the most that any entry shares with a text, below which others are not worth comparing
MOST_RANKED = 4_000  # of those that share most; more only where very many share as much
_LETTER_BITS = 21  # of a Unicode character
_STEPS = 16  # a weight is a whole number of these parts of a bit


def searched(title: str, artists: Sequence[str]) -> str:
    """The text of an entry, in which trigrams are looked for."""
    return f" {typed(title)[:LONGEST]} {typed(' '.join(artists))[:LONGEST]} "


def keys(text: str) -> np.ndarray:
    """A number for each three letters in a row; uint64, shape (len(text) - 2,) or empty."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    return letters[:-2] << 2 * _LETTER_BITS | letters[1:-1] << _LETTER_BITS | letters[2:]


def rows(catalog: Catalog, text: str, limit: int) -> np.ndarray:
    """Rows of the songs that share most with a text, each trigram weighed by how rare it is; best first.

    Of songs that share as much, those whose names are as long as the text come first, then the most popular.
    """
    lists = _shortest(catalog, text)
    if not lists:
        return np.empty(0, np.int64)
    songs = catalog.array("entry_songs")
    scores = np.zeros(len(songs), np.uint16)
    for entries in lists:
        scores[entries] += np.uint16(1 + _STEPS * np.log2(len(songs) / len(entries)))
    best = _best(np.concatenate(lists), scores, len(lists), limit)[:MOST_RANKED]
    offsets = catalog.array("names_offsets")
    best = best[scores[best] >= LEAST * int(scores[best].max(initial=0))]
    found = songs[best]
    gaps = np.abs((offsets[found + 1] - offsets[found]).astype(np.int64) - len(text.encode("utf-8", "replace")))
    return found[np.lexsort((best, gaps, -scores[best].astype(np.int64)))[:limit]].astype(np.int64)


def _shortest(catalog: Catalog, text: str) -> list[np.ndarray]:
    """The entries of the text's trigrams, the shortest lists first, until the budget is spent."""
    known, offsets = catalog.array("trigram_keys"), catalog.array("trigram_offsets")
    entries = catalog.array("trigram_entries")
    sought = np.unique(keys(f" {text} ")) if len(known) else np.empty(0, np.uint64)
    places = np.searchsorted(known, sought)
    places = places[known[np.minimum(places, len(known) - 1)] == sought]
    starts = offsets[places].astype(np.int64)
    sizes = offsets[places + 1].astype(np.int64) - starts
    order = np.argsort(sizes, kind="stable")
    read = np.diff(np.minimum(np.cumsum(sizes[order]), MOST_READ), prepend=0)
    firsts = starts[order][read > 0]
    return list(slices(entries, firsts.tolist(), (firsts + read[read > 0]).tolist()))


def _best(entries: np.ndarray, scores: np.ndarray, n_lists: int, limit: int) -> np.ndarray:
    """Entries by falling score, ``limit`` at the least where there are as many, and all ties."""
    found = scores[entries]
    reached = np.bincount(found)[::-1].cumsum()  # occurrences of that score or more; n_lists an entry at the most
    enough = np.searchsorted(reached, min(limit * n_lists, len(entries)))
    best = np.sort(entries[found >= len(reached) - 1 - enough])
    best = best[np.diff(best, prepend=-1) > 0]  # np.unique would hash, ten times slower
    return best[np.argsort(np.iinfo(scores.dtype).max - scores[best], kind="stable")]
