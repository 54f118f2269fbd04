"""Songs of which playlists know nothing must not be recommended from worse than without playlists.

``python -m tests.benchmarks.unheard --source tracks.csv --playlists playlists.csv`` takes a tenth of all works out of
the playlists that teach, then continues the playlists of a fold that taught nothing from one of these works each, and
prints how well: by the table alone, and by what was learned from playlists without them.
"""

import argparse
import csv
import hashlib
import tempfile
from pathlib import Path

from segue_build import progress
from segue_build.fit import FitOptions, fit
from segue_build.quality.evaluate import EvaluatedCatalog, evaluated_catalog
from segue_build.quality.metrics import MIN_WORKS, PlaylistQuery, ranking_metrics
from segue_build.sources.importer import load_playlists
from segue_build.sources.playlists import Playlists
from tests.benchmarks.quality import made, means

FIGURES = ("HR@10", "xHR@10", "AUC")
FOLD = 0
ONE_IN = 10


def main() -> None:
    """Print both rows."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.unheard", description=__doc__)
    parser.add_argument("--source", required=True)
    parser.add_argument("--playlists", required=True, type=Path)
    options = parser.parse_args()
    print(f"| seeds that no playlist holds | {' | '.join(FIGURES)} |\n|---|{'---|' * len(FIGURES)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        taught = Path(folder) / "taught.csv"
        alone = fit(FitOptions([options.source]), Path(folder) / "alone")
        write(taught, load_playlists(options.playlists, evaluated_catalog(alone).works), evaluated_catalog(alone))
        report("by the table alone", evaluated_catalog(alone), options.playlists)
        with made(FitOptions([options.source], playlists=taught)) as learned:
            report("learned from playlists", evaluated_catalog(learned), options.playlists)


def write(path: Path, playlists: Playlists, judged: EvaluatedCatalog) -> None:
    """The playlists of the other folds without the works that are to stay unheard."""
    ids = judged.catalog.texts("ids")
    train = playlists.split("train", FOLD)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["playlist_id", "track_id"])
        for name, held in zip(train.names, train.members):
            known = (work for work in held if work < train.n_known)
            songs = (ids[int(judged.works.rows[work])] for work in known)
            rows.writerows((name, song) for song in songs if not unheard(song))


def report(name: str, judged: EvaluatedCatalog, path: Path) -> None:
    """Judge a catalogue from the works that no playlist taught of."""
    playlists = load_playlists(path, judged.works)
    asked = list(queries(playlists.split("valid", FOLD), judged))
    shown = progress.bar(asked, name, " queries", len(asked))
    figures = means(ranking_metrics(shown, judged.works, playlists, judged.rank, judged.score))
    print(f"| {name} ({len(asked)}) | {' | '.join(f'{figures[figure]:.3f}' for figure in FIGURES)} |", flush=True)


def queries(playlists: Playlists, judged: EvaluatedCatalog):
    """One for each playlist that holds enough works, an unheard one among them."""
    ids = judged.catalog.texts("ids")
    for name, held in zip(playlists.names, playlists.members):
        known = [work for work in held if work < playlists.n_known]
        seeds = [work for work in known if unheard(ids[int(judged.works.rows[work])])]
        if len(known) >= MIN_WORKS and seeds:
            yield PlaylistQuery(name, seeds[0], frozenset(known) - {seeds[0]})


def unheard(song: str) -> bool:
    """Whether a song is of the tenth that is taken out."""
    return hashlib.sha256(f"unheard:{song}".encode()).digest()[0] % ONE_IN == 0


if __name__ == "__main__":
    main()
