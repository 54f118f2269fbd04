"""Which songs of a catalogue may be recommended at all."""

from collections.abc import Iterator

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artists_by_title_key, songs_by_ids
from segue.catalog.normalization import normalized
from segue.query.schema import Filters


class AllowedSongs:
    """Whether songs, by their rows, were analysed and pass the filters.

    Exclusions by id or artist are looked up row by row; only other filters read a column of the catalogue.

    passing_rows : rows of the songs that pass these other filters, rising; None where there are none
    """

    def __init__(self, catalog: Catalog, filters: Filters):
        self._recommendable = catalog.array("recommendable")
        conditions = list(_conditions(catalog, filters))
        self._passing_mask = (
            np.logical_and.reduce([self._recommendable, *conditions]) if conditions else self._recommendable
        )
        self.passing_rows = np.flatnonzero(self._passing_mask) if conditions else None
        self._excluded_rows = _excluded_rows(catalog, filters)
        self._n_passing = (
            int(catalog.manifest["recommendable"]) if self.passing_rows is None else len(self.passing_rows)
        )

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Shape (len(rows),), bool."""
        passes = self._passing_mask.take(rows)
        return passes & ~np.isin(rows, self._excluded_rows) if len(self._excluded_rows) else passes

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """All rows that are allowed, rising, so many at a time or a few less."""
        songs = self._recommendable if self.passing_rows is None else self.passing_rows
        for start in range(0, len(songs), size):
            part = songs[start : start + size]
            rows = np.flatnonzero(part) + start if self.passing_rows is None else part
            yield rows[~np.isin(rows, self._excluded_rows)] if len(self._excluded_rows) else rows

    def rows(self) -> np.ndarray:
        """All of them at once."""
        return np.concatenate([np.empty(0, np.int64), *self.batches(len(self._recommendable))])

    def count(self) -> int:
        """How many songs of the catalogue are allowed."""
        return self._n_passing - int(self._passing_mask[self._excluded_rows].sum())


def _conditions(catalog: Catalog, filters: Filters) -> Iterator[np.ndarray]:
    for name, (low, high) in filters.ranges.items():
        yield _in_range(catalog.attribute(name), low, high)
    if filters.explicit is not None:
        yield catalog.attribute("explicit") == float(filters.explicit)
    if filters.genres:
        yield songs_with_genres(catalog, filters.genres)
    if filters.exclude_genres:
        yield ~songs_with_genres(catalog, filters.exclude_genres)


def _in_range(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Both ends inclusive, compared as stored: 0.1 typed is 0.1 in the table. Unknown values are not within."""
    number = np.promote_types(values.dtype, np.float32).type
    return (values >= number(low)) & (values <= number(high))


def out_of_range(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """What is below or above, compared as stored. Unknown values are not outside either."""
    number = np.promote_types(values.dtype, np.float32).type
    return (values < number(low)) | (values > number(high))


def songs_with_genres(catalog: Catalog, genres: tuple[str, ...]) -> np.ndarray:
    """Songs of any of these genres; bool, shape (n_songs,)."""
    codes = [catalog.manifest["genres"].index(genre) for genre in set(genres)]
    offsets, values = catalog.array("song_genres_offsets"), catalog.array("song_genres")
    hits = np.isin(values, codes)
    owners = np.searchsorted(offsets, np.flatnonzero(hits), side="right") - 1
    mask = np.zeros(len(catalog), bool)
    mask[owners] = True
    return mask


def _excluded_rows(catalog: Catalog, filters: Filters) -> np.ndarray:
    """Rows that are excluded by id or artist, rising."""
    if not filters.exclude_ids and not filters.exclude_artists:
        return np.empty(0, np.int64)
    songs = _versions_of(catalog, filters.exclude_ids), _songs_by(catalog, filters.exclude_artists)
    return np.unique(np.concatenate(songs))


def _versions_of(catalog: Catalog, ids: tuple[str, ...]) -> np.ndarray:
    rows = np.array([row for row in songs_by_ids(catalog, ids) if row is not None], np.int64)
    return catalog.lists("work", "songs").gather(np.unique(catalog.take("works", rows)))[0].astype(np.int64)


def _songs_by(catalog: Catalog, artists: tuple[str, ...]) -> np.ndarray:
    songs, names = catalog.lists("artist", "songs"), catalog.texts("artists")
    found = {
        row
        for name in artists
        for row in artists_by_title_key(catalog, name)
        if normalized(names[row]) == normalized(name)
    }
    return np.concatenate([np.empty(0, np.int64), *(songs[row] for row in sorted(found))])
