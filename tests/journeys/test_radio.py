"""A radio that nobody keeps: no repeats, artists capped, skips that count, no drifting away."""

from collections import Counter

import numpy as np
import pytest

from segue.catalog.lookup.exact import artist_names, song_by_id
from segue.errors import UnknownSongs
from segue.journeys.candidate_pool import metric_of
from segue.journeys.radio import continue_radio
from segue.query.schema import ContinueQuery, Filters, Query

SOME = [f"demo-{number:07}" for number in (33, 77, 140, 201, 318)]


def ask(*played, skipped=(), limit=5, **options):
    return ContinueQuery(Query((), limit, **({"max_per_artist": 1} | options)), tuple(played), tuple(skipped))


def songs(catalog, query):
    return [song.row for song in continue_radio(catalog, query).answer.recommendations]


def played(catalog, start, steps, **options):
    """Everything that a radio plays that begins with a song."""
    texts, ids = catalog.texts("ids"), [start]
    for _ in range(steps):
        ids += [texts[row] for row in songs(catalog, ask(*ids, **options))]
    return [song_by_id(catalog, song) for song in ids]


@pytest.mark.parametrize("start", SOME)
def test_twenty_steps_of_five_songs_repeat_nothing_and_cap_artists(demo_catalog, start):
    rows = played(demo_catalog, start, 20)
    works = demo_catalog.array("works")[rows]
    assert len(rows) == 101 == len(set(works.tolist()))
    by = [artist_names(demo_catalog, row) for row in rows]
    for first in range(1, 101, 5):
        assert max(Counter(name for names in by[first : first + 5] for name in names[:1]).values()) == 1
        before = {name for names in by[max(first - 10, 0) : first] for name in names}
        assert not before & {name for names in by[first : first + 5] for name in names}


def test_a_radio_does_not_drift_away(demo_catalog):
    metric, early, late = metric_of(demo_catalog), [], []
    for start in SOME:
        rows = played(demo_catalog, start, 20)
        first, points = metric.points(np.array(rows[:1])), metric.points(np.array(rows[1:]))
        apart = np.sqrt(np.square(points - first).sum(axis=1) / metric.mean_square)
        early.append(apart[:20].mean())
        late.append(apart[-20:].mean())
    assert np.mean(late) < 1.4 * np.mean(early)


def test_what_was_skipped_lowers_songs_like_it(world_catalog):
    names = world_catalog.texts("ids")
    liked = [names[row] for row in songs(world_catalog, ask("piano-1", "metal-1", limit=4))]
    skipped = [names[row] for row in songs(world_catalog, ask("piano-1", "metal-1", skipped=["metal-1"], limit=4))]
    assert sum(song.startswith("metal") for song in skipped) < sum(song.startswith("metal") for song in liked)
    assert "metal-1" not in skipped


def test_where_every_song_was_skipped_the_first_ones_are_all_there_is_to_go_by(world_catalog):
    found = continue_radio(world_catalog, ask("piano-1", "metal-1", skipped=["metal-1", "piano-1", "disco-1"]))
    assert {seed.seed.id: seed.seed.weight > 0 for seed in found.answer.seeds} == {
        "metal-1": True, "piano-1": True, "disco-1": False,
    }  # fmt: skip
    assert found.answer.recommendations


def test_a_song_that_is_played_again_is_among_the_newest_and_stays_among_the_first(demo_catalog):
    ids = [demo_catalog.texts("ids")[row] for row in range(40)]
    weights = {
        seed.seed.id: seed.seed.weight for seed in continue_radio(demo_catalog, ask(*ids, ids[0])).answer.seeds
    }
    assert set(weights) == {*ids[:5], *ids[36:]}
    assert max(weights, key=weights.get) == ids[0]


def test_the_newest_song_counts_most(world_catalog):
    names = world_catalog.texts("ids")
    one, other = ("piano-1", "disco-1"), ("disco-1", "piano-1")
    nearest = [
        names[songs(world_catalog, ask(*order, limit=1, max_per_artist=None))[0]][:5] for order in (one, other)
    ]
    assert nearest == ["disco", "piano"]


def test_paused_artists_come_last_where_no_others_are_left(world_catalog):
    found = songs(world_catalog, ask("disco-1", limit=100, filters=Filters(genres=("disco",)), max_per_artist=None))
    assert [world_catalog.texts("ids")[row] for row in found][-1] == "disco-2"


def test_ids_that_are_not_in_the_catalogue_are_passed_over_and_counted(world_catalog):
    found = continue_radio(world_catalog, ask("gone", "piano-1", "gone", skipped=["left"]))
    assert found.unknown == 2
    assert [seed.seed.id for seed in found.answer.seeds] == ["piano-1"]


def test_a_radio_of_nothing_known_is_told_so(world_catalog):
    with pytest.raises(UnknownSongs) as error:
        continue_radio(world_catalog, ask("gone", "left", skipped=["piano-1"]))
    assert [(unknown.pointer, str(unknown)) for unknown in error.value.unknown] == [
        ("/played", "none of the songs that were played is in the catalogue")
    ]


def test_weights_of_what_was_liked_add_up_to_one_and_those_of_skips_to_half_of_it(demo_catalog):
    ids = [demo_catalog.texts("ids")[row] for row in range(40)]
    seeds = continue_radio(demo_catalog, ask(*ids, skipped=ids[10:30])).answer.seeds
    weights = np.array([seed.seed.weight for seed in seeds])
    assert weights[weights > 0].sum() == pytest.approx(1)
    assert weights[weights < 0].sum() == pytest.approx(-0.5)
    assert len(weights) == 20


def test_all_that_there_is_may_have_been_played(world_catalog):
    texts = world_catalog.texts("ids")
    assert songs(world_catalog, ask(*(texts[row] for row in range(len(world_catalog))))) == []
