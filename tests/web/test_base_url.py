"""The address at which callers reach the service: proxies, prefixes, stages."""

import json

import pytest
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Request

from segue.config import FORWARDED_HEADERS, Config
from segue.dialects import base_url
from segue.errors import ConfigError
from segue.web.aws_lambda import strip_stage
from segue.web.service import Service


def request_of(headers, base_url="http://inside:8080"):
    return Request(EnvironBuilder("/v1/search", base_url, headers=headers).get_environ())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "http://inside:8080"),
        ({"X-Forwarded-Proto": "https"}, "https://inside:8080"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "songs.example"}, "https://songs.example"),
        ({"X-Forwarded-Host": "songs.example", "X-Forwarded-Port": "8443"}, "http://songs.example:8443"),
        (
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "songs.example", "X-Forwarded-Port": "443"},
            "https://songs.example",
        ),
        ({"X-Forwarded-Host": "songs.example, proxy.inside"}, "http://songs.example"),
        ({"X-Forwarded-Host": "[2001:db8::1]:81", "X-Forwarded-Port": "9"}, "http://[2001:db8::1]:81"),
        ({"X-Forwarded-Prefix": "/music/"}, "http://inside:8080/music"),
        ({"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "a b<c"}, "http://inside:8080"),
        ({"X-Forwarded-Prefix": "//evil?", "Host": "a/b"}, "http://localhost"),
    ],
)
def test_proxies_that_are_trusted_tell_what_the_caller_saw(headers, expected):
    assert base_url(request_of(headers), None, FORWARDED_HEADERS) == expected


FORGED = {"Proto": "https", "Port": "8443", "Host": "evil.example", "Prefix": "/evil"}


@pytest.mark.parametrize(("environ", "trusted"), [
    ({}, ()),
    ({"SEGUE_TRUST_FORWARDED": "0", "K_SERVICE": "segue"}, ()),
    ({"AWS_LAMBDA_FUNCTION_NAME": "segue-dev"}, ("Proto", "Port")),
    ({"K_SERVICE": "segue"}, ("Proto", "Port")),
    ({"SEGUE_TRUST_FORWARDED": "1"}, ("Proto", "Port", "Host", "Prefix")),
    ({"SEGUE_TRUST_FORWARDED": "proto, host", "K_SERVICE": "segue"}, ("Proto", "Host")),
])  # fmt: skip
def test_headers_count_where_the_platform_sets_them_or_somebody_said_so(dialect_artifacts, environ, trusted):
    config = Config.from_environ({"SEGUE_ARTIFACTS": str(dialect_artifacts), **environ})
    assert config.forwarded_headers == trusted
    client = Client(Request.application(Service(config).handle))
    plain = client.get("/v1/search?q=genre:pop&type=track&limit=1")
    for name, value in FORGED.items():
        answer = client.get("/v1/search?q=genre:pop&type=track&limit=1", headers={f"X-Forwarded-{name}": value})
        assert (answer.data != plain.data) == (name in trusted)
        assert (answer.headers["ETag"] != plain.headers["ETag"]) == (name in trusted)
        again = client.get(
            "/v1/search?q=genre:pop&type=track&limit=1", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status_code == (200 if name in trusted else 304)  # a poisoned copy is not confirmed


def test_where_an_application_is_mounted_is_part_of_the_address():
    assert base_url(request_of({}, "https://songs.example/prod"), None) == "https://songs.example/prod"


def test_what_was_set_up_goes_first():
    assert (
        base_url(request_of({"X-Forwarded-Host": "other"}), "https://songs.example/api")
        == "https://songs.example/api"
    )


def test_the_address_is_read_from_the_environment_and_checked():
    assert Config.from_environ({"SEGUE_PUBLIC_URL": "https://songs.example/api/"}).public_url == (
        "https://songs.example/api"
    )
    assert Config.from_environ({}).public_url is None
    with pytest.raises(ConfigError, match="SEGUE_TRUST_FORWARDED: 'for' is neither 0, 1 nor a list of proto, port"):
        Config.from_environ({"SEGUE_TRUST_FORWARDED": "for"})
    for wrong in ("songs.example", "https://songs.example/?q=1", "ftp://songs.example"):
        with pytest.raises(ConfigError, match="SEGUE_PUBLIC_URL"):
            Config.from_environ({"SEGUE_PUBLIC_URL": wrong})


def test_the_next_page_can_be_asked_for_through_a_proxy(dialect_artifacts):
    client = Client(
        Request.application(Service(Config(dialect_artifacts, public_url="https://songs.example/api")).handle)
    )
    page = client.get("/v1/search?q=genre:pop&type=track&limit=1").json["tracks"]
    assert page["next"] == "https://songs.example/api/v1/search?q=genre%3Apop&type=track&limit=1&offset=1"
    assert page["items"][0]["href"].startswith("https://songs.example/api/v1/tracks/")


def rest(stage, path):
    """An event of a REST API: the stage stands in the request context only."""
    return {
        "version": "1.0", "httpMethod": "GET", "path": path, "queryStringParameters": {"ids": "piano-1"},
        "headers": {"Host": "abc.execute-api.example", "X-Forwarded-Proto": "https"}, "body": None,
        "isBase64Encoded": False, "requestContext": {"stage": stage, "path": f"/{stage}{path}"},
    }  # fmt: skip


def http(stage, path):
    """An event of an HTTP API: the stage stands in the path, but for the default one."""
    raw = path if stage == "$default" else f"/{stage}{path}"
    return {
        "version": "2.0", "rawPath": raw, "rawQueryString": "ids=piano-1", "headers": {
            "host": "abc.execute-api.example", "x-forwarded-proto": "https"},
        "requestContext": {"stage": stage, "http": {
            "method": "GET", "path": raw, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"}},
        "isBase64Encoded": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("event", "prefix"), [(rest("prod", "/v1/tracks"), "/prod"), (http("prod", "/v1/tracks"), "/prod"),
                          (http("$default", "/v1/tracks"), "")],
)  # fmt: skip
def test_the_stage_of_a_gateway_is_part_of_every_address(world_artifacts, event, prefix):
    from apig_wsgi import make_lambda_handler

    app = strip_stage(Request.application(Service(Config(world_artifacts)).handle))
    answer = make_lambda_handler(app, binary_support=True)(event, None)
    track = json.loads(answer["body"])["tracks"][0]
    assert track["href"] == f"https://abc.execute-api.example{prefix}/v1/tracks/piano-1"
