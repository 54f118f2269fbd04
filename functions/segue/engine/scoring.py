"""How well a song answers a query: a number in 0..1 whose parts add up to it.

    score = (1 - t) * sum over seeds of |w| / W * s(seed, song)  +  t * mean closeness to the targets

``s`` is the space's similarity for a seed with a positive weight and 1 less the similarity for a negative one, ``W``
the sum of all ``|w|``, ``t`` is 0 without targets and ``TARGETS_SHARE`` with any. The closeness to a target is 1 less
the difference of the ranks of value and target, 0 where the song lacks the attribute.

Several seeds so combine by a soft minimum of their distances and not by their mean: a song need only be near to one
of them. An artist or genre spreads its weight over the songs that stand for it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from segue.catalog import Catalog
from segue.engine import sketch, together
from segue.engine.points import UNKNOWN, Points, landmarks
from segue.engine.seeds import Resolved, ranks
from segue.engine.similarity import closeness, roughly
from segue.engine.space import REACH, Space, space_of

TARGETS_SHARE = 0.5
LARGEST_BATCH = 131_072  # numbers held at a time, songs x blocks x points: they stay in the processor's cache
CELLS_AT_ONCE = 256  # whose means are taken: bounds the memory of a request with a target
POINTS_AT_A_TIME = 32  # while sketches are judged: bounds the memory of a request with many seeds
DIGITS = 6  # to which scores are rounded, so that equal songs tie on every machine


class Scorer:
    """Scores rows of a catalogue for one query's seeds and targets.

    weights : float32, shape (n_points,), of the points that stand for the seeds; absolute values sum to 1
    shares : float32, shape (n_blocks, n_points), of each block in a point's similarity
    extra_rows : sorted rows of songs that are played together with the seeds: candidates wherever they lie
    kind : "song" for nothing but one song, whose best lie in few cells; "sound" for nothing but raw features, whose
        best lie anywhere; else "mixture"
    """

    def __init__(self, catalog: Catalog, seeds: Sequence[Resolved], targets: Mapping[str, float]):
        self._catalog = catalog
        self._space = space = space_of(catalog)
        vectors, known = (np.concatenate(parts) for parts in zip(*((seed.vectors, seed.known) for seed in seeds)))
        self._points = Points(space, vectors, known)
        self._raw = np.repeat([not seed.rows for seed in seeds], [len(seed.vectors) for seed in seeds])
        self._any_raw = bool(self._raw.any())
        self.weights = _weights(seeds)
        self._links = together.links(catalog, seeds) if space.together else together.NONE
        self.shares, self._nearness = _shares(space, self._points.units, self._links)
        self._worth = self.shares * self.weights
        self._away = float(np.maximum(-self.weights.astype(np.float64), 0).sum())
        self.extra_rows, self._gains = _gains(self._links, self.weights, self._nearness)
        self._targets = {name: float(ranks(catalog)(name, np.array([value]))[0]) for name, value in targets.items()}
        self._targets_share = TARGETS_SHARE if targets else 0.0
        self.kind = _kind(seeds, targets)

    def __len__(self) -> int:
        return len(self._raw)

    @property
    def size(self) -> int:
        """Numbers that are held for each song while it is scored."""
        return self.shares.size

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Scores of rows, float64, shape (len(rows),), rounded to ``DIGITS``."""
        self._catalog.near(rows, "vectors", "reaches")
        step = max(1, LARGEST_BATCH // max(self.size, len(self._space.spread)))
        parts = [self._score(rows[start : start + step]) for start in range(0, len(rows), step)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _score(self, rows: np.ndarray) -> np.ndarray:
        terms = self._combined(self._near(rows))
        if len(self.extra_rows):
            terms += self._gained(rows)
        return self._with_targets(terms, self._of_rows(rows)).round(DIGITS)

    def _with_targets(self, terms: np.ndarray, values: Callable[[str], np.ndarray]) -> np.ndarray:
        if not self._targets:
            return terms
        return (1 - self._targets_share) * terms + self._targets_share * self._closeness(values)

    def _of_rows(self, rows: np.ndarray) -> Callable[[str], np.ndarray]:
        """What rows have of an attribute."""
        return lambda name: self._catalog.attribute(name).take(rows)

    def _combined(self, near: np.ndarray) -> np.ndarray:
        """In float64, so that a song's score does not depend on those it is scored with."""
        return self._worth.reshape(-1).astype(np.float64) @ near.reshape(self.size, -1) + self._away

    def rough(self, rows: np.ndarray) -> np.ndarray:
        """About what rows score by their sketches, without lists; float32, shape (len(rows),)."""
        terms = sketch.rough(self._sketch_worth, self._catalog.array("sketches").take(rows, axis=0))
        return self._with_targets(terms, self._of_rows(rows))

    @cached_property
    def _sketch_worth(self) -> np.ndarray:
        distances = self._points.distances_of(landmarks(self._catalog, "sketch_centres"))
        reaches = np.broadcast_to(self._reaches(sketch.REACHES), (len(self), sketch.LEVELS))[:, :, None]
        worth = np.zeros((len(distances), sketch.LEVELS, distances.shape[2]), np.float32)
        for start in range(0, len(self), POINTS_AT_A_TIME):
            points = slice(start, start + POINTS_AT_A_TIME)
            near = roughly(distances[:, points, None] / reaches[points])
            for number, each in enumerate(near.swapaxes(0, 1), start):  # in this order on every processor
                worth += self._worth[:, number, None, None] * each
        return worth.reshape(len(worth), -1)

    def similarities(self, rows: np.ndarray) -> np.ndarray:
        """How near rows are to points by the blocks, 0..1, shape (n_points, len(rows))."""
        return (self._near(rows) * self.shares[:, :, None]).sum(axis=0)

    def nearness(self, rows: np.ndarray) -> np.ndarray:
        """How near rows are to points by blocks and lists, 0..1, shape (n_points, len(rows))."""
        near = self.similarities(rows)
        links, places = np.nonzero(self._links.rows[:, None] == rows)
        np.add.at(near, (self._links.points[links], places), self._nearness[links])
        return near

    def _near(self, rows: np.ndarray) -> np.ndarray:
        """exp(-distance / reach) of rows from points, float32, shape (n_blocks, n_points, len(rows))."""
        reaches = self._reaches(self._catalog.array("reaches").take(rows))
        distances = self._points.distances(self._catalog.array("vectors").take(rows, axis=0))
        distances /= reaches
        return closeness(distances)

    def _closeness(self, values: Callable[[str], np.ndarray]) -> np.ndarray:
        """How near songs, or cells, are to the targets, 0..1, by their values of an attribute."""
        curve = ranks(self._catalog)
        near = [
            1 - np.abs(curve(name, values(name).astype(np.float64)) - level) for name, level in self._targets.items()
        ]
        return np.nan_to_num(np.stack(near)).mean(axis=0)

    def of_cells(self) -> np.ndarray:
        """What cells' centroids score, without lists; float64, shape (n_cells,)."""
        distances = self._points.distances_of(landmarks(self._catalog, "cell_centroids"))
        distances /= self._reaches(self._catalog.array("cell_reaches"))
        terms = self._combined(roughly(distances))
        return self._with_targets(terms, lambda name: _means(self._catalog, name)).round(DIGITS)

    def at(self, distance: float) -> float:
        """About the most that a song scores so many codes away from raw features, if these are the only seed."""
        near = float((self._worth * np.exp(-distance / (self._points.units * REACH))).sum())
        return (1 - self._targets_share) * near + self._targets_share

    def parts(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What each part contributed to the scores of rows, float64, shape (len(rows),); they add up to them.

        A block's part is its share of the similarity to all seeds of positive weight, ``together`` the part of the
        lists; unlikeness to negative seeds is the part ``less_like``, closeness to targets the part ``targets``.
        """
        seeds_share = 1 - self._targets_share
        weights = self.weights.astype(np.float64)  # float32 sums differ between processors in digits that are shown
        towards, away = np.maximum(weights, 0), np.maximum(-weights, 0)
        near = (self._near(rows) * self.shares[:, :, None]).astype(np.float64)
        parts = {
            block.name: seeds_share * (towards @ near[number])
            for number, block in enumerate(self._space.blocks)
            if self.shares[number].any()
        }
        if self._space.together:
            parts["together"] = seeds_share * self._listed(rows, towards)
        if away.any():
            parts["less_like"] = seeds_share * (away.sum() - away @ near.sum(axis=0) - self._listed(rows, away))
        if self._targets:
            parts["targets"] = self._targets_share * self._closeness(self._of_rows(rows))
        return parts

    def closest(self, rows: np.ndarray) -> np.ndarray:
        """The point that is nearest to each row, of those of positive weight if there are any."""
        near, asked = self.nearness(rows), self.weights > 0
        return np.argmax(np.where(asked[:, None], near, -1.0) if asked.any() else near, axis=0)

    def _listed(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """What being in the points' lists adds to the similarity of rows to them; points by weight."""
        links, places = np.nonzero(self._links.rows[:, None] == rows)
        return np.bincount(places, self._nearness[links] * weights[self._links.points[links]], minlength=len(rows))

    def _gained(self, rows: np.ndarray) -> np.ndarray:
        """What the lists add to the scores of rows."""
        place = np.minimum(np.searchsorted(self.extra_rows, rows), len(self.extra_rows) - 1)
        return np.where(self.extra_rows[place] == rows, self._gains[place], 0)

    def _reaches(self, of_songs: np.ndarray) -> np.ndarray:
        """Reaches of songs towards points, in a shape that divides (n_blocks, n_points, len(of_songs))."""
        return np.where(self._raw[:, None], np.float32(REACH), of_songs) if self._any_raw else of_songs


def _means(catalog: Catalog, name: str) -> np.ndarray:
    """Of an attribute in each cell, NaN where no song has it; float64, shape (n_cells,)."""

    def means() -> np.ndarray:
        offsets, column = catalog.array("cell_offsets").astype(np.int64), catalog.attribute(name)
        found = np.empty(len(offsets) - 1)
        for start in range(0, len(found), CELLS_AT_ONCE):
            edges = offsets[start : start + CELLS_AT_ONCE + 1]
            values, starts = column[edges[0] : edges[-1]].astype(np.float64), edges[:-1] - edges[0]
            sums = np.add.reduceat(np.nan_to_num(values), starts)
            counts = np.add.reduceat(~np.isnan(values), starts, dtype=np.int64)
            found[start : start + CELLS_AT_ONCE] = np.where(counts, sums / np.maximum(counts, 1), np.nan)
        return found

    return catalog.derived(("cell means", name), means)


def _kind(seeds: Sequence[Resolved], targets: Mapping[str, float]) -> str:
    if not any(seed.rows for seed in seeds):
        return "sound"
    one = len(seeds) == 1 and not targets and seeds[0].match is not None and seeds[0].seed.weight > 0
    return "song" if one else "mixture"


def _weights(seeds: Sequence[Resolved]) -> np.ndarray:
    total = sum(abs(seed.seed.weight) for seed in seeds)
    each = [seed.seed.weight / len(seed.vectors) / total for seed in seeds]
    return np.repeat(np.array(each, np.float32), [len(seed.vectors) for seed in seeds])


def _shares(space: Space, units: np.ndarray, links: together.Links) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the blocks in which each point is known, and what each link adds to a point's similarity.

    All shares of a point make up 1, with that of its list if it has one.
    """
    shares = space.shares[:, None] * (units > UNKNOWN)
    lists = space.together * (np.bincount(links.points, minlength=shares.shape[1]) > 0)
    total = np.maximum(shares.sum(axis=0) + lists, 1e-12)
    return (shares / total).astype(np.float32), (lists / total).astype(np.float32)[links.points] * links.weights


def _gains(links: together.Links, weights: np.ndarray, nearness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The songs that are linked, sorted, and what the lists add to their scores."""
    if not len(links.rows):
        return links.rows, np.empty(0)
    rows, place = np.unique(links.rows, return_inverse=True)
    return rows, np.bincount(place, weights[links.points] * nearness)
