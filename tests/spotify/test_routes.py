"""Songs and artists of the Spotify dialect as a caller sees them: whole answers, on the small world."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.catalog.lookup.exact import album_id, artist_id
from segue.spotify import serializers
from tests.support.dialects import client_of, names, told

NOBODY = "0" * 22  # well formed, and no id of anything
ADA = artist_id("Ada Lindqvist")


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


# --- songs ----------------------------------------------------------------------------------------------------


def artist_shape(name):
    identity = artist_id(name)
    return {
        "external_urls": {"spotify": f"http://localhost/?q={name.replace(' ', '+')}"},
        "href": f"http://localhost/v1/artists/{identity}",
        "id": identity,
        "name": name,
        "type": "artist",
        "uri": f"spotify:artist:{identity}",
    }


def test_a_track_has_every_field_and_no_other(client):
    album = album_id("piano 0", "Ada Lindqvist")
    assert client.get("/v1/tracks/piano-1").json == {
        "album": {
            "album_type": "album",
            "artists": [artist_shape("Ada Lindqvist")],
            "available_markets": [],
            "external_urls": {"spotify": "http://localhost/?q=piano+0"},
            "href": f"http://localhost/v1/albums/{album}",
            "id": album,
            "images": [],
            "name": "piano 0",
            "release_date": "0000",
            "release_date_precision": "year",
            "total_tracks": 1,
            "type": "album",
            "uri": f"spotify:album:{album}",
        },
        "artists": [artist_shape("Ada Lindqvist")],
        "available_markets": [],
        "disc_number": 1,
        "duration_ms": 201000,
        "explicit": False,
        "external_ids": {},
        "external_urls": {"spotify": "http://localhost/?q=Slow+Rain"},
        "href": "http://localhost/v1/tracks/piano-1",
        "id": "piano-1",
        "is_local": False,
        "name": "Slow Rain",
        "popularity": 21,
        "preview_url": None,
        "track_number": 1,
        "type": "track",
        "uri": "spotify:track:piano-1",
    }


def test_audio_features_are_as_the_table_has_them(client):
    assert client.get("/v1/audio-features/piano-1").json == {
        "acousticness": 0.951, "analysis_url": "http://localhost/v1/audio-analysis/piano-1", "danceability": 0.301,
        "duration_ms": 201000, "energy": 0.101, "id": "piano-1", "instrumentalness": 0.901, "key": 1,
        "liveness": 0.101, "loudness": -21.999, "mode": 1, "speechiness": 0.051, "tempo": 71.0, "time_signature": 4,
        "track_href": "http://localhost/v1/tracks/piano-1", "type": "audio_features", "uri": "spotify:track:piano-1",
        "valence": 0.201,
    }  # fmt: skip


@given(st.lists(st.floats(-100, 1000, width=32), min_size=1))
def test_numbers_read_as_they_were_typed(values):
    stored = np.array(values, np.float32).astype(np.float64)
    stored[np.abs(stored) < 1e-9] = 0
    assert serializers.round_to_seven_digits(stored).tolist() == [float(f"{value:.7g}") for value in stored]


@pytest.mark.parametrize(
    ("path", "key"), [("/v1/tracks", "tracks"), ("/v1/audio-features", "audio_features"), ("/v1/artists", "artists")]
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_batch_keeps_order_and_repeats_and_has_null_for_the_unknown(client, path, key, slash):
    known = (ADA, artist_id("Skarn")) if key == "artists" else ("piano-1", "metal-4")
    asked = [known[1], NOBODY, known[0], known[1]]
    answer = client.get(f"{path}{slash}?ids={','.join(asked)}").json
    assert [entry and entry["id"] for entry in answer[key]] == [known[1], None, known[0], known[1]]
    assert answer[key][2] == client.get(f"{path}/{known[0]}{slash}").json


@pytest.mark.parametrize(("path", "most"), [("tracks", 50), ("audio-features", 100), ("artists", 50)])
def test_a_batch_has_limits(client, path, most):
    assert client.get(f"/v1/{path}?ids={','.join([NOBODY] * most)}").status_code == 200
    assert "Too many ids" in told(client.get(f"/v1/{path}?ids={','.join([NOBODY] * (most + 1))}"), 400)
    assert "expected 1.." in told(client.get(f"/v1/{path}"), 400)
    assert "Invalid base62 id: ''" in told(client.get(f"/v1/{path}?ids={NOBODY},,{NOBODY}"), 400)


@pytest.mark.parametrize("path", ["tracks/{}", "audio-features/{}", "artists/{}", "artists/{}/related-artists"])
def test_one_that_is_unknown_is_a_404_and_one_that_is_no_id_a_400(client, path):
    assert "Non existing id" in told(client.get(f"/v1/{path.format(NOBODY)}"), 404)
    assert "Invalid base62 id" in told(client.get(f"/v1/{path.format('no one')}"), 400)


# --- artists --------------------------------------------------------------------------------------------------


def test_an_artist_is_found_by_id_and_by_name(client):
    expected = artist_shape("Ada Lindqvist") | {
        "followers": {"href": None, "total": 0}, "genres": ["piano"], "images": [], "popularity": 22,
    }  # fmt: skip
    assert [client.get(f"/v1/artists/{asked}").json for asked in (ADA, "ada lindqvist")] == [expected, expected]


def test_ids_of_artists_are_stable_and_forget_case_accents_and_punctuation():
    assert artist_id("Les Ondées") == artist_id("LES ONDEES") == "fumqvvFuVqh9YM8g93AsGP"
    assert artist_id("Les Ondées [DJ]") != artist_id("Les Ondées")


@pytest.mark.parametrize("well_formed", ["Z" * 22, "0" * 22, "7" * 22])
def test_other_well_formed_ids_are_nobodys(client, well_formed):
    assert told(client.get(f"/v1/artists/{well_formed}"), 404)


def test_related_artists_are_others_the_most_similar_first(client):
    related = client.get(f"/v1/artists/{ADA}/related-artists").json["artists"]
    assert {artist["name"] for artist in related[:2]} == {"Tomas Vrba", "Ines Okoro"}
    assert "Ada Lindqvist" not in names(related)
    assert related[0] == client.get(f"/v1/artists/{related[0]['id']}").json
