"""``make bench``: measure, and print the README's table.

Figures are ratios against a peer in the same run, medians of interleaved runs; absolute times are of one machine.
"""

import argparse
import os
import tempfile
from pathlib import Path

from build import ROOT

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as functions/main.py does

from tests.benchmarks import cold, fitting, warm

TRACKS = ROOT.parent / "shared" / "data" / "spotify_tracks_114k.csv"


def main() -> None:
    """Run all benchmarks and print one table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    default = str(TRACKS) if TRACKS.exists() else "demo"
    parser.add_argument("--source", default=default, help="table to fit (default: the 114k tracks, else demo)")
    parser.add_argument("--runs", type=int, default=7, help="cold starts of each kind (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        artifacts = Path(folder)
        rows = fitting.measure(options.source, artifacts)
        rows += cold.measure(artifacts, options.runs)
        rows += warm.measure(artifacts)
    print(f"source: {Path(options.source).name}\n")
    print("| what | Segue | beside it |\n|---|---|---|")
    print("\n".join(f"| {what} | {ours} | {peer} |" for what, ours, peer in rows))


main()
