"""k-means in whole numbers: every processor, BLAS and number of threads finds the same centroids.

A product of vectors of whole numbers is exact in float32, in whatever order it is summed, as long as it stays below
2**24. So points are whole numbers no longer than about ``LONGEST``, the centroids are rounded to whole numbers after
each round, and only exact sums decide which of them is nearest.
"""

import numpy as np
from scipy import sparse

from segue_build.progress import on_all_cores
from segue_build.sources.runs import slices

LONGEST = 2_000  # norm of a point; the square of twice that, and what rounding adds, is below 2**24
ROWS_AT_A_TIME = 512  # their table of products stays in the processor's cache


def kmeans(points: np.ndarray, count: int, seed: int, rounds: int, seeding: int) -> np.ndarray:
    """Centroids by Lloyd's algorithm.

    Parameters
    ----------
    points : float32 of whole numbers, shape (n_points, n_dims), of norms up to ``LONGEST``
    count : of centroids; there are fewer where fewer points differ
    rounds : at the most
    seeding : points from which centroids start, at the most

    Returns
    -------
    float32 of whole numbers, shape (n_centroids, n_dims)

    """
    dice = np.random.default_rng(seed)
    some = points[np.sort(dice.permutation(len(points))[: max(seeding, count)])]
    centroids = _spread(some, count, dice)
    labels = np.full(len(points), -1)
    for _ in range(rounds):
        before, labels = labels, nearest(points, centroids)
        if np.array_equal(before, labels):
            break
        centroids = _means(points, labels, centroids)
    return centroids


def nearest(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The number of the centroid that is nearest to each point, the lowest of several; int64, shape (n_points,)."""
    columns = np.ascontiguousarray(centroids.T)
    halves = (centroids * centroids).sum(axis=1) / 2

    def of(run: int) -> np.ndarray:
        return np.argmax(points[run : run + ROWS_AT_A_TIME] @ columns - halves, axis=1)

    runs = range(0, len(points), ROWS_AT_A_TIME)
    return np.concatenate(list(on_all_cores(of, runs, "nearest centroids", " chunks")))


def scale_of(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What brings the longest weighted vector to the norm ``LONGEST``; shape (n_dims,)."""
    return scale_for(weights, max(longest(vectors[run], weights) for run in slices(len(vectors))))


def longest(vectors: np.ndarray, weights: np.ndarray) -> float:
    """The square of the longest weighted vector's norm."""
    return float(np.square(vectors * weights).sum(axis=1).max())


def scale_for(weights: np.ndarray, square: float) -> np.ndarray:
    """The same as :func:`scale_of`, from the square of the longest weighted vector's norm."""
    return weights * (LONGEST / (square or 1.0) ** 0.5)


def on_grid(vectors: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Vectors as points: float32 of whole numbers."""
    return np.rint(vectors * scale).astype(np.float32)


def _spread(points: np.ndarray, count: int, dice: np.random.Generator) -> np.ndarray:
    """k-means++: Arthur and Vassilvitskii, SODA 2007. Each centroid is a point, a far one rather than a near one."""
    lengths = (points * points).sum(axis=1)
    picks = [int(dice.integers(len(points)))]
    far = np.full(len(points), np.inf, np.float32)
    while True:
        point = points[picks[-1]]
        np.minimum(far, lengths - 2 * (points @ point) + lengths[picks[-1]], out=far)
        chances = np.cumsum(far, dtype=np.float64)
        if len(picks) == count or not chances[-1]:
            return points[picks]
        picks.append(int(np.searchsorted(chances, dice.random() * chances[-1], side="right")))


def _means(points: np.ndarray, labels: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The mean of each centroid's points, rounded; a centroid without points stays where it is."""
    ones, starts = np.ones(len(labels)), np.arange(len(labels) + 1)
    members = sparse.csr_matrix((ones, labels, starts), shape=(len(labels), len(centroids)))
    counts = np.bincount(labels, minlength=len(centroids))[:, None]
    means = np.rint(members.T @ points / np.maximum(counts, 1))
    return np.where(counts > 0, means, centroids).astype(np.float32)
