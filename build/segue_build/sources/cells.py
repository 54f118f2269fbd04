"""Columns of raw cells: as texts, and each different cell turned into something once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from segue_build.sources.listed import MISSING, names_in

Cells = Any  # a pandas Series: the stubs want a type for its cells, which only the table knows


def texts(cells: Cells) -> Cells:
    """Cells as stripped texts, missing where empty."""
    stripped = cells.astype("str").str.strip()
    return stripped.mask(stripped == "")


def known(cells: Cells) -> Cells:
    """The cells without those that say that nothing is known."""
    return cells.mask(cells.str.lower().isin(MISSING))


def each(cells: Cells, make: Callable[[Any], object], kind: str = "str") -> Cells:
    """What each known cell becomes, made once for every distinct text or list."""
    made = {cell: make(cell) for cell in distinct(cells)}
    if cells.dtype == object:
        cells = cells.map(_hashable, na_action="ignore")
    return cells.map(made.get, na_action="ignore").astype(kind)


def distinct(cells: Cells) -> list[Any]:
    """The different known cells; a list is a tuple of names."""
    if cells.dtype == object:
        cells = cells.map(_hashable, na_action="ignore")
    return list(cells.dropna().unique())


def _hashable(cell: object) -> str | tuple[str, ...]:
    return tuple(names_in(cell) or ()) if isinstance(cell, list | tuple | np.ndarray) else str(cell)
