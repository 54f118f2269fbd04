"""How long songs are, as people write it: clocks, words, ISO 8601, and numbers whose unit header or range tell."""

import re

import numpy as np

UNITS = {"milliseconds": 1, "seconds": 1_000, "minutes": 60_000}  # in milliseconds
SPELT = {
    "milliseconds": ("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"),
    "seconds": ("s", "sec", "secs", "second", "seconds"),
    "minutes": ("min", "mins", "minute", "minutes"),
}
SONG = (10_000, 2 * 3_600_000)  # milliseconds between which the median of a table of songs lies
POSSIBLE = (1_000, 24 * 3_600_000)  # the same where a header names the unit
HOUR, MINUTE = 3_600_000, 60_000

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_CLOCK = re.compile(rf"(?:(\d+) days? )?(?:(\d+):)?(\d+):{_NUMBER}")
_ISO = re.compile(rf"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:{_NUMBER}S)?", re.IGNORECASE)
_WORDS = re.compile(
    rf"(?:(\d+)\s*d\w*)?\s*(?:(\d+)\s*h\w*)?\s*(?:{_NUMBER}\s*m(?:in\w*)?)?\s*(?:{_NUMBER}\s*s(?:ec\w*)?)?",
    re.IGNORECASE,
)
_MILLISECONDS = re.compile(rf"{_NUMBER}\s*ms(?:ec)?", re.IGNORECASE)


def told(text: str) -> float | None:
    """Milliseconds of a text that says its units: ``"3:20"``, ``"1:02:03"``, ``"PT3M20S"``, ``"3 min 20 s"``."""
    milliseconds = _MILLISECONDS.fullmatch(text)
    if milliseconds:
        return _float(milliseconds[1])
    found = _CLOCK.fullmatch(text) or _ISO.fullmatch(text) or _WORDS.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (_float(part) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000


def _float(text: str | None) -> float:
    return float((text or "0").replace(",", "."))


def unit_of(header: str, values: np.ndarray) -> tuple[str, bool]:
    """The unit of plain numbers, and whether the header says it.

    values : those that are known, above 0
    """
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", header).lower())
    said = next((unit for unit, spelt in SPELT.items() if set(words) & set(spelt)), None)
    median = float(np.median(values)) if len(values) else 0.0
    if said and (not median or POSSIBLE[0] <= median * UNITS[said] <= POSSIBLE[1]):
        return said, True
    by_range = (unit for unit, size in UNITS.items() if SONG[0] <= median * size <= SONG[1])
    return next(by_range, said or "milliseconds"), False


def are_hours_for_minutes(clocks: np.ndarray) -> bool:
    """Whether a spreadsheet took minutes and seconds for hours and minutes: 3:20 is kept as 3:20:00.

    clocks : milliseconds
    """
    return bool(len(clocks)) and bool((clocks % MINUTE == 0).all()) and float(np.median(clocks)) > HOUR
