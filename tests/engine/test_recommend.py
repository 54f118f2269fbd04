"""The engine: what is recommended, against a world of known answers and against brute force."""

import itertools
import random

import numpy as np
import pytest

from segue import catalog as catalogs
from segue.catalog.lookup.exact import song_by_id
from segue.engine.recommendation import recommend
from segue.engine.scoring import Scorer
from segue.engine.seeds import resolve
from segue.errors import InvalidQuery, UnknownSongs
from segue.query.schema import ATTRIBUTES_BY_NAME, Filters, Query, Seed
from segue_build.fit import FitOptions, fit
from tests.support import brute_force, tables, world

ROUNDED = 3e-6  # scores are rounded to six digits, sums of float32 may fall on either side


def ask(*seeds, **options):
    return Query(tuple(Seed(f"/seeds/{place}", {}, **seed) for place, seed in enumerate(seeds)), **options)


def ids(answer, catalog):
    names = catalog.texts("ids")
    return [names[found.row] for found in answer.recommendations]


@pytest.mark.parametrize(
    "seed",
    [{"artist": "ada LINDQVIST"}, {"id": "piano-1"}, {"song": "Grey Window"}, {"id": "piano-1-live", "weight": -1}],
)
def test_artists_of_seeds_stay_out_when_they_are_unwanted(world_catalog, seed):
    query = ask(seed, limit=100, max_per_artist=None, exclude_seed_artists=True)
    answer = recommend(world_catalog, query)
    assert not {"piano-1", "piano-1-live", "piano-2"} & set(ids(answer, world_catalog))
    assert (len(answer.recommendations), answer.pool.after_filters) == (10, 10)


def test_featured_artists_of_a_seed_stay_out_as_well(world_catalog):
    answer = recommend(world_catalog, ask({"id": "piano-4"}, limit=100, exclude_seed_artists=True))
    assert not {"piano-3", "piano-4"} & set(ids(answer, world_catalog))


def test_genres_and_sounds_have_no_artists_to_leave_out(world_catalog):
    seeds = ({"genre": "piano"}, {"features": {"energy": 0.1}})
    without, with_ = (recommend(world_catalog, ask(*seeds, exclude_seed_artists=flag)) for flag in (True, False))
    assert (without.recommendations, without.pool) == (with_.recommendations, with_.pool)


def test_a_cluster_is_a_seed_of_its_well_known_songs_and_a_filter_for_its_songs(
    demo_catalog,
):
    for entry in demo_catalog.manifest["clusters"][::4]:
        seed = ask({"cluster": entry["id"]}, limit=100, filters=Filters(clusters=(entry["id"],)))
        answer = recommend(demo_catalog, seed)
        songs = range(entry["first"], entry["first"] + entry["size"])
        assert answer.seeds[0].rows == tuple(demo_catalog.lists("cluster", "songs")[songs_index(demo_catalog, entry)])
        assert {found.row for found in answer.recommendations} <= set(songs)
        assert answer.pool.after_filters == demo_catalog.array("recommendable")[songs].sum()


def songs_index(catalog, entry):
    """The position of a cluster in the manifest."""
    return [other["id"] for other in catalog.manifest["clusters"]].index(entry["id"])


@pytest.mark.parametrize("targets", [{}, {"energy": 0.9}])
def test_a_score_gains_what_similarities_to_the_seeds_do(demo_catalog, targets):
    query = ask({"id": "demo-0000003"}, {"genre": "folk", "weight": 2}, targets=targets)
    scorer, rows = Scorer(demo_catalog, resolve(demo_catalog, query.seeds), targets), np.arange(100)
    of_seeds = sum(values for name, values in scorer.parts(rows).items() if name != "targets")
    assert scorer.score_gains(scorer.seed_similarities(rows)) == pytest.approx(of_seeds, abs=ROUNDED)


@pytest.mark.parametrize("group", world.GROUPS)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_song_gets_its_own_group_first(world_catalog, group, number):
    answer = recommend(world_catalog, ask({"id": f"{group}-{number}"}, limit=3, max_per_artist=None))
    assert set(ids(answer, world_catalog)) == {f"{group}-{other}" for other in (1, 2, 3, 4) if other != number}


@pytest.mark.parametrize("seed", [{"genre": "metal"}, {"artist": "Gravel Saints"}])
def test_genre_and_artist_seeds_may_return_their_own_songs(world_catalog, seed):
    answer = recommend(world_catalog, ask(seed, limit=4, max_per_artist=None))
    assert set(ids(answer, world_catalog)) == {"metal-1", "metal-2", "metal-3", "metal-4"}


def test_a_seed_by_raw_features_finds_songs_of_that_sound(world_catalog):
    sound = {"energy": 0.75, "valence": 0.95, "danceability": 0.9}
    answer = recommend(world_catalog, ask({"features": sound}, limit=4, max_per_artist=None))
    assert set(ids(answer, world_catalog)) == {"disco-1", "disco-2", "disco-3", "disco-4"}


def test_a_song_never_recommends_itself_or_another_version_of_itself(world_catalog):
    for seed in ("piano-1", "piano-1-live"):
        answer = recommend(world_catalog, ask({"id": seed}, limit=100, max_per_artist=None))
        assert not {"piano-1", "piano-1-live"} & set(ids(answer, world_catalog))


def test_the_most_popular_version_that_passes_is_the_one_shown(world_catalog):
    everything = ask({"id": "piano-2"}, limit=100, max_per_artist=None)
    assert "piano-1-live" not in ids(recommend(world_catalog, everything), world_catalog)
    unpopular = ask({"id": "piano-2"}, filters=Filters({"popularity": (0, 10)}))
    assert ids(recommend(world_catalog, unpopular), world_catalog) == ["piano-1-live"]


def test_excluding_an_id_excludes_its_versions(world_catalog):
    query = ask({"id": "piano-2"}, limit=100, filters=Filters(exclude_ids=("piano-1-live",)), max_per_artist=None)
    assert not {"piano-1", "piano-1-live"} & set(ids(recommend(world_catalog, query), world_catalog))


def test_a_song_that_was_not_analysed_is_a_seed_but_never_recommended(world_catalog):
    answer = recommend(world_catalog, ask({"id": "piano-5"}, limit=2, max_per_artist=None))
    assert set(ids(answer, world_catalog)) <= {"piano-1", "piano-2", "piano-3", "piano-4"}
    everything = recommend(world_catalog, ask({"genre": "piano"}, limit=100, max_per_artist=None))
    assert "piano-5" not in ids(everything, world_catalog)


def test_the_artist_cap_counts_every_artist_of_a_song_and_fill_lifts_it(world_catalog):
    only_piano = Filters(genres=("piano",))
    capped = ask({"genre": "piano"}, limit=4, max_per_artist=1, filters=only_piano)
    assert len(ids(recommend(world_catalog, capped), world_catalog)) == 2
    filled = ask({"genre": "piano"}, limit=4, max_per_artist=1, filters=only_piano, fill=True)
    assert set(ids(recommend(world_catalog, filled), world_catalog)) == {"piano-1", "piano-2", "piano-3", "piano-4"}


def test_the_pool_tells_what_was_left_and_what_was_passed_over(world_catalog):
    pool = recommend(
        world_catalog, ask({"id": "piano-3"}, limit=100, max_per_artist=1, filters=Filters({"tempo": (0, 100)}))
    ).pool
    assert (pool.catalogue, pool.after_filters, pool.dropped_versions, pool.dropped_artist_cap) == (13, 5, 2, 1)


def test_a_list_is_never_padded_when_filters_leave_nothing(world_catalog):
    answer = recommend(world_catalog, ask({"id": "piano-1"}, filters=Filters({"tempo": (200, 250)})))
    assert (answer.recommendations, answer.pool.after_filters) == ((), 0)


def test_a_negative_seed_moves_its_group_to_the_end(world_catalog):
    away = ask({"id": "piano-1"}, {"id": "disco-1", "weight": -1.0}, limit=100, max_per_artist=None)
    last = ids(recommend(world_catalog, away), world_catalog)[-3:]
    assert [song[:5] for song in last] == ["disco"] * 3


def test_only_negative_seeds_recommend_what_is_least_like_them(world_catalog):
    answer = recommend(world_catalog, ask({"genre": "piano", "weight": -1.0}, limit=4, max_per_artist=None))
    assert not any(song.startswith("piano") for song in ids(answer, world_catalog))


def test_targets_rank_and_never_filter(world_catalog):
    plain = ask({"id": "piano-1"}, limit=100, max_per_artist=None)
    aimed = ask({"id": "piano-1"}, limit=100, max_per_artist=None, targets={"energy": 1.0})
    before, after = (ids(recommend(world_catalog, query), world_catalog) for query in (plain, aimed))
    assert sorted(before) == sorted(after)
    assert [song[:5] for song in after if "piano" not in song] == ["metal"] * 4 + ["disco"] * 4


def test_who_asks_for_a_song_gets_no_cover_of_it(tmp_path):
    titles = (
        "Harbour",
        "Harbour - Live",
        "HARBOUR (feat. Bo)",
        "Harbours",
        "Quay",
        "It's Me",
        "Its Me - Live",
        "The It's Me!",
        "Th'e Its Me",
        "Is Me",
        "Dock",
        "Slip",
    )
    rows = [
        tables.song(number, track_name=title, artists=f"Singer {number}", energy=number / 20)
        for number, title in enumerate(titles)
    ]
    catalog = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out")
    names = catalog.texts("names")

    def recommended(**seed):
        return {names[found.row] for found in recommend(catalog, ask(seed, limit=100)).recommendations}

    assert recommended(song="Harbour") == set(titles[3:])
    assert recommended(song="Quay") == set(titles) - {"Quay"}
    assert recommended(song="It's Me") == {*titles[:5], "Is Me", "Dock", "Slip"}


def test_who_asks_for_a_piece_gets_no_other_recording_of_it(tmp_path):
    suite = "Harbour Suite No. 1 in G Major, Op. 7"
    others = ("Mole", "Jetty", "Dock", "Slip", "Buoy", "Wharf")
    titles = (f"{suite}: I. Quay", "Suite, Op. 7: 1. Quay (Live)", f"{suite}: II. Pier", "Quay", *others)
    rows = [
        tables.song(number, track_name=title, artists=f"Pianist {number}", energy=number / 10)
        for number, title in enumerate(titles)
    ]
    catalog = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out")
    names = catalog.texts("names")
    seeds = {seed: ask({"id": f"song{number:02}"}, limit=100) for number, seed in enumerate(titles)}
    missing = {
        seed: set(titles) - {names[found.row] for found in recommend(catalog, query).recommendations}
        for seed, query in seeds.items()
    }
    assert missing == {
        titles[0]: {titles[0], titles[1], "Quay"},
        titles[1]: {titles[0], titles[1], "Quay"},
        titles[2]: {titles[2]},
        "Quay": {titles[0], titles[1], "Quay"},
        **{other: {other} for other in others},
    }


@pytest.mark.parametrize(
    ("seeds", "difference", "expected"),
    [
        ([{"id": "piano-1"}], 0.2, lambda energy: energy["piano-1"] + 0.2),
        (
            [{"id": "piano-1"}, {"id": "metal-1"}],
            -0.1,
            lambda energy: (energy["piano-1"] + energy["metal-1"]) / 2 - 0.1,
        ),
        ([{"id": "piano-1"}, {"id": "metal-1", "weight": -1.0}], 0.2, lambda energy: energy["piano-1"] + 0.2),
        ([{"features": {"energy": 0.5}}], 0.25, lambda energy: 0.75),
        ([{"id": "metal-1"}], 5.0, lambda energy: 1.0),
    ],
    ids=["one song", "the mean of two", "not of a dislike", "raw features", "within the range"],
)
def test_a_target_may_be_a_difference_from_the_seeds(world_catalog, seeds, difference, expected):
    energy = dict(
        zip(
            map(world_catalog.texts("ids").__getitem__, range(len(world_catalog))),
            world_catalog.attribute("energy").astype(float).tolist(),
        )
    )
    relative = recommend(world_catalog, ask(*seeds, relative_targets={"energy": difference}))
    absolute = recommend(world_catalog, ask(*seeds, targets={"energy": expected(energy)}))
    assert relative.recommendations == absolute.recommendations


def test_a_difference_from_seeds_without_the_attribute_is_a_fault_of_that_target(world_catalog):
    query = ask({"features": {"valence": 0.5}}, relative_targets={"energy": 0.2})
    with pytest.raises(InvalidQuery) as error:
        recommend(world_catalog, query)
    assert [(fault.pointer, fault.detail) for fault in error.value.faults] == [
        ("/targets/energy", "no seed has a value to differ from: give a number")
    ]


def test_all_unknown_seeds_are_told_at_once(world_catalog):
    with pytest.raises(UnknownSongs) as error:
        recommend(world_catalog, ask({"id": "no"}, {"song": "Slow Rain"}, {"artist": "Nobody Atall"}))
    assert [unknown.pointer for unknown in error.value.unknown] == ["/seeds/0", "/seeds/2"]


def test_a_longer_list_begins_as_a_shorter_one_does(demo_catalog):
    for seed in ("demo-0000007", "demo-0000311"):
        for options in ({}, {"diversity": 0.5}):
            whole = brute_force.recommended(demo_catalog, ask({"id": seed}, limit=100, **options))
            for limit in (1, 10, 37):
                assert (
                    brute_force.recommended(demo_catalog, ask({"id": seed}, limit=limit, **options)) == whole[:limit]
                )


@pytest.mark.parametrize("options", [{}, {"max_per_artist": 1}, {"filters": Filters({"energy": (0.5, 1.0)})}])
@pytest.mark.parametrize("song", ["demo-0000042", "demo-0000117", "demo-0000390"])
def test_another_draw_replaces_a_third_and_keeps_the_score(demo_catalog, song, options):
    lists = [
        dict(brute_force.recommended(demo_catalog, ask({"id": song}, draw=draw, **options))) for draw in (0, 1, 2, 9)
    ]
    assert lists[1] == dict(brute_force.recommended(demo_catalog, ask({"id": song}, draw=1, **options)))
    for drawn in lists[1:]:
        assert len(drawn) == 10
        assert sum(drawn.values()) >= 0.9 * sum(lists[0].values())
        assert list(drawn.values()) == sorted(drawn.values(), reverse=True)
    for one, other in itertools.combinations(lists, 2):
        assert len(set(one) - set(other)) >= 3


def test_a_draw_from_few_songs_is_no_shorter(world_catalog):
    best = brute_force.recommended(world_catalog, ask({"id": "piano-1"}, max_per_artist=1))
    drawn = brute_force.recommended(world_catalog, ask({"id": "piano-1"}, max_per_artist=1, draw=5))
    assert len(drawn) == len(best)
    filled = brute_force.recommended(world_catalog, ask({"id": "piano-1"}, max_per_artist=1, fill=True, draw=5))
    assert len(filled) == 10


def test_diversity_makes_songs_of_a_list_less_similar(demo_catalog):
    def alike(diversity):
        answer = recommend(demo_catalog, ask({"id": "demo-0000042"}, diversity=diversity))
        genres = demo_catalog.lists("song", "genres")
        return len({int(genre) for found in answer.recommendations for genre in genres[found.row]})

    assert alike(0.0) <= alike(0.5) <= alike(1.0)
    assert alike(0.0) < alike(1.0)


def random_query(dice, catalog, frame):
    seeds = [random_seed(dice, frame, catalog) for _ in range(dice.choice([1, 1, 1, 2, 3]))]
    return ask(
        *seeds,
        limit=dice.choice([1, 5, 10, 10, 50, 100]),
        filters=random_filters(dice, catalog, frame),
        targets={name: dice.uniform(0, 1) for name in dice.sample(["energy", "valence"], dice.choice([0, 0, 1, 2]))},
        max_per_artist=dice.choice([1, 2, 2, 3, None]),
        fill=dice.random() < 0.2,
        exact=dice.random() < 0.1,
    )


def random_seed(dice, frame, catalog):
    song = frame.iloc[dice.randrange(len(frame))]
    weight = dice.choice([1.0, 1.0, 1.0, 2.5, -0.5])
    kinds = [
        {"id": song["id"]},
        {"id": song["id"]},
        {"genre": dice.choice(catalog.manifest["genres"])},
        {"artist": song["first"]},
        {"features": {"energy": dice.random(), "tempo": dice.uniform(60, 200)}},
    ]
    return dice.choice(kinds) | {"weight": weight}


def random_filters(dice, catalog, frame):
    ranges = {}
    for name in dice.sample(
        ["tempo", "energy", "popularity", "duration_ms", "loudness"], dice.choice([0, 0, 1, 1, 2])
    ):
        known = frame[name].dropna()
        ends = sorted(float(known.iloc[dice.randrange(len(known))]) for _ in range(2))
        ranges[name] = (ends[0], dice.choice([ends[1], float("inf")]))
        assert ATTRIBUTES_BY_NAME[name].low <= ends[0]
    genres = catalog.manifest["genres"]
    return Filters(
        ranges,
        explicit=dice.choice([None, None, None, False, True]),
        genres=tuple(dice.sample(genres, dice.choice([0, 0, 0, 1, 3]))),
        exclude_genres=tuple(dice.sample(genres, dice.choice([0, 0, 1]))),
        exclude_ids=tuple(frame["id"].sample(2, random_state=dice.randrange(2**31))) if dice.random() < 0.2 else (),
        exclude_artists=(frame["first"].iloc[dice.randrange(len(frame))],) if dice.random() < 0.2 else (),
    )


def check_random_requests(catalog, count):
    """Whole lists against brute force: none is short, nothing in them is wrong, and hardly anything is missed.

    Of what is asked for exactly, nothing is.
    """
    frame = brute_force.table(catalog)
    dice = random.Random(7)
    missed: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(count):
        query = random_query(dice, catalog, frame)
        scored, allowed = brute_force.scores(catalog, query), brute_force.passing(frame, query.filters)
        expected = brute_force.best(catalog, frame, query, scored, allowed)
        found = brute_force.recommended(catalog, query)
        scores = [score for _, score in found]
        assert len(found) == len(expected), query
        assert scores == sorted(scores, reverse=True), query
        rows = [song_by_id(catalog, song) for song, _ in found]
        check_works(catalog, frame, query, rows)
        assert allowed[rows].all(), query
        assert scored[rows] == pytest.approx(scores, abs=ROUNDED), query
        worst = min((score for _, score in expected), default=0.0) - ROUNDED
        missed[query.exact].append(sum(score < worst for score in scores) / max(len(expected), 1))
    assert max(missed[True]) == 0
    assert sum(missed[False]) <= 0.02 * len(missed[False])


def check_works(catalog, frame, query, rows):
    """Every song stands for a work of its own, none for a seed's."""
    works = frame["work"].iloc[rows]
    assert works.is_unique, query
    assert not set(works) & brute_force.seed_works(catalog, frame, query), query


def test_random_requests_get_what_brute_force_finds(demo_catalog):
    check_random_requests(demo_catalog, 300)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_thousand_random_requests_on_the_real_tracks(real_artifacts):
    check_random_requests(catalogs.load(real_artifacts), 1000)
