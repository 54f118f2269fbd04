"""Journeys as a caller sees them: whole answers, problems, and bodies as large as may be."""

import json

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web import request_context
from segue.web.service import Service


@pytest.fixture(scope="module")
def client(world_artifacts):
    return Client(Request.application(Service(Config(world_artifacts)).handle))


@pytest.fixture(scope="module")
def demo(demo_artifacts):
    return Client(Request.application(Service(Config(demo_artifacts)).handle))


def cluster_of(catalog, song):
    for entry in catalog.manifest["clusters"]:
        ids = [catalog.texts("ids")[row] for row in range(entry["first"], entry["first"] + entry["size"])]
        if song in ids:
            return {"id": entry["id"], "name": entry["name"]}
    return None


def named(seed, name, by):
    match = {"match": "id", "understood": {"song": name, "artist": by}, "ambiguous": False}
    return {"asked": {"id": seed}, "id": seed, "name": name, "artists": [by], **match, "alternatives": []}


def test_a_path_answers_the_whole_contract(client, world_catalog):
    body = client.post("/path", json={"from": {"id": "piano-1"}, "to": {"id": "piano-2"}, "length": 3}).json
    steps = [song.pop("step") for song in body["songs"]]
    assert body.pop("steps") == {"median": pytest.approx(sum(steps[1:]) / 2, abs=1e-4), "largest": max(steps[1:])}
    assert steps[0] is None
    assert min(steps[1:]) > 0
    assert body == {
        "seeds": [named("piano-1", "Slow Rain", "Ada Lindqvist"), named("piano-2", "Grey Window", "Ada Lindqvist")],
        "songs": [
            {
                "position": place, "id": song, "name": name, "artists": artists, "album": album,
                "cluster": cluster_of(world_catalog, song), "genres": ["piano"], "popularity": popularity,
                "explicit": False, "duration_ms": duration,
            }
            for place, song, name, artists, album, popularity, duration in [
                (1, "piano-1", "Slow Rain", ["Ada Lindqvist"], "piano 0", 21, 201_000),
                (2, "piano-3", "Low Tide", ["Tomas Vrba"], "piano 1", 23, 203_000),
                (3, "piano-2", "Grey Window", ["Ada Lindqvist"], "piano 0", 22, 202_000),
            ]
        ],
        "duration_ms": 606_000,
        "pool": {"catalogue": 13, "after_filters": 13},
        "model": world_catalog.version,
    }  # fmt: skip


def test_a_playlist_answers_the_whole_contract(client, world_catalog):
    body = {"seeds": [{"genre": "disco"}], "songs": 3, "flow": "rise", "filters": {"genres": ["disco"]}}
    found = client.post("/playlist", json=body | {"max_per_artist": 1}).json
    flow = found.pop("flow")
    assert (flow["asked"], flow["correlation"] > 0.9, flow["harmonic"], 0 < flow["change"] < 0.01) == (
        "rise",
        True,
        0,
        True,
    )
    assert [(song["position"], song["curve"]) for song in found["songs"]] == [(1, 0.0), (2, 0.5), (3, 1.0)]
    assert sorted(song["energy"] for song in found["songs"]) == [song["energy"] for song in found["songs"]]
    last = found["songs"][-1]
    assert last == {
        "position": 3, "id": "disco-4", "name": "Neon Waltz", "artists": ["Dez & Dot"], "album": "disco 1",
        "energy": 0.754, "tempo": 124.0, "key": "9A", "curve": 1.0, "cluster": cluster_of(world_catalog, "disco-4"),
        "genres": ["disco"], "popularity": 84, "explicit": False, "duration_ms": 204_000,
    }  # fmt: skip
    assert {name: found[name] for name in found if name != "songs"} == {
        "seeds": [{"asked": {"genre": "disco"}, "songs": 3}],
        "duration_ms": sum(song["duration_ms"] for song in found["songs"]),
        "pool": {"catalogue": 13, "after_filters": 4, "dropped_versions": 0, "dropped_artist_cap": 1},
        "model": world_catalog.version,
    }


def test_an_order_answers_the_whole_contract(client, world_catalog):
    songs = ["disco-4", {"song": "slow rian", "artist": "Ada Lindqvist"}, "Nobody Knows This", {"id": "gone"},
             {"id": "gone", "song": "Mirror Floor"}, {"song": "Slow Rain", "artist": "Skarn"}]  # fmt: skip
    found = client.post("/order", json={"songs": songs, "flow": "fall"}).json
    assert found["songs"][-1] == {
        "position": 3, "id": "piano-1", "name": "Slow Rain", "artists": ["Ada Lindqvist"], "album": "piano 0",
        "given": 1, "match": "close", "energy": 0.101, "tempo": 71.0, "key": "3B", "curve": 0.0,
        "cluster": cluster_of(world_catalog, "piano-1"), "genres": ["piano"], "popularity": 21, "explicit": False,
        "duration_ms": 201_000,
    }  # fmt: skip
    assert [(song["id"], song["given"], song["match"]) for song in found.pop("songs")[:2]] == [
        ("disco-4", 0, "id"),
        ("disco-1", 4, "exact"),
    ]
    assert found.pop("flow")["correlation"] > 0.8
    assert found == {
        "unknown": [
            {"given": 2, "asked": {"song": "Nobody Knows This"}},
            {"given": 3, "asked": {"id": "gone"}},
            {"given": 5, "asked": {"song": "Slow Rain", "artist": "Skarn"}},
        ],
        "duration_ms": 606_000,
        "model": world_catalog.version,
    }
    nothing = client.post("/order", json={"songs": ["Nobody Knows This"]}).json
    assert (nothing["songs"], nothing["unknown"][0]["given"]) == ([], 0)


def test_a_radio_answers_the_whole_contract(client, world_catalog):
    found = client.post("/continue", json={"played": ["piano-1", "gone"], "skipped": ["metal-1"], "limit": 1}).json
    assert 0 < found["songs"][0].pop("score") < 1
    assert found == {
        "seeds": [
            {"id": "piano-1", "name": "Slow Rain", "artists": ["Ada Lindqvist"], "weight": 1.0},
            {"id": "metal-1", "name": "Iron Choir", "artists": ["Gravel Saints"], "weight": -0.5},
        ],
        "songs": [
            {
                "position": 1, "id": "piano-3", "name": "Low Tide", "artists": ["Tomas Vrba"],
                "album": "piano 1", "cluster": cluster_of(world_catalog, "piano-3"), "genres": ["piano"],
                "popularity": 23, "explicit": False, "duration_ms": 203_000,
            }
        ],
        "unknown": 1,
        "duration_ms": 203_000,
        "pool": {"catalogue": 13, "after_filters": 9, "dropped_versions": 0, "dropped_artist_cap": 0},
        "model": world_catalog.version,
    }  # fmt: skip


def test_a_cluster_as_a_start_is_shown_with_the_songs_that_stand_for_it(client):
    found = client.post("/playlist", json={"cluster": 0, "songs": 2}).json
    assert found["seeds"] == [{"asked": {"cluster": 0}, "songs": found["seeds"][0]["songs"]}]


@pytest.mark.parametrize(("path", "body", "status", "pointers"), [
    ("/path", {"from": {"id": "piano-1"}, "to": {"id": "nope"}}, 404, ["/to"]),
    ("/path", {"from": {"id": "piano-1"}, "to": {"id": "piano-1-live"}}, 400, ["/to"]),
    ("/path", {"from": {"id": "piano-1"}, "to": {"id": "disco-1"}, "via": [{"song": "Nothing So"}]}, 404, ["/via/0"]),
    ("/path", {"from": {"id": "piano-1"}, "to": {"id": "disco-1"}, "length": 40}, 400, ["/length"]),
    ("/playlist", {"song": "Slow Rain", "minutes": 600}, 400, ["/minutes"]),
    ("/playlist", {"cluster": 99, "flow": "rise"}, 400, ["/cluster"]),
    ("/order", {"songs": ["Slow Rain", "spotify:album:1"]}, 400, ["/songs/1"]),
    ("/continue", {"played": ["gone"]}, 404, ["/played"]),
])  # fmt: skip
def test_a_problem_says_what_was_wrong_and_where(client, path, body, status, pointers):
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == pointers


def test_the_same_request_twice_gives_the_same_bytes(demo):
    for path, body in [
        ("/path", {"from": {"id": "demo-0000033"}, "to": {"id": "demo-0000077"}, "draw": 2}),
        ("/playlist", {"song_id": "demo-0000033", "minutes": 40, "flow": "harmonic"}),
        ("/order", {"songs": ["demo-0000033", "demo-0000077", "Anchor"], "flow": "harmonic"}),
        ("/continue", {"played": ["demo-0000033", "demo-0000077"], "draw": 1}),
    ]:
        assert demo.post(path, json=body).data == demo.post(path, json=body).data


def test_ten_thousand_played_songs_are_answered_and_more_are_told_the_most(demo):
    many = [f"demo-{number:07}-of-those-who-were-played-before" for number in range(9_998)]
    answer = demo.post("/continue", json={"played": [*many, "demo-0000033", "demo-0000077"], "limit": 3})
    assert (answer.status_code, answer.json["unknown"], len(answer.json["songs"])) == (200, 9_998, 3)
    refused = demo.post("/continue", json={"played": [*many, "a", "b", "c"]})
    assert [(error["pointer"], error["detail"]) for error in refused.json["errors"]] == [
        ("/played", "expected a list of 1..10000 entries, found 10001")
    ]


@pytest.mark.parametrize(
    ("path", "bounds"),
    [
        ("/path", request_context.QUERY_LIMITS),
        ("/playlist", request_context.QUERY_LIMITS),
        ("/order", request_context.QUERY_LIMITS),
        ("/continue", request_context.LARGE_LIMITS),
    ],
)
def test_a_body_may_reach_as_far_as_its_route_lets_it(demo, path, bounds):
    for body, status in [
        (b" " * bounds.bytes, 400), (b" " * (bounds.bytes + 1), 413),
        (b"[" + b"0," * bounds.commas + b"0]", 400), (b"[" + b"0," * (bounds.commas + 1) + b"0]", 413),
    ]:  # fmt: skip
        assert demo.post(path, data=body, content_type="application/json").status_code == status


def test_the_largest_radio_there_is_is_within_its_bounds():
    ids = ["x" * 64] * 10_000
    body = json.dumps({"played": ids, "limit": 100}).encode()
    assert len(body) < request_context.LARGE_LIMITS.bytes
    assert json.dumps({"played": ids, "skipped": ids}).count(",") < request_context.LARGE_LIMITS.commas
