"""Cells that prune the search, and clusters of cells that people browse."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from segue_build.model.kmeans import kmeans, nearest, on_grid, scale_of
from segue_build.sources.runs import slices

CELLS_PER_ROOT = 4  # cells for each square root of the number of songs
CELLS_PER_CUBE_ROOT = 28  # for each cube root, where that is less: a query reads every cell's centroid
SAMPLE = 250_000  # songs that the cells' centroids are learned from at the most; the others are assigned
SAMPLE_PER_CELL = 160  # of them
SEEDING = 30_000  # of them, from which centroids start: looking for far ones costs more than all rounds after
MOST_CLUSTERS = 40
ROUNDS = 25  # of k-means; centroids hardly move after


@dataclass(frozen=True, slots=True)
class Cells:
    """A clustering in two levels.

    cells : int64, shape (n_songs,), numbered so that cells of one cluster are neighbours
    clusters : int64, shape (n_cells,), the cluster of each cell
    """

    cells: np.ndarray
    clusters: np.ndarray


def cluster(vectors: np.ndarray, seed: int, weights: np.ndarray | float = 1.0) -> Cells:
    """Cluster songs into about 4 sqrt(n) cells, fewer past 100,000 songs, and cells into a few dozen clusters.

    vectors : float32, shape (n_songs, n_dims)
    weights : shape (n_dims,), what the columns are multiplied by to be compared by one distance

    A large catalogue's centroids are learned from a sample; every song is then in the cell of the nearest.
    """
    weights = np.asarray(weights, np.float64)
    labels, centroids = _cells(vectors, weights, cells_for(len(vectors)), seed)
    number, of_cell = joined(centroids)
    return Cells(number[labels], of_cell)


def cells_for(n_songs: int) -> int:
    """How many cells so many songs are put into, at the most."""
    return round(min(CELLS_PER_ROOT * n_songs**0.5, CELLS_PER_CUBE_ROOT * n_songs ** (1 / 3), n_songs))


def sample_for(n_cells: int) -> int:
    """How many songs so many cells are learned from, at the most."""
    return min(n_cells * SAMPLE_PER_CELL, max(SAMPLE, n_cells))


def learned(sample: np.ndarray, scale: np.ndarray, n_cells: int, seed: int) -> np.ndarray:
    """Centroids, float32 of whole numbers, shape (n_cells or fewer, n_dims).

    sample : int8, shape (n_songs, n_dims)
    scale : see :func:`segue_build.model.kmeans.scale_of`
    """
    return kmeans(on_grid(sample, scale), n_cells, seed, ROUNDS, SEEDING)


def joined(centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join cells to clusters.

    Returns
    -------
    The number of each cell, by which cells of one cluster are neighbours, and the cluster of each cell in that order;
    both int64, shape (n_cells,).

    """
    of_cell = _clusters(centroids)
    order = np.lexsort((np.arange(len(centroids)), of_cell))
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    return number, of_cell[order]


def centroids(vectors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Mean vectors of the cells, int8, shape (n_cells, n_dims).

    vectors : int8, shape (n_songs, n_dims), sorted by cell, as the function will read them
    offsets : shape (n_cells + 1,), first song of each cell
    """
    sums = np.add.reduceat(vectors, offsets[:-1].astype(np.int64), dtype=np.int64)
    return np.rint(sums / np.diff(offsets)[:, None]).astype(vectors.dtype)


def _cells(vectors: np.ndarray, weights: np.ndarray, n_cells: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    scale = scale_of(vectors, weights)
    centroids = learned(_sample(vectors, n_cells, seed), scale, n_cells, seed)
    labels = np.concatenate([nearest(on_grid(vectors[run], scale), centroids) for run in slices(len(vectors))])
    used, numbers = np.unique(labels, return_inverse=True)
    return numbers.astype(np.int64), centroids[used]


def _sample(vectors: np.ndarray, n_cells: int, seed: int) -> np.ndarray:
    size = sample_for(n_cells)
    if len(vectors) <= size:
        return vectors
    return vectors[np.sort(np.random.default_rng(seed).choice(len(vectors), size, replace=False))]


def _clusters(centroids: np.ndarray) -> np.ndarray:
    """Ward's method joins cells from below: a small group of its own kind stays one, as it would not by k-means."""
    wanted = min(MOST_CLUSTERS, max(1, round(1.3 * len(centroids) ** 0.5)), len(centroids))
    if wanted == len(centroids):
        return np.arange(wanted)
    return AgglomerativeClustering(wanted).fit_predict(centroids).astype(np.int64)
