"""How much of the best lists a search finds at what cost, and the budgets with which it finds enough.

Lists are whole ones, with the defaults of the service, and held against those of ``exact`` requests: a song counts as
found where it scores no less than the last of the exact list.
"""

import bisect
import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from segue import releases
from segue.catalog import Catalog
from segue.engine.recommendation import recommend
from segue.engine.search import Budget
from segue.engine.space import rank_transform, space_of
from segue.query.schema import AUDIO_FEATURES, Query, Seed
from segue_build import progress
from segue_build.quality.metrics import RecommendableSongs

LIST_SIZE = 20  # songs of a list
EXHAUSTIVE_SONGS = 4_000  # songs that are all scored, for that costs as little
QUERY_COUNTS = {"song": 300, "mixture": 250, "sound": 30}  # see segue.engine.scoring.Scorer
TARGET_RECALL = {"song": 0.992, "mixture": 0.985, "sound": 0.98}  # of the songs of exact lists
GROWTH = 1.12  # of the candidates, from one trial to the next
RESCORE_RATIOS = (16, 8, 6, 5)  # of the candidates one in so many is rescored
RESCORE_COST = 8  # what scoring a song costs, where looking at one costs 1, as measured
TypedQueries = Iterator[tuple[str, Query]]
KIND_DESCRIPTIONS = {
    "song": "one song",
    "mixture": "several, artists, genres, targets",
    "sound": "raw features of several",
}


@dataclass(frozen=True, slots=True)
class ExactResult:
    """A query, what sort it is, how many songs the exact list for it has, and the score of the last of them."""

    query_type: str
    query: Query
    list_size: int
    lowest_score: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a budget achieves.

    recall : the share of the exact list's songs that are found, mean over queries of the sort that lacks most
    """

    budget: Budget
    recall: float

    @property
    def cost(self) -> int:
        """In candidates."""
        return cost(self.budget)


def cost(budget: Budget) -> int:
    """What a budget costs, in candidates."""
    return budget.candidates + RESCORE_COST * budget.rescored


def choose_budgets(catalog: Catalog) -> dict[str, Any]:
    """The manifest's entry of the search: of each kind of query the cheapest budget with which enough is found."""
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
    """Print recall against cost for the current version, and what was chosen when it was built."""
    catalog = releases.load(artifacts)
    print(f"version {catalog.version}: {len(catalog):,} songs, recall@{LIST_SIZE} against all songs scored")
    for kind in QUERY_COUNTS:
        print(f"{KIND_DESCRIPTIONS[kind]}; enough is {TARGET_RECALL[kind]}")
        print("    looked at      scored        cost  recall")
        for trial in recall_curve(catalog, kind):
            looked, scored = trial.budget.candidates, trial.budget.rescored
            bar = "#" * round(40 * trial.recall)
            print(f"{looked:13,} {scored:11,} {trial.cost:11,}  {trial.recall:.4f} {bar}", flush=True)
    print("\n".join(["chosen when it was built:", *format_recall(catalog.manifest["search"])]))


def recall_curve(catalog: Catalog, kind: str) -> Iterator[Trial]:
    """Every budget, by what share of the candidates is rescored, up to the first that finds enough.

    What costs more than one that found enough is not tried.
    """
    results, max_cost = exact_results(catalog, kind), math.inf
    for ratio in RESCORE_RATIOS if results else ():
        for budget in budgets(catalog, ratio):
            if cost(budget) >= max_cost:
                break
            trial = Trial(budget, recall(catalog, results, budget))
            yield trial
            if trial.recall >= TARGET_RECALL[kind]:
                max_cost = trial.cost
                break
    yield Trial(_full_budget(catalog), 1.0)


def _cheapest_budget(catalog: Catalog, kind: str) -> Trial:
    """The cheapest budget that finds enough, by halving, for more candidates find more."""
    results, best = exact_results(catalog, kind), Trial(_full_budget(catalog), 1.0)
    recall_of = functools.cache(functools.partial(recall, catalog, tuple(results)))
    for ratio in RESCORE_RATIOS if results else ():
        cheaper = [budget for budget in budgets(catalog, ratio) if cost(budget) < best.cost]
        first = bisect.bisect_left(cheaper, TARGET_RECALL[kind], key=recall_of)
        if first < len(cheaper):
            best = Trial(cheaper[first], recall_of(cheaper[first]))
    return best


def budgets(catalog: Catalog, ratio: int) -> Iterator[Budget]:
    """From small to all of the catalogue."""
    looked = EXHAUSTIVE_SONGS / 2
    while looked < len(catalog):
        yield Budget(round(looked), round(looked / ratio))
        looked *= GROWTH


def _full_budget(catalog: Catalog) -> Budget:
    return Budget(len(catalog), len(catalog))


def exact_results(catalog: Catalog, kind: str) -> list[ExactResult]:
    """Queries of a kind, the same each time, and what all songs scored says about them; none of a small catalogue."""
    if catalog.manifest["recommendable"] <= EXHAUSTIVE_SONGS:
        return []
    made = {"song": _song_queries, "mixture": _mixture_queries, "sound": _feature_queries}[kind](catalog)
    results = list(itertools.islice(made, QUERY_COUNTS[kind]))
    return list(
        progress.thread_map(lambda one: _exact_result(catalog, *one), results, "scoring all songs", " queries")
    )


def _song_queries(catalog: Catalog) -> TypedQueries:
    return (("song", Query((song,), limit=LIST_SIZE)) for song in _random_seeds(catalog, seed=1))


def _feature_queries(catalog: Catalog) -> TypedQueries:
    """Two seeds by features of songs drawn at random, at most three of each; no query where songs differ in none.

    Raw features of one seed need no budget, see :mod:`segue.engine.feature_box`.
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
    """Several songs, an artist, a genre, a song less another, a song with a target; as many of each."""
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
    """Songs drawn at random, the same ones whatever the clustering."""
    songs, ids, rng = RecommendableSongs(catalog), catalog.texts("ids"), np.random.default_rng(seed)
    while True:
        yield Seed("", {}, id=ids[songs.row(int(rng.integers(len(songs))))])


def _exact_result(catalog: Catalog, query_type: str, query: Query) -> ExactResult:
    exact = recommend(catalog, replace(query, exact=True)).recommendations
    return ExactResult(query_type, query, len(exact), exact[-1].score if exact else 0.0)


def recall(catalog: Catalog, results: Sequence[ExactResult], budget: Budget) -> float:
    """The share of the songs of exact lists that a budget finds, mean over the sort of which it finds least."""
    entry = {"candidates": budget.candidates, "rescored": budget.rescored}
    trial_catalog = Catalog(catalog.folder, {**catalog.manifest, "search": dict.fromkeys(QUERY_COUNTS, entry)})
    found_shares = defaultdict(list)
    for one in results:
        found = [song.score >= one.lowest_score for song in recommend(trial_catalog, one.query).recommendations]
        found_shares[one.query_type].append(sum(found) / max(one.list_size, 1))
    return round(min(float(np.mean(each)) for each in found_shares.values()), 4)
