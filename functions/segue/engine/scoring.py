"""How well a song answers a query: a number in 0..1 whose parts add up to it.

    score = (1 - t) * sum over seeds of |w| / W * s(seed, song)  +  t * mean similarity to the targets

``s`` is the space's similarity for a seed with a positive weight and 1 less the similarity for a negative one, ``W``
the sum of all ``|w|``, ``t`` is 0 without targets and ``TARGETS_WEIGHT`` with any. The similarity to a target is 1
less the difference of the ranks of value and target, 0 where the song lacks the attribute.

Several seeds so combine by a soft minimum of their distances and not by their mean: a song need only be near to one
of them. An artist or genre spreads its weight over the songs that stand for it.

*Approximate scores* cost a fifth, and only the songs that are best by them are rescored. They are by product
quantization: in each block a song has the number of the nearest of a few hundred centroids and of the nearest of
``SCALE_LEVELS`` local scales, together its *PQ code*. A query computes once, in a table, what every code contributes,
whatever the number of its points; a song's approximate score is a look-up and a sum over the blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.engine.space import (
    LOCAL_SCALE,
    UNKNOWN_UNIT,
    Points,
    Space,
    approximate_kernel,
    exponential_kernel,
    prepared_vectors,
    rank_transform,
    space_of,
)
from segue.query.schema import Seed

SCALE_LEVELS = 8  # of local scales, from half of LOCAL_SCALE to twice of it
LEVEL_SCALES = (LOCAL_SCALE * 2.0 ** (2 * np.arange(SCALE_LEVELS) / (SCALE_LEVELS - 1) - 1)).astype(np.float32)
TARGETS_WEIGHT = 0.5
MAX_BATCH = 131_072  # numbers held at a time, songs x blocks x points: they stay in the processor's cache
CELL_BATCH = 256  # whose means are taken: bounds the memory of a request with a target
POINT_BATCH = 32  # while a query's tables are computed: bounds the memory of a request with many seeds
SCORE_DIGITS = 6  # to which scores are rounded, so that equal songs tie on every machine


@dataclass(frozen=True, slots=True)
class SeedPoints:
    """A seed and the points of the space that stand for it: those of songs, or one made of raw features.

    rows : of the songs that stand for it; none for raw features
    vectors : int8, shape (n_points, n_dims)
    known : bool, the same shape: the columns in which each point is compared
    """

    seed: Seed
    rows: tuple[int, ...]
    vectors: np.ndarray
    known: np.ndarray

    @property
    def is_song(self) -> bool:
        """Whether the seed is one song, by id or by title."""
        return self.seed.id is not None or self.seed.song is not None


class ScoredRows(NamedTuple):
    """Songs and their scores.

    rows, scores : int64 and float64, shape (n_found,)
    """

    rows: np.ndarray
    scores: np.ndarray

    def select(self, chosen: np.ndarray) -> "ScoredRows":
        """Those for which ``chosen`` is true, or whose positions it holds."""
        return ScoredRows(self.rows[chosen], self.scores[chosen])

    def followed_by(self, others: "ScoredRows") -> "ScoredRows":
        """These and then others."""
        return ScoredRows(*(np.concatenate(both) for both in zip(self, others)))

    def best_first(self) -> "ScoredRows":
        """The same by falling score; equal scores by row."""
        return self.select(np.lexsort((self.rows, -self.scores)))


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Songs that co-occur in playlists with points that stand for seeds; all three of shape (n_neighbours,).

    rows : of the songs, every version of each
    points : numbers of the points
    weights : float32, 1 for the song that co-occurs most with a point, falling to 0
    """

    rows: np.ndarray
    points: np.ndarray
    weights: np.ndarray


NO_NEIGHBOURS = Neighbours(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def co_occurring(catalog: Catalog, seeds: Sequence[SeedPoints]) -> Neighbours:
    """The co-occurrence neighbours of all songs that stand for seeds; raw features have none."""
    songs_of_work = catalog.lists("work", "songs")
    found, first_point = [], 0
    for seed in seeds:
        for point, row in enumerate(seed.rows, first_point):
            works, weights = neighbour_works(catalog, row)
            if len(works):
                versions = [songs_of_work[int(work)] for work in works]
                rows = np.concatenate(versions).astype(np.int64)
                found.append((rows, np.full(len(rows), point), np.repeat(weights, [len(each) for each in versions])))
        first_point += len(seed.vectors)
    return Neighbours(*map(np.concatenate, zip(*found))) if found else NO_NEIGHBOURS


def neighbour_works(catalog: Catalog, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The works that co-occur with a song in playlists, and their weights, float32."""
    number = int(catalog.take("neighbour_lists", catalog.take("works", row)))
    if number < 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    weights = catalog.lists("neighbour", "weights")[number].astype(np.float32)
    return catalog.lists("neighbour", "works")[number], weights


def scale_levels(local_scales: np.ndarray) -> np.ndarray:
    """The level of each local scale, 0..SCALE_LEVELS - 1."""
    levels = (np.log2(local_scales / LOCAL_SCALE) + 1) / 2 * (SCALE_LEVELS - 1)
    return np.clip(np.rint(levels), 0, SCALE_LEVELS - 1).astype(np.int64)


def sum_look_ups(tables: np.ndarray, pq_codes: np.ndarray) -> np.ndarray:
    """Sums over the blocks of what PQ codes contribute, float32, shape (n_songs,).

    tables : float32, shape (n_blocks, SCALE_LEVELS * n_centroids)
    pq_codes : uint16, shape (n_songs, n_blocks)
    """
    total = tables[0].take(pq_codes[:, 0])
    for number in range(1, len(tables)):
        total += tables[number].take(pq_codes[:, number])
    return total


class Scorer:
    """Scores rows of a catalogue for one query's seeds and targets.

    weights : float32, shape (n_points,), of the points that stand for the seeds; absolute values sum to 1
    block_weights : float32, shape (n_blocks, n_points), of each block in a point's similarity
    neighbour_rows : sorted rows of the seeds' co-occurrence neighbours: candidates wherever they lie
    kind : "song" for nothing but one song, whose best lie in few cells; "sound" for nothing but raw features, whose
        best lie anywhere; else "mixture"
    """

    def __init__(self, catalog: Catalog, seeds: Sequence[SeedPoints], targets: Mapping[str, float]):
        self._catalog = catalog
        self._space = space = space_of(catalog)
        self._seeds = seeds
        vectors, known = (np.concatenate(parts) for parts in zip(*((seed.vectors, seed.known) for seed in seeds)))
        self._points = Points(space, vectors, known)
        self._from_features = np.repeat([not seed.rows for seed in seeds], [len(seed.vectors) for seed in seeds])
        self._any_from_features = bool(self._from_features.any())
        self.weights = _point_weights(seeds)
        self._neighbours = co_occurring(catalog, seeds) if space.co_occurrence_weight else NO_NEIGHBOURS
        self.block_weights, self._neighbour_weights = _block_and_neighbour_weights(
            space, self._points.units, self._neighbours
        )
        self._block_point_weights = self.block_weights * self.weights
        self._negative_weight = float(np.maximum(-self.weights.astype(np.float64), 0).sum())
        self.neighbour_rows, self._neighbour_scores = _neighbour_scores(
            self._neighbours, self.weights, self._neighbour_weights
        )
        self._targets = {
            name: float(rank_transform(catalog)(name, np.array([value]))[0]) for name, value in targets.items()
        }
        self._targets_weight = TARGETS_WEIGHT if targets else 0.0
        self.kind = _query_kind(seeds, targets)

    def __len__(self) -> int:
        return len(self._from_features)

    @property
    def values_per_song(self) -> int:
        """Numbers that are held for each song while it is scored."""
        return self.block_weights.size

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Scores of rows, float64, shape (len(rows),), rounded to ``SCORE_DIGITS``."""
        self._catalog.prefetch_rows(rows, "vectors", "local_scales")
        batch = max(1, MAX_BATCH // max(self.values_per_song, len(self._space.spread)))
        scores = []
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            terms = self._weighted_sum(self._kernel(part))
            if len(self.neighbour_rows):
                position = np.minimum(np.searchsorted(self.neighbour_rows, part), len(self.neighbour_rows) - 1)
                terms += np.where(self.neighbour_rows[position] == part, self._neighbour_scores[position], 0)
            scores.append(self._add_targets(terms, self._target_values(part)).round(SCORE_DIGITS))
        return np.concatenate(scores) if scores else np.empty(0)

    def _target_values(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What rows have of the attributes that have a target."""
        return {name: self._catalog.attribute(name, rows) for name in self._targets}

    def _add_targets(self, terms: np.ndarray, values: Mapping[str, np.ndarray]) -> np.ndarray:
        if not self._targets:
            return terms
        return (1 - self._targets_weight) * terms + self._targets_weight * self._target_similarities(values)

    def _weighted_sum(self, kernel: np.ndarray) -> np.ndarray:
        """In float64, so that a song's score does not depend on those it is scored with."""
        return (
            self._block_point_weights.reshape(-1).astype(np.float64) @ kernel.reshape(self.values_per_song, -1)
            + self._negative_weight
        )

    def approximate_scores(self, rows: np.ndarray) -> np.ndarray:
        """Approximate scores of rows by their PQ codes, without co-occurrence; float32, shape (len(rows),)."""
        terms = sum_look_ups(self._pq_tables, self._catalog.take("pq_codes", rows))
        return self._add_targets(terms, self._target_values(rows))

    @cached_property
    def _pq_tables(self) -> np.ndarray:
        distances = self._points.distances_to_prepared(prepared_vectors(self._catalog, "pq_centroids"))
        scales = np.broadcast_to(self._scales_towards_points(LEVEL_SCALES), (len(self), SCALE_LEVELS))[:, :, None]
        tables = np.zeros((len(distances), SCALE_LEVELS, distances.shape[2]), np.float32)
        for start in range(0, len(self), POINT_BATCH):
            points = slice(start, start + POINT_BATCH)
            kernel = approximate_kernel(distances[:, points, None] / scales[points])
            for number, of_point in enumerate(kernel.swapaxes(0, 1), start):  # in this order on every processor
                tables += self._block_point_weights[:, number, None, None] * of_point
        return tables.reshape(len(tables), -1)

    def block_similarities(self, rows: np.ndarray) -> np.ndarray:
        """Similarity of rows to points by the blocks, 0..1, shape (n_points, len(rows))."""
        return (self._kernel(rows) * self.block_weights[:, :, None]).sum(axis=0)

    def similarities(self, rows: np.ndarray) -> np.ndarray:
        """Similarity of rows to points by blocks and co-occurrence, 0..1, shape (n_points, len(rows))."""
        similar = self.block_similarities(rows)
        neighbours, positions = np.nonzero(self._neighbours.rows[:, None] == rows)
        np.add.at(similar, (self._neighbours.points[neighbours], positions), self._neighbour_weights[neighbours])
        return similar

    def seed_similarities(self, rows: np.ndarray) -> np.ndarray:
        """The mean similarity of rows to the points of each seed, 0..1, float64, shape (n_seeds, len(rows))."""
        sizes = np.array([len(seed.vectors) for seed in self._seeds])
        similar = self.similarities(rows).astype(np.float64)
        return np.add.reduceat(similar, np.cumsum(sizes) - sizes, axis=0) / sizes[:, None]

    def score_gains(self, gains: np.ndarray) -> np.ndarray:
        """What songs' scores gain where their similarities to the seeds of positive weight do; shape (n_songs,).

        gains : of the similarities, shape (n_seeds, n_songs)
        """
        weights = np.array([seed.seed.weight for seed in self._seeds])
        share = (1 - self._targets_weight) / sum(map(abs, weights.tolist()))
        return share * (np.maximum(weights, 0.0)[:, None] * gains).sum(axis=0)

    def _kernel(self, rows: np.ndarray) -> np.ndarray:
        """exp(-distance / local scale) of rows from points, float32, shape (n_blocks, n_points, len(rows))."""
        scales = self._scales_towards_points(self._catalog.take("local_scales", rows))
        distances = self._points.distances(self._catalog.take("vectors", rows))
        distances /= scales
        return exponential_kernel(distances)

    def _target_similarities(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Similarity of songs, or cells, to the targets, 0..1, by their values of those attributes."""
        transform = rank_transform(self._catalog)
        similar = [
            1 - np.abs(transform(name, values[name].astype(np.float64)) - level)
            for name, level in self._targets.items()
        ]
        return np.nan_to_num(np.stack(similar)).mean(axis=0)

    def cell_scores(self) -> np.ndarray:
        """What cells' centroids score, without co-occurrence; float64, shape (n_cells,)."""
        distances = self._points.distances_to_prepared(prepared_vectors(self._catalog, "cell_centroids"))
        distances /= self._scales_towards_points(self._catalog.array("cell_local_scales"))
        values = {name: _cell_means(self._catalog, name) for name in self._targets}
        return self._add_targets(self._weighted_sum(approximate_kernel(distances)), values).round(SCORE_DIGITS)

    def max_score_at(self, distance: float) -> float:
        """About the most that a song scores so many codes away from raw features, if these are the only seed."""
        similar = float((self._block_point_weights * np.exp(-distance / (self._points.units * LOCAL_SCALE))).sum())
        return (1 - self._targets_weight) * similar + self._targets_weight

    def parts(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What each part contributed to the scores of rows, float64, shape (len(rows),); they add up to them.

        A block's part is what it adds to the similarity to all seeds of positive weight, ``co_occurrence`` is
        that of playlists, ``less_like`` the dissimilarity to negative seeds, ``targets`` the similarity to targets.
        """
        seeds_weight = 1 - self._targets_weight
        weights = self.weights.astype(np.float64)  # float32 sums differ between processors in digits that are shown
        positive, negative = np.maximum(weights, 0), np.maximum(-weights, 0)
        similar = (self._kernel(rows) * self.block_weights[:, :, None]).astype(np.float64)
        parts = {
            block.name: seeds_weight * (positive @ similar[number])
            for number, block in enumerate(self._space.blocks)
            if self.block_weights[number].any()
        }
        if self._space.co_occurrence_weight:
            parts["co_occurrence"] = seeds_weight * self._neighbour_similarities(rows, positive)
        if negative.any():
            parts["less_like"] = seeds_weight * (
                negative.sum() - negative @ similar.sum(axis=0) - self._neighbour_similarities(rows, negative)
            )
        if self._targets:
            parts["targets"] = self._targets_weight * self._target_similarities(self._target_values(rows))
        return parts

    def closest_points(self, rows: np.ndarray) -> np.ndarray:
        """The point that is nearest to each row, of those of positive weight if there are any."""
        similar, positive = self.similarities(rows), self.weights > 0
        return np.argmax(np.where(positive[:, None], similar, -1.0) if positive.any() else similar, axis=0)

    def _neighbour_similarities(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """What co-occurrence adds to the similarity of rows to the points, each times its weight."""
        neighbours, positions = np.nonzero(self._neighbours.rows[:, None] == rows)
        return np.bincount(
            positions,
            self._neighbour_weights[neighbours] * weights[self._neighbours.points[neighbours]],
            minlength=len(rows),
        )

    def _scales_towards_points(self, local_scales: np.ndarray) -> np.ndarray:
        """Local scales of songs towards points, in a shape that divides (n_blocks, n_points, len(local_scales))."""
        if not self._any_from_features:
            return local_scales
        return np.where(self._from_features[:, None], np.float32(LOCAL_SCALE), local_scales)


def _cell_means(catalog: Catalog, name: str) -> np.ndarray:
    """Of an attribute in each cell, NaN where no song has it; float64, shape (n_cells,)."""

    def means() -> np.ndarray:
        offsets, column = catalog.array("cell_offsets").astype(np.int64), catalog.reader(f"attribute_{name}")
        result = np.empty(len(offsets) - 1)
        for start in range(0, len(result), CELL_BATCH):
            bounds = offsets[start : start + CELL_BATCH + 1]
            values, starts = column[bounds[0] : bounds[-1]].astype(np.float64), bounds[:-1] - bounds[0]
            sums = np.add.reduceat(np.nan_to_num(values), starts)
            counts = np.add.reduceat(~np.isnan(values), starts, dtype=np.int64)
            result[start : start + CELL_BATCH] = np.where(counts, sums / np.maximum(counts, 1), np.nan)
        return result

    return catalog.cached(("cell means", name), means)


def _query_kind(seeds: Sequence[SeedPoints], targets: Mapping[str, float]) -> str:
    if not any(seed.rows for seed in seeds):
        return "sound"
    one_song = len(seeds) == 1 and not targets and seeds[0].is_song and seeds[0].seed.weight > 0
    return "song" if one_song else "mixture"


def _point_weights(seeds: Sequence[SeedPoints]) -> np.ndarray:
    total = sum(abs(seed.seed.weight) for seed in seeds)
    each = [seed.seed.weight / len(seed.vectors) / total for seed in seeds]
    return np.repeat(np.array(each, np.float32), [len(seed.vectors) for seed in seeds])


def _block_and_neighbour_weights(
    space: Space, units: np.ndarray, neighbours: Neighbours
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the blocks in which each point is known, and what each neighbour adds to a point's similarity.

    All weights of a point make up 1, with that of co-occurrence if it has neighbours.
    """
    block_weights = space.block_weights[:, None] * (units > UNKNOWN_UNIT)
    co_occurrence = space.co_occurrence_weight * (
        np.bincount(neighbours.points, minlength=block_weights.shape[1]) > 0
    )
    total = np.maximum(block_weights.sum(axis=0) + co_occurrence, 1e-12)
    of_point = (co_occurrence / total).astype(np.float32)
    return (block_weights / total).astype(np.float32), of_point[neighbours.points] * neighbours.weights


def _neighbour_scores(
    neighbours: Neighbours, point_weights: np.ndarray, neighbour_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of all neighbours, sorted, and what co-occurrence adds to their scores."""
    if not len(neighbours.rows):
        return neighbours.rows, np.empty(0)
    rows, position = np.unique(neighbours.rows, return_inverse=True)
    return rows, np.bincount(position, point_weights[neighbours.points] * neighbour_weights)
