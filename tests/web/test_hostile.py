"""Hostile requests: no server error, no memory lost. ``python -m tests.support.hostile_requests`` prints times."""

import datetime as dt
import random

import pytest

from tests.support import hostile_requests

MB = 1_000_000
KEPT = 2  # the seed of requests that every run sends; one that finds a fault joins it
TODAY = 3 * dt.datetime.now(dt.UTC).toordinal()  # and of those that only runs of a day send


def test_hostile_requests_repeat_and_are_of_every_kind():
    one, two = ([hostile_requests.request(random.Random(seed)) for seed in range(200)] for _ in range(2))
    assert one == two
    assert len({wire[:12] for wire in one}) > 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", [KEPT, TODAY, TODAY + 1, TODAY + 2], ids=["kept", "first", "second", "third"])
def test_twenty_five_thousand_hostile_requests_do_no_harm(demo_artifacts, seed):
    found = hostile_requests.attack(demo_artifacts, 25_000, seed)
    deadline = 503  # on a busy machine
    assert not [status for status in found.statuses if status >= 500 and status != deadline]
    assert found.statuses[400] > 3_000
    assert found.growth < 20 * MB
