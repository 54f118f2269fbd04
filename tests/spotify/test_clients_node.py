"""The official client for Node and browsers, unmodified, against the function under the functions framework."""

import json
import os
import shutil
import subprocess

import pytest

from segue_build import ROOT
from tests.spotify.test_clients import NOBODY, service

PACKAGES = ROOT / ".cache" / "clients"  # where .ci/run installs tests/clients/package.json

__all__ = ["service"]  # a fixture

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="needs Node"),
    pytest.mark.skipif(
        not (PACKAGES / "node_modules" / "@spotify").is_dir(),
        reason="needs its packages: npm install --prefix .cache/clients, with tests/clients/package.json in there",
    ),
]


def run(script, **environ):
    """What a module prints; packages are found from the folder that it runs in."""
    command, environ = ["node", "--input-type=module"], os.environ | environ
    done = subprocess.run(
        command, input=script, cwd=PACKAGES, env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def answers(service, tmp_path_factory):
    given = {"base": service.base, "songs": service.songs[:2], "artists": service.artists[:1],
             "genres": service.genres[:3], "nobody": NOBODY}  # fmt: skip
    path = tmp_path_factory.mktemp("given") / "given.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    printed = json.loads(run((ROOT / "tests" / "clients" / "sdk.mjs").read_text(encoding="utf-8"), GIVEN=str(path)))
    assert printed["warnings"] == []
    return printed["found"]


@pytest.mark.parametrize("name", ["byTracks", "byArtists", "byGenres", "byAll"])
def test_the_sdk_gets_recommendations_for_every_kind_of_seed(answers, service, name):
    works = [service.works[track["id"]] for track in answers[name]["tracks"]]
    assert len(works) == len(set(works)) == 30
    assert all(seed["afterRelinkingSize"] > 0 for seed in answers[name]["seeds"])


def test_the_sdk_gets_songs_and_their_features(answers, service):
    first, second = service.songs[:2]
    assert answers["track"]["id"] == answers["features"]["id"] == first
    for name in ("tracks", "severalFeatures"):
        assert [entry and entry["id"] for entry in answers[name]] == [first, None, second]
    assert answers["tracks"][0] == answers["track"]


def test_the_sdk_gets_artists(answers, service):
    assert answers["artists"] == [answers["artist"], None]
    assert answers["artist"]["id"] == service.artists[0]
    assert answers["related"]["artists"]
    assert answers["genreSeeds"]["genres"] == service.genres


def test_the_sdk_gets_pages(answers, service):
    for page in answers["search"].values():
        assert (len(page["items"]), page["limit"], page["offset"]) == (2, 2, 2)
        assert page["next"].startswith(f"{service.base}/v1/search?q=a&type=")


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("unknown", 404, "Non existing id"),
        ("noSeed", 400, "expected 1..5 seeds"),
        ("notServed", 404, "is not served"),
    ],
)
def test_the_sdk_is_told_what_was_wrong(answers, name, status, said):
    assert f"Unrecognised response code: {status}" in answers[name]["thrown"]
    assert said in answers[name]["thrown"]
