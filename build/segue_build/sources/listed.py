"""Cells that hold several names: how tables write them, and the text of a tidy table that they become."""

import ast
import json
import re

import numpy as np
import pandas as pd

SEPARATOR = "\x1f"  # between the names of a tidy cell
MISSING = ("", "na", "n/a", "nan", "null", "none", "<na>", "set()")
_FEATURING = re.compile(r"\s+(?:featuring|feat\.?)\s+", re.IGNORECASE)
_UNPARTED = re.compile(r"(?<=['\"])\s+(?=['\"])")  # NumPy prints no commas between texts


def split_artists(cell: object) -> list[str]:
    """``"A;B"``, ``"['A', 'B']"``, ``"A Featuring B"``; for commas see :mod:`segue_build.sources.values.credits`."""
    listed = names_in(cell)
    if listed is not None:
        return listed
    text = str(cell)
    return text.split(";") if ";" in text else _FEATURING.split(text)


def split_genres(cell: object) -> list[str]:
    """The same for genres, in lower case, without those that mean that nothing is known."""
    listed = names_in(cell)
    found = re.split(r"[,;|]", str(cell)) if listed is None else listed
    return [genre for genre in (text.strip().lower() for text in found) if genre not in MISSING]


def joined(items: list[str]) -> str | None:
    """Names as one text, each once; None where there are none."""
    kept = [text for text in (item.strip().replace(SEPARATOR, " ") for item in items) if text and text != "nan"]
    return SEPARATOR.join(dict.fromkeys(kept)) or None


def first_artist_names(frame: pd.DataFrame) -> list[str]:
    """Name of each song's first artist, empty where it has none."""
    return [artists.partition(SEPARATOR)[0] for artists in frame["artists"].fillna("")]


def names_in(cell: object) -> list[str] | None:
    """What a list, an array or the literal of a list names; None for anything else."""
    if isinstance(cell, list | tuple | np.ndarray):
        return [str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in cell]
    if not (isinstance(cell, str) and cell.startswith("[") and cell.endswith("]")):
        return None
    for parse, text in ((ast.literal_eval, _UNPARTED.sub(", ", cell)), (json.loads, cell)):
        try:
            return names_in(parse(text))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
    return None
