"""The Model Context Protocol's official client for Python, unmodified, against the function under its framework."""

import asyncio
import json
from types import SimpleNamespace

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from segue.catalog import load
from segue.web.views.mcp import INSTRUCTIONS
from segue.web.views.mcp_tools import TOOLS
from tests.support.gateway import KEY, LOCKED
from tests.support.serving import served


@pytest.fixture(scope="module", params=["world_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)])
def service(request):
    """A service, and the titles of two well-known songs."""
    artifacts = request.getfixturevalue(request.param)
    catalog = load(artifacts)
    names, by, artists = catalog.texts("names"), catalog.lists("song", "artists"), catalog.texts("artists")
    known = sorted(range(len(catalog)), key=lambda row: (-catalog.attribute("popularity")[row], row))
    titles = {int(by[row][0]): f"{names[row]} by {artists[int(by[row][0])]}" for row in reversed(known[:10])}
    with served(artifacts) as base:
        yield SimpleNamespace(base=base, songs=list(titles.values())[:2])


@pytest.fixture(scope="module")
def closed(world_artifacts):
    with served(world_artifacts, **LOCKED) as base:
        yield base


def calls(songs):
    one, other = songs
    return [
        ["search_songs", {"q": one, "limit": 3}],
        ["recommend", {"song": one, "limit": 4, "explain": True}],
        ["song_path", {"from": one, "to": other, "length": 4}],
        ["make_playlist", {"seeds": [one, other], "songs": 6, "flow": "wave"}],
        ["recommend", {"song": "nothing at all is called so"}],
        ["no_tool", {}],
    ]


def check(listed, called):
    """What a client got of the tools, and of the calls above: it has checked each answer by its schema."""
    assert list(listed) == list(TOOLS)
    found, *answers, unknown = called
    assert found["songs"]
    assert [len(answer[name]) for answer, name in zip(answers, ("recommendations", "songs", "songs"))] == [4, 4, 6]
    assert "no song is called" in unknown


async def asked(target, mode, songs):
    """The version that is spoken, the server's instructions, the tools' names and what each call came to."""
    async with Client(target, mode=mode) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        *good, wrong, none = calls(songs)
        answers = [await client.call_tool(*call) for call in good]
        assert [json.loads(answer.content[0].text) for answer in answers] == [
            answer.structured_content for answer in answers
        ]
        refused = await client.call_tool(*wrong)
        assert refused.is_error
        with pytest.raises(MCPError, match="unknown tool 'no_tool'"):
            await client.call_tool(*none)
        called = [*(answer.structured_content for answer in answers), refused.content[0].text]
        return client.protocol_version, client.instructions, listed, called


@pytest.mark.parametrize(
    ("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25"), ("2026-07-28", "2026-07-28")]
)
def test_the_client_for_python_asks_in_both_eras(service, mode, version):
    spoken, instructions, listed, called = asyncio.run(asked(f"{service.base}/mcp", mode, service.songs))
    assert (spoken, instructions) == (version, None if mode == version else INSTRUCTIONS)
    check(listed, called)


def test_the_client_for_python_shows_a_key(closed):
    async def listed(headers):
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{closed}/mcp", http_client=http)) as client,
        ):
            return [tool.name for tool in (await client.list_tools()).tools]

    assert asyncio.run(listed({"Authorization": f"Bearer {KEY}"})) == list(TOOLS)
    with pytest.RaisesGroup(MCPError, flatten_subgroups=True):
        asyncio.run(listed({}))
