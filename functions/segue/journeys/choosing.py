"""What goes on a playlist: of the songs that the engine recommends, those that go together best.

    worth = (score with each seed's similarities made even) * (1 + KNOWN * popularity / 100) + TOGETHER * played

The engine's score is the mean of the similarities to the seeds, so that a seed with many near neighbours fills the
list. Here each seed's are measured by that of its ``REFERENCE``-th best song, then what is near to one counts more
than what is halfway to several; well-known songs go first, unless popularity is a target; and where playlists were
learned from, ``played`` tells how often a song is on playlists with the best ``BEST``.
``python -m tests.benchmarks.playlists`` measures what this is worth.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from segue import engine
from segue.catalog import Catalog
from segue.engine import together
from segue.engine.scoring import DIGITS, TARGETS_SHARE, Scorer
from segue.engine.seeds import Resolved, standing
from segue.query import Query, Seed

REFERENCE = 10
KNOWN = 0.25
BEST = 25
TOGETHER = 0.25


def chosen_well(
    catalog: Catalog, query: Query, seeds: Sequence[Resolved], limit: int, wanted: int
) -> tuple[np.ndarray, engine.Pool]:
    """Rows of songs, the best first, and how many there were to choose from.

    limit : songs that are looked at, of which as many are wanted; only where fewer are left, ``fill`` lifts the cap
    """
    asked = replace(query, limit=limit, fill=False, draw=0, explain=False)
    found = engine.recommend(catalog, asked, seeds)
    if query.fill and len(found.recommendations) < wanted:
        found = engine.recommend(catalog, replace(asked, limit=wanted, fill=True), seeds)
    rows = np.array([song.row for song in found.recommendations], np.int64)
    if len(rows) <= REFERENCE or query.diversity:
        return rows, found.pool
    worths = np.array([song.score for song in found.recommendations]) + _evened(catalog, query, seeds, rows)
    if "popularity" not in query.targets:
        worths *= 1 + KNOWN / 100 * np.nan_to_num(catalog.attribute("popularity")[rows].astype(np.float64))
    worths += TOGETHER * _played(catalog, rows[np.argsort(-worths.round(DIGITS), kind="stable")[:BEST]], rows)
    return rows[np.argsort(-worths.round(DIGITS), kind="stable")], found.pool


def _evened(catalog: Catalog, query: Query, seeds: Sequence[Resolved], rows: np.ndarray) -> np.ndarray:
    """What scores gain where seeds count alike, shape (len(rows),)."""
    sizes = np.array([len(seed.vectors) for seed in seeds])
    points = Scorer(catalog, seeds, {}).nearness(rows).astype(np.float64)
    near = np.add.reduceat(points, np.cumsum(sizes) - sizes, axis=0) / sizes[:, None]
    weights = np.array([max(seed.seed.weight, 0.0) for seed in seeds])
    share = (0.0 if not query.targets else TARGETS_SHARE), sum(abs(seed.seed.weight) for seed in seeds)
    references = np.maximum(np.partition(near, -REFERENCE, axis=1)[:, -REFERENCE], 1e-6)
    parts = near / references[:, None]
    gains = references.mean() * parts * np.sqrt(parts) - near
    return (1 - share[0]) / share[1] * (weights[:, None] * gains).sum(axis=0)


def _played(catalog: Catalog, best: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """How often songs are played together with the best, 0..1, shape (len(rows),)."""
    if not catalog.manifest["space"]["together"]:
        return np.zeros(len(rows))
    links = together.links(catalog, [standing(catalog, Seed("", {}), best)])
    order = np.argsort(rows)
    places = order[np.minimum(np.searchsorted(rows, links.rows, sorter=order), len(rows) - 1)]
    here = rows[places] == links.rows
    return np.bincount(places[here], links.weights[here], len(rows)) / len(best)
