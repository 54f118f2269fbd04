"""Times of playlists: met whenever some of the songs at hand meet them, by trying all lists that there could be."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.catalog import load
from segue.errors import InvalidQuery
from segue.journeys import playlists
from segue.journeys.playlists import playlist
from segue.query.schema import FLOWS, PlaylistQuery, Query, Seed
from segue_build.fit import FitOptions, fit
from tests.support import world

FEW_AND_LONG = st.lists(st.integers(30, 1500).map(lambda seconds: seconds * 1000.0), min_size=1, max_size=9)


def sums(durations, most):
    """How long each list of some songs would last."""
    return np.array([
        sum(some) for count in range(1, most + 1) for some in itertools.combinations(durations.tolist(), count)
    ])  # fmt: skip


def tolerated(asked):
    return max(0.02 * asked, 3 * playlists.MINUTE_MS)


@given(FEW_AND_LONG.map(np.array), st.integers(5, 60), st.integers(1, 9))
def test_songs_are_found_that_come_as_near_to_a_time_as_any_do(durations, minutes, most):
    asked = minutes * playlists.MINUTE_MS
    nearest = np.abs(sums(durations, most) - asked).min()
    if nearest <= tolerated(asked):
        chosen = playlists.subset_sum(durations, asked, most)
        assert len(chosen) <= most
        assert chosen.tolist() == sorted(set(chosen.tolist()))
        assert abs(durations[chosen].sum() - asked) == nearest
    else:
        with pytest.raises(InvalidQuery):
            playlists.subset_sum(durations, asked, most)


def test_of_songs_that_meet_a_time_the_first_are_taken():
    durations = np.array([4.0, 5, 4, 5, 3, 6]) * playlists.MINUTE_MS
    assert playlists.subset_sum(durations, 9 * playlists.MINUTE_MS, 6).tolist() == [0, 1]
    assert playlists.subset_sum(durations, 12 * playlists.MINUTE_MS, 6).tolist() == [0, 1, 4]
    assert playlists.subset_sum(durations, 12 * playlists.MINUTE_MS, 2).tolist() == [1, 5]


def test_a_list_of_the_most_songs_has_longer_ones_where_the_first_are_too_short():
    durations = np.array([1.0] * 10 + [5.0] * 10) * playlists.MINUTE_MS
    assert playlists.subset_sum(durations, 30 * playlists.MINUTE_MS, 10).tolist() == [*range(5), *range(10, 15)]


def test_a_time_that_no_songs_meet_is_told_with_one_that_some_meet():
    durations = np.array([1.0, 20, 22, 24]) * playlists.MINUTE_MS
    with pytest.raises(InvalidQuery) as refused:
        playlists.subset_sum(durations, 10 * playlists.MINUTE_MS, 200)
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.detail) == (
        "/minutes", "no songs at hand last so long together: ask for 21, or let more songs pass"
    )  # fmt: skip
    assert playlists.subset_sum(durations, 21 * playlists.MINUTE_MS, 200).tolist() == [0, 1]


def test_a_time_that_the_most_songs_do_not_fill_is_told_with_how_long_they_last():
    durations = np.array([1.0, 4, 3, 2]) * playlists.MINUTE_MS
    with pytest.raises(InvalidQuery) as refused:
        playlists.song_counts(durations, 20 * playlists.MINUTE_MS, 2)
    assert [fault.detail for fault in refused.value.faults] == [
        "the 2 longest songs at hand last 7 minutes: ask for fewer, or let more songs pass"
    ]


def test_a_time_is_met_by_exchanging_songs():
    durations = np.array([200.0, 210.0, 220.0, 100.0, 150.0]) * 1000
    chosen = playlists.exchange_for_duration(np.arange(3), durations, 560_000, np.ones((3, 5), bool))
    assert abs(durations[chosen].sum() - 560_000) <= 5_600


# --- lists ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slow_catalog(tmp_path_factory):
    """The world, with songs of 4 to 25 minutes."""
    folder, dice = tmp_path_factory.mktemp("slow"), random.Random(5)
    rows = [row | {"duration_ms": dice.randrange(240, 1500) * 1000} for row in world.rows()]
    fit(FitOptions([str(world.write(folder / "slow.csv", rows))]), folder / "artifacts")
    return load(folder / "artifacts")


@pytest.mark.parametrize("flow", FLOWS)
def test_a_list_of_few_long_songs_is_as_long_as_asked_whenever_some_are(slow_catalog, flow):
    seeds, durations = (Seed("", {}, genre="piano"),), slow_catalog.attribute("duration_ms").astype(float)
    for cap, draw in itertools.product((1, None), (0, 1, 2)):
        query = Query(seeds, draw=draw, max_per_artist=cap)
        there_are = durations[list(playlist(slow_catalog, PlaylistQuery(query, songs=200)).rows)]
        nearest = sums(there_are, len(there_are))
        for minutes in range(5, 200, 4):
            asked = minutes * playlists.MINUTE_MS
            timed = PlaylistQuery(query, flow=flow, songs=None, minutes=minutes)
            if np.abs(nearest - asked).min() > tolerated(asked):
                with pytest.raises(InvalidQuery):
                    playlist(slow_catalog, timed)
                continue
            rows = playlist(slow_catalog, timed).rows
            assert len(set(rows)) == len(rows)
            assert abs(durations[list(rows)].sum() - asked) <= tolerated(asked)
