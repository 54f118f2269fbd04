"""Which songs may stand beside each other in one list: one of each work, and so many of each credited artist."""

import math

import numpy as np

from segue.catalog import Catalog
from segue.catalog.ragged import Lists


class Caps:
    """Counts what is taken of some songs.

    rows : of the songs; a song's *place* is its number among them
    per_artist : songs that an artist may be credited in; None: any number
    """

    def __init__(self, catalog: Catalog, rows: np.ndarray, per_artist: int | None):
        artists, counts = catalog.lists("by", "artists").of(rows)
        n_artists = len(catalog.texts("artists"))
        works = catalog.array("works")[rows].astype(np.int64) + n_artists
        labels = np.insert(artists.astype(np.int64), np.cumsum(counts), works)  # a song's artists, then its work
        offsets = np.concatenate([[0], np.cumsum(counts + 1)])
        known, numbers = np.unique(labels, return_inverse=True)
        self._labels = Lists(offsets, numbers.astype(np.min_scalar_type(len(known))))  # small ones are sorted fast
        most = math.inf if per_artist is None else per_artist
        self._limits = np.where(known < n_artists, most, 1)
        self._taken = np.zeros(len(known))

    def take(self, place: int, times: int = 1) -> None:
        """Count a song; -1 times: give it back."""
        self._taken[self._labels[place]] += times

    def taken(self, place: int) -> bool:
        """Take a song if it may be taken; whether it was."""
        may = bool(self.free(place, place + 1)[0])
        self.take(place, int(may))
        return may

    def free(self, first: int, last: int) -> np.ndarray:
        """Which of a run of places may still be taken, bool, shape (last - first,)."""
        full = self._taken >= self._limits
        offsets, numbers = self._labels.offsets[first : last + 1], self._labels.values
        return ~np.logical_or.reduceat(full[numbers[offsets[0] : offsets[-1]]], offsets[:-1] - offsets[0])

    def together(self, order: np.ndarray) -> np.ndarray:
        """Places, in an order of preference, that may all be taken together.

        A place is passed over where enough come before it that share an artist or the work with it, whether those
        may be taken or not: a few more might have fitted.
        """
        labels, sizes = self._labels.of(order)
        by_label = np.argsort(labels, kind="stable")
        grouped = labels[by_label]
        before = np.empty(len(labels), np.int64)
        before[by_label] = np.arange(len(labels)) - grouped.searchsorted(grouped)
        fits = before + self._taken[labels] < self._limits[labels]
        return order[np.logical_and.reduceat(fits, np.cumsum(sizes) - sizes)]


def sharing_artists(catalog: Catalog, rows: np.ndarray) -> np.ndarray:
    """Which songs share a credited artist, bool, shape (n_songs, n_songs)."""
    artists, counts = catalog.lists("by", "artists").of(rows)
    known, numbers = np.unique(artists, return_inverse=True)
    credited = np.zeros((len(rows), len(known)), np.float32)
    credited[np.repeat(np.arange(len(rows)), counts), numbers] = 1
    return credited @ credited.T > 0
