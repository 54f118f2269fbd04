"""Search in the dialect: free text, fields, artists, years, pages."""

import pytest

from tests.support.dialects import client_of, names, told


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("grey windw", ["Grey Window"]),
        ("deja reve", ["Déjà Rêvé"]),
        ("slow", ["Slow Rain", "Slow Rain - Live"]),
        ("slow rain ada lindqvist", ["Slow Rain", "Slow Rain - Live"]),
        ("halberd", ["Night Furnace"]),
        ("les ondees", ["Déjà Rêvé", "Mirror Floor"]),
    ],
)
def test_free_text_finds_songs_by_their_names_and_artists(client, query, first):
    assert found(client, query, limit=len(first)) == first


def found(client, query, kind="track", **asked):
    answer = client.get("/v1/search", query_string={"q": query, "type": kind, **asked})
    assert answer.status_code == 200, answer.json
    return names(answer.json[f"{kind}s"]["items"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('artist:"Ada Lindqvist"', ["Grey Window", "Slow Rain", "Slow Rain - Live"]),
        ("artist:vrba track:moths", ["Paper Moths"]),
        ("artist:gravel saints iron", []),
        ('iron artist:"gravel saints"', ["Iron Choir"]),
        ("track:rain artist:ada", ["Slow Rain", "Slow Rain - Live"]),
        ("album:metal 0", ["Ash Parade", "Iron Choir"]),
        ("genre:disco", ["Neon Waltz", "Velvet Count", "Déjà Rêvé", "Mirror Floor"]),
        ("genre:disco neon", ["Neon Waltz"]),
        ("genre:disco neom waltz", ["Neon Waltz"]),
        ("track:rain", ["Slow Rain", "Slow Rain - Live"]),
        ("ada track:rain", ["Slow Rain", "Slow Rain - Live"]),
        ("halberd track:rain", []),
        ("GENRE:Polka", []),
        ("year:1990-2000", []),
    ],
)
def test_fields_hold_words(client, query, expected):
    assert found(client, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tomas", ["Tomas Vrba"]),
        ("artist:les", ["Les Ondées"]),
        ("gravel sants", ["Gravel Saints"]),
        ("genre:disco", ["Dez & Dot", "Polly Quartz", "Les Ondées"]),
        ('track:"iron choir"', ["Gravel Saints"]),
        ("ada genre:disco", []),
    ],
)
def test_search_finds_artists(client, query, expected):
    assert found(client, query, "artist") == expected


def test_years_are_found_where_the_table_has_them(dialect_artifacts):
    client = client_of(dialect_artifacts)
    page = client.get("/v1/search?q=year:1990-1999&type=track&limit=50").json["tracks"]
    years = {int(track["album"]["release_date"]) for track in page["items"]}
    assert years
    assert years <= set(range(1990, 2000))
    album = page["items"][0]["album"]
    assert album["id"] in [
        track["album"]["id"]
        for track in client.get("/v1/search", query_string={"q": f'album:"{album["name"]}"', "type": "track"}).json[
            "tracks"
        ]["items"]
    ]


def test_pages_make_the_whole_and_lead_from_the_first_to_the_last(client):
    whole = client.get("/v1/search?q=genre:piano&type=track&limit=50").json["tracks"]
    assert (whole["total"], whole["next"], whole["previous"]) == (6, None, None)
    page = client.get("/v1/search?q=genre:piano&type=track,artist&limit=4").json["tracks"]
    assert page["href"] == "http://localhost/v1/search?q=genre%3Apiano&type=track&limit=4&offset=0"
    last = client.get(page["next"].removeprefix("http://localhost")).json["tracks"]
    assert page["items"] + last["items"] == whole["items"]
    assert (last["offset"], last["next"], last["previous"]) == (4, None, page["href"])
    assert client.get("/v1/search?q=genre:piano&type=track&offset=1000").json["tracks"]["items"] == []


def test_kinds_come_in_the_order_in_which_they_are_asked_for(client):
    assert list(client.get("/v1/search?q=ada&type=artist,track").json) == ["artists", "tracks"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("type=track", "q: expected a text of 1..250 characters"),
        ("q=%20&type=track", "q: expected"),
        ('q=artist:""&type=track', "No search query"),
        (f"q={'a' * 251}&type=track", "q: expected"),
        ("q=a", "Bad search type: the table holds track and artist"),
        ("q=a&type=track,album", "found 'track,album'"),
        ("q=a&type=track&limit=51", "Invalid limit: expected a whole number 1..50"),
        ("q=a&type=track&offset=1001", "Invalid offset: expected a whole number 0..1000"),
        ("q=year:late&type=track", "year: expected a year, or two with a hyphen"),
    ],
)
def test_a_search_that_is_refused_is_told_why(client, asked, said):
    assert said in told(client.get(f"/v1/search?{asked}"), 400)
