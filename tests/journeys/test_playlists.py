"""Playlists: chosen by the engine, ordered as asked; length, time, curve, keys and artists hold for any request."""

import itertools
import random

import numpy as np
import pytest

from segue.catalog.lookup.exact import artist_names
from segue.engine.recommendation import recommend
from segue.engine.seeds import resolve
from segue.errors import InvalidQuery
from segue.journeys import flows, playlists
from segue.journeys.playlists import order, playlist
from segue.query.schema import FLOWS, Filters, OrderQuery, PlaylistQuery, Query, Seed


def test_every_flow_that_can_be_requested_has_its_function():
    assert tuple(flows.FLOWS) == FLOWS


def ask(*seeds, flow="steady", songs=25, minutes=None, **options):
    given = tuple(Seed(f"/seeds/{place}", seed, **seed) for place, seed in enumerate(seeds))
    return PlaylistQuery(Query(given, **options), flow, None if minutes else songs, minutes)


def queries(catalog, count, seed):
    dice, texts = random.Random(seed), catalog.texts("ids")
    for _ in range(count):
        seeds = [{"id": texts[dice.randrange(len(catalog))]} for _ in range(dice.choice([1, 1, 2, 5]))]
        options = dice.choice(
            [{}, {"draw": 3}, {"filters": Filters(explicit=False)}, {"max_per_artist": 1}, {"diversity": 0.3}]
        )
        long = (
            {"minutes": dice.randrange(10, 90)} if dice.random() < 0.5 else {"songs": dice.choice([1, 2, 5, 12, 30])}
        )
        yield ask(*seeds, flow=dice.choice(FLOWS), **long, **options)


def minutes_of(catalog, rows):
    return catalog.attribute("duration_ms")[list(rows)].astype(float).sum() / playlists.MINUTE_MS


def artists_in_a_row(catalog, rows):
    by = [set(artist_names(catalog, row)) for row in rows]
    return sum(bool(one & two) for one, two in itertools.pairwise(by))


def test_lists_are_as_long_as_asked_and_flow(demo_catalog):
    works = demo_catalog.array("works")
    for query in queries(demo_catalog, 150, 1):
        found = playlist(demo_catalog, query)
        assert len(found.rows) == len(set(works[list(found.rows)].tolist())) > 0
        if query.songs:
            assert len(found.rows) == query.songs
        else:
            assert abs(minutes_of(demo_catalog, found.rows) - query.minutes) <= max(3, 0.02 * query.minutes)
        if query.flow in ("rise", "fall", "wave") and len(found.rows) > 2:
            assert found.flow_quality.correlation >= 0.8
        if query.flow == "harmonic":
            assert found.flow_quality.harmonic >= 0.8
        assert artists_in_a_row(demo_catalog, found.rows) == 0


def test_the_same_request_gives_the_same_list(demo_catalog):
    for query in queries(demo_catalog, 15, 2):
        assert playlist(demo_catalog, query).rows == playlist(demo_catalog, query).rows


@pytest.mark.parametrize("flow", FLOWS)
def test_an_order_has_each_given_song_as_often_as_it_was_given(demo_catalog, flow):
    dice, texts = random.Random(flow), demo_catalog.texts("ids")
    for size in (1, 2, 3, 40, 200):
        ids = [texts[dice.randrange(len(demo_catalog))] for _ in range(size - 1)]
        ids += dice.choices([*ids, texts[0]], k=1)  # one of them twice
        given = tuple(Seed(f"/songs/{place}", {"id": song}, id=song) for place, song in enumerate(ids))
        found = order(demo_catalog, OrderQuery(given, flow))
        assert (sorted(found.places), found.unknown) == (list(range(size)), ())
        assert [texts[row] for row in found.rows] == [ids[place] for place in found.places]
        if size > 3 and found.curve:
            assert found.flow_quality.correlation > 0.8


def test_an_ordered_list_flows_better_than_the_given_one(demo_catalog):
    dice = random.Random(7)
    rows = [dice.randrange(len(demo_catalog)) for _ in range(40)]
    given = tuple(Seed("", {}, id=demo_catalog.texts("ids")[row]) for row in rows)
    songs = flows.PlaylistCandidates(demo_catalog, np.array(rows))
    before = playlists.measure_flow(songs, np.arange(len(rows)), None)
    steady, keys = (order(demo_catalog, OrderQuery(given, flow)).flow_quality for flow in ("steady", "harmonic"))
    assert steady.energy_change < 0.7 * before.energy_change
    assert keys.harmonic > before.harmonic + 0.2


def test_filters_and_caps_are_those_of_a_recommendation(world_catalog):
    query = ask({"genre": "piano"}, songs=12, filters=Filters({"tempo": (0, 130)}), max_per_artist=1)
    found = playlist(world_catalog, query)
    best = recommend(world_catalog, Query(query.query.seeds, 100, query.query.filters, max_per_artist=1))
    assert sorted(found.rows) == sorted(song.row for song in best.recommendations)
    assert found.pool == best.pool


def test_fill_lifts_the_cap_rather_than_make_a_list_short(world_catalog):
    only = Filters(genres=("disco",))
    capped, filled = (
        playlist(world_catalog, ask({"genre": "disco"}, songs=4, filters=only, max_per_artist=1, fill=fill))
        for fill in (False, True)
    )
    assert (len(capped.rows), len(filled.rows)) == (3, 4)


def test_a_list_without_any_song_is_empty_and_one_by_time_says_why(world_catalog):
    nothing = Filters({"tempo": (300, 300)})
    for flow, draw in itertools.product(FLOWS, (0, 3)):
        assert playlist(world_catalog, ask({"genre": "piano"}, flow=flow, filters=nothing, draw=draw)).rows == ()
        with pytest.raises(InvalidQuery) as refused:
            playlist(world_catalog, ask({"genre": "piano"}, flow=flow, filters=nothing, draw=draw, minutes=20))
        assert [fault.pointer for fault in refused.value.faults] == ["/minutes"]


def test_a_time_that_the_songs_do_not_fill_is_told_with_what_there_is(world_catalog):
    with pytest.raises(InvalidQuery) as refused:
        playlist(world_catalog, ask({"genre": "piano"}, minutes=60))
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.detail) == (
        "/minutes", "the 12 songs at hand last 40 minutes: ask for fewer, or let more songs pass"
    )  # fmt: skip


def test_a_cluster_gives_its_own_songs_first(demo_catalog):
    entry = max(demo_catalog.manifest["clusters"], key=lambda cluster: cluster["size"])
    found = playlist(demo_catalog, ask({"cluster": entry["id"]}, songs=8))
    assert all(entry["first"] <= row < entry["first"] + entry["size"] for row in found.rows)
    assert found.seeds[0].seed.given == {"cluster": entry["id"]}


def test_another_draw_is_another_list(demo_catalog):
    lists = [set(playlist(demo_catalog, ask({"id": "demo-0000033"}, songs=10, draw=draw)).rows) for draw in (0, 1, 2)]
    assert all(len(one & two) <= 7 for one, two in itertools.pairwise(lists))


def test_a_steady_list_changes_less_from_song_to_song_than_in_the_order_of_worth(demo_catalog):
    energies, changes = demo_catalog.attribute("energy"), []
    for number in range(10):
        seed = {"id": demo_catalog.texts("ids")[50 * number]}
        found = playlist(demo_catalog, ask(seed, songs=20))
        changes.append(
            (np.abs(np.diff(energies[list(found.rows)])).mean(), np.abs(np.diff(energies[sorted(found.rows)])).mean())
        )
    ours, others = np.mean(changes, axis=0)
    assert ours < 0.8 * others


def test_seeds_count_alike_however_many_near_neighbours_they_have(demo_catalog):
    seeds = ({"id": "demo-0000033"}, {"id": "demo-0000077"})
    resolved = resolve(demo_catalog, ask(*seeds).query.seeds)
    rows, _ = playlists.rank_candidates(demo_catalog, ask(*seeds, max_per_artist=None).query, resolved, 100, 25)
    assert len(rows) == len(set(rows.tolist())) == 100


# --- the wheel -----------------------------------------------------------------------------------------------------


def test_keys_stand_on_the_camelot_wheel_where_dj_software_has_them():
    keys = np.array([0, 7, 9, 11, 4, 8, -1, 5, 0])
    modes = np.array([1, 1, 0, 1, 0, 0, 1, np.nan, 0])
    assert flows.camelot_names(keys, modes) == ["8B", "9B", "8A", "1B", "9A", "1A", None, None, "5A"]


def test_keys_go_with_their_own_number_and_the_next_of_their_letter():
    keys, modes = np.array([0, 9, 7, 5, 4, 2, -1]), np.array([1, 0, 1, 1, 0, 1, 1])  # 8B 8A 9B 7B 9A 10B none
    assert flows.key_compatibility(keys, modes)[0].tolist() == [True, True, True, True, False, False, False]
    assert not flows.key_compatibility(keys, modes)[-1].any()


# --- orders --------------------------------------------------------------------------------------------------------


def test_the_shortest_walk_that_is_found_is_that_of_a_line():
    places = np.random.default_rng(0).permutation(30)
    places[places.argmin()], places[0] = places[0], 0
    order = flows.shortest_order(np.abs(places[:, None] - places).astype(float))
    assert places[order].tolist() == list(range(30))


def test_turning_a_piece_of_a_walk_saves_what_it_says():
    dice = np.random.default_rng(1)
    points = dice.random((12, 2))
    costs = np.linalg.norm(points[:, None] - points, axis=2)

    def length(order):
        return costs[order[:-1], order[1:]].sum()

    order, last = np.arange(12), np.inf
    while order is not None:
        assert order[0] == 0
        assert length(order) < last
        last, order = length(order), flows._best_reversal(costs, order)


def test_neighbours_of_one_artist_are_separated_by_songs_of_the_same_level():
    same = np.zeros((6, 6), bool)
    same[:3, :3] = True  # three songs of one artist
    levels = np.array([0.1, 0.2, 0.3, 0.9, 0.2, 0.5])
    order = flows.separate_artists(np.array([0, 1, 2]), same, levels)
    assert order.tolist() == [0, 4, 2]
    whole = flows.separate_artists(np.arange(6), same, levels)
    assert sorted(whole.tolist()) == list(range(6))
    assert not same[whole[:-1], whole[1:]].any()


def test_a_chain_grows_at_both_ends_from_the_best_song():
    fits = np.zeros((6, 6), bool)
    for one, two in ((0, 2), (0, 3), (3, 5)):
        fits[one, two] = fits[two, one] = True
    assert flows.harmonic_chain(fits, np.eye(6, dtype=bool), 4).tolist() == [5, 3, 0, 2]
    assert flows.harmonic_chain(fits, np.eye(6, dtype=bool), 0).tolist() == []


@pytest.mark.parametrize(("flow", "curve"), [
    ("rise", [0, 0.25, 0.5, 0.75, 1]), ("fall", [1, 0.75, 0.5, 0.25, 0]), ("wave", [0, 0.5, 1, 0.5, 0]),
])  # fmt: skip
def test_curves_run_from_the_lowest_to_the_highest(flow, curve):
    assert flows.energy_curve(flow, 5).tolist() == curve


def test_songs_that_are_in_the_way_of_a_curve_give_way():
    energies = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.3, 0.5, 0.7, 0.9])
    wanted = flows.energy_curve("rise", 5)
    chosen = flows.fit_to_curve(np.arange(5), wanted, energies)
    assert flows.pearson_correlation(np.sort(energies[chosen]), wanted) >= flows.MIN_CORRELATION
