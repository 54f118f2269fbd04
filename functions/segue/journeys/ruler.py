"""How far songs are from each other on a journey: one distance over all blocks, in whole numbers.

    distance² = sum over blocks of share * squared distance / spread, over the sum of all shares

so that two songs drawn at random are 1 apart, root mean squared. A similarity says what songs are worth to a listener
and hardly tells far from very far; this distance adds up along a way.

Codes are multiplied by whole numbers, so that squared distances are whole numbers below 2**53, which float64 holds
exactly, whatever the order of summing.
"""

import numpy as np

from segue.catalog import Catalog
from segue.engine.space import space_of

FINEST = 1023  # the largest multiplier: squares of 254 codes * 1023 stay below 2**53 in a hundred thousand columns


class Ruler:
    """Places rows of a catalogue as points, and measures between them.

    unit : the squared distance, in whole numbers, at which a random pair is, on average
    """

    def __init__(self, catalog: Catalog):
        space = space_of(catalog)
        weights = space.weights
        scale = FINEST / weights.max()
        self._vectors = catalog.array("vectors")
        self._multipliers = np.rint(weights * scale)
        self.unit = float(space.shares.sum() * scale**2)

    def placed(self, codes: np.ndarray) -> np.ndarray:
        """Codes as points: float64 of whole numbers, the same shape."""
        return codes * self._multipliers

    def points(self, rows: np.ndarray) -> np.ndarray:
        """Songs as points, shape (len(rows), n_dims)."""
        return self.placed(self._vectors.take(rows, axis=0))

    def steps(self, points: np.ndarray) -> np.ndarray:
        """The distance of each point from the one before, shape (len(points) - 1,)."""
        return np.sqrt(np.square(np.diff(points, axis=0)).sum(axis=1) / self.unit)


def ruler_of(catalog: Catalog) -> Ruler:
    """The ruler of a catalogue."""
    return catalog.derived("ruler", lambda: Ruler(catalog))


def squared(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances in whole numbers, float64, shape (len(points), len(others))."""
    apart = points @ (-2 * others.T)
    apart += np.square(points).sum(axis=1)[:, None]
    apart += np.square(others).sum(axis=1)
    return apart
