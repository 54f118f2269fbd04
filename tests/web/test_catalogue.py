"""Clusters, genres and artists as a caller sees them: whole answers."""

from collections import Counter
from statistics import mean
from urllib.parse import quote

import pytest

from segue.catalog.lookup.exact import artist_id
from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.dialects import client_of, problem, sized

PROFILE = (
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness", "liveness", "valence",
    "tempo", "popularity", "duration_ms",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def test_clusters_hold_every_song_once(client):
    clusters = client.get("/clusters").json["clusters"]
    songs = [
        song["id"]
        for cluster in clusters
        for song in client.get(f"/clusters/{cluster['id']}?limit=100").json["songs"]
    ]
    assert len(songs) == len(set(songs)) == sum(cluster["size"] for cluster in clusters) == 14


def shares(songs):
    """The genres of songs with the share that has each, most first."""
    counts = Counter(genre for song in songs for genre in song["genres"])
    return [
        {"name": name, "share": pytest.approx(count / len(songs), abs=1e-4)}
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def test_families_hold_every_cluster_once(client):
    families, clusters = client.get("/clusters").json.values()
    sizes = {cluster["id"]: cluster["size"] for cluster in clusters}
    assert sorted(number for family in families for number in family["clusters"]) == sorted(sizes)
    for family in families:
        assert family == {
            "id": family["id"],
            "name": family["name"],
            "size": sum(sizes[number] for number in family["clusters"]),
            "clusters": sorted(family["clusters"]),
        }


def test_a_cluster_tells_what_it_is_like(client):
    families, clusters = client.get("/clusters").json.values()
    for cluster in clusters:
        page = client.get(f"/clusters/{cluster['id']}?limit=100").json
        songs = [client.get(f"/songs/{song['id']}").json for song in page["songs"]]
        assert cluster == {
            "id": cluster["id"],
            "name": cluster["name"],
            "family": next(family["id"] for family in families if cluster["id"] in family["clusters"]),
            "size": len(songs),
            "genres": shares(songs),
            "features": {name: pytest.approx(mean(song[name] for song in songs), abs=1e-4) for name in PROFILE},
            "differences": {name: pytest.approx(cluster["differences"][name], abs=0.5) for name in PROFILE},
            "typical": cluster["typical"],
            "near": cluster["near"],
        }
        named = [{name: song[name] for name in ("id", "name", "artists")} for song in songs]
        assert all(song in named for song in cluster["typical"])
        others = [{"id": other["id"], "name": other["name"]} for other in clusters if other["id"] != cluster["id"]]
        assert all(near in others for near in cluster["near"])
        assert {name: page[name] for name in cluster} == cluster


def test_pages_of_a_cluster_make_the_whole(client):
    whole = client.get("/clusters/0?limit=100").json["songs"]
    pages = [client.get(f"/clusters/0?offset={offset}&limit=1").json["songs"] for offset in range(len(whole) + 1)]
    assert pages == [*([song] for song in whole), []]


def test_genres_tell_how_many_songs_have_each(client):
    assert client.get("/genres").json == {
        "genres": [{"name": "disco", "songs": 4}, {"name": "metal", "songs": 4}, {"name": "piano", "songs": 6}]
    }


def test_an_artist_has_songs_genres_and_similar_artists(client):
    body = client.get("/artists/tomas vrba?limit=2").json
    songs = body.pop("songs")
    assert body == {
        "id": artist_id("Tomas Vrba"),
        "name": "Tomas Vrba",
        "size": 3,
        "genres": [{"name": "piano", "songs": 3}],
        "similar": [sized("Ada Lindqvist", 3), *body["similar"][1:]],
        "offset": 0,
        "limit": 2,
    }
    assert {artist["name"] for artist in body["similar"]}.isdisjoint({"Tomas Vrba", "Ines Okoro"})
    assert [song["id"] for song in songs] == ["piano-5", "piano-3"]
    assert client.get("/artists/tomas vrba?offset=2").json["songs"][0]["id"] == "piano-4"
    assert client.get("/artists/tomas vrba?offset=3").json["songs"] == []


@pytest.mark.parametrize("asked", [
    "Les Ondées", "les ondees", artist_id("Les Ondées"), f"spotify:artist:{artist_id('Les Ondées')}",
    f"https://open.spotify.com/artist/{artist_id('Les Ondées')}",
])  # fmt: skip
def test_an_artist_is_found_by_name_id_and_link(client, asked):
    assert client.get(f"/artists/{asked}").json["name"] == "Les Ondées"
    assert client.get(f"/artists/{quote(asked, safe='')}/").json["name"] == "Les Ondées"


def test_an_artist_whose_name_has_a_slash_is_found(tmp_path):
    rows = world.rows()
    rows[0] |= {"artists": "AC/DC"}
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    client = client_of(tmp_path / "artifacts")
    assert [client.get(f"/artists/{name}").json["size"] for name in ("AC/DC", "ac%2Fdc")] == [1, 1]


def test_an_unknown_artist_is_a_404_that_suggests_others(client):
    answer = client.get("/artists/Gravle Saints")
    assert answer.status_code == 404
    assert problem(answer) == {
        "type": "about:blank",
        "title": "Unknown artist",
        "status": 404,
        "detail": "no artist is called 'Gravle Saints'",
        "suggestions": [sized("Gravel Saints", 2)],
    }
