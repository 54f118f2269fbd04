"""Paths between songs drawn at random, beside the greedy walk along the straight line.

``python -m tests.benchmarks.paths [--artifacts DIR] [--pairs 1000]`` prints for several lengths how many paths are
found, how many have no step more than twice as long as the median one, and how long steps are: 1 is the distance of
two songs drawn at random. Each path is asked for twice, and must be the same; no work and no artist may be twice on
one, but for the ends'. The greedy walk is measured on the first pairs: each of its songs costs a look at all.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from segue.catalog import Catalog, load
from segue.catalog.lookup.exact import artist_names, song_by_id
from segue.journeys.candidate_pool import metric_of
from segue.journeys.paths import path
from segue.query.schema import PathQuery, Seed
from segue_build.progress import bar
from tests.benchmarks.figures import Row, table

LENGTHS = (10, 25, 50)
GREEDY = 30  # pairs


def main() -> None:
    """Print a row for each length."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.paths", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--pairs", type=int, default=1000, help="of songs (default: %(default)s)")
    options = parser.parse_args()
    print(table(list(measure(load(options.artifacts), options.pairs))))


def measure(catalog: Catalog, count: int) -> Iterator[Row]:
    """A row for each length; both kinds of walk over the same pairs."""
    chosen = pairs(catalog, count)
    for length in LENGTHS:
        queries = [PathQuery(*(Seed("", {}, id=end) for end in ends), length=length) for ends in chosen]
        found = [path(catalog, query) for query in bar(queries, f"paths of {length}", "", count)]
        again = [path(catalog, query) for query in queries]
        yield {
            "length": length,
            "found": sum(len(one.rows) == length for one in found) / count,
            "the same again": np.mean([one.rows == two.rows for one, two in zip(found, again)]),
            "work or artist twice": sum(repeats(catalog, one.rows) for one in found),
            **smoothness([one.steps for one in found]),
            **{f"greedy: {name}": value for name, value in smoothness(
                [greedy(catalog, query) for query in queries[:GREEDY]]).items()},
        }  # fmt: skip


def pairs(catalog: Catalog, count: int) -> list[tuple[str, str]]:
    """Ids of songs of different works, drawn at random."""
    dice, ids, works = random.Random(5), catalog.texts("ids"), catalog.array("works")
    usable = np.flatnonzero(catalog.array("recommendable")).tolist()
    drawn = (dice.sample(usable, 2) for _ in range(2 * count))
    different = [(ids[one], ids[other]) for one, other in drawn if works[one] != works[other]]
    return different[:count]


def smoothness(walks: Sequence[np.ndarray]) -> dict[str, float]:
    """How even the steps of walks are, and how long."""
    return {
        "largest <= 2 medians": float(np.mean([steps.max() <= 2 * np.median(steps) for steps in walks])),
        "median step": float(np.mean([np.median(steps) for steps in walks])),
        "largest step": float(np.mean([steps.max() for steps in walks])),
        "root mean square": float(np.mean([np.sqrt(np.square(steps).mean()) for steps in walks])),
    }


def repeats(catalog: Catalog, rows: Sequence[int]) -> bool:
    """Whether a path holds a work twice, or an artist whom not both of its ends have."""
    works = [int(catalog.array("works")[row]) for row in rows]
    by = [artist_names(catalog, row) for row in rows]
    counts = Counter(name for names in by for name in set(names))
    ends = Counter(name for names in (by[0], by[-1]) for name in set(names))
    return len(set(works)) < len(works) or any(count > max(1, ends[name]) for name, count in counts.items())


def greedy(catalog: Catalog, query: PathQuery) -> np.ndarray:
    """Steps of the walk along the straight line: at each place the nearest song, of artists that were not there."""
    metric, works = metric_of(catalog), catalog.array("works")
    start, goal = (song_by_id(catalog, seed.id or "") for seed in (query.start, query.goal))
    first, last = metric.points(np.array([start, goal]))
    walk, used = [start], {name for row in (start, goal) for name in artist_names(catalog, row)}
    free = catalog.array("recommendable") & ~np.isin(works, works[[start, goal]])
    for place in range(1, query.length - 1):
        gaps = np.where(free, _gaps(catalog, first + (last - first) * place / (query.length - 1)), np.inf)
        order = iter(np.argpartition(gaps, 1000)[:1000] if len(gaps) > 1000 else range(len(gaps)))
        song = next(
            row for row in sorted(map(int, order), key=lambda row: gaps[row])
            if not used & set(artist_names(catalog, row))
        )  # fmt: skip
        walk.append(song)
        used |= set(artist_names(catalog, song))
        free &= works != works[song]
    return metric.step_distances(metric.points(np.array([*walk, goal])))


def _gaps(catalog: Catalog, point: np.ndarray) -> np.ndarray:
    """Squared distances of all songs from a point."""
    metric, runs = metric_of(catalog), range(0, len(catalog), 65_536)
    points = (metric.points(np.arange(run, min(run + 65_536, len(catalog)))) for run in runs)
    return np.concatenate([np.square(some - point).sum(axis=1) for some in points])


if __name__ == "__main__":
    main()
