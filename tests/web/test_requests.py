"""Requests as the description has them, at fault and not: what the service answers."""

import json
from io import BytesIO

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.query import parser
from segue.web import request_context, service
from tests.support.openapi import CHECKS, DOCUMENT, OWN, SCHEMAS, Late, described, limits, parameter, somewhere

EXAMPLES = [
    pytest.param(path, example["value"], id=f"{path} {name}")
    for path, item in OWN.items() if "post" in item
    for name, example in item["post"]["requestBody"]["content"]["application/json"]["examples"].items()
]  # fmt: skip
QUICK, THOROUGH = 12, 120  # examples an operation


@pytest.fixture(scope="session")
def app(demo_artifacts):
    return Request.application(service.Service(Config(demo_artifacts)).handle)


@pytest.fixture(scope="session")
def client(app):
    return Client(app)


@pytest.mark.parametrize(
    ("path", "name", "low", "high"),
    [
        ("/search?q=anchor&", "limit", 1, 50),
        ("/clusters/0?", "limit", 1, 100),
        ("/clusters/0?", "offset", 0, 10**9),
        ("/artists/Rosalind & the Records?", "limit", 1, 100),
        ("/artists/Rosalind & the Records?", "offset", 0, 10**9),
        ("/recommend?song=Anchor&", "limit", 1, 100),
        ("/recommend?song=Anchor&", "max_per_artist", 1, 100),
    ],
)
def test_a_url_takes_the_limits_of_a_parameter_and_nothing_beyond(client, path, name, low, high):
    shape = path.partition("?")[0].replace("/0", "/{id}").replace("Rosalind & the Records", "{name}")
    schema = parameter(shape, name)
    assert limits(SCHEMAS["Limit"] if "$ref" in schema else schema) == (low, high)
    answers = [client.get(f"{path}{name}={value}").status_code for value in (low - 1, low, high, high + 1)]
    assert answers == [400, 200, 200, 400]


@pytest.mark.parametrize(("path", "body"), EXAMPLES)
def test_the_examples_work_on_the_demo_catalogue(client, path, body):
    answer = client.post(path, json=body)
    assert answer.status_code == 200
    wanted = next((body[name] for name in ("limit", "length", "songs") if name in body), None)
    if path == "/recommend":
        assert len(answer.json["recommendations"]) == (wanted or 10)
    elif path == "/batch":
        assert [one["status"] for one in answer.json["answers"]] == [200] * len(body["requests"])
    elif path == "/order":
        assert (len(answer.json["songs"]), answer.json["unknown"]) == (len(wanted), [])
    elif wanted:
        assert len(answer.json["songs"]) == wanted


@pytest.mark.parametrize("path", [path for path, item in DOCUMENT["paths"].items() if "get" in item])
def test_the_examples_of_parameters_work_on_the_demo_catalogue(client, path):
    listed = DOCUMENT["paths"][path]["get"].get("parameters", [])
    given = {
        entry["name"]: entry["example"] if entry.get("explode", True) else ",".join(entry["example"])
        for entry in listed if "example" in entry
    }  # fmt: skip
    answer = client.get(
        path.format_map(given), query_string={k: v for k, v in given.items() if "{" + k + "}" not in path}
    )
    assert answer.status_code == 200


ODD_BODIES = {
    "empty": (b"", [""]),
    "a string": (b'"Anchor"', [""]),
    "deep": (b"[" * 100_000, [""]),
    "not a number": (b'{"song": "Anchor", "limit": NaN}', [""]),
    "infinite": (b'{"song": "Anchor", "limit": 1e999, "diversity": -1e999}', ["/limit", "/diversity"]),
    "5,000 digits": (b'{"song": "Anchor", "limit": %s}' % (b"9" * 5000), ["/limit"]),
    "broken Unicode": (rb'{"song": "\ud800", "filters": {"x\ud800": 1}}', ["/song", "/filters/x?"]),
    "a pointer's own characters": (b'{"song": "Anchor", "a/b~c": 1}', ["/a~1b~0c"]),
}


@pytest.mark.parametrize(("body", "pointers"), [pytest.param(*odd, id=name) for name, odd in ODD_BODIES.items()])
def test_an_odd_body_is_a_400_that_points_to_every_fault(client, body, pointers):
    answer = client.post("/recommend", data=body, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == pointers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/songs/demo-0000033?x=1", 400),
        ("/clusters?x=1", 400),
        ("/clusters/0?limit=1.0", 400),
        ("/clusters/0?limit=2&limit=3", 400),
        ("/search?q=%00", 400),
        ("/search?q=anchor&a%2Fb=1", 400),
        ("/songs/a%2Fb", 404),
        ("/songs/%FF%C3%A9", 404),
        ("/songs/" + "x" * 300, 404),
        ("/clusters/-1", 404),
        ("/clusters/" + "9" * 5000, 404),
        ("/clusters/999", 404),
        ("/genres?x=1", 400),
        ("/artists/", 404),
        ("/artists/%00", 400),
        ("/artists/%FF", 404),
        ("/artists/" + "x" * 601, 400),
        ("/artists/nobody?limit=0", 400),
        ("/artists/spotify:track:demo-0000033", 400),
        ("/c\u00e9", 404),
    ],
)
def test_an_odd_path_gets_its_status(client, path, status):
    answer = client.get(path)
    assert (answer.status_code, answer.json["status"]) == (status, status)


def test_a_slash_at_the_end_changes_nothing(client):
    assert client.get("/songs/demo-0000033/").json == client.get("/songs/demo-0000033").json


@pytest.mark.parametrize("documented", OWN)
def test_a_wrong_method_is_told_the_right_ones_and_head_is_among_them(client, documented):
    path = somewhere(documented)
    wrong, options, head = client.delete(path), client.options(path), client.head(path)
    assert (wrong.status_code, options.status_code, head.data) == (405, 204, b"")
    assert (
        wrong.headers["Allow"] == options.headers["Allow"] == wrong.json["detail"].removeprefix("this path answers ")
    )
    assert ({"GET", "HEAD"} <= set(wrong.headers["Allow"].split(", "))) == ("get" in OWN[documented])
    assert head.status_code == client.get(path).status_code


def test_a_url_beside_a_body_takes_no_parameters(client):
    answer = client.post("/recommend?limit=3", json={"song": "Anchor"})
    assert [error["pointer"] for error in answer.json["errors"]] == ["/limit"]


def test_a_body_is_json_and_of_a_bearable_size_whatever_it_says_of_its_length(client):
    large, crowded = (
        b" " * (request_context.QUERY_LIMITS.bytes + 1),
        b"[" + b"0," * (request_context.QUERY_LIMITS.commas + 1) + b"0]",
    )
    chunked = {"wsgi.input_terminated": True}
    answers = [
        client.post("/recommend", data=b"song=Anchor", content_type="text/plain"),
        client.post("/recommend", data=large, content_type="application/json"),
        client.post(
            "/recommend", input_stream=BytesIO(large), content_type="application/json", environ_overrides=chunked
        ),
        client.post("/recommend", data=crowded, content_type="application/json"),
    ]
    assert [answer.status_code for answer in answers] == [415, 413, 413, 413]
    assert answers[-1].json["detail"] == "a body may have 10000 commas at the most"


def test_the_largest_query_there_is_has_few_enough_commas(client):
    seed = {"features": dict.fromkeys(SCHEMAS["Features"]["properties"], 0), "weight": 1}
    lists = {
        name: ["x"] * parser.MAX_FILTER_ENTRIES
        for name in ("genres", "exclude_genres", "exclude_ids", "exclude_artists")
    }
    body = json.dumps({"seeds": [seed] * parser.MAX_SEEDS, "filters": lists}).encode()
    assert request_context.QUERY_LIMITS.commas / 2 < body.count(b",") < request_context.QUERY_LIMITS.commas
    assert client.post("/recommend", data=body, content_type="application/json").status_code == 400  # no such genre


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "POST", "json": {f"limit{number}": 1 for number in range(5_000)}},
        {"method": "POST", "json": {"song": "Anchor", "filters": {"exclude_ids": [""] * 1000}}},
        {"method": "POST", "json": {"song": "Anchor", "targets": {f"tempo{number}": 1 for number in range(5_000)}}},
        {"query_string": [(f"limit{number}", "1") for number in range(500)]},
        {"query_string": [("limit", "1")] * 500},
    ],
)
def test_a_request_at_fault_all_over_is_told_its_first_hundred_faults(client, asked):
    answer = client.open("/recommend", **asked)
    assert (answer.status_code, len(answer.json["errors"])) == (400, 100)
    assert answer.json["detail"] == "at least 100 things are wrong"


def test_without_artifacts_the_answer_is_503_with_the_command_to_run(tmp_path):
    answer = Client(Request.application(service.Service(Config(tmp_path)).handle)).get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "segue fit" in answer.json["detail"]


LATE = Late()


@pytest.fixture(scope="session")
def served(app):
    LATE.app = app


def narrowed():
    """The document, with ids and genres of the demo catalogue alone, so that most requests find something."""
    document = json.loads(json.dumps(DOCUMENT))
    document["components"]["schemas"]["Id"]["enum"] = [f"demo-{number:07}" for number in range(600)]
    document["components"]["schemas"]["Genre"]["enum"] = ["ambient", "jazz", "Indie Rock", "trance"]
    return document


ANY, MANY = described(DOCUMENT, LATE, QUICK), described(DOCUMENT, LATE, THOROUGH, coverage=False)
KNOWN = described(narrowed(), LATE, 2 * QUICK, coverage=False)
MANY_KNOWN = described(narrowed(), LATE, THOROUGH, coverage=False)


@ANY.parametrize()
def test_no_request_gets_an_answer_that_is_not_described(served, case):
    case.call_and_validate(checks=CHECKS)


@KNOWN.parametrize()
def test_no_request_for_what_there_is_gets_an_answer_that_is_not_described(served, case):
    case.call_and_validate(checks=CHECKS)


@pytest.mark.slow
@MANY.parametrize()
def test_none_of_many_requests_gets_an_answer_that_is_not_described(served, case):
    case.call_and_validate(checks=CHECKS)


@pytest.mark.slow
@MANY_KNOWN.parametrize()
def test_none_of_many_requests_for_what_there_is_gets_an_answer_that_is_not_described(served, case):
    case.call_and_validate(checks=CHECKS)
