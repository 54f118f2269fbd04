"""The page about players is executed: its script makes a mix."""

import re
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from segue.subsonic.routes import METHODS
from segue_build import ROOT
from tests.support.dialects import client_of
from tests.support.serving import served

PAGE = (ROOT / "docs" / "players.md").read_text(encoding="utf-8")


def test_the_script_prints_songs_that_both_servers_have(demo_artifacts):
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with served(demo_artifacts) as base:  # it is both servers
        for port in ("4533", "8080"):
            assert port in script
            script = script.replace(port, str(urlsplit(base).port))
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) > 90


def test_every_method_is_on_the_page():
    table = PAGE.partition("## What is answered")[2].partition("\n\nEach")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= set(METHODS)


@pytest.mark.parametrize("number", [0, 1])
def test_its_requests_are_answered(demo_artifacts, number):
    url = re.findall(r"curl -s 'http://127.0.0.1:8080([^']+)'", PAGE)[number].replace("demo-0014219", "demo-0000033")
    assert client_of(demo_artifacts).get(url).json["subsonic-response"]["status"] == "ok"
