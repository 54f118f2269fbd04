"""k-means in whole numbers: every processor, BLAS and number of threads finds the same centroids.

A product of vectors of whole numbers is exact in float32, in whatever order it is summed, as long as it stays below
2**24. So points are whole numbers no longer than about ``MAX_NORM``, the centroids are rounded to whole numbers after
each iteration, and only exact sums decide which of them is nearest.
"""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from segue.engine.space import square_of_difference
from segue_build.progress import thread_map
from segue_build.sources.series import batch_slices

MAX_NORM = 2_000  # norm of a point; the square of twice that, and what rounding adds, is below 2**24
CHUNK_ROWS = 512  # their table of products stays in the processor's cache
RUN_ROWS = 16_384  # that a thread is given at once: to hand over fewer would take longer than to compute them


def sample_rows(n_rows: int, size: int, seed: int | np.random.Generator) -> np.ndarray:
    """Row numbers of a random sample, at most ``size``, rising."""
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:size])


def kmeans(
    points: np.ndarray,
    n_centroids: int,
    seed: int,
    max_iterations: int,
    init_sample: int,
    keys: np.ndarray | None = None,
) -> np.ndarray:
    """Centroids by Lloyd's algorithm.

    Parameters
    ----------
    points : float32 of whole numbers, shape (n_points, n_dims), of norms up to ``MAX_NORM``
    n_centroids : at the most; there are fewer where fewer points differ
    max_iterations : of Lloyd's algorithm
    init_sample : points that k-means++ chooses from, at the most
    keys : uint64, shape (n_points,), of the points; with them, k-means++ chooses much the same points after some
        points are gone or others have come

    Returns
    -------
    float32 of whole numbers, shape (n_centroids, n_dims)

    """
    size = max(init_sample, n_centroids)
    if keys is None:
        rng = np.random.default_rng(seed)
        sample = sample_rows(len(points), size, rng)
        initial = _kmeans_plus_plus(points[sample], n_centroids, lambda step, weights: _draw(rng, step, weights))
    else:
        sample = keyed_sample(keys, size, seed)
        known = keys[sample]
        initial = _kmeans_plus_plus(
            points[sample], n_centroids, lambda step, weights: _keyed_draw(known, seed, step, weights)
        )
    return lloyd(points, initial, max_iterations)


def keyed_sample(keys: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Row numbers of a random sample, at most ``size``, rising, much the same after some keys are gone or new."""
    return np.sort(np.argsort(_keyed_uniforms(keys, seed, 0), kind="stable")[:size])


def _keyed_uniforms(keys: np.ndarray, seed: int, step: int) -> np.ndarray:
    """Random numbers in (0, 1) that depend on key, seed and step alone; float64, shape (n_keys,).

    SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    with np.errstate(over="ignore"):
        mixed = keys + np.uint64((seed * 1_000_003 + step + 1) * 0x9E3779B97F4A7C15 % 2**64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(12)) + 0.5) / 2.0**52


def lloyd(points: np.ndarray, centroids: np.ndarray, max_iterations: int) -> np.ndarray:
    """Centroids after iterations of Lloyd's algorithm, float32 of whole numbers, shape (n_centroids, n_dims).

    points, centroids : as :func:`kmeans` takes and returns them
    """
    labels = np.full(len(points), -1)
    for _ in range(max_iterations):
        previous, labels = labels, nearest_centroids(points, centroids)
        if np.array_equal(previous, labels):
            break
        centroids = _update_centroids(points, labels, centroids)
    return centroids


def nearest_centroids(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The index of each point's nearest centroid, the lowest where several tie; int64, shape (n_points,)."""
    # |p - c|² / 2 less what all centroids have in common, by one product
    factors = np.vstack([centroids.T, (centroids * centroids).sum(axis=1) / -2])

    def of_run(start: int) -> np.ndarray:
        run = points[start : start + RUN_ROWS]
        with_ones = np.hstack([run, np.ones((len(run), 1), np.float32)])
        return np.concatenate(
            [(with_ones[chunk] @ factors).argmax(axis=1) for chunk in batch_slices(len(run), CHUNK_ROWS)]
        )

    starts = range(0, max(len(points), 1), RUN_ROWS)
    return np.concatenate(list(thread_map(of_run, starts, "nearest centroids", " runs")))


def grid_scale(vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Factors by which the longest weighted vector gets the norm ``MAX_NORM``; shape (n_dims,)."""
    return scale_to_max_norm(weights, max_squared_norm(vectors, weights))


def max_squared_norm(vectors: np.ndarray, weights: np.ndarray) -> float:
    """The square of the longest weighted vector's norm."""
    return max(float(np.square(vectors[run] * weights).sum(axis=1).max()) for run in batch_slices(len(vectors)))


def scale_to_max_norm(weights: np.ndarray, squared_norm: float) -> np.ndarray:
    """The same as :func:`grid_scale`, from the square of the longest weighted vector's norm."""
    return weights * (MAX_NORM / (squared_norm or 1.0) ** 0.5)


def to_grid(vectors: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Vectors rounded to whole numbers, float32."""
    found = np.empty(vectors.shape, np.float32)
    for run in batch_slices(len(vectors), RUN_ROWS):  # in float64 all would be most of the memory of a fit
        np.rint(vectors[run] * scale, out=found[run], casting="same_kind")
    return found


def _kmeans_plus_plus(points: np.ndarray, n_centroids: int, draw: Callable[[int, np.ndarray], int]) -> np.ndarray:
    """k-means++: Arthur and Vassilvitskii, SODA 2007.

    draw : a step and weights to the index of a point that is drawn with a probability proportional to its weight
    """
    squared_norms = (points * points).sum(axis=1)
    picks = [draw(0, np.ones(len(points), np.float32))]
    min_distances = np.full(len(points), np.inf, np.float32)
    while True:
        doubled_products = points @ (2 * points[picks[-1]])
        distances = square_of_difference(squared_norms, doubled_products, squared_norms[picks[-1]])
        np.minimum(min_distances, distances, out=min_distances)
        if len(picks) == n_centroids or not min_distances.any():
            return points[picks]
        picks.append(draw(len(picks), min_distances))


def _draw(rng: np.random.Generator, step: int, weights: np.ndarray) -> int:
    if not step:
        return int(rng.integers(len(weights)))
    cumulative = np.cumsum(weights, dtype=np.float64)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def _keyed_draw(keys: np.ndarray, seed: int, step: int, weights: np.ndarray) -> int:
    """The first to arrive where waiting times are exponential (Efraimidis and Spirakis, IPL 97, 2006)."""
    with np.errstate(divide="ignore"):
        return int((-np.log(_keyed_uniforms(keys, seed, step + 1)) / weights).argmin())


def _update_centroids(points: np.ndarray, labels: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The mean of each centroid's points, rounded; a centroid without points stays where it is."""
    ones, starts = np.ones(len(labels)), np.arange(len(labels) + 1)
    members = sparse.csr_matrix((ones, labels, starts), shape=(len(labels), len(centroids)))
    counts = np.bincount(labels, minlength=len(centroids))[:, None]
    means = np.rint(members.T @ points / np.maximum(counts, 1))
    return np.where(counts > 0, means, centroids).astype(np.float32)
