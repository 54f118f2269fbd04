"""The pages at / and /docs, in a real browser in front of a real server."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

from segue.web.views.pages import PAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=8000",
]  # fmt: skip
MAIN = Path(__file__).parents[1] / "functions" / "main.py"

in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


class Texts(HTMLParser):
    """The visible text of a page, element by element, and the attributes of all its elements."""

    def __init__(self, source):
        super().__init__()
        self.texts, self.attributes, self._in_code = [], [], False
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self._in_code = tag in ("script", "style", "noscript")
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_endtag(self, tag):
        self._in_code = False

    def handle_data(self, data):
        if data.strip() and not self._in_code:
            self.texts.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def serve():
    """Starts the function on artifacts and gives its address."""
    with contextlib.ExitStack() as stack:
        yield lambda artifacts: stack.enter_context(_served(artifacts))


@contextlib.contextmanager
def _served(artifacts):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "functions_framework",
        "--source",
        MAIN,
        "--target",
        "recommend",
        "--port",
        str(port),
    ]
    environ = {**os.environ, "SEGUE_ARTIFACTS": str(artifacts)}
    with subprocess.Popen([*command, "--host", "127.0.0.1"], env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()


def _wait_for(port):
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise TimeoutError("the server does not listen")


@pytest.fixture(scope="module")
def service(serve, demo_artifacts):
    return serve(demo_artifacts)


@pytest.fixture
def browse(tmp_path):
    """Opens an address in a browser and gives the page that its scripts have made."""

    def browse(address):
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return Texts(done.stdout)

    return browse


def ask(address, path, **parameters):
    return requests.get(f"{address}{path}", parameters, timeout=60).json()


@in_a_browser
def test_a_name_in_the_address_is_searched_at_once_and_answered_with_reasons(service, browse):
    page = browse(f"{service}?q=anchor")
    asked = ask(service, "recommend", song="Anchor", explain="true")
    assert "Songs like Anchor by Rosalind & the Records:" in page.texts
    for song in asked["recommendations"]:
        shown = [
            song["name"],
            ", ".join(song["artists"]),
            "Because: " + " · ".join(song["why"]["reasons"]),
            song["cluster"]["name"],
            "More like this",
            f"{song['score']:.2f}",
        ]
        start = page.texts.index(song["name"])
        assert page.texts[start : start + len(shown)] == shown


@in_a_browser
def test_the_page_says_that_the_catalogue_is_invented_and_which_model_answers(service, browse):
    page = browse(service)
    ready = ask(service, "readyz")
    assert f"{ready['songs']} songs, model {ready['version']}." in page.texts
    assert any(text.startswith("The songs here are invented") for text in page.texts)
    assert ("p", "hidden", "") not in page.attributes


@in_a_browser
def test_a_name_that_is_like_none_is_answered_in_words(service, browse):
    assert "No song is called anything like “zzqqxxjj”." in browse(f"{service}?q=zzqqxxjj").texts


@in_a_browser
def test_markup_in_a_name_is_shown_and_not_run(service, browse):
    page = browse(f"{service}?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%20qq")
    assert not any(tag == "img" for tag, *_ in page.attributes)


@in_a_browser
def test_missing_artifacts_are_told_with_the_command_to_run(serve, browse, tmp_path):
    page = browse(f"{serve(tmp_path)}?q=anchor")
    assert any("python -m build fit" in text for text in page.texts)


@in_a_browser
def test_the_documentation_shows_every_path_parameter_status_and_shape(service, browse):
    page = browse(f"{service}docs")
    document = json.loads((PAGES / "openapi.json").read_text(encoding="utf-8"))
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    shown = set(page.texts)
    assert set(document["paths"]) <= shown
    assert {parameter["name"] for one in operations for parameter in one.get("parameters", [])} <= shown
    assert {status for operation in operations for status in operation["responses"]} <= shown
    assert {name for name, schema in document["components"]["schemas"].items() if "properties" in schema} <= shown
    assert f"curl '{service}readyz'" in shown


@pytest.mark.parametrize("name", ["index.html", "docs.html"])
def test_a_page_fetches_nothing_from_elsewhere_and_nothing_from_the_root(name):
    source = (PAGES / name).read_text(encoding="utf-8")
    addresses = [value for _, attribute, value in Texts(source).attributes if attribute in ("src", "href")]
    assert set(addresses) <= {"data:,", "docs", "docs/clients", "openapi.json", "./"}
    assert not re.search(r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|@import", source)
    assert not re.search(r"""(?:fetch|get)\(["'`]/""", source)
