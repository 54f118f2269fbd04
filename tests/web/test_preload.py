"""Preloading: everything is open when the first request comes, and nothing fails that would not fail later."""

import sys

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.dialects import json_response
from segue.web.service import Service, preload


def test_preloading_opens_what_requests_need(world_artifacts):
    service = Service(Config(world_artifacts))
    preload(service.handle)
    opened = set(service.catalog()._arrays)
    assert {"vectors", "id_hashes", "names_heap", "cell_centroids", "works"} <= opened


def test_preloading_opens_what_journeys_need(world_artifacts):
    service = Service(Config(world_artifacts))
    preload(service.handle)
    opened, modules = set(service.catalog()._arrays), set(sys.modules)
    client = Client(Request.application(service.handle))
    ends = {"from": {"id": "piano-1"}, "to": {"id": "metal-1"}, "length": 4}
    for path, body in (
        ("/path", ends),
        ("/playlist", {"song_id": "piano-1"}),
        ("/continue", {"played": ["piano-1"]}),
    ):
        assert client.post(path, json=body).status_code == 200
    assert (set(service.catalog()._arrays), set(sys.modules)) == (opened, modules)


def test_a_function_without_artifacts_starts_all_the_same(tmp_path, caplog):
    service = Service(Config(tmp_path))
    preload(service.handle)
    assert "not preloaded: a request answers 503" in caplog.text


@pytest.mark.parametrize("cluster", [{"status": 503}, {"songs": []}])
def test_a_function_starts_without_songs_to_preload(cluster):
    paths = []

    def handle(request):
        paths.append(request.path)
        if request.path == "/readyz":
            return json_response({"version": "v"})
        return json_response(cluster, cluster.get("status", 200))

    preload(handle)
    assert paths == ["/readyz", "/clusters/0"]
