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


def test_a_body_takes_more_ids_than_a_url(client):
    ids = ["metal-2", "nothing"] * 500
    songs = client.post("/songs", json={"ids": ids}).json["songs"]
    assert songs == client.get("/songs?ids=metal-2,nothing").json["songs"] * 500


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": ["a"] * 1001}, {"ids": "a"}, {"ids": [1]}, {"id": ["a"]}, []]
)
def test_a_body_at_fault_is_a_400(client, body):
    assert client.post("/songs", json=body).status_code == 400


def test_a_playlist_comes_as_a_file_without_what_is_not_there(client):
    body = {"ids": ["metal-2", "nothing", "disco-4"]}
    m3u8 = client.post("/songs?format=m3u8", json=body)
    assert m3u8.get_data(as_text=True).splitlines() == [
        "#EXTM3U", "#PLAYLIST:Songs",
        "#EXTINF:202,Gravel Saints - Ash Parade", "spotify:track:metal-2",
        "#EXTINF:204,Dez & Dot - Neon Waltz", "spotify:track:disco-4",
    ]  # fmt: skip
    uris = client.get("/songs?ids=metal-2,nothing,disco-4&format=uris")
    assert uris.get_data(as_text=True) == "spotify:track:metal-2\r\nspotify:track:disco-4\r\n"


@pytest.mark.parametrize("query", ["", "?ids=", "?ids=a,,b", "?ids=a%20b", "?ids=" + ",".join(["a"] * 101), "?id=a"])
def test_ids_that_are_none_or_too_many_are_a_400(client, query):
    answer = client.get(f"/songs{query}")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_whoever_has_the_answer_gets_a_304(client):
    tag = client.get("/songs?ids=piano-1").headers["ETag"]
    assert client.get("/songs?ids=piano-1", headers={"If-None-Match": tag}).status_code == 304
