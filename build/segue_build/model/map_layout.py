"""The layout of the map: songs as points of a plane, similar ones near each other.

The cells' centroids are arranged by scikit-learn's t-SNE (van der Maaten and Hinton, JMLR 9, 2008), which starts from
their two principal components so that distant groups stay apart (Kobak and Berens, Nature Communications 10, 2019).
Each song is then interpolated between the cells nearest to it, so that a million songs take little longer than their
few thousand cells.

Every processor computes the same map: distances are whole numbers, of two equally near cells the first counts as
nearer, and the components are rounded.
"""

import itertools

import numpy as np
from scipy import sparse
from sklearn.manifold import TSNE

from segue.engine.space import squared_distances
from segue_build.model.kmeans import grid_scale, to_grid

MAX_COORDINATE = 2**16 - 1
MIN_TSNE_CELLS = 20  # fewer cells lie where their principal components put them
PERPLEXITY = 60
TSNE_NEIGHBOURS = 3 * PERPLEXITY + 2  # what t-SNE needs, and each cell itself
CHUNK_CELLS = 256  # cells whose distances to all others are held at a time
MAX_ITERATIONS = 500
EARLY_EXAGGERATION = 4  # of attractions in the first 250 iterations
INIT_DEVIATION = 10.0  # standard deviation of the first component at first
INTERPOLATED_CELLS = 3  # cells between which a song is interpolated
CANDIDATE_CELLS = 16  # cells near its own that they are chosen from


def map_coordinates(
    vectors: np.ndarray, weights: np.ndarray, offsets: np.ndarray, centroids: np.ndarray, seed: int
) -> np.ndarray:
    """Where each song lies.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims), sorted by cell
    weights : shape (n_dims,), what the columns are multiplied by to be compared by one distance
    offsets : shape (n_cells + 1,), first song of each cell
    centroids : int8, shape (n_cells, n_dims)
    seed : of t-SNE

    Returns
    -------
    uint16, shape (n_songs, 2): one scale for both axes, the longer one 0..``MAX_COORDINATE``, the other in its middle

    """
    layout = CellLayout(centroids, grid_scale(vectors, weights), seed)
    rows_of_cells = enumerate(itertools.pairwise(offsets.tolist()))
    positions = np.concatenate([layout.interpolate(cell, vectors[slice(*rows)]) for cell, rows in rows_of_cells])
    return to_coordinates(positions, positions.min(axis=0), positions.max(axis=0))


class CellLayout:
    """Where the cells lie.

    centroids : int8, shape (n_cells, n_dims)
    scale : see :func:`segue_build.model.clustering.grid_scale`
    seed : of t-SNE
    """

    def __init__(self, centroids: np.ndarray, scale: np.ndarray, seed: int):
        self._scale = scale
        self._cells = to_grid(centroids, scale).astype(np.float64)
        neighbours, distances = _nearest_cells(self._cells, max(CANDIDATE_CELLS, TSNE_NEIGHBOURS))
        self._positions = _tsne_layout(self._cells, neighbours, distances, seed)
        self._neighbours = neighbours[:, :CANDIDATE_CELLS]

    def interpolate(self, cell: int, vectors: np.ndarray) -> np.ndarray:
        """Where songs of a cell lie; float64, shape (n_songs, 2)."""
        near = self._neighbours[cell]
        return _interpolate(to_grid(vectors, self._scale), self._cells[near], self._positions[near])


def _nearest_cells(cells: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells nearest to each, itself among them, and their squared distances; both of shape (n_cells, count).

    A table of all distances would be larger than all else that the build holds at a time.
    """
    parts = []
    for start in range(0, len(cells), CHUNK_CELLS):
        distances = squared_distances(cells[start : start + CHUNK_CELLS], cells)
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :count]
        parts.append((nearest, np.take_along_axis(distances, nearest, axis=1)))
    neighbours, distances = map(np.concatenate, zip(*parts))
    return neighbours, distances


def _tsne_layout(cells: np.ndarray, neighbours: np.ndarray, distances: np.ndarray, seed: int) -> np.ndarray:
    """Where the cells lie; shape (n_cells, 2)."""
    init = _principal_components(cells)
    if len(cells) < MIN_TSNE_CELLS:
        return init
    tsne = TSNE(
        perplexity=min(PERPLEXITY, len(cells) / 4),
        max_iter=MAX_ITERATIONS,
        early_exaggeration=EARLY_EXAGGERATION,
        init=(INIT_DEVIATION * init).astype(np.float32),
        metric="precomputed",
        random_state=seed,
    )
    return tsne.fit_transform(_neighbour_graph(neighbours, distances)).astype(np.float64)


def _neighbour_graph(neighbours: np.ndarray, distances: np.ndarray) -> sparse.csr_matrix:
    """Distances to the nearest cells, rising; of equally near cells the first is the nearer."""
    n_cells, count = neighbours.shape
    distance = np.sqrt(distances + neighbours / n_cells)
    distance[neighbours == np.arange(n_cells)[:, None]] = 0
    order = np.argsort(distance, axis=1, kind="stable")
    sorted_distances, columns = (np.take_along_axis(each, order, axis=1).ravel() for each in (distance, neighbours))
    return sparse.csr_matrix((sorted_distances, columns, np.arange(n_cells + 1) * count), (n_cells, n_cells))


def _principal_components(cells: np.ndarray) -> np.ndarray:
    """The two principal components, the first of standard deviation 1; the largest loading of each is positive."""
    centred = cells - np.rint(cells.mean(axis=0))
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, :-3:-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    projected = centred @ axes
    projected = np.pad(projected, ((0, 0), (0, 2 - projected.shape[1])))
    return np.rint(projected / (projected[:, 0].std() or 1.0) * 2**16) / 2**16  # processors differ in later digits


def _interpolate(songs: np.ndarray, cells: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Where songs lie between cells: the mean of the nearest ones' positions, weighted by distance**-4."""
    distances = squared_distances(songs.astype(np.float64), cells)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :INTERPOLATED_CELLS]
    weights = 1 / (np.take_along_axis(distances, nearest, axis=1) + 1) ** 2
    return (weights[:, :, None] * positions[nearest]).sum(axis=1) / weights.sum(axis=1)[:, None]


def to_coordinates(positions: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Positions of some songs as coordinates; uint16, shape (n_songs, 2).

    low, high : of all songs' positions, shape (2,)
    """
    unit = MAX_COORDINATE / ((high - low).max() or 1.0)
    return (
        np.rint((positions - (low + high) / 2) * unit + MAX_COORDINATE / 2).clip(0, MAX_COORDINATE).astype(np.uint16)
    )
