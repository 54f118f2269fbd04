"""The flows of playlists: each chooses songs from candidates, the first in preference, and orders them.

================  ==========================================================================================
flow              order
================  ==========================================================================================
steady            neighbours are similar in energy, tempo and all else
rise, fall, wave  energy follows a line up, a line down, or waves of about twelve songs; songs of one energy are
                  ordered by tempo
harmonic          neighbours have compatible keys
================  ==========================================================================================

Keys are compatible if they are neighbours on the Camelot wheel, which share all tones but one: the twelve major keys
are 1B..12B round the circle of fifths, and each has its relative minor beside it, 1A..12A. A song goes with those of
its own number, and with those of its letter one number up or down. https://mixedinkey.com/camelot-wheel/
"""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.journeys.candidate_pool import metric_of, shared_artist_matrix
from segue.limits import ARRANGED, STEP, charge, checked, checkpoint

MIN_HARMONIC_SHARE = 0.9  # of neighbours; if fewer keys are compatible, songs are chosen from a larger pool
ENERGY_LEVELS = 10  # in the energy range of a playlist; tempo orders songs within a level
ENERGY_TOLERANCE = 0.2  # difference in energy between a song and its replacement
MIN_ENERGY_STEP = 0.001  # tables have no finer energies
TEMPO_SCALE = 100.0  # beats per minute that count as much as the difference between the lowest and the highest energy
SAME_ARTIST_COST = 1e3  # of two neighbours by one artist; other costs are of order 1
SONGS_PER_WAVE = 12
MIN_CORRELATION = 0.85  # of energy and curve; below it, songs are exchanged
ENERGY_QUANTILES = (0.1, 0.9)  # of the pool, between which a curve runs
UNKNOWN_KEY = 0  # number of a song without key or mode


class PlaylistCandidates:
    """Attributes of the songs that a playlist may be made of, the best first."""

    def __init__(self, catalog: Catalog, rows: np.ndarray):
        self._catalog, self.rows = catalog, rows

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, indices: np.ndarray) -> "PlaylistCandidates":
        """The candidates at some indices."""
        return PlaylistCandidates(self._catalog, self.rows[indices])

    @cached_property
    def energies(self) -> np.ndarray:
        """0..1; 0.5 if unknown."""
        return np.nan_to_num(self._attribute("energy"), nan=0.5)

    @cached_property
    def tempos(self) -> np.ndarray:
        """Beats per minute, 0 if unknown."""
        return np.nan_to_num(self._attribute("tempo"))

    @cached_property
    def durations(self) -> np.ndarray:
        """Milliseconds, 0 if unknown."""
        return np.nan_to_num(self._attribute("duration_ms"))

    @cached_property
    def same_artist(self) -> np.ndarray:
        """Which songs share an artist, bool, shape (n_songs, n_songs)."""
        charge(ARRANGED, len(self) ** 2)
        return shared_artist_matrix(self._catalog, self.rows)

    @cached_property
    def compatible_keys(self) -> np.ndarray:
        """Which songs have compatible keys, bool, shape (n_songs, n_songs)."""
        return key_compatibility(self._attribute("key"), self._attribute("mode"))

    def distances(self, indices: np.ndarray) -> np.ndarray:
        """Distances between the songs at some indices; two random songs are 1 apart."""
        charge(ARRANGED, len(indices) ** 2)
        metric = metric_of(self._catalog)
        points = metric.points(self.rows[indices])
        return np.sqrt(metric.squared_distances(points, points))

    def _attribute(self, name: str) -> np.ndarray:
        return self._catalog.attribute(name, self.rows).astype(np.float64)


@dataclass(frozen=True, slots=True)
class FlowResult:
    """The songs of a playlist, as indices among the candidates.

    order : indices, shape (n_listed,)
    replacements : which songs may replace each of them, bool, shape (n_listed, n_songs)
    """

    order: np.ndarray
    replacements: np.ndarray


def _with_replacements(songs: PlaylistCandidates, order: np.ndarray, allowed: np.ndarray) -> FlowResult:
    """An order with its replacements: the allowed ones that put no artist twice in a row."""
    replacements = allowed.copy()
    replacements[1:] &= ~songs.same_artist[order[:-1]]
    replacements[:-1] &= ~songs.same_artist[order[1:]]
    return FlowResult(order, replacements)


def _steady_flow(songs: PlaylistCandidates, _: str, count: int) -> FlowResult:
    chosen = np.arange(count)
    energies, tempos = songs.energies[chosen], songs.tempos[chosen]
    costs = songs.distances(chosen) + SAME_ARTIST_COST * songs.same_artist[np.ix_(chosen, chosen)]
    costs += np.abs(energies[:, None] - energies) + np.abs(tempos[:, None] - tempos) / TEMPO_SCALE
    checkpoint()
    order = separate_artists(shortest_order(costs), songs.same_artist, songs.energies)
    return _with_replacements(
        songs, order, np.abs(songs.energies[order][:, None] - songs.energies) <= ENERGY_TOLERANCE
    )


def _curve_flow(songs: PlaylistCandidates, flow: str, count: int) -> FlowResult:
    curve = energy_curve(flow, count)
    assert curve is not None  # noqa: S101 # only flows with a curve, see FLOWS
    chosen = fit_to_curve(np.arange(count), curve, songs.energies)
    step = max(float(np.ptp(songs.energies[chosen])) / ENERGY_LEVELS, MIN_ENERGY_STEP) if count else 1.0
    order = chosen[order_by_curve(curve, np.rint(songs.energies[chosen] / step), songs.tempos[chosen])]
    order = separate_artists(order, songs.same_artist, songs.energies)
    return _with_replacements(songs, order, np.abs(songs.energies[order][:, None] - songs.energies) <= step)


def _harmonic_flow(songs: PlaylistCandidates, _: str, count: int) -> FlowResult:
    for pool_factor in (1, 1.5, 2, 3, math.inf):
        pool = slice(math.ceil(min(pool_factor * count, len(songs))) if count else 0)
        order = harmonic_chain(songs.compatible_keys[pool, pool], songs.same_artist[pool, pool], count)
        compatible, same_artist = (
            pairs[order[:-1], order[1:]] for pairs in (songs.compatible_keys, songs.same_artist)
        )
        if compatible.sum() >= MIN_HARMONIC_SHARE * len(compatible) and not same_artist.any():
            break
    order = separate_artists(order, songs.same_artist, songs.energies)
    allowed = np.ones((count, len(songs)), bool)
    allowed[1:] &= songs.compatible_keys[order[:-1]]
    allowed[:-1] &= songs.compatible_keys[order[1:]]
    return _with_replacements(songs, order, allowed)


class Flow(NamedTuple):
    """A flow.

    arrange : chooses so many of the candidates for the flow of a name, and orders them
    attributes : that the table must have
    """

    arrange: Callable[[PlaylistCandidates, str, int], FlowResult]
    attributes: tuple[str, ...] = ()


FLOWS = {
    "steady": Flow(_steady_flow),
    "rise": Flow(_curve_flow, ("energy",)),
    "fall": Flow(_curve_flow, ("energy",)),
    "wave": Flow(_curve_flow, ("energy",)),
    "harmonic": Flow(_harmonic_flow, ("key", "mode")),
}


def order_by_curve(curve: np.ndarray, levels: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Order songs so that their levels follow a curve; shape (n_songs,) each.

    ties : secondary sort key, within a level
    """
    order = np.empty(len(curve), np.int64)
    order[np.argsort(curve, kind="stable")] = np.lexsort((ties, levels))
    return order


def separate_artists(order: np.ndarray, same_artist: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Exchange songs until no neighbours share an artist, as far as possible.

    A song is replaced by another of about the same level; if none is left, songs of similar levels are swapped.

    Parameters
    ----------
    order : indices among the songs, of which earlier ones are better
    same_artist : which songs share an artist, bool, shape (n_songs, n_songs)
    levels : of all songs

    """
    order = order.copy()
    for slot in np.flatnonzero(same_artist[order[:-1], order[1:]]).tolist():
        if not same_artist[order[slot], order[slot + 1]]:  # an earlier exchange has separated them
            continue
        slot += int(order[slot + 1] > order[slot])
        is_replacement = _replacements(order, slot, same_artist)
        if is_replacement.any():
            order[slot] = np.where(is_replacement, np.abs(levels - levels[order[slot]]), np.inf).argmin()
    for _ in checked(range(_count_clashes(order, same_artist))):
        charge(STEP)
        charge(ARRANGED, len(order) ** 2)
        swap = _best_swap(order, same_artist, levels)
        if swap is None:
            break
        order[swap] = order[swap[::-1]]
    return order


def _replacements(order: np.ndarray, slot: int, same_artist: np.ndarray) -> np.ndarray:
    """Songs that are not in a list and share no artist with the neighbours of one that is."""
    neighbours = order[[neighbour for neighbour in (slot - 1, slot + 1) if 0 <= neighbour < len(order)]]
    is_replacement = ~same_artist[neighbours].any(axis=0)
    is_replacement[order] = False
    return is_replacement


def _best_swap(order: np.ndarray, same_artist: np.ndarray, levels: np.ndarray) -> list[int] | None:
    """The slots of two songs whose swap leaves fewer neighbours of one artist; None if there are none.

    One of them is next to one of its artist. Of all such pairs those of the most similar levels are swapped.
    """
    clashes = same_artist[order[:-1], order[1:]]
    slots = np.flatnonzero(np.append(clashes, False) | np.append(False, clashes))
    is_better = _swap_gains(same_artist[np.ix_(order, order)].astype(np.int64), slots) > 0
    gaps = np.where(is_better, np.abs(levels[order[slots]][:, None] - levels[order]), np.inf)
    if not is_better.any():
        return None
    index, other = divmod(int(gaps.argmin()), len(order))
    return [int(slots[index]), other]


def _swap_gains(same: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """How many fewer neighbours share an artist once songs of some slots are swapped with others.

    same : 1 where songs in two slots share an artist, shape (n_slots, n_slots)

    Returns
    -------
    shape (len(slots), n_slots)

    """
    padded = np.pad(same, ((1, 1), (0, 0)))  # no neighbours beyond the ends
    beside = padded[:-2] + padded[2:]  # how many neighbours of a slot share an artist with the song in another
    now, every = np.diagonal(beside), np.arange(len(same))
    gains = now[slots, None] + now - beside[slots] - beside[:, slots].T
    # of two neighbours, each moves next to the other again
    is_next = np.abs(slots[:, None] - every) == 1
    both = same[slots]
    itself = np.diagonal(same)
    return gains - np.where(is_next, 2 * both - itself[slots, None] - itself, 0)


def _count_clashes(order: np.ndarray, same_artist: np.ndarray) -> int:
    return int(same_artist[order[:-1], order[1:]].sum())


def shortest_order(costs: np.ndarray) -> np.ndarray:
    """A short path through all songs that begins at the first.

    Nearest neighbours first, then pieces of the path are reversed as long as that shortens it (2-opt: Croes,
    "A method for solving traveling-salesman problems", Operations Research 6, 1958).

    costs : of following each other, symmetric, shape (n_songs, n_songs)
    """
    order = _nearest_neighbour_order(costs) if len(costs) else np.empty(0, np.int64)
    for _ in checked(range(len(order))):
        charge(STEP)
        charge(ARRANGED, len(order) ** 2)
        improved = _best_reversal(costs, order)
        if improved is None:
            break
        order = improved
    return order


def _nearest_neighbour_order(costs: np.ndarray) -> np.ndarray:
    order, is_left = [0], np.ones(len(costs), bool)
    is_left[0] = False
    while len(order) < len(costs):
        order.append(int(np.where(is_left, costs[order[-1]], np.inf).argmin()))
        is_left[order[-1]] = False
    return np.array(order)


def _best_reversal(costs: np.ndarray, order: np.ndarray) -> np.ndarray | None:
    """The order with the reversal of one piece that saves most; None if none saves anything.

    A piece from ``first`` to ``last`` costs the steps before and after it; the end of the path has none after it.
    """
    count = len(order)
    ordered_costs = costs[np.ix_(order, order)]
    step_costs = np.append(np.diagonal(ordered_costs, 1), 0.0)
    after_last = np.zeros((count, count))
    after_last[:, :-1] = ordered_costs[:, 1:]
    saved = np.full((count, count), -np.inf)
    saved[1:] = step_costs[:-1, None] + step_costs - ordered_costs[:-1] - after_last[1:]
    saved[np.tri(count, dtype=bool)] = -np.inf
    first, last = divmod(int(saved.argmax()), count)
    if saved[first, last] <= 1e-9:
        return None
    return np.concatenate([order[:first], order[first : last + 1][::-1], order[last + 1 :]])


def harmonic_chain(compatible: np.ndarray, same_artist: np.ndarray, count: int) -> np.ndarray:
    """Choose and order ``count`` songs, each compatible with the previous one if possible, earlier ones preferred.

    compatible : which songs may follow each other, bool, shape (n_songs, n_songs)
    same_artist : which songs share an artist, the same shape
    """
    order, is_left = [0][:count], np.ones(len(compatible), bool)
    is_left[:1] = False
    while len(order) < count:
        checkpoint()
        charge(STEP)
        charge(ARRANGED, len(compatible))
        after_end, before_start = (is_left & compatible[end] & ~same_artist[end] for end in (order[-1], order[0]))
        appends = bool(after_end.any()) and (not before_start.any() or after_end.argmax() <= before_start.argmax())
        if not appends and before_start.any():
            order.insert(0, int(before_start.argmax()))
            is_left[order[0]] = False
            continue
        other_artist = is_left & ~same_artist[order[-1]]
        if appends:
            options = after_end
        elif other_artist.any():
            options = other_artist
        else:
            options = is_left
        order.append(int(options.argmax()))
        is_left[order[-1]] = False
    return np.array(order, np.int64)


def energy_curve(flow: str, count: int) -> np.ndarray | None:
    """The energy that a flow asks of each song, 0 lowest .. 1 highest, shape (count,); None if it has no curve."""
    line = np.arange(count) / max(count - 1, 1)
    if flow == "wave":
        waves = max(1, round(count / SONGS_PER_WAVE))
        return 1 - np.abs(1 - 2 * waves * line % 2)
    return {"rise": line, "fall": 1 - line}.get(flow)


def fit_to_curve(chosen: np.ndarray, curve: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Exchange songs whose energies deviate most from a curve for others, the first in preference.

    Parameters
    ----------
    chosen : indices among the songs
    curve : as :func:`energy_curve` gives it
    energies : of all songs

    """
    chosen, levels = chosen.copy(), np.sort(curve)
    low, high = np.quantile(energies, ENERGY_QUANTILES) if len(chosen) else (0.0, 1.0)
    is_left = np.ones(len(energies), bool)
    is_left[chosen] = False
    for _ in checked(range(len(chosen))):
        charge(STEP)
        charge(ARRANGED, len(energies))
        chosen = chosen[np.argsort(energies[chosen], kind="stable")]
        if pearson_correlation(energies[chosen], levels) >= MIN_CORRELATION:
            break
        gaps = low + (high - low) * levels - energies[chosen]
        slot = int(np.abs(gaps).argmax())
        misses = np.abs(energies - energies[chosen[slot]] - gaps[slot])
        better = is_left & (misses < abs(gaps[slot]) / 2)
        if not better.any():
            break
        song = int(better.argmax())
        is_left[song], chosen[slot] = False, song
    return chosen


def pearson_correlation(values: np.ndarray, curve: np.ndarray) -> float:
    """Pearson's correlation; 0 if either is constant."""
    if len(values) < 2 or np.ptp(values) == 0 or np.ptp(curve) == 0:
        return 0.0
    return statistics.correlation(values.tolist(), curve.tolist())


def camelot_numbers(keys: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Numbers on the Camelot wheel, 1..12; ``UNKNOWN_KEY`` if there is none.

    keys : pitch classes, 0 = C; below 0 or NaN: none found
    modes : 1 major, 0 minor, NaN: unknown
    """
    known = (keys >= 0) & ~np.isnan(modes)
    majors = np.where(known, keys + 3 * (modes == 0), 0).astype(np.int64)
    return np.where(known, (7 * majors + 7) % 12 + 1, UNKNOWN_KEY)


def camelot_names(keys: np.ndarray, modes: np.ndarray) -> list[str | None]:
    """``8B`` for C major, ``8A`` for A minor; None if it is unknown."""
    letters = np.where(modes == 1, "B", "A").tolist()
    return [
        f"{number}{letter}" if number else None
        for number, letter in zip(camelot_numbers(keys, modes).tolist(), letters)
    ]


def key_compatibility(keys: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Which songs have compatible keys, bool, shape (n_songs, n_songs); an unknown key is compatible with none."""
    numbers = camelot_numbers(keys, modes).astype(np.int8)  # compared faster than larger numbers
    distance = np.abs(numbers[:, None] - numbers)
    same_letter = modes[:, None] == modes
    is_compatible = (distance == 0) | (same_letter & ((distance == 1) | (distance == 11)))
    return is_compatible & (numbers[:, None] != UNKNOWN_KEY) & (numbers != UNKNOWN_KEY)
