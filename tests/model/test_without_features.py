"""Catalogues of titles and artists alone, which playlists and histories hold together."""

import json
from pathlib import Path

import numpy as np
import pytest

from segue.catalog import load
from segue.catalog.lookup.exact import song_by_id
from segue.engine.recommendation import recommend
from segue.engine.space import space_of
from segue.query.schema import Query, Seed
from segue_build.cli import main
from segue_build.fit import FitOptions, fit
from tests.support import invented_playlists, tables, world


def names(**more):
    """The world's ids, titles and artists."""
    return [{name: row[name] for name in ("id", "name", "artists", *more)} | more for row in world.rows()]


@pytest.fixture
def lists(tmp_path):
    return Path(tables.write(tmp_path / "lists.csv", invented_playlists.rows(invented_playlists.of_world())))


def blocks(catalog):
    return [block.name for block in space_of(catalog).blocks]


def recommended(catalog, song):
    found = recommend(catalog, Query((Seed("", {}, id=song),))).recommendations
    return [catalog.texts("ids")[entry.row] for entry in found]


def test_titles_and_artists_are_enough_where_playlists_show_what_belongs_together(tmp_path, lists):
    own = tables.write(tmp_path / "own.csv", names())
    made = fit(FitOptions([own], playlists=lists), tmp_path / "out")
    assert blocks(made) == ["artist", "played"]
    for song, partner in invented_playlists.PARTNERS.items():
        assert partner in recommended(made, song)[:2]
    assert recommended(made, "metal-1")[0] in ("metal-2", invented_playlists.PARTNERS["metal-1"])


def test_without_playlists_titles_and_artists_are_refused_and_told_what_would_do(tmp_path, capsys):
    own = tables.write(tmp_path / "own.csv", names())
    assert main(["fit", "--source", own, "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: own.csv, row 1: no column holds an audio feature or genres; required: a song's name (or id, where"
        " another --source has the names) and audio features or genres (or --enrich with a table that has these, or"
        " --playlists)"
    )


def test_a_duration_alone_is_no_sound(tmp_path, lists):
    own = tables.write(tmp_path / "own.csv", [row | {"duration_ms": 180_000 + n} for n, row in enumerate(names())])
    assert blocks(fit(FitOptions([own], playlists=lists), tmp_path / "out")) == ["artist", "played"]


def history(*sessions):
    """Plays of an extended streaming history; a session is a day."""
    return [
        {
            "ts": f"2026-02-{day:02}T10:{3 * n:02}:00Z",
            "ms_played": 170_000,
            "master_metadata_track_name": row["name"],
            "master_metadata_album_artist_name": row["artists"].partition(";")[0],
            "spotify_track_uri": f"spotify:track:{row['id']}",
            "skipped": False,
        }
        for day, session in enumerate(sessions, 1)
        for n, row in enumerate(session)
    ]


def test_a_folder_of_histories_is_a_catalogue_that_its_own_sessions_teach(tmp_path, capsys):
    rows = world.rows()[:12]
    first, second = (rows[::2], rows[1::2])
    (tmp_path / "mine").mkdir()
    for year, sessions in ((2025, (first, second)), (2026, (first[::-1], second[::-1]))):
        (tmp_path / "mine" / f"Streaming_History_Audio_{year}.json").write_text(json.dumps(history(*sessions)))
    assert main(["fit", "--source", str(tmp_path / "mine"), "--out", str(tmp_path / "out")]) == 0
    assert "24 entries match songs of the catalogue (24 by id), 0 do not" in capsys.readouterr().err
    made = load(tmp_path / "out")
    assert (len(made), blocks(made)) == (12, ["artist", "played"])
    assert set(recommended(made, first[0]["id"])[:5]) == {row["id"] for row in first[1:]}


def test_what_is_in_the_sources_and_what_playlists_say_teach_together(tmp_path, lists, capsys):
    source = tables.write(
        tmp_path / "mine.csv", [{"playlist_name": f"p{n % 2}", **row} for n, row in enumerate(names())]
    )
    assert main(["fit", "--source", source, "--playlists", str(lists), "--out", str(tmp_path / "out")]) == 0
    n_lists, n_songs = len(invented_playlists.of_world()), len(invented_playlists.rows(invented_playlists.of_world()))
    notes = load(tmp_path / "out").manifest["data"]["notes"]
    assert any(note.startswith(f"{n_lists + 2} playlists of ") for note in notes)
    assert f"{n_songs + len(world.rows())} entries match songs of the catalogue" in capsys.readouterr().err


def test_one_playlist_as_a_source_teaches_nothing_and_is_no_fault(tmp_path):
    source = tables.write(tmp_path / "mine.csv", [{"playlist_name": "p", **row} for row in names(genres="folk")])
    made = fit(FitOptions([source]), tmp_path / "out")
    assert blocks(made) == ["artist"]
    assert any(note.startswith("nothing is learned from the playlists") for note in made.manifest["data"]["notes"])


def test_a_song_that_no_reference_has_is_recommended_where_playlists_say_so(tmp_path, lists):
    own = tables.write(tmp_path / "own.csv", names())
    known = [row for row in world.rows() if row["id"] != "disco-3"]
    options = FitOptions([own], references=[str(world.write(tmp_path / "ref.csv", known))], playlists=lists)
    made = fit(options, tmp_path / "out")
    row = song_by_id(made, "disco-3")
    space = space_of(made)
    has = {block.name: bool(made.array("present")[row] >> bit & 1) for bit, block in enumerate(space.blocks)}
    assert (has["audio"], has["genre"], has["played"]) == (False, False, True)
    assert made.array("recommendable")[row]
    assert "disco-3" in recommended(made, "metal-1")[:2]  # its partner on playlists
    assert np.isnan(made.attribute("energy", np.array([row]))[0])
