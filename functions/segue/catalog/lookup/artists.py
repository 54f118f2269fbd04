"""Artists by name, however it is spelt, and by ids that are made from their names.

Tables name artists, they don't number them, so an id is made from two digests of the name: eleven characters of
base62 for each, as Spotify's are. It is the same in every version of every table.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from segue.catalog.lookup.base62 import encoded, first_half
from segue.catalog.lookup.likeness import Likeness
from segue.catalog.lookup.readings import CLOSE
from segue.catalog.lookup.rows import artists_at, artists_like, best_known, called, popularity
from segue.catalog.names import TIERS, bare, digest, joined, spelt, title_key, typed
from segue.catalog.version import Catalog

_UNLIKE = 4
_SHORTEST = 3  # letters from which the beginning of a name or of one of its words counts


def artist(catalog: Catalog, asked: str) -> int | None:
    """The artist of a name or an id: the closest spelling, and of several the one with most songs."""
    names, songs = catalog.texts("artists"), catalog.lists("artist", "songs")
    keys = [key(asked) for key in TIERS]
    rows = {*artists_like(catalog, asked), *called(catalog, [spelt(asked)])[0].tolist()}
    ranked = [(tier(keys, names[row]), -songs.size(row), row) for row in rows]
    return min(ranked)[2] if ranked else artist_by_id(catalog, asked)


def artist_by_id(catalog: Catalog, asked: str) -> int | None:
    """Of all spellings that share an id the one with most songs."""
    key = first_half(asked)
    if key is None:
        return None
    names, songs = catalog.texts("artists"), catalog.lists("artist", "songs")
    found = [row for row in artists_at(catalog, key) if artist_id(names[row]) == asked]
    return min(found, key=lambda row: (-songs.size(row), row), default=None)


def artist_id(name: str) -> str:
    """The id of an artist, the same for all spellings that differ in case, accents and punctuation only.

    The first half is the digest by which artists are looked up, the second separates those who share it.
    """
    return encoded(digest(title_key(name))) + encoded(digest(f"artist {bare(name)}"))


def tier(keys: Sequence[str], name: str) -> int:
    """How closely a name has the keys of another (``TIERS``): 0 verbatim .. 3 but for the version, 4 not at all."""
    return next((level for level, key in enumerate(TIERS) if keys[level] == key(name)), len(TIERS))


def artists_named(catalog: Catalog, words: Sequence[str], among: Iterable[int]) -> list[int]:
    """Artists whom a text names: those of exactly the name, then of the likely ones those whose names it is like.

    words : typed
    among : the likely ones, such as the artists of songs that the text is like
    """
    asked = joined(words)
    exact = called(catalog, [asked])[0].tolist()
    others = list(dict.fromkeys(row for row in among if row not in exact))
    texts, likeness = catalog.texts("artists"), Likeness(asked)
    unlike = np.array([0] * len(exact) + [_unlike(asked, texts[row], likeness) for row in others])
    rows = np.array([*exact, *others], np.int64)[unlike < _UNLIKE]
    order = np.lexsort((rows, -popularity(catalog, best_known(catalog, rows)), unlike[unlike < _UNLIKE]))
    found: list[int] = rows[order].tolist()
    return found


def _unlike(asked: str, name: str, likeness: Likeness) -> int:
    """1 for a name that the text begins, 2 for one with a typo, 3 where it begins a word of it, else ``_UNLIKE``."""
    spelling = spelt(name)
    if len(asked) >= _SHORTEST and spelling.startswith(asked):
        return 1
    if likeness.ratio(spelling) >= CLOSE:
        return 2
    return 3 if len(asked) >= _SHORTEST and f" {asked}" in typed(name) else _UNLIKE
