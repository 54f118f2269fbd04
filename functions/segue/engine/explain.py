"""Why a song was recommended, in words and in parts of its score."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segue.catalog import Catalog
from segue.engine.choice import Scored
from segue.engine.reasons import SIMILAR, Comparison
from segue.engine.scoring import TARGETS_SHARE, Scorer
from segue.engine.seeds import Resolved

REASONS = 3
SAME = 0.08  # difference of ranks up to which two values are called the same
TELLING = 1.0  # bits from which a thing is worth saying: it is true of less than half of all songs


@dataclass(frozen=True, slots=True)
class Why:
    """The reasons for one recommendation.

    closest_seed : index of the seed that is nearest to it
    reasons : up to three, what the query asked for first, then by how rare it is
    farthest : the audio feature, of those that no reason is about, in which it differs most from that seed, if in any
    parts : part of the score -> its contribution; they add up to the score
    """

    closest_seed: int
    reasons: tuple[str, ...]
    farthest: str | None
    parts: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "closest_seed": self.closest_seed,
            "reasons": list(self.reasons),
            "farthest": self.farthest,
            "parts": {name: round(part, 9) for name, part in self.parts.items()},
        }


def explain(catalog: Catalog, scorer: Scorer, seeds: Sequence[Resolved], songs: Sequence[Scored]) -> list[Why]:
    """Explain recommendations, in their order."""
    if not songs:
        return []
    rows = np.array([song.row for song in songs])
    parts = scorer.parts(rows)
    asked, scaled = _asked_for(scorer, rows, parts), _scaled(parts, np.array([song.score for song in songs]))
    closest = scorer.closest(rows)
    whys: dict[int, Why] = {}
    for point in np.unique(closest).tolist():
        places = np.flatnonzero(closest == point)
        number, own = _seed_of(seeds, point)
        comparison = Comparison(catalog, seeds[number], own, rows[places])
        for song, place in enumerate(places.tolist()):
            whys[place] = _why(number, comparison, song, asked[place], scaled[place])
    return [whys[place] for place in range(len(songs))]


def _why(number: int, comparison: Comparison, song: int, asked: list[str], parts: Mapping[str, float]) -> Why:
    told = [reason for reason in comparison.reasons(song) if reason.bits >= TELLING and parts.get(reason.part)]
    reasons = (*asked, *(reason.text for reason in told[: REASONS - len(asked)]))
    gaps = comparison.gaps(song)
    for feature in itertools.chain.from_iterable(reason.features for reason in told):
        gaps.pop(feature, None)
    farthest = max(gaps, key=lambda name: gaps[name]) if max(gaps.values(), default=0) > SAME else None
    return Why(number, reasons or ("the closest of what is left",), farthest, parts)


def _scaled(parts: Mapping[str, np.ndarray], scores: np.ndarray) -> list[dict[str, float]]:
    """Of each song the parts, so that they add up to its score and not to what it was before rounding."""
    stacked = np.stack(list(parts.values()))
    total = stacked.sum(axis=0)
    scaled = np.where(total, scores * stacked / np.where(total, total, 1), 0)
    return [dict(zip(parts, each)) for each in scaled.T.tolist()]


def _seed_of(seeds: Sequence[Resolved], point: int) -> tuple[int, int]:
    """The seed that a point stands for, and which of its points it is."""
    ends = np.cumsum([len(seed.vectors) for seed in seeds])
    number = int(np.searchsorted(ends, point, side="right"))
    return number, point - int(ends[number]) + len(seeds[number].vectors)


def _asked_for(scorer: Scorer, rows: np.ndarray, parts: Mapping[str, np.ndarray]) -> list[list[str]]:
    """Of each song what can truly be said of targets and of seeds to avoid."""
    said: list[list[str]] = [[] for _ in rows]
    for place in np.flatnonzero(parts.get("targets", np.zeros(0)) >= SIMILAR * TARGETS_SHARE):
        said[place].append("near to your targets")
    avoided = scorer.weights < 0
    if avoided.any():
        for place in np.flatnonzero((scorer.similarities(rows)[avoided] < SIMILAR).all(axis=0)):
            said[place].append("unlike what you asked to avoid")
    return said
