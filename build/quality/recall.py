"""How many of the best songs a search finds at what cost, and the budgets with which it finds enough.

Each search is held against all songs scored; what ties with the last of the best counts as one of them.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from build import progress
from segue import releases
from segue.catalog import Catalog
from segue.engine.filtering import Allowed
from segue.engine.scoring import Scorer
from segue.engine.search import Budget, ranked
from segue.engine.seeds import ranks, resolve
from segue.engine.space import space_of
from segue.query import Filters, Query, Seed
from segue.query.attributes import AUDIO

BEST = 20  # songs that should be found
SMALL = 4_000  # songs that are all scored, for that costs as little
QUERIES = {"song": 200, "mixture": 60, "sound": 30}  # see segue.engine.scoring.Scorer
ENOUGH = {"song": 0.995, "mixture": 0.985, "sound": 0.985}  # of the best songs
GROWTH = 1.4  # of the songs looked at, from one trial to the next
SHARES = (32, 16, 8, 4)  # of the songs looked at one in so many is scored
SCORING = 5  # what scoring a song costs, where looking at one costs 1, as measured
MEANING = {"song": "one song", "mixture": "several, artists, genres, targets", "sound": "raw features"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and the score of the last of the best songs for it."""

    query: Query
    least: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a budget achieves.

    recall : the share of the best songs that are found, mean over queries
    """

    budget: Budget
    recall: float

    @property
    def cost(self) -> int:
        """In songs looked at."""
        return self.budget.looked + SCORING * self.budget.scored


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
    """Every budget that is tried, by what share of the songs looked at is scored, up to the first that finds all."""
    asked = queries(catalog, kind) if catalog.manifest["recommendable"] > SMALL else []
    for share in SHARES if asked else ():
        for budget in budgets(catalog, share):
            found = Trial(budget, recall(catalog, asked, budget))
            yield found
            if found.recall >= ENOUGH[kind]:
                break
    yield Trial(_whole(catalog), 1.0)


def _cheapest(catalog: Catalog, kind: str) -> Trial:
    enough = (trial for trial in curve(catalog, kind) if trial.recall >= ENOUGH[kind])
    return min(enough, key=lambda trial: trial.cost)


def budgets(catalog: Catalog, share: int) -> Iterator[Budget]:
    """From small to half of the catalogue."""
    looked = SMALL / 2
    while looked < len(catalog) / 2:
        yield Budget(round(looked), round(looked / share))
        looked *= GROWTH


def _whole(catalog: Catalog) -> Budget:
    return Budget(len(catalog), len(catalog))


def queries(catalog: Catalog, kind: str) -> list[Asked]:
    """Queries of a kind, the same each time, and what all songs scored says about them."""
    made = {"song": _songs, "mixture": _mixtures, "sound": _sounds}[kind](catalog)
    asked = list(itertools.islice(made, QUERIES[kind]))
    return list(progress.on_all_cores(lambda one: _asked(catalog, one), asked, "scoring all songs", " queries"))


def _songs(catalog: Catalog) -> Iterator[Query]:
    return (Query((song,)) for song in _drawn(catalog, seed=1))


def _sounds(catalog: Catalog) -> Iterator[Query]:
    """Features of songs drawn at random, at most three of each; no query where songs differ in none."""
    space, curves, dice = space_of(catalog), ranks(catalog), np.random.default_rng(2)
    differing = [one.name for one in AUDIO if space.from_features({one.name: one.low}, curves)[1].any()]
    while differing:
        row, names = dice.integers(len(catalog)), dice.permutation(differing)[:3].tolist()
        features = {name: float(catalog.attribute(name)[row]) for name in names}
        known = {name: value for name, value in features.items() if not np.isnan(value)}
        if known:
            yield Query((Seed("", {}, features=known),))


def _mixtures(catalog: Catalog) -> Iterator[Query]:
    """Several songs, an artist, a genre, a song less another, a song with a target; as many of each."""
    songs, dice = _drawn(catalog, seed=3), np.random.default_rng(3)
    genres, artists = catalog.manifest["genres"], catalog.texts("artists")
    while True:
        yield Query(tuple(itertools.islice(songs, 5)))
        yield Query((next(songs), replace(next(songs), weight=-0.5)))
        yield Query((next(songs),), targets={"energy": round(dice.random(), 3)})
        if genres:
            yield Query((Seed("", {}, genre=genres[int(dice.integers(len(genres)))]),))
        if len(artists):
            yield Query((Seed("", {}, artist=artists[int(dice.integers(len(artists)))]),))


def _drawn(catalog: Catalog, seed: int) -> Iterator[Seed]:
    """Songs drawn at random, the same ones whatever the clustering."""
    usable = np.flatnonzero(catalog.array("recommendable"))
    usable = usable[np.argsort(catalog.array("source_rows")[usable])]
    ids, dice = catalog.texts("ids"), np.random.default_rng(seed)
    while True:
        yield Seed("", {}, id=ids[int(usable[dice.integers(len(usable))])])


def _asked(catalog: Catalog, query: Query) -> Asked:
    scores = _scorer(catalog, query).score(np.flatnonzero(catalog.array("recommendable")))
    return Asked(query, float(np.partition(scores, -BEST)[-BEST]))


def recall(catalog: Catalog, asked: Sequence[Asked], budget: Budget) -> float:
    """The share of the best songs that a budget finds."""
    everything = Allowed(catalog, Filters())
    shares = []
    for one in asked:
        found = next(ranked(catalog, _scorer(catalog, one.query), everything, budget))
        shares.append(min(BEST, int(np.count_nonzero(found.scores >= one.least))) / BEST)
    return round(float(np.mean(shares)), 4)


def _scorer(catalog: Catalog, query: Query) -> Scorer:
    return Scorer(catalog, resolve(catalog, query.seeds), query.targets)
