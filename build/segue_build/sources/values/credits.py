"""Whose names a cell of artists holds: what parts names in one table is part of a name in another.

Semicolons, lists and "featuring" always part names, an ampersand never does. Commas and slashes are judged by what
else the column holds, and only where no cell has a semicolon or is a list.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

FEW = 3  # cells with a separator from which the column can tell anything
OFTEN = 0.05  # of a column's different cells: names with commas are 0.2 % of artists, shared credits 25 % and more
SEPARATORS = {"commas": re.compile(r"(?<!\\),\s*"), "slashes": re.compile(r"\s+/\s+")}
_FEATURING = re.compile(r"\s+ft\.?\s+", re.IGNORECASE)
_ONE_NAME = re.compile(  # the last part of what has a comma and is one name all the same
    r"(?:the|der|die|das|el|los|la|las|le|les|il)\s|(?:jr|sr|inc|ltd|llc)\b|.*\s(?:&|and|y|e|und|et)\s", re.IGNORECASE
)


class Credits(NamedTuple):
    """How a column names several artists.

    names : cell -> the names in it, for the cells that have several
    by : what parts names, ``commas``, ``slashes``, ``"ft."``; empty where nothing does
    """

    names: dict[str, list[str]]
    by: tuple[str, ...]


def credits_of(cells: Iterable[str], header_lists: bool) -> Credits:
    """Tell which cells of a column hold several names.

    cells : different ones, as they are
    header_lists : whether the header is a plural
    """
    known = set(cells)
    names = {cell: parts for cell in known if len(parts := _FEATURING.split(cell)) > 1}
    by = ['"ft."'] if names else []
    for name, separator in SEPARATORS.items():
        found = _parted(known - set(names), separator, header_lists and name == "commas")
        names.update(found)
        by += [name] if found else []
    return Credits(names, tuple(by))


def _parted(cells: set[str], separator: "re.Pattern[str]", header_lists: bool) -> dict[str, list[str]]:
    """The cells that hold several names with this separator between them.

    Where a column lists names, cells are parted but for those that look like one name, as "Tyler, The Creator" and
    "Earth, Wind & Fire" do. Those, and all cells of a column that does not, are parted if every part stands in a cell
    of its own elsewhere.
    """
    parts = {cell: found for cell in cells if len(found := separator.split(cell)) > 1}
    lists = header_lists or len(parts) >= max(FEW, OFTEN * len(cells))
    alone = cells - set(parts)
    whole: set[str] = set()
    several = {}
    for cell, found in sorted(parts.items(), key=lambda item: (len(item[1]), item[0])):
        names = _rejoined(found, whole)
        is_one = len(names) == len(found) and bool(_ONE_NAME.match(found[-1]))
        if set(found) <= alone or (lists and not is_one):
            several[cell] = [name.replace("\\,", ",") for name in names]
        else:
            whole.add(cell)
    return several


def _rejoined(parts: list[str], whole: set[str]) -> list[str]:
    """The parts of a list, of which two or more may be one name with a comma in it, which has a cell of its own."""
    names: list[str] = []
    while parts:
        length = next((n for n in range(len(parts), 1, -1) if ", ".join(parts[:n]) in whole), 1)
        names.append(", ".join(parts[:length]))
        parts = parts[length:]
    return names
