"""Versions whose digests are right and whose content is not: refused by file and rule, a 503 where one is served."""

import logging
import os
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from werkzeug.test import Client

from segue import releases
from segue.catalog import load_version, version_files
from segue.catalog.catalog import map_array, mapped_bytes
from segue.catalog.validation import ArrayChecker
from segue.errors import ArtifactsError
from segue_build.releases.publish import publish
from tests.support.damage import changed_version, damaged, with_array
from tests.support.releases import ANYHOW, ASKED, client, point_to

CHANGES = int(os.environ.get("SEGUE_TEST_CHANGES", "1000"))
SEED = int(os.environ.get("SEGUE_TEST_SEED", "0"))
REQUESTS = [
    ("/recommend?song_id=piano-1&explain=true", None),
    ("/recommend?song=slow%20rayn&limit=20", None),
    ("/recommend", {"seeds": [{"genre": "piano"}, {"artist": "Skarn", "weight": -1}], "draw": 1, "exact": True}),
    ("/recommend", {"features": {"energy": 0.9, "tempo": 120}, "filters": {"tempo": [60, 200]}}),
    ("/recommend", {"cluster": 0, "filters": {"clusters": [0], "exclude_genres": ["metal"]}, "draw": 1}),
    ("/playlist", {"song_id": "piano-1", "songs": 5}),
    ("/path", {"from": {"id": "piano-1"}, "to": {"id": "disco-4"}, "length": 4}),
    ("/continue", {"played": ["piano-1", "disco-2"], "limit": 5}),
    ("/search?q=sl", None),
    ("/songs/piano-1", None),
    ("/songs", {"ids": ["piano-1", "disco-3"]}),
    ("/clusters", None),
    ("/clusters/0", None),
    ("/genres", None),
    ("/artists/Ada%20Lindqvist", None),
    ("/map", None),
    ("/readyz", None),
    ("/v1/recommendations?seed_genres=disco&target_energy=0.5&min_tempo=50", None),
    ("/v1/search?q=rain%20artist:ada%20album:piano&type=track,artist", None),
    ("/rest/search3?query=piano", None),
    ("/rest/getSimilarSongs?id=piano-1", None),
    ("/batch", {"requests": [{"path": "/recommend", "body": {"song_id": "disco-1"}}]}),
]  # fmt: skip
REFUSAL = re.compile(r"[\w.-]+ of version [0-9a-f]{16}\b.*")
pytestmark = pytest.mark.usefixtures("no_check_outlives_its_test")


@pytest.fixture
def root(world_artifacts, tmp_path):
    """A folder with the world's version."""
    return Path(shutil.copytree(world_artifacts, tmp_path / "artifacts"))


def statuses(function: Client) -> dict[str, int]:
    """The status of every request, and of the one within the batch."""
    found = {}
    for path, body in REQUESTS:
        answer = function.get(path) if body is None else function.post(path, json=body)
        inside = answer.json["answers"] if path == "/batch" and answer.status_code == 200 else []
        found[f"{path} {body}"] = max([answer.status_code, *(one["status"] for one in inside)])
    return found


def test_every_request_is_answered_by_the_undamaged_version(root):
    assert set(statuses(client(root)).values()) == {200}


def put(place, value):
    """A change of one element of an array."""

    def change(array):
        array.reshape(-1)[place] = value
        return array

    return change


RULES = [
    ("works", lambda array: array.astype("int64"), "works.npy of VERSION is int64 of shape (14,), not int32 of (14)"),
    ("works", lambda array: array[:-1], "works.npy of VERSION is int32 of shape (13,), not int32 of (14)"),
    ("works", put(0, 13), "works.npy of VERSION holds "),
    ("local_scales", put(3, float("nan")), "local_scales.npy of VERSION holds a number that is not finite"),
    ("attribute_energy", put(3, float("inf")), "attribute_energy.npy of VERSION holds a number that is not finite"),
    ("title_hashes", lambda array: array[::-1], "title_hashes.npy of VERSION does not rise"),
    ("names_offsets", put(-1, 1000), "names_offsets.npy of VERSION goes from 0 to 1000, not from 0 to"),
    ("song_artists_offsets", put(5, 9), "song_artists_offsets.npy of VERSION does not rise"),
    ("names_heap", put(2, 0xFF), "names_heap.npy of VERSION is not UTF-8 at byte 2"),
    ("work_songs", lambda array: array[::-1], "work_songs.npy of VERSION lists other songs than works says"),
]


@pytest.mark.parametrize(("name", "change", "told"), RULES)
def test_an_array_is_refused_by_file_and_rule_wherever_a_version_is_checked_whole(root, name, change, told, tmp_path):
    good = version_files.current_version(root)
    changed = changed_version(root, good, with_array(name, change))
    told = told.replace("VERSION", f"version {changed}")
    serving = client(root)
    assert serving.get(ASKED).headers["X-Segue-Model"] == good
    with pytest.raises(ArtifactsError) as refused:
        publish(load_version(root, changed), releases.open_store(str(tmp_path / "store")), ANYHOW)
    assert str(refused.value).startswith(told)
    with pytest.raises(ArtifactsError) as refused:
        releases.LocalReleases(root).open(changed)
    assert str(refused.value).startswith(told)
    point_to(str(root), changed)
    assert [serving.get(ASKED).headers["X-Segue-Model"] for _ in range(3)] == [good] * 3


def test_a_sample_of_a_large_array_touches_few_of_its_pages(tmp_path):
    np.save(tmp_path / "source_rows.npy", np.arange(10_000_000, dtype=np.int32))
    array, before = map_array(tmp_path / "source_rows.npy"), mapped_bytes()
    ArrayChecker({"songs": 10_000_000}, "0" * 16).check_sample("source_rows", array)
    assert mapped_bytes() - before < 1_000_000


def change_and_ask(root: Path, serving: Client, seed: int) -> str:
    """Change one thing, and serve the version as the first one and in place of another; returns what became of it."""
    good = version_files.current_version(root)
    changed, change = damaged(root, good, random.Random(seed))
    point_to(str(root), changed)
    fresh = statuses(client(root, refresh=0))
    assert max(fresh.values()) in (200, 400, 404, 503), (seed, change, fresh)
    assert 500 not in fresh.values(), (seed, change, fresh)
    refreshed = [serving.get(REQUESTS[0][0]) for _ in range(3)]
    assert {answer.status_code for answer in refreshed} == {200}, (seed, change)
    served = refreshed[-1].headers["X-Segue-Model"]
    assert served in (good, changed), (seed, change)
    if served == changed:
        assert 503 not in fresh.values(), (seed, change, fresh)
    point_to(str(root), good)
    while serving.get(REQUESTS[0][0]).headers["X-Segue-Model"] != good:
        pass
    if changed != good:
        shutil.rmtree(root / "versions" / changed)
    return "refused" if served == good else "served"


def changes(root: Path, first: int, count: int) -> dict[str, int]:
    logging.getLogger("segue").setLevel(logging.CRITICAL)
    try:
        serving, found = client(root), {"refused": 0, "served": 0}
        statuses(serving)
        for seed in range(first, first + count):
            found[change_and_ask(root, serving, seed)] += 1
    finally:
        logging.getLogger("segue").setLevel(logging.NOTSET)
    return found


def test_changed_versions_are_refused_or_answer_without_an_error(root):
    assert changes(root, 10_000, 40)["refused"] > 15


@pytest.mark.slow
def test_a_thousand_changed_versions_are_refused_or_answer_without_an_error(root):
    found = changes(root, SEED * CHANGES, CHANGES)
    assert found["refused"] > CHANGES / 3, found
