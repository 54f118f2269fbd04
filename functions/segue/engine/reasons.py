"""What can be said of a seed and a song, in bits of how rare that is: one where it is true of half of all songs.

How rare a thing is with a seed is counted among a sample of the catalogue.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from segue.catalog import Catalog, lookup
from segue.engine.seeds import Resolved, ranks
from segue.engine.space import REACH, space_of
from segue.query.attributes import AUDIO

SAMPLE = 1_000  # songs among which is counted how rare a thing is
SIMILAR = 0.5  # closeness from which something is worth saying; a random pair is at 0.24
TAIL = 0.3  # rank up to which a song is slow, quiet, ..., and as far from the other end fast, loud, ...
SAME_TEMPO = 2.0  # beats per minute
ALIKE = {
    "audio": "a similar sound",
    "genre": "related genres",
    "artist": "similar artist",
    "fame": "about as well known",
    "year": "from about the same time",
    "occasion": "for the same occasion or use",
    "played": "on similar playlists",
}
# feature -> what songs are called at the low end and the high end, and what the words are about
ENDS = {
    "energy": ("calm", "energetic", "force"),
    "loudness": ("quiet", "loud", "force"),
    "tempo": ("slow", "fast", "tempo"),
    "acousticness": (None, "acoustic", "instruments"),
    "instrumentalness": (None, "instrumental", "voice"),
    "speechiness": (None, "wordy", "voice"),
    "danceability": (None, "danceable", "dance"),
    "valence": ("sad", "cheerful", "mood"),
    "liveness": (None, "live", "place"),
    "duration_ms": ("short", "long", "length"),
}
"""Of features that have no word at an end most songs are there."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A thing that is true of seed and song.

    part : of the score that it explains
    bits : how rare it is
    features : that it is about
    """

    text: str
    part: str
    bits: float
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """An end of a feature where both songs are.

    as_far : of a sample, who is as far there; bool, shape (n_songs,)
    """

    feature: str
    word: str
    about: str
    as_far: np.ndarray


@dataclass(frozen=True, slots=True)
class Sample:
    """Songs that stand for the catalogue.

    levels : feature -> ranks, float64, 0..1, shape (len(rows),), NaN where unknown
    owners, genres : a song of the sample and a genre that it has, both of shape (n_pairs,)
    """

    rows: np.ndarray
    levels: Mapping[str, np.ndarray]
    owners: np.ndarray
    genres: np.ndarray

    @classmethod
    def of(cls, catalog: Catalog) -> "Sample":
        """The catalogue's, made once."""
        return catalog.derived("sample", lambda: cls._drawn(catalog))

    @property
    def rarest(self) -> float:
        """Bits of what is true of none of it."""
        return bits(np.zeros(len(self.rows), bool))

    @classmethod
    def _drawn(cls, catalog: Catalog) -> "Sample":
        rows, curve = np.arange(0, len(catalog), max(1, len(catalog) // SAMPLE)), ranks(catalog)
        values = {name: catalog.attribute(name)[rows].astype(np.float64) for name in ENDS}
        lists = [catalog.lists("in", "genres")[row] for row in rows.tolist()]
        owners, genres = np.repeat(np.arange(len(rows)), [len(found) for found in lists]), np.concatenate(lists)
        return cls(rows, {name: curve(name, column) for name, column in values.items()}, owners, genres)

    def have_all(self, genres: list[int]) -> np.ndarray:
        """Which songs have all of some genres; bool, shape (len(rows),)."""
        counts = np.bincount(self.owners[np.isin(self.genres, genres)], minlength=len(self.rows))
        return np.equal(counts, len(genres))


def bits(true_of: np.ndarray) -> float:
    """How rare a thing is that is true of some songs of a sample; bool, shape (n_songs,)."""
    return float(np.log2((len(true_of) + 1) / (true_of.sum() + 1)))


class Comparison:
    """A point that stands for a seed, to be compared with songs; the sample is compared once."""

    def __init__(self, catalog: Catalog, seed: Resolved, point: int):
        self._catalog = catalog
        self._space = space_of(catalog)
        self._sample = Sample.of(catalog)
        self._seed_row = seed.rows[point] if seed.rows else None
        self._features = seed.seed.features or {}
        self._vector, self._known = seed.vectors[point], seed.known[point]
        self._near_sample = self._closeness(self._sample.rows)

    def gaps(self, row: int) -> dict[str, float]:
        """Audio feature -> difference of the ranks of seed and song, 0..1, where both are known."""
        pairs = {attribute.name: self._levels(attribute.name, row) for attribute in AUDIO}
        return {name: abs(first - second) for name, (first, second) in pairs.items() if first + second >= 0}

    def reasons(self, row: int) -> list[Reason]:
        """What can be said of a song, the rarest first: one reason for each part, but two for sound."""
        said = self._alike(row)
        tempo = self._same_tempo(row)
        sound = [reason for reason in (tempo, self._words(row, "tempo" if tempo else None)) if reason]
        if sound:
            said.pop("audio", None)
        if self._seed_row is not None:
            said |= {reason.part: reason for reason in self._shared(self._seed_row, row) if reason}
        if "together" in said:
            said.pop("played", None)
        generic = tuple(ALIKE.values())
        return sorted([*said.values(), *sound], key=lambda reason: (-reason.bits, reason.text in generic))

    def _shared(self, seed: int, row: int) -> tuple[Reason | None, ...]:
        return self._genres(seed, row), self._artist(seed, row), self._together(seed, row)

    def _alike(self, row: int) -> dict[str, Reason]:
        near = self._closeness(np.array([row]))[:, 0]
        return {
            block.name: Reason(ALIKE[block.name], block.name, bits(self._near_sample[number] >= SIMILAR))
            for number, block in enumerate(self._space.blocks)
            if block.name in ALIKE and near[number] >= SIMILAR
        }

    def _closeness(self, rows: np.ndarray) -> np.ndarray:
        """Of each block, 0..1, 0 where one of both is unknown; shape (n_blocks, len(rows))."""
        known = self._known & self._space.columns_of(self._catalog.array("present")[rows])
        apart = np.where(known, (self._catalog.array("vectors")[rows].astype(np.float64) - self._vector) ** 2, 0)
        spread = self._space.columns @ np.where(known, self._space.spread, 0).T
        distances = np.sqrt(self._space.columns @ apart.T / np.maximum(spread, 1e-9))
        return np.where(spread > 0, np.exp(-distances / REACH), 0)

    def _levels(self, feature: str, row: int) -> tuple[float, float]:
        """Ranks of seed and song, NaN where unknown."""
        values = self._catalog.attribute(feature)
        theirs = self._features.get(feature, np.nan) if self._seed_row is None else values[self._seed_row]
        first, second = ranks(self._catalog)(feature, np.array([theirs, values[row]], np.float64))
        return float(first), float(second)

    def _words(self, row: int, untold: str | None) -> Reason | None:
        """The rarest pair of words for both songs, or one: "both slow and acoustic"; none about ``untold``."""
        ends = [end for end in self._ends(row) if end.about != untold]
        told = [
            Reason(f"both {first.word} and {second.word}", "audio", bits(first.as_far & second.as_far), pair)
            for first, second in itertools.combinations(ends, 2)
            if first.about != second.about and (pair := (first.feature, second.feature))
        ]
        alone = [Reason(f"both {end.word}", "audio", bits(end.as_far), (end.feature,)) for end in ends]
        return max(told or alone, key=lambda reason: reason.bits, default=None)

    def _ends(self, row: int) -> Iterator[End]:
        for feature, (low, high, about) in ENDS.items():
            pair, sample = self._levels(feature, row), self._sample.levels[feature]
            if low and max(pair) <= TAIL:
                yield End(feature, low, about, sample <= max(pair))
            elif high and min(pair) >= 1 - TAIL:
                yield End(feature, high, about, sample >= min(pair))

    def _same_tempo(self, row: int) -> Reason | None:
        tempo = self._catalog.attribute("tempo")
        theirs = self._features.get("tempo", np.nan) if self._seed_row is None else float(tempo[self._seed_row])
        if not (tempo[row] > 0 and abs(tempo[row] - theirs) <= SAME_TEMPO):
            return None
        same = np.abs(tempo[self._sample.rows] - theirs) <= SAME_TEMPO
        return Reason(f"same tempo, {tempo[row]:.0f} bpm", "audio", bits(same), ("tempo",))

    def _genres(self, seed: int, row: int) -> Reason | None:
        names, lists = self._catalog.manifest["genres"], self._catalog.lists("in", "genres")
        theirs = set(lists[seed].tolist())
        shared = [genre for genre in lists[row].tolist() if genre in theirs][:3]
        if not shared:
            return None
        return Reason(
            f"shared genres: {', '.join(names[genre] for genre in shared)}",
            "genre",
            bits(self._sample.have_all(shared)),
        )

    def _artist(self, seed: int, row: int) -> Reason | None:
        theirs = lookup.artists_of(self._catalog, seed)
        shared = [name for name in lookup.artists_of(self._catalog, row) if name in theirs]
        return Reason(f"also by {shared[0]}", "artist", self._sample.rarest) if shared else None

    def _together(self, seed: int, row: int) -> Reason | None:
        if not self._space.together:
            return None
        works = self._catalog.array("works")
        number = int(self._catalog.array("together_lists")[works[seed]])
        if number < 0 or works[row] not in self._catalog.lists("together", "works")[number]:
            return None
        played = self._space.block("played")
        alone = played is not None and self._known[played.start]  # else its artist's list stands in
        text = "often in the same playlists" if alone else "often in playlists with this artist"
        return Reason(text, "together", self._sample.rarest)
