"""The candidates of a journey: which songs pass, how far apart they are, and which may be in one list together.

The distance is summed over all blocks:

    distance² = sum over blocks of weight * squared distance / spread, over the sum of all weights

so that two random songs are 1 apart, root mean squared. A similarity hardly tells far from very far; this distance
adds up along a path. Quantized vectors are multiplied by integers, so that squared distances are integers below
2**53, which float64 holds exactly, whatever the order of summing.
"""

import math
import random
from functools import cached_property

import numpy as np

from segue.catalog.catalog import Catalog, RaggedArray
from segue.engine.search import AllowedSongs
from segue.engine.space import space_of, squared_distances
from segue.limits import STEPPED, charge

EXHAUSTIVE_LIMIT = 5_000  # allowed songs; up to so many, all of them are candidates
SONGS_PER_ANCHOR = 400  # songs around each anchor of a corridor
DRAW_SHARE = 0.5  # of the candidates that take part in a draw
MAX_MULTIPLIER = 1023  # squares of 254 * 1023 stay below 2**53 even when summed over 100,000 dimensions


class Metric:
    """A metric space of a catalogue's songs: rows become points, and distances are measured between points.

    mean_square : the mean squared distance of random pairs, in integer units
    """

    def __init__(self, catalog: Catalog):
        space = space_of(catalog)
        weights = space.column_weights
        scale = MAX_MULTIPLIER / weights.max()
        self._vectors = catalog.reader("vectors")
        self._multipliers = np.rint(weights * scale)
        self.mean_square = float(space.block_weights.sum() * scale**2)

    def scale_codes(self, codes: np.ndarray) -> np.ndarray:
        """Quantized vectors as points: float64 of integers, the same shape."""
        return codes * self._multipliers

    def points(self, rows: np.ndarray) -> np.ndarray:
        """Songs as points, shape (len(rows), n_dims)."""
        return self.scale_codes(self._vectors.take(rows, axis=0))

    def squared_distances(self, points: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Squared distances between points, shape (len(points), len(others)); random pairs have 1 in the mean."""
        return squared_distances(points, others) / self.mean_square

    def step_distances(self, points: np.ndarray) -> np.ndarray:
        """The distance of each point from the previous one, shape (len(points) - 1,)."""
        return np.sqrt(np.square(np.diff(points, axis=0)).sum(axis=1) / self.mean_square)


class CandidatePool:
    """The songs that pass the filters, by cell; of each work only its most popular version that passes."""

    def __init__(self, catalog: Catalog, metric: Metric, allowed: AllowedSongs):
        self._n_songs, self._allowed = len(catalog), allowed
        self._works, self._versions = catalog.reader("works"), catalog.lists("work", "songs")
        self._offsets = catalog.array("cell_offsets").astype(np.int64)
        self._centroids = catalog.cached(
            "scaled centroids", lambda: metric.scale_codes(catalog.array("cell_centroids"))
        )

    @cached_property
    def all_rows(self) -> np.ndarray:
        """Rows of all candidates, ascending."""
        return self._representatives(np.arange(self._n_songs))

    @cached_property
    def cell_counts(self) -> np.ndarray:
        """How many songs of each cell pass the filters, shape (n_cells,)."""
        if self._allowed.passing_rows is None:
            return np.diff(self._offsets)
        return np.diff(self._allowed.rows().searchsorted(self._offsets))

    def rows_near(self, points: np.ndarray) -> np.ndarray:
        """Rows of the candidates in the cells nearest to some points, ascending; all candidates if they are few."""
        if self._allowed.passing_rows is not None and self._allowed.count() <= EXHAUSTIVE_LIMIT:
            return self.all_rows
        charge(STEPPED, len(self._centroids) * len(points))
        order = np.argsort(squared_distances(self._centroids, points), axis=0, kind="stable")
        counts = self.cell_counts[order]
        cells = np.unique(order[np.cumsum(counts, axis=0) - counts < SONGS_PER_ANCHOR])
        cell_ranges = zip(self._offsets[cells].tolist(), self._offsets[cells + 1].tolist())
        rows = np.concatenate([np.arange(start, stop) for start, stop in cell_ranges])
        return self._representatives(rows)

    def _representatives(self, rows: np.ndarray) -> np.ndarray:
        """The rows that are the first allowed version of their work."""
        charge(STEPPED, len(rows))
        versions, counts = self._versions.gather(self._works.take(rows))
        indices = np.where(self._allowed(versions), np.arange(len(versions)), len(versions))
        first_allowed = np.minimum.reduceat(indices, np.cumsum(counts) - counts) if len(rows) else indices
        return rows[np.append(versions, -1)[first_allowed] == rows]


def metric_of(catalog: Catalog) -> Metric:
    """The metric of a catalogue, made once."""
    return catalog.cached("metric", lambda: Metric(catalog))


class ArtistCaps:
    """Counts the songs of a list by artist and work, against a cap for each artist and one song of each work.

    rows : of the songs that may be added; they are named by their index among these
    per_artist : songs that an artist may be credited in; None: no cap
    """

    def __init__(self, catalog: Catalog, rows: np.ndarray, per_artist: int | None):
        artists, counts = catalog.lists("song", "artists").gather(rows)
        n_artists = len(catalog.texts("artists"))
        works = catalog.take("works", rows).astype(np.int64) + n_artists
        labels = np.insert(artists.astype(np.int64), np.cumsum(counts), works)  # artists of a song, then its work
        offsets = np.concatenate([[0], np.cumsum(counts + 1)])
        known, numbers = np.unique(labels, return_inverse=True)
        self._labels = RaggedArray(
            offsets, numbers.astype(np.min_scalar_type(len(known)))
        )  # a small dtype sorts fast
        artist_limit = math.inf if per_artist is None else per_artist
        self._limits = np.where(known < n_artists, artist_limit, 1)
        self._counts = np.zeros(len(known))

    def add(self, index: int, times: int = 1) -> None:
        """Add a song to the list; ``times`` = -1: remove it."""
        self._counts[self._labels[index]] += times

    def try_add(self, index: int) -> bool:
        """Add a song if the caps allow it; return whether it was added."""
        is_available = bool(self.available(index, index + 1)[0])
        self.add(index, int(is_available))
        return is_available

    def available(self, first: int, last: int) -> np.ndarray:
        """Which songs of a range of indices may still be added, bool, shape (last - first,)."""
        is_full = self._counts >= self._limits
        offsets, numbers = self._labels.offsets[first : last + 1], self._labels.values
        return ~np.logical_or.reduceat(is_full[numbers[offsets[0] : offsets[-1]]], offsets[:-1] - offsets[0])

    def compatible(self, order: np.ndarray) -> np.ndarray:
        """Indices of songs that may all be added together, in an order of preference.

        A song is skipped if enough songs before it share an artist or the work with it, even if those were skipped
        themselves: the selection may be a little smaller than possible.
        """
        labels, sizes = self._labels.gather(order)
        by_label = np.argsort(labels, kind="stable")
        grouped = labels[by_label]
        counts_before = np.empty(len(labels), np.int64)
        counts_before[by_label] = np.arange(len(labels)) - grouped.searchsorted(grouped)
        is_within = counts_before + self._counts[labels] < self._limits[labels]
        return order[np.logical_and.reduceat(is_within, np.cumsum(sizes) - sizes)]


def shared_artist_matrix(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """Which songs share a credited artist, bool, shape (n_songs, n_songs)."""
    artists, counts = catalog.lists("song", "artists").gather(rows)
    unique_artists, numbers = np.unique(artists, return_inverse=True)
    credited = np.zeros((len(rows), len(unique_artists)), np.float32)
    credited[np.repeat(np.arange(len(rows)), counts), numbers] = 1
    return credited @ credited.T > 0


def sample_indices(n_songs: int, draw: int, at_least: int = 0) -> np.ndarray:
    """Indices of the candidates that take part in a draw, in random order."""
    size = max(round(DRAW_SHARE * n_songs), at_least)
    return np.array(random.Random(draw).sample(range(n_songs), size), np.int64)  # noqa: S311 # no secret
