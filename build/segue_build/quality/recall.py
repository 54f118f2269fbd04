"""How much of the exact lists a search finds at which cost, and the cheapest budgets that reach the target recall.

Lists are made with the defaults of the service by ``exact`` requests. One pass over the catalogue says of each of
their songs what a search must do to find it: how many songs are candidates before it, and how many of these look
better by their approximate scores. So the recall of every budget is known without searching with any.
"""

import itertools
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from segue import releases
from segue.catalog import Catalog
from segue.engine.search import AllowedSongs, Budget, CellProber, approximate_scores
from segue.engine.space import rank_transform, space_of
from segue.query.schema import AUDIO_FEATURES, Filters, Query, Seed
from segue_build import progress
from segue_build.quality.exact_lists import Search, exact_lists
from segue_build.quality.metrics import RecommendableSongs
from segue_build.sources.series import batch_slices

LIST_SIZE = 20  # songs of a list
EXHAUSTIVE_SONGS = 4_000  # up to so many songs are all scored: that is as cheap as a search
QUERY_COUNTS = {"song": 300, "mixture": 250, "sound": 30}  # see segue.engine.scoring.Scorer
TARGET_RECALL = {"song": 0.992, "mixture": 0.985, "sound": 0.98}  # of the songs of exact lists
GROWTH = 1.12  # factor of the candidates from one trial to the next
RESCORE_RATIOS = (128, 64, 32, 24, 16, 10, 7, 5)  # candidates for each that is rescored
RESCORE_COST = 8  # cost of rescoring a song, in approximate scores, as measured
QUERIES_AT_ONCE = 32  # that a thread judges in one pass over the catalogue
MAX_SCORES = 20_000_000  # approximate scores that a thread holds: fewer queries at once with very many songs
LIKELY_SONGS = 300  # of the best by approximate scores, from which the last score of a list is learned
TypedQueries = Iterator[tuple[str, Query]]
KIND_DESCRIPTIONS = {
    "song": "one song",
    "mixture": "several, artists, genres, targets",
    "sound": "raw features of several",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What a budget achieves.

    recall : the share of the exact list's songs that are found, mean over the queries of the worst type
    """

    budget: Budget
    recall: float


def cost(budget: Budget) -> int:
    """The cost of a search, in approximate scores."""
    return budget.candidates + RESCORE_COST * budget.rescored


def choose_budgets(catalog: Catalog) -> dict[str, Any]:
    """The manifest's entry of the search: the cheapest budget that reaches the target recall, by kind of query."""
    best = {kind: _cheapest_budget(catalog, kind) for kind in QUERY_COUNTS}
    return {
        kind: {"candidates": trial.budget.candidates, "rescored": trial.budget.rescored, "recall": trial.recall}
        for kind, trial in best.items()
    }


def format_recall(entry: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The manifest's entry as a person reads it."""
    return [
        f"  recall@{LIST_SIZE}  {found['recall']:.4f}  {KIND_DESCRIPTIONS[kind]}:"
        f" {found['candidates']:,} candidates, {found['rescored']:,} rescored"
        for kind, found in entry.items()
    ]


def print_recall(artifacts: str | Path) -> None:
    """Print recall against cost for the current version, and the budgets that were chosen when it was built."""
    catalog = releases.load(artifacts)
    print(f"version {catalog.version}: {len(catalog):,} songs, recall@{LIST_SIZE} against all songs scored")
    for kind, count in QUERY_COUNTS.items():
        with progress.stage(f"judging {count} searches by {KIND_DESCRIPTIONS[kind]}"):
            trials = list(recall_curve(catalog, kind))
        print(f"{KIND_DESCRIPTIONS[kind]}; target {TARGET_RECALL[kind]}")
        print("   candidates    rescored        cost  recall")
        for trial in trials:
            budget, bar = trial.budget, "#" * round(40 * trial.recall)
            counts = f"{budget.candidates:13,} {budget.rescored:11,} {cost(budget):11,}"
            print(f"{counts}  {trial.recall:.4f} {bar}", flush=True)
    print("\n".join(["chosen when it was built:", *format_recall(catalog.manifest["search"])]))


def recall_curve(catalog: Catalog, kind: str) -> Iterator[Trial]:
    """Every budget, for each ratio of rescored songs up to the first that reaches the target; last, all songs."""
    queries = judged_queries(catalog, kind)
    tried = [list(budgets(catalog, ratio)) for ratio in RESCORE_RATIOS] if queries else []
    recalls = iter(budget_recalls(catalog, queries, list(itertools.chain(*tried))) if queries else ())
    for of_ratio in tried:
        trials = [Trial(budget, next(recalls)) for budget in of_ratio]
        n_short = next((n for n, trial in enumerate(trials) if trial.recall >= TARGET_RECALL[kind]), len(trials))
        yield from trials[: n_short + 1]
    yield Trial(Budget(len(catalog), len(catalog)), 1.0)


def _cheapest_budget(catalog: Catalog, kind: str) -> Trial:
    reached = (trial for trial in recall_curve(catalog, kind) if trial.recall >= TARGET_RECALL[kind])
    return min(reached, key=lambda trial: cost(trial.budget))


def budgets(catalog: Catalog, ratio: int) -> Iterator[Budget]:
    """Budgets from few candidates to nearly all songs."""
    candidates = EXHAUSTIVE_SONGS / 2
    while candidates < len(catalog):
        yield Budget(round(candidates), round(candidates / ratio))
        candidates *= GROWTH


def judged_queries(catalog: Catalog, kind: str) -> list[tuple[str, Query]]:
    """Queries of a kind with their types, the same each time; none for a small catalogue."""
    if catalog.manifest["recommendable"] <= EXHAUSTIVE_SONGS:
        return []
    made = {"song": _song_queries, "mixture": _mixture_queries, "sound": _feature_queries}[kind](catalog)
    return list(itertools.islice(made, QUERY_COUNTS[kind]))


def budget_recalls(catalog: Catalog, queries: Sequence[tuple[str, Query]], tried: Sequence[Budget]) -> list[float]:
    """The share of the exact lists' songs that each budget finds, mean over the queries of the worst type."""
    per_thread = -(-len(queries) // (os.cpu_count() or 1))
    size = max(1, min(QUERIES_AT_ONCE, MAX_SCORES // len(catalog), per_thread))
    parts = [[query for _, query in queries[part]] for part in batch_slices(len(queries), size)]
    shares = progress.thread_map(
        lambda part: _found_shares(catalog, part, tried), parts, "judging searches", " parts"
    )
    by_type = defaultdict(list)
    for (query_type, _), found in zip(queries, itertools.chain.from_iterable(shares)):
        by_type[query_type].append(found)
    worst = np.min([np.mean(each, axis=0) for each in by_type.values()], axis=0)
    return [round(share, 4) for share in worst.tolist()]


def _song_queries(catalog: Catalog) -> TypedQueries:
    return (("song", Query((song,), limit=LIST_SIZE)) for song in _random_seeds(catalog, seed=1))


def _feature_queries(catalog: Catalog) -> TypedQueries:
    """Two seeds, each by up to three features of a random song; no query if all songs have the same features.

    Raw features of one seed need no budget, see :mod:`segue.engine.recommendation`.
    """
    space, curves, rng = space_of(catalog), rank_transform(catalog), np.random.default_rng(2)
    differing = [one.name for one in AUDIO_FEATURES if space.embed_features({one.name: one.low}, curves)[1].any()]
    while differing:
        given = [
            {name: float(catalog.attribute(name)[row]) for name in rng.permutation(differing)[:3].tolist()}
            for row in rng.integers(len(catalog), size=2).tolist()
        ]
        known = [{name: value for name, value in features.items() if not np.isnan(value)} for features in given]
        if all(known):
            yield "sound", Query(tuple(Seed("", {}, features=features) for features in known), limit=LIST_SIZE)


def _mixture_queries(catalog: Catalog) -> TypedQueries:
    """In turn: several songs, a song less another, a song with a target, a genre and an artist."""
    songs, rng = _random_seeds(catalog, seed=3), np.random.default_rng(3)
    genres, artists = catalog.manifest["genres"], catalog.texts("artists")
    while True:
        yield "songs", Query(tuple(itertools.islice(songs, 5)), limit=LIST_SIZE)
        yield "less", Query((next(songs), replace(next(songs), weight=-0.5)), limit=LIST_SIZE)
        yield "target", Query((next(songs),), limit=LIST_SIZE, targets={"energy": round(rng.random(), 3)})
        if genres:
            yield "genre", Query((Seed("", {}, genre=genres[int(rng.integers(len(genres)))]),), limit=LIST_SIZE)
        if len(artists):
            yield "artist", Query((Seed("", {}, artist=artists[int(rng.integers(len(artists)))]),), limit=LIST_SIZE)


def _random_seeds(catalog: Catalog, seed: int) -> Iterator[Seed]:
    """Random songs, the same ones whatever the clustering."""
    songs, ids, rng = RecommendableSongs(catalog), catalog.texts("ids"), np.random.default_rng(seed)
    while True:
        yield Seed("", {}, id=ids[songs.row(int(rng.integers(len(songs))))])


def _found_shares(catalog: Catalog, queries: Sequence[Query], tried: Sequence[Budget]) -> list[np.ndarray]:
    """The share of each query's exact list that each budget finds; float64, shape (len(tried),)."""
    searches = [Search.of(catalog, query) for query in queries]
    candidates = [_Candidates(search) for search in searches]
    lists = exact_lists(catalog, searches, [each.best(LIKELY_SONGS) for each in candidates])
    return [
        each.find(rows, tried).mean(axis=0) if len(rows) else np.ones(len(tried))
        for each, rows in zip(candidates, lists)
    ]


class _Candidates:
    """All songs, in the order in which they would be candidates of a search, with their approximate scores."""

    def __init__(self, search: Search):
        self._scorer = search.scorer
        self._cells = CellProber(search.catalog, AllowedSongs(search.catalog, Filters()))
        self._cells.rank_cells(search.scorer)
        self._every = self._cells.probe(self._cells.n_songs)
        self._scores = approximate_scores(search.scorer, self._cells, self._every)

    def best(self, count: int) -> np.ndarray:
        """Rows, rising, of so many whose approximate scores are best."""
        first = max(0, len(self._scores) - count)
        return np.sort(self._cells.rows(self._every)[np.argpartition(self._scores, first)[first:]])

    def find(self, rows: np.ndarray, tried: Sequence[Budget]) -> np.ndarray:
        """Which songs each budget finds, as :func:`segue.engine.search.approximate_search` looks for them.

        A song is found if it is a candidate and fewer candidates than are rescored have a better approximate score.

        Returns
        -------
        bool, shape (len(rows), len(tried)); songs in the order in which they are candidates

        """
        cells, scores, scorer = self._cells, self._scores, self._scorer
        candidates = cells.rows(self._every)
        stops = np.array([cells.stop(budget.candidates) for budget in tried])
        rescored = np.array([budget.rescored for budget in tried])
        found = np.empty((len(rows), len(tried)), bool)
        positions = np.flatnonzero(np.isin(candidates, rows))
        better_than_any = np.flatnonzero(scores > scores[positions].min(initial=np.inf))
        for number, position in enumerate(positions.tolist()):
            better = better_than_any[scores[better_than_any] > scores[position]]
            always = candidates[position] in scorer.neighbour_rows
            found[number] = always | ((position < stops) & (better.searchsorted(stops) < rescored))
        found[:, [cells.n_songs <= max(budget.candidates // len(scorer), budget.rescored) for budget in tried]] = True
        return found
