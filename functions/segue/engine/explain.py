"""Why a song was recommended, in words and in parts of its score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segue.catalog import Catalog, lookup
from segue.engine.choice import Scored
from segue.engine.scoring import TARGETS_SHARE, Scorer
from segue.engine.seeds import Resolved, ranks
from segue.engine.space import REACH, space_of
from segue.query.attributes import AUDIO

REASONS = 3
SAME = 0.08  # difference of ranks up to which two values are called the same
SIMILAR = 0.5  # closeness from which something is worth a reason; a random pair is at 0.24
ALIKE = {
    "audio": "a similar sound",
    "genre": "related genres",
    "artist": "similar artist",
    "fame": "about as well known",
    "year": "from about the same time",
    "played": "on similar playlists",
}


@dataclass(frozen=True, slots=True)
class Why:
    """The reasons for one recommendation.

    closest_seed : index of the seed that is nearest to it
    reasons : up to three, the strongest first
    farthest : the audio feature in which it differs most from that seed, if it does in any
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
    return [_explain(catalog, scorer, seeds, song) for song in songs]


def _explain(catalog: Catalog, scorer: Scorer, seeds: Sequence[Resolved], song: Scored) -> Why:
    parts = scorer.parts(song.row)
    total = sum(parts.values())
    scaled = {name: song.score * part / total if total else 0.0 for name, part in parts.items()}
    number, point = _closest(scorer, seeds, song.row)
    gaps = _gaps(catalog, seeds[number], point, song.row)
    said = _sayings(catalog, seeds[number], point, song.row, gaps) | _dialled(scorer, song.row, parts)
    strongest = sorted((name for name in said if scaled.get(name, 0) > 0), key=lambda name: -scaled[name])
    farthest = max(gaps, key=lambda name: gaps[name]) if max(gaps.values(), default=0) > SAME else None
    reasons = tuple(said[name] for name in strongest[:REASONS]) or ("the closest of what is left",)
    return Why(number, reasons, farthest, scaled)


def _closest(scorer: Scorer, seeds: Sequence[Resolved], row: int) -> tuple[int, int]:
    """The nearest seed that asks for likeness, and which of its points it is."""
    point = scorer.closest(row)
    ends = np.cumsum([len(seed.vectors) for seed in seeds])
    number = int(np.searchsorted(ends, point, side="right"))
    return number, point - int(ends[number]) + len(seeds[number].vectors)


def _gaps(catalog: Catalog, seed: Resolved, point: int, row: int) -> dict[str, float]:
    """Audio feature -> difference of the ranks of seed and song, 0..1, where both are known."""
    curve = ranks(catalog)
    gaps = {}
    for attribute in AUDIO:
        values = catalog.attribute(attribute.name)
        theirs = (seed.seed.features or {}).get(attribute.name, np.nan) if not seed.rows else values[seed.rows[point]]
        pair = np.array([theirs, values[row]], np.float64)
        first, second = curve(attribute.name, pair)
        if not np.isnan(first + second):
            gaps[attribute.name] = abs(float(first - second))
    return gaps


def _nearness(catalog: Catalog, seed: Resolved, point: int, row: int) -> dict[str, float]:
    """Block -> closeness of seed and song, 0..1, where both are known."""
    space = space_of(catalog)
    known = seed.known[point] & space.columns_of(catalog.array("present")[[row]])[0]
    gaps = catalog.array("vectors")[row].astype(np.float64) - seed.vectors[point]
    apart = np.where(known, gaps**2, 0)
    spread = np.where(known, space.spread, 0)
    return {
        block.name: float(np.exp(np.sqrt(apart[block.columns].sum() / spread[block.columns].sum()) / -REACH))
        for block in space.blocks
        if spread[block.columns].any()
    }


def _sayings(catalog: Catalog, seed: Resolved, point: int, row: int, gaps: Mapping[str, float]) -> dict[str, str]:
    """What can truly be said of seed and song, by the part of the score that it explains."""
    near = _nearness(catalog, seed, point, row)
    alike = {name: saying for name, saying in ALIKE.items() if near.get(name, 0) >= SIMILAR}
    told = {
        "audio": _same_sound(gaps),
        "genre": _shared_genres(catalog, seed, point, row),
        "artist": _shared_artist(catalog, seed, point, row),
        "together": "often in the same playlists",
    }
    if seed.rows and "played" not in near:  # no playlist holds the seed: its artist's list stands in
        told["together"] = "often in playlists with this artist"
    return alike | {name: saying for name, saying in told.items() if saying}


def _dialled(scorer: Scorer, row: int, parts: Mapping[str, float]) -> dict[str, str]:
    """What can truly be said of targets and of seeds to avoid."""
    said = {}
    if parts.get("targets", 0) >= SIMILAR * TARGETS_SHARE:
        said["targets"] = "near to your targets"
    if (scorer.similarities(np.array([row]))[:, 0][scorer.weights < 0] < SIMILAR).all():
        said["less_like"] = "unlike what you asked to avoid"
    return said


def _same_sound(gaps: Mapping[str, float]) -> str | None:
    same = [name for name in sorted(gaps, key=lambda name: gaps[name]) if gaps[name] <= SAME]
    telling = [name for name in same if name not in ("key", "mode", "time_signature")][:2]
    return "same " + " and ".join(telling) if telling else None


def _shared_genres(catalog: Catalog, seed: Resolved, point: int, row: int) -> str | None:
    if not seed.rows:
        return None
    names, lists = catalog.manifest["genres"], catalog.lists("in", "genres")
    theirs = {int(genre) for genre in lists[seed.rows[point]]}
    shared = [names[int(genre)] for genre in lists[row] if int(genre) in theirs]
    return f"shared genres: {', '.join(shared[:3])}" if shared else None


def _shared_artist(catalog: Catalog, seed: Resolved, point: int, row: int) -> str | None:
    if not seed.rows:
        return None
    theirs = lookup.artists_of(catalog, seed.rows[point])
    shared = [name for name in lookup.artists_of(catalog, row) if name in theirs]
    return f"also by {shared[0]}" if shared else None
