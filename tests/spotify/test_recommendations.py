"""The recommendations of the Spotify dialect as a caller sees them, on the small world."""

import pytest

from segue.catalog.lookup.exact import artist_id
from segue.spotify import query_params
from segue_build.fit import FitOptions, fit
from tests.support.dialects import client_of, names, told

NOBODY = "0" * 22  # well formed, and no id of anything
ADA = artist_id("Ada Lindqvist")


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def recommended(client, **asked):
    answer = client.get("/v1/recommendations", query_string=asked)
    assert answer.status_code == 200, answer.json
    return answer.json


def test_each_kind_of_seed_and_all_together(client):
    by_track = recommended(client, seed_tracks="piano-1", max_per_artist="null", limit=3)
    assert sorted(names(by_track["tracks"])) == ["Grey Window", "Low Tide", "Paper Moths"]
    by_artist = recommended(client, seed_artists=ADA, limit=2)
    assert by_artist["tracks"] == recommended(client, seed_artists="Ada Lindqvist", limit=2)["tracks"]
    both = recommended(client, seed_tracks="metal-3", seed_artists=ADA, seed_genres="disco")
    assert [(seed["type"], seed["id"], seed["href"]) for seed in both["seeds"]] == [
        ("ARTIST", ADA, f"http://localhost/v1/artists/{ADA}"),
        ("TRACK", "metal-3", "http://localhost/v1/tracks/metal-3"),
        ("GENRE", "disco", None),
    ]
    assert "metal-3" not in [track["id"] for track in both["tracks"]]


def test_pools_tell_how_many_songs_were_considered_and_left(client):
    answer = recommended(client, seed_tracks="piano-1", min_tempo=100, max_energy=0.8)
    assert answer["seeds"] == [
        {"initialPoolSize": 13, "afterFilteringSize": 4, "afterRelinkingSize": 4, "id": "piano-1", "type": "TRACK",
         "href": "http://localhost/v1/tracks/piano-1"}
    ]  # fmt: skip
    assert {track["id"][:5] for track in answer["tracks"]} == {"disco"}


def test_a_seed_that_is_unknown_has_an_empty_pool_and_spoils_nothing(client):
    nothing = {"initialPoolSize": 0, "afterFilteringSize": 0, "afterRelinkingSize": 0}
    alone = recommended(client, seed_tracks=NOBODY)
    href = f"http://localhost/v1/tracks/{NOBODY}"
    assert alone == {"tracks": [], "seeds": [{**nothing, "id": NOBODY, "type": "TRACK", "href": href}]}
    beside = recommended(client, seed_tracks=f"piano-1,{NOBODY}")
    assert beside["tracks"] == recommended(client, seed_tracks="piano-1")["tracks"]
    assert beside["seeds"][1]["initialPoolSize"] == 0 < beside["seeds"][0]["initialPoolSize"]


def test_a_reversed_range_is_an_empty_answer(client):
    answer = recommended(client, seed_tracks="piano-1", min_energy=0.9, max_energy=0.1)
    assert answer["tracks"] == []
    assert answer["seeds"][0]["afterFilteringSize"] == answer["seeds"][0]["afterRelinkingSize"] == 0


def test_targets_rank_every_song_and_filter_none(client):
    answer = recommended(client, seed_tracks="piano-1", target_duration_ms=1, limit=100, max_per_artist="null")
    assert (len(answer["tracks"]), answer["seeds"][0]["afterFilteringSize"]) == (11, 13)
    loud, calm = (recommended(client, seed_genres="piano,metal", target_energy=energy, limit=1) for energy in (1, 0))
    assert [answer["tracks"][0]["id"][:5] for answer in (loud, calm)] == ["metal", "piano"]


@pytest.mark.parametrize("name", query_params.TUNABLE_ATTRIBUTES)
def test_every_attribute_is_tunable_in_three_ways(client, name):
    low, high = query_params.TUNABLE_ATTRIBUTES[name]
    tuned = {f"min_{name}": max(low, -200), f"max_{name}": high, f"target_{name}": high}
    answer = recommended(client, seed_tracks="piano-1", **tuned)
    assert answer["seeds"][0]["afterFilteringSize"] == 13
    for prefix in ("min", "max", "target"):
        refused = client.get(f"/v1/recommendations?seed_tracks=piano-1&{prefix}_{name}={2 * high + 1}")
        assert f"Invalid {prefix}_{name}: expected a number" in told(refused, 400)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("", "expected 1..5 seeds over seed_artists, seed_tracks and seed_genres, found 0"),
        ("seed_tracks=,&seed_genres=", "found 0"),
        ("seed_tracks=piano-1,piano-2,piano-3&seed_genres=disco,metal,piano", "found 6; POST /recommend takes a"),
        ("seed_tracks=piano 1", "Invalid base62 id: 'piano 1'"),
        (
            "seed_artists=Nobody Known",
            "Invalid base62 id: 'Nobody Known' has not 22 letters and digits",
        ),
        ("seed_genres=discoo", "unknown genre 'discoo'; did you mean 'disco'?"),
        ("seed_genres=disco&limit=0", "Invalid limit: expected a whole number 1..100, found '0'"),
        ("seed_genres=disco&limit=101", "Invalid limit"),
        ("seed_genres=disco&limit=ten", "Invalid limit"),
        ("seed_genres=disco&market=Narnia", "Invalid market code: 'Narnia'"),
        ("seed_genres=disco&target_energy=nan", "Invalid target_energy: expected a number 0..1, found 'nan'"),
        ("seed_genres=disco&min_tempo=fast&max_key=12", "min_tempo: expected a number"),
        ("seed_genres=disco&min_tempo=fast&max_key=12", "Invalid max_key: expected a number 0..11, found '12'"),
        ("seed_genres=disco&max_per_artist=0", "Invalid max_per_artist"),
        ("seed_genres=disco&explain=maybe", "Invalid explain: expected true or false, found 'maybe'"),
        ("seed_genres=disco&draw=-1", "Invalid draw"),
        ("seed_genres=disco&exclude_tracks=a b", "Invalid base62 id: 'a b'"),
    ],
)
def test_a_request_that_is_refused_is_told_why(client, asked, said):
    assert said in told(client.get(f"/v1/recommendations?{asked}"), 400)


def test_songs_and_artists_stay_out_when_they_are_unwanted(client):
    def left(**unwanted):
        tracks = recommended(client, seed_genres="piano", limit=4, max_per_artist="null", min_instrumentalness=0.5,
                             **unwanted)["tracks"]  # fmt: skip
        return sorted(track["id"] for track in tracks)

    assert left() == ["piano-1", "piano-2", "piano-3", "piano-4"]
    assert left(exclude_tracks=f"piano-1-live,{NOBODY}") == ["piano-2", "piano-3", "piano-4"]
    assert left(exclude_artists=f"{ADA},{NOBODY}") == left(exclude_artists="ada lindqvist") == ["piano-3", "piano-4"]
    assert left(seed_artists=ADA, exclude_seed_artists="true") == ["piano-3", "piano-4"]


def test_the_cap_is_that_of_our_own_api_and_can_be_lifted(client):
    def most(**asked):
        tracks = recommended(client, seed_genres="piano", limit=100, **asked)["tracks"]
        firsts = [track["artists"][0]["name"] for track in tracks]
        return max(firsts.count(name) for name in firsts)

    assert [most(), most(max_per_artist=1)] == [2, 1]


def test_explanations_and_draws_are_extras(client):
    plain = recommended(client, seed_tracks="piano-1", limit=3)
    explained = recommended(client, seed_tracks="piano-1", limit=3, explain="1")
    parts = [(track.pop("score"), sum(track.pop("why")["parts"].values())) for track in explained["tracks"]]
    assert explained == plain
    assert all(score == pytest.approx(total) for score, total in parts)
    assert recommended(client, seed_tracks="piano-1", limit=3, draw=1)["tracks"] != plain["tracks"]


def test_what_is_unknown_to_spotify_counts_for_nothing(client):
    assert recommended(client, seed_tracks="piano-1", market="FI", seed_moods="x", min_colour=2) == recommended(
        client, seed_tracks="piano-1"
    )


@pytest.mark.parametrize("limit", [1, 2, 5, 9])
def test_a_shorter_list_begins_a_longer_one(client, limit):
    asked = {"seed_genres": "piano,metal", "target_valence": 0.4}
    longer = recommended(client, **asked, limit=100)["tracks"]
    assert recommended(client, **asked, limit=limit)["tracks"] == longer[:limit]


def test_genre_seeds_have_the_names_that_spotify_gave_them(client):
    assert client.get("/v1/recommendations/available-genre-seeds/").json == {"genres": ["disco", "metal", "piano"]}
    table = ["r&b", "hip hop", "drum and bass", "city pop", "rock, soft", "k-pop", "kpop"]
    assert query_params.genres_by_seed(table) == {
        "city pop": "city pop", "drum-and-bass": "drum and bass", "hip-hop": "hip hop", "k-pop": "k-pop",
        "r-n-b": "r&b", "rock  soft": "rock, soft",
    }  # fmt: skip
    assert [query_params.find_genre(table, asked) for asked in ("R-N-B", "Drum & Bass", "rock  soft", "polka")] == [
        "r&b", "drum and bass", "rock, soft", None,
    ]  # fmt: skip


def test_absent_attributes_are_neutral_and_filter_nothing_that_they_pass(tmp_path):
    rows = [f"s{n},Song {n},{n / 20},{100 + n}" for n in range(1, 13)]
    (tmp_path / "bare.csv").write_text("\n".join(["id,name,energy,tempo", *rows]), encoding="utf-8")
    fit(FitOptions([str(tmp_path / "bare.csv")]), tmp_path / "artifacts")
    client = client_of(tmp_path / "artifacts")
    track = client.get("/v1/tracks/s1").json
    assert (track["popularity"], track["duration_ms"], track["explicit"]) == (0, 0, False)
    assert (track["artists"][0]["name"], track["album"]["name"]) == ("", "")
    features = client.get("/v1/audio-features/s1").json
    assert (features["time_signature"], features["key"], features["mode"], features["valence"]) == (4, -1, 1, 0.0)
    assert len(recommended(client, seed_tracks="s1", max_popularity=50, min_time_signature=4)["tracks"]) == 11
    assert recommended(client, seed_tracks="s1", min_popularity=1)["tracks"] == []
    aimed = recommended(client, seed_tracks="s1", target_popularity=50)
    assert aimed == recommended(client, seed_tracks="s1")
    assert client.get("/v1/recommendations/available-genre-seeds").json == {"genres": []}
