"""``make bench``: measure, and print a page of tables; progress goes to stderr.

Figures are medians of interleaved runs and ratios against a peer in the same run; absolute times are of one machine.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path

from segue_build import ROOT

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as functions/main.py does, before NumPy comes

import numpy as np

from segue.errors import ArtifactsError
from tests.benchmarks import fitting, growth
from tests.benchmarks.figures import Row, section
from tests.benchmarks.parts import DEFAULT, PARTS, measured, named
from tests.benchmarks.subject import Subject

TRACKS = ROOT.parent / "shared" / "data" / "spotify_tracks_114k.csv"


def main() -> None:
    """Measure what was asked for."""
    options = parser().parse_args()
    shown(machine())
    rows: dict[str, Sequence[Row]] = {}
    with tempfile.TemporaryDirectory() as folder:
        subjects, rows["fit"] = catalogues(options, Path(folder))
        shown(section("Fit, one core", rows["fit"]))
        for name in options.only:
            rows[name], reasons = measured(name, PARTS[name], subjects)
            shown(section(PARTS[name].title, rows[name], reasons))
    shown(section("Growth with the number of songs: exponents", list(growth.exponents(rows))))


def parser() -> argparse.ArgumentParser:
    """What can be chosen."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    options.add_argument(
        "--only",
        type=named,
        default=DEFAULT,
        metavar="PART,...",
        help=f"of {', '.join(PARTS)} (default: all but codes, layout, ranged and soak)",
    )
    options.add_argument(
        "--artifacts", action="append", type=Path, default=[], metavar="DIR", help="fitted already; may be repeated"
    )
    options.add_argument(
        "--source",
        action="append",
        default=[],
        help="to fit, demo:1200000 or a table; default: demo and the 114k tracks",
    )
    options.add_argument("--runs", type=int, default=7, help="starts of each kind (default: %(default)s)")
    options.add_argument("--minutes", type=int, default=10, help="that a soak takes (default: %(default)s)")
    return options


def catalogues(options: argparse.Namespace, folder: Path) -> tuple[list[Subject], list[Row]]:
    """The catalogues, smallest first, and what it took to fit those that were not given."""
    sources = options.source
    if not sources and not options.artifacts:
        sources = ["demo", *([str(TRACKS)] if TRACKS.exists() else [])]
    subjects = [Subject(path, runs=options.runs, minutes=options.minutes) for path in options.artifacts]
    fits = []
    for number, source in enumerate(sources):
        fits.append(fitting.fit(source, folder / str(number)))
        subjects.append(Subject(folder / str(number), source, options.runs, options.minutes))
    try:
        return sorted(subjects, key=lambda subject: len(subject.catalog)), fits
    except ArtifactsError as error:
        raise SystemExit(f"--artifacts: {error}") from None


def machine() -> str:
    """What the figures are measured with; other work shows in the load."""
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    return f"{versions}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start"


def shown(text: str) -> None:
    """Print a paragraph, if there is one."""
    if text:
        print(text, end="\n\n", flush=True)


if __name__ == "__main__":
    main()
