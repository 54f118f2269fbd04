"""Which songs are one work: what people call versions of a song, and recordings of one composition."""

import re

from segue.catalog.names import folded, plain, title_key

_ENSEMBLE = re.compile(r"^the | (?:and (?:his|her|the) )?(?:orchestra|band|trio|quartet|quintet|sextet|ensemble)$")
_NUMBER = re.compile(  # of a catalogue of somebody's compositions: "Op. 27 No. 2", "BWV 988", "K. 331"
    r"\b(?:(op|bwv|kv|woo|hwv|rv|wwv|twv)\b\.?|([kdlsrm])\.) ?(\d+[a-z]?)\b(?:[,/]? ?n[or]\. ?(\d+))?"
)
_OTHER_NUMBER = re.compile(r"\b(?!no|pt)[a-z]{1,2}\. ?\d+[a-z]?\b")
_ASIDE = re.compile(r"[\"“„”].*?[\"“”]|[(\[].*?[)\]]|\bin [a-h](?:[- ](?:sharp|flat))?(?: (?:major|minor))?\b")
_MOVEMENT = re.compile(r"\W*(?:no\. ?)?(\d+|[ivx]+)([a-z]?)\b[.:]")
READ = 500  # characters of a title in which its form is looked for
_ROMAN = (
    "", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii",
    "xviii", "xix", "xx",
)  # fmt: skip


def work_key(first_artist: str, title: str) -> str:
    """What all songs of one work share: first artist, who stands for a composer's, and title or catalogue number.

    ``"Déjà Vu (feat. X) - Live"`` and ``"Déjà Vu"`` share it, ``"Für Elise, WoO 59"`` and ``"Bagatelle, WoO 59"``
    do, and what an artist and the artist's quartet play.
    """
    artist = title_key(first_artist)
    return f"{_ENSEMBLE.sub('', artist) or artist}\x1f{_title(title[:READ])}{title[READ:]}"


def _title(title: str) -> str:
    text = folded(title)
    number = _NUMBER.search(text)
    if number is None:
        return title_key(title)
    before, _, part = _ASIDE.sub("", text[number.end() :]).partition(":")
    found = [*number.groups(), ":", plain(_OTHER_NUMBER.sub("", before)), *_part(part)]
    return " ".join(word for word in found if word)


def _part(text: str) -> list[str]:
    """What tells a movement from others: its number, and what is numbered or named within it."""
    movement = _MOVEMENT.match(text)
    if movement is None:
        return [plain(text)]
    numeral, letter = movement.groups()
    number = str(_ROMAN.index(numeral)) if numeral in _ROMAN else numeral
    rest = text[movement.end() :]
    return [number + letter, *re.findall(r"\d+", rest), plain(rest.partition(":")[2])]
