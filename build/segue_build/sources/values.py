"""Parses single cells as people and spreadsheets write them: numbers, durations, years, musical keys."""

import datetime as dt
import re

import numpy as np
import pandas as pd

from segue_build.sources.series import Series

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_UNIT_SUFFIX = re.compile(r"\s*(?:dBFS|dB|LUFS|BPM)$", re.IGNORECASE)
_THOUSANDS_GAP = re.compile(r"(?<=\d)[\s'\u2019](?=\d{3}(?:\D|$))")  # between thousands
_COMMA_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_POINT_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3}){2,}")
_DECIMAL = r"(\d+(?:[.,]\d+)?)"
_CLOCK_DURATION = re.compile(rf"(?:(\d+) days? )?(?:(\d+):)?(\d+):{_DECIMAL}")
_ISO_DURATION = re.compile(rf"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:{_DECIMAL}S)?", re.IGNORECASE)
_WORDED_DURATION = re.compile(
    rf"(?:(\d+)\s*d\w*)?\s*(?:(\d+)\s*h\w*)?\s*(?:{_DECIMAL}\s*m(?:in\w*)?)?\s*(?:{_DECIMAL}\s*s(?:ec\w*)?)?",
    re.IGNORECASE,
)
_MILLISECONDS = re.compile(rf"{_DECIMAL}\s*ms(?:ec)?", re.IGNORECASE)
SPREADSHEET_DAYS = (3_000, 100_000)  # days since the end of 1899, as spreadsheets count; smaller numbers are years
PLAYED_YEARS = (1970, 2100)  # between which something was played
MAX_UNIX_SECONDS = 4.1e9  # Unix time of the year 2100; larger numbers are in a finer unit
TWO_DIGIT_YEAR_PIVOT = 30  # two digits up to this are years of the 2000s
_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")
_COMPACT_DATE = re.compile(r"([12]\d{3})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_DATE_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SHORT_DATE = re.compile(r"\d{1,2}[/.\s-](?:\d{1,2}|[A-Za-z]{3,9})[/.\s-]'?(\d{2})")
MODES = {"major": 1, "maj": 1, "dur": 1, "minor": 0, "min": 0, "m": 0, "moll": 0}
_NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SHARPS, _FLATS = ("#", "♯", "sharp"), ("b", "♭", "flat")
_NOTE = re.compile(
    r"([A-G])[\s-]*(#|♯|sharp|b|♭|flat)?(?:\s*/\s*[A-G](?:#|♯|b|♭)?)?[\s-]*(major|maj|dur|minor|min|moll|m)?",
    re.IGNORECASE,
)
_CAMELOT = re.compile(r"(0?[1-9]|1[0-2])([ABdm])", re.IGNORECASE)
_SEMITONES_PER_FIFTH = 7  # semitones
MAX_VALUE_LENGTH = 100  # characters of a number, date or key; patterns below try some longer texts in many ways


def parse_numbers(cells: Series, *, integers: bool, full_scale: float | None = None) -> tuple[Series, bool]:
    """Parse numbers from stripped texts.

    Parameters
    ----------
    integers : whether only whole numbers are expected, so that commas before three digits may separate thousands
    full_scale : the value of 100 %; None if percentages make no sense

    Returns
    -------
    float64, NaN for texts that are not numbers; and whether any number has a decimal comma.

    """
    values: Series = pd.to_numeric(cells, errors="coerce")
    values = values.astype("float64").replace([np.inf, -np.inf], np.nan)
    unparsed = cells[values.isna() & cells.notna()]
    if unparsed.empty:
        return values, False
    texts = [text for text in unparsed.unique() if len(text) <= MAX_VALUE_LENGTH]
    commas = [text for text in texts if "," in text]
    thousands = integers and all(_COMMA_THOUSANDS.fullmatch(_strip_unit(text)) for text in commas)
    parsed = {text: _parse_number(text, thousands, full_scale) for text in texts}
    decimal_comma = bool(commas) and not thousands and any(parsed[text] is not None for text in commas)
    return values.fillna(unparsed.map(parsed.get).astype("float64")), decimal_comma


def _parse_number(text: str, thousands: bool, full_scale: float | None) -> float | None:
    """Parse ``"0,207"``, ``"-7.5 dB"``, ``"1 234"``, ``"1.234,5"``, ``"83 %"``."""
    percent = text.endswith("%") and full_scale is not None
    text = _with_decimal_point(_strip_unit(text.removesuffix("%") if percent else text), thousands)
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if not np.isfinite(value):
        return None
    return value * (full_scale or 0) / 100 if percent else value


def _strip_unit(text: str) -> str:
    """Remove units and gaps between thousands, and write minus as Python does."""
    return _THOUSANDS_GAP.sub("", _UNIT_SUFFIX.sub("", text.strip().replace("\u2212", "-")))


def _with_decimal_point(text: str, thousands: bool) -> str:
    """Write commas and points as Python does: if a text has both, the last one is the decimal point."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point >= 0:
        return text.replace(".", "").replace(",", ".")
    if _COMMA_THOUSANDS.fullmatch(text) and (thousands or point >= 0 or text.count(",") > 1):
        return text.replace(",", "")
    if _POINT_THOUSANDS.fullmatch(text):
        return text.replace(".", "")
    return text.replace(",", ".") if point < 0 and text.count(",") == 1 else text


def parse_duration(text: str) -> float | None:
    """Milliseconds of a duration with units: ``"3:20"``, ``"1:02:03"``, ``"PT3M20S"``, ``"3 min 20 s"``."""
    if len(text) > MAX_VALUE_LENGTH:
        return None
    milliseconds = _MILLISECONDS.fullmatch(text)
    if milliseconds:
        return _to_float(milliseconds[1])
    found = _CLOCK_DURATION.fullmatch(text) or _ISO_DURATION.fullmatch(text) or _WORDED_DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (_to_float(part) for part in found.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000


def _to_float(text: str | None) -> float:
    return float((text or "0").replace(",", "."))


def parse_year(text: str) -> int | None:
    """The year of a date, or None.

    Dates may be in any order, ``"1999-05-12"``, ``"12/05/1999"``, ``"May 12, 1999"``; day numbers of a
    spreadsheet, ``"36292"``; or Unix time in seconds or finer units, ``"926467200000"``. Years of two digits,
    ``"12.05.99"``, are 1931 to 2030.
    """
    if len(text) > MAX_VALUE_LENGTH:
        return None
    compact = _COMPACT_DATE.fullmatch(text)
    if compact:
        return int(compact[1])
    if _DATE_NUMBER.fullmatch(text):
        return _year_of_number(float(text))
    four_digits = _YEAR.search(text)
    if four_digits:
        return int(four_digits[1])
    two_digits = _SHORT_DATE.fullmatch(text)
    if two_digits:
        return int(two_digits[1]) + (2000 if int(two_digits[1]) <= TWO_DIGIT_YEAR_PIVOT else 1900)
    return None


def _year_of_number(value: float) -> int | None:
    if 0 <= value < SPREADSHEET_DAYS[0]:
        return int(value) if value >= 1000 else None
    if SPREADSHEET_DAYS[0] <= value < SPREADSHEET_DAYS[1]:
        return (dt.date(1899, 12, 30) + dt.timedelta(days=int(value))).year
    while abs(value) > MAX_UNIX_SECONDS:
        value /= 1000
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=value)).year


def parse_times(cells: Series) -> Series:
    """Points in time, in UTC: dates with a time of day, or Unix time in seconds or finer units; else missing."""
    numbers: Series = pd.to_numeric(cells, errors="coerce")
    numbers = numbers.astype("float64")
    for _ in range(3):
        numbers = numbers.where(~(numbers.abs() > MAX_UNIX_SECONDS), numbers / 1000)
    dates = cells.mask(numbers.notna() | (cells == "")).str.replace(",", "", regex=False)
    times: Series = pd.to_datetime(dates, errors="coerce", utc=True, format="mixed")
    unix_times: Series = pd.to_datetime(numbers, unit="s", errors="coerce", utc=True)
    known = (found.where(found.dt.year.between(*PLAYED_YEARS)) for found in (times, unix_times))
    times, unix_times = (found.astype("datetime64[ns, UTC]") for found in known)
    return times.fillna(unix_times)


def parse_key(text: str) -> tuple[int, int | None] | None:
    """Pitch class, 0..11, and mode, 1 major, 0 minor, None if not given; None if a text is not a key.

    ``"F#m"`` -> (6, 0), ``"C♯/D♭"`` -> (1, None), ``"B-flat major"`` -> (10, 1); in Camelot notation
    ``"8A"`` -> (9, 0), in Open Key notation ``"1d"`` -> (0, 1).
    """
    wheel = _CAMELOT.fullmatch(text)
    if wheel:
        return _parse_wheel_key(int(wheel[1]), wheel[2].lower())
    note = _NOTE.fullmatch(text)
    if not note:
        return None
    accidental = (note[2] or "").lower()
    pitch = _NOTES[note[1].lower()] + (accidental in _SHARPS) - (accidental in _FLATS)
    mode = note[3]
    return pitch % 12, 1 if mode == "M" else MODES[mode.lower()] if mode else None


def _parse_wheel_key(hour: int, side: str) -> tuple[int, int]:
    """The key at an hour of a wheel: hours are fifths apart; a minor key is the relative of the major one there."""
    minor = side in "am"
    fifths = hour - (8 if side in "ab" else 1)  # from C major, or A minor
    return ((9 if minor else 0) + fifths * _SEMITONES_PER_FIFTH) % 12, int(not minor)
