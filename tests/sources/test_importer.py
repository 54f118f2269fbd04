"""Files, archives and folders as people have them become songs, playlists and plays, or are left alone."""

import csv
import datetime as dt
import io
import json

import pandas as pd
import pytest

from segue.errors import SourceError
from segue_build.fit import fingerprint
from segue_build.sources import importer
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.importer import ENTRY_COLUMNS, iter_entries, open_source
from segue_build.sources.series import joined_labels
from segue_build.sources.tracks import load_tracks
from tests.support.table_formats import archive

TITLES = [f"Song {n}" for n in range(1, 13)]


def as_csv(rows):
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def exportify(numbers):
    """A playlist as Exportify writes it."""
    return as_csv(
        [
            {
                "Track URI": f"spotify:track:track{n:017}", "Track Name": f"Song {n}", "Album Name": "First",
                "Artist Name(s)": "Ada Blum;Cy" if n % 2 else "Dez & Dot", "Release Date": "1999-05-12",
                "Duration (ms)": 180_000 + n, "Popularity": n, "Explicit": "false", "Added By": "",
                "Added At": "2026-03-19T13:10:21Z", "Genres": "indie rock,folk", "Energy": n / 20,
            }
            for n in numbers
        ]
    )  # fmt: skip


def plays(numbers):
    """Plays as Spotify's extended history has them; every third is a podcast."""
    return json.dumps(
        [
            {
                "ts": f"2025-01-01T00:{n:02}:41Z", "ms_played": 131_538, "skipped": n == 2,
                "master_metadata_track_name": None if n % 3 == 0 else f"Song {n}",
                "master_metadata_album_artist_name": None if n % 3 == 0 else "Ada Blum",
                "master_metadata_album_album_name": None if n % 3 == 0 else "First",
                "spotify_track_uri": None if n % 3 == 0 else f"spotify:track:track{n:017}",
                "episode_name": "Episode" if n % 3 == 0 else None,
            }
            for n in numbers
        ]
    )  # fmt: skip


def became(path):
    """What each file of a source became, as a person is told."""
    lines = []
    for table in open_source(path, distinct=True):
        assert sum(map(len, table.chunks)) >= 0
        lines += table.describe()
    return lines


def entries(path):
    return pd.concat(list(iter_entries(path)), ignore_index=True)


def test_an_archive_of_playlists_is_songs_and_playlists(tmp_path, capsys):
    path = tmp_path / "all.zip"
    path.write_bytes(archive(("road_trip.csv", exportify(range(1, 11))), ("sunday.csv", exportify(range(5, 13)))))
    songs, report = load_tracks([str(path)], {})
    assert songs["name"].tolist() == TITLES
    assert (report.rows, report.ids_merged) == (12, 0)  # a song with equal cells is read once
    assert capsys.readouterr().err.splitlines()[-3:] == [
        "what each file became:",
        "  all.zip: road_trip.csv (Exportify): songs 10, playlists 1",
        "  all.zip: sunday.csv (Exportify): songs 8, playlists 1",
    ]
    found = entries(path)
    assert tuple(found) == ENTRY_COLUMNS
    assert found.groupby("playlist").size().to_dict() == {"road_trip": 10, "sunday": 8}
    first = found.astype({"duration_ms": int}).iloc[0, :7].to_dict()
    assert first == {
        "playlist": "road_trip", "id": "track00000000000000001", "isrc": "", "name": "Song 1",
        "artists": "Ada Blum\x1fCy", "album": "First", "duration_ms": 180_001,
    }  # fmt: skip


def test_a_folder_of_plays_is_a_history_without_its_podcasts(tmp_path):
    for year in (2024, 2025):
        (tmp_path / f"Streaming_History_Audio_{year}.json").write_text(plays(range(1, 10)))
    (tmp_path / "ReadMeFirst.pdf").write_bytes(b"%PDF-1.7")
    history = "(Spotify extended streaming history): songs 6, history 6 plays; not songs: podcast episodes 3"
    assert became(tmp_path) == [
        f"{tmp_path.name}: ReadMeFirst.pdf: left alone: this is a PDF document",
        f"{tmp_path.name}: Streaming_History_Audio_2024.json {history}",
        f"{tmp_path.name}: Streaming_History_Audio_2025.json {history}",
    ]
    first = entries(tmp_path).iloc[1].to_dict()
    assert first.pop("played_at") == pd.Timestamp("2025-01-01T00:02:41Z")
    assert first.pop("skipped") is True
    assert pd.isna(first.pop("duration_ms"))
    assert first == {
        "playlist": "", "id": "track00000000000000002", "isrc": "", "name": "Song 2", "artists": "Ada Blum",
        "album": "First", "ms_played": 131_538,
    }  # fmt: skip


def test_each_file_of_a_folder_is_told_by_its_name(tmp_path, capsys):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, numbers in (("a", range(1, 11)), ("b", range(8, 16))):
        (folder / f"{name}.csv").write_text(exportify(numbers))
    names = [{"title": f"Song {n}", "artist": "Ada Blum"} for n in range(1, 13, 2)]
    (folder / "names.csv").write_text(as_csv(names))
    load_tracks([str(folder)], {})
    told = capsys.readouterr().err.splitlines()
    joined = "6 songs, 6 of them in the sources before (0 by id, 0 by ISRC, 6 by title and artist), 0 new"
    assert [line for line in told if line.startswith("mine: ")] == [
        "mine: a.csv and 1 more: CSV, UTF-8, separated by commas",
        "mine: names.csv: CSV, UTF-8, separated by commas",
        f"mine: names.csv: {joined}",
    ]


def test_songs_of_a_history_keep_nothing_of_when_and_where_they_were_played(tmp_path, capsys):
    (tmp_path / "Streaming_History_Audio_2024.json").write_text(plays(range(1, 21)))
    songs, _ = load_tracks([str(tmp_path)], {}, has_playlists=True)
    assert list(songs) == list(CANONICAL_COLUMNS)
    assert "kept in catalog.parquet" not in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_column_of_lists_that_is_not_interpreted_is_kept_as_text(tmp_path, suffix):
    """Such as the artists' ids of a play, or similar songs in a table of lyrics."""
    frame = pd.DataFrame(
        [
            {"name": f"Song {n}", "energy": n / 20, "seen": ["a", f"b {n}"], "at": dt.date(2024, 1, n)}
            for n in range(1, 13)
        ]
    )
    path = tmp_path / f"songs.{suffix}"
    if suffix == "json":
        frame.astype({"at": "str"}).to_json(path, orient="records")
    else:
        frame.to_parquet(path)
    songs, _ = load_tracks([str(path)], {})
    assert songs[["seen", "at"]].iloc[0].tolist() == ['["a", "b 1"]', "2024-01-01"]
    assert joined_labels(songs["seen"]).iloc[0] == "a\x1fb 1"
    assert len(fingerprint(songs)) == 64


def test_a_song_of_several_playlists_has_the_genres_of_all(tmp_path):
    rows = [{"playlist_id": f"p{k}", "playlist_genre": genre, "track_id": f"s{n}", "track_name": f"Song {n}"}
            for k, genre in enumerate(("pop", "folk")) for n in range(12)]  # fmt: skip
    (tmp_path / "lists.csv").write_text(as_csv(rows))
    assert became(tmp_path / "lists.csv") == ["lists.csv: songs 12, playlists 2"]
    songs, _ = load_tracks([str(tmp_path / "lists.csv")], {})
    assert songs["genres"].unique().tolist() == ["folk\x1fpop"]
    assert len(entries(tmp_path / "lists.csv")) == 24


def test_a_table_of_songs_is_neither_playlists_nor_plays(tmp_path):
    (tmp_path / "songs.csv").write_text("id,name,energy\ns1,Slow Rain,0.5\n")
    with pytest.raises(SourceError, match=r"songs.csv: no playlists and no plays in it, only songs; exp"):
        entries(tmp_path / "songs.csv")


def test_files_with_the_same_headers_are_one_table_whatever_lies_between(tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "CHUNK_ROWS", 12)
    lists = [(f"{n}.csv", exportify(range(n, n + 5))) for n in (1, 2, 3)]
    others = [("notes.txt", "my lists"), ("genres.csv", "genre_id,title\n1,folk\n")]
    path = tmp_path / "all.zip"
    path.write_bytes(archive(lists[0], *others, *lists[1:]))
    assert [[len(chunk) for chunk in table.chunks] for table in open_source(path)] == [[10, 5], [], []]
    assert became(path) == [
        *(f"all.zip: {n}.csv (Exportify): songs 5, playlists 1" for n in (1, 2, 3)),
        (
            "all.zip: notes.txt: left alone: no column holds a song's id or name, so this is not a table of tracks"
            " (but of aggregates?)"
        ),
        "all.zip: genres.csv: left alone: its rows are genres, not songs",
    ]
    found = entries(path).groupby("playlist", sort=False)["name"].agg(list).to_dict()
    assert found == {str(n): TITLES[n - 1 : n + 4] for n in (1, 2, 3)}


def test_a_bad_row_of_an_archive_is_told_by_its_file(tmp_path):
    path = tmp_path / "all.zip"
    bad = exportify(range(1, 6)).replace(",Song 3,", ",,")
    path.write_bytes(archive(("good.csv", exportify(range(1, 13))), ("bad.csv", bad)))
    _, report = load_tracks([str(path)], {})
    assert report.examples == {
        "without a name": ["all.zip, row 4 of bad.csv, column 'Track Name': '' is not a song title"]
    }


def test_headers_that_change_from_file_to_file_are_refused_with_what_would_work(tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "MAX_LAYOUTS", 2)
    path = tmp_path / "all.zip"
    path.write_bytes(archive(*((f"{n}.csv", f"name,artist,{n}\nSong,Ada,1\n") for n in range(3))))
    with pytest.raises(SourceError) as refused:
        became(path)
    assert str(refused.value) == (
        "all.zip: headers change more than 2 times from one file to the next; put files with the same headers into a"
        " folder of their own"
    )
