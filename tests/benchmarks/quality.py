"""From the classic to Segue: each method judged by the same playlists.

``python -m tests.benchmarks.quality --source tracks.csv --playlists playlists.csv [--row NAME]`` prints the table of
docs/quality.md, or one row of it. Methods without playlists are judged by all of them; what is learned from playlists
is judged by the fifth that it did not see, in five turns. How evenly lists cover the catalogue is measured by lists
for a sample of its works. ``--ablation`` prints what each choice of the space is worth instead: the table without it.

``python -m tests.benchmarks.quality --artifacts artifacts --playlists playlists.csv`` prints what the score's parts
are worth, without fitting anew: the same songs without one block each, and without the joint term.
"""

import argparse
import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from segue import releases
from segue.catalog import Catalog
from segue.engine.space import Space
from segue_build.fit import FitOptions, fit
from segue_build.quality.evaluate import EvaluatedCatalog, evaluate_playlists, evaluated_catalog
from segue_build.quality.metrics import coverage_metrics, playlist_queries, ranking_metrics
from segue_build.sources.importer import load_playlists
from segue_build.sources.playlists import FOLDS
from tests.benchmarks import methods
from tests.benchmarks.ablation import CHOICES, without

FIGURES = {"HR@10": "HR@10", "xHR@10": "xHR@10", "AUC": "AUC", "coverage": "coverage"}
EVEN = {"coverage": "catalogue coverage", "never": "never", "hubness": "hubness"}
SAMPLE = 2_000  # works whose lists show how evenly lists cover the catalogue
PEERS = {
    "chance": (methods.by_chance, None),
    "k-means, any song of the cluster": (methods.by_cluster, None),
    "the classic: k-means, nearest in the cluster": (methods.by_distance, None),
    "a plain prototype: one weighted distance": (methods.by_prototype, 2),
    "Segue with mutual proximity for local scaling": (methods.by_mutual_proximity, 2),
}
SEGUE = {
    "Segue, sound alone": {"audio": 1.0},
    "+ artist": {"audio": 0.5, "artist": 0.5},
    "+ genre": {"audio": 0.45, "artist": 0.15, "genre": 0.35},
    "+ the other blocks: Segue from the table alone": None,
}
LEARNED = "+ playlists: Segue, learned"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    fitted_or_not = parser.add_mutually_exclusive_group(required=True)
    fitted_or_not.add_argument("--source")
    fitted_or_not.add_argument("--artifacts")
    parser.add_argument("--playlists", required=True, type=Path)
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--row", choices=[*PEERS, *SEGUE, LEARNED, *CHOICES])
    options = parser.parse_args()
    columns = [*FIGURES.values(), *EVEN.values()]
    print(f"| method | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}", flush=True)
    if options.artifacts:
        measured = scores_without_parts(options.artifacts, options.playlists)
    else:
        rows = [options.row] if options.row else CHOICES if options.ablation else [*PEERS, *SEGUE, LEARNED]
        measured = ((name, measure(name, options.source, options.playlists)) for name in rows)
    for name, figures in measured:
        print(f"| {name} | {' | '.join(f'{figures[column]:.3f}' for column in columns)} |", flush=True)


def scores_without_parts(artifacts: str, playlists: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Figures of the same artifacts with the score as it is, then without each part."""
    whole = Space.from_manifest(releases.load(artifacts).manifest["space"])
    for part in (None, "joint", *(block.name for block in whole.blocks)):
        songs = releases.load(artifacts)
        songs.manifest["space"] = (without_part(whole, part) if part else whole).to_manifest()
        yield f"no {part}" if part else "the score as it is", judged_by(songs, playlists)


def without_part(space: Space, part: str) -> Space:
    """A space in which a block, or the joint term, counts for nothing, and the others for as much more."""
    if part == "joint":
        joint, blocks = 0.0, space.blocks
    else:
        joint = space.joint_weight
        blocks = tuple(
            dataclasses.replace(block, weight=0.0, exponent=0.0) if block.name == part else block
            for block in space.blocks
        )
    total = (joint + sum(block.weight for block in blocks)) / (1 - space.co_occurrence_weight)
    blocks = tuple(dataclasses.replace(block, weight=block.weight / total) for block in blocks)
    return dataclasses.replace(space, blocks=blocks, joint_weight=joint / total)


def measure(name: str, source: str, playlists: Path) -> dict[str, float]:
    """Mean figures of one method."""
    if name == LEARNED:
        return learned(source, playlists)
    if name in PEERS:
        return peer(*PEERS[name], source, playlists)
    if name in CHOICES:
        with without(name):
            return fitted(FitOptions([source]), playlists)
    shares = SEGUE[name]
    return fitted(FitOptions([source], **({"weights": shares} if shares else {})), playlists)


def fitted(options: FitOptions, playlists: Path) -> dict[str, float]:
    """Fit, and judge through the engine that serves."""
    with made(options) as songs:
        return judged_by(songs, playlists)


def judged_by(songs: Catalog, playlists: Path) -> dict[str, float]:
    """Judge a catalogue through the engine that serves."""
    judged = evaluated_catalog(songs)
    figures = means(evaluate_playlists(songs, playlists, "all", 0).metrics)
    return named(figures, lambda work: judged.rank(work, 10), judged)


def learned(source: str, playlists: Path) -> dict[str, float]:
    """Means of the turns, but for coverage: by the lists of all turns, which are as many as other methods have."""
    turns, shown = [], set()
    for fold in range(FOLDS):
        with made(FitOptions([source], playlists=playlists, fold=fold)) as songs:
            judged, ids = evaluated_catalog(songs), songs.texts("ids")
            figures = {name: mean for name, (mean, *_) in songs.manifest["quality"]["playlists"].items()}
            left = load_playlists(playlists, judged.works).split("valid", fold)
            asked = playlist_queries(left, judged.works, [ids[int(row)] for row in judged.works.rows])
            shown.update(work for query in asked for work in judged.rank(query.seed, 10))
            turns.append(named(figures, lambda work, judged=judged: judged.rank(work, 10), judged))
    mean = {figure: float(np.mean([turn[figure] for turn in turns])) for figure in turns[0]}
    return mean | {"coverage": len(shown) / len(judged.works.rows)}


@contextmanager
def made(options: FitOptions) -> Iterator[Catalog]:
    """A catalogue while it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        yield fit(options, Path(folder))


def peer(
    method: Callable[[EvaluatedCatalog], methods.Score], per_artist: int | None, source: str, playlists: Path
) -> dict[str, float]:
    """Judge a method that scores all works, its lists with so many works an artist."""
    with made(FitOptions([source])) as songs:
        judged = evaluated_catalog(songs)
        score = method(judged)
        read = load_playlists(playlists, judged.works)
        ids = songs.texts("ids")
        asked = playlist_queries(read, judged.works, [ids[int(row)] for row in judged.works.rows])

        def rank(work: int) -> list[int]:
            scores = score(work)
            scores[work] = -np.inf
            best = (int(other) for other in np.argsort(-scores, kind="stable"))
            return methods.first(best, judged.works.artists, per_artist, 100)

        figures = means(ranking_metrics(asked, judged.works, read, rank, lambda work, others: score(work)[others]))
        return named(figures, rank, judged)


def named(figures: dict[str, float], rank: Callable[[int], list[int]], judged: EvaluatedCatalog) -> dict[str, float]:
    """Figures by the playlists, and those of lists for a sample of the catalogue, as the table calls them."""
    n_works = len(judged.works.rows)
    sample = np.random.default_rng(0).choice(n_works, min(SAMPLE, n_works), replace=False)
    even = coverage_metrics([rank(int(work))[:10] for work in sample], n_works)
    return {column: figures[name] for name, column in FIGURES.items()} | {
        column: even[name] for name, column in EVEN.items()
    }


def means(figures: dict[str, tuple[float, float, float]]) -> dict[str, float]:
    """Figures without their intervals."""
    return {name: mean for name, (mean, _, _) in figures.items()}


if __name__ == "__main__":
    main()
