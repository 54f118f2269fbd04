"""The API as a caller sees it: whole answers."""

import json
from pathlib import Path

import pytest

from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.dialects import client_of, problem


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def test_recommend_answers_the_whole_contract(client, world_catalog):
    answer = client.post("/recommend", json={"song": "slow rain", "limit": 1})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.json
    score = body["recommendations"][0].pop("score")
    assert 0.7 < score < 1
    cluster = body["recommendations"][0].pop("cluster")
    assert cluster in [{"id": e["id"], "name": e["name"]} for e in world_catalog.manifest["clusters"]]
    assert body == {
        "seeds": [
            {
                "asked": {"song": "slow rain"},
                "id": "piano-1",
                "name": "Slow Rain",
                "artists": ["Ada Lindqvist"],
                "match": "exact",
                "understood": {"song": "Slow Rain", "artist": None},
                "ambiguous": False,
                "alternatives": [{"id": "piano-1-live", "name": "Slow Rain - Live", "artists": ["Ada Lindqvist"]}],
            }
        ],
        "recommendations": [
            {
                "rank": 1,
                "id": "piano-2",
                "name": "Grey Window",
                "artists": ["Ada Lindqvist"],
                "album": "piano 0",
                "genres": ["piano"],
                "popularity": 22,
                "explicit": False,
                "duration_ms": 202000,
            }
        ],
        "pool": {"catalogue": 13, "after_filters": 13, "dropped_versions": 2, "dropped_artist_cap": 0},
        "model": world_catalog.version,
    }


@pytest.mark.parametrize(
    ("asked", "match", "understood"),
    [
        ({"song": "Ada Lindqvist - Slow Rain"}, "exact", {"song": "Slow Rain", "artist": "Ada Lindqvist"}),
        ({"song": "slow rain, live by ada lindqvist"}, "exact", {"song": "Slow Rain", "artist": "Ada Lindqvist"}),
        ({"song": "slow rain ada lindqivst"}, "close", {"song": "Slow Rain", "artist": "Ada Lindqvist"}),
        ({"song": "rain lindqvist"}, "parts", {"song": "Slow Rain", "artist": "Ada Lindqvist"}),
        ({"song": "spotify:track:piano-1"}, "id", {"song": "Slow Rain", "artist": "Ada Lindqvist"}),
        (
            {"id": "https://open.spotify.com/track/piano-1?si=x"},
            "id",
            {"song": "Slow Rain", "artist": "Ada Lindqvist"},
        ),
        ({"q": "Slow Rain"}, "exact", {"song": "Slow Rain", "artist": None}),
    ],
)
def test_a_song_says_how_it_was_understood(client, asked, match, understood):
    (seed,) = client.get("/recommend", query_string=asked).json["seeds"]
    assert seed["name"].startswith("Slow Rain")
    assert (seed["match"], seed["understood"]) == (match, understood)


def test_a_mood_of_a_genre_stays_in_the_genre_unless_the_request_names_others(client):
    def genres(**asked):
        songs = client.post("/recommend", json={"song": "angry piano", "limit": 3, **asked}).json["recommendations"]
        return {genre for song in songs for genre in song["genres"]}

    assert genres() == {"piano"}  # though all metal here is angrier
    assert genres(filters={"genres": ["metal", "disco"]}) == {"metal"}


def test_a_title_that_several_songs_have_is_ambiguous_and_means_the_best_known(tmp_path):
    rows = world.rows()
    rows[0] |= {"name": "Night Furnace - Remastered 2009", "popularity": 90}
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    (seed,) = client_of(tmp_path / "artifacts").get("/recommend?song=night+furnace").json["seeds"]
    assert (seed["id"], seed["match"], seed["ambiguous"]) == ("piano-1", "exact", True)
    assert [song["id"] for song in seed["alternatives"]] == ["metal-3"]


def test_several_songs_artists_and_genres_of_a_url_are_seeds(client):
    url = "/recommend?song=Slow+Rain&song=Iron+Choir+by+Gravel+Saints&genre=DISCO"
    seeds = client.get(url).json["seeds"]
    assert [seed.get("name", seed["asked"]) for seed in seeds] == ["Slow Rain", "Iron Choir", {"genre": "DISCO"}]
    for alone in ("artist=gravel+saints", "genre=metal"):
        assert client.get(f"/recommend?{alone}").json["recommendations"][0]["genres"] == ["metal"]


def test_a_seed_may_be_a_plain_text(client):
    seeds = client.post("/recommend", json={"seeds": ["slow rain", "spotify:track:metal-1"]}).json["seeds"]
    assert [(seed["asked"], seed["id"]) for seed in seeds] == [
        ({"song": "slow rain"}, "piano-1"),
        ({"song": "spotify:track:metal-1"}, "metal-1"),
    ]


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("spotify:track:nowhere", 404, "no song has the id 'nowhere'"),
        (
            "spotify:track:a b c",
            400,
            "'spotify:track:a b c' leads to no song and no artist; expected spotify:track:ID",
        ),
        ("https://open.spotify.com/album/x", 400, "leads to no song and no artist"),
    ],
)
def test_a_text_that_means_no_song_says_why(client, asked, status, said):
    answer = client.get("/recommend", query_string={"song": asked})
    assert answer.status_code == status
    assert said in problem(answer)["detail"]


def test_get_and_post_give_the_same_answer(client):
    posted = client.post("/recommend", json={"song": "Slow Rain", "artist": "Ada Lindqvist", "limit": 3})
    got = client.get("/recommend?song=Slow+Rain&artist=Ada+Lindqvist&limit=3")
    assert got.data == posted.data


def test_the_same_request_twice_gives_the_same_bytes(client):
    body = {"seeds": [{"genre": "disco"}, {"id": "metal-1", "weight": -1}], "explain": True, "draw": 7}
    assert client.post("/recommend", json=body).data == client.post("/recommend", json=body).data


def test_seeds_that_are_no_songs_tell_how_many_stand_for_them(client):
    seeds = [{"artist": "gravel saints"}, {"genre": "piano"}, {"features": {"energy": 0.5}}]
    assert client.post("/recommend", json={"seeds": seeds}).json["seeds"] == [
        {
            "asked": {"artist": "gravel saints"}, "artist": "Gravel Saints", "songs": 2, "match": "exact",
            "understood": {"song": None, "artist": "Gravel Saints"}, "ambiguous": False, "alternatives": [],
        },
        {"asked": {"genre": "piano"}, "songs": 3},
        {"asked": {"features": {"energy": 0.5}}, "songs": 0},
    ]  # fmt: skip


def test_explanations_add_up_to_the_score(client):
    body = {
        "seeds": [{"id": "piano-1"}, {"id": "metal-1", "weight": -0.5}],
        "explain": True,
        "targets": {"tempo": 80},
    }
    for found in client.post("/recommend", json=body).json["recommendations"]:
        assert sum(found["why"]["parts"].values()) == pytest.approx(found["score"], abs=1e-6)
        assert found["why"]["closest_seed"] == 0
        assert 1 <= len(found["why"]["reasons"]) <= 3


def test_an_explanation_says_what_a_person_understands(client):
    body = {"song_id": "piano-1", "explain": True, "limit": 1}
    why = client.post("/recommend", json=body).json["recommendations"][0]["why"]
    assert set(why) == {"closest_seed", "reasons", "farthest", "parts"}
    assert why["reasons"] == ["also by Ada Lindqvist", "both calm and sad", "same tempo, 72 bpm"]
    assert list(why["parts"]) == ["audio", "artist", "genre", "fame", "explicit", "joint"]


def test_unknown_song_is_a_404_problem_that_suggests_names(client):
    answer = client.post("/recommend", json={"seeds": [{"song": "Neon Waltzer Two"}, {"id": "nope"}]})
    assert answer.status_code == 404
    body = problem(answer)
    assert body["errors"] == [
        {"pointer": "/seeds/0", "detail": "no song is called 'Neon Waltzer Two'"},
        {"pointer": "/seeds/1", "detail": "no song has the id 'nope'"},
    ]
    assert body["suggestions"][0] == {"id": "disco-4", "name": "Neon Waltz", "artists": ["Dez & Dot"]}
    assert len(body["suggestions"]) <= 5


def test_faults_of_form_are_told_before_unknown_songs(client):
    answer = client.post("/recommend", json={"song": "Nobody Knows This", "limit": 0})
    assert problem(answer)["errors"] == [{"pointer": "/limit", "detail": "expected a whole number 1..100"}]


def test_features_that_tell_no_songs_apart_are_a_fault(world_artifacts, tmp_path):
    answer = client_of(world_artifacts).post("/recommend", json={"seeds": [{"features": {"key": -1}}]})
    assert problem(answer)["errors"][0]["pointer"] == "/seeds/0/features"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Expecting value"), (b"{", "Expecting property name"), (b'{"song": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000, "nested too deep"), (b"\xff", "decode"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_is_a_400(client, body, said):
    answer = client.post("/recommend", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert said in problem(answer)["detail"]


@pytest.mark.parametrize("said", ["application/x-www-form-urlencoded", "text/plain", None])
def test_a_body_that_is_json_is_taken_for_it_whatever_it_is_said_to_be(client, said):
    answer = client.post("/recommend", data=b'{"song": "Slow Rain"}', content_type=said)
    assert answer.json["seeds"][0]["id"] == "piano-1"


def test_a_form_is_a_415_that_names_the_header_to_send(client):
    answer = client.post("/recommend", data={"song": "Slow Rain"})
    assert answer.status_code == 415
    assert "Content-Type: application/json" in problem(answer)["detail"]


def test_a_body_over_256_kb_is_a_413(client):
    answer = client.post("/recommend", data=b" " * (256 * 1024 + 1), content_type="application/json")
    assert (answer.status_code, problem(answer)["title"]) == (413, "Content too large")


def test_a_wrong_method_is_a_405_with_allow(client):
    answer = client.delete("/recommend")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert problem(answer)["detail"] == "this path answers GET, HEAD, POST"


def test_missing_artifacts_are_a_503_that_names_the_command(tmp_path):
    answer = client_of(tmp_path).get("/readyz")
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert "segue fit" in problem(answer)["detail"]
    assert str(tmp_path) not in answer.get_data(as_text=True)


def test_artifacts_that_come_later_are_served(tmp_path, world_artifacts):
    client = client_of(tmp_path / "artifacts")
    assert client.get("/readyz").status_code == 503
    (tmp_path / "artifacts").symlink_to(world_artifacts)
    assert client.get("/readyz").status_code == 200


def test_healthz_is_alive_without_artifacts(tmp_path):
    assert client_of(tmp_path).get("/healthz").json == {"status": "alive"}


def test_readyz_tells_version_songs_and_invention(client, world_catalog, demo_artifacts):
    assert client.get("/readyz").json == {"version": world_catalog.version, "songs": 14, "invented": False}
    assert client_of(demo_artifacts).get("/readyz").json["invented"] is True


def test_a_song_has_its_full_record(client):
    body = client.get("/songs/piano-5").json
    assert (body["name"], body["genres"], body["artists"], body["tempo"]) == (
        "Unheard Études", ["piano"], ["Tomas Vrba"], 0.0,
    )  # fmt: skip
    assert body["year"] is None
    assert client.get("/songs/nope").status_code == 404


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
def test_pages_are_served_without_artifacts(tmp_path, path):
    assert client_of(tmp_path).get(path).status_code == 200


def test_our_own_fault_is_a_500_that_tells_nothing(world_artifacts, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("secret /path")

    monkeypatch.setattr("segue.engine.recommendation.recommend", broken)
    answer = client_of(world_artifacts).post("/recommend", json={"song": "Slow Rain"})
    assert answer.status_code == 500
    assert "secret" not in answer.get_data(as_text=True)
    assert "secret" in caplog.text


def test_links_lead_to_spotify_for_its_ids_only(tmp_path):
    text = world.write(tmp_path / "world.csv").read_text(encoding="utf-8")
    spotify = "".join(f"{n}" for n in range(10)) + "abcdefghijkl"
    (tmp_path / "world.csv").write_text(text.replace("piano-2,", f"{spotify},"), encoding="utf-8")
    fit(FitOptions([str(tmp_path / "world.csv")]), tmp_path / "artifacts")
    client = client_of(tmp_path / "artifacts")
    found = client.post("/recommend", json={"song_id": "piano-1", "limit": 3, "max_per_artist": None}).json
    links = {song["id"]: song.get("link") for song in found["recommendations"]}
    assert links == {spotify: f"https://open.spotify.com/track/{spotify}", "piano-3": None, "piano-4": None}


def test_answers_are_plain_json(client):
    body = client.post("/recommend", json={"song": "Déjà Rêvé"}).get_data(as_text=True)
    assert json.loads(body, parse_constant=pytest.fail)
    assert str(Path.cwd()) not in body
