"""How well maps keep neighbourhoods: the one that a version has, beside other ways to draw one.

``python -m tests.benchmarks.plane [--artifacts DIR] [--songs 1500] [--all]`` prints which share of a song's nearest
10, 100 and 1,000 songs are its nearest on the map, too, and the rank correlation of the distances of random pairs. In
the space, one distance serves for all blocks. ``--all`` adds methods that arrange every song (minutes). ``--other``
names a version of nearly the same songs: it prints how far the median song lies from its place there.
"""

import argparse
import functools
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from segue.catalog import Catalog, load
from segue.catalog.lookup.exact import songs_by_ids
from segue.engine.space import space_of
from segue_build.model.map_layout import MAX_COORDINATE, map_coordinates
from tests.benchmarks.figures import Row, table

NEIGHBOURS = (10, 100, 1000)
PAIRS = 4000


def main() -> None:
    """Print a row for each map."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.plane", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--songs", type=int, default=1500, help="whose neighbours count (default: %(default)s)")
    parser.add_argument("--all", action="store_true", help="methods that arrange every song, too")
    parser.add_argument("--other", type=Path, help="folder of another version's artifacts")
    options = parser.parse_args()
    catalog = load(options.artifacts)
    points = np.asarray(catalog.array("vectors"), np.float32) * space_of(catalog).column_weights.astype(np.float32)
    threadpool_limits(1)  # as the build has it
    asked = np.sort(np.random.default_rng(0).choice(len(points), min(options.songs, len(points)), replace=False))
    truth = {count: nearest(points, asked, count) for count in NEIGHBOURS}
    rows = []
    for name, drawn in (methods(catalog, points) | (others(points) if options.all else {})).items():
        began = time.process_time()
        places = drawn().astype(np.float32)
        took = time.process_time() - began
        rows.append({"map": name, **kept(points, places, asked, truth), "seconds": took})
    print(table(rows))
    if options.other:
        print(f"\nmedian move: {moved(catalog, load(options.other)):.1%} of the map's width")


def methods(catalog: Catalog, points: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """The version's map, drawn anew, and the plane of largest variance."""
    drawn_from = [catalog.array(name) for name in ("cell_offsets", "cell_centroids")]
    return {
        "of the version": lambda: map_coordinates(
            catalog.array("vectors"), space_of(catalog).column_weights, *drawn_from, 0
        ),
        "two principal components": lambda: PCA(2, random_state=0).fit_transform(points),
    }


def others(points: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Methods that arrange every song, of those that are installed: ``pip install openTSNE umap-learn pacmap``."""
    known: dict[str, Callable[[Any], np.ndarray]] = {
        "openTSNE": lambda library: library.TSNE(random_state=0, n_jobs=1).fit(points),
        "umap": lambda library: library.UMAP(random_state=0).fit_transform(points),
        "pacmap": lambda library: library.PaCMAP(random_state=0).fit_transform(points),
    }
    found = {name: drawn for name, drawn in known.items() if importlib.util.find_spec(name)}
    return {name: functools.partial(_by, name, drawn) for name, drawn in found.items()}


def _by(name: str, drawn: Callable[[Any], np.ndarray]) -> np.ndarray:
    return np.asarray(drawn(importlib.import_module(name)))


def moved(catalog: Catalog, other: Catalog) -> float:
    """How far the median song lies from its place on another version's map, as a share of the width."""
    ids = [catalog.texts("ids")[row] for row in range(len(catalog))]
    pairs = np.array([pair for pair in enumerate(songs_by_ids(other, ids)) if pair[1] is not None])
    places = [version.array("map")[rows].astype(np.int64) for version, rows in zip((catalog, other), pairs.T)]
    return float(np.median(np.linalg.norm(places[0] - places[1], axis=1))) / MAX_COORDINATE


def kept(points: np.ndarray, places: np.ndarray, asked: np.ndarray, truth: dict[int, np.ndarray]) -> Row:
    """What a map keeps of neighbourhoods and of distances."""
    shares = {
        f"nearest {count:,}": np.mean([
            len(np.intersect1d(*pair)) / count for pair in zip(found, nearest(places, asked, count))
        ])
        for count, found in truth.items()
    }  # fmt: skip
    pairs = np.random.default_rng(1).integers(0, len(points), (2, PAIRS))
    apart = [np.linalg.norm(some[pairs[0]] - some[pairs[1]], axis=1) for some in (points, places)]
    return {**shares, "correlation of distances": float(spearmanr(*apart).statistic)}


def nearest(points: np.ndarray, asked: np.ndarray, count: int) -> np.ndarray:
    """Rows of the points nearest to each of some, the point itself left out; shape (len(asked), count)."""
    count, lengths = min(count, len(points) - 1), np.square(points).sum(axis=1)
    found = []
    for row in asked.tolist():
        gaps = lengths - 2 * points @ points[row]
        gaps[row] = np.inf
        found.append(np.argpartition(gaps, count - 1)[:count])
    return np.array(found)


if __name__ == "__main__":
    main()
