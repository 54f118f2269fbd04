"""How the OpenSubsonic API is asked and in which forms it answers, on the small world."""

import json

import pytest

from segue import VERSION, dialects
from segue.subsonic import request_params, routes
from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.dialects import client_of, xml
from tests.support.subsonic import HEAD, asked, failed

SPACE = "http://subsonic.org/restapi"
TRUTHS = {"true": True, "false": False}


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def test_what_is_asked_of_the_server_needs_no_artifacts(tmp_path):
    client = client_of(tmp_path)
    assert asked(client, "ping") == {}
    assert asked(client, "getLicense") == {"license": {"valid": True}}
    assert asked(client, "tokenInfo") == {"tokenInfo": {"username": "segue"}}
    assert asked(client, "getOpenSubsonicExtensions") == {
        "openSubsonicExtensions": [
            {"name": "apiKeyAuthentication", "versions": [1]},
            {"name": "formPost", "versions": [1]},
            {"name": "sonicSimilarity", "versions": [1]},
            {"name": "topSongsByArtistId", "versions": [1]},
        ]
    }
    code, message = failed(client, "search3", 503, query="rain")
    assert (code, "segue fit" in message) == (0, True)


@pytest.mark.parametrize("path", ["/rest/ping", "/rest/ping.view", "/rest/ping/"])
def test_a_method_has_a_suffix_or_none_and_a_url_or_a_form(client, path):
    expected = {"subsonic-response": {"status": "ok", **HEAD}}
    assert client.get(f"{path}?f=json&u=me&v=1.16.1&c=tests").json == expected
    assert client.post(path, data={"f": "json", "u": "me"}).json == expected
    assert client.post(f"{path}?f=json", data="f=xml").json == expected


def test_an_answer_is_xml_unless_it_is_wanted_otherwise(client):
    answer = client.get("/rest/getOpenSubsonicExtensions")
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    assert answer.get_data(as_text=True) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<subsonic-response xmlns="http://subsonic.org/restapi" status="ok"'
        f' version="1.16.1" type="segue" serverVersion="{VERSION}" openSubsonic="true">'
        '<openSubsonicExtensions name="apiKeyAuthentication"><versions>1</versions></openSubsonicExtensions>'
        '<openSubsonicExtensions name="formPost"><versions>1</versions></openSubsonicExtensions>'
        '<openSubsonicExtensions name="sonicSimilarity"><versions>1</versions></openSubsonicExtensions>'
        '<openSubsonicExtensions name="topSongsByArtistId"><versions>1</versions></openSubsonicExtensions>'
        "</subsonic-response>"
    )


def test_jsonp_calls_the_function_that_it_is_told(client):
    answer = client.get("/rest/ping?f=jsonp&callback=player.heard")
    assert (answer.status_code, answer.mimetype) == (200, "application/javascript")
    text = answer.get_data(as_text=True)
    assert text.startswith("player.heard(")
    assert json.loads(text.removeprefix("player.heard(").removesuffix(");"))["subsonic-response"]["status"] == "ok"


@pytest.mark.parametrize("callback", ["", "alert(1)", "1a", "a" * 101, "a\n"])
def test_jsonp_calls_nothing_but_a_name(client, callback):
    assert failed(client, "ping", f="jsonp", callback=callback)[0] == 10


def test_an_unknown_format_is_told_the_known_ones_in_xml(client):
    (error,) = xml(client.get("/rest/ping?f=zip"))
    assert error.attrib == {"code": "0", "message": "f: expected xml, json or jsonp"}


def test_xml_holds_what_json_does(client):
    query = {"query": "velvet", "songCount": 3}
    found = asked(client, "search3", **query)["searchResult3"]
    (result,) = xml(client.get("/rest/search3", query_string=query))
    told = {kind: [read(element) for element in result if element.tag == f"{{{SPACE}}}{kind}"] for kind in found}
    assert told == {kind: [without_empty_lists(shape) for shape in shapes] for kind, shapes in found.items()}


def without_empty_lists(shape):
    """What XML can hold of a JSON object, numbers as texts."""
    return {name: value for name, value in json.loads(json.dumps(shape), parse_int=str).items() if value != []}


def read(element):
    """An element with its lists, numbers as texts."""
    shape = {name: TRUTHS.get(value, value) for name, value in element.attrib.items()}
    for child in element:
        shape.setdefault(child.tag.removeprefix(f"{{{SPACE}}}"), []).append(read(child))
    return shape


def test_xml_of_any_name_can_be_read(tmp_path):
    rows = world.rows()
    rows[0] |= {"name": "<&\"'\x0b\u0085\uffff\u202e🎵>"}
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    answer = client_of(tmp_path / "artifacts").get("/rest/getTopSongs?artist=ada+lindqvist")
    titles = [song.get("title") for song in xml(answer)[0]]
    assert any(title.startswith("<&\"'") and title.endswith("🎵>") for title in titles)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_of_http_is_told_the_right_ones(client, method):
    answer = client.open("/rest/ping?f=json", method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert answer.json["subsonic-response"]["error"] == {"code": 0, "message": "expected one of GET, HEAD, POST"}


@pytest.mark.parametrize("method", ["", "getPlaylists", "stream.view", "search3/x", "PING", "x" * 99])
def test_what_is_not_served_is_told_what_is(client, method):
    code, message = failed(client, method)
    assert (code, message.endswith(f"is not served; what is: {', '.join(routes.METHODS)}")) == (70, True)


def test_a_form_is_read_as_far_as_one_may_reach(client):
    large, crowded = (
        "a" * (dialects.MAX_FORM_BYTES + 1),
        "&".join("a=1" for _ in range(dialects.MAX_FORM_FIELDS + 1)),
    )
    for form in (large, crowded):
        answer = client.post("/rest/ping?f=json", data=form, content_type=request_params.FORM_TYPE)
        assert (answer.status_code, answer.json["subsonic-response"]["error"]["code"]) == (413, 0)


def test_any_page_may_read_the_answers(client):
    answers = [client.get("/rest/ping"), client.get("/rest/nowhere"), client.options("/rest/search3")]
    assert [answer.headers["Access-Control-Allow-Origin"] for answer in answers] == ["*"] * 3
    assert answers[-1].status_code == 204
