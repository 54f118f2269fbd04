"""Text normalization: keys of growing coarseness under which two spellings are one name, for build and function.

===========  ==========================================  ===================================
key          what it ignores                             "Déjà Vu (feat. X) - Live" becomes
===========  ==========================================  ===================================
verbatim     nothing                                     Déjà Vu (feat. X) - Live
case_folded  case and the marks of letters               deja vu (feat. x) - live
normalized   punctuation and "(feat. X)"                 deja vu live
title_key    everything in brackets, the version suffix  deja vu
===========  ==========================================  ===================================

No key of a text that is not blank is empty: if a step would leave nothing, as of "(???)", the key is what the step
before it left. What people type is also compared without spaces, see :func:`join_words`.

Marks are ignored on Latin, Greek and Cyrillic letters only: elsewhere, as in Japanese, Thai or Hindi, a letter with a
mark is another letter.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from hashlib import blake2b

# Each takes time in proportion to a text's length, whatever is in it: nothing is searched twice for the same end.
_BRACKETS = re.compile(r"(?<!\s)\s*[(\[][^)\]]*[)\]]")
_VERSION_SUFFIX = re.compile(r"(?<!\s)\s+-\s+.*", re.DOTALL)
_FEATURED_IN_BRACKETS = re.compile(r"(?<!\s)\s*[(\[](?:feat|ft|featuring|with)\b[^)\]]*[)\]]")
_FEATURED = re.compile(r"(?<!\s)\s+(?:feat|ft|featuring)\b\.?\s.*?(?=\s-\s|\Z)", re.DOTALL)
# Marks after letters of other scripts, which belong to their words, and marks of Latin, Greek and Cyrillic letters.
_MARKS = (
    "\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0730-\u074a\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
    "\u0eb1-\u0ece\u0f71-\u0fbc\u102b-\u109d\u17b4-\u17d3\u1b00-\u1baf\u3099\u309a\ua8e0-\uaaff"
)
_ACCENTS = re.compile("(?<=[a-z\u00aa-\u02ff\u0370-\u0482\u048a-\u052f])[\u0300-\u036f\u0483-\u0489]+")
_WORD_CHARACTER = re.compile(rf"[\w{_MARKS}]")
_NOT_WORD = re.compile(rf"[^\w{_MARKS}]+")
_INNER_EXCLAMATION = re.compile(r"(?<=[^\W\d_])!(?=[^\W\d_])")
_HAS_VARIANTS = re.compile(r"[(\[]|\s-\s|\bf(?:ea)?t(?:uring)?\b")  # other titles are typed in one way
FEATURING = frozenset(("feat", "ft", "featuring"))
_BY = "by"
_DASHES = frozenset("-\u2013\u2014|")
_NOISE = frozenset((
    "official", "officiel", "oficial", "video", "videoclip", "clip", "audio", "lyric", "lyrics",
    "visualizer", "mv", "hd", "hq", "4k",
))  # fmt: skip
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
    return _spaced_words(_without_brackets_and_version(_without_accents(text)))


KEY_LEVELS: tuple[Callable[[str], str], ...] = (str.strip, case_folded, normalized, title_key)


def match_level(keys: Sequence[str], name: str) -> int:
    """The finest of ``KEY_LEVELS`` at which a name has these keys: 0 verbatim .. 3 title key, 4 for none."""
    return next((level for level, key in enumerate(KEY_LEVELS) if keys[level] == key(name)), len(KEY_LEVELS))


class _CharacterMap(dict[int, str | None]):
    """For ``str.translate``: each character as it is typed; what is neither letter nor digit separates words."""

    def __missing__(self, character: int) -> str:
        letter = chr(character)
        return letter if letter != "_" and _WORD_CHARACTER.match(letter) else " "


_REPLACEMENTS: dict[str, str | None] = dict.fromkeys(".'\u2019\u2018\u02bc`\u00b4")  # apostrophes, as typed
_REPLACEMENTS |= zip("øłđðıßæœþ$&+", ("o", "l", "d", "d", "i", "ss", "ae", "oe", "th", "s", " and ", " and "))
_SEARCH_CHARACTERS = _CharacterMap(
    {character: _CharacterMap()[character] for character in range(128)}
)  # ASCII in advance, which saves a call for each character
_SEARCH_CHARACTERS.update({ord(sign): plain for sign, plain in _REPLACEMENTS.items()})


class _WrittenCharacterMap(_CharacterMap):
    """For :func:`written_key`: spaces and punctuation are left out, letters, digits and symbols kept."""

    def __missing__(self, character: int) -> str:
        is_symbol = unicodedata.category(chr(character))[0] == "S"
        return chr(character) if is_symbol else super().__missing__(character).strip()


_WRITTEN_CHARACTERS = _WrittenCharacterMap({ord(sign): plain for sign, plain in _REPLACEMENTS.items() if sign != "+"})
_WRITTEN_CHARACTERS.update({ord(sign): sign for sign in "#%@$"} | {ord("&"): "and"})


@functools.lru_cache(maxsize=2048)  # a name is compared as words and as letters, and with the next text again
def search_text(text: str) -> str:
    """Words as people type them: ``"Don't Stop (P!nk & AC/DC)"`` -> ``"dont stop pink and ac dc"``; maybe none."""
    text = _without_accents(text)
    if "!" in text:
        text = _INNER_EXCLAMATION.sub("i", text)
    return " ".join(text.translate(_SEARCH_CHARACTERS).split())


def join_words(words: Sequence[str]) -> str:
    """Typed words joined, without stop words: ``["the", "beach", "boys"]`` -> ``"beachboys"``."""
    return words[0] if len(words) == 1 else "".join([word for word in words if word not in STOP_WORDS] or words)


def search_key(text: str) -> str:
    """The key that spellings of a text share: ``"Simon & Garfunkel"`` and ``"simon and garfunkel"`` have one."""
    return join_words(search_text(text).split()) or case_folded(text)


def written_key(text: str) -> str:
    """A text with its symbols and silent words, but without spaces and punctuation: ``"The #1!"`` -> ``"the#1"``."""
    return _without_accents(text).translate(_WRITTEN_CHARACTERS) or case_folded(text)


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
    without = [word for word in words if word not in FEATURING]
    pairs = []
    for some in (words, without) if 0 < len(without) < len(words) else (words,):
        pairs.append((join_words(some), ""))
        for position in range(1, len(some)):
            left, right = some[:position], some[position:]
            artist = right[1:] if right[0] == _BY and len(right) > 1 else right
            pairs += [(join_words(left), join_words(artist)), (join_words(right), join_words(left))]
    return list(dict.fromkeys(pairs))


def sign_title_splits(text: str) -> list[tuple[str, str]]:
    """Titles of signs alone, and the artist beside them, as keys: ``"Ada - ???"`` -> ``[("???", "ada")]``."""
    parts = [part for part in text.split() if part not in _DASHES]
    has_words = [bool(search_text(part)) for part in parts]
    if all(has_words) or not any(has_words):
        return []
    first, last = has_words.index(True), len(parts) - has_words[::-1].index(True)
    signs, names = [parts[:first], parts[last:]], search_key(" ".join(parts[first:last]))
    return [(case_folded(" ".join(each)), names) for each in signs if each]


def without_noise(words: Sequence[str]) -> list[str]:
    """Words without those that are added to the name of a video or a file; the same words if there are no others."""
    noise = _NOISE | {"music"} if "video" in words else _NOISE
    return [word for word in words if word not in noise] or list(words)


def without_separators(words: Sequence[str]) -> list[str]:
    """Words without those that separate a title from its artists."""
    return [word for word in words if word not in FEATURING and word != _BY] or list(words)


def title_variants(name: str) -> list[str]:
    """The ways to type a title, joined: without brackets and version, without featured artists, both, and in full.

    ``"Déjà Vu (feat. X) - Live"`` -> ``["dejavu", "dejavulive", "dejavufeatxlive"]``
    """
    text = _without_accents(name)
    if not _HAS_VARIANTS.search(text):
        return [search_key(name)]
    short, plain = _without_brackets_and_version(text), without_featured(text)
    forms = dict.fromkeys((short, plain, _without_version_suffix(plain), text))
    spellings = (join_words(search_text(form).split()) for form in forms)
    return list(dict.fromkeys(form for form in spellings if form)) or [case_folded(text)]


def transliterated(text: str) -> str | None:
    """A Cyrillic text in Latin letters, or a Latin one in Cyrillic, as names are often written; None for others.

    ``"Кино"`` -> ``"kino"``, ``"Zemfira"`` -> ``"земфира"``
    """
    lower = _without_accents(text)
    if any(letter in _LATIN_OF_CYRILLIC for letter in lower):
        return "".join(_LATIN_OF_CYRILLIC.get(letter, letter) for letter in lower)
    if not (lower.isascii() and any(map(str.isalpha, lower))):
        return None
    for latin, cyrillic in _CYRILLIC_OF_LATIN:
        lower = lower.replace(latin, cyrillic)
    return lower


# ALA-LC without marks, but for letters that are mostly written otherwise
_LATIN_OF_CYRILLIC = dict(zip(
    "абвгдежзиклмнопрстуфхцчшщъыьэюяєіїґ",
    "a b v g d e zh z i k l m n o p r s t u f kh ts ch sh shch - y - e yu ya ye i i g".replace("-", "").split(" "),
))  # fmt: skip
_CYRILLIC_OF_LATIN = sorted(
    ((latin, cyrillic) for cyrillic, latin in _LATIN_OF_CYRILLIC.items() if latin and cyrillic not in "эєіїґ"),
    key=lambda pair: -len(pair[0]),
)


def without_featured(lower: str) -> str:
    """Text in lower case without its featured artists: ``"love (feat. x)"`` -> ``"love"``."""
    if "ft" not in lower and "feat" not in lower and "with" not in lower:  # few names have any: no need to search
        return lower
    return _FEATURED.sub("", _without_closed(_FEATURED_IN_BRACKETS, lower))


def without_version(name: str) -> str:
    """A title as people say it: ``"Hey Jude (Live) - Remastered 2015"`` -> ``"Hey Jude"``."""
    return _without_brackets_and_version(name).strip() or name


def _without_brackets_and_version(text: str) -> str:
    return _without_version_suffix(_without_closed(_BRACKETS, text))


def _without_version_suffix(text: str) -> str:
    return _VERSION_SUFFIX.sub("", text) if "-" in text else text


def _without_closed(pattern: re.Pattern[str], text: str) -> str:
    """The text without what matches up to a closing bracket: of brackets after the last one, none is closed."""
    end = max(text.rfind(")"), text.rfind("]")) + 1
    return pattern.sub("", text[:end]) + text[end:] if end else text


def hash64(key: str) -> int:
    """A 64-bit number for a key, the same on every machine."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _without_accents(text: str) -> str:
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text).lower())


def _spaced_words(text: str) -> str:
    return _NOT_WORD.sub(" ", text).strip()
