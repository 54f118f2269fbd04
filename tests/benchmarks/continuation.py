"""Several seeds: continue a playlist from five of its songs, by the sum of their similarities or in other ways.

``python -m tests.benchmarks.continuation --playlists playlists.csv [--artifacts DIR]`` prints the R-precision of each
way over the same playlists: of a playlist's R other works, the share among the first R. The sum is what the service
does; the centroid is one seed at the mean of the five vectors.
"""

import argparse
import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from segue.catalog import load as load_catalog
from segue.engine.scoring import Scorer
from segue.engine.seeds import ResolvedSeed, resolve
from segue.query.schema import Seed
from segue_build.quality.evaluate import EvaluatedCatalog, evaluated_catalog
from segue_build.sources.importer import load_playlists

SEEDS = 5
FEWEST = 10  # works that a playlist must hold besides the seeds


WAYS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "sum": lambda near, agreement: near.sum(axis=0),
    "sum of squares": lambda near, agreement: (near**2).sum(axis=0),
    "sum of fourth powers": lambda near, agreement: (near**4).sum(axis=0),
    "nearest seed alone": lambda near, agreement: near.max(axis=0),
    "product": lambda near, agreement: near.prod(axis=0),
    "sum weighted by agreement": lambda near, agreement: agreement @ near,
    "sum weighted by squared agreement": lambda near, agreement: agreement**2 @ near,
}
"""Of similarities, shape (SEEDS, n_works), and the mean similarity of each seed to the others, scores of works."""


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.continuation", description=__doc__)
    parser.add_argument("--playlists", required=True, type=Path)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--limit", type=int, help="playlists, the first of the file (default: all)")
    options = parser.parse_args()
    judged = evaluated_catalog(load_catalog(options.artifacts))
    figures = np.array(list(itertools.islice(precisions(judged, options.playlists), options.limit)))
    print(f"| {SEEDS} seeds, {len(figures):,} playlists | R-precision |\n|---|---|")
    for way, figure in zip([*WAYS, "centroid"], figures.mean(axis=0)):
        print(f"| {way} | {figure:.4f} |")


def precisions(judged: EvaluatedCatalog, playlists: Path) -> Iterator[list[float]]:
    """Of each playlist, by each of ``WAYS`` and by the centroid."""
    ids = judged.catalog.texts("ids")
    read = load_playlists(playlists, judged.works)
    for name, held in zip(read.names, read.members):
        known = sorted((work for work in held if work < read.n_known), key=lambda work: drawn(name, work))
        if len(known) < SEEDS + FEWEST:
            continue
        works, rest = known[:SEEDS], set(known[SEEDS:])
        seeds = resolve(judged.catalog, [Seed("", {}, id=ids[int(judged.works.rows[work])]) for work in works])
        near = similarities(judged, seeds)
        agreement = near[:, works].sum(axis=1) - near[range(SEEDS), works]
        scores = [way(near, agreement) for way in WAYS.values()]
        middle = similarities(judged, centre(seeds))[0]
        yield [precision(of, works, rest) for of in (*scores, middle)]


def similarities(judged: EvaluatedCatalog, seeds: list[ResolvedSeed]) -> np.ndarray:
    """Of each seed to all works, with its list; float64, shape (len(seeds), n_works)."""
    return np.stack([Scorer(judged.catalog, [seed], {}).score(judged.works.rows) for seed in seeds])


def drawn(name: str, work: int) -> bytes:
    """A shuffle of a playlist's works that is the same everywhere."""
    return hashlib.sha256(f"{name}:{work}".encode()).digest()


def centre(seeds: list[ResolvedSeed]) -> list[ResolvedSeed]:
    """One seed at the mean of all."""
    vectors = np.concatenate([seed.vectors for seed in seeds])
    known = np.concatenate([seed.known for seed in seeds]).all(axis=0, keepdims=True)
    middle = np.rint(vectors.mean(axis=0, keepdims=True)).astype(np.int8)
    return [ResolvedSeed(seeds[0].seed, (), middle, known)]


def precision(scores: np.ndarray, works: list[int], rest: set[int]) -> float:
    """R-precision of the works with the best scores."""
    scores[works] = -np.inf
    best = np.argsort(-scores, kind="stable")[: len(rest)]
    return len(rest & set(map(int, best))) / len(rest)


if __name__ == "__main__":
    main()
