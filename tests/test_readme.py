"""The README is executed: its requests get its answers, its commands and files exist."""

import json
import re
import shlex

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web.service import Service
from segue_build import ROOT
from segue_build.cli import build_parser
from segue_build.fit import FitOptions, fit
from tests.support import screenshot

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("artifacts", "infra", "tests/benchmarks")),
]  # fmt: skip
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
COMMANDS = "\n".join(re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """What ``make run`` serves."""
    folder = tmp_path_factory.mktemp("readme")
    fit(FitOptions(), folder)
    return client_for(folder)


def client_for(folder):
    return Client(Request.application(Service(Config(folder)).handle))


def test_it_says_what_it_is_and_why_not_something_else_before_anything_else():
    assert re.match(r"# Segue\n\nSegue is a serverless function [^\n]+\.\n\n(- \*\*Not [^\n]+\n){3}\n", README)
    assert len(README.splitlines()) <= 200


def test_the_picture_of_the_page_loads_fast():
    (name,) = re.findall(r"^!\[The page: [^]]+\]\((\S+)\)$", README, re.MULTILINE)
    picture = (ROOT / name).read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(picture[at : at + 4]) for at in (16, 20)] == list(screenshot.SIZE.values())
    assert (ROOT / name, len(picture) < 200_000) == (screenshot.PICTURE, True)


def test_the_first_request_gets_the_answer_that_is_shown(client):
    path = re.search(r"curl -s '\S+:8080(/\S+)'", README).group(1)
    shown = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL).group(1))
    answer = client.get(path).json
    for song, shown_song in zip(answer["recommendations"], shown["recommendations"]):
        assert song.pop("score") == pytest.approx(shown_song.pop("score"), abs=0.01)
    del answer["model"], shown["model"]  # another Python or library gives the version another name
    assert answer == shown


LONG = json.loads(re.search(r"-d '(\{.*?\})'\n", README, re.DOTALL).group(1))


def test_the_long_request_is_answered(client):
    answer = client.post("/recommend", json=LONG)
    assert (answer.status_code, len(answer.json["recommendations"])) == (200, LONG["limit"])


@pytest.mark.slow
def test_the_long_request_is_answered_from_real_tracks_too(real_artifacts):
    answer = client_for(real_artifacts).post("/recommend", json=LONG)
    assert (answer.status_code, len(answer.json["recommendations"])) == (200, LONG["limit"])


def test_every_spelling_of_a_song_is_understood(client):
    spellings = re.search(r"as people type them: (.*?),\nor a Spotify link", README, re.DOTALL).group(1)
    answers = [
        client.get("/recommend", query_string={"song": " ".join(text.split())}).json["seeds"][0]
        for text in re.findall(r"`([^`]+)`", spellings)
    ]
    assert [(seed.get("name"), seed["match"]) for seed in answers] == [
        ("Harbour at Dusk", "exact"), ("Harbour at Dusk", "close"), (None, "exact"),
    ]  # fmt: skip


def test_every_segue_command_is_accepted_and_names_the_environment():
    lines = re.findall(r"^(?:[A-Z_]+=\S+ )*(\S*)\bsegue (.*?)(?: +#.*)?$", COMMANDS, re.MULTILINE)
    assert len(lines) >= 10
    for before, arguments in lines:
        assert before == ".venv/bin/", f"not found in a fresh shell: {before}segue {arguments}"
        build_parser().parse_args(shlex.split(arguments))
    assert re.findall(r"^(?:[A-Z_]+=\S+ )*(?:python|functions-framework) .*", COMMANDS, re.MULTILINE) == []


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_no_figure_is_left_to_fill_in():
    assert re.findall(r"@[A-Z]+@", README) == []


# --- docs/architecture.md -----------------------------------------------------------------------------------------

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("title", "most"), [("One request", 20), ("One table", 30), ("Glossary", 15)])
def test_a_newcomer_need_not_read_more_than_so_many_lines(title, most):
    section = ARCHITECTURE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    assert 10 < len(re.findall(r"^\| .*", section, re.MULTILINE)) - 1 <= most


def test_names_that_architecture_sends_a_reader_to_are_there():
    places = re.findall(r"`(\w+)` in\s\[[^]]*\]\(\.\./([^)]*\.py)\)", ARCHITECTURE)
    assert len(places) >= 8
    assert [place for place in places if place[0] not in (ROOT / place[1]).read_text(encoding="utf-8")] == []


# --- docs/journeys.md ---------------------------------------------------------------------------------------------

JOURNEYS = (ROOT / "docs" / "journeys.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\ncurl (.*?)\n```\n\n```json\n(.*?)\n```", JOURNEYS, re.DOTALL)


@pytest.mark.parametrize(("curl_arguments", "shown"), EXAMPLES)
def test_journeys_get_answers_that_contain_what_is_shown(client, curl_arguments, shown):
    words = shlex.split(curl_arguments)
    path = next(word for word in words if word.startswith("http")).partition(":8080")[2]
    body = words[words.index("-d") + 1] if "-d" in words else None
    answer = client.post(path, data=body, content_type="application/json") if body else client.get(path)
    assert shown_part(answer.json, json.loads(shown)) == rounded(json.loads(shown))


def shown_part(answer, shown):
    """The part of an answer that the document shows."""
    if isinstance(shown, dict):
        return {name: shown_part(answer[name], value) for name, value in shown.items()}
    if isinstance(shown, list) and len(shown) == len(answer):
        return [shown_part(*pair) for pair in zip(answer, shown)]
    return rounded(answer)


def rounded(value):
    """Numbers to two digits: another library may differ in later ones."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 2) if isinstance(value, float) else value


def test_every_journey_has_an_example():
    assert len(EXAMPLES) == 8
