"""The year of a date, however it is written."""

import datetime as dt
import re

SERIALS = (3_000, 100_000)  # days since the end of 1899, as spreadsheets count them; below are years
LATEST = 4.1e9  # seconds since 1970 of the year 2100; more is counted in a finer unit
PIVOT = 30  # two digits up to this are of the 2000s

_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")
_COMPACT = re.compile(r"([12]\d{3})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SHORT = re.compile(r"\d{1,2}[/.\s-](?:\d{1,2}|[A-Za-z]{3,9})[/.\s-]'?(\d{2})")


def year_of(text: str) -> int | None:
    """The year; None where there is none.

    Dates may be in any order, ``"1999-05-12"``, ``"12/05/1999"``, ``"May 12, 1999"``; days of a spreadsheet,
    ``"36292"``; or seconds since 1970 and parts of them, ``"926467200000"``. Two digits, ``"12.05.99"``, are 1931 to
    2030.
    """
    compact = _COMPACT.fullmatch(text)
    if compact:
        return int(compact[1])
    if _NUMBER.fullmatch(text):
        return _of_number(float(text))
    whole = _YEAR.search(text)
    if whole:
        return int(whole[1])
    short = _SHORT.fullmatch(text)
    if short:
        return int(short[1]) + (2000 if int(short[1]) <= PIVOT else 1900)
    return None


def _of_number(value: float) -> int | None:
    if 0 <= value < SERIALS[0]:
        return int(value) if value >= 1000 else None
    if SERIALS[0] <= value < SERIALS[1]:
        return (dt.date(1899, 12, 30) + dt.timedelta(days=int(value))).year
    while abs(value) > LATEST:
        value /= 1000
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=value)).year
