"""Infers what only a whole column shows, after a table was read: units, scales and separators of artists."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from segue.query.schema import ATTRIBUTES_BY_NAME, AUDIO_FEATURES, Attribute
from segue_build.sources.formats.base import ROW_NUMBER
from segue_build.sources.ingest_report import IngestReport, RowFilter, TableInterpretation
from segue_build.sources.multivalue import SEPARATOR, infer_credits, join_values
from segue_build.sources.normalization import EXPLICIT_DURATIONS, LEFT_UNREAD
from segue_build.sources.series import Series

UNIT_INTERVAL_FEATURES = [
    attribute.name
    for attribute in AUDIO_FEATURES
    if (attribute.low, attribute.high) == (0, 1) and not attribute.is_integer
]
PLURAL_HEADER = re.compile(r"\(s\)|s$|s_names?$|names$", re.IGNORECASE)  # artists, Artist(s), artist_names
DURATION_UNITS = {"milliseconds": 1, "seconds": 1_000, "minutes": 60_000}  # in milliseconds
UNIT_SPELLINGS = {
    "milliseconds": ("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"),
    "seconds": ("s", "sec", "secs", "second", "seconds"),
    "minutes": ("min", "mins", "minute", "minutes"),
}
TYPICAL_MEDIAN = (10_000, 2 * 3_600_000)  # milliseconds between which the median of a table of songs lies
POSSIBLE_MEDIAN = (1_000, 24 * 3_600_000)  # the same where a header names the unit
UNREAD_IF_IMPOSSIBLE = {"popularity", *(attribute.name for attribute in AUDIO_FEATURES)}
MAX_IMPOSSIBLE_SHARE, MIN_IMPOSSIBLE = 0.10, 3  # of known values: a column with more of both is something else
MEDIANS = {"tempo": (20, 300), "loudness": (-100, 0)}  # between which the median of a table of songs lies
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
MIN_SHARE_ABOVE_ONE = 0.1  # of a column's values; as many bad rows as a table may have


@dataclass(frozen=True, slots=True)
class ColumnInference:
    """What was inferred from the columns of a table, or from a sample of its rows.

    artist_splits : cell of artists -> the names in it, joined, for cells that hold several
    explicit_duration_divisor : durations with units are divided by it
    duration_factor : milliseconds per unit of plain durations
    scale_divisors : canonical name -> the number by which the column is divided to be on its scale
    unread : canonical columns whose values can't be what their headers say
    """

    artist_splits: Mapping[str, str | None] = field(default_factory=dict)
    explicit_duration_divisor: float = 1.0
    duration_factor: float = 1.0
    scale_divisors: Mapping[str, float] = field(default_factory=dict)
    unread: Collection[str] = ()


def infer_and_apply(frame: pd.DataFrame, interpretation: TableInterpretation, report: IngestReport) -> pd.DataFrame:
    """Convert columns to the units of the canonical table, and drop rows that are then out of range.

    frame : the whole table, as :func:`segue_build.sources.normalization.normalize` returns it
    interpretation : receives what was inferred
    report : receives the counts, and a note on what was inferred from the range of values only
    """
    return apply_inference(infer_columns(frame, interpretation, report), frame, interpretation, report)


def infer_columns(frame: pd.DataFrame, interpretation: TableInterpretation, report: IngestReport) -> ColumnInference:
    """Infer units, scales and separators; parameters as for :func:`infer_and_apply`."""
    artist_splits = _artist_splits(frame["artists"], interpretation, report) if "artists" in frame else {}
    divisor, factor = (
        _duration_units(frame["duration_ms"], frame[EXPLICIT_DURATIONS], interpretation, report)
        if EXPLICIT_DURATIONS in frame
        else (1, 1)
    )
    divisors = _scale_divisors(frame, interpretation, report)
    unread = _impossible_columns(frame, divisors, interpretation, report)
    return ColumnInference(artist_splits, divisor, factor, divisors, unread)


def apply_inference(
    inference: ColumnInference, frame: pd.DataFrame, interpretation: TableInterpretation, report: IngestReport
) -> pd.DataFrame:
    """Convert some rows; parameters as for :func:`infer_and_apply`."""
    row_filter = RowFilter(frame[ROW_NUMBER], interpretation.table, report)
    if inference.artist_splits:
        artist_splits = inference.artist_splits
        frame["artists"] = (
            frame["artists"].map(lambda cell: artist_splits.get(cell, cell), na_action="ignore").astype("str")
        )
    if EXPLICIT_DURATIONS in frame:
        durations = (frame.pop(EXPLICIT_DURATIONS) / inference.explicit_duration_divisor).fillna(
            frame["duration_ms"] * inference.duration_factor
        )
        if not durations.equals(frame["duration_ms"]):
            frame["duration_ms"] = durations
    for name in (name for name in frame if name in ATTRIBUTES_BY_NAME and name != "year"):
        if name in inference.unread:
            frame[name] = np.nan
            continue
        divisor = inference.scale_divisors.get(name, 1.0)
        _check_range(frame[name], ATTRIBUTES_BY_NAME[name], divisor, interpretation, row_filter)
        if name in inference.scale_divisors:
            frame[name] = (frame[name] / divisor).round(12)
        # Whole numbers stay as they are: replacing a column would hold it twice.
        if ATTRIBUTES_BY_NAME[name].is_integer and (frame[name] % 1 > 0).any():
            frame[name] = frame[name].round()
    return row_filter.accepted(frame.drop(columns=ROW_NUMBER))


def _artist_splits(cells: Series, interpretation: TableInterpretation, report: IngestReport) -> dict[str, str | None]:
    """The cells that hold several names, as only the rest of the column shows."""
    if interpretation.artists_delimited:
        return {}
    header = interpretation.columns.header("artists")
    found = infer_credits(
        (cell for cell in cells.dropna().unique() if SEPARATOR not in cell), bool(PLURAL_HEADER.search(header))
    )
    if not found.names:
        return {}
    interpretation.add_remark("artists", f"several names separated by {' and '.join(found.separators)}")
    report.add_note(
        f"'{header}' has {len(found.names):,} distinct cells with several names, "
        f"separated by {' and '.join(found.separators)}"
    )
    return {cell: join_values(names) for cell, names in found.names.items()}


def _duration_units(
    plain: Series, explicit: Series, interpretation: TableInterpretation, report: IngestReport
) -> tuple[float, float]:
    """The divisor of durations with units, and the factor of plain ones."""
    divisor = 1.0
    if are_minutes_read_as_hours(explicit.dropna().to_numpy()):
        interpretation.add_remark("duration_ms", "hours and minutes read as minutes and seconds")
        report.add_note("durations such as 3:20:00 were read as 3 minutes 20 seconds")
        divisor = 60.0
    values = plain.dropna().to_numpy()
    if not len(values):
        return divisor, 1.0
    unit, named = infer_duration_unit(interpretation.columns.header("duration_ms"), values[values > 0])
    if unit != "milliseconds":
        interpretation.add_remark("duration_ms", unit)
    if not named and unit != "milliseconds":
        report.add_note(f"durations were read as {unit}, judging by their median")
    return divisor, DURATION_UNITS[unit]


def _scale_divisors(
    frame: pd.DataFrame, interpretation: TableInterpretation, report: IngestReport
) -> dict[str, float]:
    """The numbers by which columns are divided to be on their scales."""
    headers = {name: interpretation.columns.header(name) for name in UNIT_INTERVAL_FEATURES if name in frame}
    by_range = {name: scale_by_range(frame[name].dropna().to_numpy()) for name in headers}
    found = infer_scales(by_range, {name: "%" in header for name, header in headers.items()})
    if found.get("energy") == 100 and _is_out_of_ten(frame["energy"].dropna(), by_range):
        found["energy"] = 10
        interpretation.add_remark("energy", "1..10")
        report.add_note("energy is 1..10 in the table, and was divided by 10")
    hundreds = [name for name, scale in found.items() if scale == 100]
    for name in hundreds:
        interpretation.add_remark(name, "0..100")
    if hundreds:
        report.add_note(f"{', '.join(hundreds)} are 0..100 in the table, and were divided by 100")
    divisors = {name: float(scale) for name, scale in found.items() if scale > 1}
    if "popularity" in frame and _is_unit_interval(frame["popularity"].dropna().to_numpy()):
        interpretation.add_remark("popularity", "0..1")
        report.add_note("popularity is 0..1 in the table, and was multiplied by 100")
        divisors["popularity"] = 0.01
    return divisors


def _is_out_of_ten(values: Series, by_range: Mapping[str, int | None]) -> bool:
    """Whether energy is a whole number from 1 to 10, as Mixed In Key writes it, and no other feature has more."""
    others = (scale for name, scale in by_range.items() if name != "energy")
    return bool(values.between(1, 10).all() and (values % 1 == 0).all()) and 100 not in others


def _impossible_columns(
    frame: pd.DataFrame, divisors: Mapping[str, float], interpretation: TableInterpretation, report: IngestReport
) -> list[str]:
    """Columns whose values are on another scale, such as normalised ones."""
    reasons = {}
    for name in (name for name in frame if name in UNREAD_IF_IMPOSSIBLE and name in interpretation.columns.positions):
        values, attribute = frame[name].dropna(), ATTRIBUTES_BY_NAME[name]
        divisor = divisors.get(name, 1.0)
        outside = values[~values.between(attribute.low * divisor, attribute.high * divisor)]
        median = float(values[values != 0].median()) if (values != 0).any() else None
        low, high = MEDIANS.get(name, (-np.inf, np.inf))
        if len(outside) > max(MAX_IMPOSSIBLE_SHARE * len(values), MIN_IMPOSSIBLE - 1):
            reasons[name] = f"{len(outside):,} values are like {outside.iloc[0]:g}"
        elif median is not None and not low <= median <= high:
            reasons[name] = (
                f"half of its values are {'below' if median < low else 'above'} {median:.3g}, as if normalised"
            )
    for name, reason in reasons.items():
        interpretation.add_remark(name, LEFT_UNREAD)
        report.add_note(
            f"column '{interpretation.columns.header(name)}' was {LEFT_UNREAD}: {reason}, which can't be {name}"
            f" ({ATTRIBUTES_BY_NAME[name].unit})"
        )
    return list(reasons)


def _is_unit_interval(values: np.ndarray) -> bool:
    return bool(((values >= 0) & (values <= 1)).all() and (values % 1 > 0).any())


def _check_range(
    values: Series, attribute: Attribute, divisor: float, interpretation: TableInterpretation, row_filter: RowFilter
) -> None:
    low, high = attribute.low * divisor, attribute.high * divisor
    outside = values.notna() & ~values.between(low, high)
    if attribute.name in interpretation.columns.positions:
        reason, unit = f"with {attribute.name} out of range", f"is not {low:g}..{high:g} ({attribute.unit})"
        row_filter.reject(outside, interpretation.columns.header(attribute.name), values, reason, unit)


def infer_duration_unit(header: str, values: np.ndarray) -> tuple[str, bool]:
    """The unit of plain numbers, and whether the header names it.

    values : the known ones above 0
    """
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", header).lower())
    named = next((unit for unit, spellings in UNIT_SPELLINGS.items() if set(words) & set(spellings)), None)
    median = float(np.median(values)) if len(values) else 0.0
    if named and (not median or POSSIBLE_MEDIAN[0] <= median * DURATION_UNITS[named] <= POSSIBLE_MEDIAN[1]):
        return named, True
    by_range = (
        unit for unit, size in DURATION_UNITS.items() if TYPICAL_MEDIAN[0] <= median * size <= TYPICAL_MEDIAN[1]
    )
    return next(by_range, named or "milliseconds"), False


def are_minutes_read_as_hours(durations: np.ndarray) -> bool:
    """Whether a spreadsheet read minutes and seconds as hours and minutes: 3:20 became 3:20:00.

    durations : milliseconds
    """
    return bool(len(durations)) and bool((durations % MINUTE_MS == 0).all()) and float(np.median(durations)) > HOUR_MS


def scale_by_range(values: np.ndarray) -> int | None:
    """The scale of a column that should be in 0..1: 1 or 100; None if its values fit both.

    With more than a tenth of its values between 1 and 100, a column is on the scale 0..100: otherwise the table would
    have too many bad rows. With fractions and nothing above 1, it is on the scale 0..1.

    values : float64, the known ones
    """
    above = values[(values > 1) & (values <= 100)]
    if len(above) > MIN_SHARE_ABOVE_ONE * len(values) and np.median(above) > 2:  # else fractions slightly too large
        return 100
    fractions = bool(((values > 0) & (values < 1)).any())
    return 1 if fractions and not len(above) else None


def infer_scales(by_range: Mapping[str, int | None], has_percent_sign: Mapping[str, bool]) -> dict[str, int]:
    """The scales of all columns; those that fit both, as zeros and ones do, follow their headers or most columns.

    by_range : name -> scale by range
    has_percent_sign : name -> whether the header has a per cent sign
    """
    votes = list(by_range.values())
    usual = 100 if votes.count(100) > votes.count(1) else 1
    return {name: scale or (100 if has_percent_sign[name] else usual) for name, scale in by_range.items()}
