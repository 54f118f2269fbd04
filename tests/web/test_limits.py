"""What one request may cost: its place in the queue, its time, its caller's patience, the pairs that it compares."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import limits
from segue.catalog.lookup import matching, resolver
from segue.config import Config
from segue.engine import recommendation, search
from segue.errors import ConfigError, InvalidQuery, WorkEnded
from segue.journeys import flows, paths, playlists, radio
from segue.limits import FairLock, RequestBudget, check_exact, checkpoint
from segue.spotify import recommendations
from segue.subsonic import methods
from segue.web import request_context, serializers
from segue.web.service import Service
from segue.web.views import batch

PATIENCE = 20
DEAR = [
    ("/recommend", {"song_id": "piano-1"}),
    ("/playlist", {"song_id": "piano-1", "songs": 3}),
    ("/path", {"from": "Slow Rain", "to": "Neon Waltz", "length": 4}),
    ("/order", {"songs": ["Slow Rain", {"id": "piano-1"}]}),
    ("/continue", {"played": ["piano-1"]}),
    ("/batch", {"requests": [{"path": "/recommend", "body": {"song_id": "piano-1"}}]}),
    ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "recommend", "arguments": {"song_id": "piano-1"}}}),
    ("/recommend?song_id=piano-1", None),
    ("/v1/recommendations?seed_tracks=piano-1", None),
    ("/rest/getSimilarSongs?id=piano-1&f=json", None),
]  # fmt: skip


def ask(client, path, body, **environ):
    if body is None:
        return client.get(path, environ_overrides=environ)
    return client.post(path, json=body, environ_overrides=environ)


def client_of(world_artifacts, **environ):
    service = Service(Config.from_environ({"SEGUE_ARTIFACTS": str(world_artifacts), **environ}))
    return Client(Request.application(service.handle))


@pytest.fixture
def endless(monkeypatch):
    """The work for every request goes on until something ends it, and says when it has begun."""
    begun = threading.Event()

    def work(*_, **__):
        begun.set()
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            checkpoint()
        raise AssertionError("nothing ended the work")

    monkeypatch.setattr(recommendation, "recommend", work)
    monkeypatch.setattr(playlists, "recommend", work)
    monkeypatch.setattr(playlists, "order", work)
    monkeypatch.setattr(paths, "path", work)
    for module in (radio, recommendations, methods):  # imported above: none may keep this for its own
        monkeypatch.setattr(module, "recommend", work, raising=False)
    return begun


@pytest.mark.parametrize(("path", "body"), DEAR)
def test_work_ends_at_its_deadline_with_a_503_that_says_when_to_ask_again(world_artifacts, endless, path, body):
    answer = ask(client_of(world_artifacts, SEGUE_REQUEST_SECONDS="0.05"), path, body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "more than 0.05 seconds of a processor" in answer.get_data(as_text=True)


@pytest.mark.parametrize(("path", "body"), DEAR)
def test_work_ends_when_the_caller_has_gone(world_artifacts, endless, path, body):
    ours, theirs = socket.socketpair()
    theirs.close()
    client = client_of(world_artifacts, SEGUE_REQUEST_SECONDS="3600")
    assert ask(client, path, body, **{"gunicorn.socket": ours}).status_code == 499
    ours.close()


def test_a_caller_that_waits_or_sends_its_next_request_has_not_gone():
    ours, theirs = socket.socketpair()
    assert not limits.is_closed(ours)
    theirs.send(b"GET / HTTP/1.1")
    assert not limits.is_closed(ours)
    theirs.close()
    ours.recv(100)
    assert limits.is_closed(ours)
    ours.close()
    assert limits.is_closed(ours)


def test_others_are_answered_while_a_dear_request_computes(world_artifacts, endless):
    client = client_of(world_artifacts, SEGUE_REQUEST_SECONDS="3600")
    ours, theirs = socket.socketpair()
    with ThreadPoolExecutor(1) as pool:
        dear = pool.submit(ask, client, *DEAR[0], **{"gunicorn.socket": ours})
        assert endless.wait(PATIENCE)
        for _ in range(5):
            assert client.get("/search?q=rain").status_code == 200
            assert not dear.done()
        theirs.close()
        assert dear.result(PATIENCE).status_code == 499
    ours.close()


@pytest.mark.parametrize(("path", "body"), DEAR)
def test_requests_that_let_each_other_go_first_wherever_they_can_are_all_answered(
    demo_artifacts, monkeypatch, path, body
):
    monkeypatch.setattr(limits, "SLICE", -1.0)
    monkeypatch.setattr(search, "search_budget", lambda *_: search.Budget(50, 20))
    text = json.dumps(body).replace("piano-1", "demo-0000001") if body else None
    body, path = text and json.loads(text), path.replace("piano-1", "demo-0000001")
    client = client_of(demo_artifacts)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(client, path, body)), daemon=True) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + PATIENCE
    while len(answers) < len(threads) and time.monotonic() < ends:
        time.sleep(0.001)
    assert len(answers) == len(threads)
    assert len({(one.status_code, one.get_data()) for one in answers}) == 1


def waiting(lock, count):
    ends = time.monotonic() + PATIENCE
    while len(lock) < count and time.monotonic() < ends:
        time.sleep(0.001)
    assert len(lock) == count


def in_line(lock, computed):
    """Threads that have computed so long wait for a lock that is held; the order in which they get it."""
    order, threads = [], []
    lock.acquire(0)
    for number, seconds in enumerate(computed):

        def enter(number=number, seconds=seconds):
            lock.acquire(seconds)
            order.append(number)
            lock.release()

        threads.append(threading.Thread(target=enter))
        threads[-1].start()
        waiting(lock, number + 1)
    lock.release()
    for thread in threads:
        thread.join(PATIENCE)
    return order


def test_who_came_first_goes_first():
    assert in_line(FairLock(), [0] * 6) == [0, 1, 2, 3, 4, 5]


def test_who_has_computed_least_goes_first():
    assert in_line(FairLock(), [1.5, 0.5, 0, 1.0, 0]) == [2, 4, 1, 3, 0]


def test_who_takes_the_lock_again_does_not_pass_those_who_wait():
    """threading.Lock lets it: the thread that releases it goes on running."""
    lock, order = FairLock(), []
    lock.acquire(0)

    def other():
        lock.acquire(0)
        order.append("other")
        lock.release()

    thread = threading.Thread(target=other)
    thread.start()
    waiting(lock, 1)
    lock.release()
    lock.acquire(0)
    order.append("again")
    lock.release()
    thread.join(PATIENCE)
    assert order == ["other", "again"]


def test_more_than_may_wait_are_told_to_come_again():
    lock = FairLock(max_waiting=2)
    lock.acquire(0)
    threads = [threading.Thread(target=lambda: (lock.acquire(0), lock.release())) for _ in range(2)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        waiting(lock, number)
    with pytest.raises(WorkEnded) as ended:
        lock.acquire(0)
    assert (ended.value.status, ended.value.headers) == (503, {"Retry-After": "5"})
    lock.release()
    for thread in threads:
        thread.join(PATIENCE)
    lock.acquire(0)  # and is free again


def test_who_has_gone_leaves_the_queue():
    lock = FairLock()
    lock.acquire(0)
    with pytest.raises(WorkEnded) as ended:
        lock.acquire(0, lambda: True)
    assert (ended.value.status, len(lock)) == (499, 0)


def test_what_ends_while_others_compute_leaves_the_lock_to_them():
    lock, ours = FairLock(), socket.socketpair()
    ours[1].close()
    budget = RequestBudget(lock, environ={"gunicorn.socket": ours[0]})
    held, over = threading.Event(), threading.Event()

    def other():
        lock.acquire(0)
        held.set()
        over.wait(PATIENCE)
        lock.release()

    thread = threading.Thread(target=other)

    def work():
        with budget:
            thread.start()
            while True:
                checkpoint()

    with pytest.raises(WorkEnded):
        work()
    assert held.wait(PATIENCE)
    assert lock._busy
    over.set()
    thread.join(PATIENCE)
    assert not lock._busy
    ours[0].close()


def test_waiting_takes_no_time_of_a_processor():
    budget = RequestBudget(FairLock(), seconds=0.2)
    with budget:
        time.sleep(0.3)
        checkpoint()


def test_threads_are_left_for_what_need_not_wait():
    assert Config.from_environ({"THREADS": "40"}).max_waiting == 32
    assert Config.from_environ({"THREADS": "1"}).max_waiting == 1
    for wrong in ("0", "-1", "fast", "1e9"):
        with pytest.raises(ConfigError, match="SEGUE_REQUEST_SECONDS"):
            Config.from_environ({"SEGUE_REQUEST_SECONDS": wrong})


def test_an_exact_list_is_bounded_by_songs_times_points(world_artifacts):
    body = {"seeds": [{"id": f"piano-{number}"} for number in (1, 2, 3)], "exact": True}
    client = client_of(world_artifacts, SEGUE_EXACT_PAIRS="38")
    refused = client.post("/recommend", json=body)
    assert (refused.status_code, refused.json["errors"]) == (400, [{
        "pointer": "/exact",
        "detail": "it would compare 13 songs with the 3 points of the seeds; 38 pairs are the most: leave exact out,"
                  " name fewer seeds, or let fewer songs pass (SEGUE_EXACT_PAIRS)",
    }])  # fmt: skip
    assert client.post("/recommend", json=body | {"filters": {"genres": ["piano"]}}).status_code == 200
    for lifted in ("39", "0"):
        assert ask(client_of(world_artifacts, SEGUE_EXACT_PAIRS=lifted), "/recommend", body).status_code == 200


IDS = [f"demo-{number:07}" for number in range(1, 101)]
SONG = {"song_id": IDS[0]}
ENDS = {"from": {"id": IDS[0]}, "to": {"id": IDS[40]}}
MIXTURE = {"seeds": [{"id": one} for one in IDS[:16]]}
RAISED = [
    ("COMPARISON", "/recommend", {"seeds": [{"id": IDS[0]}]}, {"seeds": [{"id": one} for one in IDS]}),
    ("COMPARISON", "/recommend", {**SONG, "exact": True}, {**SONG, "exact": True, "targets": {"energy": 1}}),
    ("ESTIMATE", "/recommend", MIXTURE, {"seeds": [{"id": one} for one in IDS[:32]]}),
    ("CANDIDATE", "/recommend", MIXTURE, {**MIXTURE, "targets": {"energy": 1}}),
    ("SEED", "/recommend", {"seeds": [{"id": IDS[0]}]}, {"seeds": [{"id": one} for one in IDS]}),
    ("FILTERED", "/recommend", {**SONG, "filters": {"energy": [0, 1]}},
     {**SONG, "filters": {"energy": [0, 1], "tempo": [0, 300], "exclude_genres": ["ambient"]}}),
    ("EXCLUDED", "/recommend", {**SONG, "filters": {"exclude_ids": IDS[:1]}},
     {**SONG, "filters": {"exclude_ids": IDS}}),
    ("EXCLUDED", "/continue", {"played": IDS[:1]}, {"played": IDS, "skipped": IDS}),
    ("RANKED", "/recommend", {**SONG, "limit": 1}, {**SONG, "limit": 100}),
    ("RANKED", "/recommend", {**SONG, "max_per_artist": None}, {**SONG, "max_per_artist": 1, "limit": 100}),
    ("DIVERSIFIED", "/recommend", {**SONG, "limit": 2, "diversity": 0.5}, {**SONG, "limit": 100, "diversity": 0.5}),
    ("SAMPLED", "/recommend", {**SONG, "limit": 2, "draw": 1}, {**SONG, "limit": 50, "draw": 1}),
    ("EXPLAINED", "/recommend", {**SONG, "limit": 1, "explain": True}, {**SONG, "limit": 9, "explain": True}),
    ("SERIALIZED", "/recommend", {**SONG, "limit": 1}, {**SONG, "limit": 100}),
    ("SERIALIZED", "/playlist", {**SONG, "songs": 3}, {**SONG, "songs": 50}),
    ("PARSED", "/recommend", SONG, {**SONG, "filters": {"exclude_ids": IDS}}),
    ("VALIDATED", "/recommend", SONG, {"seeds": [{"id": one} for one in IDS]}),
    ("VALIDATED", "/continue", {"played": IDS[:1]}, {"played": IDS}),
    ("VALIDATED", "/batch", {"requests": [{"path": "/path", "body": ENDS}]},
     {"requests": [{"path": "/path", "body": ENDS}] * 3}),
    ("READ", "/order", {"songs": IDS[:2]}, {"songs": [f"{one} and many more words" for one in IDS[:2]]}),
    ("GUESSED", "/order", {"songs": ["harbour at dsk"]}, {"songs": ["harbour at dsk", "larst train home"]}),
    ("POSTING", "/order", {"songs": ["harbour at dsk"]}, {"songs": ["harbour at dsk", "larst train home"]}),
    *(work for flow in ("steady", "harmonic") for work in (
        ("STEP", "/playlist", {**SONG, "songs": 2, "flow": flow}, {**SONG, "songs": 100, "flow": flow}),
        ("ARRANGED", "/playlist", {**SONG, "songs": 2, "flow": flow}, {**SONG, "songs": 100, "flow": flow}))),
    ("ARRANGED", "/playlist", {**SONG, "minutes": 9}, {**SONG, "minutes": 300}),
    ("STEP", "/path", {**ENDS, "length": 3}, {**ENDS, "length": 30}),
    ("STEPPED", "/path", {**ENDS, "length": 12, "filters": {"energy": [0, 0.3]}},
     {**ENDS, "length": 12, "via": [{"id": one} for one in IDS[50:58]]}),
    ("SEARCH", "/path", {**ENDS, "length": 9}, {**ENDS, "length": 9, "via": [{"features": {"energy": 0.5}}]}),
    ("SEARCH", "/batch", {"requests": [{"path": "/path", "body": ENDS}]},
     {"requests": [{"path": "/path", "body": ENDS}] * 3}),
]  # fmt: skip


@pytest.fixture(scope="module")
def demo_client(demo_artifacts):
    return client_of(demo_artifacts)


@pytest.mark.parametrize(("work", "path", "less", "more"), RAISED)
def test_whatever_a_caller_can_raise_raises_the_price(demo_client, monkeypatch, work, path, less, more):
    charged, kind = [], getattr(limits, work)
    monkeypatch.setattr(search, "search_budget", lambda *_: search.Budget(500, 100))  # as in a larger catalogue
    monkeypatch.setattr(RequestBudget, "charge", lambda _, charge, count: charged.append((charge, count)))

    def count(body):
        charged.clear()
        assert demo_client.post(path, json=body).status_code == 200
        return sum(count for one, count in charged if one is kind)

    assert count(more) >= 1.5 * count(less) > 0


def test_a_larger_catalogue_makes_an_ordinary_request_dearer(demo_catalog, world_catalog):
    small, large = recommendation.ordinary_price(world_catalog), recommendation.ordinary_price(demo_catalog)
    assert limits.REQUEST.price < small < large


def test_outside_of_a_request_nothing_is_bounded():
    checkpoint()
    check_exact(10**9, 400)
    with pytest.raises(InvalidQuery), RequestBudget(FairLock(), max_pairs=10):
        check_exact(11, 1)


PART = {"path": "/recommend", "body": {"song_id": "piano-1"}}
LIST = {"song_id": "piano-1", "songs": 5}


@pytest.mark.parametrize(("before", "after", "path", "body"), [
    ((batch, "_parse_request"), (batch, "_parse_request"), "/batch", {"requests": [PART] * 3}),
    ((request_context, "parse_body"), (radio, "songs_by_ids"), "/continue", {"played": ["piano-1", "metal-1"]}),
    ((resolver, "candidates"), (matching, "artist_names_by_song"), "/order", {"songs": ["slow rian"]}),
    ((playlists, "rank_candidates"), (playlists, "_choose_songs"), "/playlist", LIST),
    ((flows, "shared_artist_matrix"), (flows, "shortest_order"), "/playlist", LIST),
    ((playlists, "_choose_songs"), (playlists, "measure_flow"), "/playlist", LIST),
    ((playlists, "measure_flow"), (serializers, "list_response"), "/playlist", LIST),
])  # fmt: skip
def test_others_may_go_first_between_pieces_that_take_long(world_artifacts, monkeypatch, before, after, path, body):
    events, checkpoint_of = [], RequestBudget.checkpoint
    monkeypatch.setattr(RequestBudget, "checkpoint", lambda self: (events.append("others"), checkpoint_of(self)))
    for module, name in {before, after}:
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, original=original, name=name: (
            events.append(f"{name} begins"), original(*given), events.append(f"{name} ends"))[1])  # fmt: skip
    assert client_of(world_artifacts).post(path, json=body).status_code == 200
    first = events.index(f"{before[1]} ends")
    assert "others" in events[first : events.index(f"{after[1]} begins", first)]


def test_a_batch_queues_anew_for_each_part(world_artifacts, monkeypatch):
    service = Service(Config(world_artifacts))
    taken = []
    acquire = service._engine_lock.acquire
    monkeypatch.setattr(service._engine_lock, "acquire", lambda *given: (taken.append(given[0]), acquire(*given)))
    answer = Client(Request.application(service.handle)).post("/batch", data=json.dumps({"requests": [PART] * 3}))
    assert answer.status_code == 200
    assert len(taken) == 4
    assert taken == sorted(taken)
