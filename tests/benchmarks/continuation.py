"""Several seeds: continue a playlist from five of its songs, by soft minimum or from the centroid.

``python -m tests.benchmarks.continuation --playlists playlists.csv [--artifacts DIR]`` prints the R-precision of both
over the same playlists and the same scores of songs: of a playlist's R other works, the share among the first R. The
soft minimum is what the service does; the centroid is one seed at the mean of the five vectors.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np

from build.quality.evaluate import Judged, as_judged
from build.sources.playlists import load
from segue.catalog import load as load_catalog
from segue.engine.scoring import Scorer
from segue.engine.seeds import Resolved, resolve
from segue.query import Seed

SEEDS = 5
FEWEST = 10  # works that a playlist must hold besides the seeds


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.continuation", description=__doc__)
    parser.add_argument("--playlists", required=True, type=Path)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    options = parser.parse_args()
    judged = as_judged(load_catalog(options.artifacts))
    figures = np.array(list(precisions(judged, options.playlists)))
    soft, centroid = figures.mean(axis=0)
    print(f"{len(figures):,} playlists, {SEEDS} seeds each, R-precision")
    print(f"soft minimum {soft:.4f}, centroid {centroid:.4f}: {soft / centroid - 1:+.0%}")


def precisions(judged: Judged, playlists: Path):
    """(soft minimum, centroid) of each playlist."""
    ids = judged.catalog.texts("ids")
    read = load(playlists, judged.works)
    for name, held in zip(read.names, read.members):
        known = sorted((work for work in held if work < read.n_known), key=lambda work: drawn(name, work))
        if len(known) < SEEDS + FEWEST:
            continue
        works, rest = known[:SEEDS], set(known[SEEDS:])
        asked = [Seed("", {}, id=ids[int(judged.works.rows[work])]) for work in works]
        seeds = resolve(judged.catalog, asked)
        yield tuple(precision(judged, Scorer(judged.catalog, of, {}), works, rest) for of in (seeds, centre(seeds)))


def drawn(name: str, work: int) -> bytes:
    """A shuffle of a playlist's works that is the same everywhere."""
    return hashlib.sha256(f"{name}:{work}".encode()).digest()


def centre(seeds: list[Resolved]) -> list[Resolved]:
    """One seed at the mean of all."""
    vectors = np.concatenate([seed.vectors for seed in seeds])
    known = np.concatenate([seed.known for seed in seeds]).all(axis=0, keepdims=True)
    middle = np.rint(vectors.mean(axis=0, keepdims=True)).astype(np.int8)
    return [Resolved(seeds[0].seed, (), middle, known)]


def precision(judged: Judged, scorer: Scorer, works: list[int], rest: set[int]) -> float:
    """R-precision of the works with the best scores."""
    scores = scorer.score(judged.works.rows)
    scores[works] = -np.inf
    best = np.argsort(-scores, kind="stable")[: len(rest)]
    return len(rest & set(map(int, best))) / len(rest)


if __name__ == "__main__":
    main()
