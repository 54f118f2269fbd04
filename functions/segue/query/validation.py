"""Validation of decoded JSON: each value is returned with its type, and what is invalid is collected as a fault.

Songs and artists may also be named by Spotify's URIs and share links: ``spotify:track:ID``,
``https://open.spotify.com/track/ID?si=...``, and the same for artists.
https://developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segue.errors import Fault, InvalidQuery

MAX_FAULTS = 100  # reported for a request; the rest of it is not read
MAX_SUGGESTIONS = 20  # faults that are reported with similar known names
MAX_TEXT_LENGTH = 600  # characters; the longest name seen in a real table has 511
MAX_BOUND = 1e15  # of a filter's range, either sign
ID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_INVALID_CHARACTERS = re.compile(r"[\x00\ud800-\udfff]")
EXPECTED_LINK = "expected spotify:track:ID or https://open.spotify.com/track/ID, or the same with 'artist'"
_SPOTIFY_HOST = r"(?:https?://)?(?:open|play)\.spotify\.com/"
_LINK_PREFIX = re.compile(rf"spotify:\S|{_SPOTIFY_HOST}", re.IGNORECASE)
_LINK_PATTERN = re.compile(
    rf"(?:spotify:|{_SPOTIFY_HOST}(?:intl-[\w-]+/|embed/)?)(track|artist)[:/]([\w.-]{{1,64}})/?(?:[?#]\S*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class SpotifyLink:
    """A Spotify URI or URL, parsed.

    kind : ``"track"`` or ``"artist"``; empty for any other kind and for a malformed link
    id : of the song or artist
    """

    kind: str
    id: str


class Validator:
    """Checks values and collects faults, up to ``MAX_FAULTS``; an invalid value is read as its default.

    Each method takes a value, or the fields of an object and a name, with its JSON pointer.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def song_id(self, value: object, pointer: str) -> str:
        """A song's id, or the id in a link to a song."""
        found = self.link(value, pointer) if isinstance(value, str) else None
        if found:
            if found.kind == "artist":
                self.add_fault(pointer, "leads to an artist; expected a song's id, or a link to a song")
            return found.id
        if isinstance(value, str) and ID_PATTERN.fullmatch(value):
            return value
        self.add_fault(pointer, "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -")
        return ""

    def link(self, text: str, pointer: str) -> SpotifyLink | None:
        """A link to a song or an artist; None if the text is no link."""
        found = parse_link(text)
        if found and not found.kind:
            self.add_fault(pointer, f"{quoted(text)} leads to no song and no artist; {EXPECTED_LINK}")
        return found

    def string(self, value: object, pointer: str, max_length: int = MAX_TEXT_LENGTH) -> str:
        """A string that is not blank."""
        if not isinstance(value, str) or not value.strip() or len(value) > max_length:
            self.add_fault(pointer, f"expected a text of 1..{max_length} characters")
            return ""
        if _INVALID_CHARACTERS.search(value):
            self.add_fault(pointer, "holds a zero character or broken Unicode")
            return ""
        return value

    def array(self, value: object, pointer: str, min_length: int, max_length: int) -> list[Any]:
        """A list of ``min_length`` to ``max_length`` entries."""
        if isinstance(value, list) and min_length <= len(value) <= max_length:
            return value
        found = f", found {len(value)}" if isinstance(value, list) else ""
        self.add_fault(pointer, f"expected a list of {min_length}..{max_length} entries{found}")
        return []

    def object_fields(self, value: object, pointer: str, known: Sequence[str]) -> Mapping[str, Any]:
        """The known fields of an object; any other field is a fault."""
        if not isinstance(value, Mapping):
            self.add_fault(pointer, f"expected an object with {', '.join(known)}")
            return {}
        for name in value:
            if name not in known:
                self.add_unknown_name(
                    "filter" if pointer == "/filters" else "field", name, f"{pointer}/{escape_pointer(name)}", known
                )
        return {name: entry for name, entry in value.items() if name in known}

    def boolean(self, fields: Mapping[str, Any], name: str, pointer: str, default: bool) -> bool:
        """True or false."""
        value = fields.get(name, default)
        if isinstance(value, bool):
            return value
        self.add_fault(f"{pointer}/{name}", "expected true or false")
        return default

    def integer(
        self,
        fields: Mapping[str, Any],
        name: str,
        pointer: str,
        low: int,
        high: int,
        default: int,
        suffix: str = "",
    ) -> int:
        """An integer within ``low`` and ``high``, ends inclusive."""
        value = fields.get(name, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.add_fault(f"{pointer}/{name}", f"expected a whole number {low}..{high}{suffix}")
        return default

    def number(
        self,
        fields: Mapping[str, Any],
        name: str,
        pointer: str,
        low: float,
        high: float,
        default: float,
        unit: str = "",
    ) -> float:
        """A number within ``low`` and ``high``, ends inclusive; ``unit`` is for the message."""
        value = fields.get(name, default)
        if _is_number(value) and low <= value <= high:
            return float(value)
        self.add_fault(f"{pointer}/{name}", f"expected a number {low:g}..{high:g}" + (f" ({unit})" if unit else ""))
        return default

    def finite_number(self, value: object, pointer: str, default: float) -> float:
        """A finite number of at most ``MAX_BOUND``, either sign."""
        if _is_number(value) and -MAX_BOUND <= value <= MAX_BOUND:  # type: ignore[operator]  # checked by _is_number
            return float(value)  # type: ignore[arg-type]
        self.add_fault(pointer, f"expected a number {-MAX_BOUND:g}..{MAX_BOUND:g} or null")
        return default

    @property
    def can_suggest(self) -> bool:
        """Whether to look for similar names for one more fault: that takes time, so only the first faults get it."""
        return len(self.faults) < MAX_SUGGESTIONS

    def add_unknown_name(self, kind: str, name: str, pointer: str, known: Sequence[str]) -> None:
        """Add the fault that a name is unknown."""
        self.add_fault(
            pointer, unknown_name_message(kind, name, known) if self.can_suggest else f"unknown {kind} {quoted(name)}"
        )

    def add_fault(self, pointer: str, detail: str) -> None:
        """Add a fault; raise at ``MAX_FAULTS``, without reading the rest of the request."""
        self.faults.append(Fault(pointer, detail))
        if len(self.faults) == MAX_FAULTS:
            self.raise_faults()

    def raise_faults(self) -> None:
        """Raise one error with all faults found so far, if there are any."""
        if self.faults:
            raise InvalidQuery(self.faults)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """``"; did you mean 'indie-pop', 'indie'?"``, or an empty string if no name is similar."""
    matches = difflib.get_close_matches(name[:64].lower(), known, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(map(repr, matches))}?" if matches else ""


def unknown_name_message(kind: str, name: str, known: Sequence[str]) -> str:
    """An error message for an unknown name, with the most similar known names, or else all of them."""
    known_are = f"; known are: {', '.join(known)}" if known else "; none is known here"
    return f"unknown {kind} {quoted(name)}{did_you_mean(name, known) or known_are}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def number_or_text(text: str) -> object:
    """The integer in a URL parameter, or the text itself, for which the validator then reports what it expected."""
    return int(text) if re.fullmatch(r"-?\d{1,10}", text, re.ASCII) else text


def quoted(text: str) -> str:
    """A text in quotes, truncated to 40 characters."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def escape_pointer(name: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901)."""
    return name[:64].replace("~", "~0").replace("/", "~1")


def parse_link(text: str) -> SpotifyLink | None:
    """Parse a link; None if the text does not begin like one."""
    text = text.strip()
    if not _LINK_PREFIX.match(text):
        return None
    found = _LINK_PATTERN.fullmatch(text)
    return SpotifyLink(found[1].lower(), found[2]) if found else SpotifyLink("", "")
