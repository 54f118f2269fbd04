"""What a search finds and how it says what it found: whole answers."""

import pytest

from segue.catalog.lookup.exact import artist_id
from tests.support.dialects import client_of, problem, sized

ADA = {"song": None, "artist": "Ada Lindqvist"}
ADAS = ["Grey Window", "Slow Rain", "Slow Rain - Live"]


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def test_genres_and_artists_that_a_search_finds_tell_how_many_songs_they_have(client):
    body = client.get("/search?q=disco").json
    assert body["genres"] == [{"name": "disco", "songs": 4}]
    assert client.get("/search?q=halberd").json["artists"] == [sized("Halberd", 1)]


def found(client, text):
    """Names of what a search finds."""
    body = client.get("/search", query_string={"q": text, "limit": 4}).json
    return body["understood"], *([entry["name"] for entry in body[kind]] for kind in ("songs", "artists", "genres"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slo", ({"song": "Slow Rain", "artist": None}, ["Slow Rain", "Slow Rain - Live"], [], [])),
        ("ada lindqvist", (ADA, ADAS, ["Ada Lindqvist"], [])),
        ("ada l", (ADA, ADAS, ["Ada Lindqvist"], [])),
        ("lindqvist", (ADA, ADAS, ["Ada Lindqvist"], [])),
        ("iron choir gravel saints", (
            {"song": "Iron Choir", "artist": "Gravel Saints"}, ["Iron Choir"], ["Gravel Saints"], [],
        )),
        ("disco", ({"song": None, "artist": None, "genres": ["disco"]}, [], [], ["disco"])),
        ("spotify:track:metal-4", ({"song": "Ruin Bells", "artist": "Skarn"}, ["Ruin Bells"], [], [])),
        ("metal-4", ({"song": "Ruin Bells", "artist": "Skarn"}, ["Ruin Bells"], [], [])),
        ("xqzvbnmlkjhgfdsaqwertyui", (None, [], [], [])),
    ],
)  # fmt: skip
def test_search_finds_songs_artists_and_genres_and_says_which_is_which(client, text, expected):
    assert found(client, text) == expected


def test_a_link_to_an_artist_finds_the_artist(client):
    (ada,) = client.get("/search?q=ada+lindqvist").json["artists"]
    assert ada == {"id": artist_id("Ada Lindqvist"), "name": "Ada Lindqvist", "songs": 3}
    assert found(client, f"https://open.spotify.com/artist/{ada['id']}") == (ADA, ADAS, ["Ada Lindqvist"], [])
    seed = client.get("/recommend", query_string={"song": f"spotify:artist:{ada['id']}"}).json["seeds"][0]
    assert seed["songs"] == 3


def test_a_search_that_is_refused_is_told_why(client):
    assert problem(client.get("/search?limit=51"))["errors"] == [
        {"pointer": "/q", "detail": "expected a text of 1..200 characters"},
        {"pointer": "/limit", "detail": "expected a whole number 1..50"},
    ]
