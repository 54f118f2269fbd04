"""The Model Context Protocol as a client's messages see it: whole answers, on the small world."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from segue import VERSION
from segue.web import bodies
from segue.web.views.mcp.messages import HANDSHAKE, MODERN, VERSIONS
from segue.web.views.mcp.methods import INSTRUCTIONS
from segue.web.views.mcp.tools import TOOLS
from tests.described import DOCUMENT, SCHEMAS
from tests.dialect import client_of as of
from tests.fronts import KEY, LOCKED, client_of, lines

__all__ = ["client_of", "lines"]  # fixtures

IDENTITY = {"name": "segue", "title": "Segue", "version": VERSION}
META = "io.modelcontextprotocol/"
CALL = {"name": "recommend", "arguments": {"song": "Slow Rain", "limit": 2}}


@pytest.fixture(scope="module")
def client(world_artifacts):
    return of(world_artifacts)


def posted(client, method, params=None, identity=1, **headers):
    message = {"jsonrpc": "2.0", "id": identity, "method": method} | ({} if params is None else {"params": params})
    return client.post("/mcp", json=message, headers=headers)


def result(answer, identity=1):
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.json
    assert {**body, "result": None} == {"jsonrpc": "2.0", "id": identity, "result": None}
    return body["result"]


def refused(answer, status, identity=1):
    """The code and the message of an error, which has nothing else to it but maybe data."""
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    error = answer.json["error"]
    assert answer.json == {"jsonrpc": "2.0", "id": identity, "error": error}
    return error["code"], error["message"]


def modern(client, method, params=None, headers=None, meta=None):
    """A request by the version of 2026-07-28."""
    said = {f"{META}protocolVersion": MODERN[0], f"{META}clientCapabilities": {}} if meta is None else meta
    names = {"MCP-Protocol-Version": MODERN[0], "Mcp-Method": method}
    if method == "tools/call":
        names["Mcp-Name"] = params["name"]
    names |= headers or {}
    return posted(client, method, {**(params or {}), "_meta": said}, **{k: v for k, v in names.items() if v})


# --- the era of the handshake ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [*HANDSHAKE, "2024-11-05", "1900-01-01"])
def test_a_handshake_agrees_on_a_version(client, version):
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
    answer = posted(client, "initialize", params, identity="first")
    assert result(answer, "first") == {
        "protocolVersion": version if version in HANDSHAKE else HANDSHAKE[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": IDENTITY,
        "instructions": INSTRUCTIONS,
    }
    assert "Mcp-Session-Id" not in answer.headers


@pytest.mark.parametrize("version", [None, *HANDSHAKE])
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
        "supportedVersions": list(VERSIONS),
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
            f"header MCP-Protocol-Version is missing; expected '{MODERN[0]}', as in the body",
        ),
        ({"MCP-Protocol-Version": HANDSHAKE[0]}, f"header MCP-Protocol-Version is '{HANDSHAKE[0]}'; expected"),
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


@pytest.mark.parametrize("meta", [{}, {f"{META}protocolVersion": MODERN[0]}, {f"{META}clientCapabilities": {}}])
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
        assert answer.json["error"]["data"] == {"supported": list(VERSIONS), "requested": version}


@pytest.mark.parametrize(("method", "status"), [("ping", 404), ("initialize", 404), ("subscriptions/listen", 404)])
def test_a_method_of_the_other_era_is_not_found(client, method, status):
    assert refused(modern(client, method), status)[0] == -32601


def test_faults_have_their_status(client):
    assert refused(modern(client, "tools/call", {"name": "x"}), 400)[0] == -32602
    answer = client.post("/mcp", json={"jsonrpc": "2.0", "method": "any"}, headers={"MCP-Protocol-Version": "1"})
    assert refused(answer, 400, None)[0] == -32022


# --- what is no message ---------------------------------------------------------------------------------------

MESSAGE = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


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
@pytest.mark.parametrize("version", [None, *VERSIONS])
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
    assert client.post("/mcp", data=b" " * (bodies.QUERY.bytes + 1)).status_code == 413
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
    st.sampled_from([None, *VERSIONS, "other"]),
)
def test_any_message_gets_an_answer_of_json_rpc(client, body, version):
    headers = {"MCP-Protocol-Version": version, "Mcp-Method": "tools/call"} if version else {}
    answer = client.post("/mcp", json=body, headers=headers)
    assert answer.status_code in (200, 202, 400, 404)
    if answer.status_code != 202:
        Draft202012Validator(SCHEMAS["Reply"]).validate(answer.json)


# --- the tools ------------------------------------------------------------------------------------------------


def test_tools_are_operations_of_the_api_as_its_description_has_them(tmp_path):
    tools = {tool["name"]: tool for tool in result(posted(of(tmp_path), "tools/list"))["tools"]}
    assert list(tools) == ["search_songs", "recommend", "song_path", "make_playlist"]
    for name, tool in tools.items():
        operation = DOCUMENT["paths"][TOOLS[name].path][TOOLS[name].method]
        assert tool["title"] == operation["summary"]
        assert operation["description"] in tool["description"]
        assert tool["annotations"]["readOnlyHint"] is True
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            assert not {"oneOf", "anyOf", "allOf", "not"} & set(tool["inputSchema"])
            references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema)))
            assert references == {f"#/$defs/{name}" for name in schema.get("$defs", {})}
    recommend, query = tools["recommend"]["inputSchema"], SCHEMAS["Query"]["properties"]
    assert list(recommend["properties"]) == list(query)
    assert recommend["$defs"]["Limit"] == SCHEMAS["Limit"]
    assert recommend["properties"]["artist"] == {
        "$ref": "#/$defs/Text",
        "description": query["artist"]["description"],
    }
    assert tools["search_songs"]["inputSchema"]["required"] == ["q"]


def test_what_a_model_reads_of_the_tools_is_short(client):
    read = [
        {name: tool[name] for name in ("name", "description", "inputSchema")}
        for tool in result(posted(client, "tools/list"))["tools"]
    ]
    assert len(json.dumps(read)) < 30_000


ASKED = {
    "search_songs": {"q": "slow rian", "limit": 3},
    "recommend": {"seeds": ["Slow Rain", {"artist": "Halberd", "weight": 0.5}], "limit": 4, "explain": True},
    "song_path": {"from": "Slow Rain", "to": {"id": "disco-4"}, "via": ["Iron Choir"], "length": 6},
    "make_playlist": {"song": "Slow Rain", "songs": 5, "flow": "rise"},
}


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_answers_what_the_api_does(client, name):
    tool, arguments = TOOLS[name], ASKED[name]
    found = result(posted(client, "tools/call", {"name": name, "arguments": arguments}))
    asking = {"json": arguments} if tool.method == "post" else {"query_string": arguments}
    expected = client.open(tool.path, method=tool.method.upper(), **asking)
    assert found == {
        "content": [{"type": "text", "text": expected.get_data(as_text=True).strip()}],
        "structuredContent": expected.json,
        "isError": False,
    }
    described = {tool["name"]: tool for tool in result(posted(client, "tools/list"))["tools"]}[name]
    Draft202012Validator(described["inputSchema"]).validate(arguments)
    Draft202012Validator(described["outputSchema"]).validate(found["structuredContent"])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("search_songs", {"q": "", "limit": 99, "x": 1}),
        ("search_songs", {}),
        ("recommend", {"limit": 5}),
        ("recommend", {"song": "nothing at all is called so"}),
        ("recommend", {"song": "Slow Rian by nobody", "artist": "Halberd"}),
        ("song_path", {"from": "Slow Rain"}),
        ("song_path", {"from": "Slow Rain", "to": {"id": "piano-1"}}),
        ("make_playlist", {"song": "Slow Rain", "songs": 5, "minutes": 10}),
    ],
)
def test_what_is_wrong_with_arguments_is_told_as_the_api_tells_it(client, name, arguments):
    found = result(posted(client, "tools/call", {"name": name, "arguments": arguments}))
    (content,) = found.pop("content")
    assert (found, content["type"]) == ({"isError": True}, "text")
    problem = json.loads(content["text"])
    Draft202012Validator({"$ref": "#/components/schemas/Problem", **DOCUMENT}).validate(problem)
    if TOOLS[name].method == "post":
        assert problem == client.post(TOOLS[name].path, json=arguments).json


def test_without_arguments_a_tool_says_what_it_needs(client):
    (content,) = result(posted(client, "tools/call", {"name": "recommend"}))["content"]
    assert "exactly one of 'song', 'song_id' and 'seeds' is needed" in content["text"]


def test_without_artifacts_there_are_tools_but_no_answers(tmp_path):
    client = of(tmp_path)
    assert result(posted(client, "ping")) == {}
    answer = posted(client, "tools/call", CALL)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


# --- who may ask ----------------------------------------------------------------------------------------------


def test_keys_close_it_as_all_else(client_of):
    client = client_of(**LOCKED)
    closed = posted(client, "tools/list")
    assert (closed.status_code, closed.headers["WWW-Authenticate"]) == (401, 'Bearer realm="segue"')
    assert result(posted(client, "tools/list", Authorization=f"Bearer {KEY}"))["tools"]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("127.0.0.1:8080", None, 200),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", 200),
        ("localhost:8080", "http://localhost:8080", 200),
        ("[::1]:8080", "http://[::1]:8080", 200),
        ("abc.lambda-url.eu-west-1.on.aws", "https://abc.lambda-url.eu-west-1.on.aws", 200),
        ("127.0.0.1:8080", "https://songs.example", 200),
        ("any.example", "https://home.example", 200),
        ("127.0.0.1:8080", "http://localhost:3000", 403),
        ("127.0.0.1:8080", "https://evil.example", 403),
        ("evil.example:8080", "http://evil.example:8080", 403),
        ("127.0.0.1:8080", "null", 403),
        ("127.0.0.1:8080", "", 403),
        ("any.example", "https://home.example.evil", 403),
        ("127.0.0.1.evil.example", "http://127.0.0.1.evil.example", 403),
    ],
)
def test_pages_of_other_origins_may_not_ask(client_of, host, origin, status):
    client = client_of(SEGUE_CORS="https://songs.example", SEGUE_PUBLIC_URL="https://home.example/api")
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    answer = client.post("/mcp", json=MESSAGE, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert "SEGUE_CORS" in answer.json["detail"]


def test_a_star_lets_every_page_ask(client_of):
    asked = {"Origin": "https://any.example"}
    assert client_of(SEGUE_CORS="*").post("/mcp", json=MESSAGE, headers=asked).status_code == 200


def test_a_page_may_be_told_all_headers_of_the_protocol(client_of):
    asked = {"Origin": "https://songs.example", "Access-Control-Request-Method": "POST"}
    allowed = client_of(SEGUE_CORS="https://songs.example").options("/mcp", headers=asked)
    assert {"MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"} <= set(
        allowed.headers["Access-Control-Allow-Headers"].split(", ")
    )


def test_a_line_of_the_log_names_the_tool_and_nothing_that_a_caller_wrote(client_of, lines, world_catalog):
    client = client_of()
    posted(client, "tools/call", {"name": "recommend", "arguments": {"song": "SECRET"}})
    posted(client, "tools/call", {"name": "SECRET"})
    posted(client, "SECRET")
    posted(client, "tools/list")
    assert [line["message"] for line in lines] == [
        "mcp/recommend 200", "mcp/tools/call 200", "mcp 200", "mcp/tools/list 200",
    ]  # fmt: skip
    assert lines[0]["model"] == world_catalog.version
    assert "SECRET" not in json.dumps(lines)
