"""Text normalization: keys of growing coarseness under which two spellings are one name, for build and function.

===========  ==========================================  ===================================
key          what it ignores                             "Déjà Vu (feat. X) - Live" becomes
===========  ==========================================  ===================================
verbatim     nothing                                     Déjà Vu (feat. X) - Live
case_folded  case and accents                            deja vu (feat. x) - live
normalized   punctuation and "(feat. X)"                 deja vu live
title_key    everything in brackets, the version suffix  deja vu
===========  ==========================================  ===================================

No key of a text that is not blank is empty: if a step would leave nothing, as of "(???)", the key is what the step
before it left. What people type is also compared without spaces, see :func:`join_words`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import filterfalse

_BRACKETS = re.compile(r"\s*[\(\[].*?[\)\]]")
_VERSION_SUFFIX = re.compile(r"\s+-\s+.*$")
_FEATURED = re.compile(
    r"\s*[\(\[](?:feat|ft|featuring|with)\b.*?[\)\]]|\s+(?:feat|ft|featuring)\b\.?\s.*?(?=\s+-\s|$)"
)
_NOT_WORD = re.compile(r"[^\w]+")
_INNER_EXCLAMATION = re.compile(r"(?<=[^\W\d_])!(?=[^\W\d_])")
_HAS_VARIANTS = re.compile(r"[(\[]|\s-\s|\bf(?:ea)?t(?:uring)?\b")  # other titles are typed in one way
_FEATURING = frozenset(("feat", "ft", "featuring"))
_BY = "by"
MAX_WORDS = 24  # words of a text that count; the rest is ignored
STOP_WORDS = frozenset(("the", "and", "n"))  # words that people leave out or write as a sign


def case_folded(text: str) -> str:
    """Text without case and accents: ``"Beyoncé"`` -> ``"beyonce"``."""
    return _without_accents(text).casefold().strip() or text


def normalized(text: str) -> str:
    """Folded text without punctuation and featured artists: ``"P.Y.T. (feat. X)"`` -> ``"p y t"``."""
    return _spaced_words(without_featured(case_folded(text))) or case_folded(text)


def title_key(text: str) -> str:
    """The coarsest key: ``"Hey Jude - Remastered 2015"`` -> ``"hey jude"``."""
    return core_text(text).casefold() or normalized(text)


def core_text(text: str) -> str:
    """What is left of a text without case, accents, brackets, version suffix and punctuation; maybe nothing."""
    return _spaced_words(_VERSION_SUFFIX.sub("", _BRACKETS.sub("", _without_accents(text))))


KEY_LEVELS: tuple[Callable[[str], str], ...] = (str.strip, case_folded, normalized, title_key)


class _CharacterMap(dict[int, str]):
    """For ``str.translate``: each character as it is typed; what is neither letter nor digit separates words."""

    def __missing__(self, character: int) -> str:
        letter = chr(character)
        return letter if letter.isalnum() else " "


_REPLACEMENTS = dict(zip("øłđðıßæœþ$&+", ("o", "l", "d", "d", "i", "ss", "ae", "oe", "th", "s", " and ", " and ")))
_REPLACEMENTS |= dict.fromkeys(".'\u2019\u2018\u02bc`\u00b4", "")  # apostrophes, as people and tables write them
_SEARCH_CHARACTERS = _CharacterMap(
    {character: _CharacterMap()[character] for character in range(128)}
)  # ASCII in advance, which saves a call for each character
_SEARCH_CHARACTERS.update({ord(sign): plain for sign, plain in _REPLACEMENTS.items()})


def search_text(text: str) -> str:
    """Words as people type them: ``"Don't Stop (P!nk & AC/DC)"`` -> ``"dont stop pink and ac dc"``; maybe none."""
    text = _without_accents(text)
    if "!" in text:
        text = _INNER_EXCLAMATION.sub("i", text)
    return " ".join(text.translate(_SEARCH_CHARACTERS).split())


def join_words(words: Sequence[str]) -> str:
    """Typed words joined, without stop words: ``["the", "beach", "boys"]`` -> ``"beachboys"``."""
    return "".join([word for word in words if word not in STOP_WORDS] or words)


def search_key(text: str) -> str:
    """The key that spellings of a text share: ``"Simon & Garfunkel"`` and ``"simon and garfunkel"`` have one."""
    return join_words(search_text(text).split()) or case_folded(text)


def sort_key(name: str) -> str:
    """The key by which names are sorted, so that those that begin with the same typed words are neighbours."""
    return search_text(name) or case_folded(name)


def query_words(text: str) -> list[str]:
    """The words of a text as they are typed, at least one."""
    return search_text(text).split()[:MAX_WORDS] or [case_folded(text)]


def title_artist_splits(words: Sequence[str]) -> list[tuple[str, str]]:
    """The titles and artists, joined, that words may be: all of them a title ("" for the artist), or split anywhere.

    ``["yellow", "by", "coldplay"]`` -> ``("yellowbycoldplay", ""), ("yellow", "coldplay"), ...``
    """
    without = [word for word in words if word not in _FEATURING]
    pairs = []
    for some in (words, without) if 0 < len(without) < len(words) else (words,):
        pairs.append((join_words(some), ""))
        for position in range(1, len(some)):
            left, right = some[:position], some[position:]
            artist = right[1:] if right[0] == _BY and len(right) > 1 else right
            pairs += [(join_words(left), join_words(artist)), (join_words(right), join_words(left))]
    return list(dict.fromkeys(pairs))


def without_separators(words: Sequence[str]) -> list[str]:
    """Words without those that separate a title from its artists."""
    return [word for word in words if word not in _FEATURING and word != _BY] or list(words)


def title_variants(name: str) -> list[str]:
    """The ways to type a title, joined: without brackets and version, without featured artists, and in full.

    ``"Déjà Vu (feat. X) - Live"`` -> ``["dejavu", "dejavulive", "dejavufeatxlive"]``
    """
    text = _without_accents(name)
    if not _HAS_VARIANTS.search(text):
        return [search_key(text)]
    short = _VERSION_SUFFIX.sub("", _BRACKETS.sub("", text))
    spellings = (join_words(search_text(form).split()) for form in (short, without_featured(text), text))
    return list(dict.fromkeys(form for form in spellings if form)) or [case_folded(text)]


def without_featured(lower: str) -> str:
    """Text in lower case without its featured artists: ``"love (feat. x)"`` -> ``"love"``."""
    return _FEATURED.sub("", lower)


def without_version(name: str) -> str:
    """A title as people say it: ``"Hey Jude (Live) - Remastered 2015"`` -> ``"Hey Jude"``."""
    return _VERSION_SUFFIX.sub("", _BRACKETS.sub("", name)).strip() or name


def hash64(key: str) -> int:
    """A 64-bit number for a key, the same on every machine."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _without_accents(text: str) -> str:
    if text.isascii():
        return text.lower()
    lower = unicodedata.normalize("NFKD", text).lower()
    return "".join(filterfalse(unicodedata.combining, lower))


def _spaced_words(text: str) -> str:
    return _NOT_WORD.sub(" ", text).strip()
