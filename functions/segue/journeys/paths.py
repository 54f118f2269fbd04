"""Smooth paths between two songs through real songs: every step small, and all of about one length.

A corridor leads from end to end through regions that hold songs. Of the songs in it, one for each position is chosen
so that the sum of the eighth powers of the steps is least, among which the largest step counts almost alone. The
cheapest path through layers of songs is found exactly (Viterbi, "Error bounds for convolutional codes", IEEE
Transactions on Information Theory 13, 1967); then one song at a time is exchanged for a better one, as the artist
caps allow. In the last round steps shorter than ``MIN_STEP_RATIO`` of the largest have a cost as well.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segue.catalog.catalog import Catalog
from segue.engine.recommendation import recommend
from segue.engine.search import AllowedSongs
from segue.engine.seeds import ResolvedSeed, resolve
from segue.engine.space import rank_transform, square_of_difference
from segue.errors import Fault, InvalidQuery
from segue.journeys.candidate_pool import EXHAUSTIVE_LIMIT, ArtistCaps, CandidatePool, metric_of, sample_indices
from segue.journeys.corridor import CorridorSongs, collect_songs, find_corridor
from segue.limits import SEARCH, STEP, STEPPED, charge, checked, checkpoint
from segue.query.schema import PathQuery, Query

POPULARITY_PENALTY = 2.0  # a gap in popularity ranks costs as much as a step that is so many times as long
UNKNOWN_POPULARITY_GAP = 0.5  # in ranks, for a song of unknown popularity
MIN_STEP_RATIO = 0.75  # of the largest step; shorter steps have a cost, too
EXCHANGE_WINDOW = 300  # songs around a song in the corridor, for which it may be exchanged


@dataclass(frozen=True, slots=True)
class Path:
    """A path.

    seeds : of its ends and waypoints, resolved
    rows : its songs, from end to end
    steps : distance of each song from the previous one, shape (len(rows) - 1,); two random songs are 1 apart
    after_filters : songs that pass the filters
    """

    seeds: tuple[ResolvedSeed, ...]
    rows: tuple[int, ...]
    steps: np.ndarray
    after_filters: int


def path(catalog: Catalog, query: PathQuery) -> Path:
    """Find a path.

    Raises
    ------
    UnknownSongs
        an end or a waypoint names nothing in the catalogue.
    InvalidQuery
        two of them are one song, or too few songs pass the filters; the message says what would work.

    """
    charge(SEARCH)
    seeds = resolve(catalog, query.seeds)
    allowed = AllowedSongs(catalog, query.filters)
    checkpoint()
    fixed = _waypoint_songs(catalog, query, seeds, allowed)
    rows = _find_path(catalog, query, np.array(fixed), allowed) if query.length > len(fixed) else fixed
    metric = metric_of(catalog)
    return Path(tuple(seeds), tuple(rows), metric.step_distances(metric.points(np.array(rows))), allowed.count())


def _waypoint_songs(
    catalog: Catalog, query: PathQuery, seeds: Sequence[ResolvedSeed], allowed: AllowedSongs
) -> list[int]:
    """A song for each seed, no work twice; artist, genre and feature seeds take songs that no other seed names."""
    works, faults = catalog.reader("works"), list[Fault]()
    rows, numbers = dict[int, int](), dict[int, int]()
    for number in sorted(range(len(seeds)), key=lambda number: not seeds[number].is_song):
        songs = _songs_of_seed(catalog, query, seeds[number], allowed)
        row = next((row for row in songs if int(works.take(row)) not in numbers), None)
        if row is None:
            earlier = seeds[numbers[int(works.take(songs[0]))]] if songs else None
            faults.append(_waypoint_fault(catalog, seeds[number], songs, earlier))
        else:
            rows[number], numbers[int(works.take(row))] = row, number
    if faults:
        raise InvalidQuery(faults)
    return [rows[number] for number in range(len(seeds))]


def _waypoint_fault(
    catalog: Catalog, seed: ResolvedSeed, songs: Sequence[int], earlier: ResolvedSeed | None
) -> Fault:
    if earlier is None:
        return Fault(seed.seed.pointer, "none of the songs that pass the filters stands for it")
    again = f"'{catalog.texts('names')[songs[0]]}' is the song at {earlier.seed.pointer} again"
    return Fault(seed.seed.pointer, f"{again}: name another, or ask /recommend for songs like it")


def _songs_of_seed(catalog: Catalog, query: PathQuery, seed: ResolvedSeed, allowed: AllowedSongs) -> list[int]:
    """Songs that represent a seed, the best first."""
    if seed.is_song:
        return list(seed.rows)
    if seed.rows:
        is_allowed = allowed(np.array(seed.rows))
        return [seed.rows[index] for index in np.argsort(~is_allowed, kind="stable")]
    query_nearest = Query((seed.seed,), len(query.seeds), query.filters, max_per_artist=None)
    return [song.row for song in recommend(catalog, query_nearest).recommendations]


def _find_path(catalog: Catalog, query: PathQuery, fixed: np.ndarray, allowed: AllowedSongs) -> list[int]:
    """Rows from end to end."""
    metric, n_free = metric_of(catalog), query.length - len(fixed)
    candidates = CandidatePool(catalog, metric, allowed)
    checkpoint()
    corridor = find_corridor(catalog, metric, candidates, fixed, n_free)
    checkpoint()
    songs = collect_songs(metric, corridor, candidates.rows_near(corridor.anchors), fixed)
    artist_caps, pool = _caps_and_pool(catalog, query, songs)
    if len(pool) < n_free:
        checkpoint()
        sample = _sample_everywhere(catalog, query, candidates.all_rows, fixed, n_free)
        songs = collect_songs(metric, corridor, sample, fixed)
        artist_caps, pool = _caps_and_pool(catalog, query, songs)
    slots = _waypoint_slots(corridor.positions, query.length)
    if query.draw:
        pool = pool[sample_indices(len(pool), query.draw, n_free)]
    layers = _viterbi_layers(np.sort(pool), songs.fixed, slots, query.length)
    penalty = (
        _popularity_penalty(catalog, songs.rows, fixed, slots, query.length) if query.steady_popularity else None
    )
    free = [slot for slot in range(query.length) if slot not in slots]
    chosen = smoothest_path(Candidates(songs.points, metric.mean_square, penalty), layers, free, artist_caps)
    return [int(row) for row in songs.rows[chosen]]


def _caps_and_pool(catalog: Catalog, query: PathQuery, songs: CorridorSongs) -> tuple[ArtistCaps, np.ndarray]:
    """The artist caps with the fixed songs counted, and indices of songs that may all be added to those."""
    artist_caps = ArtistCaps(catalog, songs.rows, query.max_per_artist)
    for index in songs.fixed.tolist():
        artist_caps.add(index)
    return artist_caps, artist_caps.compatible(songs.order)


def _sample_everywhere(
    catalog: Catalog, query: PathQuery, rows: np.ndarray, fixed: np.ndarray, n_free: int
) -> np.ndarray:
    """Songs of the whole pool that may all be in one path; those of fewest artists first, to exclude fewest others.

    Raises
    ------
    InvalidQuery
        there are fewer than ``n_free``.

    """
    others = np.setdiff1d(rows, fixed)
    n_artists = np.diff(catalog.array("song_artists_offsets").astype(np.int64))[others]
    artist_caps = ArtistCaps(catalog, np.concatenate([others, fixed]), query.max_per_artist)
    for index in range(len(others), len(others) + len(fixed)):
        artist_caps.add(index)
    order = np.concatenate([np.argsort(n_artists, kind="stable"), np.arange(len(others), len(others) + len(fixed))])
    selected = artist_caps.compatible(order)
    if len(selected) < n_free:
        raise InvalidQuery([_length_fault(query, len(selected) + len(fixed))])
    return others[np.sort(selected)[:: -(-len(selected) // EXHAUSTIVE_LIMIT)]]


def _length_fault(query: PathQuery, max_songs: int) -> Fault:
    cap = "" if query.max_per_artist is None else f" or a larger max_per_artist than {query.max_per_artist}"
    advice = f"ask for {max_songs} songs at the most" if max_songs >= 3 else "no path has fewer than 3 songs"
    return Fault("/length", f"{max_songs} different songs pass the filters, the fixed ones included: {advice}{cap}")


def _waypoint_slots(positions: np.ndarray, length: int) -> list[int]:
    """Slots of the path for the fixed songs: at their positions in the corridor, but no two at one."""
    slots = [round(position * (length - 1)) for position in positions.tolist()]
    for number in range(1, len(slots)):
        slots[number] = max(slots[number], slots[number - 1] + 1)
    for number in range(len(slots) - 1, 0, -1):
        slots[number] = min(slots[number], length - len(slots) + number)
    return slots


def _viterbi_layers(pool: np.ndarray, fixed: np.ndarray, slots: Sequence[int], length: int) -> list[np.ndarray]:
    """The songs for each slot of a path: consecutive parts of the sorted pool, and the fixed songs in theirs."""
    runs = iter(np.array_split(pool, length - len(fixed)))
    song_of_slot = dict(zip(slots, fixed))
    return [np.array([song_of_slot[slot]]) if slot in song_of_slot else next(runs) for slot in range(length)]


def _popularity_penalty(
    catalog: Catalog, rows: np.ndarray, fixed: np.ndarray, slots: Sequence[int], length: int
) -> np.ndarray:
    """The cost of popularity away from the line between the fixed songs, shape (length, len(rows))."""
    rank_curve = rank_transform(catalog)
    popularity = rank_curve(
        "popularity", catalog.attribute("popularity", np.concatenate([rows, fixed])).astype(np.float64)
    )
    song_ranks, fixed_ranks = popularity[: len(rows)], np.nan_to_num(popularity[len(rows) :], nan=0.5)
    target = np.interp(np.arange(length), slots, fixed_ranks)
    gaps = np.nan_to_num(np.abs(song_ranks - target[:, None]), nan=UNKNOWN_POPULARITY_GAP)
    return fourth_power(np.square(POPULARITY_PENALTY * gaps))


@dataclass(frozen=True)
class Candidates:
    """Songs that a path may be made of, sorted by their position along the corridor.

    points : of integers, shape (n_songs, n_dims)
    mean_square : see :class:`segue.journeys.candidate_pool.Metric`
    penalty : cost of each song in each layer besides that of its steps, shape (n_layers, n_songs); None: 0
    """

    points: np.ndarray
    mean_square: float
    penalty: np.ndarray | None = None

    @cached_property
    def _squared_norms(self) -> np.ndarray:
        return np.einsum("sd,sd->s", self.points, self.points)

    def squared_distances(self, songs: slice | np.ndarray, others: Sequence[int] | np.ndarray) -> np.ndarray:
        """Squared distances in mean squares, shape (n_songs, n_others)."""
        doubled_products = self.points[songs] @ (2 * self.points[others].T)
        norms = self._squared_norms
        return square_of_difference(norms[songs, None], doubled_products, norms[others]) / self.mean_square

    def penalty_of(self, layer: int, songs: slice | np.ndarray) -> np.ndarray | float:
        """The penalty of songs in a layer."""
        return 0.0 if self.penalty is None else self.penalty[layer, songs]


def smoothest_path(
    candidates: Candidates, layers: Sequence[np.ndarray], free: Sequence[int], artist_caps: ArtistCaps
) -> list[int]:
    """The path with the smallest and most even steps.

    Parameters
    ----------
    layers : songs for each position of the path; none is in two layers, and the caps allow all of them together
    free : numbers of the layers whose songs may be exchanged for any other candidate
    artist_caps : of the same songs; those of the other layers are counted already

    Returns
    -------
    the index of a candidate for each layer

    """
    chosen = _viterbi(candidates, layers)
    for layer in free:
        artist_caps.add(chosen[layer])
    for layer in checked(free):
        _exchange_song(candidates, chosen, layer, artist_caps, 0.0)
    squared_steps = np.square(np.diff(candidates.points[chosen], axis=0)).sum(axis=1) / candidates.mean_square
    min_square = MIN_STEP_RATIO**2 * squared_steps.max()
    for layer in checked(reversed(free)):
        _exchange_song(candidates, chosen, layer, artist_caps, min_square)
    return chosen


def _viterbi(candidates: Candidates, layers: Sequence[np.ndarray]) -> list[int]:
    """A song of each layer, so that the costs of the steps and the penalties have the smallest sum."""
    costs, predecessors = np.zeros(len(layers[0])), []
    for number, (previous_songs, songs) in checked(enumerate(itertools.pairwise(layers), 1)):
        charge(STEP)
        charge(STEPPED, len(previous_songs) * len(songs))
        totals = costs[:, None] + _step_cost(candidates.squared_distances(previous_songs, songs), 0.0)
        predecessors.append(totals.argmin(axis=0))
        costs = totals.min(axis=0) + candidates.penalty_of(number, songs)
    indices = [int(costs.argmin())]
    for previous in reversed(predecessors):
        indices.append(int(previous[indices[-1]]))
    return [int(songs[index]) for songs, index in zip(layers, reversed(indices))]


def _exchange_song(
    candidates: Candidates, chosen: list[int], layer: int, artist_caps: ArtistCaps, min_square: float
) -> None:
    """Exchange the song of a layer for the best one of its window."""
    charge(STEP)
    song = chosen[layer]
    first = max(0, min(song - EXCHANGE_WINDOW // 2, len(candidates.points) - EXCHANGE_WINDOW))
    window = slice(first, min(first + EXCHANGE_WINDOW, len(candidates.points)))
    artist_caps.add(song, -1)
    costs = _step_cost(candidates.squared_distances(window, chosen[layer - 1 : layer + 2 : 2]), min_square).sum(
        axis=1
    )
    costs += candidates.penalty_of(layer, window)
    costs[~artist_caps.available(window.start, window.stop)] = np.inf
    best = int(costs.argmin())
    if costs[best] < costs[song - first]:
        chosen[layer] = first + best
    artist_caps.add(chosen[layer])


def _step_cost(squares: np.ndarray, min_square: float) -> np.ndarray:
    """Cost of steps by their squares, and of those below ``min_square`` for being too short."""
    cost = fourth_power(squares)
    return cost + fourth_power(np.maximum(min_square - squares, 0)) if min_square else cost


def fourth_power(values: np.ndarray) -> np.ndarray:
    """As the square of squares, which all processors round alike."""
    return np.square(np.square(values))
