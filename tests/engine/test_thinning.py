"""Many points that stand for seeds are thinned before a search: what stays, and what the search still finds."""

import random
from dataclasses import replace

import numpy as np
import pytest

from segue.engine import recommendation, search
from segue.engine.recommendation import recommend
from segue.engine.scoring import Scorer
from segue.engine.seeds import SEARCH_POINTS, resolve, thin
from segue.errors import Fault
from segue.limits import COMPARISON, CostExceeded, FairLock, RequestBudget
from segue.query.schema import Query, Seed

LIMIT = 20


def seeds_of(catalog, kind, count, signs=(1.0,), seed=1):
    genres = catalog.manifest["genres"]
    names = {"id": catalog.texts("ids"), "artist": catalog.texts("artists"), "genre": genres}[kind]
    dice = random.Random(seed)
    chosen = dice.sample(range(len(names)), min(count, len(names)))
    return tuple(Seed("", {}, signs[number % len(signs)], **{kind: names[row]}) for number, row in enumerate(chosen))


MANY = [("id", 100, (1.0,)), ("id", 100, (1.0, 1.0, -1.0)), ("id", 60, (-1.0,)), ("genre", 20, (1.0, -0.5)),
        ("artist", 30, (1.0, 3.0))]  # fmt: skip


@pytest.mark.parametrize(("kind", "count", "signs"), MANY)
def test_a_few_dozen_points_keep_the_weight_of_all(demo_catalog, kind, count, signs):
    seeds = resolve(demo_catalog, seeds_of(demo_catalog, kind, count, signs))
    whole, few = Scorer(demo_catalog, seeds, {}), Scorer(demo_catalog, thin(demo_catalog, seeds), {})
    assert len(whole) > SEARCH_POINTS
    for sign in {np.sign(one) for one in signs}:
        assert 0 < (np.sign(few.weights) == sign).sum() <= SEARCH_POINTS
    linear = [scorer.weights[scorer.weights > 0].sum() if max(signs) > 0 else scorer.weights.sum()
              for scorer in (whole, few)]  # fmt: skip
    assert linear == pytest.approx([1.0 if max(signs) > 0 else -1.0] * 2, abs=1e-5)
    rows = np.arange(0, len(demo_catalog), 37)
    assert np.corrcoef(whole.score(rows), few.score(rows))[0, 1] > 0.95


def test_points_are_thinned_alike_each_time_and_equal_ones_only_once(demo_catalog):
    seeds = resolve(demo_catalog, seeds_of(demo_catalog, "id", 100))
    one, two = (thin(demo_catalog, seeds) for _ in range(2))
    assert [(seed.rows, seed.seed.weight) for seed in one] == [(seed.rows, seed.seed.weight) for seed in two]
    same = thin(demo_catalog, resolve(demo_catalog, seeds_of(demo_catalog, "id", 1) * 50))
    assert [(len(seed.vectors), seed.seed.weight) for seed in same] == [(1, 50.0)]


@pytest.mark.parametrize(("kind", "count", "signs"), MANY)
def test_a_search_with_a_few_dozen_points_finds_what_all_of_them_find(demo_catalog, kind, count, signs):
    query = Query(seeds_of(demo_catalog, kind, count, signs), limit=LIMIT)
    found, exact = (recommend(demo_catalog, replace(query, exact=exact)).recommendations for exact in (False, True))
    assert len(found) == len(exact) == LIMIT
    assert sum(song.score >= exact[-1].score for song in found) >= 0.9 * LIMIT
    scores = {song.row: song.score for song in exact}
    assert {song.row: song.score for song in found if song.row in scores}.items() <= scores.items()


def test_whoever_goes_on_gets_every_song_once(demo_catalog):
    seeds = resolve(demo_catalog, seeds_of(demo_catalog, "id", 100, (1.0, -1.0)))
    scorer, few = Scorer(demo_catalog, seeds, {}), Scorer(demo_catalog, thin(demo_catalog, seeds), {})
    allowed = search.AllowedSongs(demo_catalog, replace(Query(seeds=()).filters, ranges={"energy": (0.4, 0.6)}))
    found = list(search.approximate_search(demo_catalog, scorer, allowed, search.Budget(500, 100), few))
    rows = np.concatenate([batch.rows for batch in found])
    assert len(found) > 3
    assert np.array_equal(np.sort(rows), allowed.rows())
    assert all((np.diff(batch.scores) <= 0).all() for batch in found)


@pytest.mark.parametrize("count", [3, 100])
def test_each_song_more_costs_a_few_scores_however_many_were_made_for_the_first(demo_catalog, monkeypatch, count):
    seeds = resolve(demo_catalog, seeds_of(demo_catalog, "id", count, (1.0, -1.0)))
    scorer = Scorer(demo_catalog, seeds, {})
    few = Scorer(demo_catalog, thin(demo_catalog, seeds), {}) if count > SEARCH_POINTS else None
    scored, score = [], Scorer.score
    monkeypatch.setattr(search, "FIRST_BATCH", 10)
    monkeypatch.setattr(search, "MIN_RESCORED", 20)
    monkeypatch.setattr(
        Scorer, "score", lambda self, rows: (scored.append((len(self), len(rows))), score(self, rows))[1]
    )
    allowed = search.AllowedSongs(demo_catalog, Query(seeds=()).filters)
    batches = search.approximate_search(demo_catalog, scorer, allowed, search.Budget(100, 60), few)
    passed = [len(next(batches).rows) for _ in range(3)]
    by_all, by_few = ([n for points, n in scored if points == some and n] for some in (count, few and len(few)))
    first = 60 * len(few) // count if few else 60
    assert passed == pytest.approx([10, 20, 40], abs=2)
    assert by_all == pytest.approx([first, max(20, first), max(40, first)], abs=3)
    assert sum(by_few) <= 60 + first + 2 * sum(by_all[1:])


def test_a_request_searches_until_its_work_costs_what_it_may(demo_catalog):
    seeds = resolve(demo_catalog, seeds_of(demo_catalog, "id", 100))
    scorer, few = Scorer(demo_catalog, seeds, {}), Scorer(demo_catalog, thin(demo_catalog, seeds), {})

    def share_found(max_cost):
        allowed = search.AllowedSongs(demo_catalog, Query(seeds=()).filters)
        with RequestBudget(FairLock(), max_cost=max_cost, ordinary_price=lambda: 10 * COMPARISON.price):
            found = search.approximate_search(demo_catalog, scorer, allowed, search.Budget(100, 60), few)
            return sum(len(batch.rows) for batch in found) / allowed.count()

    by_both = len(demo_catalog) * (len(scorer) + len(few)) / 10
    assert share_found(None) == share_found(1.5 * by_both) == 1
    with pytest.raises(CostExceeded) as refused:
        share_found(5_000)
    assert refused.value.faults == (Fault(
        "",
        "this takes more work than 5000 ordinary requests, most of all comparing songs with seeds and targets: name"
        " fewer seeds or targets, ask for fewer songs, allow more songs of one artist, or let fewer songs pass"
        " (SEGUE_REQUEST_COST)",
    ),)  # fmt: skip


def test_a_long_list_has_fewer_points_in_all(demo_catalog):
    seeds = seeds_of(demo_catalog, "artist", 30)
    assert [sum(len(seed.rows) for seed in resolve(demo_catalog, seeds, songs)) for songs in (1, 100, 200)] == [
        sum(min(points, demo_catalog.lists("artist", "songs").length(resolved.match.artist))
            for resolved in resolve(demo_catalog, seeds))
        for points in (13, 13, 6)
    ]  # fmt: skip
    songs = seeds_of(demo_catalog, "id", 100)
    assert [len(seed.rows) for seed in resolve(demo_catalog, songs, 200)] == [1] * 100


def test_few_points_are_not_thinned(demo_catalog, monkeypatch):
    monkeypatch.setattr(recommendation, "thin", None)
    recommend(demo_catalog, Query(seeds_of(demo_catalog, "id", SEARCH_POINTS)))
