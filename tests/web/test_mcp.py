"""The Model Context Protocol as a client's messages see it: whole answers, on the small world."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from segue import VERSION
from segue.web import request_context
from segue.web.views.mcp import HANDSHAKE_VERSIONS, INSTRUCTIONS, MODERN_VERSIONS, SUPPORTED_VERSIONS
from segue.web.views.mcp_tools import TOOLS
from tests.support.dialects import client_of as of
from tests.support.gateway import client_of, lines
from tests.support.mcp import CALL, MESSAGE, posted, refused, result
from tests.support.openapi import SCHEMAS

__all__ = ["client_of", "lines"]  # fixtures

IDENTITY = {"name": "segue", "title": "Segue", "version": VERSION}
META = "io.modelcontextprotocol/"


@pytest.fixture(scope="module")
def client(world_artifacts):
    return of(world_artifacts)


def modern(client, method, params=None, headers=None, meta=None):
    """A request by the version of 2026-07-28."""
    said = {f"{META}protocolVersion": MODERN_VERSIONS[0], f"{META}clientCapabilities": {}} if meta is None else meta
    names = {"MCP-Protocol-Version": MODERN_VERSIONS[0], "Mcp-Method": method}
    if method == "tools/call":
        names["Mcp-Name"] = params["name"]
    names |= headers or {}
    return posted(client, method, {**(params or {}), "_meta": said}, **{k: v for k, v in names.items() if v})


# --- the era of the handshake ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [*HANDSHAKE_VERSIONS, "2024-11-05", "1900-01-01"])
def test_a_handshake_agrees_on_a_version(client, version):
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
    answer = posted(client, "initialize", params, identity="first")
    assert result(answer, "first") == {
        "protocolVersion": version if version in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": IDENTITY,
        "instructions": INSTRUCTIONS,
    }
    assert "Mcp-Session-Id" not in answer.headers


@pytest.mark.parametrize("version", [None, *HANDSHAKE_VERSIONS])
def test_later_requests_may_name_the_version_that_was_agreed(client, version):
    headers = {"MCP-Protocol-Version": version} if version else {}
    assert result(posted(client, "ping", **headers)) == {}
    assert result(posted(client, "tools/call", CALL, **headers))["isError"] is False


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/cancelled", "anything"])
def test_a_notification_gets_no_answer(client, method):
    answer = client.post("/mcp", json={"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}})
    assert (answer.status_code, answer.data, answer.content_type) == (202, b"", None)


@pytest.mark.parametrize(
    ("method", "params", "code", "said"),
    [
        ("resources/list", {}, -32601, "unknown method 'resources/list'; known are: initialize, ping, tools/list"),
        ("tools/lst", {}, -32601, "unknown method 'tools/lst'; did you mean 'tools/list', 'tools/call'?"),
        ("server/discover", {}, -32601, "unknown method 'server/discover'"),
        ("initialize", {}, -32602, "params.protocolVersion: expected a text"),
        ("tools/list", {"cursor": "2"}, -32602, "params.cursor: all tools are on the first page"),
        ("tools/call", {}, -32602, "params.name: expected a tool's name"),
        ("tools/call", {"name": "recomend"}, -32602, "unknown tool 'recomend'; did you mean 'recommend'?"),
        ("tools/call", {"name": "recommend", "arguments": []}, -32602, "params.arguments: expected an object"),
    ],
)
def test_a_request_at_fault_is_told_by_the_codes_of_json_rpc(client, method, params, code, said):
    found, message = refused(posted(client, method, params), 200)
    assert found == code
    assert message.startswith(said)


# --- the era without ------------------------------------------------------------------------------------------


def test_a_server_is_discovered(client):
    assert result(modern(client, "server/discover")) == {
        "resultType": "complete",
        "supportedVersions": list(SUPPORTED_VERSIONS),
        "capabilities": {"tools": {"listChanged": False}},
        "instructions": INSTRUCTIONS,
        "ttlMs": 300_000,
        "cacheScope": "public",
        "_meta": {f"{META}serverInfo": IDENTITY},
    }


def test_both_eras_have_the_same_tools_and_answers(client):
    more = {"resultType": "complete", "_meta": {f"{META}serverInfo": IDENTITY}}
    tools = result(posted(client, "tools/list"))
    assert result(modern(client, "tools/list")) == tools | more | {"ttlMs": 300_000, "cacheScope": "public"}
    assert result(modern(client, "tools/call", CALL)) == result(posted(client, "tools/call", CALL)) | more


def test_a_header_may_be_encoded(client):
    assert result(modern(client, "tools/call", CALL, {"Mcp-Name": "=?base64?cmVjb21tZW5k?="}))["isError"] is False


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (
            {"MCP-Protocol-Version": None},
            f"header MCP-Protocol-Version is missing; expected '{MODERN_VERSIONS[0]}', as in the body",
        ),
        (
            {"MCP-Protocol-Version": HANDSHAKE_VERSIONS[0]},
            f"header MCP-Protocol-Version is '{HANDSHAKE_VERSIONS[0]}'; expected",
        ),
        ({"Mcp-Method": None}, "header Mcp-Method is missing; expected 'tools/call'"),
        ({"Mcp-Method": "tools/list"}, "header Mcp-Method is 'tools/list'; expected 'tools/call'"),
        ({"Mcp-Name": None}, "header Mcp-Name is missing; expected 'recommend'"),
        ({"Mcp-Name": "song_path"}, "header Mcp-Name is 'song_path'; expected 'recommend'"),
        ({"Mcp-Name": "=?base64?!?="}, "header Mcp-Name is missing; expected 'recommend'"),
        ({"Mcp-Name": "=?base64?/w==?="}, "header Mcp-Name is missing; expected 'recommend'"),
    ],
)
def test_headers_say_what_the_body_does(client, headers, said):
    code, message = refused(modern(client, "tools/call", CALL, headers), 400)
    assert (code, message.startswith(said)) == (-32020, True)


@pytest.mark.parametrize(
    "meta", [{}, {f"{META}protocolVersion": MODERN_VERSIONS[0]}, {f"{META}clientCapabilities": {}}]
)
def test_a_request_says_its_version_and_what_its_client_can_do(client, meta):
    code, message = refused(modern(client, "tools/list", meta=meta), 400)
    assert (code, message.startswith("params._meta lacks 'io.modelcontextprotocol/")) == (-32602, True)


@pytest.mark.parametrize("version", ["2025-03-26", "2099-01-01", "x" * 50])
def test_a_version_that_is_not_spoken_is_told_those_that_are(client, version):
    meta = {f"{META}protocolVersion": version, f"{META}clientCapabilities": {}}
    headers = {"MCP-Protocol-Version": version}
    for answer in (modern(client, "tools/list", meta=meta, headers=headers), posted(client, "tools/list", **headers)):
        code, message = refused(answer, 400)
        assert (code, message.startswith("unsupported protocol version")) == (-32022, True)
        assert answer.json["error"]["data"] == {"supported": list(SUPPORTED_VERSIONS), "requested": version}


@pytest.mark.parametrize(("method", "status"), [("ping", 404), ("initialize", 404), ("subscriptions/listen", 404)])
def test_a_method_of_the_other_era_is_not_found(client, method, status):
    assert refused(modern(client, method), status)[0] == -32601


def test_faults_have_their_status(client):
    assert refused(modern(client, "tools/call", {"name": "x"}), 400)[0] == -32602
    answer = client.post("/mcp", json={"jsonrpc": "2.0", "method": "any"}, headers={"MCP-Protocol-Version": "1"})
    assert refused(answer, 400, None)[0] == -32022


# --- what is no message ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([MESSAGE], -32600),
        ([], -32600),
        ("ping", -32600),
        ({}, -32600),
        (MESSAGE | {"jsonrpc": "1.0"}, -32600),
        (MESSAGE | {"method": None}, -32600),
        (MESSAGE | {"id": None}, -32600),
        (MESSAGE | {"id": True}, -32600),
        (MESSAGE | {"id": 1.5}, -32600),
        (MESSAGE | {"id": 10**30}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, -32600),
    ],
)
def test_what_is_no_single_message_is_refused(client, body, code):
    assert refused(client.post("/mcp", json=body), 400, None)[0] == code


@pytest.mark.parametrize("params", [[1], "x", None, 0])
@pytest.mark.parametrize("version", [None, *SUPPORTED_VERSIONS])
def test_parameters_are_an_object(client, params, version):
    headers = {"MCP-Protocol-Version": version} if version else {}
    answer = client.post("/mcp", json=MESSAGE | {"params": params}, headers=headers)
    assert refused(answer, 400) == (-32600, "params: expected an object")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"id": NaN}', b"\xff"])
@pytest.mark.parametrize("mimetype", ["application/json", "text/plain"])
def test_what_is_no_json_is_refused(client, body, mimetype):
    code, message = refused(client.post("/mcp", data=body, content_type=mimetype), 400, None)
    assert (code, message.startswith("the body is not JSON: ")) == (-32700, True)


def test_a_body_is_of_a_bearable_size_and_a_url_has_no_parameters(client):
    assert client.post("/mcp", data=b" " * (request_context.QUERY_LIMITS.bytes + 1)).status_code == 413
    assert client.post("/mcp?session=1", json=MESSAGE).status_code == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT"])
def test_there_is_no_stream_and_no_session(client, method):
    answer = client.open("/mcp", method=method, headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
names = st.sampled_from(["jsonrpc", "id", "method", "params", "name", "arguments", "_meta", "song", "seeds", "limit"])
methods = st.sampled_from(["initialize", "ping", "tools/list", "tools/call", "server/discover", "notifications/x"])
jsons = st.recursive(scalars | methods, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner))
calls = st.fixed_dictionaries({"name": st.sampled_from(list(TOOLS)), "arguments": jsons})


@given(
    st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0"), "method": methods | st.text(max_size=9)},
        optional={"id": jsons, "params": jsons | calls},
    )
    | jsons,
    st.sampled_from([None, *SUPPORTED_VERSIONS, "other"]),
)
def test_any_message_gets_an_answer_of_json_rpc(client, body, version):
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": "tools/call"} if version else {}
    answer = client.post("/mcp", json=body, headers=headers)
    assert answer.status_code in (200, 202, 400, 404)
    if answer.status_code != 202:
        Draft202012Validator(SCHEMAS["Reply"]).validate(answer.json)
