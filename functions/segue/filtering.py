"""Which songs of a catalogue may be recommended at all."""

import numpy as np

from segue import lookup
from segue.catalog import Catalog
from segue.names import bare
from segue.query import Filters


def allowed(catalog: Catalog, filters: Filters) -> np.ndarray:
    """Songs that were analysed and pass the filters; bool, shape (n_songs,)."""
    passing = np.array(catalog.array("recommendable"))
    for name, (low, high) in filters.ranges.items():
        passing &= _within(catalog.attribute(name), low, high)
    if filters.explicit is not None:
        passing &= catalog.attribute("explicit") == float(filters.explicit)
    if filters.genres:
        passing &= _having(catalog, filters.genres)
    if filters.exclude_genres:
        passing &= ~_having(catalog, filters.exclude_genres)
    passing[_versions_of(catalog, filters.exclude_ids)] = False
    passing[_songs_by(catalog, filters.exclude_artists)] = False
    return passing


def _within(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Both ends inclusive, compared as stored: 0.1 typed is 0.1 in the table. Unknown values are not within."""
    number = np.promote_types(values.dtype, np.float32).type
    return (values >= number(low)) & (values <= number(high))


def _having(catalog: Catalog, genres: tuple[str, ...]) -> np.ndarray:
    codes = [catalog.manifest["genres"].index(genre) for genre in set(genres)]
    offsets, values = catalog.array("in_offsets"), catalog.array("in_genres")
    hits = np.isin(values, codes)
    owners = np.searchsorted(offsets, np.flatnonzero(hits), side="right") - 1
    having = np.zeros(len(catalog), bool)
    having[owners] = True
    return having


def _versions_of(catalog: Catalog, ids: tuple[str, ...]) -> np.ndarray:
    found = (lookup.by_id(catalog, song) for song in ids)
    return _joined([lookup.versions(catalog, row) for row in found if row is not None])


def _songs_by(catalog: Catalog, artists: tuple[str, ...]) -> np.ndarray:
    songs, names = catalog.lists("artist", "songs"), catalog.texts("artists")
    found = {row for name in artists for row in lookup.artists_like(catalog, name) if bare(names[row]) == bare(name)}
    return _joined([songs[row] for row in sorted(found)])


def _joined(runs: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(runs).astype(np.int64) if runs else np.empty(0, np.int64)
