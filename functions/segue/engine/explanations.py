"""Why a song was recommended, in words and in parts of its score.

Each reason has a rarity in bits, counted among a sample of the catalogue: a statement that is true of half of all
songs has one bit. Sets of the sample's songs are *bitsets*, whole numbers whose bit n is set for song n, so that an
intersection is one operation. All songs of a list are compared at once: otherwise most of the time would go into
calls on a few numbers each.
"""

import functools
import itertools
import math
import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segue.catalog.catalog import Catalog, sample_rows
from segue.engine.co_occurrence import neighbour_works
from segue.engine.scoring import TARGETS_WEIGHT, Scorer, SeedPoints
from segue.engine.space import (
    LOCAL_SCALE,
    STEPS_PER_UNIT,
    UNKNOWN_UNIT,
    Points,
    PreparedVectors,
    rank_transform,
    space_of,
)
from segue.limits import checked
from segue.query.schema import AUDIO_FEATURES

MIN_SIMILARITY = 0.5  # similarity in a block from which it is a reason; a random pair is at 0.24
TAIL_RANK = 0.3  # rank up to which a song is slow, quiet, ..., and as far from the other end fast, loud, ...
SAME_TEMPO = 2.0  # beats per minute
MAX_GENRES_NAMED = 3  # of the shared genres
BLOCK_PHRASES = {
    "audio": "a similar sound",
    "genre": "related genres",
    "artist": "similar artist",
    "popularity": "about as well known",
    "year": "from about the same time",
    "occasion": "for the same occasion or use",
    "played": "on similar playlists",
}
SILENT_BLOCKS = ("explicit", "words")  # that are no reason by themselves; any other block is one of a table's labels
PART_KEYS = {"popularity": "fame", "co_occurrence": "together"}  # of answers, where they differ from the names here
# feature -> what songs are called in its low and its high tail, and what the words are about; most songs lie in
# tails that have no word
TAIL_WORDS = {
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
# values from which a word is true of a song by itself, as the Spotify Web API documents the features
MIN_VALUES = {"instrumentalness": 0.5, "speechiness": 0.33, "liveness": 0.8, "acousticness": 0.5}
_TAILS = tuple(
    (feature, word, about, sign, tail, least)
    for feature, (low, high, about) in TAIL_WORDS.items()
    for word, sign, tail, least in (
        (low, 1, TAIL_RANK, -np.inf),
        (high, -1, TAIL_RANK - 1, MIN_VALUES.get(feature, -np.inf)),
    )
    if word
)
COMPARED_FEATURES = tuple(dict.fromkeys((*TAIL_WORDS, *(attribute.name for attribute in AUDIO_FEATURES))))
_GENERIC_PHRASES = tuple(BLOCK_PHRASES.values())
MAX_REASONS = 3
SAME_RANK = 0.08  # difference of ranks up to which two values are called the same
MIN_BITS = 1.0  # bits from which a reason is worth giving: it is true of less than half of all songs


@dataclass(frozen=True, slots=True)
class Sample:
    """Songs that stand for the catalogue.

    vectors : their vectors
    known : bool, shape (n_blocks, n_songs), which blocks they have
    levels : feature -> ranks, float64, 0..1, shape (n_songs,), NaN where unknown
    tempos : beats per minute, shape (n_songs,)
    genres : genre -> the bitset of songs that have it
    """

    vectors: PreparedVectors
    known: np.ndarray
    levels: Mapping[str, np.ndarray]
    tempos: np.ndarray
    genres: Mapping[int, int]

    @classmethod
    def of(cls, catalog: Catalog, features: tuple[str, ...]) -> "Sample":
        """The catalogue's, made once; ``features`` are those whose levels are needed."""
        return catalog.cached(("sample", features), lambda: cls._build(catalog, features))

    @classmethod
    def _build(cls, catalog: Catalog, features: tuple[str, ...]) -> "Sample":
        space, transform = space_of(catalog), rank_transform(catalog)
        rows = sample_rows(len(catalog))
        catalog.prefetch_sample()
        return cls(
            PreparedVectors(space, catalog.take("vectors", rows)),
            space.known_blocks(catalog.take("present", rows)),
            {name: transform(name, catalog.attribute(name, rows).astype(np.float64)) for name in features},
            catalog.attribute("tempo", rows),
            _genre_sets(catalog, rows),
        )

    def bits(self, songs: int) -> float:
        """How rare a statement is that is true of a set of songs: 1 if they are half of the sample."""
        return math.log2((len(self.tempos) + 1) / (songs.bit_count() + 1))


def _block_phrase(block: str) -> str:
    return BLOCK_PHRASES.get(block, f"similar {block}")


def bitsets(true_of: np.ndarray) -> list[int]:
    """Rows of bool, shape (n_sets, n_songs), as bitsets."""
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(true_of, axis=1, bitorder="little")]


def _genre_sets(catalog: Catalog, rows: np.ndarray) -> Mapping[int, int]:
    found, counts = catalog.lists("song", "genres").gather(rows)
    genres: defaultdict[int, int] = defaultdict(int)
    for song, genre in zip(np.repeat(np.arange(len(rows)), counts).tolist(), found.tolist()):
        genres[genre] |= 1 << song
    return genres


@dataclass(frozen=True, slots=True)
class Reason:
    """A statement that is true of both seed and song.

    part : of the score that it explains
    bits : how rare it is
    features : the audio features that it is about
    """

    text: str
    part: str
    bits: float
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedTail:
    """A tail of a feature's distribution in which both songs are.

    extreme_songs : the bitset of the sample's songs that are as far in it
    """

    feature: str
    word: str
    about: str
    extreme_songs: int


@dataclass(frozen=True, slots=True)
class SongRelations:
    """What a song may have in common with others by name: its artists, its genres, the works it co-occurs with."""

    artists: frozenset[int] = frozenset()
    genres: frozenset[int] = frozenset()
    neighbours: frozenset[int] = frozenset()

    @classmethod
    def of(cls, catalog: Catalog, row: int) -> "SongRelations":
        """A song's."""
        artists, genres = catalog.lists("song", "artists")[row], catalog.lists("song", "genres")[row]
        neighbours = neighbour_works(catalog, row)[0] if space_of(catalog).co_occurrence_weight else np.empty(0)
        return cls(*(frozenset(numbers.tolist()) for numbers in (artists, genres, neighbours)))


class Comparison:
    """A point that stands for a seed, compared with songs.

    rows : of the songs, int64, shape (n_songs,); below, songs are numbered in this order
    """

    def __init__(self, catalog: Catalog, seed: SeedPoints, point: int, rows: np.ndarray):
        self._catalog, self._rows = catalog, rows.tolist()
        self._sample = Sample.of(catalog, tuple(TAIL_WORDS))
        self._seed_row = seed.rows[point] if seed.rows else None
        self._values = self._seed_and_song_values(seed.seed.features or {})
        transform = rank_transform(catalog)
        self._ranks = {name: transform(name, values) for name, values in self._values.items()}
        self._shared_tails = self._find_shared_tails()
        self._reasons_by_block = self._block_reasons(
            Points(space_of(catalog), seed.vectors[[point]], seed.known[[point]]), rows
        )
        self._tempo_by_song = self._tempo_reasons()
        self._relations = SongRelations() if self._seed_row is None else SongRelations.of(catalog, self._seed_row)
        played = space_of(catalog).block("played")
        # if not, what is known from playlists is about its artist
        self._seed_in_playlists = played is not None and bool(seed.known[point, played.start])

    def rank_gaps(self, song: int) -> dict[str, float]:
        """Audio feature -> difference of the ranks of seed and song, 0..1, where both are known."""
        levels = {attribute.name: self._ranks[attribute.name] for attribute in AUDIO_FEATURES}
        gaps = {name: abs(both.item(0) - both.item(song + 1)) for name, both in levels.items()}
        return {name: gap for name, gap in gaps.items() if gap >= 0}

    def reasons(self, song: int) -> list[Reason]:
        """The reasons for a song, the rarest first: one for each part of the score, but up to two for sound."""
        by_part = {reason.part: reason for reason, is_near in self._reasons_by_block if is_near[song]}
        tempo_reason = self._tempo_by_song[song]
        audio_reasons = [
            reason for reason in (tempo_reason, self._tail_reason(song, "tempo" if tempo_reason else None)) if reason
        ]
        if audio_reasons:
            by_part.pop("audio", None)
        shared = (
            share(self._rows[song]) for share in (self._genre_reason, self._artist_reason, self._co_occurrence_reason)
        )
        by_part |= {reason.part: reason for reason in shared if reason}
        if "co_occurrence" in by_part:
            by_part.pop("played", None)
        return sorted(
            [*by_part.values(), *audio_reasons], key=lambda reason: (-reason.bits, reason.text in _GENERIC_PHRASES)
        )

    def _seed_and_song_values(self, features: Mapping[str, float]) -> dict[str, np.ndarray]:
        """Values of the seed and then of the songs, float64, shape (n_songs + 1,), NaN where unknown."""
        rows = [self._seed_row or 0, *self._rows]
        values = {name: self._catalog.attribute(name, rows).astype(np.float64) for name in COMPARED_FEATURES}
        if self._seed_row is None:
            for name, both in values.items():
                both[0] = features.get(name, np.nan)
        return values

    def _find_shared_tails(self) -> list[list[SharedTail]]:
        """In which tails of features both are, song by song."""
        found: list[list[SharedTail]] = [[] for _ in self._rows]
        for feature, word, about, sign, tail, least in _TAILS:
            levels, values = sign * self._ranks[feature], self._values[feature]
            depths = np.maximum(levels[0], levels[1:])
            in_tail = np.flatnonzero((depths <= tail) & (np.minimum(values[0], values[1:]) >= least))
            extreme = bitsets(sign * self._sample.levels[feature] <= depths[in_tail, None])
            for song, songs in zip(in_tail.tolist(), extreme):
                found[song].append(SharedTail(feature, word, about, songs))
        return found

    def _tail_reason(self, song: int, excluded: str | None) -> Reason | None:
        """The rarest pair of words for both songs, or one: "both slow and acoustic"; none about ``excluded``."""
        tails = [tail for tail in self._shared_tails[song] if tail.about != excluded]
        singles: Sequence[tuple[SharedTail, ...]] = [(tail,) for tail in tails]
        pairs = [pair for pair in itertools.combinations(tails, 2) if pair[0].about != pair[1].about]
        rarest = min(
            pairs or singles,
            key=lambda pair: _intersection(tail.extreme_songs for tail in pair).bit_count(),
            default=None,
        )
        if rarest is None:
            return None
        text = f"both {' and '.join(tail.word for tail in rarest)}"
        return Reason(
            text,
            "audio",
            self._sample.bits(_intersection(tail.extreme_songs for tail in rarest)),
            tuple(tail.feature for tail in rarest),
        )

    def _block_reasons(self, point: Points, rows: np.ndarray) -> list[tuple[Reason, list[bool]]]:
        """For each block the reason for songs that are similar in it, and which songs are."""
        catalog = self._catalog
        known = space_of(catalog).known_blocks(catalog.take("present", rows))
        song_mask = _similar_blocks(catalog, point, point.distances(catalog.take("vectors", rows)), known)
        sample_mask = _similar_blocks(
            catalog, point, point.distances_to_prepared(self._sample.vectors), self._sample.known
        )
        return [
            (Reason(_block_phrase(block.name), block.name, self._sample.bits(sample_set)), near)
            for block, near, sample_set in zip(space_of(catalog).blocks, song_mask.tolist(), bitsets(sample_mask))
            if block.name not in SILENT_BLOCKS
        ]

    def _tempo_reasons(self) -> list[Reason | None]:
        tempos = self._values["tempo"]
        seed_tempo = tempos[0]
        (same_tempo,) = bitsets(np.abs(self._sample.tempos[None] - seed_tempo) <= SAME_TEMPO)
        bits = self._sample.bits(same_tempo)
        return [
            Reason(f"same tempo, {tempo:.0f} bpm", "audio", bits, ("tempo",))
            if tempo > 0 and abs(tempo - seed_tempo) <= SAME_TEMPO
            else None
            for tempo in tempos[1:].tolist()
        ]

    def _genre_reason(self, row: int) -> Reason | None:
        shared = [
            genre for genre in self._catalog.lists("song", "genres")[row].tolist() if genre in self._relations.genres
        ]
        if not shared:
            return None
        names = ", ".join(self._catalog.manifest["genres"][genre] for genre in shared[:MAX_GENRES_NAMED])
        have_all = _intersection(self._sample.genres.get(genre, 0) for genre in shared[:MAX_GENRES_NAMED])
        return Reason(f"shared genres: {names}", "genre", self._sample.bits(have_all))

    def _artist_reason(self, row: int) -> Reason | None:
        artists = self._catalog.lists("song", "artists")[row].tolist()
        shared = next((artist for artist in artists if artist in self._relations.artists), None)
        if shared is None:
            return None
        return Reason(f"also by {self._catalog.texts('artists')[shared]}", "artist", self._sample.bits(0))

    def _co_occurrence_reason(self, row: int) -> Reason | None:
        if int(self._catalog.take("works", row)) not in self._relations.neighbours:
            return None
        text = "often in the same playlists" if self._seed_in_playlists else "often in playlists with this artist"
        return Reason(text, "co_occurrence", self._sample.bits(0))


def _intersection(bitsets: Iterable[int]) -> int:
    """The songs that are in all of several sets."""
    return functools.reduce(operator.and_, bitsets)


def _similar_blocks(catalog: Catalog, point: Points, distances: np.ndarray, known: np.ndarray) -> np.ndarray:
    """In which blocks songs are similar to a point; bool, shape (n_blocks, n_songs), as ``known``: who has a block.

    distances : shape (n_blocks + 1, 1, n_songs), in 1/``STEPS_PER_UNIT`` of the point's units
    """
    max_distance = -math.log(MIN_SIMILARITY) * LOCAL_SCALE * STEPS_PER_UNIT / space_of(catalog).block_scales
    similar = (point.units > UNKNOWN_UNIT) & (distances[:-1, 0] <= max_distance[:, None])
    return np.asarray(similar & known)


@dataclass(frozen=True, slots=True)
class Explanation:
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
            "parts": {PART_KEYS.get(name, name): round(part, 9) for name, part in self.parts.items()},
        }


def explain(
    catalog: Catalog, scorer: Scorer, seeds: Sequence[SeedPoints], rows: np.ndarray, scores: np.ndarray
) -> list[Explanation]:
    """Explain recommendations, in their order."""
    if not len(rows):
        return []
    parts = scorer.parts(rows)
    query_reasons, scaled_parts = _query_reasons(scorer, rows, parts), _scale_to_scores(parts, scores)
    closest = scorer.closest_points(rows)
    explanations: dict[int, Explanation] = {}
    for point in checked(np.unique(closest).tolist()):
        positions = np.flatnonzero(closest == point)
        number, point_of_seed = _seed_of(seeds, point)
        comparison = Comparison(catalog, seeds[number], point_of_seed, rows[positions])
        for song, position in enumerate(positions.tolist()):
            explanations[position] = _explanation(
                number, comparison, song, query_reasons[position], scaled_parts[position]
            )
    return [explanations[position] for position in range(len(rows))]


def _explanation(
    number: int, comparison: Comparison, song: int, query_reasons: list[str], parts: Mapping[str, float]
) -> Explanation:
    strong = [reason for reason in comparison.reasons(song) if reason.bits >= MIN_BITS and parts.get(reason.part)]
    reasons = (*query_reasons, *(reason.text for reason in strong[: MAX_REASONS - len(query_reasons)]))
    rank_gaps = comparison.rank_gaps(song)
    for feature in itertools.chain.from_iterable(reason.features for reason in strong):
        rank_gaps.pop(feature, None)
    farthest = max(rank_gaps, key=lambda name: rank_gaps[name], default=None)
    if farthest is not None and rank_gaps[farthest] <= SAME_RANK:
        farthest = None
    return Explanation(number, reasons or ("the closest of what is left",), farthest, parts)


def _scale_to_scores(parts: Mapping[str, np.ndarray], scores: np.ndarray) -> list[dict[str, float]]:
    """Of each song the parts, so that they add up to its score and not to what it was before rounding."""
    shape = len(parts), len(scores)  # no parts where nothing is known of the seed
    stacked = np.array(list(parts.values())).reshape(shape)
    total = stacked.sum(axis=0)
    scaled = np.where(total, scores * stacked / np.where(total, total, 1), 0)
    return [dict(zip(parts, each)) for each in scaled.T.tolist()]


def _seed_of(seeds: Sequence[SeedPoints], point: int) -> tuple[int, int]:
    """The seed that a point stands for, and which of its points it is."""
    ends = np.cumsum([len(seed.vectors) for seed in seeds])
    number = int(np.searchsorted(ends, point, side="right"))
    return number, point - int(ends[number]) + len(seeds[number].vectors)


def _query_reasons(scorer: Scorer, rows: np.ndarray, parts: Mapping[str, np.ndarray]) -> list[list[str]]:
    """For each song the reasons about targets and about seeds to avoid, where they are true."""
    reasons: list[list[str]] = [[] for _ in rows]
    for position in np.flatnonzero(parts.get("targets", np.zeros(0)) >= MIN_SIMILARITY * TARGETS_WEIGHT):
        reasons[position].append("near to your targets")
    negative = scorer.weights < 0
    if negative.any():
        for position in np.flatnonzero((scorer.block_similarities(rows)[negative] < MIN_SIMILARITY).all(axis=0)):
            reasons[position].append("unlike what you asked to avoid")
    return reasons
