"""How well a song answers a query: a number in 0..1 whose parts add up to it.

    score = (1 - t) * sum over seeds of |w| / W * s(seed, song)  +  t * mean closeness to the targets
    s = exp(-D2 / temperature) for a seed with a positive weight, 1 - exp(-D2 / temperature) for a negative one

``D2`` is the space's squared distance, ``W`` the sum of all ``|w|``, ``t`` is 0 without targets and
``TARGETS_SHARE`` with any. The closeness to a target is 1 less the difference of the ranks of value and target,
0 where the song lacks the attribute. Several seeds so combine by a soft minimum of their distances, not by their
mean: a song need only be near to one of them. An artist or genre spreads its weight over the songs that stand
for it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from segue.catalog import Catalog
from segue.seeds import Resolved, ranks
from segue.space import Space

TARGETS_SHARE = 0.5
DIGITS = 6  # to which scores are rounded, so that equal songs tie on every machine


class Scorer:
    """Scores rows of a catalogue for one query's seeds and targets.

    points : float32, shape (n_points, n_dims), what stands for the seeds
    weights : float64, shape (n_points,), absolute values summing to 1
    """

    def __init__(self, catalog: Catalog, space: Space, seeds: Sequence[Resolved], targets: Mapping[str, float]):
        self._catalog = catalog
        self._space = space
        known = np.concatenate([seed.known for seed in seeds])
        self.known = known.astype(np.float32)
        self.points = np.concatenate([seed.vectors for seed in seeds]) * self.known
        self.weights = _weights(seeds)
        self._scale = 1 / np.maximum(known @ space.spread, 1e-12) / space.temperature
        self._targets = {name: float(ranks(catalog)(name, np.array([value]))[0]) for name, value in targets.items()}
        self._share = TARGETS_SHARE if targets else 0.0

    def __len__(self) -> int:
        return len(self.points)

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Scores of rows, float64, shape (len(rows),), rounded to ``DIGITS``."""
        similar = self.similarities(rows)
        away = self.weights < 0
        terms = np.where(away, 1 - similar, similar) @ np.abs(self.weights)
        if self._targets:
            terms = (1 - self._share) * terms + self._share * self.closeness(rows)
        return np.round(terms, DIGITS)

    def similarities(self, rows: np.ndarray) -> np.ndarray:
        """How near rows are to points, 0..1, shape (len(rows), n_points)."""
        vectors = self._catalog.array("vectors")[rows].astype(np.float32)
        return np.exp(-self._scaled_distances(vectors))

    def closeness(self, rows: np.ndarray) -> np.ndarray:
        """How near rows are to the targets, 0..1, shape (len(rows),)."""
        curve = ranks(self._catalog)
        near = [
            1 - np.abs(curve(name, self._catalog.attribute(name)[rows].astype(np.float64)) - level)
            for name, level in self._targets.items()
        ]
        return np.nan_to_num(np.stack(near)).mean(axis=0)

    def bounds(self) -> np.ndarray:
        """The highest score that any song of each cell can have, shape (n_cells,).

        By the triangle inequality, over all columns and block by block.
        """
        nearest, farthest = self._distance_bounds()
        similar = np.where(self.weights < 0, 1 - np.exp(-farthest), np.exp(-nearest))
        return (1 - self._share) * (similar @ np.abs(self.weights)) + self._share

    def parts(self, row: int) -> dict[str, float]:
        """What each part contributed to a song's score; adds up to it.

        A similar seed's term is split over the blocks in proportion to ``share * exp(-(D2 within the block))``,
        unlikeness to negative seeds is the part ``less_like``, closeness to targets the part ``targets``.
        """
        similar = self.similarities(np.array([row]))[0].astype(np.float64)
        parts = {block.name: 0.0 for block in self._space.blocks if self.known[:, block.columns].any()}
        for point in np.flatnonzero(self.weights > 0):
            for name, share in self._block_shares(row, int(point)).items():
                parts[name] += (1 - self._share) * self.weights[point] * similar[point] * share
        away = self.weights < 0
        if away.any():
            parts["less_like"] = (1 - self._share) * float((1 - similar[away]) @ -self.weights[away])
        if self._targets:
            parts["targets"] = self._share * float(self.closeness(np.array([row]))[0])
        return parts

    def _block_shares(self, row: int, point: int) -> dict[str, float]:
        vector = self._catalog.array("vectors")[row].astype(np.float64)
        gap = (vector - self.points[point]) ** 2 * self.known[point]
        near = {}
        for block in self._space.blocks:
            spread = float(self.known[point, block.columns] @ self._space.spread[block.columns])
            if spread > 0:
                near[block.name] = spread * float(np.exp(-gap[block.columns].sum() / spread))
        total = sum(near.values())
        return {name: part / total for name, part in near.items()}

    def _scaled_distances(self, vectors: np.ndarray) -> np.ndarray:
        """Squared distances over temperature, shape (len(vectors), n_points)."""
        squared = (vectors * vectors) @ self.known.T - 2 * (vectors @ self.points.T)
        squared += np.einsum("ij,ij->i", self.points, self.points)
        return np.maximum(squared, 0) * self._scale.astype(np.float32)

    def _distance_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest squared distances over temperature of a cell's songs, (n_cells, n_points) each."""
        centroids, radii = self._catalog.array("cell_centroids"), self._catalog.array("cell_radii")
        least = np.zeros((len(centroids), len(self)))
        whole = np.zeros_like(least)
        reach = np.zeros_like(least)
        for number, block in enumerate(self._space.blocks):
            columns = block.columns
            known, points = self.known[:, columns], self.points[:, columns]
            squared = (centroids[:, columns] ** 2) @ known.T - 2 * centroids[:, columns] @ points.T
            squared = np.maximum(squared + np.einsum("ij,ij->i", points, points), 0)
            radius = radii[:, number, None] * known.any(axis=1)
            least += np.maximum(np.sqrt(squared) - radius, 0) ** 2
            whole += squared
            reach += radius**2
        reach = np.minimum(np.sqrt(reach), radii[:, -1, None])
        whole = np.sqrt(whole)
        least = np.maximum(least, np.maximum(whole - reach, 0) ** 2)
        return least * self._scale, (whole + reach) ** 2 * self._scale


def _weights(seeds: Sequence[Resolved]) -> np.ndarray:
    total = sum(abs(seed.seed.weight) for seed in seeds)
    return np.concatenate(
        [np.full(len(seed.vectors), seed.seed.weight / len(seed.vectors) / total) for seed in seeds]
    )
