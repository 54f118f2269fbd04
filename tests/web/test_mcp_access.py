"""Who may ask over the Model Context Protocol, and what is logged of it."""

import json

import pytest

from tests.support.gateway import KEY, LOCKED, client_of, lines
from tests.support.mcp import MESSAGE, posted, result

__all__ = ["client_of", "lines"]  # fixtures


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
