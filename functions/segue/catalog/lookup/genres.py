"""Genres by name, however it is spelt."""

import difflib
import functools
import re
from collections.abc import Mapping, Sequence

_CLOSE = 0.8  # likeness below which another spelling is another genre
_LONGEST = 20  # letters of a text that may be a genre with a typo


def genre_key(genre: str) -> str:
    """What spellings of a genre share: ``R & B``, ``r-n-b`` and ``rnb`` are ``rnb``."""
    text = re.sub(r"&|\band\b", "n", genre.casefold())
    return re.sub(r"[\W_]+", "", text) or genre


def genre(genres: Sequence[str], asked: str) -> str | None:
    """The genre of a name, however it is spelt; where several are spelt alike, the one that is written so."""
    return asked if asked in genres else _keys(tuple(genres)).get(genre_key(asked))


def genres_named(genres: Sequence[str], text: str) -> list[str]:
    """Genres that a text names: the one of the name, those that it begins, those with a typo."""
    keys, asked = _keys(tuple(genres)), genre_key(text)[:_LONGEST]
    exact = [keys[asked]] if asked in keys else []
    begun = [name for key, name in keys.items() if key.startswith(asked) and len(asked) > 1]
    close = difflib.get_close_matches(asked, keys, n=3, cutoff=_CLOSE) if len(asked) < _LONGEST else []
    return list(dict.fromkeys([*exact, *begun, *(keys[key] for key in close)]))


@functools.lru_cache(maxsize=4)
def _keys(genres: tuple[str, ...]) -> Mapping[str, str]:
    return {genre_key(genre): genre for genre in genres}
