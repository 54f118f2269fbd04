"""Paths: what always holds, for any ends, lengths, filters and caps; and what makes one smooth."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from segue.catalog.lookup.exact import artist_names, song_by_id
from segue.engine.search import AllowedSongs
from segue.errors import InvalidQuery, UnknownSongs
from segue.journeys import paths
from segue.journeys.candidate_pool import metric_of
from segue.journeys.paths import path
from segue.query.schema import Filters, PathQuery, Seed
from tests.benchmarks.paths import greedy


def ask(start, goal, *via, **options):
    between = tuple(Seed(f"/via/{place}", seed, **seed) for place, seed in enumerate(via))
    return PathQuery(Seed("/from", start, **start), Seed("/to", goal, **goal), between, **options)


def ids(catalog, found):
    texts = catalog.texts("ids")
    return [texts[row] for row in found.rows]


def some(catalog, dice):
    return {"id": catalog.texts("ids")[dice.randrange(len(catalog))]}


def queries(catalog, count, seed):
    """Paths between songs drawn at random, of all kinds."""
    dice = random.Random(seed)
    filters = [
        Filters(),
        Filters(),
        Filters({"tempo": (80, 140)}),
        Filters(explicit=False),
        Filters({"energy": (0.4, 1)}),
    ]
    for _ in range(count):
        yield ask(
            some(catalog, dice),
            some(catalog, dice),
            *(some(catalog, dice) for _ in range(dice.choice([0, 0, 0, 1, 2]))),
            length=dice.choice([4, 8, 15, 30]),
            filters=dice.choice(filters),
            max_per_artist=dice.choice([1, 1, 2, None]),
            steady_popularity=dice.random() < 0.3,
            draw=dice.choice([0, 0, 1, 2]),
        )


def check(catalog, query, found):
    """Raise where a path is not what was asked for."""
    works, allowed = catalog.array("works"), AllowedSongs(catalog, query.filters)
    named = [song_by_id(catalog, seed.id) for seed in query.seeds]
    between = [row for row in found.rows if row not in named]
    assert len(found.rows) == query.length == len({int(works[row]) for row in found.rows})
    assert [row for row in found.rows if row in named] == named
    assert (found.rows[0], found.rows[-1]) == (named[0], named[-1])
    assert allowed(np.array(between, np.int64)).all()
    counts = Counter(name for row in found.rows for name in artist_names(catalog, row))
    fixed = Counter(name for row in named for name in artist_names(catalog, row))
    assert all(
        query.max_per_artist is None or counts[name] <= max(query.max_per_artist, fixed[name]) for name in counts
    )
    assert all(
        row
        == next(other for other in catalog.lists("work", "songs")[int(works[row])] if allowed(np.array([other]))[0])
        for row in between
    )


def test_a_path_is_always_found_and_keeps_what_was_asked(demo_catalog):
    for query in queries(demo_catalog, 150, 1):
        works = {int(demo_catalog.take("works", song_by_id(demo_catalog, seed.id))) for seed in query.seeds}
        if len(works) == len(query.seeds):
            check(demo_catalog, query, path(demo_catalog, query))


def test_the_same_request_gives_the_same_path(demo_catalog):
    for query in queries(demo_catalog, 10, 2):
        one, two = path(demo_catalog, query), path(demo_catalog, query)
        assert (one.rows, one.steps.tolist()) == (two.rows, two.steps.tolist())


def test_a_path_leads_from_group_to_group(world_catalog):
    query = ask({"id": "piano-1"}, {"id": "disco-1"}, {"id": "metal-1"}, length=7)
    groups = [song[:5] for song in ids(world_catalog, path(world_catalog, query))]
    assert groups == sorted(groups, key=["piano", "metal", "disco"].index)


def test_steps_are_distances_in_which_a_random_pair_is_at_one(demo_catalog):
    metric, dice = metric_of(demo_catalog), np.random.default_rng(0)
    rows = dice.integers(0, len(demo_catalog), 4000)
    steps = metric.step_distances(metric.points(rows))
    assert np.sqrt(np.square(steps).mean()) == pytest.approx(1, abs=0.03)


def test_a_path_is_smoother_than_the_greedy_walk_along_the_line(demo_catalog):
    dice, ours, theirs = random.Random(3), [], []
    for _ in range(20):
        query = ask(some(demo_catalog, dice), some(demo_catalog, dice), length=12)
        ours.append(path(demo_catalog, query).steps)
        theirs.append(greedy(demo_catalog, query))
    assert np.mean([steps.max() for steps in ours]) < 0.9 * np.mean([steps.max() for steps in theirs])
    assert np.mean([np.square(steps).mean() for steps in ours]) < np.mean(
        [np.square(steps).mean() for steps in theirs]
    )
    assert np.mean([steps.max() <= 2 * np.median(steps) for steps in ours]) >= 0.9


def test_steady_popularity_keeps_to_the_line_between_the_ends(demo_catalog):
    dice, off = random.Random(4), {True: [], False: []}
    popularity = demo_catalog.attribute("popularity").astype(float)
    for _ in range(20):
        start, goal = some(demo_catalog, dice), some(demo_catalog, dice)
        for steady, gaps in off.items():
            rows = list(path(demo_catalog, ask(start, goal, length=12, steady_popularity=steady)).rows)
            line = np.linspace(popularity[rows[0]], popularity[rows[-1]], len(rows))
            gaps.append(np.abs(popularity[rows] - line).mean())
    assert np.mean(off[True]) < 0.7 * np.mean(off[False])


def test_another_draw_is_another_path(demo_catalog):
    dice, shared = random.Random(5), []
    for _ in range(10):
        start, goal = some(demo_catalog, dice), some(demo_catalog, dice)
        one, two = (set(path(demo_catalog, ask(start, goal, length=12, draw=draw)).rows[1:-1]) for draw in (0, 1))
        shared.append(len(one & two) / len(one))
    assert np.mean(shared) < 0.7


def test_places_may_be_artists_genres_and_sounds(world_catalog):
    query = ask(
        {"artist": "Ada Lindqvist"}, {"genre": "disco"}, {"features": {"energy": 0.97, "valence": 0.3}}, length=5
    )
    found = ids(world_catalog, path(world_catalog, query))
    assert (found[0], found[-1][:5]) == ("piano-2", "disco")
    assert any(song.startswith("metal") for song in found)


def test_an_artist_twice_is_two_of_its_songs(world_catalog):
    found = ids(world_catalog, path(world_catalog, ask({"artist": "Les Ondées"}, {"artist": "Les Ondées"}, length=3)))
    assert {found[0], found[-1]} == {"disco-1", "disco-2"}


def test_a_path_of_nothing_but_its_places_needs_no_other_song(world_catalog):
    query = ask(
        {"id": "piano-1"}, {"id": "disco-1"}, {"id": "metal-1"}, length=3, filters=Filters({"tempo": (300, 300)})
    )
    assert ids(world_catalog, path(world_catalog, query)) == ["piano-1", "metal-1", "disco-1"]


def fault(catalog, query):
    with pytest.raises(InvalidQuery) as refused:
        path(catalog, query)
    return [(fault.pointer, fault.detail) for fault in refused.value.faults]


def test_two_versions_of_one_song_are_no_ends(world_catalog):
    assert fault(world_catalog, ask({"id": "piano-1"}, {"id": "piano-1-live"})) == [
        ("/to", "'Slow Rain - Live' is the song at /from again: name another, or ask /recommend for songs like it")
    ]


def test_a_path_that_is_too_long_is_told_how_long_it_could_be(world_catalog):
    ends = {"id": "piano-1"}, {"id": "disco-1"}
    told = "8 different songs pass the filters, the fixed ones included: ask for 8 songs at the most"
    assert fault(world_catalog, ask(*ends, length=12)) == [("/length", f"{told} or a larger max_per_artist than 1")]
    for longest in (ask(*ends, length=8), ask(*ends, length=12, max_per_artist=None)):
        check(world_catalog, longest, path(world_catalog, longest))


def test_filters_that_leave_nothing_are_told(world_catalog):
    query = ask(
        {"id": "piano-1"}, {"id": "disco-1"}, length=5, filters=Filters({"tempo": (300, 300)}), max_per_artist=None
    )
    assert fault(world_catalog, query) == [
        ("/length", "2 different songs pass the filters, the fixed ones included: no path has fewer than 3 songs")
    ]


def test_a_sound_that_no_song_that_passes_is_near_to_is_told(world_catalog):
    query = ask({"id": "piano-1"}, {"features": {"energy": 0.5}}, length=3, filters=Filters({"tempo": (300, 300)}))
    assert fault(world_catalog, query) == [("/to", "none of the songs that pass the filters stands for it")]


def test_unknown_places_are_told_all_at_once(world_catalog):
    with pytest.raises(UnknownSongs) as error:
        path(world_catalog, ask({"id": "nope"}, {"song": "Nothing Called So"}, {"id": "piano-1"}))
    assert [unknown.pointer for unknown in error.value.unknown] == ["/from", "/to"]


@pytest.mark.parametrize("few", [0, 10**9])
def test_a_tight_filter_is_answered_from_what_passes_however_few_candidates_there_are(demo_catalog, monkeypatch, few):
    monkeypatch.setattr("segue.journeys.candidate_pool.EXHAUSTIVE_LIMIT", few)
    monkeypatch.setattr("segue.journeys.candidate_pool.SONGS_PER_ANCHOR", 5)
    tight = Filters({"energy": (0.6, 0.7)})
    query = ask({"id": "demo-0000033"}, {"id": "demo-0000077"}, length=14, filters=tight)
    check(demo_catalog, query, path(demo_catalog, query))


# --- smoothing ----------------------------------------------------------------------------------------------------


def test_the_cheapest_walk_is_that_of_all_that_are_possible():
    dice = np.random.default_rng(0)
    points = np.rint(dice.normal(0, 100, (9, 2)))
    layers = [np.array([0]), np.array([1, 2, 3]), np.array([4, 5, 6]), np.array([7]), np.array([8])]
    candidates = paths.Candidates(points, 10_000.0)

    def cost(walk):
        return (np.square(np.diff(points[list(walk)], axis=0)).sum(axis=1) / 10_000).__pow__(4).sum()

    walks = [(0, one, two, 7, 8) for one in (1, 2, 3) for two in (4, 5, 6)]
    assert tuple(paths._viterbi(candidates, layers)) == min(walks, key=cost)


def test_the_document_names_the_power_of_steps_that_has_the_smallest_sum():
    points = np.array([[0.0, 0], [12, 16], [23, 0], [24, 0]])
    layers = [np.array([0]), np.array([1, 2]), np.array([3])]  # steps of 20 and 20, or 23 and 1
    assert 23**2 + 1 < 2 * 20**2
    assert 23**4 + 1 < 2 * 20**4
    assert 23**8 + 1 > 2 * 20**8
    assert paths._viterbi(paths.Candidates(points, 1.0), layers) == [0, 1, 3]
    document = (Path(__file__).parents[2] / "docs" / "journeys.md").read_text(encoding="utf-8")
    assert "sum of the eighth powers of the steps" in document
    assert "squared steps" not in document
