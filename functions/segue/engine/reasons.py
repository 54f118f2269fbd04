"""What can be said of a seed and songs, each thing with how rare it is with that seed, in bits.

One bit is what is true of half of all songs. All songs of a list are compared at once: most of the work would else be
calls on a few numbers each.
"""

import functools
import itertools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog import Catalog
from segue.engine.points import UNKNOWN, Points
from segue.engine.sample import Sample, sets
from segue.engine.seeds import Resolved, ranks
from segue.engine.similarity import STEPS
from segue.engine.space import REACH, space_of
from segue.query.attributes import AUDIO

SIMILAR = 0.5  # closeness from which something is worth saying; a random pair is at 0.24
TAIL = 0.3  # rank up to which a song is slow, quiet, ..., and as far from the other end fast, loud, ...
SAME_TEMPO = 2.0  # beats per minute
NAMED = 3  # of the shared genres
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
LEAST = {"instrumentalness": 0.5, "speechiness": 0.33, "liveness": 0.8, "acousticness": 0.5}
"""Values from which the words are true of a song by itself, as the Spotify Web API documents the features."""
_SIDES = tuple(
    (feature, word, about, sign, tail, least)
    for feature, (low, high, about) in ENDS.items()
    for word, sign, tail, least in ((low, 1, TAIL, -np.inf), (high, -1, TAIL - 1, LEAST.get(feature, -np.inf)))
    if word
)
FEATURES = tuple(dict.fromkeys((*ENDS, *(attribute.name for attribute in AUDIO))))
_GENERIC = tuple(ALIKE.values())


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

    as_far : the set of the sample's songs that are as far there
    """

    feature: str
    word: str
    about: str
    as_far: int


@dataclass(frozen=True, slots=True)
class Named:
    """What a song may have in common with others by name: its artists, its genres, the works it is played with."""

    artists: frozenset[int] = frozenset()
    genres: frozenset[int] = frozenset()
    together: frozenset[int] = frozenset()

    @classmethod
    def of(cls, catalog: Catalog, row: int) -> "Named":
        """A song's."""
        artists, genres = catalog.lists("by", "artists")[row], catalog.lists("in", "genres")[row]
        return cls(frozenset(artists.tolist()), frozenset(genres.tolist()), frozenset(_works(catalog, row).tolist()))


def _works(catalog: Catalog, row: int) -> np.ndarray:
    """What is played together with a song."""
    if not space_of(catalog).together:
        return np.empty(0, np.int64)
    number = int(catalog.array("together_lists")[catalog.array("works")[row]])
    return catalog.lists("together", "works")[number] if number >= 0 else np.empty(0, np.int64)


class Comparison:
    """A point that stands for a seed, compared with songs.

    rows : of the songs, int64, shape (n_songs,); below, songs are numbered in this order
    """

    def __init__(self, catalog: Catalog, seed: Resolved, point: int, rows: np.ndarray):
        self._catalog, self._rows = catalog, rows.tolist()
        self._sample = Sample.of(catalog, tuple(ENDS))
        self._seed_row = seed.rows[point] if seed.rows else None
        self._values = self._of_both(seed.seed.features or {})
        curve = ranks(catalog)
        self._levels = {name: curve(name, values) for name, values in self._values.items()}
        self._ends = self._at_ends()
        self._near = self._alike(Points(space_of(catalog), seed.vectors[[point]], seed.known[[point]]), rows)
        self._tempo = self._same_tempo()
        self._named = Named() if self._seed_row is None else Named.of(catalog, self._seed_row)
        played = space_of(catalog).block("played")
        self._listed = played is not None and bool(seed.known[point, played.start])  # else by its artist's list

    def gaps(self, song: int) -> dict[str, float]:
        """Audio feature -> difference of the ranks of seed and song, 0..1, where both are known."""
        levels = {attribute.name: self._levels[attribute.name] for attribute in AUDIO}
        gaps = {name: abs(both.item(0) - both.item(song + 1)) for name, both in levels.items()}
        return {name: gap for name, gap in gaps.items() if gap >= 0}

    def reasons(self, song: int) -> list[Reason]:
        """What can be said of a song, the rarest first: one reason for each part, but two for sound."""
        said = {reason.part: reason for reason, near in self._near if near[song]}
        tempo = self._tempo[song]
        sound = [reason for reason in (tempo, self._words(song, "tempo" if tempo else None)) if reason]
        if sound:
            said.pop("audio", None)
        shared = (share(self._rows[song]) for share in (self._genres, self._artist, self._together))
        said |= {reason.part: reason for reason in shared if reason}
        if "together" in said:
            said.pop("played", None)
        return sorted([*said.values(), *sound], key=lambda reason: (-reason.bits, reason.text in _GENERIC))

    def _of_both(self, features: Mapping[str, float]) -> dict[str, np.ndarray]:
        """Values of the seed and then of the songs, float64, shape (n_songs + 1,), NaN where unknown."""
        rows = [self._seed_row or 0, *self._rows]
        values = {name: self._catalog.attribute(name).take(rows).astype(np.float64) for name in FEATURES}
        if self._seed_row is None:
            for name, both in values.items():
                both[0] = features.get(name, np.nan)
        return values

    def _at_ends(self) -> list[list[End]]:
        """At which ends of features both are, song by song."""
        found: list[list[End]] = [[] for _ in self._rows]
        for feature, word, about, sign, tail, least in _SIDES:
            levels, values = sign * self._levels[feature], self._values[feature]
            depths = np.maximum(levels[0], levels[1:])
            there = np.flatnonzero((depths <= tail) & (np.minimum(values[0], values[1:]) >= least))
            as_far = sets(sign * self._sample.levels[feature] <= depths[there, None])
            for song, songs in zip(there.tolist(), as_far):
                found[song].append(End(feature, word, about, songs))
        return found

    def _words(self, song: int, untold: str | None) -> Reason | None:
        """The rarest pair of words for both songs, or one: "both slow and acoustic"; none about ``untold``."""
        ends = [end for end in self._ends[song] if end.about != untold]
        alone: Sequence[tuple[End, ...]] = [(end,) for end in ends]
        pairs = [pair for pair in itertools.combinations(ends, 2) if pair[0].about != pair[1].about]
        rarest = min(pairs or alone, key=lambda told: _common(end.as_far for end in told).bit_count(), default=None)
        if rarest is None:
            return None
        text = f"both {' and '.join(end.word for end in rarest)}"
        return Reason(
            text,
            "audio",
            self._sample.bits(_common(end.as_far for end in rarest)),
            tuple(end.feature for end in rarest),
        )

    def _alike(self, point: Points, rows: np.ndarray) -> list[tuple[Reason, list[bool]]]:
        """For each block what can be said of songs that are similar in it, and which are."""
        catalog = self._catalog
        known = space_of(catalog).blocks_of(catalog.array("present").take(rows))
        songs = _similar(catalog, point, point.distances(catalog.array("vectors").take(rows, axis=0)), known)
        among = _similar(catalog, point, point.distances_of(self._sample.places), self._sample.known)
        return [
            (Reason(ALIKE[block.name], block.name, self._sample.bits(as_near)), near)
            for block, near, as_near in zip(space_of(catalog).blocks, songs.tolist(), sets(among))
            if block.name in ALIKE
        ]

    def _same_tempo(self) -> list[Reason | None]:
        tempos = self._values["tempo"]
        theirs = tempos[0]
        (as_near,) = sets(np.abs(self._sample.tempos[None] - theirs) <= SAME_TEMPO)
        bits = self._sample.bits(as_near)
        return [
            Reason(f"same tempo, {tempo:.0f} bpm", "audio", bits, ("tempo",))
            if tempo > 0 and abs(tempo - theirs) <= SAME_TEMPO
            else None
            for tempo in tempos[1:].tolist()
        ]

    def _genres(self, row: int) -> Reason | None:
        shared = [genre for genre in self._catalog.lists("in", "genres")[row].tolist() if genre in self._named.genres]
        if not shared:
            return None
        names = ", ".join(self._catalog.manifest["genres"][genre] for genre in shared[:NAMED])
        have_all = _common(self._sample.genres.get(genre, 0) for genre in shared[:NAMED])
        return Reason(f"shared genres: {names}", "genre", self._sample.bits(have_all))

    def _artist(self, row: int) -> Reason | None:
        artists = self._catalog.lists("by", "artists")[row].tolist()
        shared = next((artist for artist in artists if artist in self._named.artists), None)
        if shared is None:
            return None
        return Reason(f"also by {self._catalog.texts('artists')[shared]}", "artist", self._sample.bits(0))

    def _together(self, row: int) -> Reason | None:
        if int(self._catalog.array("works")[row]) not in self._named.together:
            return None
        text = "often in the same playlists" if self._listed else "often in playlists with this artist"
        return Reason(text, "together", self._sample.bits(0))


def _common(sets: Iterable[int]) -> int:
    """Who is in all of several sets."""
    return functools.reduce(operator.and_, sets)


def _similar(catalog: Catalog, point: Points, distances: np.ndarray, known: np.ndarray) -> np.ndarray:
    """In which blocks songs are similar to a point; bool, shape (n_blocks, n_songs), as ``known``: who has a block.

    distances : shape (n_blocks, 1, n_songs), in 1/``STEPS`` of the point's units
    """
    within = -math.log(SIMILAR) * REACH * STEPS / space_of(catalog).block_reaches
    there = (point.units > UNKNOWN) & (distances[:, 0] <= within[:, None])
    return np.asarray(there & known)
