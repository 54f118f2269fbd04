"""How much of the exact lists a search finds at which cost, and the cheapest budgets that reach the target recall.

Lists are made with the defaults of the service and compared with those of ``exact`` requests: a song counts as found
if it scores no less than the last song of the exact list.
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
EXHAUSTIVE_SONGS = 4_000  # up to so many songs are all scored: that is as cheap as a search
QUERY_COUNTS = {"song": 300, "mixture": 250, "sound": 30}  # see segue.engine.scoring.Scorer
TARGET_RECALL = {"song": 0.992, "mixture": 0.985, "sound": 0.98}  # of the songs of exact lists
GROWTH = 1.12  # factor of the candidates from one trial to the next
RESCORE_RATIOS = (16, 8, 6, 5)  # candidates for each that is rescored
RESCORE_COST = 8  # cost of rescoring a song, in approximate scores, as measured
TypedQueries = Iterator[tuple[str, Query]]
KIND_DESCRIPTIONS = {
    "song": "one song",
    "mixture": "several, artists, genres, targets",
    "sound": "raw features of several",
}


@dataclass(frozen=True, slots=True)
class ExactResult:
    """A query, its type, and the length and lowest score of its exact list."""

    query_type: str
    query: Query
    list_size: int
    lowest_score: float


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
    for kind in QUERY_COUNTS:
        print(f"{KIND_DESCRIPTIONS[kind]}; target {TARGET_RECALL[kind]}")
        print("   candidates    rescored        cost  recall")
        for trial in recall_curve(catalog, kind):
            budget, bar = trial.budget, "#" * round(40 * trial.recall)
            counts = f"{budget.candidates:13,} {budget.rescored:11,} {cost(budget):11,}"
            print(f"{counts}  {trial.recall:.4f} {bar}", flush=True)
    print("\n".join(["chosen when it was built:", *format_recall(catalog.manifest["search"])]))


def recall_curve(catalog: Catalog, kind: str) -> Iterator[Trial]:
    """Every budget, for each ratio of rescored candidates up to the first that reaches the target.

    Budgets that cost more than one that reached it are not tried.
    """
    results, max_cost = exact_results(catalog, kind), math.inf
    for ratio in RESCORE_RATIOS if results else ():
        for budget in budgets(catalog, ratio):
            if cost(budget) >= max_cost:
                break
            trial = Trial(budget, recall(catalog, results, budget))
            yield trial
            if trial.recall >= TARGET_RECALL[kind]:
                max_cost = cost(budget)
                break
    yield Trial(Budget(len(catalog), len(catalog)), 1.0)


def _cheapest_budget(catalog: Catalog, kind: str) -> Trial:
    """The cheapest budget that reaches the target, by bisection: more candidates find more."""
    results, best = exact_results(catalog, kind), Trial(Budget(len(catalog), len(catalog)), 1.0)
    recall_of = functools.cache(functools.partial(recall, catalog, tuple(results)))
    for ratio in RESCORE_RATIOS if results else ():
        cheaper = [budget for budget in budgets(catalog, ratio) if cost(budget) < cost(best.budget)]
        first = bisect.bisect_left(cheaper, TARGET_RECALL[kind], key=recall_of)
        if first < len(cheaper):
            best = Trial(cheaper[first], recall_of(cheaper[first]))
    return best


def budgets(catalog: Catalog, ratio: int) -> Iterator[Budget]:
    """Budgets from few candidates to nearly all songs."""
    candidates = EXHAUSTIVE_SONGS / 2
    while candidates < len(catalog):
        yield Budget(round(candidates), round(candidates / ratio))
        candidates *= GROWTH


def exact_results(catalog: Catalog, kind: str) -> list[ExactResult]:
    """Queries of a kind, the same each time, with their exact results; none for a small catalogue."""
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
    """Two seeds, each by up to three features of a random song; no query if all songs have the same features.

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


def _exact_result(catalog: Catalog, query_type: str, query: Query) -> ExactResult:
    exact = recommend(catalog, replace(query, exact=True)).recommendations
    return ExactResult(query_type, query, len(exact), exact[-1].score if exact else 0.0)


def recall(catalog: Catalog, results: Sequence[ExactResult], budget: Budget) -> float:
    """The share of the exact lists' songs that a budget finds, mean over the queries of the worst type."""
    entry = {"candidates": budget.candidates, "rescored": budget.rescored}
    trial_catalog = Catalog(catalog.folder, {**catalog.manifest, "search": dict.fromkeys(QUERY_COUNTS, entry)})
    found_shares = defaultdict(list)
    for one in results:
        found = [song.score >= one.lowest_score for song in recommend(trial_catalog, one.query).recommendations]
        found_shares[one.query_type].append(sum(found) / max(one.list_size, 1))
    return round(min(float(np.mean(each)) for each in found_shares.values()), 4)
