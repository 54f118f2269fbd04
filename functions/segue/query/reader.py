"""Checked reading of decoded JSON: each value comes out with its type; what is not as expected is kept as a fault."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from segue.errors import Fault, InvalidQuery
from segue.query.links import EXPECTED, Link, link

MOST_FAULTS = 100  # reported for a request; past them it is not read any further
MOST_HINTS = 20  # of those that are reported with the nearest known name
LONGEST_TEXT = 600  # characters; the longest name in the wild has 511
LARGEST_BOUND = 1e15  # of a filter's range, either sign
ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_UNUSABLE = re.compile(r"[\x00\ud800-\udfff]")


class Reader:
    """Reads values and collects faults on the way, up to a hundred; a value at fault reads as its default.

    Each method takes a value, or the fields of an object and a name, and the JSON pointer of where that stands.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def identifier(self, value: object, pointer: str) -> str:
        """A song's id, or the one that a link leads to."""
        found = self.link(value, pointer) if isinstance(value, str) else None
        if found:
            if found.kind == "artist":
                self.fault(pointer, "leads to an artist; expected a song's id, or a link to a song")
            return found.id
        if isinstance(value, str) and ID.fullmatch(value):
            return value
        self.fault(pointer, "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -")
        return ""

    def link(self, text: str, pointer: str) -> Link | None:
        """The song or artist that a link leads to; None for a text that is no link."""
        found = link(text)
        if found and not found.kind:
            self.fault(pointer, f"{shown(text)} leads to no song and no artist; {EXPECTED}")
        return found

    def text(self, value: object, pointer: str, longest: int = LONGEST_TEXT) -> str:
        """A text that is not blank."""
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            self.fault(pointer, f"expected a text of 1..{longest} characters")
            return ""
        if _UNUSABLE.search(value):
            self.fault(pointer, "holds a zero character or broken Unicode")
            return ""
        return value

    def listed(self, value: object, pointer: str, fewest: int, most: int) -> list[Any]:
        """A list of so many entries."""
        if isinstance(value, list) and fewest <= len(value) <= most:
            return value
        found = f", found {len(value)}" if isinstance(value, list) else ""
        self.fault(pointer, f"expected a list of {fewest}..{most} entries{found}")
        return []

    def record(self, value: object, pointer: str, known: Sequence[str]) -> Mapping[str, Any]:
        """The known fields of an object; every other one is a fault."""
        if not isinstance(value, Mapping):
            self.fault(pointer, f"expected an object with {', '.join(known)}")
            return {}
        for name in value:
            if name not in known:
                self.unknown(
                    "filter" if pointer == "/filters" else "field", name, f"{pointer}/{escaped(name)}", known
                )
        return {name: entry for name, entry in value.items() if name in known}

    def truth(self, fields: Mapping[str, Any], name: str, pointer: str, default: bool) -> bool:
        """True or false."""
        value = fields.get(name, default)
        if isinstance(value, bool):
            return value
        self.fault(f"{pointer}/{name}", "expected true or false")
        return default

    def whole(
        self,
        fields: Mapping[str, Any],
        name: str,
        pointer: str,
        low: int,
        high: int,
        default: int,
        more: str = "",
    ) -> int:
        """A whole number, ends inclusive."""
        value = fields.get(name, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.fault(f"{pointer}/{name}", f"expected a whole number {low}..{high}{more}")
        return default

    def real(
        self,
        fields: Mapping[str, Any],
        name: str,
        pointer: str,
        low: float,
        high: float,
        default: float,
        unit: str = "",
    ) -> float:
        """A number, ends inclusive; ``unit`` is for the message."""
        value = fields.get(name, default)
        if _is_number(value) and low <= value <= high:
            return float(value)
        self.fault(f"{pointer}/{name}", f"expected a number {low:g}..{high:g}" + (f" ({unit})" if unit else ""))
        return default

    def finite(self, value: object, pointer: str, default: float) -> float:
        """A number that is not absurdly large."""
        if _is_number(value) and -LARGEST_BOUND <= value <= LARGEST_BOUND:  # type: ignore[operator]  # _is_number has seen to it
            return float(value)  # type: ignore[arg-type]
        self.fault(pointer, f"expected a number {-LARGEST_BOUND:g}..{LARGEST_BOUND:g} or null")
        return default

    @property
    def hints_left(self) -> bool:
        """Whether a fault may still be reported with the nearest name that is known: finding it is work."""
        return len(self.faults) < MOST_HINTS

    def unknown(self, what: str, name: str, pointer: str, known: Sequence[str]) -> None:
        """Keep the fault that a name is not among those that are known."""
        self.fault(pointer, unknown(what, name, known) if self.hints_left else f"unknown {what} {shown(name)}")

    def fault(self, pointer: str, detail: str) -> None:
        """Keep a fault; past a hundred of them, refuse the request as far as it was read."""
        self.faults.append(Fault(pointer, detail))
        if len(self.faults) == MOST_FAULTS:
            raise InvalidQuery(self.faults)


def nearest(asked: str, known: Sequence[str]) -> str:
    """``"; did you mean 'indie-pop', 'indie'?"``, or nothing where nothing is near."""
    close = difflib.get_close_matches(asked[:64].lower(), known, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(map(repr, close))}?" if close else ""


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """A message for a name that is not known: the nearest that are, or else all."""
    known_are = f"; known are: {', '.join(known)}" if known else "; none is known here"
    return f"unknown {what} {shown(name)}{nearest(name, known) or known_are}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def number(text: str) -> object:
    """The number that a URL's text spells, or the text itself: the parser then says what it expected."""
    return int(text) if re.fullmatch(r"-?\d{1,10}", text, re.ASCII) else text


def shown(text: str) -> str:
    """A text in quotes, cut where it is long."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def escaped(name: str) -> str:
    """A key as a step of a JSON pointer (RFC 6901)."""
    return name[:64].replace("~", "~0").replace("/", "~1")
