"""Compositions: what the titles of recordings say of the piece that is played.

``"Piano Sonata No. 14 in C-Sharp Minor, Op. 27 No. 2: I. Adagio sostenuto"`` has a catalogue number and a movement,
by number and by name. The build finds by them which songs of one artist are one work; :class:`Piece` also compares
recordings by others.
"""

import re
from collections.abc import Iterable
from functools import cached_property

from segue.catalog.normalization import case_folded, core_text, title_key, without_version

_CATALOGUE_NUMBER = re.compile(  # of a catalogue of somebody's compositions: "Op. 27 No. 2", "BWV 988", "K. 331"
    r"\b(?:(op|bwv|kv|woo|hwv|rv|wwv|twv|sc)\b\.?|([kdlsrm])(?:\.|(?<=, .))) ?(\d+[a-z]?)\b(?:[,/]? ?n[or]\. ?(\d+))?"
)
_NUMBER_AND_KEY = re.compile(  # of a form: "Piano Sonata No. 14 in C-Sharp Minor"
    r"\bn[or]\. ?(\d+)\b[^:]{0,40}? in ([a-h])\b[- ]?(sharp|flat)?"
)
_DIGIT = re.compile(r"\d")
_ONE_COMPOSERS = frozenset(("bwv", "kv", "hwv", "rv", "wwv", "twv"))  # other catalogues' numbers mean several pieces
_OTHER_CATALOGUE_NUMBER = re.compile(r"\b(?!no|pt)[a-z]{1,2}\. ?\d+[a-z]?\b")
_KEY = re.compile(r"\bin [a-h](?:[- ](?:sharp|flat))?(?: (?:major|minor))?\b")
_QUOTED = re.compile(r"[\"“„](.*?)[\"“”]")
_ASIDE = re.compile(rf"{_QUOTED.pattern}|[(\[].*?[)\]]|{_KEY.pattern}")
_MOVEMENT_NUMBER = re.compile(r"\W*(?:no\. ?)?(\d+|[ivx]+)([a-z]?)\b\s*(?:[.:,]|$)")
_ORDINAL_MOVEMENT = re.compile(r"\b(1st|2nd|3rd|4th|5th|first|second|third|fourth|fifth) (?:movement|mvt)\b")
_ONE_OF_SET = re.compile(r"(?:\d+|two|three|four|five|six|eight|twelve) (\w+)s: (?:no\. ?)?(\d+|[ivx]+)\b")
MAX_CHARACTERS = 500  # characters of a title in which its form is looked for
STEM_LETTERS = 4  # of a word, which are the same in "Sonata" and "Sonate", "Nocturne" and "Nocturnes"
MIN_LETTERS = 3  # of a word that counts
_ROMAN = (
    "", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii",
    "xviii", "xix", "xx",
)  # fmt: skip
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


class Piece:
    """What a title says of the piece that is played, each part read when it is first needed: few are of most titles.

    numbers : each a catalogue, a number in it, and the numbers of a part and of what is within it
    """

    def __init__(self, title: str):
        self._title = title
        self._text = case_folded(title[:MAX_CHARACTERS])
        self.numbers, self._heading = _numbers(self._text)

    @cached_property
    def titles(self) -> frozenset[str]:
        """Keys of the whole title."""
        whole = title_key(self._title)
        is_plain = ":" not in self._text and len(self._title) <= MAX_CHARACTERS
        return frozenset((whole, whole if is_plain else parse_unnumbered(self._title)))

    @cached_property
    def words(self) -> frozenset[str]:
        """Stems of the title's words."""
        return _stems(min(self.titles, key=len))

    @cached_property
    def names(self) -> frozenset[str]:
        """Keys of what its parts call the piece: what stands before a catalogue number, and its last part."""
        alone = core_text(_ASIDE.sub("", self._heading)) if self.numbers else ""
        return frozenset((alone, self._movement)) - {""}

    @cached_property
    def stems(self) -> frozenset[str]:
        """Of the words before a catalogue number."""
        return _stems(self._heading)

    @cached_property
    def nickname(self) -> frozenset[str]:
        """Stems of what is in quotes there."""
        whole, _, part = self._text.rpartition(":")
        quoted = _QUOTED.search(whole or part) if self.numbers else None
        return _stems(quoted[1]) if quoted else frozenset()

    @cached_property
    def movement(self) -> frozenset[str]:
        """Stems of the last part."""
        return _stems(self._movement)

    @cached_property
    def _movement(self) -> str:
        has_parts = ":" in self._text
        return movement_name(case_folded(without_version(self._title[:MAX_CHARACTERS]))) if has_parts else ""

    def shares_number(self, other: "Piece") -> bool:
        """Whether both have a number and no other movement.

        Composers have opus numbers in common: they mean one piece only together with a word of what it is called.
        """
        if self.movement and other.movement and not self.movement & other.movement:
            return False
        return any(
            mine[:2] == theirs[:2] and all(one == another for one, another in zip(mine, theirs))
            for mine in self.numbers
            for theirs in other.numbers
            if mine[0] in _ONE_COMPOSERS or self.stems & other.stems
        )

    def has_nickname(self, words: frozenset[str]) -> bool:
        """Whether it is called by its nickname: "Moonlight Sonata"; ``words`` are stems of the whole title."""
        return bool(self.nickname) and self.nickname <= words <= self.nickname | self.stems


class Pieces:
    """Several pieces, to which others are compared all at once: a request has up to a hundred.

    names : keys of their titles and of what they are called
    """

    def __init__(self, pieces: Iterable[Piece]):
        pieces = list(pieces)
        self._titles = frozenset().union(*(piece.titles for piece in pieces))
        self.names = self._titles.union(*(piece.names for piece in pieces))
        self._words = {piece.words for piece in pieces}
        self._nicknamed = [piece for piece in pieces if piece.nickname]
        self._numbered = [piece for piece in pieces if piece.numbers]

    @property
    def have_nicknames(self) -> bool:
        """Whether one of them is also called by a nickname."""
        return bool(self._nicknamed)

    def __contains__(self, piece: Piece) -> bool:
        """Whether one of them is the same piece, or one is a movement of the other."""
        return (
            not self.names.isdisjoint(piece.titles)
            or not self._titles.isdisjoint(piece.names)
            or any(one.has_nickname(piece.words) for one in self._nicknamed)
            or (bool(piece.nickname) and any(map(piece.has_nickname, self._words)))
            or (bool(piece.numbers) and any(map(piece.shares_number, self._numbered)))
        )


def parse_numbered(text: str) -> tuple[str, str, str] | None:
    """A piece by its catalogue number, what it is called, and what its movement is; None without a number.

    text : a title as :func:`case_folded` has it, at most ``MAX_CHARACTERS``
    """
    number = _CATALOGUE_NUMBER.search(text)
    if number is None:
        return None
    after = _without_asides(text[number.end() :])
    before, _, part = after.partition(":")
    words = _movement_words(part) if part else _ordinal_movement(text)
    found = [*number.groups(), ":", core_text(_OTHER_CATALOGUE_NUMBER.sub("", before)), *words]
    return (
        " ".join(word for word in found if word),
        core_text(_ASIDE.sub("", text[: number.start()])),
        movement_name(text[number.end() :]),
    )


def parse_unnumbered(title: str) -> str:
    """A piece by its title: ``"3 Gymnopédies: I. Lent"`` -> ``"gymnopedie no 1"``."""
    one = _ONE_OF_SET.match(case_folded(title[:MAX_CHARACTERS]))
    return f"{one[1]} no {_arabic(one[2])}" if one else title_key(title[:MAX_CHARACTERS])


def movement_name(text: str) -> str:
    """What a title's last part is called, without its number; nothing where it has one part."""
    if ":" not in text:
        return ""
    _, colon, part = _without_asides(text).rpartition(":")
    return core_text(_MOVEMENT_NUMBER.sub("", part, count=1)) if colon else ""


def _without_asides(text: str) -> str:
    """The text without quotes, brackets and keys; all of it if its last part is one, as an aria's first words."""
    bare = _ASIDE.sub("", text)
    return text if ":" in bare and not core_text(bare.rpartition(":")[2]) else bare


def _movement_words(text: str) -> list[str]:
    """What tells a movement from others: its number, and what is numbered or named within it."""
    numbers = _movement_numbers(text)
    if not numbers:
        return [core_text(text)]
    return [*numbers, core_text(_MOVEMENT_NUMBER.sub("", text, count=1).partition(":")[2])]


def _movement_numbers(text: str) -> list[str]:
    """The number of a movement, and those within it."""
    movement = _MOVEMENT_NUMBER.match(text)
    if movement is None:
        return []
    numeral, letter = movement.groups()
    return [_arabic(numeral) + letter, *re.findall(r"\d+", text[movement.end() :])]


def _ordinal_movement(text: str) -> list[str]:
    """The number of a movement in words: ``"first movement"`` -> ``["1"]``."""
    found = _ORDINAL_MOVEMENT.search(text)
    return [str(_ORDINALS.index(found[1]) + 1) if found[1] in _ORDINALS else found[1][0]] if found else []


def _numbers(text: str) -> tuple[tuple[tuple[str, ...], ...], str]:
    """All catalogue numbers of a title, each with those of its movement, and what stands before the first of them."""
    if not _DIGIT.search(text):
        return (), ""
    catalogued = list(_CATALOGUE_NUMBER.finditer(text))
    heading = text[: catalogued[0].start()] if catalogued else text
    keys = list(_NUMBER_AND_KEY.finditer(heading))
    numbers = [(found[1] or found[2], *filter(None, found.groups()[2:])) for found in catalogued]
    numbers += [("no", f"{found[1]} in {found[2]} {found[3] or ''}") for found in keys]
    end = max((found.end() for found in catalogued + keys), default=0)
    part = _without_asides(text[end:]).partition(":")[2]
    movement = _movement_numbers(part) if part else _ordinal_movement(text)
    return tuple((*number, *movement) for number in numbers), heading if numbers else ""


def _stems(text: str) -> frozenset[str]:
    """How the words of a text begin; short ones don't count."""
    words = core_text(_KEY.sub("", text)).split()
    return frozenset(word[:STEM_LETTERS] for word in words if len(word) >= MIN_LETTERS and word.isalpha())


def _arabic(numeral: str) -> str:
    return str(_ROMAN.index(numeral)) if numeral in _ROMAN else numeral
