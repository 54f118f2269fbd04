"""The tools that assistants are given: they are operations of the API, and answer as it does."""

import json
import re

import pytest
from jsonschema import Draft202012Validator

from segue.web.views.mcp_tools import TOOLS, ApiOperation
from tests.support.dialects import client_of as of
from tests.support.mcp import CALL, posted, result
from tests.support.openapi import DOCUMENT, SCHEMAS


@pytest.fixture(scope="module")
def client(world_artifacts):
    return of(world_artifacts)


def test_tools_are_operations_of_the_api_as_its_description_has_them(tmp_path):
    tools = {tool["name"]: tool for tool in result(posted(of(tmp_path), "tools/list"))["tools"]}
    assert list(tools) == ["search_songs", "recommend", "song_path", "make_playlist", "order_songs"]
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


def test_a_reference_may_lead_through_lists_and_other_references_and_escaped_names(monkeypatch):
    document = {
        "paths": {"/x": {"get": {}}},
        "components": {"schemas": {
            "A/b~": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/B"}]},
            "B": {"properties": {"c d": {"type": "integer"}}},
        }},
    }  # fmt: skip
    monkeypatch.setattr("segue.web.views.pages.openapi_document", lambda: json.dumps(document))
    reference = {"$ref": "#/components/schemas/A~1b~0/oneOf/1/properties/c%20d", "minimum": 1}
    assert ApiOperation("/x", "get")._resolve(reference) == {"type": "integer", "minimum": 1}


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
    "order_songs": {"songs": ["Iron Choir", {"id": "piano-1"}, {"song": "Nothing Is Called So"}], "flow": "rise"},
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
        ("order_songs", {"songs": [{"artist": "Halberd"}], "flow": "up"}),
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
    assert (
        "exactly one of 'song', 'artist', 'song_id', 'genre', 'cluster', 'features' and 'seeds' is needed"
        in content["text"]
    )


def test_without_artifacts_there_are_tools_but_no_answers(tmp_path):
    client = of(tmp_path)
    assert result(posted(client, "ping")) == {}
    answer = posted(client, "tools/call", CALL)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
