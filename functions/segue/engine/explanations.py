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
from segue.engine.co_occurrence import SongRelations
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
from segue.limits import COMPARISON, EXPLAINED, charge, checked
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
POINTS_COMPARED = 32  # at a time: bounds the memory of a request with many seeds
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
class _SeedPoint:
    """A point that stands for a seed.

    number : of the seed
    row : of the song that the point is, None for raw features
    vector, known : shape (n_dims,), see :class:`segue.engine.scoring.SeedPoints`
    """

    number: int
    row: int | None
    features: Mapping[str, float]
    vector: np.ndarray
    known: np.ndarray
    relations: SongRelations

    @classmethod
    def of(cls, catalog: Catalog, number: int, seed: SeedPoints, of_seed: int) -> "_SeedPoint":
        """One of the points of a seed."""
        row = seed.rows[of_seed] if seed.rows else None
        has_playlists = bool(space_of(catalog).co_occurrence_weight)
        relations = SongRelations() if row is None else SongRelations.of(catalog, row, has_playlists)
        return cls(number, row, seed.seed.features or {}, seed.vectors[of_seed], seed.known[of_seed], relations)


class Comparison:
    """Songs, each compared with a point that stands for a seed.

    points : number of the point of each song among those of all seeds, int64, shape (n_songs,)
    rows : of the songs, int64, the same shape; below, songs are numbered in this order
    """

    def __init__(self, catalog: Catalog, seeds: Sequence[SeedPoints], points: np.ndarray, rows: np.ndarray):
        self._catalog, self._rows = catalog, rows.tolist()
        self._sample = Sample.of(catalog, tuple(TAIL_WORDS))
        chosen, numbers = np.unique(points, return_inverse=True)
        self._numbers = numbers.tolist()  # of each song's point among those chosen
        of_points = [(number, of_seed) for number, seed in enumerate(seeds) for of_seed in range(len(seed.vectors))]
        self._seeds = [
            _SeedPoint.of(catalog, number, seeds[number], of_seed)
            for number, of_seed in (of_points[point] for point in chosen.tolist())
        ]
        transform, values = rank_transform(catalog), self._features_of_seeds_and_songs()
        ranks = {name: transform(name, column) for name, column in values.items()}
        self._values, self._ranks = (  # of each song's seed, and of the songs, both of shape (n_songs,)
            {name: (column[numbers], column[len(self._seeds) :]) for name, column in columns.items()}
            for columns in (values, ranks)
        )
        self._shared_tails = self._find_shared_tails()
        self._block_reasons = self._find_block_reasons(numbers, rows)
        self._tempo_reasons = self._find_tempo_reasons()

    def seed_number(self, song: int) -> int:
        """The number of the seed that a song is compared with."""
        return self._seed_of(song).number

    def rank_gaps(self, song: int) -> dict[str, float]:
        """Audio feature -> difference of the ranks of seed and song, 0..1, where both are known."""
        levels = {attribute.name: self._ranks[attribute.name] for attribute in AUDIO_FEATURES}
        gaps = {name: abs(seeds.item(song) - songs.item(song)) for name, (seeds, songs) in levels.items()}
        return {name: gap for name, gap in gaps.items() if gap >= 0}

    def reasons(self, song: int) -> list[Reason]:
        """The reasons for a song, the rarest first: one for each part of the score, but up to two for sound."""
        by_part = {reason.part: reason for reason in self._block_reasons[song]}
        tempo_reason = self._tempo_reasons[song]
        audio_reasons = [
            reason for reason in (tempo_reason, self._tail_reason(song, "tempo" if tempo_reason else None)) if reason
        ]
        if audio_reasons:
            by_part.pop("audio", None)
        shared = (share(song) for share in (self._genre_reason, self._artist_reason, self._co_occurrence_reason))
        by_part |= {reason.part: reason for reason in shared if reason}
        if "co_occurrence" in by_part:
            by_part.pop("played", None)
        return sorted(
            [*by_part.values(), *audio_reasons], key=lambda reason: (-reason.bits, reason.text in _GENERIC_PHRASES)
        )

    def _features_of_seeds_and_songs(self) -> dict[str, np.ndarray]:
        """Values of the seeds and then of the songs, float64, shape (n_seeds + n_songs,), NaN where unknown."""
        rows = [*(seed.row or 0 for seed in self._seeds), *self._rows]
        values = {name: self._catalog.attribute(name, rows).astype(np.float64) for name in COMPARED_FEATURES}
        for position, seed in enumerate(self._seeds):
            if seed.row is None:
                for name, column in values.items():
                    column[position] = seed.features.get(name, np.nan)
        return values

    def _find_shared_tails(self) -> list[list[SharedTail]]:
        """In which tails of features both are, song by song."""
        found: list[list[SharedTail]] = [[] for _ in self._rows]
        for feature, word, about, sign, tail, least in _TAILS:
            depths = np.multiply(sign, self._ranks[feature]).max(axis=0)
            in_tail = np.flatnonzero((depths <= tail) & (np.minimum(*self._values[feature]) >= least))
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

    def _find_block_reasons(self, numbers: np.ndarray, rows: np.ndarray) -> list[list[Reason]]:
        """For each song the reasons of the blocks in which it is similar."""
        blocks = space_of(self._catalog).blocks
        song_known = space_of(self._catalog).known_blocks(self._catalog.take("present", rows))
        found: list[list[Reason]] = [[] for _ in self._rows]
        for start in checked(range(0, len(self._seeds), POINTS_COMPARED)):
            seeds = self._seeds[start : start + POINTS_COMPARED]
            charge(COMPARISON, len(seeds) * (len(self._sample.known[0]) + len(rows)))
            vectors, known = np.stack([seed.vector for seed in seeds]), np.stack([seed.known for seed in seeds])
            points = Points(space_of(self._catalog), vectors, known)
            songs = np.flatnonzero((numbers >= start) & (numbers < start + len(seeds)))
            of_song = numbers[songs] - start
            distances = points.distances(self._catalog.take("vectors", rows[songs]))
            distances = distances[:, of_song, np.arange(len(songs))]
            near = _similar_blocks(self._catalog, points.units[:, of_song], distances) & song_known[:, songs]
            in_sample = _similar_blocks(
                self._catalog, points.units[:, :, None], points.distances_to_prepared(self._sample.vectors)
            )
            in_sample &= self._sample.known[:, None]
            for number, block in enumerate(blocks):
                if block.name not in SILENT_BLOCKS:
                    rarities = [self._sample.bits(songs) for songs in bitsets(in_sample[number])]
                    text = _block_phrase(block.name)
                    for position in np.flatnonzero(near[number]).tolist():
                        reason = Reason(text, block.name, rarities[int(of_song[position])])
                        found[int(songs[position])].append(reason)
        return found

    def _find_tempo_reasons(self) -> list[Reason | None]:
        seed_tempos, tempos = self._values["tempo"]
        same = np.flatnonzero((tempos > 0) & (np.abs(tempos - seed_tempos) <= SAME_TEMPO))
        as_fast = bitsets(np.abs(self._sample.tempos - seed_tempos[same, None]) <= SAME_TEMPO)
        found: list[Reason | None] = [None for _ in self._rows]
        for song, songs in zip(same.tolist(), as_fast):
            text = f"same tempo, {tempos[song]:.0f} bpm"
            found[song] = Reason(text, "audio", self._sample.bits(songs), ("tempo",))
        return found

    def _genre_reason(self, song: int) -> Reason | None:
        of_seed = self._seed_of(song).relations.genres
        shared = [
            genre for genre in self._catalog.lists("song", "genres")[self._rows[song]].tolist() if genre in of_seed
        ]
        if not shared:
            return None
        names = ", ".join(self._catalog.manifest["genres"][genre] for genre in shared[:MAX_GENRES_NAMED])
        have_all = _intersection(self._sample.genres.get(genre, 0) for genre in shared[:MAX_GENRES_NAMED])
        return Reason(f"shared genres: {names}", "genre", self._sample.bits(have_all))

    def _artist_reason(self, song: int) -> Reason | None:
        of_seed = self._seed_of(song).relations.artists
        artists = self._catalog.lists("song", "artists")[self._rows[song]].tolist()
        shared = next((artist for artist in artists if artist in of_seed), None)
        if shared is None:
            return None
        return Reason(f"also by {self._catalog.texts('artists')[shared]}", "artist", self._sample.bits(0))

    def _co_occurrence_reason(self, song: int) -> Reason | None:
        if int(self._catalog.take("works", self._rows[song])) not in self._seed_of(song).relations.neighbours:
            return None
        played = space_of(self._catalog).block("played")
        in_playlists = played is not None and self._seed_of(song).known[played.start]
        # if not, what is known from playlists is about its artist
        text = "often in the same playlists" if in_playlists else "often in playlists with this artist"
        return Reason(text, "co_occurrence", self._sample.bits(0))

    def _seed_of(self, song: int) -> _SeedPoint:
        return self._seeds[self._numbers[song]]


def _intersection(bitsets: Iterable[int]) -> int:
    """The songs that are in all of several sets."""
    return functools.reduce(operator.and_, bitsets)


def _similar_blocks(catalog: Catalog, units: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """In which blocks songs are similar to points, if they have them; bool, shape (n_blocks, ...).

    units : of the points, in a shape that goes with that of the distances
    distances : shape (n_blocks + 1, ...), in 1/``STEPS_PER_UNIT`` of the points' units
    """
    max_distances = -math.log(MIN_SIMILARITY) * LOCAL_SCALE * STEPS_PER_UNIT / space_of(catalog).block_scales
    max_distances = max_distances.reshape(-1, *[1] * (distances.ndim - 1))
    return np.asarray((units > UNKNOWN_UNIT) & (distances[:-1] <= max_distances))


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
    charge(EXPLAINED, len(rows))
    parts = scorer.parts(rows)
    query_reasons, scaled_parts = _query_reasons(scorer, rows, parts), _scale_to_scores(parts, scores)
    closest = scorer.closest_points(rows)
    comparison = Comparison(catalog, seeds, closest, rows)
    return [
        _explanation(comparison, song, query_reasons[song], scaled_parts[song]) for song in checked(range(len(rows)))
    ]


def _explanation(
    comparison: Comparison, song: int, query_reasons: list[str], parts: Mapping[str, float]
) -> Explanation:
    strong = [reason for reason in comparison.reasons(song) if reason.bits >= MIN_BITS and parts.get(reason.part)]
    reasons = (*query_reasons, *(reason.text for reason in strong[: MAX_REASONS - len(query_reasons)]))
    rank_gaps = comparison.rank_gaps(song)
    for feature in itertools.chain.from_iterable(reason.features for reason in strong):
        rank_gaps.pop(feature, None)
    farthest = max(rank_gaps, key=lambda name: rank_gaps[name], default=None)
    if farthest is not None and rank_gaps[farthest] <= SAME_RANK:
        farthest = None
    return Explanation(comparison.seed_number(song), reasons or ("the closest of what is left",), farthest, parts)


def _scale_to_scores(parts: Mapping[str, np.ndarray], scores: np.ndarray) -> list[dict[str, float]]:
    """Of each song the parts, so that they add up to its score and not to what it was before rounding."""
    shape = len(parts), len(scores)  # no parts where nothing is known of the seed
    stacked = np.array(list(parts.values())).reshape(shape)
    total = stacked.sum(axis=0)
    scaled = np.where(total, scores * stacked / np.where(total, total, 1), 0)
    return [dict(zip(parts, each)) for each in scaled.T.tolist()]


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
