"""Why a song was recommended, in words and in parts of its score."""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
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

    @functools.cache
    def compared(number: int, point: int) -> Comparison:
        return Comparison(catalog, seeds[number], point)

    return [_explain(compared, scorer, seeds, song) for song in songs]


def _explain(
    compared: Callable[[int, int], Comparison], scorer: Scorer, seeds: Sequence[Resolved], song: Scored
) -> Why:
    parts = scorer.parts(song.row)
    total = sum(parts.values())
    scaled = {name: song.score * part / total if total else 0.0 for name, part in parts.items()}
    number, point = _closest(scorer, seeds, song.row)
    comparison = compared(number, point)
    told = [reason for reason in comparison.reasons(song.row) if reason.bits >= TELLING and scaled.get(reason.part)]
    asked = _asked_for(scorer, song.row, parts)
    reasons = (*asked, *(reason.text for reason in told[: REASONS - len(asked)]))
    gaps = comparison.gaps(song.row)
    for feature in itertools.chain.from_iterable(reason.features for reason in told):
        gaps.pop(feature, None)
    farthest = max(gaps, key=lambda name: gaps[name]) if max(gaps.values(), default=0) > SAME else None
    return Why(number, reasons or ("the closest of what is left",), farthest, scaled)


def _closest(scorer: Scorer, seeds: Sequence[Resolved], row: int) -> tuple[int, int]:
    """The nearest seed that asks for likeness, and which of its points it is."""
    point = scorer.closest(row)
    ends = np.cumsum([len(seed.vectors) for seed in seeds])
    number = int(np.searchsorted(ends, point, side="right"))
    return number, point - int(ends[number]) + len(seeds[number].vectors)


def _asked_for(scorer: Scorer, row: int, parts: Mapping[str, float]) -> list[str]:
    """What can truly be said of targets and of seeds to avoid."""
    said = []
    if parts.get("targets", 0) >= SIMILAR * TARGETS_SHARE:
        said.append("near to your targets")
    if (scorer.weights < 0).any() and (
        scorer.similarities(np.array([row]))[:, 0][scorer.weights < 0] < SIMILAR
    ).all():
        said.append("unlike what you asked to avoid")
    return said
