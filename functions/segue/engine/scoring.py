"""How well a song answers a query: a number in 0..1 whose parts add up to it.

    score = (1 - t) * like * (1 - loss)  +  t * mean similarity to the targets
    like  = sum over seeds of w / W * s(seed, song)

``s`` is the space's similarity, the seeds of the sum are those of positive weight and ``W`` the sum of their weights,
``t`` is 0 without targets and ``TARGETS_WEIGHT`` with any. The similarity to a target is 1 less the difference of the
ranks of value and target, 0 where the song lacks the attribute.

A *dislike*, a seed of negative weight, takes away its own neighbourhood and leaves the rest: a song loses by how much
more it is like the dislike than like the other seeds.

    loss = max over dislikes of (DISLIKE_STRENGTH * |w| / (mean w of the others) * excess) ** 2
    excess = nearness to the dislike - nearness to the nearest other, weighted sums over the blocks that both have

within 0..1, where these blocks have the weight of all. A block in which the dislike is like the others adds nothing.
Losses are squared because scores of a list lie close together: where nothing is like a seed in some block, such as
its genre, all of its list is a little more like any dislike in that block, and must not be lost. With nothing but
dislikes ``like`` is 1 less the similarity to them.

Several seeds so combine by a soft minimum of their distances and not by their mean: a song need only be near to one
of them. An artist or genre spreads its weight over the songs that stand for it.

*Approximate scores* cost a fifth, and only the songs that are best by them are rescored. They are by product
quantization: in each block a song has the nearest of its centroids, the more of which it has the more it weighs, and
one of ``SCALE_LEVELS`` local scales, whose mean is about its own; a *PQ code* is the number of both. A query computes
once, in a table, what every code contributes, whatever the number of its points; a song's approximate score is a
look-up and a sum over the blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.engine.co_occurrence import NO_NEIGHBOURS, Neighbours, co_occurring, neighbour_scores
from segue.engine.space import (
    LOCAL_SCALE,
    UNKNOWN_UNIT,
    Points,
    PreparedCentroids,
    Space,
    approximate_kernel,
    exponential_kernel,
    prepared_vectors,
    rank_transform,
    space_of,
)
from segue.limits import CANDIDATE, COMPARISON, ESTIMATE, charge, checked, checkpoint
from segue.query.schema import Seed

SCALE_LEVELS = 8  # of local scales, from half of LOCAL_SCALE to twice of it
LEVEL_SCALES = (LOCAL_SCALE * 2.0 ** (2 * np.arange(SCALE_LEVELS) / (SCALE_LEVELS - 1) - 1)).astype(np.float32)
TARGETS_WEIGHT = 0.5
DISLIKE_STRENGTH = 2.25  # see above: of ten songs, six or more stay if one of them is disliked
READ_PRICE = 1.7  # of reading a song, from anywhere in memory, where to compare it with a point costs 1
TARGET_PRICE = 3  # of a song's similarity to a target, likewise
LOSS_PRICE = 0.25  # of a song's loss by a point, where to compare it with the point costs 1
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


class Dislikes(NamedTuple):
    """Seeds of negative weight beside others.

    points : numbers of their points, those of one seed after those of another
    starts : where the points of each seed begin among these
    strengths : float64, shape (n_seeds, 1)
    profiles : float64, shape (n_profiles, n_blocks), weights of the blocks that a dislike and the others have, each
        once: most dislikes have the same
    profile_of : which of them each seed has, shape (n_seeds,)
    point_weights : of the blocks for each point, times its seed's strength, shape (n_blocks, n_points, 1)
    """

    points: np.ndarray
    starts: np.ndarray
    strengths: np.ndarray
    profiles: np.ndarray
    profile_of: np.ndarray
    point_weights: np.ndarray


def sum_look_ups(table: np.ndarray, pq_codes: np.ndarray) -> np.ndarray:
    """Sums over the subspaces of what PQ codes contribute, shape (n_songs,).

    table : float32 or complex64, shape (SCALE_LEVELS * n_centroids,)
    pq_codes : uint16, shape (n_songs, n_subspaces)
    """
    total = table.take(pq_codes[:, 0])
    for number in range(1, pq_codes.shape[1]):
        total += table.take(pq_codes[:, number])
    return total


class Scorer:
    """Scores rows of a catalogue for one query's seeds and targets.

    weights : float32, shape (n_points,), of the points that stand for the seeds; the positive ones sum to 1, or all
        to -1 where there are none
    block_weights : float32, shape (n_blocks + 1, n_points), of each block and, last, of the joint term in a point's
        similarity
    neighbour_rows : sorted rows of the seeds' co-occurrence neighbours: candidates wherever they lie
    neighbour_scores : float64, the same shape, what co-occurrence adds to their scores
    kind : "song" for nothing but one song, whose best lie in few cells; "sound" for nothing but raw features, whose
        best lie anywhere; else "mixture"
    """

    def __init__(self, catalog: Catalog, seeds: Sequence[SeedPoints], targets: Mapping[str, float]):
        self._catalog = catalog
        self._space = space = space_of(catalog)
        self._seeds = seeds
        vectors, known = (np.concatenate(parts) for parts in zip(*((seed.vectors, seed.known) for seed in seeds)))
        self._points = Points(space, vectors, known)
        self.weights = _point_weights(seeds)
        self._song_of_point = [row for seed in seeds for row in seed.rows or (None,)]
        self._neighbours = co_occurring(catalog, self._song_of_point) if space.co_occurrence_weight else NO_NEIGHBOURS
        self.block_weights, self._neighbour_weights = _block_and_neighbour_weights(
            space, self._points.units, self._neighbours
        )
        self._liked = np.flatnonzero(self.weights > 0)
        self._only_dislikes = not len(self._liked)
        linear_weights = self.weights if self._only_dislikes else np.maximum(self.weights, 0)
        self._block_point_weights = self.block_weights * linear_weights
        has_both = 0 < len(self._liked) < len(self.weights)
        self._dislikes = self._find_dislikes() if has_both else None
        self.neighbour_rows, self.neighbour_scores = neighbour_scores(
            self._neighbours, linear_weights, self._neighbour_weights
        )
        self._table: np.ndarray | None = None
        self._targets = {
            name: float(rank_transform(catalog)(name, np.array([value]))[0]) for name, value in targets.items()
        }
        self._targets_weight = TARGETS_WEIGHT if targets else 0.0
        self.kind = _query_kind(seeds, targets)

    def __len__(self) -> int:
        return len(self._song_of_point)

    @property
    def values_per_song(self) -> int:
        """Numbers that are held for each song while it is scored."""
        return self.block_weights.size

    @property
    def _batch(self) -> int:
        """Songs that are scored at a time."""
        return max(1, MAX_BATCH // max(self.values_per_song, len(self._space.spread)))

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Scores of rows, float64, shape (len(rows),), rounded to ``SCORE_DIGITS``."""
        self._catalog.prefetch_rows(rows, "vectors", "local_scales")
        scores = []
        for start in checked(range(0, len(rows), self._batch)):
            part = rows[start : start + self._batch]
            kernel = self._kernel(part)
            terms = self._weighted_sum(kernel)
            if len(self.neighbour_rows):
                position = np.minimum(np.searchsorted(self.neighbour_rows, part), len(self.neighbour_rows) - 1)
                terms += np.where(self.neighbour_rows[position] == part, self.neighbour_scores[position], 0)
            if self._dislikes:
                terms *= 1 - self._losses(kernel, self._dislikes)
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
            + self._only_dislikes
        )

    def _find_dislikes(self) -> Dislikes:
        """The seeds of negative weight beside others."""
        weights = np.array([seed.seed.weight for seed in self._seeds])
        sizes = np.array([len(seed.vectors) for seed in self._seeds])
        points, counts = np.flatnonzero(np.repeat(weights < 0, sizes)), sizes[weights < 0]
        starts = np.cumsum(counts) - counts
        known = self._points.units > UNKNOWN_UNIT
        known_of_disliked = np.add.reduceat(known[:, points], starts, axis=1, dtype=np.int64) / counts
        block_weights = (
            self._space.block_weights * known[:, self._liked].mean(axis=1) * np.ascontiguousarray(known_of_disliked.T)
        )
        strengths = -DISLIKE_STRENGTH * weights[weights < 0] / weights[weights > 0].mean()
        shares = block_weights.sum(axis=1) / self._space.block_weights.sum()
        block_weights /= np.maximum(shares, 1e-12)[:, None]
        profiles, profile_of = np.unique(block_weights, axis=0, return_inverse=True)
        point_weights = np.repeat(strengths[:, None] * block_weights, counts, axis=0).T[..., None]
        return Dislikes(points, starts, strengths[:, None], profiles, profile_of.reshape(-1), point_weights)

    def _losses(self, kernel: np.ndarray, dislikes: Dislikes) -> np.ndarray:
        """What songs lose by dislikes, 0..1, float64, shape (n_songs,)."""
        charge(COMPARISON, LOSS_PRICE * kernel[0].size)
        liked, disliked = (
            kernel[:-1].take(points, axis=1).astype(np.float64) for points in (self._liked, dislikes.points)
        )
        near_others = (dislikes.profiles @ liked.reshape(len(liked), -1)).reshape(-1, *liked.shape[1:]).max(axis=1)
        disliked *= dislikes.point_weights
        near = np.maximum.reduceat(disliked.sum(axis=0), dislikes.starts)
        near -= dislikes.strengths * near_others[dislikes.profile_of]
        return np.clip(near.max(axis=0), 0.0, 1.0) ** 2

    def approximate_scores(self, rows: np.ndarray) -> np.ndarray:
        """Approximate scores of rows by their PQ codes, without co-occurrence; float32, shape (len(rows),)."""
        charge(CANDIDATE, len(rows) * (1 + TARGET_PRICE * len(self._targets)))
        if self._table is None:  # no cached_property: in Python 3.11 all share a lock, held while others go first
            self._table = self._pq_table()
        sums = sum_look_ups(self._table, self._catalog.take("pq_codes", rows))
        terms = sums
        if np.iscomplexobj(sums):
            terms = self._block_point_weights[-1, 0] * approximate_kernel(sums.imag.copy())
            terms += sums.real
        return self._add_targets(terms, self._target_values(rows))

    def _pq_table(self) -> np.ndarray:
        """What each PQ code contributes, shape (SCALE_LEVELS * n_centroids,).

        With one point complex64: the real part is what it adds to the score, the imaginary part what it adds to the
        distance of the joint term, so that one look-up serves both. With several it is float32, without that term.
        """
        arrays = map(self._catalog.array, ("pq_subspaces", "pq_offsets", "pq_centroids"))
        centroids = self._catalog.cached("prepared centroids", lambda: PreparedCentroids(self._space, *arrays))
        charge(ESTIMATE, len(self) * SCALE_LEVELS * len(centroids.block_of) / len(self._space.blocks))
        distances = self._points.distances_to_centroids(centroids)[:, None]
        scales = np.broadcast_to(self._scales_towards_points(LEVEL_SCALES), (len(self), SCALE_LEVELS))[:, :, None]
        weights = self._block_point_weights.T.take(centroids.block_of, axis=1)
        shape = SCALE_LEVELS, len(centroids.block_of)
        if len(self) == 1 and self._space.joint_exponents:
            steps, table = distances[0] / scales[0], np.empty(shape, np.complex64)
            np.multiply(centroids.exponents, steps, out=table.imag)
            np.multiply(weights[0], approximate_kernel(steps), out=table.real)
        else:
            table = np.zeros(shape, np.float32)
            for start in checked(range(0, len(self), POINT_BATCH)):
                points = slice(start, start + POINT_BATCH)
                kernel = approximate_kernel(distances[points] / scales[points])
                for number, of_point in enumerate(kernel, start):  # in this order on every processor
                    table += weights[number] * of_point
        for run, first in centroids.joined:
            table[:, first] += table[:, run]
        return table.reshape(-1)

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
        starts = np.cumsum(sizes) - sizes
        batches = (rows[start : start + self._batch] for start in checked(range(0, len(rows), self._batch)))
        sums = [np.add.reduceat(self.similarities(batch), starts, axis=0, dtype=np.float64) for batch in batches]
        return np.concatenate([np.empty((len(sizes), 0)), *sums], axis=1) / sizes[:, None]

    def score_gains(self, gains: np.ndarray) -> np.ndarray:
        """What songs' scores gain where their similarities to the seeds of positive weight do; shape (n_songs,).

        gains : of the similarities, shape (n_seeds, n_songs)
        """
        weights = np.maximum([seed.seed.weight for seed in self._seeds], 0.0)
        return (1 - self._targets_weight) * (weights[:, None] * gains).sum(axis=0) / max(weights.sum(), 1e-12)

    def _kernel(self, rows: np.ndarray) -> np.ndarray:
        """exp(-distance / local scale) of rows from points, float32, shape (n_blocks + 1, n_points, len(rows)).

        Last comes the joint term.
        """
        charge(COMPARISON, len(rows) * (READ_PRICE + len(self) + TARGET_PRICE * len(self._targets)))
        scales = self._scales_towards_points(self._catalog.take("local_scales", rows))
        distances = self._points.distances(self._catalog.take("vectors", rows))
        distances /= scales
        self._space.add_joint_row(distances)
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
        checkpoint()
        centroids = prepared_vectors(self._catalog, "cell_centroids")
        charge(ESTIMATE, len(self) * centroids.transposed.shape[1])
        distances = self._points.distances_to_prepared(centroids)
        distances /= self._scales_towards_points(self._catalog.array("cell_local_scales"))
        self._space.add_joint_row(distances)
        values = {name: _cell_means(self._catalog, name) for name in self._targets}
        return self._add_targets(self._weighted_sum(approximate_kernel(distances)), values).round(SCORE_DIGITS)

    def max_score_at(self, distance: float) -> float:
        """About the most that a song scores so many codes away from raw features, if these are the only seed."""
        similar = float(
            (self._block_point_weights[:-1] * np.exp(-distance / (self._points.units * LOCAL_SCALE))).sum()
        )
        return (1 - self._targets_weight) * similar + self._targets_weight

    def parts(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What each part contributed to the scores of rows, float64, shape (len(rows),); they add up to them.

        A block's part is what it adds to the similarity to all seeds of positive weight, ``joint`` that of being like
        them in everything at once, ``co_occurrence`` that of playlists, ``less_like`` what is lost by dislikes, 0 or
        less, or without other seeds the dissimilarity to them, ``targets`` the similarity to targets.
        """
        seeds_weight = 1 - self._targets_weight
        weights = self.weights.astype(np.float64)  # float32 sums differ between processors in digits that are shown
        positive, negative = np.maximum(weights, 0), np.maximum(-weights, 0)
        kernel = self._kernel(rows)
        similar = (kernel * self.block_weights[:, :, None]).astype(np.float64)
        parts = {
            name: seeds_weight * (positive @ similar[number])
            for number, name in enumerate([*(block.name for block in self._space.blocks), "joint"])
            if self.block_weights[number].any()
        }
        if self._space.co_occurrence_weight:
            parts["co_occurrence"] = seeds_weight * self._neighbour_similarities(rows, positive)
        if self._dislikes:
            parts["less_like"] = -self._losses(kernel, self._dislikes) * np.sum(list(parts.values()), axis=0)
        elif self._only_dislikes:
            parts["less_like"] = seeds_weight * (
                1 - negative @ similar.sum(axis=0) - self._neighbour_similarities(rows, negative)
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
        if None not in self._song_of_point:
            return local_scales
        from_features = np.array([row is None for row in self._song_of_point])
        return np.where(from_features[:, None], np.float32(LOCAL_SCALE), local_scales)


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
    weights = [seed.seed.weight for seed in seeds]
    total = sum(weight for weight in weights if weight > 0) or -sum(weights)
    each = [weight / len(seed.vectors) / total for seed, weight in zip(seeds, weights)]
    return np.repeat(np.array(each, np.float32), [len(seed.vectors) for seed in seeds])


def _block_and_neighbour_weights(
    space: Space, units: np.ndarray, neighbours: Neighbours
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the blocks in which each point is known, and what each neighbour adds to a point's similarity.

    All weights of a point make up 1, with that of the joint term, which comes last, if it has more than one of its
    blocks, and that of co-occurrence if it has neighbours.
    """
    known = units > UNKNOWN_UNIT
    has_joint = known[list(space.joint_exponents)].sum(axis=0, keepdims=True) > 1
    block_weights = np.concatenate([space.block_weights[:, None] * known, space.joint_weight * has_joint])
    co_occurrence = space.co_occurrence_weight * (
        np.bincount(neighbours.points, minlength=block_weights.shape[1]) > 0
    )
    total = np.maximum(block_weights.sum(axis=0) + co_occurrence, 1e-12)
    of_point = (co_occurrence / total).astype(np.float32)
    return (block_weights / total).astype(np.float32), of_point[neighbours.points] * neighbours.weights
