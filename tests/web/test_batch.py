"""Several requests in one body: each is answered as it would be alone, and all together are bounded."""

import json
import logging

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.errors import StoreError
from segue.web import request_context
from segue.web.service import Service
from segue.web.views import journeys

GOOD = [
    ("/recommend", {"song": "Slow Rain", "limit": 2}),
    ("/path", {"from": "Slow Rain", "to": "Neon Waltz", "length": 4}),
    ("/playlist", {"seeds": [{"genre": "disco"}], "songs": 3, "flow": "rise"}),
    ("/order", {"songs": ["Slow Rain", {"id": "metal-1"}, "Nobody Knows This"], "flow": "rise"}),
    ("/continue", {"played": ["piano-1"], "skipped": ["metal-1"], "limit": 2}),
]
BAD = [
    ("/recommend", {"song": "Slow Rain", "limit": 0, "limt": 1}),
    ("/recommend", {"song": "Nobody Knows This"}),
    ("/path", {"from": "Slow Rain", "to": "slow rain"}),
    ("/playlist", {"cluster": 10_000}),
    ("/continue", {"played": ["gone"]}),
    ("/continue", []),
]


@pytest.fixture(scope="module")
def service(world_artifacts):
    return Service(Config(world_artifacts))


@pytest.fixture(scope="module")
def client(service):
    return Client(Request.application(service.handle))


def asked(client, *requests):
    return client.post("/batch", json={"requests": [{"path": path, "body": body} for path, body in requests]})


def test_each_request_is_answered_as_it_would_be_alone(client):
    together = asked(client, *GOOD, *BAD)
    alone = [client.post(path, json=body) for path, body in (*GOOD, *BAD)]
    assert together.status_code == 200
    assert together.json == {"answers": [{"status": one.status_code, "body": one.json} for one in alone]}
    assert [one.status_code for one in alone] == [200] * len(GOOD) + [400, 404, 400, 400, 404, 400]


@pytest.mark.parametrize(("request_", "pointer", "detail"), [
    ({"path": "/recomend", "body": {}}, "/path", "unknown path '/recomend'; did you mean '/recommend'?"),
    ({"path": "/batch", "body": {"requests": []}}, "/path", None),
    ({"path": 7, "body": {}}, "/path", "expected a text"),
    ({"body": {}}, "/path", None),
    ({"path": "/path", "body": {}, "boddy": 1}, "/boddy", "unknown field 'boddy'; did you mean 'body'?"),
    ("/recommend", "", "expected an object with path, body"),
])  # fmt: skip
def test_a_request_that_is_none_is_told_so_and_the_others_are_answered(client, request_, pointer, detail):
    body = {"requests": [{"path": "/recommend", "body": {"song": "Slow Rain"}}, request_]}
    good, bad = client.post("/batch", json=body).json["answers"]
    assert (good["status"], bad["status"]) == (200, 400)
    found = {error["pointer"]: error["detail"] for error in bad["body"]["errors"]}
    assert f"/requests/1{pointer}" in found
    assert detail in (None, found[f"/requests/1{pointer}"])


def test_a_request_without_a_body_is_told_what_it_needs(client):
    (answer,) = client.post("/batch", json={"requests": [{"path": "/path"}]}).json["answers"]
    assert answer["body"]["errors"][0]["detail"].startswith("expected an object with from, to")


@pytest.mark.parametrize(("body", "pointers"), [
    ({}, ["/requests"]),
    ({"requests": []}, ["/requests"]),
    ({"requests": {}}, ["/requests"]),
    ([], ["", "/requests"]),
    ({"request": []}, ["/request", "/requests"]),
    ({"requests": [{"path": "/recommend", "body": {"song": "Slow Rain"}}] * 51}, ["/requests"]),
])  # fmt: skip
def test_a_body_that_is_no_batch_is_a_400(client, body, pointers):
    answer = client.post("/batch", json=body)
    assert (answer.status_code, [error["pointer"] for error in answer.json["errors"]]) == (400, pointers)


def test_fifty_requests_may_ask_for_fifty_songs_each(client):
    most = [("/recommend", {"song": "Slow Rain", "limit": 50})] * 50
    assert {one["status"] for one in asked(client, *most).json["answers"]} == {200}


FEW = 20  # ordinary requests


@pytest.mark.parametrize("request_", GOOD, ids=lambda request: request[0])
def test_a_batch_is_answered_until_it_costs_what_one_request_may(world_artifacts, request_):
    service = Service(Config(world_artifacts, request_cost=FEW))
    answers = asked(Client(Request.application(service.handle)), *[request_] * 50).json["answers"]
    statuses = [answer["status"] for answer in answers]
    assert 1 < statuses.count(200) < 50
    assert statuses == sorted(statuses)
    assert [answer["body"] for answer in answers if answer["status"] == 200] == [answers[0]["body"]] * statuses.count(
        200
    )
    (detail,) = {answer["body"]["detail"] for answer in answers if answer["status"] == 400}
    assert detail.startswith(
        f"with the requests before it this takes more work than {FEW} ordinary requests, most of all "
    )
    assert detail.endswith(" (SEGUE_REQUEST_COST); or send it in another batch")


def test_what_costs_too_much_alone_is_not_sent_to_another_batch(world_artifacts):
    client = Client(Request.application(Service(Config(world_artifacts, request_cost=0.1)).handle))
    alone, (first, second) = client.post("/path", json=GOOD[1][1]), asked(client, GOOD[1], GOOD[1]).json["answers"]
    assert (alone.status_code, first["status"], second["status"]) == (400, 400, 400)
    assert alone.json == first["body"]
    assert (
        second["body"]["detail"] == f"with the requests before it {alone.json['detail']}; or send it in another batch"
    )


def test_what_is_refused_alone_does_not_count(client):
    refused = [("/recommend", {"song": "Slow Rain", "limit": 1000})] * 50
    assert {one["status"] for one in asked(client, *refused).json["answers"]} == {400}


def test_an_error_of_ours_in_one_request_leaves_the_others_alone(client, monkeypatch, caplog):
    def fails(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(journeys, "PATH", journeys.PATH._replace(execute=fails))
    with caplog.at_level(logging.ERROR):
        answers = asked(client, *GOOD).json["answers"]
    assert [answer["status"] for answer in answers] == [200, 500, 200, 200, 200]
    assert "secret" not in json.dumps(answers)
    assert "a request of a batch failed" in caplog.text


def test_artifacts_that_are_lost_fail_the_batch_so_that_it_is_answered_from_others(client, monkeypatch):
    def lost(*_):
        raise StoreError("vectors.npy")

    monkeypatch.setattr(journeys, "PATH", journeys.PATH._replace(execute=lost))
    assert asked(client, *GOOD).status_code == 503


def test_a_batch_may_be_as_large_as_told(client):
    ids = ["x" * 64] * 7_000
    requests = [("/continue", {"played": ["piano-1", *ids]})] * 2
    body = {"requests": [{"path": path, "body": body} for path, body in requests]}
    assert request_context.QUERY_LIMITS.bytes < len(json.dumps(body)) < request_context.LARGE_LIMITS.bytes
    assert {answer["status"] for answer in client.post("/batch", json=body).json["answers"]} == {200}
    assert client.post("/batch", data=b" " * (request_context.LARGE_LIMITS.bytes + 1)).status_code == 413
    assert (
        client.post("/batch", data=b"[" + b"0," * (request_context.LARGE_LIMITS.commas + 1) + b"0]").status_code
        == 413
    )


def test_a_turn_is_given_up_between_requests(service, client, monkeypatch):
    turns = []

    class Lock:
        def acquire(self, *_):
            turns.append("taken")

        def release(self):
            turns.append("given up")

        def __len__(self):
            return 0

    monkeypatch.setattr(service, "_engine_lock", Lock())
    asked(client, *GOOD)
    assert turns == ["taken", "given up"] * (1 + len(GOOD))
