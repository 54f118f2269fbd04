"""``/songs?ids=``: several songs in one answer, over the small world."""

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web.service import Service


@pytest.fixture(scope="module")
def client(world_artifacts):
    return Client(Request.application(Service(Config(world_artifacts)).handle))


def test_songs_come_in_the_order_of_their_ids_with_what_they_sound_like(client):
    metal, nothing, piano = client.get("/songs?ids=metal-2,nothing,piano-1").json["songs"]
    assert nothing is None
    assert metal["id"] == "metal-2"
    cluster = client.get("/songs/piano-1").json["cluster"]
    assert piano == {
        "id": "piano-1", "name": "Slow Rain", "artists": ["Ada Lindqvist"], "album": "piano 0", "cluster": cluster,
        "genres": ["piano"], "popularity": 21, "explicit": False, "duration_ms": 201000, "year": None,
        "features": {
            "danceability": 0.301, "energy": 0.101, "key": 1, "loudness": -21.999, "mode": 1, "speechiness": 0.051,
            "acousticness": 0.951, "instrumentalness": 0.901, "liveness": 0.101, "valence": 0.201, "tempo": 71.0,
            "time_signature": 4,
        },
    }  # fmt: skip


def test_a_song_may_be_asked_for_twice_and_by_its_spotify_address(client):
    songs = client.get("/songs?ids=piano-1,piano-1,spotify:track:4uLU6hMCjMI75M1A2tKUQC").json["songs"]
    assert [song and song["id"] for song in songs] == ["piano-1", "piano-1", None]


@pytest.mark.parametrize("query", ["", "?ids=", "?ids=a,,b", "?ids=a%20b", "?ids=" + ",".join(["a"] * 101), "?id=a"])
def test_ids_that_are_none_or_too_many_are_a_400(client, query):
    answer = client.get(f"/songs{query}")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_whoever_has_the_answer_gets_a_304(client):
    tag = client.get("/songs?ids=piano-1").headers["ETag"]
    assert client.get("/songs?ids=piano-1", headers={"If-None-Match": tag}).status_code == 304
