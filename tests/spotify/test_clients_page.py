"""The page "Point your client here" is executed: what runs on this machine gets its answer."""

import re
import subprocess
import sys

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.spotify import routes
from segue.web import service
from segue.web.views.pages import EXAMPLE_URL, PAGE_FOLDER
from tests.spotify.test_clients_node import pytestmark as needs_node
from tests.spotify.test_clients_node import run
from tests.support.serving import served

PAGE = (PAGE_FOLDER / "clients.md").read_text(encoding="utf-8")
BLOCKS = {
    heading: (language, code)
    for heading, language, code in re.findall(r"^## ([^\n]*)\n\n```(\w+)\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
}


@pytest.fixture(scope="module")
def base(dialect_artifacts):
    with served(dialect_artifacts) as address:
        yield address


def block(name, base):
    code = next(code for heading, (_, code) in BLOCKS.items() if heading.startswith(name))
    assert EXAMPLE_URL in code
    return code.replace(EXAMPLE_URL, base)


@pytest.mark.parametrize("name", ["spotipy", "tekore"])
def test_the_lines_for_python_print_a_song(base, name, tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", block(name, base)]
    # spotipy keeps its token in a file where it runs
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_node) for name in ("@spotify/web-api-ts-sdk", "spotify-web-api-node")]
)
def test_the_lines_for_node_print_a_song(base, name):
    assert run(block(name, base)).strip()


@pytest.mark.parametrize(
    "client",
    ["spotipy", "tekore", "@spotify/web-api-ts-sdk", "spotify-web-api-node", "Go", "Rust", ".NET", "Java", "Kotlin"],
)
def test_every_client_has_its_lines(client):
    assert any(heading.startswith(client) for heading in BLOCKS)


def test_every_route_is_on_the_page():
    told = set(re.findall(r"`(?:GET|POST) (/[^`]*)`", PAGE))
    assert {re.sub("<.*?>", "{id}", rule.rule) for rule in routes.ROUTES.iter_rules()} <= told | {
        path.removesuffix("/{id}") for path in told
    }


def test_the_page_is_served_with_the_address_that_it_was_asked_for_at(dialect_artifacts):
    client = Client(
        Request.application(service.Service(Config(dialect_artifacts, public_url="https://songs.example/api")).handle)
    )
    answer = client.get("/docs/clients")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.get_data(as_text=True) == PAGE.replace(EXAMPLE_URL, "https://songs.example/api")
