"""How figures grow with the catalogue: exponents, 0 where they stay flat and 1 where they grow with it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks.figures import Row, exponent

WATCHED = {  # part of the benchmark -> its columns
    "cold": ("Segue ms", "ratio"),
    "warm": ("p50 ms", "p99 ms", "p50 / hello-world"),
    "load": ("p50 ms", "share of hello-world's"),
    "memory": ("worker PSS MB",),
    "peers": ("open to first answer ms", "p50 ms"),
    "typos": ("p50 ms", "p99 ms"),
    "fit": ("fit s", "peak MB"),
}


def exponents(parts: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    """A row for each figure that was measured at several sizes; rows of one kind share their texts."""
    for part, columns in WATCHED.items():
        kinds: dict[str, list[Row]] = defaultdict(list)
        for row in parts.get(part, ()):
            texts = (value for name, value in row.items() if isinstance(value, str) and name != "source")
            kinds[", ".join(texts)].append(row)
        for kind, rows in kinds.items():
            if kind.startswith("hello-world"):
                continue
            for column in columns:
                yield from _grown(part, kind, column, rows)


def _grown(part: str, kind: str, column: str, rows: Sequence[Row]) -> Iterator[Row]:
    points = {float(row["songs"]): float(row[column]) for row in rows if column in row}
    if len(points) > 1:
        yield {
            "part": part,
            "of": kind,
            "figure": column,
            "from": min(points.items())[1],
            "to": max(points.items())[1],
            "exponent": round(exponent(list(points), list(points.values())), 2),
        }
