"""Exports of services and players, each invented in its exact form: what each becomes, and its first song."""

import json
import sqlite3

import pandas as pd
import pytest

from segue.errors import SourceError
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.formats.base import EXPECTED_TABLE
from segue_build.sources.importer import iter_entries, open_source
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import load_tracks
from tests.support.table_formats import archive

NUMBERS = range(1, 13)
SONG = {"id": "track1", "name": "Song 1", "artists": "Ada Blum", "album": "First"}
NAMED = {name: SONG[name] for name in ("name", "artists", "album")}


def lines(headers, row):
    """A text of a row for each number."""
    return "\n".join([headers, *(row.format(n=n) for n in NUMBERS), ""])


def items(make):
    return [make(n) for n in NUMBERS]


def track(n):
    return {"id": f"track{n}", "name": f"Song {n}", "artists": [{"name": "Ada Blum", "id": "x"}],
            "album": {"name": "First", "id": "y"}}  # fmt: skip


def account_item(n):
    return {"track": {"trackName": f"Song {n}", "artistName": "Ada Blum", "albumName": "First",
                      "trackUri": f"spotify:track:track{n}"}, "episode": None, "localTrack": None}  # fmt: skip


def listen(n):
    mapped = {"recording_mbid": f"track{n}", "artists": [{"artist_credit_name": "Ada Blum", "artist_mbid": "x"}]}
    return {"listened_at": 1_735_689_600 + 240 * n, "track_metadata": {
        "track_name": f"Song {n}", "artist_name": "Ada Blum", "release_name": "First",
        "additional_info": {"duration_ms": 200_000, "recording_mbid": "other"}, "mbid_mapping": mapped,
    }}  # fmt: skip


def scrobble(n):
    return {"artist": {"mbid": "", "#text": "Ada Blum"}, "name": f"Song {n}", "album": {"#text": "First"},
            "date": {"uts": str(1_735_689_600 + n), "#text": "01 Jan 2025, 00:00"}}  # fmt: skip


TYPES = ("track", "episode")
EPISODE = {"track": None, "episode": {"episodeName": "Talk", "showName": "Talks"}, "localTrack": None}
REKORDBOX = """<?xml version="1.0" encoding="UTF-8"?>
<DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="12">{tracks}</COLLECTION><PLAYLISTS><NODE Type="0" Name="ROOT">
<NODE Name="Set 1" Type="1" KeyType="0"><TRACK Key="2"/><TRACK Key="3"/></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>"""
REKORDBOX_TRACK = (
    '<TRACK TrackID="{n}" Name="Song {n}" Artist="Ada Blum" Album="First" TotalTime="200" AverageBpm="{bpm}"'
    ' Tonality="4A" Location="file://localhost/{n}.mp3"/>'
)
TRAKTOR = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<NML VERSION="19"><COLLECTION>{tracks}</COLLECTION>
<PLAYLISTS><NODE TYPE="FOLDER" NAME="$ROOT"><SUBNODES><NODE TYPE="PLAYLIST" NAME="Set 1"><PLAYLIST><ENTRY>
<PRIMARYKEY TYPE="TRACK" KEY="Mac/:Music/:2.mp3"/></ENTRY></PLAYLIST></NODE></SUBNODES></NODE></PLAYLISTS></NML>"""
TRAKTOR_TRACK = (
    '<ENTRY TITLE="Song {n}" ARTIST="Ada Blum"><LOCATION DIR="/:Music/:" FILE="{n}.mp3" VOLUME="Mac"/>'
    '<ALBUM TITLE="First"/><INFO GENRE="House" PLAYTIME="200" RELEASE_DATE="1999/5/1"/><TEMPO BPM="124.5"/>'
    '<MUSICAL_KEY VALUE="{key}"/></ENTRY>'
)
ITUNES = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple Computer//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Tracks</key><dict>{tracks}</dict><key>Playlists</key><array>
<dict><key>Name</key><string>Library</string><key>Master</key><true/>
<key>Playlist Items</key><array>{entries}</array></dict>
<dict><key>Name</key><string>Sunday</string><key>Playlist Items</key><array>{entries}</array></dict>
</array></dict></plist>"""
ITUNES_TRACK = (
    "<key>{n}</key><dict><key>Track ID</key><integer>{n}</integer><key>Name</key><string>Song {n}</string>"
    "<key>Artist</key><string>Ada Blum</string><key>Album</key><string>First</string>"
    "<key>Total Time</key><integer>200000</integer>{more}</dict>"
)
ITUNES_ENTRY = "<dict><key>Track ID</key><integer>2</integer></dict>"
XSPF = """<?xml version="1.0" encoding="UTF-8"?>
<playlist version="1" xmlns="http://xspf.org/ns/0/"><title>Mine</title><trackList>{tracks}</trackList></playlist>"""
XSPF_TRACK = (
    "<track><title>Song {n}</title><creator>Ada Blum</creator><album>First</album><duration>200000</duration>"
    "<identifier>spotify:track:track{n}</identifier></track>"
)
DJ = {"duration_ms": 200_000, "key": 5, "mode": 0, "tempo": 124.5}


def all_tracks(whole, each, **of_first):
    """A library; ``of_first`` are values of the first track, others have the second of each pair."""
    made = [each.format(n=n, **{k: v[0] if n == 1 else v[1] for k, v in of_first.items()}) for n in NUMBERS]
    return whole.format(tracks="".join(made), entries=ITUNES_ENTRY)


EXPORTS = {
    "YourLibrary.json": (
        json.dumps({"tracks": items(lambda n: {"artist": "Ada Blum", "album": "First", "track": f"Song {n}",
                                               "uri": f"spotify:track:track{n}"}), "albums": [{"artist": "Ada"}]}),
        "songs 12", SONG,
    ),
    "Playlist1.json": (
        json.dumps({"playlists": [{"name": "Mix", "items": [*items(account_item), EPISODE]},
                                  {"name": "Mix", "items": [account_item(1)]}]}),
        "(account data of Spotify): songs 12, playlists 2; not songs: podcast episodes 1", SONG,
    ),
    "recently_played.json": (
        json.dumps({"items": items(lambda n: {"track": track(n), "played_at": f"2025-01-01T00:{n:02}:00.123Z"})}),
        "(plays): songs 12, history 12 plays", SONG,
    ),
    "playlist_of_the_web_api.json": (
        json.dumps({"name": "Mine", "tracks": {"items": items(lambda n: {"added_at": "2024", "track": track(n)})}}),
        "(Spotify Web API): songs 12, playlists 1", SONG,
    ),
    "playlist_of_the_web_api_2026.json": (
        json.dumps({"items": items(lambda n: {"added_at": "2024", "item": track(n) | {"type": TYPES[n == 3]}})}),
        "(Spotify Web API): songs 11, playlists 1; not songs: podcast episodes 1", SONG,
    ),
    "reccobeats.json": (
        json.dumps({"content": items(lambda n: track(n) | {"id": f"{n:036}", "energy": 0.5,
                                                           "href": f"https://open.spotify.com/track/track{n}"})}),
        "(ReccoBeats): songs 12", SONG | {"energy": 0.5},
    ),
    "one_listen.jsonl": (json.dumps(listen(1)), "(ListenBrainz listens): songs 1, history 1 plays", None),
    "listens.jsonl": (
        "\n".join(map(json.dumps, items(listen))),
        "(ListenBrainz listens): songs 12, history 12 plays", SONG | {"duration_ms": 200_000},
    ),
    "lastfm.json": (
        json.dumps({"recenttracks": {"track": items(scrobble), "@attr": {"user": "x"}}}),
        "(Last.fm scrobbles): songs 12, history 12 plays", NAMED,
    ),
    "lastfm_pages.json": (
        json.dumps([items(scrobble)[:7], items(scrobble)[7:]]),
        "(Last.fm scrobbles): songs 12, history 12 plays", NAMED,
    ),
    "lastfmstats.csv": (
        lines("Artist;Album;AlbumId;Track;Date#me", '"Ada Blum";"First";"";"Song {n}";"1735689600000"'),
        "(Last.fm scrobbles): songs 12, history 12 plays", NAMED,
    ),
    "scrobbles_without_headers.csv": (
        lines("Ada Blum,First,Song 1,01 Jan 2025 00:00", "Ada Blum,First,Song {n},01 Jan 2025 00:00"),
        "(Last.fm scrobbles): songs 12, history 13 plays", NAMED,
    ),
    "tunemymusic.csv": (
        lines("Track name,Artist name,Album,Playlist name,Type,ISRC,Deezer - id\nAda Blum,,,Mine,Artist,,",
              "Song {n},Ada Blum,First,Mine,Playlist,,7"),
        "(TuneMyMusic): songs 12, playlists 1; not songs: artists 1", NAMED,
    ),
    "soundiiz.csv": (
        lines("title;artist;album;isrc;addedDate;addedBy;duration;url",
              "Song {n};Ada Blum;First;qz1;2025-02-02;;200s;https://www.deezer.com/track/{n}"),
        "(Soundiiz): songs 12, playlists 1", NAMED | {"duration_ms": 200_000},
    ),
    "rekordbox.xml": (
        all_tracks(REKORDBOX, REKORDBOX_TRACK, bpm=("124.5", "0.00")), "songs 12, playlists 1", NAMED | DJ,
    ),
    "collection.nml": (
        all_tracks(TRAKTOR, TRAKTOR_TRACK, key=("17", "23")), "songs 12, playlists 1",
        NAMED | {"genres": "house", "year": 1999} | DJ,
    ),
    "Library.xml": (
        all_tracks(ITUNES, ITUNES_TRACK, more=("", "<key>Has Video</key><true/>")),
        "(iTunes or Music): songs 1; not songs: videos 12", None,
    ),
    "list.xspf": (all_tracks(XSPF, XSPF_TRACK), "songs 12, playlists 1", SONG | {"duration_ms": 200_000}),
    "list.m3u8": (
        lines("#EXTM3U\n#PLAYLIST:Mine", "#EXTALB:First\n#EXTINF:200,Ada Blum - Song {n}\nspotify:track:track{n}"),
        "songs 12, playlists 1", SONG | {"duration_ms": 200_000},
    ),
    "files.m3u": (
        lines("#EXTM3U", "#EXTINF:-1,Ada Blum - Song {n}\nC:\\Music\\{n}.mp3"), "songs 12, playlists 1",
        {"name": "Song 1", "artists": "Ada Blum"},
    ),
    "mixed_in_key.csv": (
        lines("Artist,Track title,Album,Tempo,Key result,Energy", "Ada Blum,Song {n},First,124.5,4A,7"), "songs 12",
        NAMED | {"energy": 0.7, "key": 5, "mode": 0, "tempo": 124.5},
    ),
    "audiomuse.csv": (
        lines("item_id,title,author,album,tempo,key,scale,energy",
              "track{n},Song {n},Ada Blum,First,124.5,F,minor,0.1"),
        "songs 12", SONG | {"energy": 0.1, "key": 5, "mode": 0, "tempo": 124.5},
    ),
    "shazamlibrary.csv": (
        lines("Shazam Library\nIndex,TagTime,Title,Artist,URL,TrackKey",
              "{n},2024-01-01,Song {n},Ada Blum,https://x/1,4033360{n}"),
        "songs 12", {"name": "Song 1", "artists": "Ada Blum"},
    ),
    "artists.csv": (
        lines("id,name,genres,popularity", "a{n},Ada {n},rock,5"),
        "left alone: its rows are artists, not songs", None,
    ),
    "watch-history.json": (
        json.dumps(items(lambda n: {"header": "YouTube Music", "title": f"{n}", "titleUrl": "x", "time": "2024"})),
        "left alone: it does not say which of its videos are songs", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_each_export_becomes_what_it_is(tmp_path, name):
    content, became, first = EXPORTS[name]
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    found = list(open_source(path, distinct=True))
    assert all(sum(map(len, table.chunks)) >= 0 for table in found)
    assert [line.removeprefix(f"{name}").lstrip(": ") for table in found for line in table.describe()] == [became]
    if first is None:
        return
    song = load_tracks([str(path)], {}, has_playlists=True)[0].iloc[0]
    known = {column: song[column] for column in CANONICAL_COLUMNS if pd.notna(song[column])}
    if "id" not in first:
        assert known.pop("id").startswith("song-")
    assert known == first


@pytest.mark.parametrize(
    ("name", "playlists"),
    [
        ("Playlist1.json", {"Mix": 12, "Mix (2)": 1}),
        ("playlist_of_the_web_api.json", {"Mine": 12}),
        ("tunemymusic.csv", {"Mine": 12}),
        ("soundiiz.csv", {"soundiiz": 12}),
        ("rekordbox.xml", {"Set 1": 2}),
        ("collection.nml", {"Set 1": 1}),
        ("list.xspf", {"Mine": 12}),
        ("list.m3u8", {"Mine": 12}),
        ("files.m3u", {"files": 12}),
        ("recently_played.json", {"": 12}),
        ("lastfm.json", {"": 12}),
    ],
)
def test_the_entries_of_an_export_are_those_of_its_playlists(tmp_path, name, playlists):
    (tmp_path / name).write_text(EXPORTS[name][0], encoding="utf-8")
    entries = pd.concat(list(iter_entries(tmp_path / name)), ignore_index=True)
    assert entries.groupby("playlist").size().to_dict() == playlists
    assert entries["played_at"].notna().all() == ("" in playlists)
    assert set(entries["artists"]) == {"Ada Blum"}


def test_account_data_is_read_as_it_was_sent(tmp_path, capsys):
    """Most of its files are not music, and say why they are left alone."""
    folder = "Spotify Account Data/"
    searches = [{"platform": "IPHONE", "searchQuery": "ada"}] * 3
    podcasts = [{"endTime": "2025-01-01 10:00", "podcastName": "Talks", "episodeName": "Talk", "msPlayed": 1}]
    members = [
        ("Playlist1.json", EXPORTS["Playlist1.json"][0]), ("SearchQueries.json", json.dumps(searches)),
        ("StreamingHistory_podcast_0.json", json.dumps(podcasts)), ("Userdata.json", '{"username": "ada"}'),
        ("Read_Me_First.pdf", "%PDF-1.7"), ("Empty.json", "[]"),
    ]  # fmt: skip
    (tmp_path / "my.zip").write_bytes(archive(*((folder + name, content) for name, content in members)))
    assert len(load_tracks([str(tmp_path / "my.zip")], {}, has_playlists=True)[0]) == 12
    told = capsys.readouterr().err
    no_songs = "no column holds a song's id or name, so this is not a table of tracks (but of aggregates?)"
    assert told[told.index("what each") :].replace(f"my.zip: {folder}", "").splitlines() == [
        "what each file became:",
        "  Playlist1.json (account data of Spotify): songs 12, playlists 2; not songs: podcast episodes 1",
        f"  SearchQueries.json: left alone: {no_songs}",
        "  StreamingHistory_podcast_0.json: left alone: podcasts are not songs",
        "  Userdata.json: left alone: only one object in it",
        "  Read_Me_First.pdf: left alone: this is a PDF document",
        "  Empty.json: left alone: no song and no playlist in it",
    ]


def test_a_database_is_read_by_the_name_of_its_table(tmp_path):
    path = tmp_path / "music.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE tracks (id TEXT, name TEXT, artist TEXT, energy REAL)")
        database.execute('CREATE TABLE "my ""own""" (x)')
        database.executemany(
            "INSERT INTO tracks VALUES (?, ?, ?, 0.5)", [(f"t{n}", f"Song {n}", None) for n in NUMBERS]
        )
    database.close()
    with pytest.raises(SourceError) as refused:
        load_tracks([str(path)], {})
    assert str(refused.value) == (
        'music.db: the SQLite database has 2 tables (tracks with 12 rows, my "own" with 0 rows); say which holds the'
        " songs, as in --source music.db#tracks"
    )
    song = load_tracks([f"{path}#tracks"], {})[0].iloc[0]
    assert song[["id", "name", "energy"]].tolist() == ["t1", "Song 1", 0.5]
    assert pd.isna(song["artists"])


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xml", "<?xml version='1.0'?><feed/>", "this is a web page or XML, not a table; of XML, Segue"),
        ("a.xml", "<?xml version='1.0'?><DJ_PLAYLISTS><COLLECTION><TRACK", "the rekordbox collection is damaged"),
        ("a.xml", "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><DJ_PLAYLISTS/>", "the rekordbox collect"),
        ("a.xml", "<?xml version='1.0'?><plist><dict></dict></plist>", "the library of iTunes or Music is damaged"),
        ("a.nml", "<?xml version='1.0'?><NML/>", "no song and no playlist in it; is it the file that you mean?"),
        ("a.jspf", '{"playlist": {"track": [', "not JSON, or cut off"),
        ("a.db", "SQLite format 3\0" + "x" * 5000, "the SQLite file is damaged or cut off"),
        ("a.m3u8", "#EXTM3U\n", "no song and no playlist in it"),
    ],
)  # fmt: skip
def test_what_is_damaged_or_of_another_kind_is_refused_in_a_line(tmp_path, name, content, told):
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError) as refused:
        load_tracks([str(tmp_path / name)], {})
    assert str(refused.value).startswith(name)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_table_of_artists_alone_is_refused_with_what_would_work(tmp_path):
    (tmp_path / "artists.csv").write_text(EXPORTS["artists.csv"][0])
    with pytest.raises(SourceError) as refused:
        load_tracks([str(tmp_path / "artists.csv")], {})
    assert str(refused.value) == f"artists.csv: its rows are artists, not songs; {EXPECTED_TABLE}"


def test_names_with_a_separator_do_not_become_several(tmp_path):
    (tmp_path / "list.jspf").write_text(
        json.dumps({"playlist": {"track": [{"title": f"a{SEPARATOR}b", "creator": "Ada"}]}})
    )
    (entries,) = iter_entries(tmp_path / "list.jspf")
    assert entries[["playlist", "artists"]].to_numpy().tolist() == [["list", "Ada"]]
