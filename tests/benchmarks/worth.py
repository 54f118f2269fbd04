"""What playlists are worth: how lists get better with the number of playlists that were learned from.

``python -m tests.benchmarks.worth --source tracks.csv --playlists playlists.csv [--turns 2]`` leaves out a fifth of
the playlists to judge by, learns from a tenth, three tenths and all of the others, and prints means over the five
turns, or over the first few of them.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

from segue_build.fit import FitOptions
from segue_build.quality.evaluate import evaluated_catalog
from segue_build.sources.importer import load_playlists
from segue_build.sources.playlists import FOLDS, Playlists, playlist_frequencies
from tests.benchmarks.figures import Row, table
from tests.benchmarks.quality import made

FIGURES = ("HR@10", "xHR@10", "AUC")
SHARES = (0.1, 0.3, 1.0)


def main() -> None:
    """Print a row for each share."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.worth", description=__doc__)
    parser.add_argument("--source", required=True)
    parser.add_argument("--playlists", required=True, type=Path)
    parser.add_argument("--turns", type=int, default=FOLDS, choices=range(1, FOLDS + 1), help="(default: all)")
    options = parser.parse_args()
    rows = [mean(share, options.source, options.playlists, options.turns) for share in SHARES]
    print(table(rows))


def mean(share: float, source: str, playlists: Path, turns: int) -> Row:
    """A row of the table."""
    taken = [turn(share, source, playlists, fold) for fold in range(turns)]
    return {"share": f"{share:.0%}"} | {name: float(np.mean([one[name] for one in taken])) for name in taken[0]}


def turn(share: float, source: str, playlists: Path, fold: int) -> dict[str, float]:
    """How many playlists were learned from, how many works of the catalogue they hold, and the figures."""
    with taught_by(share), made(FitOptions([source], playlists=playlists, fold=fold)) as songs:
        taught = load_playlists(playlists, evaluated_catalog(songs).works).split("train", fold)
        held = np.count_nonzero(playlist_frequencies(taught)[: taught.n_known])
        judged = songs.manifest["quality"]["playlists"]
        counts = {"playlists": len(taught.names), "works on them": held}
        return counts | {figure: judged[figure][0] for figure in FIGURES}


@contextmanager
def taught_by(share: float) -> Iterator[None]:
    """Only this share of the playlists to learn from is there, drawn at random; those that judge are all there."""
    whole = Playlists.split

    def split(playlists: Playlists, name: str, fold: int) -> Playlists:
        found = whole(playlists, name, fold)
        if name != "train":
            return found
        count = len(found.names)
        kept = sorted(np.random.default_rng(0).permutation(count)[: round(share * count)])
        names, members = [found.names[k] for k in kept], [found.members[k] for k in kept]
        return Playlists(names, members, found.artists, found.n_known)

    with mock.patch.object(Playlists, "split", split):
        yield


if __name__ == "__main__":
    main()
