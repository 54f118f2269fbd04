"""Medians, ratios, percentiles and exponents; and tables of them."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

Row = Mapping[str, str | int | float]


def interleaved(measures: Sequence[Callable[[], float]], runs: int) -> list[list[float]]:
    """Figures of each measure, all taken in turn so that they meet the same machine; a first round does not count."""
    rounds = [[measure() for measure in measures] for _ in range(runs + 1)][1:]
    return [list(figures) for figures in zip(*rounds)]


def ratio(ours: Iterable[float], peer: Iterable[float]) -> float:
    """The median of the ratios of neighbouring runs: what slows both down does not count."""
    return statistics.median(one / other for one, other in zip(ours, peer))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of the values do not exceed; 0 < share <= 1."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The slope of log value over log size: 0 stays flat, 1 grows with the size, least squares."""
    slope, _ = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(slope)


def table(rows: Sequence[Row]) -> str:
    """A Markdown table; columns in the order in which rows name them first, empty where a row has none."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [columns, ["---:" if _numeric(rows, name) else "---" for name in columns]]
    lines += [[shown(row.get(name, "")) for name in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def section(title: str, rows: Sequence[Row], reasons: Iterable[str] = ()) -> str:
    """A heading, the table and why something was left out; nothing where there is none of both."""
    notes = [f"Left out: {reason}." for reason in dict.fromkeys(reasons)]
    content = [*([table(rows)] if rows else []), *notes]
    return "\n\n".join([f"## {title}", *content]) if content else ""


def shown(value: str | int | float) -> str:
    """A figure as a person reads it: ``1234.5`` -> ``1,234``, ``12.34`` -> ``12.3``, ``0.99957`` -> ``0.9996``."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{round(value, 4):g}"


def _numeric(rows: Sequence[Row], column: str) -> bool:
    return not any(isinstance(row.get(column), str) for row in rows)
