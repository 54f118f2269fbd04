"""Events of AWS: each kind of payload, whole and broken, gets the answer that HTTP would."""

import base64
import hashlib
import json

import pytest
from apig_wsgi import make_lambda_handler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web import aws_lambda
from segue.web.gateway import Gateway
from segue.web.service import Service
from tests.support.aws_events import balancer, rest, url

KEY = "a-key-of-the-tests"
LOCKED = {"SEGUE_API_KEYS": hashlib.sha256(KEY.encode()).hexdigest()}
KINDS = pytest.mark.parametrize("kind", [url, rest, balancer])


@pytest.fixture(scope="module")
def invoke_with(world_artifacts):
    """Makes a Lambda handler of the small world, set up by variables."""

    def made(**environ):
        front = Gateway(Service(Config(world_artifacts)).handle, environ, json.dumps)
        adapter = make_lambda_handler(Request.application(front.handle), binary_support=True)
        return lambda event: aws_lambda.handle_event(adapter, event, None)

    return made


@pytest.fixture(scope="module")
def invoke(invoke_with):
    return invoke_with()


def content(answer):
    body = answer["body"]
    return json.loads(base64.b64decode(body) if answer["isBase64Encoded"] else body)


def headers_of(answer):
    """Header names in small letters; of several values the last."""
    several = answer.get("multiValueHeaders") or {name: [value] for name, value in answer["headers"].items()}
    return {name.lower(): values[-1] for name, values in several.items()}


@KINDS
def test_a_post_gets_its_answer(invoke, kind):
    answer = invoke(kind("POST", "/recommend", body=json.dumps({"song": "Déjà Rêvé", "limit": 1})))
    assert (answer["statusCode"], headers_of(answer)["content-type"]) == (200, "application/json")
    assert content(answer)["recommendations"][0]["id"].startswith("disco")


@KINDS
def test_a_base64_body_is_read(invoke, kind):
    body = base64.b64encode(json.dumps({"song": "Déjà Rêvé", "limit": 1}, ensure_ascii=False).encode()).decode()
    answer = invoke(kind("POST", "/recommend", body=body, base64=True))
    assert content(answer)["seeds"][0]["id"] == "disco-2"


@KINDS
@pytest.mark.parametrize("query", ["song=D%C3%A9j%C3%A0+R%C3%AAv%C3%A9", "song=D%C3%A9j%C3%A0%20R%C3%AAv%C3%A9"])
def test_encoded_parameters_are_read(invoke, kind, query):
    assert content(invoke(kind("GET", "/recommend", query + "&limit=1")))["seeds"][0]["id"] == "disco-2"


@KINDS
@pytest.mark.parametrize("path", ["/songs/%70iano-1", "/songs/piano%2D1", "/songs/piano-1/"])
def test_encoded_paths_are_read(invoke, kind, path):
    assert content(invoke(kind("GET", path)))["name"] == "Slow Rain"


@KINDS
@pytest.mark.parametrize("path", ["/songs/%C3%A9t%C3%A9", "/songs/été", "/songs/日本", "/songs/%ff", "/\udc80"])
def test_paths_beyond_ascii_are_not_found_in_words(invoke, kind, path):
    assert (invoke(kind("GET", path))["statusCode"]) == 404


@KINDS
def test_a_parameter_given_twice_is_a_fault_wherever_the_platform_tells(invoke, kind):
    answer = invoke(kind("GET", "/search", "q=slow&limit=2&limit=3"))
    assert answer["statusCode"] == (200 if kind is balancer else 400)  # a balancer keeps the last one


def test_several_values_of_a_header_reach_the_service_and_come_back(invoke_with):
    invoke = invoke_with(SEGUE_CORS="https://songs.example", **LOCKED)
    event = rest("GET", "/readyz", headers={"X-Api-Key": [KEY], "Origin": ["https://songs.example"]})
    answer = invoke(event)
    assert (answer["statusCode"], answer["multiValueHeaders"]["Vary"]) == (200, ["Origin"])
    assert answer["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["https://songs.example"]


@KINDS
def test_keys_open_behind_every_platform(invoke_with, kind):
    invoke = invoke_with(**LOCKED)
    assert invoke(kind("GET", "/readyz"))["statusCode"] == 401
    assert invoke(kind("GET", "/readyz", headers={"x-api-key": KEY}))["statusCode"] == 200
    assert invoke(kind("GET", "/readyz", headers={"Authorization": f"Bearer {KEY}"}))["statusCode"] == 200


def test_cookies_are_let_pass(invoke):
    answer = invoke(url("GET", "/readyz", cookies=["a=1", "b=é€"], headers={"cookie": "c=2"}))
    assert (answer["statusCode"], answer["cookies"]) == (200, [])


def test_a_console_test_of_a_rest_api_is_answered(invoke):
    """The console sends null for everything that it was not told."""
    event = rest("GET", "/healthz") | {"headers": None, "multiValueHeaders": None, "body": None}
    event |= {"queryStringParameters": None, "multiValueQueryStringParameters": None}
    assert content(invoke(event)) == {"status": "alive"}


@pytest.mark.parametrize(
    "event",
    [{"key1": "value1", "key2": "value2", "key3": "value3"}, {}, None, [], "warm up", {"version": "2.0"},
     {"version": "2.0", "requestContext": {"http": "no"}}, {"version": "9.9", "httpMethod": "GET"},
     {"source": "aws.events", "detail-type": "Scheduled Event", "version": "0"}],
)  # fmt: skip
def test_what_is_no_request_is_told_so(invoke, event):
    answer = invoke(event)
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (400, "application/problem+json")
    assert content(answer)["detail"].startswith("no HTTP request: expected the event of a function URL")


@KINDS
def test_a_body_that_is_no_base64_is_told_so(invoke, kind):
    answer = invoke(kind("POST", "/recommend", body="é!", base64=True))
    assert (answer["statusCode"], content(answer)["detail"]) == (
        400, "the body is not the Base64 that the event says it is",
    )  # fmt: skip


@pytest.mark.parametrize("event", [{"version": "2.0", "requestContext": {"http": {}}}, {"httpMethod": "GET"}])
def test_an_event_of_next_to_nothing_is_a_get_of_the_page(invoke, event):
    answer = invoke(event)
    assert (answer["statusCode"], headers_of(answer)["content-type"]) == (200, "text/html; charset=utf-8")


TEXTS = st.text(st.characters(codec=None), max_size=30)  # halves of surrogate pairs, too


@KINDS
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(path=TEXTS, query=TEXTS, body=TEXTS, header=TEXTS)
def test_no_text_makes_an_error(invoke, kind, path, query, body, header):
    event = kind("POST", f"/{path}", query, body, {"x-api-key": header, "cookie": header})
    assert 200 <= invoke(event)["statusCode"] < 500
