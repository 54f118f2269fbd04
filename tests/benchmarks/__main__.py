"""``make bench``: measure, and print a page of tables; progress goes to stderr.

Figures are medians of interleaved runs and ratios against a peer in the same run; absolute times are of one machine.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from build import ROOT

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as functions/main.py does
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.benchmarks import (
    cold,
    fitting,
    growth,
    imports,
    layout,
    load,
    memory,
    peers,
    sizes,
    typos,
    warm,
)
from tests.benchmarks.figures import Row, table
from tests.benchmarks.subject import Skipped, Subject

TRACKS = ROOT.parent / "shared" / "data" / "spotify_tracks_114k.csv"
PARTS: dict[str, tuple[str, Callable[[Subject], Iterable[Row]]]] = {
    "cold": ("Start to first recommendation", cold.measure),
    "warm": ("POST /recommend, ten songs, in process", warm.measure),
    "load": ("POST /recommend over HTTP", load.measure),
    "memory": ("Memory", memory.measure),
    "peers": ("Search libraries on the same vectors, one thread", peers.measure),
    "typos": ("Search by a name with one edit", typos.measure),
    "sizes": ("Artifacts", sizes.measure),
    "layout": ("Layout of the vectors", layout.measure),
    "deployed": ("What is deployed besides the artifacts", sizes.deployed),
    "imports": ("What the first recommendation imports", imports.measure),
}
ONCE = {"deployed", "imports"}  # whatever the catalogue
ON_REQUEST = {"layout"}  # minutes


def main() -> None:
    """Measure what was asked for."""
    options = _parser().parse_args()
    chosen = options.only or [name for name in PARTS if name not in ON_REQUEST]
    parts: dict[str, Sequence[Row]] = {}
    with tempfile.TemporaryDirectory() as folder:
        subjects, parts["fit"] = _subjects(options, Path(folder))
        _print("Fit, one core", parts["fit"], [])
        for name in chosen:
            title, measure = PARTS[name]
            rows, reasons = _measured(name, measure, subjects[-1:] if name in ONCE else subjects)
            parts[name] = rows
            _print(title, rows, reasons)
    _print("Growth with the number of songs: exponents", list(growth.exponents(parts)), [])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--only", type=_parts, metavar="PART,...", help=f"of {', '.join(PARTS)} (default: all but layout)"
    )
    parser.add_argument("--artifacts", action="append", type=Path, default=[], metavar="DIR", help="fitted already")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        help="to fit: a table, demo, demo:1200000 (default: demo and the 114k tracks)",
    )
    parser.add_argument("--runs", type=int, default=7, help="starts of each kind (default: %(default)s)")
    return parser


def _parts(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    return names


def _subjects(options: argparse.Namespace, folder: Path) -> tuple[list[Subject], list[Row]]:
    """The catalogues, smallest first, and what it took to fit those that were not given."""
    sources = options.source
    if not sources and not options.artifacts:
        sources = ["demo", *([str(TRACKS)] if TRACKS.exists() else [])]
    subjects = [Subject(path, runs=options.runs) for path in options.artifacts]
    fits = []
    for number, source in enumerate(sources):
        fits.append(fitting.fit(source, folder / str(number)))
        subjects.append(Subject(folder / str(number), source, options.runs))
    return sorted(subjects, key=lambda subject: len(subject.catalog)), fits


def _measured(
    name: str, measure: Callable[[Subject], Iterable[Row]], subjects: Sequence[Subject]
) -> tuple[list[Row], list[str]]:
    """Rows of a part, and why it stops short where it does."""
    rows: list[Row] = []
    reasons = []
    for subject in subjects:
        size = {} if name in ONCE else {"songs": len(subject.catalog)}
        print(f"{name} {subject.artifacts}", file=sys.stderr)
        try:
            rows.extend({**size, **row} for row in measure(subject))
        except Skipped as reason:
            reasons.append(str(reason))
    return rows, reasons


def _print(title: str, rows: Sequence[Row], reasons: Iterable[str]) -> None:
    if rows or reasons:
        notes = [f"Left out: {reason}." for reason in dict.fromkeys(reasons)]
        print("\n\n".join([f"## {title}", *([table(rows)] if rows else []), *notes]), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
