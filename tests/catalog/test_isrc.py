"""Songs by their ISRC, wherever an id is taken."""

import numpy as np
import pandas as pd
import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.catalog.lookup.exact import isrc_of, song_by_id, songs_by_ids, songs_by_isrc
from segue.config import Config
from segue.releases.store import LocalStore
from segue.web.service import Service
from segue_build.fit import FitOptions, fit
from segue_build.releases.publish import PublishOptions, publish
from tests.support import tables, world
from tests.support.remote_catalog import ranged

ISRCS = {"metal-1": "QZ-XYZ-93-99557", "piano-1": "qzabc8282794", "piano-1-live": "QZABC8282794", "disco-1": "?"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Artifacts of the world, some of whose songs have an ISRC, as tables write them."""
    folder = tmp_path_factory.mktemp("isrc")
    rows = [row | {"ISRC": ISRCS.get(row["id"], "")} for row in world.rows()]
    fit(FitOptions([tables.write(folder / "world.csv", rows)]), folder / "artifacts")
    return folder / "artifacts"


@pytest.fixture(scope="module")
def client(root):
    return Client(Request.application(Service(Config(root)).handle))


@pytest.fixture(scope="module")
def catalog(root):
    return load(root)


def test_an_isrc_is_a_column_in_one_spelling_and_what_is_none_is_missing(catalog):
    kept = pd.read_parquet(catalog.path("catalog.parquet")).set_index("id")["isrc"].dropna().to_dict()
    assert kept == {"metal-1": "QZXYZ9399557", "piano-1": "QZABC8282794", "piano-1-live": "QZABC8282794"}
    assert catalog.manifest["isrcs"] == 3


@pytest.mark.parametrize("written", ["QZXYZ9399557", "qzxyz9399557", "QZ-XYZ-93-99557", " qz-xyz-9399557 "])
def test_an_isrc_is_found_in_any_spelling(catalog, written):
    assert [catalog.texts("ids")[row] for row in songs_by_isrc(catalog, written)] == ["metal-1"]


def test_the_most_popular_song_of_an_isrc_comes_first(catalog):
    rows = songs_by_isrc(catalog, "QZABC8282794")
    assert [catalog.texts("ids")[row] for row in rows] == ["piano-1", "piano-1-live"]
    assert song_by_id(catalog, "isrc:QZABC8282794") == rows[0]
    assert songs_by_ids(catalog, ["isrc:QZABC8282794", "metal-2", "isrc:QZ0000000000", "isrc:"]) == [
        rows[0], song_by_id(catalog, "metal-2"), None, None,
    ]  # fmt: skip


def test_arrays_of_isrcs_are_there_only_where_a_song_has_one(catalog, world_catalog):
    for name in ("isrc_numbers", "isrc_songs"):
        assert len(catalog.array(name)) == 3
    for name in ("isrc_numbers", "isrc_songs", "isrc_of_song"):
        assert not (world_catalog.folder / f"{name}.npy").exists()
    assert np.all(np.diff(catalog.array("isrc_numbers").astype(object)) >= 0)
    assert (songs_by_isrc(world_catalog, "QZXYZ9399557"), song_by_id(world_catalog, "isrc:QZXYZ9399557")) == (
        [],
        None,
    )


def test_a_song_is_asked_for_by_its_isrc(client):
    assert client.get("/songs/isrc:QZXYZ9399557").json["id"] == "metal-1"
    assert [song["id"] for song in client.get("/songs?ids=isrc:qzxyz9399557,disco-1").json["songs"]] == [
        "metal-1",
        "disco-1",
    ]
    assert client.get("/songs/isrc:QZXYZ0000000").status_code == 404


@pytest.mark.parametrize(
    "asked", ["song=isrc:QZXYZ9399557", "song=ISRC:qz-xyz-93-99557", "song_id=isrc:QZXYZ9399557"]
)
def test_songs_like_one_are_asked_for_by_its_isrc(client, asked):
    answer = client.get(f"/recommend?{asked}").json
    assert answer["seeds"][0]["id"] == "metal-1"
    assert answer["recommendations"][0]["id"] == "metal-2"


def test_search_takes_an_isrc_in_both_dialects(client):
    assert [song["id"] for song in client.get("/search?q=isrc:QZXYZ9399557").json["songs"]] == ["metal-1"]
    for query, found in (("isrc:QZABC8282794", ["piano-1", "piano-1-live"]), ("isrc:QZ0000000000", [])):
        answer = client.get("/v1/search", query_string={"q": query, "type": "track"}).json
        assert [track["id"] for track in answer["tracks"]["items"]] == found
    artists = client.get("/v1/search?q=isrc:QZXYZ9399557&type=artist").json["artists"]["items"]
    assert [artist["name"] for artist in artists] == ["Gravel Saints"]


def test_tracks_and_songs_have_their_isrc_in_both_dialects(client):
    tracks = client.get("/v1/tracks?ids=piano-1-live,disco-1").json["tracks"]
    assert [track["external_ids"] for track in tracks] == [{"isrc": "QZABC8282794"}, {}]
    liked = client.get("/v1/recommendations?seed_tracks=metal-2&limit=100").json["tracks"]
    known = {track["id"]: track["external_ids"] for track in liked if track["external_ids"]}
    assert known == {"metal-1": {"isrc": "QZXYZ9399557"}, "piano-1": {"isrc": "QZABC8282794"}}
    answer = client.get("/rest/getSimilarSongs?id=metal-2&count=20&f=json&v=1.16.1&c=test").json
    similar = answer["subsonic-response"]["similarSongs"]["song"]
    assert {song["id"]: song["isrc"] for song in similar if song["isrc"]} == {
        "metal-1": ["QZXYZ9399557"],
        "piano-1": ["QZABC8282794"],
    }


def test_a_catalogue_in_a_store_has_isrcs_too(root, catalog, tmp_path):
    publish(catalog, LocalStore(tmp_path), PublishOptions())
    remote = ranged(catalog, tmp_path)
    assert [isrc_of(remote, row) for row in range(len(catalog))] == [
        isrc_of(catalog, row) for row in range(len(catalog))
    ]
    assert song_by_id(remote, "isrc:QZXYZ9399557") == song_by_id(catalog, "metal-1")
