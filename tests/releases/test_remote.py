"""A function that serves by cells from a bucket: the same answers, few round trips, a 503, never a wrong answer."""

import contextvars
import dataclasses
import logging
import re
import urllib.parse

import numpy as np
import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import log_context, releases
from segue.catalog import Catalog, load
from segue.catalog.lookup.artists import resolve_artist
from segue.catalog.lookup.exact import artist_id, artist_names, prefetch
from segue.catalog.remote import RemoteCatalog
from segue.config import Config
from segue.releases.bucket import RETRY_CONFIG
from segue.web.service import Service
from segue_build.releases.publish import PublishOptions, publish
from tests.support import invented_playlists
from tests.support.releases import warnings
from tests.support.remote_catalog import requests
from tests.support.store_servers import Proxy
from tests.support.stores import environment

pytestmark = pytest.mark.usefixtures("no_check_outlives_its_test")
ONCE = PublishOptions()
RANGES = 4  # of the records that a long title may be in, neighbours together


@pytest.fixture(scope="module")
def shelf(places, demo_catalog, dialect_artifacts, world_catalog, tmp_path_factory):
    """Buckets of moto's, each with one catalogue."""
    taught = load(invented_playlists.teach_demo(tmp_path_factory.mktemp("taught"), demo_catalog))
    found = {"demo": demo_catalog, "dialect": load(dialect_artifacts), "world": world_catalog, "taught": taught}
    with pytest.MonkeyPatch.context() as patch:
        addresses = {name: places.empty("s3", patch) for name in found}
        for name, songs in found.items():
            publish(songs, releases.open_store(addresses[name]), ONCE)
    return {name: (songs, addresses[name]) for name, songs in found.items()}


@pytest.fixture
def bucket(shelf, places, monkeypatch):
    """The address of the small invented catalogue, to which the environment leads."""
    for variable, value in environment("s3", places.bases["s3"]).items():
        monkeypatch.setenv(variable, value)
    return shelf["demo"][1]


def by_cells(address, cache, **options):
    return Config(address, 0, cache, resident_mode="cells", **options)


def client(config):
    return Client(Request.application(Service(config).handle))


@pytest.mark.parametrize("name", ["demo", "world", "taught"])
@pytest.mark.parametrize("limit", [10**8, 60_000])
def test_answers_are_those_of_whole_files(shelf, bucket, cache, name, limit):
    songs, address = shelf[name]
    ours = client(by_cells(address, cache, block_cache_bytes=limit))
    theirs = client(Config(songs.folder.parents[1]))
    for path, body in requests(songs, 52, seed=limit):
        answers = [one.post(path, json=body) for one in (ours, theirs)]
        assert answers[0].data == answers[1].data, (path, body)


@pytest.mark.parametrize("limit", [10**8, 60_000])
def test_songs_that_are_played_together_are_listed_and_explained_the_same(shelf, bucket, cache, limit):
    songs, address = shelf["taught"]
    ours = client(by_cells(address, cache, block_cache_bytes=limit))
    theirs = client(Config(songs.folder.parents[1]))
    listed = np.flatnonzero(songs.array("neighbour_lists")[songs.array("works")] >= 0).tolist()
    ids = songs.texts("ids").take(np.array(listed))
    parts = set()
    for one, other in zip(ids[:20], ids[20:40]):
        for body in (
            {"song_id": one, "explain": True},
            {"seeds": [{"id": one}, {"id": other}, {"id": ids[-1], "weight": -0.5}], "explain": True},
            {"song_id": one, "filters": {"energy": [0.3, None], "exclude_ids": [other]}, "limit": 40},
        ):
            answer = ours.post("/recommend", json=body)
            assert answer.data == theirs.post("/recommend", json=body).data, body
            whys = (song.get("why", {}) for song in answer.json["recommendations"])
            parts.update(part for why in whys for part in why.get("parts", ()))
    assert "together" in parts


def test_dialects_and_lists_answer_the_same(shelf, bucket, cache):
    songs, address = shelf["dialect"]
    ours, theirs = client(by_cells(address, cache)), client(Config(songs.folder.parents[1]))
    song, name = songs.texts("ids")[5], songs.texts("names")[9]
    artist = artist_id(songs.texts("artists")[3])
    asked = urllib.parse.quote(name[:5])
    for path in (
        f"/v1/recommendations?seed_tracks={song}&seed_artists={artist}", f"/v1/tracks/{song}",
        f"/v1/artists/{artist}",
        f"/v1/search?q={asked}&type=track,artist,album", f"/v1/artists/{artist}/top-tracks",
        f"/rest/getSimilarSongs?id={song}&u=a&p=b&v=1.16.1&c=test&f=json", f"/search?q={asked}", f"/songs/{song}",
        "/clusters", "/clusters/0?limit=5", "/genres", "/map", "/readyz", f"/recommend?song_id={song}",
    ):  # fmt: skip
        answers = [one.get(path) for one in (ours, theirs)]
        assert (answers[0].status, answers[0].data) == (answers[1].status, answers[1].data), path


@pytest.mark.parametrize("asked", ["id", "names", "text", "artist"])
def test_a_cold_request_waits_three_times_for_the_store_and_a_warm_one_once(shelf, bucket, cache, asked):
    songs, address = shelf["demo"]
    for row in range(0, 600, 60):
        name, artist = songs.texts("names")[row], artist_names(songs, row)[0]
        body = {
            "id": {"song_id": songs.texts("ids")[row]},
            "names": {"song": name, "artist": artist},
            "text": {"song": f"{name} {artist}"},
            "artist": {"seeds": [{"artist": artist}]},
        }[asked]
        assert trips(Service(by_cells(address, cache)), body) in (2, 3)
        warm = Service(by_cells(address, cache))
        here = contextvars.copy_context().run(warm.catalog)  # as in a request of its own
        named = [(body.get("song"), body.get("artist"))] if asked in ("names", "text") else [(None, artist)]
        prefetch(here, [body["song_id"]] if asked == "id" else [], named)
        found = resolve_artist(songs, artist)
        standing = [row] if asked != "artist" else songs.lists("artist", "songs").head(found, 20)
        here.prefetch_rows(np.array(standing))
        assert trips(warm, body) <= 1


def trips(service, body):
    """How often a request waits for the store."""
    with log_context.collect() as noted:
        assert Client(Request.application(service.handle)).post("/recommend", json=body).status_code == 200
    return noted.get("trips", 0)


@pytest.mark.parametrize("fault", [500, 403, 404, "down", "garbage", b"made up", b""])
def test_a_store_that_fails_is_a_503_after_a_few_tries(bucket, places, monkeypatch, cache, fault):
    with Proxy(places.bases["s3"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.base)
        function = client(by_cells(bucket, cache))
        assert function.get("/recommend?song_id=demo-0000007").status_code == 200
        proxy.fault, proxy.asked[:] = fault, []
        answer = function.get("/recommend?song=A+song+with+a+long+title")
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
        assert answer.json["detail"] == "the store of the artifacts can't be read now"
        assert answer.headers["Retry-After"]
        assert len(proxy.asked) <= RANGES * (1 + RETRY_CONFIG["max_retries"])
        proxy.fault = None
        assert function.get("/recommend?song=A+song+with+a+long+title").status_code == 404


def test_a_store_that_is_slow_only_takes_longer(bucket, places, monkeypatch, cache):
    with Proxy(places.bases["s3"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.base)
        proxy.fault = lambda name: 0.3 if "records" in name else None
        assert client(by_cells(bucket, cache)).get("/recommend?song_id=demo-0000007").status_code == 200


def test_a_store_that_hangs_is_a_503(bucket, places, monkeypatch, cache):
    monkeypatch.setattr("segue.releases.bucket.CLIENT_OPTIONS", {"timeout": "1s"})
    monkeypatch.setattr("segue.releases.bucket.RETRY_CONFIG", {**RETRY_CONFIG, "max_retries": 1})
    with Proxy(places.bases["s3"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.base)
        function = client(by_cells(bucket, cache))
        assert function.get("/readyz").status_code == 200
        proxy.fault = 3.0
        assert function.get("/recommend?song_id=demo-0000007").status_code == 503


def test_a_damaged_record_is_a_503_that_names_it(bucket, places, monkeypatch, cache, demo_catalog):
    place, name = releases.open_store(bucket), f"versions/{demo_catalog.version}/records-00000.bin"
    size = int(demo_catalog.array("record_offsets")[-1])
    whole = b"".join(place.stream(name, size))
    spoilt = cache.with_name("spoilt")
    spoilt.write_bytes(whole[::-1])
    place.replace(name, spoilt)
    answer = client(by_cells(bucket, cache)).get("/recommend?song_id=demo-0000007")
    assert answer.status_code == 503
    assert answer.json["detail"].startswith(
        f"records-00000.bin of version {demo_catalog.version} is damaged in the store"
    )
    spoilt.write_bytes(whole)
    place.replace(name, spoilt)


def test_auto_serves_by_cells_what_the_cache_cannot_hold(bucket, cache, caplog):
    caplog.set_level(logging.INFO)
    config = Config(bucket, 0, cache)
    assert type(releases.open_releases(config).open_current()) is Catalog
    assert (
        type(releases.open_releases(dataclasses.replace(config, cache_bytes=400_000)).open_current()) is RemoteCatalog
    )
    assert (
        type(
            releases.open_releases(
                dataclasses.replace(config, cache_bytes=400_000, resident_mode="all")
            ).open_current()
        )
        is Catalog
    )
    (line,) = [record.getMessage() for record in caplog.records if record.name == "segue"]
    assert re.fullmatch(r"s3://\S+: version \w+ is served by cells, 0\.\d MB of files", line)


def test_a_version_without_records_is_fetched_in_whole_files(shelf, places, monkeypatch, cache, caplog):
    songs, address = shelf["demo"][0], places.empty("s3", monkeypatch)
    publish(songs, releases.open_store(address), ONCE)
    place = releases.open_store(address)
    place.delete([name for name in place.list_files("versions") if "records-" in name])
    function = client(by_cells(address, cache))
    assert function.get("/recommend?song_id=demo-0000007").status_code == 200
    said = f"version {songs.version} has no records: it is fetched in whole files"
    assert [line.endswith(said) for line in warnings(caplog)] == [True]


def test_a_folder_is_served_by_cells_where_that_is_asked_for(demo_catalog, tmp_path, cache):
    publish(demo_catalog, releases.open_store(str(tmp_path / "store")), ONCE)
    found = releases.open_releases(by_cells(tmp_path / "store", cache)).open_current()
    assert type(found) is RemoteCatalog
    kept = {path.name for path in cache.rglob("*.npy")}
    assert kept == set(found.required_files)
