"""The songs that pass the filters and score best, best first, without scoring all of them.

Cells are probed in the order of what their centroids score, until a budget of candidates is spent, as in an
inverted file index (IVF). All candidates get an approximate score by their PQ codes, the best of them are rescored
exactly, and the best of those are passed on. Where more are taken, the search goes on with twice the budget, down to
the last song. A filter makes a smaller catalogue of its own: only songs that pass it are candidates and counted, and
where they are within the budget, all are scored; with several seeds that is where they are so few that scoring them
takes no longer than the approximate scores of the budget.

Where more than a few dozen points stand for the seeds, a *coarse* scorer of a few dozen ranks the cells and makes the
approximate scores; then it scores the best candidates exactly, and only the best of those get their score by all
points: as many as take no longer than if there were a few dozen, and where more songs are taken a few for each of
them, since most of what was scored before is still there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artists_by_title_keys, songs_by_ids
from segue.catalog.normalization import normalized
from segue.engine.scoring import SCORE_DIGITS, Scorer
from segue.limits import COMPARISON, EXCLUDED, FILTERED, charge, checked
from segue.query.schema import Filters

FIRST_BATCH = 100  # songs that are passed on first, whatever the limit: a longer list begins as a shorter one does
EXACT_BATCH = 65_536  # songs of a whole catalogue
CANDIDATE_BATCH = 8_192  # songs: what is computed of them stays in the processor's cache
SORTED_FIRST = 1_000  # of all songs that are put in order before the others: few lists need more
SORTED_GROWTH = 16  # times as many are put in order each time that more are taken
MIN_RESCORED = 2 * FIRST_BATCH  # songs, at first, that get their score by all of many points
BATCH_PAIRS = 160_000  # of a song and a point: a later batch compares more only if it passes on so many songs
RESCORED_PER_SCORED = 2  # songs that the coarse scorer scores exactly for each that all points score
GENRE_PRICE = 4  # of looking at a song's genre, where a number that is compared costs 1
OWNER_PRICE = 30  # of finding whose a genre is
MIN_SCORE = float(np.finfo(np.float32).min)  # below every approximate score


class ScoredRows(NamedTuple):
    """Songs and their scores.

    rows, scores : int64 and float64, shape (n_found,)
    """

    rows: np.ndarray
    scores: np.ndarray

    def select(self, chosen: np.ndarray) -> "ScoredRows":
        """Those for which ``chosen`` is true, or whose positions it holds."""
        return ScoredRows(self.rows[chosen], self.scores[chosen])

    def followed_by(self, others: "ScoredRows") -> "ScoredRows":
        """These and then others."""
        return ScoredRows(*map(np.concatenate, zip(self, others))) if len(self.rows) else others

    def best_first(self) -> "ScoredRows":
        """The same by falling score; equal scores by row."""
        charge(COMPARISON, len(self.rows))
        rise = self.rows[1:] > self.rows[:-1]
        if rise.all():  # where many scores are equal, as those of a key are, this takes no time
            return self.select(np.argsort(-self.scores, kind="stable"))
        return self.select(np.lexsort((self.rows, -self.scores)))


class AllowedSongs:
    """Whether songs, by their rows, were analysed and pass the filters.

    Exclusions by id or artist are looked up row by row; only other filters read a column of the catalogue.

    passing_rows : rows of the songs that pass these other filters, rising; None where there are none
    """

    def __init__(self, catalog: Catalog, filters: Filters):
        self._recommendable = catalog.array("recommendable")
        conditions = list(checked(_conditions(catalog, filters)))
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
        return passes & ~are_among(rows, self._excluded_rows) if len(self._excluded_rows) else passes

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """All rows that are allowed, rising, so many at a time or a few less."""
        songs = self._recommendable if self.passing_rows is None else self.passing_rows
        for start in range(0, len(songs), size):
            part = songs[start : start + size]
            rows = np.flatnonzero(part) + start if self.passing_rows is None else part
            yield rows[~are_among(rows, self._excluded_rows)] if len(self._excluded_rows) else rows

    def rows(self) -> np.ndarray:
        """All of them at once."""
        return np.concatenate([np.empty(0, np.int64), *self.batches(len(self._recommendable))])

    def count(self) -> int:
        """How many songs of the catalogue are allowed."""
        return self._n_passing - int(np.count_nonzero(self._passing_mask.take(self._excluded_rows)))


def are_among(values: np.ndarray, rising: np.ndarray) -> np.ndarray:
    """Which values are in a rising array of one or more, bool. np.isin would hash all of it for a single value."""
    return rising.take(rising.searchsorted(values), mode="clip") == values


def _conditions(catalog: Catalog, filters: Filters) -> Iterator[np.ndarray]:
    for name, (low, high) in filters.ranges.items():
        charge(FILTERED, len(catalog))
        yield _in_range(catalog.attribute(name), low, high)
    if filters.explicit is not None:
        charge(FILTERED, len(catalog))
        yield catalog.attribute("explicit") == float(filters.explicit)
    if filters.genres:
        yield songs_with_genres(catalog, filters.genres)
    if filters.clusters:
        yield _in_clusters(catalog, filters.clusters)
    if filters.exclude_genres:
        yield ~songs_with_genres(catalog, filters.exclude_genres)


def _in_clusters(catalog: Catalog, clusters: tuple[int, ...]) -> np.ndarray:
    """Songs of any of these clusters, each of which is a run of rows; bool, shape (n_songs,)."""
    mask = np.zeros(len(catalog), bool)
    for entry in catalog.manifest["clusters"]:
        if entry["id"] in clusters:
            mask[entry["first"] : entry["first"] + entry["size"]] = True
    return mask


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
    offsets, values = catalog.array("song_genres_offsets"), catalog.array("song_genres")
    charge(FILTERED, GENRE_PRICE * len(values))
    is_wanted, mask = np.isin(catalog.manifest["genres"], genres), np.zeros(len(catalog), bool)
    for start in checked(range(0, len(catalog), EXACT_BATCH)):
        bounds = offsets[start : start + EXACT_BATCH + 1]
        hits = np.flatnonzero(is_wanted.take(values[bounds[0] : bounds[-1]]))
        charge(FILTERED, OWNER_PRICE * len(hits))
        mask[start + np.searchsorted(bounds - bounds[0], hits, side="right") - 1] = True
    return mask


def _excluded_rows(catalog: Catalog, filters: Filters) -> np.ndarray:
    """Rows that are excluded by id or artist, rising."""
    if not filters.exclude_ids and not filters.exclude_artists:
        return np.empty(0, np.int64)
    charge(EXCLUDED, len(filters.exclude_ids) + 2 * len(filters.exclude_artists))
    songs = _versions_of(catalog, filters.exclude_ids), _songs_by(catalog, filters.exclude_artists)
    return np.unique(np.concatenate(songs))


def _versions_of(catalog: Catalog, ids: tuple[str, ...]) -> np.ndarray:
    rows = np.array([row for row in songs_by_ids(catalog, ids) if row is not None], np.int64)
    return catalog.lists("work", "songs").gather(np.unique(catalog.take("works", rows)))[0].astype(np.int64)


def _songs_by(catalog: Catalog, artists: tuple[str, ...]) -> np.ndarray:
    songs, names = catalog.lists("artist", "songs"), catalog.texts("artists")
    found = {
        row
        for name, rows in zip(artists, artists_by_title_keys(catalog, artists))
        for row in rows.tolist()
        if names[row] == name or normalized(names[row]) == normalized(name)
    }
    return songs.gather(np.array(sorted(found), np.int64))[0].astype(np.int64)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search costs before it is known whether it must go on; chosen for a catalogue when it is built.

    candidates : songs, about, that get an approximate score
    rescored : the best of them, which are scored exactly
    """

    candidates: int
    rescored: int


_NO_ROWS = ScoredRows(np.empty(0, np.int64), np.empty(0))


def search_budget(catalog: Catalog, scorer: Scorer) -> Budget:
    """The budget that was chosen for queries of this kind."""
    entry: dict[str, Any] = catalog.manifest["search"][scorer.kind]
    return Budget(entry["candidates"], entry["rescored"])


def approximate_search(
    catalog: Catalog, scorer: Scorer, allowed: AllowedSongs, budget: Budget, coarse: Scorer | None = None
) -> Iterator[ScoredRows]:
    """Yield all songs that are allowed, some at a time, by falling score; equal scores by row.

    A song that was overlooked when songs of lower scores were passed on comes after all others.

    coarse : a scorer of a few points that stand for those of the scorer, if these are many
    """
    coarse = coarse or scorer
    cells = CellProber(catalog, allowed)
    if cells.n_songs * len(scorer) <= max(budget.candidates, budget.rescored * len(coarse)):
        yield from exhaustive_search(scorer, allowed)
        return
    cells.rank_cells(coarse)
    n_scored = max(budget.rescored * len(coarse) // len(scorer), min(budget.rescored, MIN_RESCORED))
    neighbours = _best_neighbours(scorer, allowed, n_scored if coarse is not scorer else len(scorer.neighbour_rows))
    candidates, rescored = _Candidates(coarse, allowed, cells, neighbours), _Rescored(scorer)
    rescored.add(neighbours)
    factor = 1
    while cells.remaining or candidates.remaining:
        positions = cells.probe(factor * budget.candidates)
        catalog.prefetch_rows(partial(cells.rows, positions), "pq_codes")
        candidates.add(positions)
        n_popped, n_coarse = n_scored, max(budget.rescored, RESCORED_PER_SCORED * n_scored)
        if factor > 1:  # most of the songs that come next were scored before
            n_popped = max(factor * FIRST_BATCH, min(n_scored, BATCH_PAIRS // len(scorer)))
            n_coarse = RESCORED_PER_SCORED * n_popped
        if coarse is not scorer:
            candidates.rescore(n_coarse)
        rescored.add(candidates.pop_best(n_popped))
        yield rescored.pop_best(factor * FIRST_BATCH)
        factor *= 2
    yield from rescored.drain()


def _best_neighbours(scorer: Scorer, allowed: AllowedSongs, count: int) -> np.ndarray:
    """Rows, rising, of so many of the allowed co-occurrence neighbours, those to whose scores that adds most."""
    is_allowed = allowed(scorer.neighbour_rows)
    rows, scores = scorer.neighbour_rows[is_allowed], scorer.neighbour_scores[is_allowed]
    return rows if len(rows) <= count else np.sort(rows[np.lexsort((rows, -scores))[:count]])


def exhaustive_search(scorer: Scorer, allowed: AllowedSongs, upper: float = np.inf) -> Iterator[ScoredRows]:
    """Yield the same in the exact order, for which all songs are scored; none whose score is above ``upper``.

    Only those that are passed on next are held, however large the catalogue; where more are taken, all are scored
    again.
    """
    remaining, n_sorted, last_score = allowed.count(), SORTED_FIRST, np.nextafter(upper, np.inf)
    while remaining > 0:
        best = _NO_ROWS
        for rows in allowed.batches(EXACT_BATCH):
            found = ScoredRows(rows, scorer.score(rows))
            best = best.followed_by(found.select(found.scores < last_score))
            best = best.select(best.scores >= _kth_largest(best.scores, n_sorted))
        if not len(best.rows):
            return
        yield best.best_first()
        remaining, n_sorted, last_score = remaining - len(best.rows), SORTED_GROWTH * n_sorted, best.scores.min()


class CellProber:
    """The cells in the order in which they are probed. A song's *position* is how many songs come before it.

    n_songs : that pass the filters, in all cells
    remaining : of them, in cells that were not yet probed
    """

    def __init__(self, catalog: Catalog, allowed: AllowedSongs):
        offsets = catalog.cached("cell offsets", lambda: catalog.array("cell_offsets").astype(np.int64))
        self._passing_rows = allowed.passing_rows
        self._offsets = offsets if self._passing_rows is None else self._passing_rows.searchsorted(offsets)
        self.n_songs = self.remaining = int(self._offsets[-1])
        self._n_probed = 0  # cells

    def rank_cells(self, scorer: Scorer) -> None:
        """Before the first probe: the best cells are those whose centroids score best."""
        scores = scorer.cell_scores()
        bits = len(scores).bit_length()
        numbers = np.rint(scores * -(10**SCORE_DIGITS)).astype(np.int64) << bits | np.arange(len(scores))
        numbers.sort()  # no two are equal, so that any way of sorting gives the same
        order = numbers & (1 << bits) - 1
        stops = self._offsets.take(order + 1)
        self._cumulative_sizes = np.cumsum(stops - self._offsets.take(order))  # of songs, up to and with each cell
        # from a position to the row, or to its number among those that pass the filters
        self._shifts = stops - self._cumulative_sizes

    def probe(self, size: int) -> range:
        """Positions in the best cells, of so many songs together or a few more."""
        start = self.n_songs - self.remaining
        self._n_probed = self._count_cells(start + size)
        self.remaining = self.n_songs - int(self._cumulative_sizes[self._n_probed - 1])
        return range(start, self.n_songs - self.remaining)

    def stop(self, size: int) -> int:
        """Where a first probe of so many songs stops: the position of the first song in a cell that it leaves out."""
        return int(self._cumulative_sizes[self._count_cells(size) - 1])

    def _count_cells(self, n_songs: int) -> int:
        """How many of the best cells hold so many songs together."""
        return min(int(self._cumulative_sizes.searchsorted(n_songs)) + 1, len(self._cumulative_sizes))

    def rows(self, positions: np.ndarray | range) -> np.ndarray:
        """Rows at rising positions in cells that were probed."""
        rising = np.arange(positions.start, positions.stop) if isinstance(positions, range) else positions
        ends = rising.searchsorted(self._cumulative_sizes[: self._n_probed])
        counts = ends.copy()  # np.diff would take as long as all else here
        counts[1:] -= ends[:-1]
        numbers = np.repeat(self._shifts[: self._n_probed], counts)
        numbers += rising
        return numbers if self._passing_rows is None else self._passing_rows.take(numbers)


def approximate_scores(scorer: Scorer, cells: CellProber, positions: range) -> np.ndarray:
    """Approximate scores of the songs at positions in cells that were probed; float32, shape (len(positions),)."""
    batches = (positions[start : start + CANDIDATE_BATCH] for start in range(0, len(positions), CANDIDATE_BATCH))
    scores = (scorer.approximate_scores(cells.rows(batch)) for batch in checked(batches))
    return np.concatenate([np.empty(0, np.float32), *scores])


class _Candidates:
    """Songs with approximate scores, by position.

    neighbours : rows, rising, that are candidates anyway
    remaining : of them that were not rescored
    """

    def __init__(self, scorer: Scorer, allowed: AllowedSongs, cells: CellProber, neighbours: np.ndarray):
        self._scorer, self._allowed, self._cells, self._neighbours = scorer, allowed, cells, neighbours
        self._approximate_scores = np.empty(0, np.float32)
        self._is_rescored = np.empty(0, bool)
        self.remaining = 0

    def add(self, positions: range) -> None:
        """Compute approximate scores of more songs, those that follow."""
        scores = approximate_scores(self._scorer, self._cells, positions)
        self._approximate_scores = np.concatenate([self._approximate_scores, scores])
        self.remaining += len(positions)

    def pop_best(self, count: int) -> np.ndarray:
        """Take out the rows of the best, but for those that are filtered out or were candidates anyway."""
        positions = self._best(count)
        self._approximate_scores[positions] = -np.inf
        self.remaining -= len(positions)
        rows = self._cells.rows(positions)
        rows = rows[self._allowed(rows)]
        return rows[~are_among(rows, self._neighbours)] if len(self._neighbours) else rows

    def rescore(self, count: int) -> None:
        """Give the best their exact scores by the coarse scorer."""
        positions = self._best(count)
        self._is_rescored.resize(len(self._approximate_scores), refcheck=False)  # with zeros
        positions = positions[~self._is_rescored[positions]]
        self._approximate_scores[positions] = self._scorer.score(self._cells.rows(positions))
        self._is_rescored[positions] = True

    def _best(self, count: int) -> np.ndarray:
        """Positions of so many of the best, and of what ties with the last of them."""
        return np.flatnonzero(
            self._approximate_scores >= max(_kth_largest(self._approximate_scores, count), MIN_SCORE)
        )


class _Rescored:
    """Songs that were scored and not yet passed on."""

    def __init__(self, scorer: Scorer):
        self._scorer = scorer
        self._pending = self._overlooked = _NO_ROWS
        self._last_score = np.inf  # score of the last song that was passed on

    def add(self, rows: np.ndarray) -> None:
        """Score more songs."""
        if not len(rows):
            return
        found = ScoredRows(rows, self._scorer.score(rows))
        in_time = found.scores < self._last_score
        self._pending = self._pending.followed_by(found.select(in_time))
        self._overlooked = self._overlooked.followed_by(found.select(~in_time))

    def pop_best(self, count: int) -> ScoredRows:
        """Take out so many of the best, and what ties with the last of them."""
        chosen = self._pending.scores >= _kth_largest(self._pending.scores, count)
        taken = self._pending.select(chosen).best_first()
        self._pending = self._pending.select(~chosen)
        self._last_score = min(self._last_score, taken.scores.min(initial=np.inf))
        return taken

    def drain(self) -> Iterator[ScoredRows]:
        """All others; last those that were overlooked."""
        yield self._pending.best_first()
        yield self._overlooked.best_first()


def _kth_largest(values: np.ndarray, count: int) -> float:
    """The last of the ``count`` largest; below all where there are no more."""
    if len(values) <= count:
        return -np.inf
    return float(np.partition(values, len(values) - count)[len(values) - count])
