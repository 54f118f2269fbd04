"""The page about assistants is executed as far as it can be."""

import json
import re
import subprocess
import sys
import tomllib

import pytest

from segue.web.views.mcp import SUPPORTED_VERSIONS
from segue.web.views.mcp_tools import TOOLS
from segue.web.views.pages import EXAMPLE_URL
from segue_build import ROOT
from tests.support.serving import served

PAGE = (ROOT / "docs" / "assistants.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def test_the_lines_for_python_print_songs(demo_artifacts):
    (script,) = [text for language, text in BLOCKS if language == "python"]
    assert EXAMPLE_URL in script
    with served(demo_artifacts) as base:
        command = [sys.executable, "-c", script.replace(EXAMPLE_URL, base)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize("text", [text for language, text in BLOCKS if language in ("json", "toml")])
def test_the_lines_for_other_programs_can_be_read_and_lead_here(text):
    read = tomllib.loads(text) if text.startswith("[") else json.loads(text)
    assert "https://songs.example.org/mcp" in json.dumps(read)


def test_tools_and_versions_are_on_the_page():
    assert re.findall(r"^\| `(\w+)` \| `(?:GET|POST) (\S+)`", PAGE, re.MULTILINE) == [
        (name, tool.path) for name, tool in TOOLS.items()
    ]
    assert all(version in PAGE for version in SUPPORTED_VERSIONS)
