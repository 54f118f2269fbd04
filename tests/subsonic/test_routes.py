"""What the OpenSubsonic API finds: whole answers, on the small world."""

import pytest

from segue.catalog.lookup.exact import album_id, artist_id
from segue.subsonic import methods
from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.dialects import client_of
from tests.support.subsonic import asked, failed

COUNTS = ("artistCount", "albumCount", "songCount")
ADA = artist_id("Ada Lindqvist")
PIANO = album_id("piano 0", "Ada Lindqvist")
WALK = {"startSongId": "piano-1", "endSongId": "disco-4"}
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
    "isrc": [],
    "artists": [{"id": ADA, "name": "Ada Lindqvist"}],
    "displayArtist": "Ada Lindqvist",
    "explicitStatus": "clean",
}


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


def ids(songs):
    return [song["id"] for song in songs]


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


def test_albums_whose_names_are_signs_alone_are_albums_of_their_own(tmp_path):
    rows = world.rows()
    for row, album in zip(rows, ("+", "÷", "&", "Live", "Live!")):
        row |= {"artists": "One", "album": album}
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    client = client_of(tmp_path / "artifacts")
    everything = asked(client, "search3", query="", albumCount=99)["searchResult3"]["album"]
    albums = [(album["name"].strip("!"), album["songCount"]) for album in everything if album["artist"] == "One"]
    assert sorted(albums) == [("&", 1), ("+", 1), ("Live", 2), ("÷", 1)]
    found = asked(client, "search3", query="÷", albumCount=9)["searchResult3"]["album"]
    assert [album["name"] for album in found] == ["÷"]


def test_a_page_may_be_large_but_not_larger(client):
    many = asked(client, "search3", query="", **dict.fromkeys(COUNTS, 999_999_999))
    assert {kind: len(shapes) for kind, shapes in many["searchResult3"].items()} == {
        "artist": 9, "album": 9, "song": 14,
    }  # fmt: skip
    assert methods.MAX_PAGE_SIZE == 1_000


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
        ("findSonicPath", WALK | {"count": 1}, 0, "count: a path has at least 2 songs, its ends"),
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
    songs = asked(client, "getSimilarSongs2", id=artist_id("Gravel Saints"), count=4)["similarSongs2"]["song"]
    assert {song["genre"] for song in songs} == {"metal"}
    assert "Gravel Saints" in {song["artist"] for song in songs}


def test_songs_like_an_album_are_none_of_its_own(client):
    songs = asked(client, "getSimilarSongs", id=PIANO, count=2)["similarSongs"]["song"]
    assert ids(songs) == ["piano-3", "piano-4"]


def test_a_list_is_as_long_as_it_is_wanted_if_there_are_as_many_songs(client):
    def found(**given):
        return len(asked(client, "getSimilarSongs", id="piano-1", **given)["similarSongs"]["song"])

    assert [found(count=0), found(count=5), found(count=10**6), found()] == [0, 5, 11, 11]
    assert (methods.DEFAULT_SIMILAR, methods.MAX_SIMILAR) == (50, 100)


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
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    client = client_of(tmp_path / "artifacts")
    (song,) = asked(client, "search3", query="slow rain ada lindqvist", songCount=1)["searchResult3"]["song"]
    left_out = ("album", "albumId", "parent", "duration")
    assert song == {name: value for name, value in SLOW_RAIN.items() if name not in left_out} | {"explicitStatus": ""}
    assert asked(client, "search3", query="", albumCount=9)["searchResult3"]["album"] == []
