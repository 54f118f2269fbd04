"""When two spellings name one song: keys of growing coarseness, one normalisation for build and function.

==========  ==========================================  ===================================
key         what it forgets                             "Déjà Vu (feat. X) - Live" becomes
==========  ==========================================  ===================================
verbatim    nothing                                     Déjà Vu (feat. X) - Live
folded      case and accents                            deja vu (feat. x) - live
bare        punctuation and "(feat. X)"                 deja vu live
title_key   everything in brackets, the version suffix  deja vu
==========  ==========================================  ===================================

A key never comes out empty for a text that is not: where a step would leave nothing ("(???)"), the step
before it stands.
"""

import re
import unicodedata
from collections.abc import Callable
from hashlib import blake2b
from itertools import filterfalse

_BRACKETS = re.compile(r"\s*[\(\[].*?[\)\]]")
_VERSION_SUFFIX = re.compile(r"\s+-\s+.*$")
_FEATURED = re.compile(
    r"\s*[\(\[](?:feat|ft|featuring|with)\b.*?[\)\]]|\s+(?:feat|ft|featuring)\b\.?\s.*?(?=\s+-\s|$)"
)
_NOT_WORD = re.compile(r"[^\w]+")


def folded(text: str) -> str:
    """Text without case and accents: ``"Beyoncé"`` -> ``"beyonce"``."""
    return _unaccented(text).casefold().strip() or text


def bare(text: str) -> str:
    """Folded text without punctuation and featured artists: ``"P.Y.T. (feat. X)"`` -> ``"p y t"``."""
    return _words(_FEATURED.sub("", folded(text))) or folded(text)


def title_key(text: str) -> str:
    """The coarsest key: ``"Hey Jude - Remastered 2015"`` -> ``"hey jude"``."""
    return plain(text).casefold() or bare(text)


def plain(text: str) -> str:
    """What is left of a text without case, accents, brackets, version suffix and punctuation; maybe nothing."""
    return _words(_VERSION_SUFFIX.sub("", _BRACKETS.sub("", _unaccented(text))))


TIERS: tuple[Callable[[str], str], ...] = (str.strip, folded, bare, title_key)


def work_key(first_artist: str, title: str) -> str:
    """What all versions of one song share: normalised first artist and title."""
    return f"{title_key(first_artist)}\x1f{title_key(title)}"


def digest(key: str) -> int:
    """A 64-bit number for a key, the same on every machine."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _unaccented(text: str) -> str:
    if text.isascii():
        return text.lower()
    lower = unicodedata.normalize("NFKD", text).lower()
    return "".join(filterfalse(unicodedata.combining, lower))


def _words(text: str) -> str:
    return _NOT_WORD.sub(" ", text).strip()
