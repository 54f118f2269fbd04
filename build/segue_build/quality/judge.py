"""How good recommendations are, by playlists that people made.

One query per playlist that holds at least five works of the catalogue: one of them, drawn by a hash of the playlist's
id, is the seed; the others are relevant. A list is read by works; a work that the list repeats, and the seed's own,
are skipped and counted as duplicates.

========  ===========================================================================================
HR@10     share of queries with a relevant work among the first ten
xHR@10    the same, counting only works by another first artist than the seed's
R@100     relevant works among the first hundred, of all relevant ones
nDCG@10   Järvelin and Kekäläinen, "Cumulated gain-based evaluation", TOIS 20 (2002); gain 0 or 1
artists   distinct first artists among the first ten
dup       share of lists whose first ten hold two songs of one work, or the seed's work
AUC       share of pairs of a relevant work and one of 60 others, drawn in proportion to how many playlists
          hold them, in which the relevant one has the higher score; ties count half
coverage  share of the catalogue's works in the first ten of any list
========  ===========================================================================================
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from segue_build.sources.playlists import Playlists, Works, frequencies
from segue.errors import SourceError

FEWEST = 5  # works of the catalogue that a playlist must hold
DEPTH = 100
NEGATIVES = 60
RESAMPLED = 300  # bootstrap samples of the queries
PER_QUERY = ("HR@10", "xHR@10", "R@100", "nDCG@10", "artists", "dup", "AUC")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query: the playlist it is from, the seed's work and the works that are relevant."""

    playlist: str
    seed: int
    relevant: frozenset[int]


def queries(playlists: Playlists, works: Works, ids: Sequence[str]) -> list[Asked]:
    """One query for each playlist that holds enough works; ``ids`` of the songs that stand for the works.

    Raises
    ------
    SourceError
        no playlist does.

    """
    asked = []
    for name, held in zip(playlists.names, playlists.members):
        known = [work for work in held if work < len(works.rows)]
        if len(known) >= FEWEST:
            seed = sorted(known, key=lambda work: ids[work])[_draw(f"seed:{name}") % len(known)]
            asked.append(Asked(name, seed, frozenset(known) - {seed}))
    if not asked:
        raise SourceError(
            f"none of {len(playlists.names):,} playlists holds {FEWEST} songs of the catalogue: nothing to judge by"
        )
    return asked


def judge(
    asked: Iterable[Asked],
    works: Works,
    playlists: Playlists,
    rank: Callable[[int], list[int]],
    score: Callable[[int, np.ndarray], np.ndarray],
) -> dict[str, tuple[float, float, float]]:
    """Figures with their 95 % bootstrap intervals.

    Parameters
    ----------
    rank : the seed's work -> works that are recommended, best first, repeats and all; -1: not of the catalogue
    score : the seed's work, works -> scores

    """
    cumulated = np.cumsum(frequencies(playlists)[: len(works.rows)], dtype=np.float64)
    rows: list[tuple[float, ...]] = []
    shown: set[int] = set()
    for query in asked:
        ranked = rank(query.seed)
        top = [work for work in dict.fromkeys(ranked) if work != query.seed][:DEPTH]
        shown.update(work for work in top[:10] if work >= 0)
        rows.append((*_list_figures(query, ranked, top, works), _auc(query, cumulated, score)))
    figures = np.array(rows, np.float64)
    return {**_with_intervals(figures), "coverage": (len(shown) / len(works.rows),) * 3}


def _list_figures(query: Asked, ranked: list[int], top: list[int], works: Works) -> tuple[float, ...]:
    hits = [work in query.relevant for work in top]
    other = [hit and works.artists[work] != works.artists[query.seed] for hit, work in zip(hits, top)]
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:10]) if hit)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(query.relevant))))
    artists = {works.artists[work] for work in top[:10] if work >= 0}
    repeated = len(set(ranked[:10])) < len(ranked[:10]) or query.seed in ranked[:10]
    found = sum(hits) / len(query.relevant)
    return any(hits[:10]), any(other[:10]), found, gain / ideal, len(artists), repeated


def _auc(query: Asked, cumulated: np.ndarray, score: Callable[[int, np.ndarray], np.ndarray]) -> float:
    dice = np.random.default_rng(_draw(f"negatives:{query.playlist}"))
    drawn = np.searchsorted(cumulated, dice.random(8 * NEGATIVES) * cumulated[-1], side="right")
    others = [work for work in drawn if work != query.seed and work not in query.relevant][:NEGATIVES]
    relevant = np.array(sorted(query.relevant))
    scores = score(query.seed, np.concatenate([relevant, np.array(others, np.int64)]))
    good, bad = scores[: len(relevant), None], scores[None, len(relevant) :]
    return float(((good > bad) + 0.5 * (good == bad)).mean()) if others else 0.5


def _with_intervals(figures: np.ndarray) -> dict[str, tuple[float, float, float]]:
    draws = np.random.default_rng(1).integers(0, len(figures), (RESAMPLED, len(figures)))
    low, high = np.percentile(figures[draws].mean(axis=1), [2.5, 97.5], axis=0)
    mean = figures.mean(axis=0)
    return {name: (float(mean[k]), float(low[k]), float(high[k])) for k, name in enumerate(PER_QUERY)}


def _draw(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
