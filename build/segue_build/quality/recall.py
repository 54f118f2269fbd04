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

from segue_build import progress
from segue_build.quality.drawing import Usable
from segue import releases
from segue.catalog import Catalog
from segue.engine import recommend
from segue.engine.search import Budget
from segue.engine.seeds import ranks
from segue.engine.space import space_of
from segue.query import Query, Seed
from segue.query.attributes import AUDIO

BEST = 20  # songs of a list
SMALL = 4_000  # songs that are all scored, for that costs as little
QUERIES = {"song": 300, "mixture": 250, "sound": 30}  # see segue.engine.scoring.Scorer
ENOUGH = {"song": 0.992, "mixture": 0.985, "sound": 0.98}  # of the songs of exact lists
GROWTH = 1.12  # of the songs looked at, from one trial to the next
SHARES = (16, 8, 6, 5)  # of the songs looked at one in so many is scored
SCORING = 8  # what scoring a song costs, where looking at one costs 1, as measured
Sorts = Iterator[tuple[str, Query]]
MEANING = {"song": "one song", "mixture": "several, artists, genres, targets", "sound": "raw features of several"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, what sort it is, how many songs the exact list for it has, and the score of the last of them."""

    sort: str
    query: Query
    songs: int
    least: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a budget achieves.

    recall : the share of the exact list's songs that are found, mean over queries of the sort that lacks most
    """

    budget: Budget
    recall: float

    @property
    def cost(self) -> int:
        """In songs looked at."""
        return cost(self.budget)


def cost(budget: Budget) -> int:
    """What a budget costs, in songs looked at."""
    return budget.looked + SCORING * budget.scored


def chosen(catalog: Catalog) -> dict[str, Any]:
    """The manifest's entry of the search: of each kind of query the cheapest budget with which enough is found."""
    best = {kind: _cheapest(catalog, kind) for kind in QUERIES}
    return {
        kind: {"looked": trial.budget.looked, "scored": trial.budget.scored, "recall": trial.recall}
        for kind, trial in best.items()
    }


def lines(entry: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The manifest's entry as a person reads it."""
    return [
        f"  recall@{BEST}  {found['recall']:.4f}  {MEANING[kind]}:"
        f" {found['looked']:,} songs looked at, {found['scored']:,} scored"
        for kind, found in entry.items()
    ]


def show(artifacts: str | Path) -> None:
    """Print recall against cost for the current version, and what was chosen when it was built."""
    catalog = releases.load(artifacts)
    print(f"version {catalog.version}: {len(catalog):,} songs, recall@{BEST} against all songs scored")
    for kind in QUERIES:
        print(f"{MEANING[kind]}; enough is {ENOUGH[kind]}")
        print("    looked at      scored        cost  recall")
        for trial in curve(catalog, kind):
            looked, scored = trial.budget.looked, trial.budget.scored
            bar = "#" * round(40 * trial.recall)
            print(f"{looked:13,} {scored:11,} {trial.cost:11,}  {trial.recall:.4f} {bar}", flush=True)
    print("\n".join(["chosen when it was built:", *lines(catalog.manifest["search"])]))


def curve(catalog: Catalog, kind: str) -> Iterator[Trial]:
    """Every budget, by what share of the songs looked at is scored, up to the first that finds enough.

    What costs more than one that found enough is not tried.
    """
    asked, most = queries(catalog, kind), math.inf
    for share in SHARES if asked else ():
        for budget in budgets(catalog, share):
            if cost(budget) >= most:
                break
            found = Trial(budget, recall(catalog, asked, budget))
            yield found
            if found.recall >= ENOUGH[kind]:
                most = found.cost
                break
    yield Trial(_whole(catalog), 1.0)


def _cheapest(catalog: Catalog, kind: str) -> Trial:
    """The cheapest budget that finds enough, by halving, for what looks at more finds more."""
    asked, best = queries(catalog, kind), Trial(_whole(catalog), 1.0)
    found = functools.cache(functools.partial(recall, catalog, tuple(asked)))
    for share in SHARES if asked else ():
        cheaper = [budget for budget in budgets(catalog, share) if cost(budget) < best.cost]
        first = bisect.bisect_left(cheaper, ENOUGH[kind], key=found)
        if first < len(cheaper):
            best = Trial(cheaper[first], found(cheaper[first]))
    return best


def budgets(catalog: Catalog, share: int) -> Iterator[Budget]:
    """From small to all of the catalogue."""
    looked = SMALL / 2
    while looked < len(catalog):
        yield Budget(round(looked), round(looked / share))
        looked *= GROWTH


def _whole(catalog: Catalog) -> Budget:
    return Budget(len(catalog), len(catalog))


def queries(catalog: Catalog, kind: str) -> list[Asked]:
    """Queries of a kind, the same each time, and what all songs scored says about them; none of a small catalogue."""
    if catalog.manifest["recommendable"] <= SMALL:
        return []
    made = {"song": _songs, "mixture": _mixtures, "sound": _sounds}[kind](catalog)
    asked = list(itertools.islice(made, QUERIES[kind]))
    return list(progress.on_all_cores(lambda one: _asked(catalog, *one), asked, "scoring all songs", " queries"))


def _songs(catalog: Catalog) -> Sorts:
    return (("song", Query((song,), limit=BEST)) for song in _drawn(catalog, seed=1))


def _sounds(catalog: Catalog) -> Sorts:
    """Two seeds by features of songs drawn at random, at most three of each; no query where songs differ in none.

    Raw features of one seed need no budget, see :mod:`segue.engine.sounds`.
    """
    space, curves, dice = space_of(catalog), ranks(catalog), np.random.default_rng(2)
    differing = [one.name for one in AUDIO if space.from_features({one.name: one.low}, curves)[1].any()]
    while differing:
        given = [
            {name: float(catalog.attribute(name)[row]) for name in dice.permutation(differing)[:3].tolist()}
            for row in dice.integers(len(catalog), size=2).tolist()
        ]
        known = [{name: value for name, value in features.items() if not np.isnan(value)} for features in given]
        if all(known):
            yield "sound", Query(tuple(Seed("", {}, features=features) for features in known), limit=BEST)


def _mixtures(catalog: Catalog) -> Sorts:
    """Several songs, an artist, a genre, a song less another, a song with a target; as many of each."""
    songs, dice = _drawn(catalog, seed=3), np.random.default_rng(3)
    genres, artists = catalog.manifest["genres"], catalog.texts("artists")
    while True:
        yield "songs", Query(tuple(itertools.islice(songs, 5)), limit=BEST)
        yield "less", Query((next(songs), replace(next(songs), weight=-0.5)), limit=BEST)
        yield "target", Query((next(songs),), limit=BEST, targets={"energy": round(dice.random(), 3)})
        if genres:
            yield "genre", Query((Seed("", {}, genre=genres[int(dice.integers(len(genres)))]),), limit=BEST)
        if len(artists):
            yield "artist", Query((Seed("", {}, artist=artists[int(dice.integers(len(artists)))]),), limit=BEST)


def _drawn(catalog: Catalog, seed: int) -> Iterator[Seed]:
    """Songs drawn at random, the same ones whatever the clustering."""
    usable, ids, dice = Usable(catalog), catalog.texts("ids"), np.random.default_rng(seed)
    while True:
        yield Seed("", {}, id=ids[usable.row(int(dice.integers(len(usable))))])


def _asked(catalog: Catalog, sort: str, query: Query) -> Asked:
    exact = recommend(catalog, replace(query, exact=True)).recommendations
    return Asked(sort, query, len(exact), exact[-1].score if exact else 0.0)


def recall(catalog: Catalog, asked: Sequence[Asked], budget: Budget) -> float:
    """The share of the songs of exact lists that a budget finds, mean over the sort of which it finds least."""
    entry = {"looked": budget.looked, "scored": budget.scored}
    tried = Catalog(catalog.folder, {**catalog.manifest, "search": dict.fromkeys(QUERIES, entry)})
    shares = defaultdict(list)
    for one in asked:
        found = [song.score >= one.least for song in recommend(tried, one.query).recommendations]
        shares[one.sort].append(sum(found) / max(one.songs, 1))
    return round(min(float(np.mean(each)) for each in shares.values()), 4)
