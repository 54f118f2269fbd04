"""What only a whole column shows, settled when a table was read: units, scales, and what parts artists' names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from segue_build.sources.account import Account
from segue_build.sources.cells import Cells
from segue_build.sources.formats.table import ROW
from segue_build.sources.listed import SEPARATOR, joined
from segue_build.sources.recognised import Recognised
from segue_build.sources.refusing import Refusals
from segue_build.sources.tidy import CLOCKS
from segue_build.sources.values.credits import credits_of
from segue_build.sources.values.durations import UNITS, are_hours_for_minutes, unit_of
from segue_build.sources.values.scales import by_range, scales
from segue.query.attributes import AUDIO, BY_NAME, Attribute

FEATURES = [
    attribute.name for attribute in AUDIO if (attribute.low, attribute.high) == (0, 1) and not attribute.whole
]
PLURAL = re.compile(r"\(s\)|s$|s_names?$|names$", re.IGNORECASE)  # of a header: artists, Artist(s), artist_names


@dataclass(frozen=True, slots=True)
class Settled:
    """What a table's columns, or enough of their rows, show.

    parted : cell of artists -> the names in it, joined, for those that hold several
    clocks : what durations that say their units are divided by
    unit : milliseconds in one of the plain durations' units
    divisors : tidy name -> what the column is divided by to be on its scale
    """

    parted: Mapping[str, str | None] = field(default_factory=dict)
    clocks: float = 1.0
    unit: float = 1.0
    divisors: Mapping[str, float] = field(default_factory=dict)


def settle(frame: pd.DataFrame, recognised: Recognised, account: Account) -> pd.DataFrame:
    """Bring columns to the units of the tidy table, and drop rows that are out of range then.

    frame : all that :func:`segue_build.sources.tidy.tidy` made of a table
    recognised : receives what was settled
    account : receives the counts, and a note of all that was told by range only
    """
    return applied(settled(frame, recognised, account), frame, recognised, account)


def settled(frame: pd.DataFrame, recognised: Recognised, account: Account) -> Settled:
    """What columns show; parameters as for :func:`settle`."""
    parted = _parted(frame["artists"], recognised, account) if "artists" in frame else {}
    clocks, unit = _durations(frame["duration_ms"], frame[CLOCKS], recognised, account) if CLOCKS in frame else (1, 1)
    return Settled(parted, clocks, unit, _divisors(frame, recognised, account))


def applied(found: Settled, frame: pd.DataFrame, recognised: Recognised, account: Account) -> pd.DataFrame:
    """What :func:`settle` makes of some rows; parameters as there."""
    rows = Refusals(frame[ROW], recognised.table, account)
    if found.parted:
        parted = found.parted
        frame["artists"] = frame["artists"].map(lambda cell: parted.get(cell, cell), na_action="ignore").astype("str")
    if CLOCKS in frame:
        durations = (frame.pop(CLOCKS) / found.clocks).fillna(frame["duration_ms"] * found.unit)
        if not durations.equals(frame["duration_ms"]):
            frame["duration_ms"] = durations
    for name in (name for name in frame if name in BY_NAME and name != "year"):
        divisor = found.divisors.get(name, 1.0)
        _check_range(frame[name], BY_NAME[name], divisor, recognised, rows)
        if name in found.divisors:
            frame[name] = (frame[name] / divisor).round(12)
        # What is whole already stays as it is: a column that is replaced is held twice.
        if BY_NAME[name].whole and (frame[name] % 1 > 0).any():
            frame[name] = frame[name].round()
    return rows.good(frame.drop(columns=ROW))


def _parted(cells: Cells, recognised: Recognised, account: Account) -> dict[str, str | None]:
    """The cells in which only the rest of the column shows that they hold several names."""
    if recognised.lists_artists:
        return {}
    header = recognised.columns.header("artists")
    found = credits_of(
        (cell for cell in cells.dropna().unique() if SEPARATOR not in cell), bool(PLURAL.search(header))
    )
    if not found.names:
        return {}
    recognised.remark("artists", f"several names parted by {' and '.join(found.by)}")
    account.note(
        f"'{header}' has {len(found.names):,} different cells of several names, parted by {' and '.join(found.by)}"
    )
    return {cell: joined(names) for cell, names in found.names.items()}


def _durations(plain: Cells, clocks: Cells, recognised: Recognised, account: Account) -> tuple[float, float]:
    """What durations that say their units are divided by, and what plain ones are multiplied by."""
    divisor = 1.0
    if are_hours_for_minutes(clocks.dropna().to_numpy()):
        recognised.remark("duration_ms", "hours and minutes taken for minutes and seconds")
        account.note("durations such as 3:20:00 are taken for 3 minutes 20")
        divisor = 60.0
    known = plain.dropna().to_numpy()
    if not len(known):
        return divisor, 1.0
    unit, said = unit_of(recognised.columns.header("duration_ms"), known[known > 0])
    if unit != "milliseconds":
        recognised.remark("duration_ms", unit)
    if not said and unit != "milliseconds":
        account.note(f"durations are taken for {unit}, for that is how long songs are")
    return divisor, UNITS[unit]


def _divisors(frame: pd.DataFrame, recognised: Recognised, account: Account) -> dict[str, float]:
    """What columns are divided by to be on their scales."""
    headers = {name: recognised.columns.header(name) for name in FEATURES if name in frame}
    told = {name: by_range(frame[name].dropna().to_numpy()) for name in headers}
    found = scales(told, {name: "%" in header for name, header in headers.items()})
    hundreds = [name for name, scale in found.items() if scale == 100]
    for name in hundreds:
        recognised.remark(name, "0..100")
    if hundreds:
        account.note(f"{', '.join(hundreds)} are 0..100 in the table, and were divided by 100")
    divisors = dict.fromkeys(hundreds, 100.0)
    if "popularity" in frame and _is_share(frame["popularity"].dropna().to_numpy()):
        recognised.remark("popularity", "0..1")
        account.note("popularity is 0..1 in the table, and was multiplied by 100")
        divisors["popularity"] = 0.01
    return divisors


def _is_share(values: np.ndarray) -> bool:
    return bool(((values >= 0) & (values <= 1)).all() and (values % 1 > 0).any())


def _check_range(values: Cells, attribute: Attribute, divisor: float, recognised: Recognised, rows: Refusals) -> None:
    low, high = attribute.low * divisor, attribute.high * divisor
    outside = values.notna() & ~values.between(low, high)
    if attribute.name in recognised.columns.tidy:
        reason, unit = f"with {attribute.name} out of range", f"is not {low:g}..{high:g} ({attribute.unit})"
        rows.refuse(outside, recognised.columns.header(attribute.name), values, reason, unit)
