"""A running function: what it serves while versions come and go, well and badly."""

import contextvars
import errno
import gc
import itertools
import shutil
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import releases
from segue.catalog import Catalog, version_files
from segue.config import Config
from segue.engine import recommendation
from segue.releases import serving
from segue.web import request_context
from segue_build.releases.publish import rollback
from tests.support.releases import (
    ANYHOW,
    ASKED,
    client,
    point_to,
    published,
    served,
    service,
    wait_for_checks,
    warnings,
)

DAMAGES = {
    "flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "truncated": lambda content: content[:-1],
    "deleted": None,
}
ANYTHING = ["/recommend?song_id=piano-2", "/search?q=slow", "/songs/piano-1", "/clusters/0", "/readyz"]
EVERY_DIALECT = [
    "/recommend?song=slow%20rayn&explain=true",
    "/search?q=slow%20rayn",
    "/v1/recommendations?seed_artists=Halberd",
    "/v1/search?q=rain%20artist:ada%20album:piano&type=track,artist",
    "/rest/search3?query=piano",
    "/rest/getSimilarSongs?id=piano-1",
    "/rest/findSonicPath?startSongId=piano-1&endSongId=disco-4&count=3",
]
NEVER = 0.0
pytestmark = pytest.mark.usefixtures("no_check_outlives_its_test")


def damage(address, name, how, tmp_path):
    """Damage one file of a store."""
    place = releases.open_store(address)
    if how is None:
        place.delete([name])
    else:
        (tmp_path / "damaged").write_bytes(how(place.read(name).content))
        place.replace(name, tmp_path / "damaged")


def test_a_new_version_and_the_way_back_are_seen_by_the_second_request(stocked, versions, cache):
    first, second = versions[:2]
    function = client(stocked, cache)
    assert served(function) == first.version
    published(stocked, [second])
    assert served(function) == second.version
    rollback(releases.open_store(stocked), None, ANYHOW)
    assert served(function) == first.version
    rollback(releases.open_store(stocked), second.version, ANYHOW)
    assert served(function) == second.version


def test_nothing_is_looked_for_before_the_interval_is_over(stocked, versions, cache):
    clock = itertools.count().__next__  # a second a look
    found = releases.open_releases(Config(stocked, cache_folder=cache))
    live = serving.LiveCatalog(found, 10.0, lambda songs: None, clock)
    first = live.catalog()
    live.catalog()
    settle(live)
    point_to(stocked, versions[1].version)
    seen = []
    for _ in range(20):
        seen.append(live.catalog().version)
        settle(live)
    place = seen.index(versions[1].version)
    assert 5 <= place <= 15
    assert set(seen[:place]) == {first.version}
    assert set(seen[place:]) == {versions[1].version}


def test_a_version_that_begins_without_blocks_serves_for_a_while_though_others_come_all_the_time(
    plain, versions, monkeypatch
):
    """Each change costs every reader the blocks that it needs most."""
    monkeypatch.setattr(Catalog, "warm_up", 20.0)
    published(plain, versions[:2])
    now = [0.0]
    live = serving.LiveCatalog(releases.open_releases(Config(plain)), 1.0, lambda songs: None, lambda: now[0])
    seen = []
    seconds = range(0, 90, 5)
    for second in seconds:
        now[0] = float(second)
        point_to(plain, versions[second % 2].version)
        seen.append(live.catalog().version)
        settle(live)
    times = [second for second, (before, after) in zip(seconds, itertools.pairwise(seen)) if before != after]
    assert len(times) > 2
    assert min(after - before for before, after in itertools.pairwise(times)) >= 20


def settle(live):
    if live._check_thread:
        live._check_thread.join(10)


def test_zero_seconds_means_never(stocked, versions, cache):
    function = client(stocked, cache, NEVER)
    served(function)
    point_to(stocked, versions[1].version)
    assert served(function) == versions[0].version


def test_a_request_finishes_on_the_version_it_began_with(plain, versions, monkeypatch):
    published(plain, versions[:1])
    function = client(plain)
    served(function)
    read, begun, go_on = request_context.read_body, threading.Event(), threading.Event()

    def slow(request, bounds):
        begun.set()
        assert go_on.wait(20)
        return read(request, bounds)

    monkeypatch.setattr(request_context, "read_body", slow)
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(function.post, "/recommend", json={"song_id": "piano-2"})
        assert begun.wait(20)
        published(plain, versions[1:2])
        assert served(function) == versions[1].version
        go_on.set()
        answer = early.result()
    assert answer.status_code == 200
    assert answer.json["model"] == answer.headers["X-Segue-Model"] == versions[0].version


def test_a_replaced_version_is_let_go_after_requests_of_every_dialect(plain, versions):
    published(plain, versions[:1])
    running = service(plain)
    function = Client(Request.application(running.handle))
    for path in EVERY_DIALECT:
        assert function.get(path).status_code == 200, path
    replaced = weakref.ref(contextvars.copy_context().run(running.catalog))
    published(plain, versions[1:2])
    assert served(function) == versions[1].version
    settle(running._live)
    gc.collect()
    assert replaced() is None


def files_of(songs):
    return [version_files.MANIFEST, *songs.manifest["files"]]


@pytest.mark.parametrize("how", DAMAGES)
def test_each_damaged_file_of_a_new_version_is_refused_by_its_name_and_the_old_one_serves_on(
    places, monkeypatch, versions, how, tmp_path, caplog
):
    refused(places.stocked("plain", versions, monkeypatch), versions, files_of(versions[1]), how, tmp_path, caplog)


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_file_in_a_bucket_is_refused_by_its_name(stocked_bucket, versions, how, tmp_path, caplog):
    some = [version_files.MANIFEST, "vectors.npy", "catalog.parquet"]
    refused(stocked_bucket, versions, some, how, tmp_path, caplog)


@pytest.mark.slow
@pytest.mark.parametrize("how", DAMAGES)
def test_each_damaged_file_in_a_bucket_is_refused_by_its_name(stocked_bucket, versions, how, tmp_path, caplog):
    refused(stocked_bucket, versions, files_of(versions[1]), how, tmp_path, caplog)


def refused(address, versions, names, how, tmp_path, caplog):
    """Damage each of these files of the second version, one at a time, while the first is served."""
    old, new = versions[:2]
    function = client(address, tmp_path / "cache")
    served(function)
    place = releases.open_store(address)
    for name in names:
        full = f"versions/{new.version}/{name}"
        damage(address, full, DAMAGES[how], tmp_path)
        point_to(address, new.version)
        shutil.rmtree(tmp_path / "cache" / new.version, ignore_errors=True)
        caplog.clear()
        assert served(function) == old.version
        told = warnings(caplog)
        assert told
        assert all(f"version {old.version} serves on" in line and name in line for line in told), told
        point_to(address, old.version)
        assert served(function) == served(function) == old.version  # no check is under way that saw the new one
        place.replace(full, new.folder / name)
    point_to(address, new.version)
    assert served(function) == new.version


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "can't be read"), (b"<html>", "can't be read"), (b"[]", "does not hold an object"), (b"{}", "no version"),
     (b'{"version": "../../../etc"}', "no version"), (b'{"version": "0123456789abcdef"}', "manifest.json")],
)  # fmt: skip
def test_a_pointer_that_leads_nowhere_is_refused_on_one_line(stocked, versions, cache, caplog, content, told):
    function = client(stocked, cache)
    assert served(function) == versions[0].version
    place = releases.open_store(stocked)
    place.compare_and_swap(version_files.POINTER, content, place.read(version_files.POINTER).tag)
    caplog.clear()
    assert served(function) == versions[0].version
    assert warnings(caplog)
    assert all(told in line and "\n" not in line for line in warnings(caplog))


def test_a_version_of_a_newer_format_is_refused(plain, versions, caplog):
    published(plain, versions[:1])
    function = client(plain)
    served(function)
    newer = b'{"format": 77}'
    version = version_files.version_id(newer)
    (Path(plain) / "versions" / version).mkdir()
    (Path(plain) / "versions" / version / version_files.MANIFEST).write_bytes(newer)
    point_to(plain, version)
    assert served(function) == versions[0].version
    assert f"has format 77, this code reads format {version_files.FORMAT}" in warnings(caplog)[0]


@pytest.mark.parametrize("failure", [MemoryError("no more"), OSError(errno.ENOMEM, "Cannot allocate"), KeyError("x")])
def test_a_version_that_cannot_answer_is_refused(plain, versions, caplog, monkeypatch, failure):
    recommend = recommendation.recommend

    def failing(songs, query):
        if songs.version == versions[1].version:
            raise failure
        return recommend(songs, query)

    monkeypatch.setattr(recommendation, "recommend", failing)
    published(plain, versions[:1])
    function = client(plain)
    served(function)
    monkeypatch.setattr("segue_build.releases.gate.recommend", recommend)
    published(plain, versions[1:2])
    assert served(function) == versions[0].version
    assert f"serves on: {type(failure).__name__}" in warnings(caplog)[0]


def test_without_a_good_version_answers_are_503_until_there_is_one(s3, versions, cache, tmp_path, caplog):
    address = s3
    function = client(address, cache)
    empty = function.get(ASKED)
    published(address, versions[:1])
    name = f"versions/{versions[0].version}/vectors.npy"
    damage(address, name, DAMAGES["flipped"], tmp_path)
    damaged = function.get(ASKED)
    releases.open_store(address).replace(name, versions[0].folder / "vectors.npy")
    assert [answer.status_code for answer in (empty, damaged, function.get(ASKED))] == [503, 503, 200]
    assert address not in empty.get_data(as_text=True)
    assert damaged.json["detail"] == f"vectors.npy of version {versions[0].version} is damaged in the store"
    assert f"{address}: no version can be served: nothing is published at {address}" in warnings(caplog)[0]


FAULTS = [403, 409, 500, "garbage", "down", 5.0, b"<html>busy</html>"]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_store_that_misbehaves_leaves_the_last_good_version(behind_proxy, versions, cache, caplog, fault):
    address, proxy = behind_proxy
    function = client(address, cache)
    served(function)
    served(function)
    point_to(address, versions[1].version)
    proxy.fault, proxy.asked = fault, []
    caplog.clear()
    answers = [function.get(path) for path in (ASKED, *ANYTHING)]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert {answer.headers["X-Segue-Model"] for answer in answers} == {versions[0].version}
    if fault != 5.0:
        assert warnings(caplog)
        said = f"{address}: version {versions[0].version} serves on: "
        assert all(line.startswith(said) and "\n" not in line for line in warnings(caplog))
        assert len(proxy.asked) <= 3 * len(answers)
    proxy.fault = None


def test_a_start_while_the_store_is_down_serves_what_the_cache_held(behind_proxy, versions, cache, caplog):
    address, proxy = behind_proxy
    earlier = client(address, cache)
    served(earlier)
    served(earlier)
    proxy.fault = 500
    function = client(address, cache)
    assert [function.get(path).status_code for path in ANYTHING] == [200] * len(ANYTHING)
    assert any(f"version {versions[0].version} from the cache is served" in line for line in warnings(caplog))
    proxy.fault = None
    point_to(address, versions[1].version)
    assert served(function) == versions[1].version


def test_requests_that_wait_for_a_failing_start_share_its_failure(behind_proxy, cache):
    address, proxy = behind_proxy
    proxy.fault = lambda _: time.sleep(0.3) or 500
    function = client(address, cache)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: function.get(ASKED), range(8)))
    assert {answer.status_code for answer in answers} == {503}
    assert len(proxy.asked) <= 3


def test_files_are_fetched_when_they_are_needed_and_the_rest_behind_the_next_request(behind_proxy, versions, cache):
    address, proxy = behind_proxy
    proxy.asked = []
    function = client(address, cache)
    function.get(ASKED)
    names = {path.rpartition("/")[2] for path in proxy.asked}
    assert "vectors.npy" in names
    assert not names & {"catalog.parquet", "lookup.sqlite"}
    served(function)
    assert {path.name for path in cache.glob(f"{versions[0].version}/*")} == set(files_of(versions[0]))


def test_workers_share_what_was_fetched(behind_proxy, versions, cache):
    address, proxy = behind_proxy
    one = client(address, cache)
    served(one)
    served(one)
    wait_for_checks()
    proxy.asked = []
    assert [client(address, cache).get(path).status_code for path in ANYTHING] == [200] * len(ANYTHING)
    assert {path.rpartition("/")[2] for path in proxy.asked} == {"current.json"}


def test_cache_files_that_vanish_or_change_are_fetched_again(stocked_bucket, cache):
    function = client(stocked_bucket, cache)
    expected = [function.get(path).data for path in ANYTHING]
    wait_for_checks()
    shutil.rmtree(cache)
    assert [function.get(path).data for path in ANYTHING] == expected
    served(function)
    served(function)
    for path in cache.glob("*/*.npy"):
        path.with_suffix(".copy").write_bytes(DAMAGES["flipped"](path.read_bytes()))
        path.with_suffix(".copy").replace(path)
    assert [client(stocked_bucket, cache).get(path).data for path in ANYTHING] == expected


def test_a_thread_that_can_not_begin_leaves_the_served_version_and_the_next_check_tries_again(
    places, versions, cache, caplog, monkeypatch
):
    stocked = places.stocked("plain", versions, monkeypatch)
    function = client(stocked, cache)
    served(function)
    assert served(function) == versions[0].version
    monkeypatch.setattr(serving, "START_PATIENCE", 0.1)
    with monkeypatch.context() as starved:
        starved.setattr("threading.Thread._bootstrap", lambda thread: None)  # as where it gets no memory
        point_to(stocked, versions[1].version)
        assert [function.get(ASKED).headers["X-Segue-Model"] for _ in range(3)] == [versions[0].version] * 3
    assert any("serves on: RuntimeError: a new thread does not begin" in line for line in warnings(caplog))
    assert served(function) == versions[1].version
