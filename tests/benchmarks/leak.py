"""How often lists for ordinary popular songs hold songs for a season or a use.

``python -m tests.benchmarks.leak [--artifacts DIR]`` recommends ten songs for each of 500 seeds, drawn from the 5,000
most popular works that say neither, and prints which share of the results does, and which share of the catalogue. The
words that it looks for are its own, not those that the build knows.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segue.catalog import Catalog, load
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue_build.quality.evaluate import TABLE_SEEDS

KINDS = {
    "a season": r"christmas|x-?mas|navid|no[eë]l\b|weihnacht|natale?\b|kerst|\bjul\b|joulu|halloween|santa claus"
    r"|jingle|mistletoe|reindeer|クリスマス",
    "a use": r"sped up|speed up|nightcore|slowed|karaoke|\b8d\b|\b\d{3} ?hz\b|lullab|white noise"
    r"|\bsleep (?:music|sounds)|for sleep|nursery rhyme|workout|originally performed|tribute to",
}
POPULAR = 5_000


def main() -> None:
    """Print a row for each kind."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.leak", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    catalog = load(parser.parse_args().artifacts)
    said = {kind: says(catalog, pattern) for kind, pattern in KINDS.items()}
    seeds = drawn(catalog, np.any(list(said.values()), axis=0))
    rows = np.array(list(results(catalog, seeds)))
    print(f"| songs for | of {len(rows):,} results | of the catalogue |\n|---|---|---|")
    for kind, flags in said.items():
        print(f"| {kind} | {flags[rows].mean():.2%} | {flags.mean():.2%} |")


def says(catalog: Catalog, pattern: str) -> np.ndarray:
    """Which songs' title or album matches; bool, shape (n_songs,)."""
    search = re.compile(pattern, re.IGNORECASE).search
    names, albums = catalog.texts("names"), catalog.texts("albums")
    return np.array([bool(search(f"{names[row]} | {albums[row]}")) for row in range(len(catalog))])


def drawn(catalog: Catalog, said: np.ndarray) -> np.ndarray:
    """Rows of the seeds."""
    rows = np.flatnonzero(catalog.array("recommendable") & ~said)
    rows = rows[
        np.lexsort((catalog.array("source_rows")[rows], -np.nan_to_num(catalog.attribute("popularity")[rows])))
    ]
    _, first = np.unique(catalog.array("works")[rows], return_index=True)
    popular = rows[np.sort(first)][:POPULAR]
    return np.random.default_rng(0).permutation(popular)[:TABLE_SEEDS]


def results(catalog: Catalog, seeds: np.ndarray) -> Iterator[int]:
    """Rows that are recommended."""
    ids = catalog.texts("ids")
    for row in seeds.tolist():
        yield from (song.row for song in recommend(catalog, Query((Seed("", {}, id=ids[row]),))).recommendations)


if __name__ == "__main__":
    main()
