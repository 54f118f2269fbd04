"""How well a song answers a query: a number in 0..1 whose parts add up to it.

    score = (1 - t) * sum over seeds of |w| / W * s(seed, song)  +  t * mean closeness to the targets

``s`` is the space's similarity for a seed with a positive weight and 1 less the similarity for a negative one, ``W``
the sum of all ``|w|``, ``t`` is 0 without targets and ``TARGETS_SHARE`` with any. The closeness to a target is 1 less
the difference of the ranks of value and target, 0 where the song lacks the attribute.

Several seeds so combine by a soft minimum of their distances and not by their mean: a song need only be near to one
of them. An artist or genre spreads its weight over the songs that stand for it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from segue import sketch, together
from segue.catalog import Catalog
from segue.seeds import Resolved, ranks
from segue.space import REACH, Space

TARGETS_SHARE = 0.5
TRUSTED = 0.6  # of a cell's radius: leaves one in thousands of the best songs unseen, as ``make bench`` tells
LARGEST_BATCH = 131072  # numbers held at a time: songs x blocks x points
DIGITS = 6  # to which scores are rounded, so that equal songs tie on every machine


class Scorer:
    """Scores rows of a catalogue for one query's seeds and targets.

    weights : float32, shape (n_points,), of the points that stand for the seeds; absolute values sum to 1
    shares : float32, shape (n_blocks, n_points), of each block in a point's similarity
    extra_rows : sorted rows of songs that are played together with the seeds: candidates wherever they lie
    """

    def __init__(self, catalog: Catalog, seeds: Sequence[Resolved], targets: Mapping[str, float]):
        self._catalog = catalog
        self._space = space = catalog.space
        known = np.concatenate([seed.known for seed in seeds])
        spread = np.stack([known[:, b.columns] @ space.spread[b.columns] for b in space.blocks])
        self._points = _Points(space, np.concatenate([seed.vectors for seed in seeds]), known, spread)
        self._raw = np.concatenate([np.full(len(seed.vectors), not seed.rows) for seed in seeds])
        self.weights = _weights(seeds)
        self._links = together.links(catalog, seeds) if space.together else together.NONE
        listed = np.bincount(self._links.points, minlength=len(self)) > 0
        self.shares, listed_shares = _shares(space, spread, listed)
        self._worth = (self.shares * self.weights).astype(np.float64).ravel()
        self._away = float(np.maximum(-self.weights.astype(np.float64), 0).sum())
        self._nearness = listed_shares[self._links.points] * self._links.weights
        self.extra_rows, place = np.unique(self._links.rows, return_inverse=True)
        self._gains = np.bincount(place, self.weights[self._links.points] * self._nearness)
        self._targets = {name: float(ranks(catalog)(name, np.array([value]))[0]) for name, value in targets.items()}
        self._targets_share = TARGETS_SHARE if targets else 0.0

    def __len__(self) -> int:
        return len(self._raw)

    @property
    def size(self) -> int:
        """Numbers that are held for each song while it is scored."""
        return self.shares.size

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Scores of rows, float64, shape (len(rows),), rounded to ``DIGITS``."""
        step = max(1, LARGEST_BATCH // max(self.size, len(self._space.spread)))
        return np.concatenate([np.zeros(0), *(self._score(rows[k : k + step]) for k in range(0, len(rows), step))])

    def _score(self, rows: np.ndarray) -> np.ndarray:
        terms = self._combined(self._near(rows)) + self._gained(rows)
        if self._targets:
            terms = (1 - self._targets_share) * terms + self._targets_share * self.closeness(rows)
        return np.round(terms, DIGITS)

    def _combined(self, near: np.ndarray) -> np.ndarray:
        """In float64, so that a song's score does not depend on those it is scored with."""
        return self._worth @ near.reshape(self.size, -1).astype(np.float64) + self._away

    def rough(self, rows: np.ndarray) -> np.ndarray:
        """What scores of rows will roughly be, without lists, shape (len(rows),)."""
        terms = sketch.rough(self._sketch_worth, self._catalog.array("sketches").take(rows, axis=0)) + self._away
        if self._targets:
            terms = (1 - self._targets_share) * terms + self._targets_share * self.closeness(rows)
        return terms

    @cached_property
    def _sketch_worth(self) -> np.ndarray:
        distances = self._points.distances(self._catalog.array("sketch_centres"))[:, :, None]
        reaches = self._reaches(sketch.reaches())[..., None]
        near = np.exp(distances / -reaches)
        near *= (self.shares * self.weights)[:, :, None, None]
        return near.sum(axis=1).reshape(len(near), -1)

    def similarities(self, rows: np.ndarray) -> np.ndarray:
        """How near rows are to points by the blocks, 0..1, shape (n_points, len(rows))."""
        return (self._near(rows) * self.shares[:, :, None]).sum(axis=0)

    def _near(self, rows: np.ndarray) -> np.ndarray:
        """exp(-distance / reach) of rows from points, float32, shape (n_blocks, n_points, len(rows))."""
        reaches = self._reaches(self._catalog.array("reaches").take(rows))
        distances = self._points.distances(self._catalog.array("vectors").take(rows, axis=0))
        distances /= -reaches
        return np.exp(distances, out=distances)

    def closeness(self, rows: np.ndarray) -> np.ndarray:
        """How near rows are to the targets, 0..1, shape (len(rows),)."""
        curve = ranks(self._catalog)
        near = [
            1 - np.abs(curve(name, self._catalog.attribute(name)[rows].astype(np.float64)) - level)
            for name, level in self._targets.items()
        ]
        return np.nan_to_num(np.stack(near)).mean(axis=0)

    def bounds(self) -> np.ndarray:
        """The highest score that a song of each cell, but for ``extra_rows``, is likely to have, shape (n_cells,).

        By the triangle inequality, but for ``TRUSTED``: no song is as near as its cell's outermost in every block.
        """
        distances = self._points.distances(self._catalog.array("cell_centroids"))
        nearer = TRUSTED * self._catalog.array("cell_radii").T[:, None] / self._points.units[:, :, None]
        distances -= nearer if self._away == 0 else np.where(self.weights[:, None] < 0, -nearer, nearer)
        np.maximum(distances, 0, out=distances)
        distances /= -self._reaches(self._catalog.array("cell_reaches"))
        terms = self._combined(np.exp(distances, out=distances))
        return (1 - self._targets_share) * terms + self._targets_share

    def parts(self, row: int) -> dict[str, float]:
        """What each part contributed to a song's score; adds up to it.

        A block's part is its share of the similarity to all seeds of positive weight, ``together`` the part of the
        lists; unlikeness to negative seeds is the part ``less_like``, closeness to targets the part ``targets``.
        """
        seeds_share = 1 - self._targets_share
        towards, away = np.maximum(self.weights, 0), np.maximum(-self.weights, 0)
        near = self._near(np.array([row]))[:, :, 0] * self.shares
        parts = {
            block.name: seeds_share * float(near[number] @ towards)
            for number, block in enumerate(self._space.blocks)
            if self.shares[number].any()
        }
        points, nearness = self._listed(row)
        if self._space.together:
            parts["together"] = seeds_share * float(nearness @ towards[points])
        if away.any():
            avoided = away.sum() - (near @ away).sum() - nearness @ away[points]
            parts["less_like"] = seeds_share * float(avoided)
        if self._targets:
            parts["targets"] = self._targets_share * float(self.closeness(np.array([row]))[0])
        return parts

    def closest(self, row: int) -> int:
        """The point that is nearest to a song, of those of positive weight if there are any."""
        near = self.similarities(np.array([row]))[:, 0]
        points, nearness = self._listed(row)
        np.add.at(near, points, nearness)
        asked = self.weights > 0
        return int(np.argmax(np.where(asked, near, -1.0) if asked.any() else near))

    def _listed(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """The points in whose lists a song is, and what that adds to its similarity to them."""
        here = self._links.rows == row
        return self._links.points[here], self._nearness[here]

    def _gained(self, rows: np.ndarray) -> np.ndarray:
        """What the lists add to the scores of rows."""
        if not len(self.extra_rows):
            return np.zeros(len(rows))
        place = np.minimum(np.searchsorted(self.extra_rows, rows), len(self.extra_rows) - 1)
        return np.where(self.extra_rows[place] == rows, self._gains[place], 0)

    def _reaches(self, of_songs: np.ndarray) -> np.ndarray:
        """Reaches of songs towards points, in a shape that divides (n_blocks, n_points, len(of_songs))."""
        return np.where(self._raw[:, None], np.float32(REACH), of_songs) if self._raw.any() else of_songs


class _Points:
    """The points that stand for the seeds, ready to be compared with many vectors.

    The squared distance in a block is v.v - 2 v.p + p.p over the block's columns that the point has; rows of the
    matrices below are pairs of a block and a point, so that two products give all.

    units : float32, shape (n_blocks, n_points), the distance of a random pair in what a point has of a block
    """

    def __init__(self, space: Space, vectors: np.ndarray, known: np.ndarray, spread: np.ndarray):
        self.units = np.sqrt(np.maximum(spread, 1e-12)).astype(np.float32)
        inside = np.zeros((len(space.blocks), *vectors.shape), np.float32)
        for number, block in enumerate(space.blocks):
            inside[number, :, block.columns] = known[:, block.columns]
        placed = inside * vectors.astype(np.float32)
        self._inside = inside.reshape(-1, vectors.shape[1])
        self._doubled = 2 * placed.reshape(-1, vectors.shape[1])
        self._squares = (placed * placed).sum(axis=2).reshape(-1, 1)

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Distances of codes from the points in units, float32, shape (n_blocks, n_points, len(vectors))."""
        vectors = vectors.astype(np.float32)
        squared = self._inside @ (vectors * vectors).T
        squared -= self._doubled @ vectors.T
        squared += self._squares
        np.sqrt(squared, out=squared)
        squared /= self.units.reshape(-1, 1)
        return squared.reshape(*self.units.shape, len(vectors))


def _weights(seeds: Sequence[Resolved]) -> np.ndarray:
    total = sum(abs(seed.seed.weight) for seed in seeds)
    each = [np.full(len(seed.vectors), seed.seed.weight / len(seed.vectors) / total) for seed in seeds]
    return np.concatenate(each).astype(np.float32)


def _shares(space: Space, spread: np.ndarray, listed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the blocks in which each point is known, and of its list if it has one; together 1 for each point."""
    shares = np.array([block.share for block in space.blocks])[:, None] * (spread > 0)
    lists = space.together * listed
    total = np.maximum(shares.sum(axis=0) + lists, 1e-12)
    return (shares / total).astype(np.float32), (lists / total).astype(np.float32)
