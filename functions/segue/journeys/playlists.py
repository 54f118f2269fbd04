"""Playlists: the best candidates of the engine, re-scored, in the order of a flow, and of the requested duration.

    score = (score with each seed's similarities balanced) * (1 + POPULARITY_WEIGHT * popularity / 100)
            + CO_OCCURRENCE_WEIGHT * co-occurrence

The engine's score is the mean of the similarities to the seeds, so that a seed with many near neighbours fills the
playlist. Here each seed's similarities are divided by that of its ``REFERENCE_RANK``-th best song, and a song near
one seed gains more than one halfway between several; well-known songs come earlier, unless popularity is a target;
and co-occurrence, if playlists were learned from, is how often a song is on playlists with the ``N_BEST`` best.
``python -m tests.benchmarks.playlists`` measures what this is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import prefetch
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.lookup.resolver import match_by_id, resolve_text
from segue.engine.co_occurrence import co_occurring
from segue.engine.recommendation import Pool, recommend
from segue.engine.scoring import SCORE_DIGITS, Scorer
from segue.engine.seeds import ResolvedSeed, complete, resolve
from segue.engine.space import space_of
from segue.errors import Fault, InvalidQuery
from segue.journeys import flows
from segue.journeys.candidate_pool import sample_indices
from segue.journeys.flows import FLOWS, PlaylistCandidates
from segue.limits import ARRANGED, READ, SEARCH, charge, checked, checkpoint
from segue.query.schema import MAX_PLAYLIST_SONGS, OrderQuery, PlaylistQuery, Query, Seed

POOL_FACTOR = 4  # candidates for each song of the playlist
MIN_POOL_SIZE = 100
CURVE_DIGITS = 6  # of a curve's values
REFERENCE_RANK = 10
POPULARITY_WEIGHT = 0.25
N_BEST = 25
CO_OCCURRENCE_WEIGHT = 0.25
MINUTE_MS = 60_000  # milliseconds
SECOND_MS = 1_000
DURATION_TOLERANCE = 0.01  # of the requested duration
MAX_EXCHANGES = 8  # of songs, to get closer to the requested duration
N_COUNTS = 3  # numbers of songs to try
MEANT = ("id", "exact", "close", "parts")  # kinds of matches by which a text means a song for certain
UNREACHABLE = 254  # songs; the last number to which 1 can be added in a byte


@dataclass(frozen=True, slots=True)
class FlowQuality:
    """How well the songs of a playlist follow its flow.

    correlation : of energy and curve, -1..1; None without a curve
    harmonic : share of neighbours with compatible keys, 0..1
    energy_change : mean from song to song, 0..1
    """

    correlation: float | None
    harmonic: float
    energy_change: float


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist.

    seeds : resolved
    rows : of the songs, in order
    curve : the energy that the flow asks of each song, 0 lowest .. 1 highest; None if it has no curve
    flow_quality : how well the order follows the flow
    pool : counts of the songs to choose from
    """

    seeds: tuple[ResolvedSeed, ...]
    rows: tuple[int, ...]
    curve: tuple[float, ...] | None
    flow_quality: FlowQuality
    pool: Pool


@dataclass(frozen=True, slots=True)
class OrderedList:
    """Given songs in an order.

    places : where each song of the new order stood in the given list
    matches : what each of them was found to be
    unknown : where the songs stood that the catalogue lacks
    curve, flow_quality : as of a :class:`Playlist`
    """

    places: tuple[int, ...]
    matches: tuple[SongMatch, ...]
    unknown: tuple[int, ...]
    curve: tuple[float, ...] | None
    flow_quality: FlowQuality

    @property
    def rows(self) -> tuple[int, ...]:
        """Of the songs, in the new order."""
        return tuple(match.row for match in self.matches)


def playlist(catalog: Catalog, query: PlaylistQuery) -> Playlist:
    """Make a playlist.

    Raises
    ------
    UnknownSongs
        a seed names nothing in the catalogue.
    InvalidQuery
        an attribute of the flow is missing, or too few songs pass for the duration.

    """
    _validate(catalog, query.flow)
    seeds = resolve(catalog, query.query.seeds, query.estimated_songs)
    query = replace(query, query=complete(catalog, query.query, seeds))
    rows, pool = _candidate_rows(catalog, query, seeds)
    checkpoint()
    songs = PlaylistCandidates(catalog, rows)
    indices = _choose_songs(songs, query)
    checkpoint()
    curve = flows.energy_curve(query.flow, len(indices))
    song_rows = tuple(int(row) for row in rows[indices])
    return Playlist(tuple(seeds), song_rows, _rounded(curve), measure_flow(songs, indices, curve), pool)


def order(catalog: Catalog, query: OrderQuery) -> OrderedList:
    """Put given songs into an order; none is added, and none is lost but those that the catalogue lacks.

    Raises
    ------
    InvalidQuery
        an attribute of the flow is missing.

    """
    _validate(catalog, query.flow)
    charge(SEARCH)
    names = [(seed.song, seed.artist) for seed in query.songs if seed.song]
    prefetch(catalog, [seed.id for seed in query.songs if seed.id], names)
    found = dict(enumerate(_find_song(catalog, seed) for seed in checked(query.songs)))
    matches = {place: match for place, match in found.items() if match is not None}
    songs = PlaylistCandidates(catalog, np.array([match.row for match in matches.values()], np.int64))
    indices = FLOWS[query.flow].arrange(songs, query.flow, len(songs)).order
    curve = flows.energy_curve(query.flow, len(songs))
    in_order = [list(matches.items())[index] for index in indices.tolist()]
    return OrderedList(
        tuple(place for place, _ in in_order),
        tuple(match for _, match in in_order),
        tuple(place for place, match in found.items() if match is None),
        _rounded(curve),
        measure_flow(songs, indices, curve),
    )


def _find_song(catalog: Catalog, seed: Seed) -> SongMatch | None:
    """The song that an entry of a list means for certain; None if the catalogue lacks it."""
    charge(READ)
    by_id = match_by_id(catalog, seed.id) if seed.id else None
    if by_id or not seed.song:
        return by_id
    found = resolve_text(catalog, seed.song, seed.artist)
    reading = found.reading if found else None
    return reading if isinstance(reading, SongMatch) and reading.kind in MEANT else None


def _rounded(curve: np.ndarray | None) -> tuple[float, ...] | None:
    return None if curve is None else tuple(curve.round(CURVE_DIGITS).tolist())


def _validate(catalog: Catalog, flow: str) -> None:
    missing = [name for name in FLOWS[flow].attributes if name not in catalog.manifest["attributes"]]
    if missing:
        message = f"the table says nothing about {' and '.join(missing)}: ask for another flow"
        raise InvalidQuery([Fault("/flow", message)])


def measure_flow(songs: PlaylistCandidates, indices: np.ndarray, curve: np.ndarray | None) -> FlowQuality:
    """How well songs, in the order of their indices, follow a flow."""
    energies, compatible = songs.energies[indices], songs.compatible_keys[indices[:-1], indices[1:]]
    return FlowQuality(
        None if curve is None else flows.pearson_correlation(energies, curve),
        float(compatible.mean()) if len(compatible) else 1.0,
        float(np.abs(np.diff(energies)).mean()) if len(compatible) else 0.0,
    )


def _candidate_rows(catalog: Catalog, query: PlaylistQuery, seeds: Sequence[ResolvedSeed]) -> tuple[np.ndarray, Pool]:
    """The candidates, the best first; with a draw, a random sample of them before the others."""
    n_songs = query.estimated_songs
    rows, pool = rank_candidates(catalog, query.query, seeds, max(MIN_POOL_SIZE, POOL_FACTOR * n_songs), n_songs)
    if query.minutes is not None:
        rows = rows[catalog.attribute("duration_ms", rows) > 0]
    if query.query.draw:
        sampled = sample_indices(len(rows), query.query.draw)
        rows = np.concatenate([rows[np.sort(sampled)], np.delete(rows, sampled)])
    clusters = {seed.seed.cluster for seed in seeds} - {None}
    if clusters:
        outside = np.array([entry["id"] not in clusters for entry in catalog.clusters_of(rows)])
        rows = rows[np.argsort(outside, kind="stable")]
    return rows, pool


def _choose_songs(songs: PlaylistCandidates, query: PlaylistQuery) -> np.ndarray:
    """Indices of the playlist's songs in order; if the flow misses the duration, of songs that meet it."""
    flow = FLOWS[query.flow].arrange
    if query.minutes is None:
        return flow(songs, query.flow, min(query.songs or 0, len(songs))).order
    target_ms = query.minutes * MINUTE_MS
    for count in checked(song_counts(songs.durations, target_ms, MAX_PLAYLIST_SONGS)):
        result = flow(songs, query.flow, count)
        indices = exchange_for_duration(result.order, songs.durations, target_ms, result.replacements)
        if within_tolerance(songs.durations[indices], target_ms):
            return indices
    subset = subset_sum(songs.durations, target_ms, MAX_PLAYLIST_SONGS)
    return subset[flow(songs.subset(subset), query.flow, len(subset)).order]


def rank_candidates(
    catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed], limit: int, n_songs: int
) -> tuple[np.ndarray, Pool]:
    """Rows of the best candidates in order, and the pool that they were chosen from.

    limit : candidates to rank, of which the playlist takes ``n_songs``; ``fill`` lifts the cap only if fewer are left
    """
    pool_query = replace(query, limit=limit, fill=False, draw=0, explain=False)
    found = recommend(catalog, pool_query, seeds)
    if query.fill and len(found.recommendations) < n_songs:
        found = recommend(catalog, replace(pool_query, limit=n_songs, fill=True), seeds)
    rows = np.array([song.row for song in found.recommendations], np.int64)
    if len(rows) <= REFERENCE_RANK or query.diversity:
        return rows, found.pool
    scores = np.array([song.score for song in found.recommendations])
    scores += _seed_balance_gains(Scorer(catalog, seeds, query.targets), rows)
    if "popularity" not in query.targets:
        scores *= 1 + POPULARITY_WEIGHT / 100 * np.nan_to_num(
            catalog.attribute("popularity", rows).astype(np.float64)
        )
    scores += CO_OCCURRENCE_WEIGHT * _co_occurrence_scores(
        catalog, rows[np.argsort(-scores.round(SCORE_DIGITS), kind="stable")[:N_BEST]], rows
    )
    return rows[np.argsort(-scores.round(SCORE_DIGITS), kind="stable")], found.pool


def _seed_balance_gains(scorer: Scorer, rows: np.ndarray) -> np.ndarray:
    """What scores gain if all seeds count equally, shape (len(rows),)."""
    similarities = scorer.seed_similarities(rows)
    references = np.maximum(np.partition(similarities, -REFERENCE_RANK, axis=1)[:, -REFERENCE_RANK], 1e-6)
    ratios = similarities / references[:, None]
    return scorer.score_gains(references.mean() * ratios * np.sqrt(ratios) - similarities)


def _co_occurrence_scores(catalog: Catalog, best: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """How often songs are on playlists with the best ones, 0..1, shape (len(rows),)."""
    if not space_of(catalog).co_occurrence_weight:
        return np.zeros(len(rows))
    neighbours = co_occurring(catalog, best.tolist())
    order = np.argsort(rows)
    indices = order[np.minimum(np.searchsorted(rows, neighbours.rows, sorter=order), len(rows) - 1)]
    is_candidate = rows[indices] == neighbours.rows
    return np.bincount(indices[is_candidate], neighbours.weights[is_candidate], len(rows)) / len(best)


def within_tolerance(durations: np.ndarray, target_ms: float) -> bool:
    """Whether the total duration, in milliseconds, is within 2 % or 3 minutes of the requested one."""
    return bool(abs(durations.sum() - target_ms) <= _tolerance_ms(target_ms))


def _tolerance_ms(target_ms: float) -> float:
    return max(0.02 * target_ms, 3 * MINUTE_MS)


def song_counts(durations: np.ndarray, target_ms: float, max_songs: int) -> list[int]:
    """How many of the first songs come closest to the requested duration, the closest first; at most ``max_songs``.

    Raises
    ------
    InvalidQuery
        all songs together are too short.

    """
    longest = np.sort(durations)[::-1][:max_songs]
    if longest.sum() + _tolerance_ms(target_ms) < target_ms:
        which = "longest songs" if len(longest) < len(durations) else "songs"
        raise _minutes_error(
            f"the {len(longest)} {which} at hand last {longest.sum() / MINUTE_MS:.0f} minutes: "
            "ask for fewer, or let more songs pass"
        )
    misses = np.abs(durations[:max_songs].cumsum() - target_ms)
    return (misses.argsort(kind="stable")[:N_COUNTS] + 1).tolist()


def _minutes_error(message: str) -> InvalidQuery:
    return InvalidQuery([Fault("/minutes", message)])


def exchange_for_duration(
    chosen: np.ndarray, durations: np.ndarray, target_ms: float, replacements: np.ndarray
) -> np.ndarray:
    """Exchange songs of a playlist, the first in preference, until the duration is close to the requested one.

    Parameters
    ----------
    chosen : indices among the songs
    durations : of all songs, milliseconds
    replacements : which songs may replace each chosen one, bool, shape (len(chosen), n_songs)

    """
    chosen, replacements = chosen.copy(), replacements.copy()
    replacements[:, chosen] = False
    for _ in checked(range(MAX_EXCHANGES)):
        charge(ARRANGED, replacements.size)
        missing = target_ms - durations[chosen].sum()
        if abs(missing) <= DURATION_TOLERANCE * target_ms or not replacements.any():
            break
        misses = np.abs(missing - (durations - durations[chosen][:, None]))
        costs = np.maximum(misses, DURATION_TOLERANCE * target_ms) + np.arange(len(durations))
        slot, song = divmod(int(np.where(replacements, costs, np.inf).argmin()), len(durations))
        if misses[slot, song] >= abs(missing):
            break
        replacements[:, song] = replacements[max(slot - 1, 0) : slot + 2] = False  # neighbours must stay compatible
        chosen[slot] = song
    return chosen


def subset_sum(durations: np.ndarray, target_ms: float, max_songs: int) -> np.ndarray:
    """At most ``max_songs`` songs that come closest to the requested duration; the first in preference, in order.

    For all sums in whole seconds, the fewest songs that make each up: the subset-sum problem by dynamic programming
    (Kellerer, Pferschy & Pisinger, "Knapsack Problems", 2004, chapter 4).

    Raises
    ------
    InvalidQuery
        no songs have such a total, though all of them together last longer.

    """
    seconds = np.rint(durations / SECOND_MS).astype(np.int64)
    fewest = _fewest_songs(seconds, int((target_ms + _tolerance_ms(target_ms)) // SECOND_MS))
    sums = np.flatnonzero(fewest[0] <= max_songs)
    remaining = int(sums[np.abs(sums * SECOND_MS - target_ms).argmin()])
    selected: list[int] = []
    for index, duration in enumerate(seconds.tolist()):
        if duration <= remaining and fewest[index + 1, remaining - duration] < max_songs - len(selected):
            selected.append(index)
            remaining -= duration
    chosen = np.array(selected, np.int64)
    if not within_tolerance(durations[chosen], target_ms):
        totals = durations[:max_songs].cumsum() / MINUTE_MS
        minutes = totals[min(int(totals.searchsorted(target_ms / MINUTE_MS)), len(totals) - 1)]
        raise _minutes_error(f"no songs at hand last so long together: ask for {minutes:.0f}, or let more songs pass")
    return chosen


def _fewest_songs(seconds: np.ndarray, max_seconds: int) -> np.ndarray:
    """Fewest of the songs from each one on that last 0, 1, .. seconds; shape (n_songs + 1, max_seconds + 1)."""
    charge(ARRANGED, len(seconds) * max_seconds)
    fewest = np.full((len(seconds) + 1, max_seconds + 1), UNREACHABLE, np.uint8)
    fewest[-1, 0] = 0
    for index in reversed(range(len(seconds))):
        without, duration = fewest[index + 1], seconds[index]
        fewest[index] = without
        np.minimum(
            without[duration:], without[: max(max_seconds + 1 - duration, 0)] + 1, out=fewest[index, duration:]
        )
    return fewest
