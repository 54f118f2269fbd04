"""What stands before the service, as a caller and a log reader see it: whole answers, whole lines."""

import base64
import gzip
import io
import json
import logging
import re

import pytest

from segue.catalog.lookup.exact import artist_id
from segue.errors import ConfigError
from segue.web import gateway
from segue.web.gateway import Gateway
from segue.web.routes import ROUTES
from tests.support.gateway import KEY, LOCKED, client_of, lines

__all__ = ["client_of", "lines"]  # fixtures

ADA = artist_id("Ada Lindqvist")
OPEN = {"/healthz", "/", "/docs", "/docs/clients", "/openapi.json", "/page/-/scripts/main.js"}
GIVEN = {
    "song": "piano-1",
    "kind": "list",
    "ids": "piano-1,metal-2",
    "int:cluster": "0",
    "digest": "-",
    "path:name": "scripts/main.js",
}


def basic(name, password):
    """What a browser sends once it has asked for a name and a password (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


PATHS = [re.sub("<(.*?)>", lambda part: GIVEN[part[1]], rule.rule) for rule in ROUTES.iter_rules()]


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/v1/tracks", "/healthz/x", "/healthz//"])
def test_with_keys_every_route_but_health_and_the_page_is_a_401_without_one(client_of, path):
    """The page, its files and the documents are the same for everybody and tell nothing of the catalogue."""
    client = client_of(**LOCKED)
    for method in ("get", "post", "head", "options", "put"):
        answer = getattr(client, method)(path)
        assert (answer.status_code == 401) == (path not in OPEN), method


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {KEY}"}, {"X-Api-Key": KEY},
                                     {"authorization": f"bearer  {KEY} "}, {"Authorization": basic("", KEY)},
                                     {"Authorization": basic(KEY, "")}, {"Authorization": basic("anybody", KEY)},
                                     ])  # fmt: skip
def test_a_key_opens_every_route(client_of, headers):
    client = client_of(**LOCKED)
    assert client.get("/readyz", headers=headers).status_code == 200
    assert client.post("/recommend", json={"song": "Slow Rain"}, headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"X-Api-Key": KEY[:-1]}, {"Authorization": f"Basic {KEY}"}, {"X-Api-Key": "é€"},
                                     {"Authorization": "Bearer"}, {"X-Api-Key": KEY * 100},
                                     {"Authorization": basic(KEY, "another")}, {"Authorization": "Basic"},
                                     {"Authorization": "Basic ÿÿ=="}])  # fmt: skip
def test_anything_else_opens_none(client_of, headers):
    headers = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    answer = client_of(**LOCKED).get("/readyz", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="segue"')
    assert answer.json == {
        "type": "about:blank", "title": "Unauthorized", "status": 401,
        "detail": "an API key is needed: Authorization: Bearer KEY, or X-Api-Key: KEY",
    }  # fmt: skip


def test_a_browser_that_opens_an_address_may_ask_for_a_key(client_of):
    """And what the page's scripts fetch does not: the page asks itself."""
    client = client_of(**LOCKED)
    opened, fetched = (client.get("/clusters", headers={"Sec-Fetch-Mode": mode}) for mode in ("navigate", "cors"))
    assert opened.headers["WWW-Authenticate"] == 'Basic realm="segue", charset="UTF-8"'
    assert (fetched.status_code, fetched.headers["WWW-Authenticate"]) == (401, 'Bearer realm="segue"')


def test_spotifys_clients_are_refused_in_spotifys_shape(client_of):
    client = client_of(**LOCKED)
    assert client.get("/v1/tracks/x").json == {"error": {"status": 401, "message": "No token provided"}}
    wrong = client.get("/v1/tracks/x", headers={"Authorization": "Bearer wrong"})
    assert wrong.json == {"error": {"status": 401, "message": "Invalid access token"}}


@pytest.mark.parametrize("path", ["/v1", "/v1/tracks/x", "/v1/nowhere"])
def test_a_refusal_of_the_dialect_is_as_open_to_pages_as_its_answers(client_of, path):
    page = {"Origin": "https://app.example"}
    refused, answered = client_of(**LOCKED).get(path, headers=page), client_of().get(path, headers=page)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, "*")
    assert about_cors(refused) == about_cors(answered)
    assert about_cors(client_of(**LOCKED).get("/recommend", headers=page)) == {}


def test_a_list_of_origins_holds_for_a_refusal_of_the_dialect_too(client_of):
    client = client_of(SEGUE_CORS="https://songs.example", **LOCKED)
    listed = client.get("/v1/tracks/x", headers={"Origin": "https://songs.example"})
    assert (listed.status_code, listed.headers["Access-Control-Allow-Origin"]) == (401, "https://songs.example")
    assert about_cors(client.get("/v1/tracks/x", headers={"Origin": "https://app.example"})) == {}


def about_cors(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control")}


def test_a_key_gets_spotifys_clients_a_token_that_opens_the_dialect(client_of):
    client = client_of(**LOCKED)
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": KEY}
    token = client.post("/api/token", data=form).json["access_token"]
    opened = client.get("/v1/tracks?ids=piano-1", headers={"Authorization": f"Bearer {token}"})
    assert [track["name"] for track in opened.json["tracks"]] == ["Slow Rain"]
    refused = client.post("/api/token", data=form | {"client_secret": "another"})
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_client")


def test_without_cors_no_page_elsewhere_reads_an_answer(client_of):
    answer = client_of().get("/healthz", headers={"Origin": "https://elsewhere.example"})
    assert about_cors(answer) == {}


def test_pages_of_listed_origins_may_ask(client_of):
    client = client_of(SEGUE_CORS="https://songs.example, http://localhost:3000", **LOCKED)
    asked = {"Origin": "https://songs.example", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type,authorization"}  # fmt: skip
    before = client.options("/recommend", headers=asked)
    assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (204, "https://songs.example")
    assert "POST" in before.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type", "X-Api-Key"} <= set(
        before.headers["Access-Control-Allow-Headers"].split(", ")
    )
    after = client.get("/readyz", headers={"Origin": "http://localhost:3000", "X-Api-Key": KEY})
    assert after.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert after.headers["Vary"] == "Origin"


def test_pages_of_other_origins_may_not(client_of):
    client = client_of(SEGUE_CORS="https://songs.example")
    for origin in ("https://songs.example.evil", "http://songs.example", "null", ""):
        answer = client.get("/healthz", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


def test_a_star_lets_every_page_ask(client_of):
    answer = client_of(SEGUE_CORS="*").get("/healthz", headers={"Origin": "https://any.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("given", ["songs.example", "https://songs.example/", "https://a b", "javascript:alert(1)"])
def test_what_is_no_origin_fails_the_start(given):
    with pytest.raises(ConfigError, match=r"SEGUE_CORS: .* is no origin such as https://songs\.example\.org"):
        Gateway(None, {"SEGUE_CORS": given})


def test_an_answer_with_data_allows_a_browser_nothing(client_of):
    headers = client_of().get("/recommend?song=Slow+Rain").headers
    assert {name: headers[name] for name in (
        "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
    )} == {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_may_run_files_of_its_own_and_frame_a_player(client_of, path):
    policy = client_of().get(path).headers["Content-Security-Policy"]
    assert dict(rule.split(" ", 1) for rule in policy.split("; ")) == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "font-src": "'self'",
        "img-src": "'self' https:", "connect-src": "'self' https://open.spotify.com",
        "frame-src": "https://open.spotify.com", "media-src": "https:",
        "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'", "trusted-types": "'none'",
    }  # fmt: skip


def test_transport_security_is_asked_for_where_there_is_any(client_of):
    client = client_of()
    assert "Strict-Transport-Security" not in client.get("/healthz").headers
    behind = client.get("/healthz", headers={"X-Forwarded-Proto": "https"})
    assert behind.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_each_request_leaves_one_line(client_of, lines, world_catalog):
    client = client_of()
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    answer = client.post("/recommend", json={"song": "Slow Rain"}, headers={"X-Amzn-Trace-Id": trace})
    (line,) = lines
    spent = {name: line.pop(name) for name in ("duration", "search", "load")}
    assert line == {
        "severity": "INFO", "message": "recommend 200", "route": "recommend", "method": "POST", "status": 200,
        "cold": 1, "faults": 0, "bytes": len(answer.data), "model": world_catalog.version, "trace": trace,
    }  # fmt: skip
    assert 0 < spent["search"] < spent["duration"]
    assert re.fullmatch(r"total;dur=[\d.]+, load;dur=[\d.]+, search;dur=[\d.]+", answer.headers["Server-Timing"])


@pytest.mark.parametrize(
    ("asked", "route", "searched"),
    [
        ("/v1/recommendations?seed_tracks=piano-1", "v1/recommendations", True),
        ("/v1/search?q=rain&type=track,artist", "v1/search", True),
        (f"/v1/artists/{ADA}/related-artists", "v1/related_artists", True),
        ("/v1/tracks/piano-1", "v1/track", False),
        ("/v1/recommendations/available-genre-seeds", "v1/genre_seeds", False),
    ],
)
def test_the_line_of_the_dialect_has_route_and_model_and_how_long_the_search_took(
    client_of, lines, world_catalog, asked, route, searched
):
    answer = client_of().get(asked)
    (line,) = lines
    assert (answer.status_code, line["route"], line["message"]) == (200, route, f"{route} 200")
    assert (line["model"], "search" in line) == (world_catalog.version, searched)
    assert line.get("search", 0) < line["duration"]
    assert ("search;dur=" in answer.headers["Server-Timing"]) == searched


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("POST", "/api/token", "api/token 400"),
        ("GET", "/v1/tracks/SECRET", "v1/track 400"),
        ("GET", "/v1/SECRET", "none 404"),
        ("OPTIONS", "/v1/SECRET", "none 204"),
    ],
)
def test_the_line_of_what_the_dialect_refuses_names_its_route_if_there_is(client_of, lines, method, path, message):
    client_of().open(path, method=method)
    assert [line["message"] for line in lines] == [message]


def test_only_the_first_request_is_cold(client_of, lines):
    client = client_of()
    for _ in range(3):
        client.get("/healthz")
    assert [line["cold"] for line in lines] == [1, 0, 0]


def test_googles_trace_is_told_without_its_span(client_of, lines):
    client_of().get("/healthz", headers={"X-Cloud-Trace-Context": "105445aa7843bc8bf206b12000100000/1;o=1"})
    assert lines[0]["trace"] == "105445aa7843bc8bf206b12000100000"


@pytest.mark.parametrize("lineage", ["", ";Lineage=1:a87bd80c:0", ";Lineage=25:a87bd80c:2|68fd508a:5|c512fbe3:2"])
def test_amazons_trace_is_told_with_all_its_fields(client_of, lines, lineage):
    trace = f"Self=1-67891234-12456789abcdef012345678a;Root=1-67891233-abcdef012345678912345678{lineage}"
    client_of().get("/healthz", headers={"X-Amzn-Trace-Id": trace})
    assert lines[0]["trace"] == trace


@pytest.mark.parametrize("name", ["X-Amzn-Trace-Id", "X-Cloud-Trace-Context"])
@pytest.mark.parametrize(
    "value",
    ["SECRET", "password=hunter2", "Root=SECRET", "Root=1-5759e988-bd862e3fe1be46a994272793;User=me",
     "Root=1-5759e988-bd862e3fe1be46a994272793;", ";", "Root=1-5759e988-bd862e3fe1be46a99427279g",
     "Sampled=maybe", "Lineage=1:SECRETSE:0", "105445aa7843bc8bf206b1200010000",
     "105445aa7843bc8bf206b120001000001/1"],
)  # fmt: skip
def test_what_has_not_the_form_of_a_trace_is_not_told(client_of, lines, name, value):
    client_of().get("/healthz", headers={name: value})
    assert lines[0]["trace"] is None


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/songs/SECRET"), ("GET", "/SECRET"), ("GET", "/recommend?song=SECRET"), ("SECRET", "/recommend"),
     ("GET", "/search?SECRET=1"), ("POST", "/recommend")],
)  # fmt: skip
def test_no_line_holds_what_a_caller_wrote(client_of, lines, method, path):
    headers = {"X-Amzn-Trace-Id": "SECRET\x0b{}", "User-Agent": "SECRET", "X-Segue-Model": "SECRET"}
    client_of().open(path, method=method, json={"song": "SECRET"}, headers=headers)
    assert "SECRET" not in json.dumps(lines)


def test_on_aws_a_line_is_a_metric(client_of, lines):
    client_of(AWS_LAMBDA_FUNCTION_NAME="segue-dev").get("/nowhere")
    (line,) = lines
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert (described["Namespace"], described["Dimensions"]) == ("Segue", [["function"]])
    assert line["function"] == "segue-dev"
    assert {metric["Name"] for metric in described["Metrics"]} == {"duration", "cold", "faults", "bytes"}
    assert all(isinstance(line[metric["Name"]], int | float) for metric in described["Metrics"])
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000


def test_a_fault_of_ours_is_logged_by_its_places_not_its_text(client_of, lines, monkeypatch):
    def broken(*_):
        raise RuntimeError("SECRET of a caller")

    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(gateway.JsonFormatter())
    logging.getLogger("segue").addHandler(handler)
    monkeypatch.setattr("segue.engine.recommendation.recommend", broken)
    client_of().post("/recommend", json={"song": "Slow Rain"})
    logging.getLogger("segue").removeHandler(handler)
    (line,) = map(json.loads, told.getvalue().splitlines())
    assert (line["severity"], line["exception"], "SECRET" in told.getvalue()) == ("ERROR", "RuntimeError", False)
    assert line["where"][-1].endswith(" broken")
    assert (lines[0]["severity"], lines[0]["faults"]) == ("ERROR", 1)


ZIPPED = {"Accept-Encoding": "br, gzip;q=0.8"}


@pytest.mark.parametrize(
    "path",
    ["/map", "/", "/docs", "/docs/clients", "/openapi.json", "/clusters", "/nothing" * 200,
     "/recommend?song_id=piano-1", "/recommend?song_id=piano-1&format=m3u8"],
)  # fmt: skip
def test_answers_over_a_kilobyte_are_compressed_for_those_who_can_read_it(client_of, path):
    client = client_of()
    plain, zipped = client.get(path), client.get(path, headers=ZIPPED)
    if len(plain.data) < 1024:
        assert (zipped.data, "Content-Encoding" in zipped.headers) == (plain.data, False)
        return
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < len(plain.data) == int(plain.headers["Content-Length"])
    assert int(zipped.headers["Content-Length"]) == len(zipped.data)
    for answer in (plain, zipped):
        assert "Accept-Encoding" in answer.headers.getlist("Vary")
    assert client.head(path, headers=ZIPPED).headers["Content-Length"] == zipped.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/map", "/", "/clusters", "/recommend?song_id=piano-1", "/openapi.json"])
def test_each_coding_has_a_tag_of_its_own(client_of, path):
    client = client_of()
    tags = [client.get(path, headers=headers).headers["ETag"] for headers in ({}, ZIPPED)]
    assert len(set(tags)) == 2
    for headers, own, other in (({}, *tags), (ZIPPED, *reversed(tags))):
        assert client.get(path, headers=headers | {"If-None-Match": other}).status_code == 200
        kept = client.get(path, headers=headers | {"If-None-Match": own})
        assert (kept.status_code, kept.headers["ETag"]) == (304, own)
        assert "Accept-Encoding" in kept.headers.getlist("Vary")


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br", "*;q=0", "gzip;q=0.1, identity", "", ";;=,"])
def test_who_does_not_want_it_gets_nothing_compressed(client_of, accepted):
    answer = client_of().get("/openapi.json", headers={"Accept-Encoding": accepted})
    assert (answer.status_code, answer.json["openapi"][:2]) == (200, "3.")


def test_a_small_answer_and_a_font_stay_as_they_are(client_of):
    client = client_of()
    small = client.get("/healthz", headers=ZIPPED)
    assert (small.json, "Vary" in small.headers) == ({"status": "alive"}, False)
    font = client.get("/page/-/fonts/familjen-latin.woff2", headers=ZIPPED)
    assert (font.data[:4], "Content-Encoding" in font.headers) == (b"wOF2", False)


def test_behind_a_key_no_shared_cache_keeps_what_it_may_keep_of_an_open_service(client_of):
    closed = client_of(**LOCKED).get("/map", headers={"X-Api-Key": KEY})
    assert (closed.status_code, closed.headers["Cache-Control"]) == (200, "no-cache")
    assert client_of().get("/map").headers["Cache-Control"] == "public, max-age=0, s-maxage=60"


def test_the_line_tells_the_bytes_that_were_sent(client_of, lines):
    client = client_of()
    sent = [client.get("/openapi.json", headers=headers) for headers in ({}, ZIPPED)]
    assert [line["bytes"] for line in lines] == [len(answer.data) for answer in sent]
    assert lines[1]["bytes"] < lines[0]["bytes"] / 2
