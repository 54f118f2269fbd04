"""How the Spotify dialect answers whoever asks: tokens, methods, other paths, faults."""

import pytest

from segue.catalog.lookup.exact import artist_id
from segue.spotify import routes
from tests.support.dialects import client_of, told

ADA = artist_id("Ada Lindqvist")
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def test_any_client_gets_a_token(client):
    by_header = client.post("/api/token", data=GRANT, auth=("any", "one"))
    by_form = client.post("/api/token/", data={**GRANT, "client_id": "any", "client_secret": "one"})
    assert by_header.json == by_form.json == {
        "access_token": by_header.json["access_token"], "token_type": "Bearer", "expires_in": 3600,
    }  # fmt: skip
    bearer = {"Authorization": f"Bearer {by_header.json['access_token']}"}
    assert client.get("/v1/tracks/piano-1", headers=bearer).json == client.get("/v1/tracks/piano-1").json


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"data": {"grant_type": "authorization_code", "code": "x"}}, 400, "unsupported_grant_type"),
        ({"data": {}}, 400, "unsupported_grant_type"),
        ({"data": {"grant_type": "client_credentials"}}, 400, "invalid_client"),
        (
            {"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": "Basic %%"}},
            400,
            "invalid_client",
        ),
        ({"data": b"x" * 20_000}, 413, "invalid_request"),
        ({"data": "a=1&" * 60}, 413, "invalid_request"),
        ({"method": "GET"}, 405, "invalid_request"),
    ],
)
def test_a_token_that_is_refused_is_refused_as_oauth_does(client, asked, status, error):
    answer = client.open("/api/token", **{"method": "POST", **asked})
    assert answer.status_code == status
    assert set(answer.json) == {"error", "error_description"}
    assert answer.json["error"] == error


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/v1", "Spotify had no such route"),
        ("/v1/", "Spotify had no such route"),
        ("/v1/me/top/tracks", "a listener's account"),
        ("/v1/playlists/37i9dQZF1DXcBWIGoYBM5M", "a listener's account"),
        ("/v1/albums", "of albums only their names"),
        (f"/v1/artists/{ADA}/top-tracks", 'search for artist:"NAME"'),
        ("/v1/audio-analysis/piano-1", "no analysis from beat to beat"),
        ("/v1/tracks/piano-1/more", "Spotify had no such route"),
    ],
)
def test_any_other_path_is_a_404_that_says_why(client, path, why):
    message = told(client.get(path), 404)
    assert message.startswith(f"{path} is not served: ")
    assert why in message


def test_a_wrong_method_is_a_405_with_allow(client):
    answer = client.post("/v1/tracks/piano-1")
    assert told(answer, 405) == "/v1/tracks/piano-1 answers GET, HEAD"
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/v1/recommendations?seed_tracks=piano-1", "/v1/nothing", "/api/token"])
def test_programs_in_browsers_are_let_in(client, path):
    asked = {"Origin": "https://app.example", "Access-Control-Request-Headers": "authorization,content-type"}
    before = client.options(path, headers=asked)
    assert (before.status_code, before.data) == (204, b"")
    for answer in (before, client.get(path)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization, Content-Type" in answer.headers["Access-Control-Allow-Headers"]


def test_head_has_the_headers_of_get(client):
    head, get = (ask("/v1/tracks/piano-1") for ask in (client.head, client.get))
    assert (head.status_code, head.data, head.content_length) == (200, b"", get.content_length)


def test_missing_artifacts_are_a_503(tmp_path):
    answer = client_of(tmp_path).get("/v1/tracks/piano-1")
    assert "segue fit" in told(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0


def test_our_own_fault_is_a_500_that_tells_nothing(world_artifacts, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret /path")

    monkeypatch.setattr("segue.engine.recommendation.recommend", broken)
    assert "secret" not in told(client_of(world_artifacts).get("/v1/recommendations?seed_genres=disco"), 500)
    assert "secret" in caplog.text


def test_nothing_of_the_dialect_is_imported_before_it_is_spoken(world_artifacts):
    from tests.test_main import in_fresh_python

    code = """
import sys, main
from werkzeug.test import Client
from werkzeug.wrappers import Request
client = Client(Request.application(main.recommend))
for path in ("/recommend?song_id=piano-1", "/v1/tracks/piano-1"):
    assert client.get(path).status_code == 200
    print(any(name.startswith("segue.spotify") for name in sys.modules), "pyarrow" in sys.modules)
"""
    assert in_fresh_python(code, world_artifacts) == "False False\nTrue False\n"


def test_all_routes_have_a_view():
    assert {rule.endpoint for rule in routes.ROUTES.iter_rules()} <= set(dir(routes._Endpoints))
