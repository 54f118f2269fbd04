"""The flows that a list may have: each chooses songs, the first in preference, and orders them.

================  ==========================================================================================
flow              order
================  ==========================================================================================
steady            neighbours alike in energy, tempo and everything else
rise, fall, wave  energy follows a line up, a line down, or waves of about twelve songs; tempo orders songs of
                  one energy
harmonic          neighbours of keys that go together, see :mod:`segue.journeys.camelot`
================  ==========================================================================================
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segue.catalog import Catalog
from segue.journeys import camelot, curves, ordering
from segue.journeys.caps import sharing_artists
from segue.journeys.ruler import ruler_of, squared

HARMONIC = 0.9  # of neighbours; where fewer fit, songs are chosen among more
LEVELS = 10  # of energy, from the lowest to the highest of a list: within one, tempo orders songs
ABOUT = 0.2  # of energy, by which a song may differ from one that it takes the place of
MILLI = 0.001  # of energy; tables tell no finer
TEMPO = 100.0  # beats per minute, of which the difference counts like that of the lowest and the highest energy


class Songs:
    """What is known of songs that may be chosen, the best first."""

    def __init__(self, catalog: Catalog, rows: np.ndarray):
        self._catalog, self.rows = catalog, rows

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, places: np.ndarray) -> "Songs":
        """Some of them."""
        return Songs(self._catalog, self.rows[places])

    @cached_property
    def energies(self) -> np.ndarray:
        """0..1; in the middle where unknown."""
        return np.nan_to_num(self._attribute("energy"), nan=0.5)

    @cached_property
    def tempos(self) -> np.ndarray:
        """Beats per minute, 0 where unknown."""
        return np.nan_to_num(self._attribute("tempo"))

    @cached_property
    def durations(self) -> np.ndarray:
        """Milliseconds, 0 where unknown."""
        return np.nan_to_num(self._attribute("duration_ms"))

    @cached_property
    def same(self) -> np.ndarray:
        """Which share an artist, bool, shape (n_songs, n_songs)."""
        return sharing_artists(self._catalog, self.rows)

    @cached_property
    def fits(self) -> np.ndarray:
        """Whose keys go together, bool, shape (n_songs, n_songs)."""
        return camelot.compatible(self._attribute("key"), self._attribute("mode"))

    def apart(self, places: np.ndarray) -> np.ndarray:
        """Distances of some from each other; two songs drawn at random are 1 apart."""
        ruler = ruler_of(self._catalog)
        points = ruler.points(self.rows[places])
        return np.sqrt(squared(points, points) / ruler.unit)

    def _attribute(self, name: str) -> np.ndarray:
        return self._catalog.attribute(name)[self.rows].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The songs of a list, as places among those that may be chosen.

    order : places, shape (n_listed,)
    may : which songs may take the place of each, bool, shape (n_listed, n_songs)
    """

    order: np.ndarray
    may: np.ndarray


def _ordered(songs: Songs, order: np.ndarray, fitting: np.ndarray) -> Ordered:
    """Of the songs that fit in the place of each, those may take it that put no artist twice in a row."""
    may = fitting.copy()
    may[1:] &= ~songs.same[order[:-1]]
    may[:-1] &= ~songs.same[order[1:]]
    return Ordered(order, may)


def _steady(songs: Songs, _: str, count: int) -> Ordered:
    chosen = np.arange(count)
    energies, tempos = songs.energies[chosen], songs.tempos[chosen]
    costs = songs.apart(chosen) + ordering.APART * songs.same[np.ix_(chosen, chosen)]
    costs += np.abs(energies[:, None] - energies) + np.abs(tempos[:, None] - tempos) / TEMPO
    order = ordering.parted(ordering.shortest(costs), songs.same, songs.energies)
    return _ordered(songs, order, np.abs(songs.energies[order][:, None] - songs.energies) <= ABOUT)


def _curved(songs: Songs, flow: str, count: int) -> Ordered:
    wanted = curves.curve(flow, count)
    assert wanted is not None  # noqa: S101 # the flow has a curve, see FLOWS
    chosen = curves.following(np.arange(count), wanted, songs.energies)
    step = max(float(np.ptp(songs.energies[chosen])) / LEVELS, MILLI) if count else 1.0
    order = chosen[ordering.by_curve(wanted, np.rint(songs.energies[chosen] / step), songs.tempos[chosen])]
    order = ordering.parted(order, songs.same, songs.energies)
    return _ordered(songs, order, np.abs(songs.energies[order][:, None] - songs.energies) <= step)


def _harmonic(songs: Songs, _: str, count: int) -> Ordered:
    for times in (1, 1.5, 2, 3, math.inf):
        among = slice(math.ceil(min(times * count, len(songs))) if count else 0)
        order = ordering.chain(songs.fits[among, among], songs.same[among, among], count)
        followed, clashing = (pairs[order[:-1], order[1:]] for pairs in (songs.fits, songs.same))
        if followed.sum() >= HARMONIC * len(followed) and not clashing.any():
            break
    order = ordering.parted(order, songs.same, songs.energies)
    fitting = np.ones((count, len(songs)), bool)
    fitting[1:] &= songs.fits[order[:-1]]
    fitting[:-1] &= songs.fits[order[1:]]
    return _ordered(songs, order, fitting)


NEEDED = dict.fromkeys(("rise", "fall", "wave"), ("energy",)) | {"steady": (), "harmonic": ("key", "mode")}
FLOWS = {"steady": _steady, "rise": _curved, "fall": _curved, "wave": _curved, "harmonic": _harmonic}
