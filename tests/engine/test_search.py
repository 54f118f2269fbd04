"""The search: how much of what scoring every song finds it finds, and that nothing is lost on the way."""

import collections
import itertools
import os
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from segue.catalog import Catalog, load
from segue.engine import scoring, search
from segue.engine.recommendation import recommend
from segue.engine.scoring import Scorer
from segue.engine.search import FIRST_BATCH, AllowedSongs, Budget, approximate_search, exhaustive_search, out_of_range
from segue.engine.seeds import resolve
from segue.query.schema import Filters, Query, Seed
from segue_build import FUNCTIONS
from segue_build.fit import FitOptions, fit
from segue_build.quality import recall
from segue_build.quality.exact_lists import Search, UpperBounds, exact_lists

SMALL = Budget(candidates=120, rescored=40)
LOUD = Filters({"energy": (0.6, 1.0)})


@pytest.fixture
def scorer(demo_catalog):
    return Scorer(demo_catalog, resolve(demo_catalog, (Seed("", {}, id="demo-0000003"),)), {})


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """An invented catalogue in which a search looks at a part of the songs."""
    folder = tmp_path_factory.mktemp("songs")
    fit(FitOptions(["demo:8000"]), folder)
    return load(folder)


def pairs(batches):
    return [pair for batch in batches for pair in zip(batch.rows.tolist(), batch.scores.tolist())]


def brute_force(catalog, scorer, allowed):
    """All songs that are allowed and their scores, in the order in which they must come."""
    rows = np.flatnonzero(allowed(np.arange(len(catalog))))
    scores = scorer.score(rows)
    order = np.lexsort((rows, -scores))
    return list(zip(rows[order].tolist(), scores[order].tolist()))


@pytest.mark.parametrize(
    "filters", [Filters(), LOUD, Filters(exclude_artists=("Nobody",)), Filters({"tempo": (0, 1)})]
)
def test_every_song_that_is_allowed_comes_once_with_its_score(demo_catalog, scorer, filters):
    allowed = AllowedSongs(demo_catalog, filters)
    found = pairs(approximate_search(demo_catalog, scorer, allowed, SMALL))
    assert sorted(found) == sorted(brute_force(demo_catalog, scorer, allowed))


def test_scores_fall_but_for_songs_that_were_overlooked_which_come_last(demo_catalog, scorer):
    *batches, late = approximate_search(demo_catalog, scorer, AllowedSongs(demo_catalog, Filters()), SMALL)
    in_time, overlooked = (np.array([score for _, score in pairs(part)]) for part in (batches, [late]))
    assert (np.diff(in_time) <= 0).all()
    assert (np.diff(overlooked) <= 0).all()


@pytest.mark.parametrize("filters", [Filters(), LOUD])
def test_where_no_more_songs_pass_than_the_budget_the_answer_is_exact(demo_catalog, scorer, filters):
    allowed = AllowedSongs(demo_catalog, filters)
    passing = Budget(candidates=len(allowed.rows()) + int(filters == Filters()), rescored=1)
    assert pairs(approximate_search(demo_catalog, scorer, allowed, passing)) == brute_force(
        demo_catalog, scorer, allowed
    )
    assert pairs(exhaustive_search(scorer, allowed)) == brute_force(demo_catalog, scorer, allowed)


@pytest.mark.parametrize(("first", "at_once"), [(20, 100), (1, 7), (2_000, 100)])
def test_all_songs_come_in_order_in_whatever_runs_they_are_scored(demo_catalog, scorer, monkeypatch, first, at_once):
    monkeypatch.setattr(search, "SORTED_FIRST", first)
    monkeypatch.setattr(search, "EXACT_BATCH", at_once)
    allowed = AllowedSongs(demo_catalog, Filters())
    assert pairs(exhaustive_search(scorer, allowed)) == brute_force(demo_catalog, scorer, allowed)


def test_with_a_filter_the_budget_is_spent_on_songs_that_pass(songs, monkeypatch):
    looked = []
    monkeypatch.setattr(
        Scorer, "approximate_scores", lambda _, rows: looked.append(rows) or np.zeros(len(rows), np.float32)
    )
    scorer = Scorer(songs, resolve(songs, (Seed("", {}, id="demo-0000003"),)), {})
    allowed = AllowedSongs(songs, LOUD)
    next(approximate_search(songs, scorer, allowed, Budget(candidates=1_000, rescored=100)))
    assert 1_000 <= sum(map(len, looked)) < 1_500
    assert allowed(np.concatenate(looked)).all()


def test_the_manifest_holds_a_budget_with_which_enough_is_found(songs):
    assert {
        kind: found["recall"] >= recall.TARGET_RECALL[kind] for kind, found in songs.manifest["search"].items()
    } == {
        "song": True,
        "mixture": True,
        "sound": True,
    }
    entry = songs.manifest["search"]["song"]
    budget = Budget(entry["candidates"], entry["rescored"])
    assert budget.candidates < len(songs) / 2
    assert recall.budget_recalls(songs, recall.judged_queries(songs, "song"), [budget]) == [entry["recall"]]


@pytest.mark.parametrize(
    ("kind", "budget"),
    [("song", Budget(1_500, 150)), ("mixture", Budget(3_000, 400)), ("sound", Budget(4_000, 800))],
)
def test_the_recall_of_a_budget_is_what_searches_with_it_find(songs, kind, budget):
    """A search finds no less, and little more: where songs are missed, others of the same score or more move up."""
    queries = recall.judged_queries(songs, kind)[:40]
    entry = {"candidates": budget.candidates, "rescored": budget.rescored}
    tried = Catalog(songs.folder, {**songs.manifest, "search": {kind: entry}})
    shares = collections.defaultdict(list)
    for of_type, query in queries:
        exact = recommend(songs, replace(query, exact=True)).recommendations
        found = [song.score >= exact[-1].score for song in recommend(tried, query).recommendations]
        shares[of_type].append(sum(found) / len(exact))
    (known,) = recall.budget_recalls(songs, queries, [budget])
    assert known - 1e-4 <= min(sum(each) / len(each) for each in shares.values()) <= known + 0.01


@pytest.mark.parametrize("n_likely", [0, 5, 300])
def test_lists_of_many_queries_at_once_are_those_of_exact_requests(songs, n_likely):
    queries = [
        query for kind, count in (("song", 10), ("mixture", 20), ("sound", 2))
        for _, query in recall.judged_queries(songs, kind)[:count]
    ]  # fmt: skip
    likely = [np.random.default_rng(n).permutation(len(songs))[:n_likely] for n in range(len(queries))]
    found = exact_lists(songs, [Search.of(songs, query) for query in queries], likely)
    exact = [recommend(songs, replace(query, exact=True)).recommendations for query in queries]
    assert [rows.tolist() for rows in found] == [[song.row for song in answer] for answer in exact]


def test_no_song_scores_more_than_its_bound_which_rules_most_out(songs):
    bounds, scores = bounds_and_scores(songs)
    last_of_list = np.sort(scores, axis=1)[:, -recall.LIST_SIZE, None]
    assert (bounds - scores).min() > -1e-4
    assert (bounds >= last_of_list).mean() < 0.15
    assert np.median((bounds >= last_of_list).mean(axis=1)) < 0.05


@pytest.mark.parametrize("exponents", [{"popularity": 0.5, "words": 0.5}, {"genre": 2.0, "explicit": 1.0}, {}])
def test_the_bound_holds_whichever_blocks_the_joint_term_is_made_of(songs, exponents):
    space = songs.manifest["space"]
    blocks = [{**block, "exponent": exponents.get(block["name"], 0.0)} for block in space["blocks"]]
    bounds, scores = bounds_and_scores(
        Catalog(songs.folder, {**songs.manifest, "space": {**space, "blocks": blocks}})
    )
    assert (bounds - scores).min() > -1e-4


def bounds_and_scores(catalog):
    searches = [Search.of(catalog, query) for _, query in recall.judged_queries(catalog, "mixture")[:50]]
    searches = [search for search in searches if search.has_bounds]
    every = np.arange(len(catalog))
    bounds = UpperBounds(catalog, searches)(slice(0, len(catalog)))
    return bounds, np.array([search.scorer.score(every) for search in searches])


def made_up(songs, dice, count):
    ids = songs.texts("ids")
    return tuple(Seed("", {}, id=ids[dice.randrange(len(ids))]) for _ in range(count))


@pytest.mark.parametrize(
    ("seeds", "filters", "least"),
    [(1, Filters(), 0.99), (5, Filters(), 0.98), (1, Filters({"tempo": (100, 130)}), 0.98), (1, LOUD, 0.98)],
    ids=["one song", "five songs", "a fourth passes", "half passes"],
)
def test_lists_hold_what_exact_ones_do(songs, seeds, filters, least):
    """Other songs than those by which the budget was chosen, and whole lists: one version, two of an artist."""
    dice, shares = random.Random(3), []
    for _ in range(60):
        query = Query(made_up(songs, dice, seeds), limit=20, filters=filters)
        exact = Query(query.seeds, limit=20, filters=filters, exact=True)
        found, wanted = ([(s.row, s.score) for s in recommend(songs, q).recommendations] for q in (query, exact))
        assert len(found) == len(wanted) == 20
        worst = wanted[-1][1]
        shares.append(sum(score >= worst for _, score in found) / 20)
    assert np.mean(shares) >= least


@pytest.mark.parametrize("filters", [Filters(), LOUD, Filters({"popularity": (40, 41)})])
@pytest.mark.parametrize("targets", [{}, {"energy": 0.9}, {"popularity": 20, "danceability": 0.3}])
@pytest.mark.parametrize("limit", [5, 100])
def test_one_seed_by_raw_features_gets_the_exact_list(songs, filters, targets, limit):
    dice = random.Random(4)
    for count in (1, 2, 3, 6):
        names = dice.sample(["energy", "valence", "tempo", "loudness", "mode", "key", "liveness"], count)
        features = {name: float(songs.attribute(name)[dice.randrange(len(songs))]) for name in names}
        seeds = (Seed("", {}, features=features),)
        query = Query(seeds, limit=limit, filters=filters, targets=targets, max_per_artist=None)
        assert recommend(songs, query).recommendations == recommend(songs, replace(query, exact=True)).recommendations


@pytest.mark.parametrize("at_once", [3, 1_000])
def test_a_cell_has_the_mean_of_its_songs_that_have_a_value(demo_catalog, monkeypatch, at_once):
    monkeypatch.setattr(scoring, "CELL_BATCH", at_once)
    songs = Catalog(demo_catalog.folder, demo_catalog.manifest)  # of which nothing was derived yet
    cells = np.split(songs.attribute("tempo").astype(np.float64), songs.array("cell_offsets")[1:-1])
    np.testing.assert_allclose(scoring._cell_means(songs, "tempo"), [np.nanmean(values) for values in cells])


@pytest.mark.parametrize("targets", [{}, {"liveness": 0.1}])
def test_songs_near_raw_features_are_found_without_scoring_all(songs, targets, monkeypatch):
    scored = []
    score = Scorer.score
    monkeypatch.setattr(Scorer, "score", lambda self, rows: scored.append(rows) or score(self, rows))
    features = {"energy": 0.5, "valence": 0.5, "tempo": 120.0}
    recommend(songs, Query((Seed("", {}, features=features),), targets=targets))
    assert sum(map(len, scored)) < len(songs) / 2


def test_a_song_without_a_value_is_never_outside_a_range():
    assert out_of_range(np.array([0.1, 0.2, 0.3, np.nan, 0.5]), 0.2, 0.3).tolist() == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_memory_that_a_search_frees_is_not_asked_for_anew():
    code = """
import resource, numpy as np
from segue.web.service import retain_freed_memory
retain_freed_memory()
def work():
    one, other = np.ones(200_000, np.float32), np.ones(200_000, np.float32)
    return one + other
for _ in range(10):
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    environ = os.environ | {"PYTHONPATH": str(FUNCTIONS), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100  # of 58,600 pages that are written


def test_an_exact_request_scores_every_song_that_passes(songs, monkeypatch):
    def refuse(*_):
        raise AssertionError("computed approximate scores")

    monkeypatch.setattr(search, "approximate_search", refuse)
    (seed,) = made_up(songs, random.Random(1), 1)
    query = Query((seed,), limit=100, max_per_artist=None, exact=True)
    scorer, allowed = Scorer(songs, resolve(songs, (seed,)), {}), AllowedSongs(songs, Filters())
    best = [score for _, score in itertools.islice(brute_force(songs, scorer, allowed), 200)]
    found = recommend(songs, query).recommendations
    assert {song.score for song in found} <= set(best)


def test_a_batch_holds_what_a_list_needs(songs):
    scorer = Scorer(songs, resolve(songs, made_up(songs, random.Random(2), 1)), {})
    batch = next(approximate_search(songs, scorer, AllowedSongs(songs, Filters()), Budget(1_000, 500)))
    assert FIRST_BATCH <= len(batch.rows) < 2 * FIRST_BATCH
