"""The README is executed: its requests get its answers, its commands and files exist."""

import json
import re
import shlex
from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web.service import Service
from segue_build.cli import build_parser
from segue_build.fit import FitOptions, fit
from tests.support import screenshot

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LIFE = (ROOT / "docs" / "life-of-a-model.md").read_text(encoding="utf-8")
COMMANDS = "\n".join(re.findall(r"```console\n(.*?)```", README + LIFE, re.DOTALL))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """What `make run` serves."""
    folder = tmp_path_factory.mktemp("readme")
    fit(FitOptions(), folder)
    return client_of(folder)


def client_of(folder):
    return Client(Request.application(Service(Config(folder)).handle))


def test_it_opens_with_a_picture_of_the_page_that_loads_fast():
    (name,) = re.findall(r"\A# Segue\n\n!\[The page: [^]]+\]\((\S+)\)\n", README)
    picture = (ROOT / name).read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(picture[at : at + 4]) for at in (16, 20)] == list(screenshot.SIZE.values())
    assert (ROOT / name, len(picture) < 200_000) == (screenshot.PICTURE, True)


def test_the_first_request_gets_the_answer_that_is_shown(client):
    path = re.search(r"curl -s '\S+:8080(/\S+)'", README).group(1)
    shown = json.loads(re.search(r"```json\n(.*?)```", README, re.DOTALL).group(1))
    found = client.get(path).json
    for song, other in zip(found["recommendations"], shown["recommendations"]):
        assert song.pop("score") == pytest.approx(other.pop("score"), abs=0.01)
    del found["model"], shown["model"]  # another Python or library gives the version another name
    assert found == shown


LONG = json.loads(re.search(r"-d '(\{.*?\})'\n", COMMANDS, re.DOTALL).group(1))


def test_the_long_request_is_answered(client):
    answer = client.post("/recommend", json=LONG)
    assert (answer.status_code, len(answer.json["recommendations"])) == (200, LONG["limit"])


@pytest.mark.slow
def test_the_long_request_is_answered_from_real_tracks_too(real_artifacts):
    answer = client_of(real_artifacts).post("/recommend", json=LONG)
    assert (answer.status_code, len(answer.json["recommendations"])) == (200, LONG["limit"])


def test_the_ways_to_ask_for_a_song_are_understood(client):
    ways = re.search(r"as people type it: (.*?), with typos", README, re.DOTALL).group(1)
    for text in re.findall(r"`([^`]+)`", ways):
        (seed,) = client.get("/recommend", query_string={"song": " ".join(text.split())}).json["seeds"]
        assert (seed["name"], seed["match"]) == ("Harbour at Dusk", "exact")


def test_every_build_command_is_one(capsys):
    lines = re.findall(r"^segue (.*?)(?: +#.*)?$", COMMANDS, re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        build_parser().parse_args(shlex.split(line))


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) <= targets


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_no_figure_is_left_to_fill_in():
    assert re.findall(r"@[A-Z]+@", README) == []


# --- docs/journeys.md ---------------------------------------------------------------------------------------------

JOURNEYS = (ROOT / "docs" / "journeys.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\ncurl (.*?)\n```\n\n```json\n(.*?)\n```", JOURNEYS, re.DOTALL)


@pytest.mark.parametrize(("asked", "shown"), EXAMPLES)
def test_journeys_get_the_answers_of_which_parts_are_shown(client, asked, shown):
    words = shlex.split(asked)
    path = next(word for word in words if word.startswith("http")).partition(":8080")[2]
    body = words[words.index("-d") + 1] if "-d" in words else None
    answer = client.post(path, data=body, content_type="application/json") if body else client.get(path)
    assert part(answer.json, json.loads(shown)) == rounded(json.loads(shown))


def part(found, shown):
    """What is shown of an answer, as it was found."""
    if isinstance(shown, dict):
        return {name: part(found[name], value) for name, value in shown.items()}
    if isinstance(shown, list) and len(shown) == len(found):
        return [part(*pair) for pair in zip(found, shown)]
    return rounded(found)


def rounded(value):
    """Numbers to two digits: another library may differ in later ones."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 2) if isinstance(value, float) else value


def test_every_journey_has_an_example():
    assert len(EXAMPLES) == 7
