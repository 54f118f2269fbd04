"""Why a song was recommended, in words and in parts of its score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segue import lookup
from segue.attributes import AUDIO
from segue.catalog import Catalog
from segue.choice import Scored
from segue.scoring import Scorer
from segue.seeds import Resolved, ranks

REASONS = 3
SAME = 0.08  # difference of ranks up to which two values are called the same
SIMILAR = 0.5  # closeness within a block from which it is worth a reason
_SPOKEN = {"duration_ms": "length", "time_signature": "time signature"}


@dataclass(frozen=True, slots=True)
class Why:
    """The reasons for one recommendation.

    closest_seed : index of the seed that is nearest to it
    reasons : up to three, the strongest first
    farthest : the audio feature in which it differs most from that seed, if both have any
    parts : part of the score -> its contribution; they add up to the score
    """

    closest_seed: int
    reasons: tuple[str, ...]
    farthest: str | None
    parts: Mapping[str, float]


def explain(catalog: Catalog, scorer: Scorer, seeds: Sequence[Resolved], songs: Sequence[Scored]) -> list[Why]:
    """Explain recommendations, in their order."""
    return [_explain(catalog, scorer, seeds, song) for song in songs]


def _explain(catalog: Catalog, scorer: Scorer, seeds: Sequence[Resolved], song: Scored) -> Why:
    parts = scorer.parts(song.row)
    total = sum(parts.values())
    scaled = {name: song.score * part / total if total else 0.0 for name, part in parts.items()}
    seed_number, point = _closest(scorer, seeds, song.row)
    gaps = _gaps(catalog, seeds[seed_number], point, song.row)
    said = _reasons(catalog, seeds[seed_number], point, song.row, scaled, gaps)
    farthest = max(gaps, key=lambda name: gaps[name]) if gaps else None
    return Why(seed_number, tuple(said[:REASONS]), farthest, scaled)


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


def _reasons(
    catalog: Catalog,
    seed: Resolved,
    point: int,
    row: int,
    parts: Mapping[str, float],
    gaps: Mapping[str, float],
) -> list[str]:
    """What can be said of each part, the part that gave most first."""
    sayings = {
        "audio": _same_sound(gaps),
        "genre": _same_genres(catalog, seed, point, row),
        "artist": _same_artist(catalog, seed, point, row),
        "fame": "about as well known",
        "year": "from about the same time",
        "played": "on similar playlists",
        "together": "often in the same playlists",
        "targets": "near to your targets",
        "less_like": "unlike what you asked to avoid",
    }
    strongest = sorted(parts, key=lambda name: -parts[name])
    return [saying for name in strongest if (saying := sayings.get(name)) and parts[name] > 0]


def _same_sound(gaps: Mapping[str, float]) -> str:
    same = [name for name in sorted(gaps, key=lambda name: gaps[name]) if gaps[name] <= SAME]
    telling = [name for name in same if name not in ("key", "mode", "time_signature")][:2]
    if not telling:
        return "a similar sound"
    return "same " + " and ".join(_SPOKEN.get(name, name) for name in telling)


def _same_genres(catalog: Catalog, seed: Resolved, point: int, row: int) -> str | None:
    if not seed.rows:
        return None
    names, lists = catalog.manifest["genres"], catalog.lists("in", "genres")
    theirs = {int(genre) for genre in lists[seed.rows[point]]}
    shared = [names[int(genre)] for genre in lists[row] if int(genre) in theirs]
    return f"shared genres: {', '.join(shared[:3])}" if shared else "related genres"


def _same_artist(catalog: Catalog, seed: Resolved, point: int, row: int) -> str | None:
    if not seed.rows:
        return None
    theirs = lookup.artists_of(catalog, seed.rows[point])
    shared = [name for name in lookup.artists_of(catalog, row) if name in theirs]
    return f"also by {shared[0]}" if shared else "similar artist"
