"""Cells that hold several values: how tables write them, and the joined text that they become.

Semicolons, lists and "featuring" always separate artists, an ampersand never does. Commas and slashes are judged by
what else the column holds, and only where no cell has a semicolon or is a list: what separates names in one table is
part of a name in another.
"""

import ast
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

SEPARATOR = "\x1f"  # between the values of a cell
MISSING_MARKERS = ("", "na", "n/a", "nan", "null", "none", "<na>", "set()")
_FEATURING = re.compile(r"\s+(?:featuring|feat\.?)\s+", re.IGNORECASE)
_NUMPY_GAP = re.compile(r"(?<=['\"])\s+(?=['\"])")  # NumPy prints no commas between texts
MIN_CELLS = 3  # cells with a separator from which the column can tell anything
MIN_SHARE = 0.05  # of the distinct cells: 0.2 % of artists have a comma in their name, shared credits are over 25 %
CREDIT_SEPARATORS = {"commas": re.compile(r"(?<!\\),\s*"), "slashes": re.compile(r"\s+/\s+")}
_FT = re.compile(r"\s+ft\.?\s+", re.IGNORECASE)
_SINGLE_NAME = re.compile(  # the last part of what has a comma and is one name all the same
    r"(?:the|der|die|das|el|los|la|las|le|les|il)\s|(?:jr|sr|inc|ltd|llc)\b|.*\s(?:&|and|y|e|und|et)\s", re.IGNORECASE
)


def split_artists(cell: object) -> list[str]:
    """``"A;B"``, ``"['A', 'B']"``, ``"A Featuring B"``; for commas see :mod:`segue_build.sources.multivalue`."""
    names = parse_list(cell)
    if names is not None:
        return names
    text = str(cell)
    return text.split(";") if ";" in text else _FEATURING.split(text)


def split_genres(cell: object) -> list[str]:
    """The same for genres, in lower case, without those that mean that nothing is known."""
    names = parse_list(cell)
    found = re.split(r"[,;|]", str(cell)) if names is None else names
    return [genre for genre in (text.strip().lower() for text in found) if genre not in MISSING_MARKERS]


def join_values(items: list[str]) -> str | None:
    """Names as one text, each once; None where there are none."""
    kept = [text for text in (item.strip().replace(SEPARATOR, " ") for item in items) if text and text != "nan"]
    return SEPARATOR.join(dict.fromkeys(kept)) or None


def first_artist_names(frame: pd.DataFrame) -> list[str]:
    """Name of each song's first artist, empty where it has none."""
    return [artists.partition(SEPARATOR)[0] for artists in frame["artists"].fillna("")]


def parse_list(cell: object) -> list[str] | None:
    """What a list, an array or the literal of a list names; None for anything else."""
    if isinstance(cell, list | tuple | np.ndarray):
        return [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in cell]
    if not (isinstance(cell, str) and cell.startswith("[") and cell.endswith("]")):
        return None
    for parse, text in ((ast.literal_eval, _NUMPY_GAP.sub(", ", cell)), (json.loads, cell)):
        try:
            return parse_list(parse(text))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
    return None


class ArtistCredits(NamedTuple):
    """How a column names several artists.

    names : cell -> the names in it, for the cells that have several
    separators : what separates names, ``commas``, ``slashes``, ``"ft."``; empty where nothing does
    """

    names: dict[str, list[str]]
    separators: tuple[str, ...]


def infer_credits(cells: Iterable[str], header_is_plural: bool) -> ArtistCredits:
    """Tell which cells of a column hold several names.

    cells : different ones, as they are
    header_is_plural : whether the header is a plural
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
    """The cells that hold several names with this separator between them.

    Where a column lists names, cells are parted but for those that look like one name, as "Tyler, The Creator" and
    "Earth, Wind & Fire" do. Those, and all cells of a column that does not, are parted if every part stands in a cell
    of its own elsewhere.
    """
    parts = {cell: found for cell in cells if len(found := separator.split(cell)) > 1}
    column_lists_names = header_is_plural or len(parts) >= max(MIN_CELLS, MIN_SHARE * len(cells))
    standalone = cells - set(parts)
    single_names: set[str] = set()
    splits = {}
    for cell, found in sorted(parts.items(), key=lambda item: (len(item[1]), item[0])):
        names = _rejoin_names(found, single_names)
        is_one = len(names) == len(found) and bool(_SINGLE_NAME.match(found[-1]))
        if set(found) <= standalone or (column_lists_names and not is_one):
            splits[cell] = [name.replace("\\,", ",") for name in names]
        else:
            single_names.add(cell)
    return splits


def _rejoin_names(parts: list[str], single_names: set[str]) -> list[str]:
    """The parts of a list, of which two or more may be one name with a comma in it, which has a cell of its own."""
    names: list[str] = []
    while parts:
        length = next((n for n in range(len(parts), 1, -1) if ", ".join(parts[:n]) in single_names), 1)
        names.append(", ".join(parts[:length]))
        parts = parts[length:]
    return names
