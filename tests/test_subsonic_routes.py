"""The OpenSubsonic API as a player sees it: whole answers, on the small world."""

import json

import pytest

from build.fit import Options, fit
from segue import VERSION
from segue.catalog import lookup
from segue.subsonic import params, routes, search, similar
from tests import world
from tests.dialect import client_of, xml

COUNTS = ("artistCount", "albumCount", "songCount")
ADA = lookup.artist_id("Ada Lindqvist")
PIANO = lookup.album_id("piano 0", "Ada Lindqvist")
WALK = {"startSongId": "piano-1", "endSongId": "disco-4"}
HEAD = {"version": "1.16.1", "type": "segue", "serverVersion": VERSION, "openSubsonic": True}
SLOW_RAIN = {
    "id": "piano-1",
    "isDir": False,
    "title": "Slow Rain",
    "album": "piano 0",
    "artist": "Ada Lindqvist",
    "artistId": ADA,
    "albumId": PIANO,
    "parent": PIANO,
    "genre": "piano",
    "genres": [{"name": "piano"}],
    "duration": 201,
    "type": "music",
    "mediaType": "song",
    "isVideo": False,
    "bpm": 71,
    "artists": [{"id": ADA, "name": "Ada Lindqvist"}],
    "displayArtist": "Ada Lindqvist",
    "explicitStatus": "clean",
}


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def asked(client, method, **given):
    """What an answer that went well has beside what all have."""
    answer = client.get(f"/rest/{method}", query_string={"f": "json", **given})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.json["subsonic-response"]
    assert {name: body.pop(name) for name in ("status", *HEAD)} == {"status": "ok", **HEAD}
    return body


def failed(client, method, status=200, **given):
    """The code and the message of an answer that failed, which has nothing else to it."""
    answer = client.get(f"/rest/{method}", query_string={"f": "json", **given})
    assert (answer.status_code, answer.mimetype) == (status, "application/json")
    error = answer.json["subsonic-response"]["error"]
    assert answer.json == {"subsonic-response": {"status": "failed", **HEAD, "error": error}}
    return error["code"], error["message"]


def ids(songs):
    return [song["id"] for song in songs]


# --- the server -----------------------------------------------------------------------------------------------


def test_what_is_asked_of_the_server_needs_no_artifacts(tmp_path):
    client = client_of(tmp_path)
    assert asked(client, "ping") == {}
    assert asked(client, "getLicense") == {"license": {"valid": True}}
    assert asked(client, "tokenInfo") == {"tokenInfo": {"username": "segue"}}
    assert asked(client, "getOpenSubsonicExtensions") == {
        "openSubsonicExtensions": [
            {"name": "apiKeyAuthentication", "versions": [1]},
            {"name": "formPost", "versions": [1]},
            {"name": "sonicSimilarity", "versions": [1]},
            {"name": "topSongsByArtistId", "versions": [1]},
        ]
    }
    code, message = failed(client, "search3", 503, query="rain")
    assert (code, "python -m build fit" in message) == (0, True)


@pytest.mark.parametrize("path", ["/rest/ping", "/rest/ping.view", "/rest/ping/"])
def test_a_method_has_a_suffix_or_none_and_a_url_or_a_form(client, path):
    expected = {"subsonic-response": {"status": "ok", **HEAD}}
    assert client.get(f"{path}?f=json&u=me&v=1.16.1&c=tests").json == expected
    assert client.post(path, data={"f": "json", "u": "me"}).json == expected
    assert client.post(f"{path}?f=json", data="f=xml").json == expected


def test_an_answer_is_xml_unless_it_is_wanted_otherwise(client):
    answer = client.get("/rest/getOpenSubsonicExtensions")
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    assert answer.get_data(as_text=True) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<subsonic-response xmlns="http://subsonic.org/restapi" status="ok"'
        f' version="1.16.1" type="segue" serverVersion="{VERSION}" openSubsonic="true">'
        '<openSubsonicExtensions name="apiKeyAuthentication"><versions>1</versions></openSubsonicExtensions>'
        '<openSubsonicExtensions name="formPost"><versions>1</versions></openSubsonicExtensions>'
        '<openSubsonicExtensions name="sonicSimilarity"><versions>1</versions></openSubsonicExtensions>'
        '<openSubsonicExtensions name="topSongsByArtistId"><versions>1</versions></openSubsonicExtensions>'
        "</subsonic-response>"
    )


def test_jsonp_calls_the_function_that_it_is_told(client):
    answer = client.get("/rest/ping?f=jsonp&callback=player.heard")
    assert (answer.status_code, answer.mimetype) == (200, "application/javascript")
    text = answer.get_data(as_text=True)
    assert text.startswith("player.heard(")
    assert json.loads(text.removeprefix("player.heard(").removesuffix(");"))["subsonic-response"]["status"] == "ok"


@pytest.mark.parametrize("callback", ["", "alert(1)", "1a", "a" * 101, "a\n"])
def test_jsonp_calls_nothing_but_a_name(client, callback):
    assert failed(client, "ping", f="jsonp", callback=callback)[0] == 10


def test_an_unknown_format_is_told_the_known_ones_in_xml(client):
    (error,) = xml(client.get("/rest/ping?f=zip"))
    assert error.attrib == {"code": "0", "message": "f: expected xml, json or jsonp"}


def test_xml_holds_what_json_does(client):
    query = {"query": "velvet", "songCount": 3}
    found = asked(client, "search3", **query)["searchResult3"]
    (result,) = xml(client.get("/rest/search3", query_string=query))
    told = {kind: [read(element) for element in result if element.tag == f"{{{SPACE}}}{kind}"] for kind in found}
    assert told == {kind: json.loads(json.dumps(shapes), parse_int=str) for kind, shapes in found.items()}


SPACE = "http://subsonic.org/restapi"
TRUTHS = {"true": True, "false": False}


def read(element):
    """An element with its lists, numbers as texts."""
    shape = {name: TRUTHS.get(value, value) for name, value in element.attrib.items()}
    for child in element:
        shape.setdefault(child.tag.removeprefix(f"{{{SPACE}}}"), []).append(read(child))
    return shape


def test_xml_of_any_name_can_be_read(tmp_path):
    rows = world.rows()
    rows[0] |= {"name": "<&\"'\x0b\u0085\uffff\u202e🎵>"}
    fit(Options([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    answer = client_of(tmp_path / "artifacts").get("/rest/getTopSongs?artist=ada+lindqvist")
    titles = [song.get("title") for song in xml(answer)[0]]
    assert any(title.startswith("<&\"'") and title.endswith("🎵>") for title in titles)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_of_http_is_told_the_right_ones(client, method):
    answer = client.open("/rest/ping?f=json", method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert answer.json["subsonic-response"]["error"] == {"code": 0, "message": "expected one of GET, HEAD, POST"}


@pytest.mark.parametrize("method", ["", "getPlaylists", "stream.view", "search3/x", "PING", "x" * 99])
def test_what_is_not_served_is_told_what_is(client, method):
    code, message = failed(client, method)
    assert (code, message.endswith(f"is not served; what is: {', '.join(routes.METHODS)}")) == (70, True)


def test_a_form_is_read_as_far_as_one_may_reach(client):
    large, crowded = "a" * (params.LARGEST + 1), "&".join("a=1" for _ in range(params.MOST_FIELDS + 1))
    for form in (large, crowded):
        answer = client.post("/rest/ping?f=json", data=form, content_type=params.FORM)
        assert (answer.status_code, answer.json["subsonic-response"]["error"]["code"]) == (413, 0)


def test_any_page_may_read_the_answers(client):
    answers = [client.get("/rest/ping"), client.get("/rest/nowhere"), client.options("/rest/search3")]
    assert [answer.headers["Access-Control-Allow-Origin"] for answer in answers] == ["*"] * 3
    assert answers[-1].status_code == 204


# --- search ---------------------------------------------------------------------------------------------------


def test_a_search_finds_title_and_artist_in_one_text(client):
    found = asked(client, "search3", query="slow rain ada lindqvist", songCount=1)["searchResult3"]
    assert found == {
        "artist": [{"id": ADA, "name": "Ada Lindqvist", "albumCount": 1}],
        "album": [],
        "song": [SLOW_RAIN],
    }


def test_a_search_finds_albums_by_words_of_their_names(client):
    found = asked(client, "search3", query="piano", songCount=0, artistCount=0)["searchResult3"]
    assert (found["artist"], found["song"]) == ([], [])
    assert found["album"][-1] == {
        "id": PIANO,
        "name": "piano 0",
        "artist": "Ada Lindqvist",
        "artistId": ADA,
        "songCount": 3,
        "duration": 604,
        "created": "1970-01-01T00:00:00Z",
        "genre": "piano",
        "genres": [{"name": "piano"}],
        "artists": [{"id": ADA, "name": "Ada Lindqvist"}],
        "displayArtist": "Ada Lindqvist",
    }
    assert [album["name"] for album in found["album"]] == ["piano 1", "piano 1", "piano 0"]
    exact = asked(client, "search3", query="Piano 0!", songCount=0, artistCount=0)["searchResult3"]["album"]
    assert [album["id"] for album in exact] == [PIANO]


def test_a_song_of_several_artists_names_them_all(client):
    (song,) = asked(client, "search3", query="paper moths", songCount=1, albumCount=0)["searchResult3"]["song"]
    assert (song["artist"], song["displayArtist"]) == ("Ines Okoro", "Ines Okoro, Tomas Vrba")
    assert [artist["name"] for artist in song["artists"]] == ["Ines Okoro", "Tomas Vrba"]


@pytest.mark.parametrize("query", ["", '""', " ", "*"])
def test_an_empty_search_finds_everything_a_page_at_a_time(client, world_catalog, query):
    def pages(kind):
        counts = dict.fromkeys(COUNTS, 0) | {f"{kind}Count": 4}
        given = [{"query": query, **counts, f"{kind}Offset": offset} for offset in range(0, 30, 4)]
        return [shape for one in given for shape in asked(client, "search3", **one)["searchResult3"][kind]]

    texts, artists = world_catalog.texts("ids"), world_catalog.texts("artists")
    assert ids(pages("song")) == [texts[row] for row in range(len(world_catalog))]
    assert [artist["name"] for artist in pages("artist")] == [artists[row] for row in range(len(artists))]
    albums = pages("album")
    assert len({album["id"] for album in albums}) == len(albums) == 9
    assert sum(album["songCount"] for album in albums) == len(world_catalog)


def test_a_page_may_be_large_but_not_larger(client):
    many = asked(client, "search3", query="", **dict.fromkeys(COUNTS, 999_999_999))
    assert {kind: len(shapes) for kind, shapes in many["searchResult3"].items()} == {
        "artist": 9, "album": 9, "song": 14,
    }  # fmt: skip
    assert search.MOST == 1_000


@pytest.mark.parametrize(
    ("method", "given", "code", "said"),
    [
        ("search3", {}, 10, "Required parameter is missing: query"),
        ("search3", {"query": "x" * 601}, 0, "query: expected up to 600 characters, found 601"),
        ("search3", {"query": "", "songCount": "some"}, 0, "songCount: expected a whole number from 0, found 'some'"),
        ("search3", {"query": "", "albumOffset": -1}, 0, "albumOffset: expected a whole number from 0, found '-1'"),
        ("getSimilarSongs", {}, 10, "Required parameter is missing: id"),
        ("getSimilarSongs", {"id": "x"}, 70, "no song, artist or album has the id 'x'; search3 finds ids"),
        ("getSimilarSongs2", {"id": "0" * 22}, 70, "search3 finds ids"),
        ("getSimilarSongs", {"id": "piano-1", "count": "9" * 10}, 0, "count: expected a whole number from 0"),
        ("getSonicSimilarTracks", {"id": ADA}, 70, "no song has the id"),
        ("findSonicPath", {"startSongId": "piano-1"}, 10, "Required parameter is missing: endSongId"),
        ("findSonicPath", {"startSongId": "piano-1", "endSongId": "x"}, 70, "no song has the id 'x'"),
        ("findSonicPath", WALK | {"count": 1}, 0, "count: a path has 2 songs at the least, its ends"),
        ("findSonicPath", WALK | {"count": 50}, 0, "12 different songs pass the filters, the fixed ones included"),
        ("findSonicPath", WALK | {"endSongId": "piano-1-live"}, 0, "is the song at /startSongId again"),
        ("getTopSongs", {}, 10, "Required parameter is missing: artist"),
        ("getTopSongs", {"artist": "nobody"}, 70, "no artist has the name or id 'nobody'; search3 finds artists"),
        ("getTopSongs", {"artist": " "}, 70, "no artist has the name or id ' '"),
    ],
)
def test_a_request_that_can_not_be_answered_says_why(client, method, given, code, said):
    found, message = failed(client, method, **given)
    assert found == code
    assert said in message


# --- songs like others ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["", "2"])
def test_songs_like_a_song_are_those_that_the_api_recommends(client, version):
    songs = asked(client, f"getSimilarSongs{version}", id="piano-2", count=3)[f"similarSongs{version}"]["song"]
    assert SLOW_RAIN in songs
    recommended = client.post("/recommend", json={"song_id": "piano-2", "limit": 3, "fill": True})
    assert ids(songs) == ids(recommended.json["recommendations"])


def test_songs_like_an_artist_are_of_the_same_kind_and_may_be_the_artists_own(client):
    songs = asked(client, "getSimilarSongs2", id=lookup.artist_id("Gravel Saints"), count=4)["similarSongs2"]["song"]
    assert {song["genre"] for song in songs} == {"metal"}
    assert "Gravel Saints" in {song["artist"] for song in songs}


def test_songs_like_an_album_are_none_of_its_own(client):
    songs = asked(client, "getSimilarSongs", id=PIANO, count=2)["similarSongs"]["song"]
    assert ids(songs) == ["piano-3", "piano-4"]


def test_a_list_is_as_long_as_it_is_wanted_if_there_are_as_many_songs(client):
    def found(**given):
        return len(asked(client, "getSimilarSongs", id="piano-1", **given)["similarSongs"]["song"])

    assert [found(count=0), found(count=5), found(count=10**6), found()] == [0, 5, 11, 11]
    assert (similar.USUAL, similar.MOST) == (50, 100)


def test_a_sonic_match_has_the_score_of_its_song(client):
    matches = asked(client, "getSonicSimilarTracks", id="piano-2", count=3)["sonicMatch"]
    recommended = client.get("/recommend?song_id=piano-2&limit=3").json["recommendations"]
    assert [(match["entry"]["id"], match["similarity"]) for match in matches] == [
        (song["id"], song["score"]) for song in recommended
    ]
    assert SLOW_RAIN in [match["entry"] for match in matches]
    assert asked(client, "getSonicSimilarTracks", id="piano-2", count=0) == {"sonicMatch": []}


def similar_to(client, song):
    return asked(client, "getSonicSimilarTracks", id=song, count=100)["sonicMatch"]


@pytest.mark.parametrize("count", [2, 4, 9])
def test_a_path_leads_from_song_to_song_and_says_how_similar_each_is_to_the_first(client, count):
    matches = asked(client, "findSonicPath", **WALK, count=count)["sonicMatch"]
    songs = [match["entry"] for match in matches]
    assert (ids(songs)[0], ids(songs)[-1], len(set(ids(songs)))) == ("piano-1", "disco-4", count)
    assert songs[0] == SLOW_RAIN
    assert matches[0]["similarity"] == 1
    similar = {other["entry"]["id"]: other["similarity"] for other in similar_to(client, "piano-1")}
    assert [match["similarity"] for match in matches[1:]] == [similar[song["id"]] for song in songs[1:]]
    walked = client.post("/path", json={"from": "piano-1", "to": {"id": "disco-4"}, "length": 5}).json["songs"]
    again = asked(client, "findSonicPath", **WALK, count=5)["sonicMatch"]
    assert ids(match["entry"] for match in again) == ids(walked)


def test_the_top_songs_of_an_artist_are_the_best_known_and_no_version_twice(client):
    assert ids(asked(client, "getTopSongs", artist="ADA LINDQVIST")["topSongs"]["song"]) == ["piano-2", "piano-1"]
    assert ids(asked(client, "getTopSongs", artist=ADA, count=1)["topSongs"]["song"]) == ["piano-2"]
    assert ids(asked(client, "getTopSongs", artist="Halberd", id=ADA, count=1)["topSongs"]["song"]) == ["piano-2"]


def test_what_the_table_does_not_say_is_left_out_or_empty(tmp_path):
    rows = [row | {"album": "", "explicit": "", "duration_ms": ""} for row in world.rows()]
    fit(Options([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    client = client_of(tmp_path / "artifacts")
    (song,) = asked(client, "search3", query="slow rain ada lindqvist", songCount=1)["searchResult3"]["song"]
    left_out = ("album", "albumId", "parent", "duration")
    assert song == {name: value for name, value in SLOW_RAIN.items() if name not in left_out} | {"explicitStatus": ""}
    assert asked(client, "search3", query="", albumCount=9)["searchResult3"]["album"] == []
