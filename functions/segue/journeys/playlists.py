"""A list to be played from its beginning to its end: chosen by the engine, then ordered by how it is to flow.

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
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segue import engine
from segue.catalog import Catalog
from segue.engine.seeds import Resolved, resolve, standing
from segue.errors import Fault, InvalidQuery
from segue.journeys import camelot, curves, lengths, ordering
from segue.journeys.caps import sharing_artists
from segue.journeys.choosing import chosen_well
from segue.journeys.ruler import ruler_of, squared
from segue.query import Seed
from segue.query.journeys import MOST_SONGS, PlaylistQuery

POOL = 4  # times the songs wanted: among which they are chosen
SMALLEST_POOL = 100
DRAWN = 0.5  # of a pool take part in a draw
HARMONIC = 0.9  # of neighbours; where fewer fit, songs are chosen among more
LEVELS = 10  # of energy, from the lowest to the highest of a list: within one, tempo orders songs
DIGITS = 6  # of curves
ABOUT = 0.2  # of energy, by which a song may differ from one that it takes the place of
MILLI = 0.001  # of energy; tables tell no finer
TEMPO = 100.0  # beats per minute, of which the difference counts like that of the lowest and the highest energy


@dataclass(frozen=True, slots=True)
class Playlist:
    """A list.

    seeds : what was found for each
    rows : of the songs, in order
    curve : where the flow wants each song's energy, 0 lowest .. 1 highest; None where it wants none
    flowing : how well the songs follow
    pool : how many songs there were to choose from
    """

    seeds: tuple[Resolved, ...]
    rows: tuple[int, ...]
    curve: tuple[float, ...] | None
    flowing: "Flowing"
    pool: engine.Pool


@dataclass(frozen=True, slots=True)
class Flowing:
    """How well the songs of a list follow.

    correlation : of energy and curve, -1..1; None without a curve
    harmonic : share of neighbours whose keys go together, 0..1
    change : of energy from song to song, mean, 0..1
    """

    correlation: float | None
    harmonic: float
    change: float


def playlist(catalog: Catalog, query: PlaylistQuery) -> Playlist:
    """Make a list.

    Raises
    ------
    UnknownSongs
        a seed names nothing in the catalogue.
    InvalidQuery
        there is no such cluster, no song tells of its energy, or too few songs pass for the time asked for.

    """
    _refuse(catalog, query)
    seeds = resolve(catalog, query.query.seeds) if query.cluster is None else [_typical(catalog, query.cluster)]
    rows, pool = _pool(catalog, query, seeds)
    songs = _Songs(catalog, rows)
    chosen = FLOWS[query.flow](songs, query)
    curve = curves.curve(query.flow, len(chosen))
    wanted = None if curve is None else tuple(curve.round(DIGITS).tolist())
    listed = tuple(int(row) for row in rows[chosen])
    return Playlist(tuple(seeds), listed, wanted, _flowing(songs, chosen, curve), pool)


def _refuse(catalog: Catalog, query: PlaylistQuery) -> None:
    faults, clusters = [], len(catalog.manifest["clusters"])
    if query.cluster is not None and query.cluster >= clusters:
        faults.append(Fault("/cluster", f"clusters are numbered 0..{clusters - 1}"))
    missing = [name for name in NEEDED[query.flow] if name not in catalog.manifest["attributes"]]
    if missing:
        faults.append(Fault("/flow", f"the table says nothing about {' and '.join(missing)}: ask for another flow"))
    if faults:
        raise InvalidQuery(faults)


def _typical(catalog: Catalog, cluster: int) -> Resolved:
    """The songs nearest to a cluster's centre as a seed."""
    seed = Seed("/cluster", {"cluster": cluster})
    return standing(catalog, seed, catalog.lists("cluster", "songs")[cluster])


def _flowing(songs: "_Songs", chosen: np.ndarray, curve: np.ndarray | None) -> Flowing:
    energies, followed = songs.energies[chosen], songs.fits[chosen[:-1], chosen[1:]]
    return Flowing(
        None if curve is None else curves.correlation(energies, curve),
        float(followed.mean()) if len(followed) else 1.0,
        float(np.abs(np.diff(energies)).mean()) if len(followed) else 0.0,
    )


class _Songs:
    """What is known of songs that may be chosen, the best first."""

    def __init__(self, catalog: Catalog, rows: np.ndarray):
        self._catalog, self.rows = catalog, rows

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def energies(self) -> np.ndarray:
        """0..1; in the middle where unknown."""
        return np.nan_to_num(self._attribute("energy"), nan=0.5)

    @cached_property
    def tempos(self) -> np.ndarray:
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


def _pool(catalog: Catalog, query: PlaylistQuery, seeds: Sequence[Resolved]) -> tuple[np.ndarray, engine.Pool]:
    """The songs to choose from, the best first."""
    wanted = query.wanted
    rows, pool = chosen_well(catalog, query.query, seeds, max(SMALLEST_POOL, POOL * wanted), wanted)
    if query.query.draw:
        kept = max(round(DRAWN * len(rows)), min(wanted, len(rows)))
        drawn = random.Random(query.query.draw).sample(range(len(rows)), kept)  # noqa: S311 # no secret
        rows = rows[sorted(drawn)]
    if query.minutes is not None:
        rows = rows[catalog.attribute("duration_ms")[rows] > 0]
    if query.cluster is not None:
        entry = catalog.manifest["clusters"][query.cluster]
        outside = (rows < entry["first"]) | (rows >= entry["first"] + entry["size"])
        rows = rows[np.argsort(outside, kind="stable")]
    return rows, pool


def _count(songs: _Songs, query: PlaylistQuery) -> int:
    if query.minutes is None:
        return min(query.songs or 0, len(songs))
    return lengths.first_of(songs.durations, query.minutes * lengths.MINUTE, MOST_SONGS)


def _steady(songs: _Songs, query: PlaylistQuery) -> np.ndarray:
    chosen = np.arange(_count(songs, query))
    energies, tempos = songs.energies[chosen], songs.tempos[chosen]
    costs = songs.apart(chosen) + ordering.APART * songs.same[np.ix_(chosen, chosen)]
    costs += np.abs(energies[:, None] - energies) + np.abs(tempos[:, None] - tempos) / TEMPO
    order = ordering.parted(ordering.shortest(costs), songs.same, songs.energies)
    return _timed(songs, query, order, np.abs(songs.energies[order][:, None] - songs.energies) <= ABOUT)


def _curved(songs: _Songs, query: PlaylistQuery) -> np.ndarray:
    count = _count(songs, query)
    wanted = curves.curve(query.flow, count)
    assert wanted is not None  # noqa: S101 # the flow has a curve, see FLOWS
    chosen = curves.following(np.arange(count), wanted, songs.energies)
    step = max(float(np.ptp(songs.energies[chosen])) / LEVELS, MILLI) if count else 1.0
    order = chosen[ordering.by_curve(wanted, np.rint(songs.energies[chosen] / step), songs.tempos[chosen])]
    order = ordering.parted(order, songs.same, songs.energies)
    return _timed(songs, query, order, np.abs(songs.energies[order][:, None] - songs.energies) <= step)


def _harmonic(songs: _Songs, query: PlaylistQuery) -> np.ndarray:
    count = _count(songs, query)
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
    return _timed(songs, query, order, fitting)


def _timed(songs: _Songs, query: PlaylistQuery, order: np.ndarray, may: np.ndarray) -> np.ndarray:
    """Exchange songs until the time is right, where a time was asked for.

    may : which songs may take the place of each but for their artists, bool, shape (len(order), len(songs))
    """
    if query.minutes is None:
        return order
    may[1:] &= ~songs.same[order[:-1]]
    may[:-1] &= ~songs.same[order[1:]]
    return lengths.exchanged(order, songs.durations, query.minutes * lengths.MINUTE, may)


NEEDED = dict.fromkeys(("rise", "fall", "wave"), ("energy",)) | {"steady": (), "harmonic": ("key", "mode")}
FLOWS = {"steady": _steady, "rise": _curved, "fall": _curved, "wave": _curved, "harmonic": _harmonic}
