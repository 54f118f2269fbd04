"""Bodies of journeys to queries: every fault at once, each with its pointer and what would have worked."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidQuery
from segue.query.parser import parse_continue, parse_order, parse_path, parse_playlist
from segue.query.schema import ContinueQuery, Filters, OrderQuery, PathQuery, PlaylistQuery, Query, Seed
from tests.query.test_parser import KNOWN

PARSERS = [parse_path, parse_playlist, parse_order, parse_continue]
A, B = {"id": "a"}, {"song": "B"}


def faults(parse, body):
    with pytest.raises(InvalidQuery) as error:
        parse(body, KNOWN)
    return {fault.pointer: fault.detail for fault in error.value.faults}


def test_a_path_gets_the_defaults():
    assert parse_path({"from": A, "to": B}, KNOWN) == PathQuery(Seed("/from", A, id="a"), Seed("/to", B, song="B"))


def test_every_field_of_a_path_is_read():
    body = {
        "from": A, "to": B, "via": [{"artist": "C"}, {"genre": "rock"}], "length": 50,
        "filters": {"tempo": [90, None], "exclude_artists": ["D"]}, "max_per_artist": None, "steady_popularity": True,
        "draw": 7,
    }  # fmt: skip
    assert parse_path(body, KNOWN) == PathQuery(
        Seed("/from", A, id="a"),
        Seed("/to", B, song="B"),
        (Seed("/via/0", {"artist": "C"}, artist="C"), Seed("/via/1", {"genre": "rock"}, genre="rock")),
        length=50,
        filters=Filters({"tempo": (90.0, math.inf)}, exclude_artists=("D",)),
        max_per_artist=None,
        steady_popularity=True,
        draw=7,
    )


def test_all_faults_of_a_path_are_told_at_once():
    body = {"from": {**A, "weight": 2}, "via": [{"genre": "indi"}] * 2, "length": 2, "legth": 5, "draw": -1}
    assert faults(parse_path, body) == {
        "/legth": "unknown field 'legth'; did you mean 'length'?",
        "/via/0/genre": "unknown genre 'indi'; did you mean 'indie', 'indie-pop'?",
        "/via/1/genre": "unknown genre 'indi'; did you mean 'indie', 'indie-pop'?",
        "/from/weight": "a path leads through a seed or it does not: there is nothing to weigh",
        "/to": "is needed: the seed at which the path ends",
        "/length": "expected a whole number 3..50",
        "/draw": "expected a whole number 0..2147483647",
    }


def test_a_path_has_room_for_all_its_places():
    body = {"from": A, "to": B, "via": [{"id": "c"}, {"id": "d"}], "length": 3}
    assert faults(parse_path, body) == {"/length": "the ends and what lies between are 4 songs already"}
    assert parse_path(body | {"length": 4}, KNOWN).length == 4
    assert faults(parse_path, body | {"via": [A] * 11, "length": 50})["/via"] == (
        "expected a list of 0..10 entries, found 11"
    )


def test_a_playlist_gets_the_defaults():
    query = Query((Seed("/song", B, song="B"),))
    assert parse_playlist(B, KNOWN) == PlaylistQuery(query, "steady", 25, None)


def test_every_start_of_a_playlist_is_read():
    features = {"features": {"energy": 0.5}}
    sound = Seed("/features", features, features={"energy": 0.5})
    assert parse_playlist({"song_id": "a"}, KNOWN).query.seeds == (Seed("/song_id", A, id="a"),)
    assert parse_playlist({"seeds": [A]}, KNOWN).query.seeds == (Seed("/seeds/0", A, id="a"),)
    assert parse_playlist(features, KNOWN).query.seeds == (sound,)
    clustered = parse_playlist({"cluster": 3, "minutes": 45, "flow": "wave"}, KNOWN)
    seed = Seed("/cluster", {"cluster": 3}, cluster=3)
    assert clustered == PlaylistQuery(Query((seed,)), "wave", None, 45.0)


def test_wishes_of_a_playlist_are_those_of_a_recommendation():
    wishes = {
        "filters": {"explicit": False}, "targets": {"energy": 0.9}, "max_per_artist": 1, "fill": True,
        "diversity": 0.5, "exclude_seed_artists": True, "draw": 3,
    }  # fmt: skip
    assert parse_playlist({**B, **wishes}, KNOWN).query == Query(
        (Seed("/song", B, song="B"),), filters=Filters(explicit=False), targets={"energy": 0.9}, max_per_artist=1,
        fill=True, diversity=0.5, exclude_seed_artists=True, draw=3,
    )  # fmt: skip


@pytest.mark.parametrize(("body", "pointers"), [
    ({}, [""]),
    ({"song": "B", "cluster": 1}, [""]),
    ({"song": "B", "songs": 0}, ["/songs"]),
    ({"song": "B", "songs": 201}, ["/songs"]),
    ({"song": "B", "songs": 5, "minutes": 30}, ["/minutes"]),
    ({"song": "B", "minutes": 4.9}, ["/minutes"]),
    ({"song": "B", "minutes": 601}, ["/minutes"]),
    ({"song": "B", "flow": 7}, ["/flow"]),
    ({"cluster": -1}, ["/cluster"]),
    ({"cluster": 2}, ["/cluster"]),
    ({"cluster": True}, ["/cluster"]),
    ({"features": {}}, ["/features"]),
    ({"features": {"energi": 1}}, ["/features/energi"]),
    ([], [""]),
])  # fmt: skip
def test_a_fault_of_a_playlist_is_pointed_at(body, pointers):
    assert list(faults(parse_playlist, body)) == pointers


def test_a_misspelt_flow_is_told_the_nearest():
    assert faults(parse_playlist, {"song": "B", "flow": "ryse"}) == {
        "/flow": "expected one of steady, rise, fall, wave, harmonic, found 'ryse'; did you mean 'rise'?"
    }


def test_a_list_has_songs_by_id_by_name_and_by_both():
    both = {"id": "c", "song": "D", "artist": "E"}
    assert parse_order({"songs": ["A", A, both], "flow": "wave"}, KNOWN) == OrderQuery(
        (
            Seed("/songs/0", {"song": "A"}, song="A"),
            Seed("/songs/1", A, id="a"),
            Seed("/songs/2", both, id="c", song="D", artist="E"),
        ),
        "wave",
    )


def test_all_faults_of_a_list_are_told_at_once():
    wanted = "expected 'id', or 'song' and, if known, 'artist', or all of them"
    body = {"songs": [{"id": "a", "artist": "B"}, {"genre": "jazz"}, 7, {"id": "a b"}, " "], "flow": "rises"}
    assert faults(parse_order, body) == {
        "/songs/0": wanted,
        "/songs/1/genre": "unknown field 'genre'; known are: id, song, artist",
        "/songs/1": wanted,
        "/songs/2": "expected an object with id, song, artist",
        "/songs/3/id": "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -",
        "/songs/4": "expected a text of 1..600 characters",
        "/flow": "expected one of steady, rise, fall, wave, harmonic, found 'rises'; did you mean 'rise'?",
    }
    assert faults(parse_order, {}) == {"/songs": "expected a list of 1..200 entries"}
    assert faults(parse_order, {"songs": [A] * 201}) == {"/songs": "expected a list of 1..200 entries, found 201"}


def test_a_radio_gets_the_defaults():
    assert parse_continue({"played": ["a"]}, KNOWN) == ContinueQuery(Query((), max_per_artist=1), ("a",))


def test_ten_thousand_songs_may_have_been_played_and_no_more():
    many = [f"song-{number}" for number in range(10_000)]
    assert parse_continue({"played": many, "skipped": many, "limit": 5}, KNOWN).played == tuple(many)
    assert faults(parse_continue, {"played": [*many, "a"]}) == {
        "/played": "expected a list of 1..10000 entries, found 10001"
    }


def test_faults_of_a_radio_are_told_at_once():
    assert faults(parse_continue, {"played": ["a", 7, "b c"], "skipped": "a", "limit": 0}) == {
        "/limit": "expected a whole number 1..100",
        "/played/1": "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -",
        "/played/2": "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -",
        "/skipped": "expected a list of 0..10000 entries",
    }
    assert faults(parse_continue, {}) == {"/played": "expected a list of 1..10000 entries, found 0"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = st.sampled_from(
    ["from", "to", "via", "length", "seeds", "song", "cluster", "features", "songs", "minutes", "flow", "played",
     "skipped", "limit", "filters", "targets", "max_per_artist", "draw"]
)  # fmt: skip


@pytest.mark.parametrize("parse", PARSERS)
@given(body=JSON | st.dictionaries(FIELDS, JSON))
def test_any_json_is_a_query_or_a_list_of_faults(parse, body):
    try:
        parse(body, KNOWN)
    except InvalidQuery as error:
        pointers = [fault.pointer for fault in error.faults]
    else:
        return
    assert pointers
    assert all(pointer == "" or pointer.startswith("/") for pointer in pointers)
