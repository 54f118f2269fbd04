"""The grammar of a search: free text and fields, ``remaster track:Harbour artist:"The Lanterns" year:1990-1999``.

The value of a field ends at its closing quotation mark; without any, artist, track and album reach to the next field,
a genre and years are one word.
"""

import re
from dataclasses import dataclass

from segue.spotify.errors import Refused

_NAMES, _WORDS = "artist|track|album", "genre|year"
_FIELD = re.compile(
    rf"""\b(?:({_NAMES}|{_WORDS}):\s*"([^"]*)"|({_WORDS}):\s*(\S+)|({_NAMES}):\s*(.*?)(?=\s+(?:{_NAMES}|{_WORDS}):|$))""",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Terms:
    """A query, taken apart; fields that it lacks are empty.

    years : the first and the last one
    """

    text: str = ""
    artist: str = ""
    track: str = ""
    album: str = ""
    genre: str = ""
    years: tuple[int, int] | None = None

    @property
    def words(self) -> str:
        """What the names of songs are compared with."""
        return f"{self.text} {self.track}".strip()


def read(query: str) -> Terms:
    """Take a query apart.

    Raises
    ------
    Refused
        there is nothing to look for, or years that are none.

    """
    found = [[part for part in match.groups() if part is not None] for match in _FIELD.finditer(query)]
    fields = {name.lower(): value.strip() for name, value in found}
    years = _years(fields.pop("year", ""))
    terms = Terms(" ".join(_FIELD.sub(" ", query).split()), **fields, years=years)
    if terms == Terms():
        raise Refused(400, 'No search query: q holds words, or fields such as artist:"NAME"')
    return terms


def _years(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = _YEARS.fullmatch(text)
    if not found:
        raise Refused(400, "year: expected a year, or two with a hyphen, as in year:1990-1999")
    return int(found[1]), int(found[2] or found[1])
