"""Which songs of a catalogue may be recommended at all."""

from collections.abc import Iterator

import numpy as np

from segue.catalog import Catalog, lookup
from segue.catalog.names import bare
from segue.query import Filters


class Allowed:
    """Tells of rows whether their songs were analysed and pass the filters.

    What is excluded by id or artist is looked up row by row; only other filters read a column of the catalogue.

    passing : rows of the songs that pass these other filters, rising; None where there are none
    """

    def __init__(self, catalog: Catalog, filters: Filters):
        self._analysed = catalog.array("recommendable")
        tests = list(_tests(catalog, filters))
        self._passes = np.logical_and.reduce([self._analysed, *tests]) if tests else self._analysed
        self.passing = np.flatnonzero(self._passes) if tests else None
        self._excluded = _excluded(catalog, filters)
        self._count = int(catalog.manifest["recommendable"]) if self.passing is None else len(self.passing)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Shape (len(rows),), bool."""
        passes = self._passes.take(rows)
        return passes & ~np.isin(rows, self._excluded) if len(self._excluded) else passes

    def runs(self, size: int) -> Iterator[np.ndarray]:
        """All rows that are allowed, rising, so many at a time or a few less."""
        songs = self._analysed if self.passing is None else self.passing
        for start in range(0, len(songs), size):
            some = songs[start : start + size]
            rows = np.flatnonzero(some) + start if self.passing is None else some
            yield rows[~np.isin(rows, self._excluded)] if len(self._excluded) else rows

    def rows(self) -> np.ndarray:
        """All of them at once."""
        return np.concatenate([np.empty(0, np.int64), *self.runs(len(self._analysed))])

    def count(self) -> int:
        """How many songs of the catalogue are allowed."""
        return self._count - int(self._passes[self._excluded].sum())


def _tests(catalog: Catalog, filters: Filters) -> Iterator[np.ndarray]:
    for name, (low, high) in filters.ranges.items():
        yield _within(catalog.attribute(name), low, high)
    if filters.explicit is not None:
        yield catalog.attribute("explicit") == float(filters.explicit)
    if filters.genres:
        yield having(catalog, filters.genres)
    if filters.exclude_genres:
        yield ~having(catalog, filters.exclude_genres)


def _within(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Both ends inclusive, compared as stored: 0.1 typed is 0.1 in the table. Unknown values are not within."""
    number = np.promote_types(values.dtype, np.float32).type
    return (values >= number(low)) & (values <= number(high))


def outside(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """What is below or above, compared as stored. Unknown values are not outside either."""
    number = np.promote_types(values.dtype, np.float32).type
    return (values < number(low)) | (values > number(high))


def having(catalog: Catalog, genres: tuple[str, ...]) -> np.ndarray:
    """Songs of any of these genres; bool, shape (n_songs,)."""
    codes = [catalog.manifest["genres"].index(genre) for genre in set(genres)]
    offsets, values = catalog.array("in_offsets"), catalog.array("in_genres")
    hits = np.isin(values, codes)
    owners = np.searchsorted(offsets, np.flatnonzero(hits), side="right") - 1
    having = np.zeros(len(catalog), bool)
    having[owners] = True
    return having


def _excluded(catalog: Catalog, filters: Filters) -> np.ndarray:
    """Rows that are excluded by id or artist, rising."""
    if not filters.exclude_ids and not filters.exclude_artists:
        return np.empty(0, np.int64)
    songs = _versions_of(catalog, filters.exclude_ids), _songs_by(catalog, filters.exclude_artists)
    return np.unique(np.concatenate(songs))


def _versions_of(catalog: Catalog, ids: tuple[str, ...]) -> np.ndarray:
    rows = np.array([row for row in lookup.by_ids(catalog, ids) if row is not None], np.int64)
    return catalog.lists("work", "songs").of(np.unique(catalog.array("works")[rows]))[0].astype(np.int64)


def _songs_by(catalog: Catalog, artists: tuple[str, ...]) -> np.ndarray:
    songs, names = catalog.lists("artist", "songs"), catalog.texts("artists")
    found = {row for name in artists for row in lookup.artists_like(catalog, name) if bare(names[row]) == bare(name)}
    return _joined([songs[row] for row in sorted(found)])


def _joined(runs: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(runs).astype(np.int64) if runs else np.empty(0, np.int64)
