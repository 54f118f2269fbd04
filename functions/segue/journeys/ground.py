"""Songs around a way through the space: among these a path is found."""

from functools import cached_property

import numpy as np

from segue.catalog import Catalog
from segue.engine.filtering import Allowed
from segue.journeys.ruler import Ruler, squared

FEW = 5_000  # allowed songs; if there are no more, all of them are looked at
LOOKED_AT = 400  # songs around each point


class Ground:
    """Where the allowed songs of a catalogue are; the most popular version that is allowed stands for its work."""

    def __init__(self, catalog: Catalog, ruler: Ruler, allowed: Allowed):
        self._songs, self._allowed = len(catalog), allowed
        self._works, self._versions = catalog.array("works"), catalog.lists("work", "songs")
        self._offsets = catalog.array("cell_offsets").astype(np.int64)
        self._centroids = catalog.derived("placed centroids", lambda: ruler.placed(catalog.array("cell_centroids")))

    @cached_property
    def everywhere(self) -> np.ndarray:
        """Rows of all allowed songs, rising."""
        return self._standing(np.arange(self._songs))

    @cached_property
    def counts(self) -> np.ndarray:
        """Songs of each cell, shape (n_cells,): those that pass, where anything is filtered."""
        if self._allowed.passing is None:
            return np.diff(self._offsets)
        return np.diff(self._allowed.rows().searchsorted(self._offsets))

    def near(self, points: np.ndarray) -> np.ndarray:
        """Rows of about so many allowed songs around each point, rising; of all where they are few."""
        if self._allowed.passing is not None and self._allowed.count() <= FEW:
            return self.everywhere
        order = np.argsort(squared(self._centroids, points), axis=0, kind="stable")
        counts = self.counts[order]
        cells = np.unique(order[np.cumsum(counts, axis=0) - counts < LOOKED_AT])
        spans = zip(self._offsets[cells].tolist(), self._offsets[cells + 1].tolist())
        rows = np.concatenate([np.arange(start, stop) for start, stop in spans])
        return self._standing(rows)

    def _standing(self, rows: np.ndarray) -> np.ndarray:
        """Those rows that are the first allowed version of their work."""
        versions, counts = self._versions.of(self._works[rows])
        places = np.where(self._allowed(versions), np.arange(len(versions)), len(versions))
        firsts = np.minimum.reduceat(places, np.cumsum(counts) - counts) if len(rows) else places
        return rows[np.append(versions, -1)[firsts] == rows]
