"""The Model Context Protocol's official client for Node, unmodified, against the function under its framework."""

import json
import shutil

import pytest

from segue_build import ROOT
from tests.spotify.test_clients_node import PACKAGES, run
from tests.support.gateway import KEY
from tests.web.test_mcp_clients import calls, check, closed, service

__all__ = ["closed", "service"]  # fixtures

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="needs Node"),
    pytest.mark.skipif(
        not (PACKAGES / "node_modules" / "@modelcontextprotocol").is_dir(),
        reason="needs its packages: npm install --prefix .cache/clients, with tests/clients/package.json in there",
    ),
]


def printed(tmp_path, base, songs, headers=None):
    """What the script for Node prints."""
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"base": base, "headers": headers or {}, "calls": calls(songs)}), encoding="utf-8")
    return json.loads(run((ROOT / "tests" / "clients" / "mcp.mjs").read_text(encoding="utf-8"), GIVEN=str(given)))


def test_the_client_for_node_asks(service, tmp_path):
    found = printed(tmp_path, service.base, service.songs)
    assert (found["server"]["name"], found["version"]) == ("segue", "2025-11-25")
    *answers, unknown, none = found["called"]
    assert none["code"] == -32602
    called = [*(answer["structuredContent"] for answer in answers), unknown["content"][0]["text"]]
    check([tool["name"] for tool in found["tools"]], called)


def test_the_client_for_node_shows_a_key(closed, tmp_path):
    songs = ["Slow Rain", "Neon Waltz"]
    assert "tools" in printed(tmp_path, closed, songs, {"X-Api-Key": KEY})
    assert "API key is needed" in printed(tmp_path, closed, songs)["thrown"]
