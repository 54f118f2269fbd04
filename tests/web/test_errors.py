"""Errors that the service handles for every dialect: lost artifacts, faults of ours, requests that break off."""

import pytest
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.dialects import find_dialect, http_error
from segue.errors import ArtifactsError, HttpError, NoArtifacts, StoreError
from segue.web.service import Service

STORE_MESSAGE = "s3://secret-bucket/names.bin: the store fails"
REQUESTS = ["/recommend?song_id=piano-1", "/songs/piano-1", "/v1/tracks/piano-1", "/rest/search3?query=rain"]


class Lost:
    """A version whose files have vanished."""

    version = "lost"

    def unmap(self, limit):
        pass

    def __getattr__(self, name):
        raise StoreError(STORE_MESSAGE)


class Live:
    """Serves the first of some versions until it is asked to renew it."""

    def __init__(self, *catalogs):
        self.catalogs = list(catalogs)

    def catalog(self):
        return self.catalogs[0]

    def renew(self):
        del self.catalogs[:-1]
        return self.catalogs[0].version != "lost"


@pytest.fixture
def service(world_artifacts):
    return Service(Config(world_artifacts))


@pytest.mark.parametrize("path", REQUESTS)
def test_a_version_that_has_vanished_is_renewed_whatever_the_dialect(service, world_catalog, monkeypatch, path):
    monkeypatch.setattr(service, "_live", Live(Lost(), world_catalog))
    answer = Client(Request.application(service.handle)).get(path)
    assert (answer.status_code, answer.headers["X-Segue-Model"]) == (200, world_catalog.version)
    assert STORE_MESSAGE not in answer.text


@pytest.mark.parametrize("path", REQUESTS)
def test_no_dialect_shows_what_the_store_says(service, monkeypatch, path):
    monkeypatch.setattr(service, "_live", Live(Lost()))
    answer = Client(Request.application(service.handle)).get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "the store of the artifacts can't be read now" in answer.text.replace("&#x27;", "'")
    assert "secret" not in answer.text
    assert ("Access-Control-Allow-Origin" in answer.headers) == path.startswith(("/v1", "/rest"))


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (HttpError(409, "taken"), 409, "taken"),
        (ArtifactsError("names.npy is missing"), 503, "names.npy is missing"),
        (NoArtifacts("no artifacts in '/srv/secret'"), 503, "no artifacts: run 'segue fit' first"),
        (StoreError(STORE_MESSAGE), 503, "the store of the artifacts can't be read now"),
        (ClientDisconnected("secret"), 400, "the request ended before it was complete, or can't be read"),
        (KeyError("secret"), 500, "the fault is ours; the log has the details"),
    ],
)
def test_each_exception_has_one_status_and_message(error, status, message):
    found = http_error(error)
    assert (found.status, str(found), "Retry-After" in found.headers) == (status, message, status == 503)


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("/v1", "segue.spotify.routes"),
        ("/v1/", "segue.spotify.routes"),
        ("/v1/a\nb", "segue.spotify.routes"),
        ("/api/token/", "segue.spotify.routes"),
        ("/v12", "segue.web.routes"),
        ("/api/tokens", "segue.web.routes"),
        ("/rest", "segue.subsonic.routes"),
        ("/rest/ping.view", "segue.subsonic.routes"),
        ("/restless", "segue.web.routes"),
        ("", "segue.web.routes"),
        ("/recommend\n", "segue.web.routes"),
    ],
)
def test_each_path_has_its_dialect(path, module):
    assert find_dialect(path).__name__ == module
    for name in ("match", "error_response", "authentication_error", "HEADERS"):
        assert hasattr(find_dialect(path), name)
