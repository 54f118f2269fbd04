"""Tables that people have published, as they are."""

import pytest

from segue.errors import SourceError
from segue_build.sources.tracks import load_tracks
from tests.conftest import SHARED


@pytest.fixture
def published():
    if not SHARED.exists():
        pytest.skip("needs published tables")
    return lambda name: str(SHARED / name)


@pytest.mark.parametrize(
    ("name", "rows", "dropped", "songs", "known"),
    [
        ("spotify_tracks_114k.csv", 114_000, 1, 89_740, {"genres", "album", "explicit", "popularity"}),
        ("spotify_songs_tidytuesday.csv", 32_833, 5, 28_352, {"genres", "album", "year", "popularity"}),
        ("hit_predictor_41k.csv", 41_106, 0, 40_560, set()),
        ("data_170k_head4998.csv", 4_998, 0, 4_998, {"year", "explicit", "popularity"}),
    ],
)
def test_a_published_table_of_tracks_is_read_without_being_told_its_schema(
    published, name, rows, dropped, songs, known
):
    frame, report = load_tracks([published(name)], {})
    assert (report.rows, report.dropped_rows, len(frame)) == (rows, dropped, songs)
    assert report.rows == report.dropped_rows + report.ids_merged + len(frame)
    assert frame["id"].is_unique
    assert frame["id"].str.fullmatch("[0-9A-Za-z]{22}").all()
    optional = {"genres", "album", "explicit", "popularity", "year"}
    assert {column for column in optional if frame[column].notna().any()} == known
    assert frame[["name", "artists", "duration_ms", "energy", "tempo"]].notna().all(axis=None)


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("aggregates_by_genre_170k.csv", "no column holds a song's id or name, so this is not a table of tracks"),
    ],
)
def test_a_published_table_of_something_else_is_refused(published, name, lacking):
    with pytest.raises(SourceError) as refused:
        load_tracks([published(name)], {})
    assert str(refused.value).startswith(f"{name}, row 1: {lacking}")


def test_two_published_tables_merge(published):
    both = [published("spotify_songs_tidytuesday.csv"), published("hit_predictor_41k.csv")]
    frame, report = load_tracks(both, {})
    assert frame["id"].is_unique
    assert report.rows == report.dropped_rows + report.ids_merged + len(frame)
