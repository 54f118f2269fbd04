"""Seeds as points of the space: how far vectors are from them, block by block."""

import numpy as np

from segue.catalog import Catalog
from segue.engine.similarity import STEPS
from segue.engine.space import Space, space_of

UNKNOWN = np.float32(1e-6)  # unit of a block of which a point has nothing


class Landmarks:
    """Vectors that every query is compared with, made ready once.

    vectors : int8, shape (n_landmarks, n_dims)
    """

    def __init__(self, space: Space, vectors: np.ndarray):
        self.columns = np.ascontiguousarray(vectors.T, np.float32)
        self.lengths = (space.columns @ (self.columns * self.columns))[:, None]


def landmarks(catalog: Catalog, name: str) -> Landmarks:
    """An array of a catalogue as vectors that every query is compared with."""
    return catalog.derived(("landmarks", name), lambda: Landmarks(space_of(catalog), catalog.array(name)))


class Points:
    """The points that stand for the seeds, ready to be compared with many vectors.

    The squared distance in a block is v.v - 2 v.p + p.p over the block's columns that the point has, or where there
    is one point the square of v - p; rows of the matrices below are pairs of a block and a point, so that one product
    gives all.

    units : float32, shape (n_blocks, n_points), what distances are measured in: that of a random pair in what a point
        has of a block, times the block's reach
    """

    def __init__(self, space: Space, vectors: np.ndarray, known: np.ndarray):
        spread = (space.columns * space.spread) @ known.T
        self.units = np.maximum(np.sqrt(spread) * space.block_reaches[:, None], UNKNOWN).astype(np.float32)
        inside = space.columns[:, None] * known
        placed = inside * vectors
        self._vectors = vectors
        self._whole = bool(known.all())  # then what is inside is the same for all points
        self._inside = _padded(space.columns if self._whole else inside.reshape(-1, vectors.shape[1]))
        self._doubled = _padded(2 * placed.reshape(-1, vectors.shape[1]))
        self._squares = (placed * placed).sum(axis=2)[:, :, None]
        self._steps = (self.units / np.float32(STEPS))[:, :, None]

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Distances of codes from the points in 1/``STEPS`` units, float32, (n_blocks, n_points, len(vectors))."""
        if len(self._vectors) == 1:  # then differences take one product rather than two
            apart = np.subtract(vectors, self._vectors, dtype=np.int16).astype(np.float32).T
            return self._in_steps(self._lengths(np.multiply(apart, apart, out=apart)))
        columns = vectors.astype(np.float32).T
        doubled = self._doubled @ columns
        squares = np.multiply(columns, columns, out=columns)  # a second array as large would cost more than all else
        return self._distances(doubled, self._lengths(squares))

    def distances_of(self, landmarks: Landmarks) -> np.ndarray:
        """The same of landmarks."""
        columns = landmarks.columns
        return self._distances(
            self._doubled @ columns, landmarks.lengths if self._whole else self._lengths(columns * columns)
        )

    def _lengths(self, squares: np.ndarray) -> np.ndarray:
        """v.v in each block, of points or of them all; shape (n_blocks, n_points or 1, n_vectors)."""
        points = 1 if self._whole else len(self._vectors)
        return self._parts(self._inside @ squares, points)

    def _parts(self, products: np.ndarray, points: int) -> np.ndarray:
        """Products by block and point, without those of the padding."""
        blocks = len(self.units)
        return products[: blocks * points].reshape(blocks, points, -1)

    def _distances(self, doubled: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        squared = self._parts(doubled, len(self._vectors))
        np.subtract(lengths, squared, out=squared)
        squared += self._squares
        return self._in_steps(squared)

    def _in_steps(self, squared: np.ndarray) -> np.ndarray:
        np.sqrt(squared, out=squared)
        squared /= self._steps
        return squared


def _padded(matrix: np.ndarray) -> np.ndarray:
    """The same with rows of zeros: BLAS multiplies eight rows in three quarters of the time that seven take."""
    padded = np.zeros((len(matrix) + -len(matrix) % 8, matrix.shape[1]), np.float32)
    padded[: len(matrix)] = matrix
    return padded
