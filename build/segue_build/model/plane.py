"""A map of the songs: points of a plane, alike songs near each other.

The cells' centroids are arranged by scikit-learn's t-SNE (van der Maaten and Hinton, JMLR 9, 2008), from their two
principal components on, so that what is far apart in the space stays apart (Kobak and Berens, Nature Communications
10, 2019). Each song lies between the places of the cells that are nearest to it. So a million songs take not much
longer than their few thousand cells.

Every processor draws the same map: distances are whole numbers, the first of two equally near cells is the nearer,
and the components are rounded.
"""

import itertools

import numpy as np
from scipy import sparse
from sklearn.manifold import TSNE

from segue_build.model.kmeans import on_grid, scale_of

LARGEST = 2**16 - 1  # coordinate
FEWEST = 20  # cells that t-SNE arranges; fewer lie as their principal components do
PERPLEXITY = 60  # neighbours to which each cell pays attention
WATCHED = 3 * PERPLEXITY + 2  # cells that t-SNE asks for, and each cell itself
RUN = 256  # cells whose distances to all others are held at a time
ROUNDS = 500
EXAGGERATION = 4  # of attractions in the first 250 rounds
START = 10.0  # standard deviation of the first component at first
NEAREST = 3  # cells between which a song lies
CANDIDATES = 16  # of them: the cells nearest to its own


def plane(vectors: np.ndarray, weights: np.ndarray, offsets: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Where each song lies.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims), sorted by cell
    weights : shape (n_dims,), what the columns are multiplied by to be compared by one distance
    offsets : shape (n_cells + 1,), first song of each cell
    centroids : int8, shape (n_cells, n_dims)

    Returns
    -------
    uint16, shape (n_songs, 2): one scale for both axes, the longer one 0..``LARGEST``, the other in its middle

    """
    arranged = Arranged(centroids, scale_of(vectors, weights))
    runs = enumerate(itertools.pairwise(offsets.tolist()))
    places = np.concatenate([arranged.between(cell, vectors[slice(*run)]) for cell, run in runs])
    return drawn(places, places.min(axis=0), places.max(axis=0))


class Arranged:
    """Where the cells lie.

    centroids : int8, shape (n_cells, n_dims)
    scale : see :func:`segue_build.model.kmeans.scale_of`
    """

    def __init__(self, centroids: np.ndarray, scale: np.ndarray):
        self._scale = scale
        self._cells = on_grid(centroids, scale).astype(np.float64)
        around, gaps = _neighbours(self._cells, max(CANDIDATES, WATCHED))
        self._places = _arranged(self._cells, around, gaps)
        self._around = around[:, :CANDIDATES]

    def between(self, cell: int, vectors: np.ndarray) -> np.ndarray:
        """Where songs of a cell lie; float64, shape (n_songs, 2)."""
        near = self._around[cell]
        return _between(on_grid(vectors, self._scale), self._cells[near], self._places[near])


def _neighbours(cells: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells nearest to each, itself among them, and their squared distances; both of shape (n_cells, count).

    A table of all distances would be larger than all else that the build holds at a time.
    """
    found = []
    for first in range(0, len(cells), RUN):
        gaps = _squared(cells[first : first + RUN], cells)
        near = np.argsort(gaps, axis=1, kind="stable")[:, :count]
        found.append((near, np.take_along_axis(gaps, near, axis=1)))
    around, gaps = map(np.concatenate, zip(*found))
    return around, gaps


def _arranged(cells: np.ndarray, around: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Where the cells lie; shape (n_cells, 2)."""
    start = _components(cells)
    if len(cells) < FEWEST:
        return start
    tsne = TSNE(
        perplexity=min(PERPLEXITY, len(cells) / 4),
        max_iter=ROUNDS,
        early_exaggeration=EXAGGERATION,
        init=(START * start).astype(np.float32),
        metric="precomputed",
        random_state=0,
    )
    return tsne.fit_transform(_graph(around, gaps)).astype(np.float64)


def _graph(around: np.ndarray, gaps: np.ndarray) -> sparse.csr_matrix:
    """Distances to the nearest cells, rising; of equally near cells the first is the nearer."""
    n_cells, count = around.shape
    apart = np.sqrt(gaps + around / n_cells)
    apart[around == np.arange(n_cells)[:, None]] = 0
    order = np.argsort(apart, axis=1, kind="stable")
    rising, columns = (np.take_along_axis(each, order, axis=1).ravel() for each in (apart, around))
    return sparse.csr_matrix((rising, columns, np.arange(n_cells + 1) * count), (n_cells, n_cells))


def _components(cells: np.ndarray) -> np.ndarray:
    """The two principal components, the first of standard deviation 1; the largest loading of each is positive."""
    centred = cells - np.rint(cells.mean(axis=0))
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, :-3:-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    flat = centred @ axes
    flat = np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))
    return np.rint(flat / (flat[:, 0].std() or 1.0) * 2**16) / 2**16  # processors differ in later digits


def _between(songs: np.ndarray, cells: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where songs lie between cells: the mean of the nearest ones' places, weighted by distance**-4."""
    gaps = _squared(songs.astype(np.float64), cells)
    nearest = np.argsort(gaps, axis=1, kind="stable")[:, :NEAREST]
    weights = 1 / (np.take_along_axis(gaps, nearest, axis=1) + 1) ** 2
    return (weights[:, :, None] * places[nearest]).sum(axis=1) / weights.sum(axis=1)[:, None]


def _squared(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances of whole-numbered points, exact; shape (len(some), len(others))."""
    return np.square(some).sum(axis=1)[:, None] - 2 * some @ others.T + np.square(others).sum(axis=1)


def drawn(places: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Places of some songs as coordinates; uint16, shape (n_songs, 2).

    low, high : of all songs' places, shape (2,)
    """
    unit = LARGEST / ((high - low).max() or 1.0)
    return np.rint((places - (low + high) / 2) * unit + LARGEST / 2).clip(0, LARGEST).astype(np.uint16)
