"""``/songs``: several songs in one answer, over the small world."""

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog.lookup.exact import song_by_id
from segue.config import Config
from segue.web.service import Service


@pytest.fixture(scope="module")
def client(world_artifacts):
    return Client(Request.application(Service(Config(world_artifacts)).handle))


def test_songs_come_in_the_order_of_their_ids_with_where_they_lie_and_what_they_sound_like(client, world_catalog):
    metal, nothing, piano = client.get("/songs?ids=metal-2,nothing,piano-1").json["songs"]
    assert nothing is None
    assert metal["id"] == "metal-2"
    cluster = client.get("/songs/piano-1").json["cluster"]
    row = song_by_id(world_catalog, "piano-1")
    across, up = world_catalog.array("map")[row].tolist()
    assert piano == {
        "row": row, "x": across, "y": up,
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


def test_songs_of_rows_are_those_of_their_ids(client, world_catalog):
    by_row = client.get("/songs?rows=7,0,7").json
    ids = [world_catalog.texts("ids")[row] for row in (7, 0, 7)]
    assert by_row == client.get(f"/songs?ids={','.join(ids)}").json
    assert by_row["model"] == world_catalog.version
    lines = client.get("/songs?rows=1,2&format=csv").text.splitlines()
    assert lines[0].startswith("row,id,name,artists,album,x,y,")
    assert [line.partition(",")[0] for line in lines[1:]] == ["1", "2"]


NO_ROW = "expected a row of this model, 0..13"


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("", [("", "expected ids or rows, one of them")]),
        ("?rows=1&ids=metal-2", [("", "expected ids or rows, one of them")]),
        ("?rows=1,x,14", [("/rows/1", NO_ROW), ("/rows/2", NO_ROW)]),
        ("?rows=", [("/rows/0", NO_ROW)]),
        ("?rows=" + ",".join("0" * 101), [("/rows", "expected a list of 1..100 entries, found 101")]),
        ("?ids=a%20b", [("/ids/0", "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -")]),
    ],
)
def test_what_names_no_songs_is_refused_with_what_would_have_worked(client, query, faults):
    answer = client.get(f"/songs{query}")
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["detail"]) for fault in answer.json["errors"]] == faults


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
