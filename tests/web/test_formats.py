"""Lists of songs as CSV, M3U8, JSPF and URIs: which one a caller gets, and what is in it."""

import csv
import io

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.config import Config
from segue.web import serializers
from segue.web.service import Service
from segue_build.fit import FitOptions, fit
from segue_build.sources.tracks import load_tracks
from tests.support import world

TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "m3u8": "application/vnd.apple.mpegurl",
    "jspf": "application/jspf+json",
    "uris": "text/uri-list",
}
PIANO = {"id": "piano-1"}
LISTS = {
    "/recommend": {"seeds": [PIANO], "limit": 3, "explain": True},
    "/recommend?song_id=piano-1&limit=3": None,
    "/path": {"from": PIANO, "to": {"id": "disco-1"}, "length": 5},
    "/playlist": {"seeds": [PIANO], "songs": 4, "flow": "rise"},
    "/order": {"songs": ["piano-2", "gone", "piano-1", "disco-1"], "flow": "rise"},
    "/continue": {"played": ["piano-1"], "limit": 3},
    "/search?q=slow": None,
    "/clusters/0": None,
    "/artists/Ada Lindqvist": None,
}
ODD = {"name": "=1+1", "artists": "@Ada;-5", "album": "\tTab", "genres": "piano;+plus"}


def client_of(artifacts):
    return Client(Request.application(Service(Config(artifacts)).handle))


@pytest.fixture(scope="module")
def client(world_artifacts):
    return client_of(world_artifacts)


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A service of the world with one song that spreadsheets could run, of which nothing else is known."""
    folder = tmp_path_factory.mktemp("odd")
    rows = world.rows()
    rows[0] |= ODD | {"popularity": "", "duration_ms": "", "explicit": ""}
    fit(FitOptions([str(world.write(folder / "world.csv", rows))]), folder / "artifacts")
    return client_of(folder / "artifacts")


def asked(client, path, body, *, query="", **headers):
    address = path + (("&" if "?" in path else "?") + query if query else "")
    return client.get(address, headers=headers) if body is None else client.post(address, json=body, headers=headers)


def songs_of(answer):
    return next(answer.json[name] for name in ("songs", "recommendations") if name in answer.json)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize(("path", "body"), LISTS.items())
def test_every_list_comes_in_every_format_by_url_and_by_header(client, path, body, name):
    by_url = asked(client, path, body, query=f"format={name}")
    by_header = asked(client, path, body, Accept=TYPES[name])
    assert (by_url.status_code, by_url.mimetype, by_url.headers["Vary"]) == (200, TYPES[name], "Accept")
    assert (by_header.data, by_header.mimetype) == (by_url.data, TYPES[name])
    told = [song["id"] for song in songs_of(asked(client, path, body))]
    assert told
    assert all(song in by_url.text for song in told)


def test_a_table_has_a_row_for_each_song(client):
    answer = asked(client, "/path", LISTS["/path"])
    table = asked(client, "/path", LISTS["/path"], query="format=csv")
    assert table.content_type == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == 'attachment; filename="segue.csv"'
    header, *rows = csv.reader(io.StringIO(table.text, newline=""))
    assert header == [
        "position", "id", "name", "artists", "album", "step", "cluster", "genres", "popularity", "explicit",
        "duration_ms", "uri",
    ]  # fmt: skip
    assert rows == [
        [str(song["position"]), song["id"], song["name"], ";".join(song["artists"]), song["album"],
         "" if song["step"] is None else str(song["step"]), song["cluster"]["name"], ";".join(song["genres"]),
         str(song["popularity"]), str(song["explicit"]).lower(), str(song["duration_ms"]),
         f"spotify:track:{song['id']}"]
        for song in answer.json["songs"]
    ]  # fmt: skip
    assert table.data.count(b"\r\n") == len(rows) + 1


def test_a_table_can_be_fitted_again(demo_artifacts, tmp_path):
    demo, many = client_of(demo_artifacts), "/search?q=the&limit=50"
    (tmp_path / "songs.csv").write_bytes(demo.get(f"{many}&format=csv").data)
    frame, _ = load_tracks([str(tmp_path / "songs.csv")], {})
    told = demo.get(many).json["songs"]
    read = frame[["id", "name", "artists", "genres"]].itertuples(index=False)
    fitted = {
        song: (name, artists.split("\x1f"), sorted(genres.split("\x1f"))) for song, name, artists, genres in read
    }
    assert fitted == {song["id"]: (song["name"], song["artists"], sorted(song["genres"])) for song in told}


def test_no_cell_is_a_formula_and_what_is_unknown_is_empty(odd):
    table = odd.get("/search?q=1%2B1&limit=1&format=csv").text
    header, row = csv.reader(io.StringIO(table, newline=""))
    cells = dict(zip(header, row))
    assert (cells["name"], cells["artists"], cells["genres"]) == ("'=1+1", "'@Ada;'-5", "'+plus;piano")
    assert (cells["popularity"], cells["duration_ms"], cells["explicit"]) == ("", "", "")


def test_an_empty_list_is_a_table_of_headers(client):
    header = "id,name,artists,album,cluster,genres,popularity,explicit,duration_ms,uri\r\n"
    assert client.get("/search?q=zzzzzz&format=csv").text == header


@pytest.mark.parametrize(("value", "cell"), [
    (["A60", "=HYPERLINK(1)"], "A60;'=HYPERLINK(1)"), (["A60", " =1"], "A60;' =1"), (["a;=1", "b"], "a;'=1;b"),
    ("x;@SUM(1)", "x;'@SUM(1)"), ("x\t-1", "x\t'-1"), ("x\r\n+1", "x\r\n'+1"), ("\tx", "'\tx"), (" =1", "' =1"),
    ("\uff1d1", "'\uff1d1"), ("-1", "'-1"), ({"id": 1, "name": "=c"}, "'=c"),
    ("a - b", "a - b"), ("a, -b", "a, -b"), ("a-b", "a-b"), (["Simon & Garfunkel", "A+B"], "Simon & Garfunkel;A+B"),
    (True, "true"), (-1.5, -1.5), (None, None), ([], ""),
])  # fmt: skip
def test_no_part_of_a_cell_that_a_spreadsheet_may_split_is_a_formula(value, cell):
    assert serializers._csv_value(value) == cell


def test_a_playlist_for_players_names_each_song_before_its_address(client):
    answer = client.post("/path?format=m3u8", json={"from": PIANO, "to": {"id": "piano-2"}, "length": 3})
    assert answer.text == (
        "#EXTM3U\n#PLAYLIST:Slow Rain, Grey Window\n"
        "#EXTINF:201,Ada Lindqvist - Slow Rain\nspotify:track:piano-1\n"
        "#EXTINF:203,Tomas Vrba - Low Tide\nspotify:track:piano-3\n"
        "#EXTINF:202,Ada Lindqvist - Grey Window\nspotify:track:piano-2\n"
    )


def test_a_playlist_for_players_has_a_line_for_a_song_whatever_its_name(odd):
    assert odd.get("/search?q=1%2B1&limit=1&format=m3u8").text.splitlines()[1:] == [
        "#PLAYLIST:Songs", "#EXTINF:-1,@Ada, -5 - =1+1", "spotify:track:piano-1",
    ]  # fmt: skip


@pytest.mark.parametrize(("seeds", "title"), [
    ([PIANO], "Slow Rain"),
    ([{"genre": "disco"}, {"artist": "Halberd"}, {"features": {"energy": 1}}], "disco, Halberd, a sound"),
    ([PIANO] * 4, "Slow Rain, Slow Rain, Slow Rain ..."),
])  # fmt: skip
def test_a_playlist_is_called_after_its_seeds(client, seeds, title):
    assert client.post("/recommend?format=jspf", json={"seeds": seeds}).json["playlist"]["title"] == title
    assert client.post("/playlist?format=jspf", json={"cluster": 1}).json["playlist"]["title"] == "cluster 1"


def test_a_playlist_as_json_has_what_is_known_of_each_song(client, odd):
    tracks = client.get("/artists/halberd?format=jspf").json
    assert tracks == {
        "playlist": {
            "title": "Halberd",
            "track": [{
                "identifier": ["spotify:track:metal-3"], "title": "Night Furnace", "creator": "Halberd",
                "album": "metal 1", "duration": 203_000,
            }],
        }
    }  # fmt: skip
    (track,) = odd.get("/search?q=1%2B1&limit=1&format=jspf").json["playlist"]["track"]
    assert "duration" not in track


def test_uris_are_one_a_line(client):
    told = [song["id"] for song in client.get("/clusters/0").json["songs"]]
    assert client.get("/clusters/0?format=uris").data == b"".join(
        f"spotify:track:{song}\r\n".encode() for song in told
    )


def test_uris_are_seeds_again(client):
    uris = client.get("/artists/Ada Lindqvist?format=uris").text.split()
    seeds = client.post("/recommend", json={"seeds": uris}).json["seeds"]
    assert [seed["match"] for seed in seeds] == ["id"] * len(uris)


@pytest.mark.parametrize(("accept", "name"), [
    (None, "json"),
    ("*/*", "json"),
    ("application/*", "json"),
    ("text/*", "csv"),
    ("audio/*", "m3u8"),
    ("audio/x-mpegurl", "m3u8"),
    ("text/plain", "uris"),
    ("text/csv, application/json;q=0.9", "csv"),
    ("text/csv;q=0.1, application/json;q=0.9", "json"),
    ("application/json;q=0, */*", "csv"),
    ("TEXT/CSV", "csv"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
    ("application/jspf+json, text/uri-list;q=1.0, text/csv;q=0.2", "jspf"),
])  # fmt: skip
def test_a_header_chooses_by_quality_and_then_in_our_order(client, accept, name):
    headers = {} if accept is None else {"Accept": accept}
    assert client.get("/clusters/0", headers=headers).mimetype == TYPES[name]


@pytest.mark.parametrize("accept", ["text/html", "application/pdf, image/*", "text/csv;q=0", "nonsense"])
def test_a_header_that_accepts_nothing_of_ours_is_a_406_that_names_what_there_is(client, accept):
    answer = client.get("/clusters/0", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (406, "application/problem+json")
    assert answer.json["detail"] == "lists of songs come as " + ", ".join(
        f"{mimetype} (?format={name})" for name, mimetype in TYPES.items()
    )


def test_a_format_that_there_is_not_is_a_400_that_names_the_nearest(client):
    answers = [
        asked(client, path, body, query="format=m3u") for path, body in LISTS.items()
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {400}
    assert {str(answer.json["errors"]) for answer in answers} == {
        str([{"pointer": "/format", "detail": "unknown format 'm3u'; did you mean 'm3u8'?"}])
    }
    twice = client.get("/search?q=slow&format=csv&format=csv")
    assert (twice.status_code, twice.json["errors"][0]["pointer"]) == (400, "/format")


def test_a_url_has_the_last_word(client):
    assert client.get("/clusters/0?format=csv", headers={"Accept": "application/pdf"}).mimetype == TYPES["csv"]


def test_what_is_no_list_has_no_format(client):
    assert client.get("/clusters", headers={"Accept": "text/csv"}).mimetype == TYPES["json"]
    assert client.get("/songs/piano-1?format=csv").status_code == 400


def test_a_problem_stays_a_problem_whatever_is_accepted(client):
    answer = client.post("/recommend", json={"song": "Nobody Knows This"}, headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_each_format_of_an_answer_has_a_tag_of_its_own(client):
    first = client.get("/clusters/0")
    table = client.get("/clusters/0", headers={"Accept": "text/csv", "If-None-Match": first.headers["ETag"]})
    assert (table.status_code, table.mimetype) == (200, "text/csv")
    again = client.get("/clusters/0", headers={"Accept": "text/csv", "If-None-Match": table.headers["ETag"]})
    assert again.status_code == 304
