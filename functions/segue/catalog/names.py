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
before it stands. What people type is compared without its spaces, too, see :func:`joined`.
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
_SHOUTED = re.compile(r"(?<=[^\W\d_])!(?=[^\W\d_])")
_APART = re.compile(r"[(\[]|\s-\s|\bf(?:ea)?t(?:uring)?\b")  # only what holds one of these has several forms
SILENT = frozenset(("the", "and", "n"))  # words that people leave out or write as a sign


def folded(text: str) -> str:
    """Text without case and accents: ``"Beyoncé"`` -> ``"beyonce"``."""
    return _unaccented(text).casefold().strip() or text


def bare(text: str) -> str:
    """Folded text without punctuation and featured artists: ``"P.Y.T. (feat. X)"`` -> ``"p y t"``."""
    return _words(without_featured(folded(text))) or folded(text)


def title_key(text: str) -> str:
    """The coarsest key: ``"Hey Jude - Remastered 2015"`` -> ``"hey jude"``."""
    return plain(text).casefold() or bare(text)


def plain(text: str) -> str:
    """What is left of a text without case, accents, brackets, version suffix and punctuation; maybe nothing."""
    return _words(_VERSION_SUFFIX.sub("", _BRACKETS.sub("", _unaccented(text))))


TIERS: tuple[Callable[[str], str], ...] = (str.strip, folded, bare, title_key)


class _Keys(dict[int, str]):
    """For ``str.translate``: each character as it is typed; what is neither letter nor digit parts words."""

    def __missing__(self, character: int) -> str:
        letter = chr(character)
        return letter if letter.isalnum() else " "


_PLAIN = dict(zip("øłđðıßæœþ$&+", ("o", "l", "d", "d", "i", "ss", "ae", "oe", "th", "s", " and ", " and ")))
_PLAIN |= dict.fromkeys(".'\u2019\u2018\u02bc`\u00b4", "")  # apostrophes, as people and tables write them
_TYPED = _Keys({character: _Keys()[character] for character in range(128)})  # ASCII, which then needs no more calls
_TYPED.update({ord(sign): plain for sign, plain in _PLAIN.items()})


def typed(text: str) -> str:
    """Words as people type them: ``"Don't Stop (P!nk & AC/DC)"`` -> ``"dont stop pink and ac dc"``; maybe none."""
    text = _unaccented(text)
    if "!" in text:
        text = _SHOUTED.sub("i", text)
    return " ".join(text.translate(_TYPED).split())


def joined(words: Sequence[str]) -> str:
    """Typed words in one, but for those that are silent: ``["the", "beach", "boys"]`` -> ``"beachboys"``."""
    return "".join([word for word in words if word not in SILENT] or words)


def spelt(text: str) -> str:
    """What spellings of a text share: ``"Simon & Garfunkel"`` and ``"simon and garfunkel"`` are one."""
    return joined(typed(text).split()) or folded(text)


def forms(name: str) -> list[str]:
    """A title, joined, as it may be typed, each once: without all that is apart, without whom it features, whole.

    ``"Déjà Vu (feat. X) - Live"`` -> ``["dejavu", "dejavulive", "dejavufeatxlive"]``
    """
    text = _unaccented(name)
    if not _APART.search(text):
        return [spelt(text)]
    short = _VERSION_SUFFIX.sub("", _BRACKETS.sub("", text))
    spellings = (joined(typed(form).split()) for form in (short, without_featured(text), text))
    return list(dict.fromkeys(form for form in spellings if form)) or [folded(text)]


def without_featured(lower: str) -> str:
    """Text in lower case without whom it features: ``"love (feat. x)"`` -> ``"love"``."""
    return _FEATURED.sub("", lower)


def without_version(name: str) -> str:
    """A title as people say it: ``"Hey Jude (Live) - Remastered 2015"`` -> ``"Hey Jude"``."""
    return _VERSION_SUFFIX.sub("", _BRACKETS.sub("", name)).strip() or name


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
