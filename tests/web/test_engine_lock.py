"""One request at a time is in the engine; who waits for it, and who must not."""

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Waiting

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.engine import recommendation
from segue.web.service import Service

CALLED = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "search_songs", "arguments": {"q": "rain"}},
}
GOOD = {"method": "POST", "path": "/recommend", "json": {"song_id": "piano-1"}}
MOMENT = 0.3  # seconds in which a request that need not wait would have been answered
PATIENCE = 20


@pytest.fixture
def client(world_artifacts):
    function = Client(Request.application(Service(Config(world_artifacts)).handle))
    assert function.get("/readyz").status_code == 200
    assert function.get("/v1/tracks/piano-1").status_code == 200
    assert function.get("/rest/ping").status_code == 200
    return function


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
def engaged(client, pool, monkeypatch):
    """A request is in the engine, and stays there until the event is set."""
    recommend, begun, go_on = recommendation.recommend, threading.Event(), threading.Event()

    def slow(songs, query):
        begun.set()
        assert go_on.wait(PATIENCE)
        return recommend(songs, query)

    monkeypatch.setattr(recommendation, "recommend", slow)
    first = pool.submit(client.open, **GOOD)
    assert begun.wait(PATIENCE)
    yield go_on
    go_on.set()
    assert first.result(PATIENCE).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"method": "POST", "path": "/recommend", "data": "[" * 60_000, "content_type": "application/json"}, 400),
        ({"path": "/recommend", "query_string": {"limits": 1}}, 400),
        ({"path": "/search", "query_string": {"q": "rain"}}, 200),
        ({"path": "/v1/search", "query_string": {"q": "rain", "type": "track"}}, 200),
        ({"path": "/v1/recommendations"}, 400),
        ({"path": "/rest/search3", "query_string": {"query": "rain"}}, 200),
        ({"method": "POST", "path": "/mcp", "data": "[" * 60_000}, 400),
        ({"method": "POST", "path": "/mcp", "json": CALLED}, 200),
    ],
)
def test_what_takes_the_interpreter_long_waits_for_the_engine(client, pool, engaged, asked, status):
    later = pool.submit(client.open, **asked)
    with pytest.raises(Waiting):
        later.result(MOMENT)
    engaged.set()
    assert later.result(PATIENCE).status_code == status


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/clusters", "/songs/piano-1", "/nowhere", "/v1/me", "/rest/ping"]
)
def test_what_takes_no_time_does_not_wait(client, pool, engaged, path):  # a request is in the engine
    assert pool.submit(client.get, path).result(PATIENCE).status_code in (200, 404)


class Slow:
    """A body that comes when it comes."""

    def __init__(self, body):
        self.body, self.begun, self.go_on = body, threading.Event(), threading.Event()

    def read(self, _size=-1):
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        body, self.body = self.body, b""
        return body


def test_nobody_waits_for_a_body_that_comes_slowly(client, pool):
    body = Slow(b'{"song_id": "piano-1"}')
    environ = {"wsgi.input": body, "wsgi.input_terminated": True}
    first = pool.submit(client.post, "/recommend", content_type="application/json", environ_overrides=environ)
    assert body.begun.wait(PATIENCE)
    assert pool.submit(client.open, **GOOD).result(PATIENCE).status_code == 200
    body.go_on.set()
    assert first.result(PATIENCE).status_code == 200
