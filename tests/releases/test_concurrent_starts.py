"""Many requests at once while versions come and go."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.releases import ASKED, client, point_to


def test_64_concurrent_requests_see_no_error_during_20_refreshes(places, versions, cache, monkeypatch):
    crowded(places.stocked("plain", versions, monkeypatch), versions, cache)


@pytest.mark.slow
def test_64_concurrent_requests_see_no_error_during_20_refreshes_from_a_bucket(stocked_bucket, versions, cache):
    crowded(stocked_bucket, versions, cache)


def crowded(address, versions, cache):
    function, over, answers = client(address, cache, 0.01), threading.Event(), []

    def ask():
        while not over.is_set():
            answer = function.get(ASKED)
            answers.append((answer.status_code, answer.headers.get("X-Segue-Model"), answer.json.get("model")))

    with ThreadPoolExecutor(64) as pool:
        asking = [pool.submit(ask) for _ in range(64)]
        for turn in range(20):
            current = versions[turn % 2].version
            point_to(address, current)
            while answers[-1:] != [(200, current, current)] and not any(one.done() for one in asking):
                time.sleep(0.01)
        over.set()
        for one in asking:
            one.result()
    assert {status for status, _, _ in answers} == {200}
    assert all(header == body for _, header, body in answers)
    assert {body for _, _, body in answers} == {songs.version for songs in versions[:2]}
