"""How well a song answers a query: a number in 0..1 whose parts add up to it.

    score = (1 - t) * sum over seeds of |w| / W * s(seed, song)  +  t * mean closeness to the targets

``s`` is the space's similarity for a seed with a positive weight and 1 less the similarity for a negative one, ``W``
the sum of all ``|w|``, ``t`` is 0 without targets and ``TARGETS_SHARE`` with any. The closeness to a target is 1 less
the difference of the ranks of value and target, 0 where the song lacks the attribute.

Several seeds so combine by a soft minimum of their distances and not by their mean: a song need only be near to one
of them. An artist or genre spreads its weight over the songs that stand for it.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from segue import together
from segue.catalog import Catalog
from segue.seeds import Resolved, ranks
from segue.space import REACH, Space, squared_distances

TARGETS_SHARE = 0.5
TRUSTED = 0.9  # of a cell's radius: what share of the best songs that leaves unseen, ``make bench`` tells
LARGEST_BATCH = 2_000_000  # similarities held at a time: songs x points
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
        self._known = known.astype(np.float32)
        self._points = np.concatenate([seed.vectors for seed in seeds]).astype(np.float32)
        spread = np.stack([known[:, b.columns] @ space.spread[b.columns] for b in space.blocks])
        self._unit = np.sqrt(np.maximum(spread, 1e-12)).astype(np.float32)
        self._raw = np.concatenate([np.full(len(seed.vectors), not seed.rows) for seed in seeds])
        self.weights = _weights(seeds)
        self._links = together.links(catalog, seeds) if space.together else together.NONE
        listed = np.bincount(self._links.points, minlength=len(self)) > 0
        self.shares, listed_shares = _shares(space, spread, listed)
        self._nearness = listed_shares[self._links.points] * self._links.weights
        self.extra_rows, place = np.unique(self._links.rows, return_inverse=True)
        self._gains = np.bincount(place, self.weights[self._links.points] * self._nearness)
        self._targets = {name: float(ranks(catalog)(name, np.array([value]))[0]) for name, value in targets.items()}
        self._targets_share = TARGETS_SHARE if targets else 0.0

    def __len__(self) -> int:
        return len(self._points)

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Scores of rows, float64, shape (len(rows),), rounded to ``DIGITS``."""
        step = max(1, LARGEST_BATCH // len(self))
        return np.concatenate([np.zeros(0), *(self._score(rows[k : k + step]) for k in range(0, len(rows), step))])

    def _score(self, rows: np.ndarray) -> np.ndarray:
        similar = self.similarities(rows)
        terms = np.where(self.weights < 0, 1 - similar, similar) @ np.abs(self.weights) + self._gained(rows)
        if self._targets:
            terms = (1 - self._targets_share) * terms + self._targets_share * self.closeness(rows)
        return np.round(terms.astype(np.float64), DIGITS)

    def similarities(self, rows: np.ndarray) -> np.ndarray:
        """How near rows are to points by the blocks, 0..1, shape (len(rows), n_points)."""
        similar = np.zeros((len(rows), len(self)), np.float32)
        for _, near in self._near(rows):
            similar += near
        return similar

    def _near(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Block by block, its number and what it adds to the similarities."""
        reaches = -self._reaches(self._catalog.array("reaches")[rows])
        for number, distances in self._distances(self._catalog.array("vectors")[rows]):
            distances /= reaches
            yield number, self.shares[number] * np.exp(distances, out=distances)

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

        What a song at the centroid would have that is nearer to all points by ``TRUSTED`` times the usual distance
        of the cell's songs from it, block by block.
        """
        centroids, radii = self._catalog.array("cell_centroids"), self._catalog.array("cell_radii")
        reaches = self._reaches(self._catalog.array("cell_reaches"))
        most = np.zeros((len(centroids), len(self)), np.float32)
        away = self.weights < 0
        for number, distances in self._distances(centroids):
            nearer = np.where(away, -TRUSTED, TRUSTED) * radii[:, number, None] / self._unit[number]
            most += self.shares[number] * np.exp(-np.maximum(distances - nearer, 0) / reaches)
        terms = np.where(away, 1 - most, most) @ np.abs(self.weights)
        return (1 - self._targets_share) * terms + self._targets_share

    def parts(self, row: int) -> dict[str, float]:
        """What each part contributed to a song's score; adds up to it.

        A block's part is its share of the similarity to all seeds of positive weight, ``together`` the part of the
        lists; unlikeness to negative seeds is the part ``less_like``, closeness to targets the part ``targets``.
        """
        seeds_share = 1 - self._targets_share
        towards, away = np.maximum(self.weights, 0), np.maximum(-self.weights, 0)
        parts, avoided = {}, float(away.sum())
        for number, near in self._near(np.array([row])):
            if self.shares[number].any():
                parts[self._space.blocks[number].name] = seeds_share * float(near[0] @ towards)
            avoided -= float(near[0] @ away)
        points, nearness = self._listed(row)
        if self._space.together:
            parts["together"] = seeds_share * float(nearness @ towards[points])
            avoided -= float(nearness @ away[points])
        if away.any():
            parts["less_like"] = seeds_share * avoided
        if self._targets:
            parts["targets"] = self._targets_share * float(self.closeness(np.array([row]))[0])
        return parts

    def closest(self, row: int) -> int:
        """The point that is nearest to a song, of those of positive weight if there are any."""
        near = self.similarities(np.array([row]))[0]
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
        """Reaches of songs towards points, shape (len(of_songs), n_points)."""
        return np.where(self._raw, np.float32(REACH), of_songs[:, None])

    def _distances(self, vectors: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Block by block, its number and the distances of vectors from points, shape (len(vectors), n_points)."""
        vectors = vectors.astype(np.float32)
        for number, block in enumerate(self._space.blocks):
            of = (matrix[:, block.columns] for matrix in (vectors, self._points, self._known))
            distances = squared_distances(*of)
            np.sqrt(distances, out=distances)
            distances /= self._unit[number]
            yield number, distances


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
