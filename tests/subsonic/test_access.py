"""Who gets an answer of the OpenSubsonic API where the service is closed by keys, and what is logged of it."""

import json

import pytest

from segue.subsonic.routes import METHODS, UNAUTHENTICATED_METHOD
from tests.support.gateway import KEY, LOCKED, client_of, lines

__all__ = ["client_of", "lines"]  # fixtures
SEARCH = {"f": "json", "query": "slow rain"}
ENCODED = f"enc:{KEY.encode().hex()}"


@pytest.fixture
def client(client_of):
    return client_of(**LOCKED)


def code_of(answer):
    assert answer.status_code == 200
    body = answer.json["subsonic-response"]
    return body["error"]["code"] if body["status"] == "failed" else None


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ({"apiKey": KEY}, None),
        ({"u": "anybody", "p": KEY}, None),
        ({"u": "anybody", "p": ENCODED}, None),
        ({"u": "anybody", "p": ENCODED.upper().replace("ENC", "enc")}, None),
        ({}, 10),
        ({"u": "anybody"}, 10),
        ({"apiKey": "", "p": ""}, 10),
        ({"u": "anybody", "p": "another"}, 40),
        ({"u": "anybody", "p": "enc:zz"}, 40),
        ({"u": "anybody", "p": "enc:"}, 40),
        ({"u": "anybody", "t": "26719a1196d2a940705a59634eb18eab", "s": "c19b2d"}, 41),
        ({"u": "anybody", "s": "c19b2d"}, 41),
        ({"apiKey": KEY, "u": "anybody"}, 43),
        ({"apiKey": KEY, "p": KEY}, 43),
        ({"u": "anybody", "p": KEY, "t": "x", "s": "y"}, 43),
        ({"apiKey": KEY[:-1]}, 44),
        ({"apiKey": KEY * 100}, 44),
    ],
)
def test_a_key_may_be_shown_in_each_way_of_the_api(client, shown, code):
    assert code_of(client.get("/rest/search3", query_string=SEARCH | shown)) == code
    assert code_of(client.post("/rest/search3.view", data=SEARCH | shown)) == code


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {KEY}"}, {"X-Api-Key": KEY}])
def test_a_key_in_a_header_opens_as_everywhere(client, headers):
    assert code_of(client.get("/rest/search3", query_string=SEARCH, headers=headers)) is None
    tokens = {"u": "anybody", "t": "x", "s": "y"}
    assert code_of(client.get("/rest/search3", query_string=SEARCH | tokens, headers=headers)) is None


@pytest.mark.parametrize(
    "method", [*METHODS, "", "nowhere", f"{UNAUTHENTICATED_METHOD}/x", f"x/{UNAUTHENTICATED_METHOD}"]
)
def test_without_a_key_nothing_but_the_list_of_extensions_is_answered(client, method):
    for http in ("GET", "POST", "HEAD", "PUT", "OPTIONS"):
        answer = client.open(f"/rest/{method}", method=http, query_string={"f": "json", "id": "piano-1"})
        assert "X-Segue-Model" not in answer.headers
        if http in ("GET", "POST"):
            assert code_of(answer) == (None if method == UNAUTHENTICATED_METHOD else 10)


def test_a_key_for_one_path_opens_no_other(client):
    shown = {"apiKey": KEY}
    assert client.get("/readyz", query_string=shown).status_code == 401
    assert client.get("/v1/tracks/piano-1", query_string=shown).status_code == 401
    assert client.get("/restaurant", query_string=shown).status_code == 401


def test_who_has_an_answer_still_is_not_told_without_a_key(client):
    url = "/rest/search3?query=rain"
    tag = client.get(url, headers={"X-Api-Key": KEY}).headers["ETag"]
    assert client.get(url, headers={"X-Api-Key": KEY, "If-None-Match": tag}).status_code == 304
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_a_form_that_can_not_be_read_opens_nothing(client):
    large = client.post(f"/rest/search3?f=json&apiKey={KEY}", data={"query": "x" * 20_000})
    assert (large.status_code, large.json["subsonic-response"]["error"]["code"]) == (413, 0)


def test_without_keys_everybody_may_ask_whatever_is_shown(client_of):
    for shown in ({}, {"u": "me", "t": "x", "s": "y"}, {"u": "me", "p": "any"}, {"apiKey": "any"}):
        assert code_of(client_of().get("/rest/search3", query_string=SEARCH | shown)) is None


def test_a_refusal_is_as_open_to_pages_as_an_answer(client, client_of):
    page = {"Origin": "https://app.example"}
    assert client.get("/rest/ping", headers=page).headers["Access-Control-Allow-Origin"] == "*"
    listed = client_of(SEGUE_CORS="https://songs.example", **LOCKED)
    assert "Access-Control-Allow-Origin" not in listed.get("/rest/ping", headers=page).headers


def test_a_line_of_the_log_names_the_method_and_nothing_that_a_caller_wrote(client, lines, world_catalog):
    client.get("/rest/search3.view", query_string=SEARCH | {"apiKey": KEY})
    client.get("/rest/search3", query_string={"apiKey": "SECRET", "query": "SECRET"})
    client.get("/rest/SECRET", query_string={"apiKey": KEY, "query": "SECRET"})
    assert [line["message"] for line in lines] == ["rest/search3 200", "none 200", "none 200"]
    assert [line["model"] for line in lines] == [world_catalog.version, None, None]
    assert 0 < lines[0]["search"] < lines[0]["duration"]
    assert not any(secret in json.dumps(lines) for secret in ("SECRET", KEY, "rain"))
