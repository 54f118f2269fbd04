"""Requests to queries: every fault at once, each with its pointer and what would have worked."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidQuery
from segue.query.parser import parse_recommend, parse_recommend_url
from segue.query.schema import Filters, Query, Seed, Vocabulary

GENRES = ["folk", "indie", "indie-pop", "rock"]
CLUSTERS = [0, 1, 3]
KNOWN = Vocabulary(
    GENRES,
    ["energy", "tempo", "year", "popularity"],
    True,
    lambda name: {g: g for g in GENRES}.get(name.lower()),
    CLUSTERS,
)


def faults(body):
    with pytest.raises(InvalidQuery) as error:
        parse_recommend(body, KNOWN)
    return {fault.pointer: fault.detail for fault in error.value.faults}


def test_the_simple_form_gets_the_defaults():
    assert parse_recommend({"song": "A", "artist": "B"}, KNOWN) == Query(
        (Seed("/song", {"song": "A", "artist": "B"}, song="A", artist="B"),),
        limit=10, filters=Filters(), targets={}, max_per_artist=2, fill=False, diversity=0.0, explain=False, draw=0,
    )  # fmt: skip


@pytest.mark.parametrize("given", [{"artist": "B"}, {"genre": "folk"}, {"features": {"energy": 0.5}}, {"cluster": 3}])
def test_one_seed_of_any_kind_needs_no_list(given):
    ((kind, _),) = given.items()
    (seed,) = parse_recommend(given, KNOWN).seeds
    assert seed == Seed(f"/{kind}", given, **given)


@pytest.mark.parametrize(
    "link",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "youtu.be/dQw4w9WgXcQ",
        "https://music.apple.com/us/album/x/1?i=2",
    ],
)
def test_a_link_of_another_service_is_told_to_write_title_and_artist(link):
    told = "does not say which song it leads to: write its title and artist; expected spotify:track:ID"
    assert told in faults({"song": link})["/song"]


def test_every_field_of_the_contract_is_read():
    body = {
        "seeds": [
            {"id": "x.1"},
            {"song": "A", "artist": "B", "weight": 2},
            {"artist": "C", "weight": -1.5},
            {"genre": "Indie"},
            {"features": {"energy": 0.8, "tempo": 124}},
            {"cluster": 3, "weight": 2},
        ],
        "limit": 100,
        "filters": {
            "tempo": [90, 120], "year": [1990, None], "explicit": False, "genres": ["rock"],
            "exclude_genres": ["folk"], "clusters": [1, 3], "exclude_ids": ["y"], "exclude_artists": ["D"],
        },
        "targets": {"energy": 0.9, "popularity": 20, "year": "-10.5", "tempo": "+12"},
        "max_per_artist": None, "fill": True, "diversity": 0.5, "exclude_seed_artists": True,
        "explain": True, "draw": 2147483647, "exact": True,
    }  # fmt: skip
    assert parse_recommend(body, KNOWN) == Query(
        (
            Seed("/seeds/0", {"id": "x.1"}, id="x.1"),
            Seed("/seeds/1", {"song": "A", "artist": "B"}, 2.0, song="A", artist="B"),
            Seed("/seeds/2", {"artist": "C"}, -1.5, artist="C"),
            Seed("/seeds/3", {"genre": "Indie"}, genre="indie"),
            Seed("/seeds/4", {"features": {"energy": 0.8, "tempo": 124}}, features={"energy": 0.8, "tempo": 124.0}),
            Seed("/seeds/5", {"cluster": 3}, 2.0, cluster=3),
        ),
        limit=100,
        filters=Filters(
            {"tempo": (90.0, 120.0), "year": (1990.0, math.inf)}, False, ("rock",), ("folk",), (1, 3), ("y",), ("D",)
        ),
        targets={"energy": 0.9, "popularity": 20.0}, relative_targets={"year": -10.5, "tempo": 12.0},
        max_per_artist=None, fill=True, diversity=0.5, exclude_seed_artists=True, explain=True, draw=2147483647,
        exact=True,
    )  # fmt: skip


def test_all_faults_are_told_at_once():
    body = {"seeds": [{"genre": "indie-pob"}, {"id": "a b"}, {}], "limit": 0, "draw": -1, "filtres": {},
            "filters": {"tempo": [120, 90]}, "targets": {"energy": 2}}  # fmt: skip
    assert faults(body) == {
        "/filtres": "unknown field 'filtres'; did you mean 'filters', 'features'?",
        "/seeds/0/genre": "unknown genre 'indie-pob'; did you mean 'indie-pop', 'indie'?",
        "/seeds/1/id": "expected an id: 1..64 characters of A-Z a-z 0-9 _ . : -",
        "/seeds/2": "a seed is one of 'id', 'song' (with 'artist', if known), 'artist', 'genre', 'cluster',"
        " 'features'",
        "/limit": "expected a whole number 1..100",
        "/filters/tempo": "the range is reversed: did you mean [90, 120]?",
        "/targets/energy": "expected a number 0..1 (0 calm, 1 fast, loud and noisy)",
        "/draw": "expected a whole number 0..2147483647",
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""), ("song", ""), (None, ""), ({}, ""), ({"song": "A", "song_id": "x"}, ""),
        ({"song_id": "x", "artist": "B"}, "/artist"), ({"song": ""}, "/song"), ({"song": "a" * 601}, "/song"),
        ({"song": 7}, "/song"), ({"song": "a\x00"}, "/song"), ({"song": "\ud800"}, "/song"),
        ({"seeds": []}, "/seeds"),
        ({"seeds": [{"id": "x"}] * 101}, "/seeds"), ({"seeds": "x"}, "/seeds"), ({"seeds": [7]}, "/seeds/0"),
        ({"seeds": [{"id": "x", "genre": "folk"}]}, "/seeds/0"),
        ({"seeds": [{"id": "x", "weight": 0}]}, "/seeds/0/weight"),
        ({"seeds": [{"id": "x", "weight": 10.1}]}, "/seeds/0/weight"),
        ({"seeds": [{"id": "x", "weight": math.nan}]}, "/seeds/0/weight"),
        ({"seeds": [{"features": {}}]}, "/seeds/0/features"),
        ({"seeds": [{"features": {"energi": 1}}]}, "/seeds/0/features/energi"),
        ({"seeds": [{"features": {"tempo": "fast"}}]}, "/seeds/0/features/tempo"),
        ({"song": "A", "limit": True}, "/limit"), ({"song": "A", "limit": 1.5}, "/limit"),
        ({"song": "A", "max_per_artist": 0}, "/max_per_artist"), ({"song": "A", "fill": 1}, "/fill"),
        ({"song": "A", "diversity": 1.01}, "/diversity"), ({"song": "A", "diversity": math.inf}, "/diversity"),
        ({"song": "A", "filters": []}, "/filters"), ({"song": "A", "filters": {"key": [1, 2]}}, "/filters/key"),
        ({"song": "A", "filters": {"tempo": 90}}, "/filters/tempo"),
        ({"song": "A", "filters": {"tempo": [1, math.inf]}}, "/filters/tempo/1"),
        ({"song": "A", "filters": {"tempo": ["1", None]}}, "/filters/tempo/0"),
        ({"song": "A", "filters": {"explicit": "no"}}, "/filters/explicit"),
        ({"song": "A", "filters": {"genres": "rock"}}, "/filters/genres"),
        ({"song": "A", "filters": {"exclude_ids": [1]}}, "/filters/exclude_ids/0"),
        ({"song": "A", "targets": {"tempo": None}}, "/targets/tempo"),
        ({"song": "A", "targets": {"tempo": "fast"}}, "/targets/tempo"),
        ({"song": "A", "targets": {"tempo": "12"}}, "/targets/tempo"),
        ({"song": "A", "targets": {"tempo": "+1e9"}}, "/targets/tempo"),
        ({"song": "A", "a/b~c": 1}, "/a~1b~0c"),
    ],
)  # fmt: skip
def test_a_fault_is_told_where_it_is(body, pointer):
    assert list(faults(body)) == [pointer]


def test_a_filter_on_what_no_song_has_lists_what_can_be_filtered():
    assert faults({"song": "A", "filters": {"loudness": [0, 1]}}) == {
        "/filters/loudness": "unknown filter 'loudness'; known are: energy, tempo, year, popularity, explicit,"
        " genres, exclude_genres, clusters, exclude_ids, exclude_artists"
    }


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ([("song_id", "x")], Query((Seed("/song_id", {"id": "x"}, id="x"),))),
        (
            [("song", "1979"), ("limit", "5"), ("max_per_artist", "null"), ("explain", "true"), ("draw", "3")],
            Query((Seed("/song", {"song": "1979"}, song="1979"),), 5, max_per_artist=None, explain=True, draw=3),
        ),
        ([("q", "B"), ("artist", "C")], Query((Seed("/song", {"song": "B", "artist": "C"}, song="B", artist="C"),))),
        (
            [("genre", "Folk"), ("song", "A"), ("id", "x"), ("song", "B")],
            Query(
                (
                    Seed("/song", {"song": "A"}, song="A"),
                    Seed("/song", {"song": "B"}, song="B"),
                    Seed("/song_id", {"id": "x"}, id="x"),
                    Seed("/genre", {"genre": "Folk"}, genre="folk"),
                )
            ),
        ),
        (
            [("artist", "A"), ("artist", "B")],
            Query(
                (
                    Seed("/artist", {"artist": "A"}, artist="A"),
                    Seed("/artist", {"artist": "B"}, artist="B"),
                )
            ),
        ),
        ([("song", "spotify:track:x.1")], Query((Seed("/song", {"song": "spotify:track:x.1"}, id="x.1"),))),
        ([("song", "spotify:artist:x")], Query((Seed("/song", {"song": "spotify:artist:x"}, artist="x"),))),
    ],
)
def test_a_url_holds_the_simple_form(url, query):
    assert parse_recommend_url(url, KNOWN) == query


@pytest.mark.parametrize(
    ("url", "pointers"),
    [
        ([("song", "A"), ("song", "B"), ("artist", "C")], ["/artist"]),
        ([("song", "A"), ("limit", "5"), ("limit", "6")], ["/limit"]),
        ([("artist", "spotify:track:x")], ["/artist"]),
        ([("id", "https://open.spotify.com/artist/x")], ["/song_id"]),
        ([("song", "spotify:track:a b")], ["/song"]),
        ([("song", "A"), ("limit", "ten"), ("seeds", "[]")], ["/seeds", "/limit"]),
        ([("song", "A"), ("limit", "9" * 5000)], ["/limit"]),
        ([("song", "A"), ("explain", "maybe")], ["/explain"]),
        ([], [""]),
    ],
)
def test_faults_of_a_url_are_told_by_parameter(url, pointers):
    with pytest.raises(InvalidQuery) as error:
        parse_recommend_url(url, KNOWN)
    assert [fault.pointer for fault in error.value.faults] == pointers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["song", "artist", "song_id", "seeds", "limit", "filters", "targets", "max_per_artist", "fill", "diversity",
          "exclude_seed_artists", "explain", "draw", "exact"]  # fmt: skip


@given(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_comes_is_a_query_or_a_list_of_faults(body):
    try:
        query = parse_recommend(body, KNOWN)
    except InvalidQuery as error:
        found = error.faults
    else:
        found = query.seeds
    assert found


def test_a_cluster_that_there_is_not_is_told_which_there_are():
    assert faults({"cluster": 2}) == {"/cluster": "expected the id of a cluster: 0, 1, 3"}
    assert faults({"song": "A", "filters": {"clusters": [0, "jazz"]}}) == {
        "/filters/clusters/1": "expected the id of a cluster: 0, 1, 3"
    }
