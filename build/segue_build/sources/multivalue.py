"""Cells that hold several values: the ways to write them, and the joined text that they become.

Semicolons, lists and "featuring" always separate artists; an ampersand never does. Commas and slashes separate names
in one table and are parts of names in another: the rest of the column decides, unless some cell has a semicolon or is
a list.
"""

import ast
import csv
import itertools
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

SEPARATOR = "\x1f"  # between the values of a cell
MISSING_MARKERS = ("", "na", "n/a", "nan", "null", "none", "<na>", "set()")
_FEATURING = re.compile(r"(?<!\s)\s+(?:featuring|feat\.?)\s+", re.IGNORECASE)
_NUMPY_GAP = re.compile(r"(?<=['\"])\s+(?=['\"])")  # NumPy prints no commas between texts
MAX_NAME_PARTS = 8  # of a single name with commas in it
MIN_CELLS = 3  # cells with a separator, below which a column shows nothing
MIN_SHARE = 0.05  # of the distinct cells: 0.2 % of artists have a comma in their name, shared credits are over 25 %
CREDIT_SEPARATORS = {"commas": re.compile(r"(?<!\\),\s*"), "slashes": re.compile(r"(?<!\s)\s+/\s+")}
_FT = re.compile(r"(?<!\s)\s+ft\.?\s+", re.IGNORECASE)
_SINGLE_NAME = re.compile(  # the last part of a single name that contains a comma
    r"(?:the|der|die|das|el|los|la|las|le|les|il)\s|(?:jr|sr|inc|ltd|llc)\b|.*\s(?:&|and|y|e|und|et)\s", re.IGNORECASE
)


def split_artists(cell: object) -> list[str]:
    """The artists in ``"A;B"``, ``"['A', 'B']"`` or ``"A Featuring B"``; for commas see :func:`infer_credits`."""
    names = parse_list(cell)
    if names is not None:
        return names
    text = str(cell)
    return text.split(";") if ";" in text else _FEATURING.split(text)


def split_genres(cell: object) -> list[str]:
    """The genres in a cell, in lower case, without markers of missing values and numbers, which are ids of genres."""
    names = parse_list(cell)
    found = re.split(r"[,;|]", str(cell)) if names is None else names
    genres = (text.strip().lower() for text in found)
    return [genre for genre in genres if genre not in MISSING_MARKERS and not genre.isdecimal()]


def join_values(items: list[str]) -> str | None:
    """Names as one text, each once; None if there are none."""
    kept = [text for text in (item.strip().replace(SEPARATOR, " ") for item in items) if text]
    return SEPARATOR.join(dict.fromkeys(kept)) or None


def parse_list(cell: object) -> list[str] | None:
    """The items of a list, an array, or a text that is a list, set or array literal; None for anything else.

    Lists in lists become one list: ``"[['a', 'b'], ['c']]"``. PostgreSQL writes arrays as ``{a,"b c"}``.
    """
    if isinstance(cell, list | tuple | np.ndarray):
        return list(itertools.chain.from_iterable(map(_list_item, cell)))
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    if text[:2] + text[-2:] in ('"[]"', '"{}"', "'[]'", "'{}'"):
        text = text[1:-1].replace('""', '"')
    if text[:1] + text[-1:] == "{}":
        literal = _parse_literal(f"[{text[1:-1]}]")
        return next(csv.reader([text[1:-1]]), []) if literal is None else literal
    return _parse_literal(text) if text[:1] + text[-1:] == "[]" else None


def _parse_literal(text: str) -> list[str] | None:
    for parse, literal in ((ast.literal_eval, _NUMPY_GAP.sub(", ", text)), (json.loads, text)):
        try:
            return parse_list(parse(literal))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


def _list_item(item: object) -> list[str]:
    """An item as texts: the name of an object, all items of a list, nothing if it is missing."""
    if isinstance(item, list | tuple | np.ndarray):
        return parse_list(item) or []
    if isinstance(item, dict):
        return [str(item.get("name", ""))]
    return [] if item is None or (isinstance(item, float) and np.isnan(item)) else [str(item)]


class ArtistCredits(NamedTuple):
    """How a column writes several artists in one cell.

    names : cell -> the names in it, for cells that hold several
    separators : ``commas``, ``slashes``, ``"ft."``; empty if no cell holds several names
    """

    names: dict[str, list[str]]
    separators: tuple[str, ...]


def infer_credits(cells: Iterable[str], header_is_plural: bool) -> ArtistCredits:
    """Find the cells of a column that hold several names.

    cells : the distinct cells, unchanged
    header_is_plural : as in ``artists``
    """
    known = set(cells)
    names = {cell: parts for cell in known if len(parts := _FT.split(cell)) > 1}
    separators = ['"ft."'] if names else []
    for name, separator in CREDIT_SEPARATORS.items():
        splits = _split_cells(known - set(names), separator, header_is_plural and name == "commas")
        names.update(splits)
        separators += [name] if splits else []
    return ArtistCredits(names, tuple(separators))


def _split_cells(cells: set[str], separator: "re.Pattern[str]", header_is_plural: bool) -> dict[str, list[str]]:
    """The cells that hold several names separated in this way.

    If the separator is common in the column, cells are split, except those that look like a single name, such as
    "Tyler, The Creator" and "Earth, Wind & Fire". These, and all cells of other columns, are split only if each part
    also has a cell of its own.
    """
    parts = {cell: found for cell in cells if len(found := separator.split(cell)) > 1}
    standalone = cells - set(parts)
    known = sum(not standalone.isdisjoint(found) for found in parts.values())
    are_common = len(parts) >= MIN_SHARE * len(cells) and (len(parts) >= MIN_CELLS or known == len(parts))
    column_lists_names = header_is_plural or are_common
    single_names: set[str] = set()
    splits = {}
    for cell, found in sorted(parts.items(), key=lambda item: (len(item[1]), item[0])):
        names = _rejoin_names(found, single_names)
        is_one = len(names) == len(found) and found[-1] not in standalone and bool(_SINGLE_NAME.match(found[-1]))
        if set(found) <= standalone or (column_lists_names and not is_one):
            splits[cell] = [name.replace("\\,", ",") for name in names]
        else:
            single_names.add(cell)
    return splits


def _rejoin_names(parts: list[str], single_names: set[str]) -> list[str]:
    """The parts of a cell, with those joined again that form a known single name with a comma in it."""
    names: list[str] = []
    first = 0
    while first < len(parts):
        ends = range(min(len(parts), first + MAX_NAME_PARTS), first + 1, -1)
        end = next((end for end in ends if ", ".join(parts[first:end]) in single_names), first + 1)
        names.append(", ".join(parts[first:end]))
        first = end
    return names
