import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import SourceError
from segue_build.sources.columns import CANONICAL_COLUMNS, HEADER_SYNONYMS, ColumnMapping, match_headers
from tests.support.tables import SOUND

SOUNDS = {name: [name] for name in SOUND}
EXPORTIFY = [
    "Track URI", "Track Name", "Album Name", "Artist Name(s)", "Release Date", "Duration (ms)", "Popularity",
    "Added By", "Added At", "Genres", "Danceability", "Energy", "Key", "Loudness", "Mode", "Speechiness",
    "Acousticness", "Instrumentalness", "Liveness", "Valence", "Tempo", "Time Signature",
]  # fmt: skip
SCHEMAS = {
    "114k": (
        ["", "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", *SOUND,
         "track_genre"],
        SOUNDS | {
            "id": ["track_id"], "name": ["track_name"], "artists": ["artists"], "album": ["album_name"],
            "genres": ["track_genre"], "explicit": ["explicit"], "popularity": ["popularity"],
            "duration_ms": ["duration_ms"],
        },
        ["unnamed"],
    ),
    "TidyTuesday": (
        ["track_id", "track_name", "track_artist", "track_popularity", "track_album_id", "track_album_name",
         "track_album_release_date", "playlist_genre", "playlist_subgenre", *SOUND, "duration_ms"],
        SOUNDS | {
            "id": ["track_id"], "name": ["track_name"], "artists": ["track_artist"], "album": ["track_album_name"],
            "genres": ["playlist_genre", "playlist_subgenre"], "year": ["track_album_release_date"],
            "popularity": ["track_popularity"], "duration_ms": ["duration_ms"],
        },
        ["track_album_id", "track_album_release_date", "playlist_genre", "playlist_subgenre"],
    ),
    "hit predictor": (
        ["decade", "track", "artist", "uri", *SOUND, "duration_ms", "chorus_hit", "sections", "target", "decade"],
        SOUNDS | {"id": ["uri"], "name": ["track"], "artists": ["artist"], "duration_ms": ["duration_ms"]},
        ["decade", "chorus_hit", "sections", "target", "decade_2"],
    ),
    "170k": (
        ["year", "artists", "explicit", "id", "name", "popularity", "release_date", *SOUND],
        SOUNDS | {
            "id": ["id"], "name": ["name"], "artists": ["artists"], "year": ["year"], "explicit": ["explicit"],
            "popularity": ["popularity"],
        },
        ["release_date"],
    ),
    "Exportify": (
        EXPORTIFY,
        {name: [name.replace("_", " ").title()] for name in SOUND} | {
            "id": ["Track URI"], "name": ["Track Name"], "artists": ["Artist Name(s)"], "album": ["Album Name"],
            "genres": ["Genres"], "year": ["Release Date"], "popularity": ["Popularity"],
            "duration_ms": ["Duration (ms)"],
        },
        ["Release Date", "Added By", "Added At"],
    ),
}  # fmt: skip


def meaning(columns: ColumnMapping) -> dict[str, list[str]]:
    return {name: [columns.headers[place] for place in places] for name, places in columns.positions.items()}


def refusal(headers: list[str], **given_headers: str) -> str:
    with pytest.raises(SourceError) as refused:
        match_headers(headers, given_headers, "songs.csv")
    return str(refused.value)


@pytest.mark.parametrize(("headers", "expected", "other"), SCHEMAS.values(), ids=SCHEMAS)
def test_a_published_schema_is_recognised_without_being_told(headers, expected, other):
    columns = match_headers(headers, {}, "songs.csv")
    assert meaning(columns) == expected
    assert list(columns.extra) == other


def test_every_tidy_column_has_synonyms_and_no_header_means_two_of_them():
    assert set(HEADER_SYNONYMS) == set(CANONICAL_COLUMNS)
    headers = [header for synonyms in HEADER_SYNONYMS.values() for header in synonyms]
    assert len(headers) == len(set(headers))


@given(st.sampled_from([(name, header) for name in CANONICAL_COLUMNS for header in HEADER_SYNONYMS[name]]))
def test_case_spaces_and_underscores_do_not_matter(synonym):
    name, header = synonym
    for spelt in (header.upper(), header.replace("_", " ").title(), header.replace("_", "-"), f" {header} "):
        headers = [spelt] if name in ("id", "name") else ["id", spelt]
        assert meaning(match_headers(headers, {}, "songs.csv"))[name] == [spelt]


def test_of_two_synonyms_the_more_telling_one_wins_and_the_other_is_kept():
    columns = match_headers(["id", "track_id", "name", "track_name", "tempo"], {}, "songs.csv")
    assert meaning(columns) == {"id": ["track_id"], "name": ["track_name"], "tempo": ["tempo"]}
    assert columns.extra == {"source_id": 0, "source_name": 2}


def test_the_users_word_is_stronger_than_a_synonym_and_the_header_means_nothing_else():
    columns = match_headers(
        ["title", "Working Title", "energy", "Energie"], {"name": "working title", "energy": "Energie"}, "t"
    )
    assert meaning(columns) == {"name": ["Working Title"], "energy": ["Energie"]}
    assert columns.extra == {"title": 0, "source_energy": 2}


def test_a_header_in_any_script_can_be_given():
    columns = match_headers(["", "曲名", "テンポ"], {"name": "曲名", "tempo": "テンポ"}, "t")
    assert meaning(columns) == {"name": ["曲名"], "tempo": ["テンポ"]}
    assert columns.extra == {"unnamed": 0}


def test_the_users_word_as_written_tells_twins_apart():
    columns = match_headers(["name", "Energy", "energy"], {"energy": "energy"}, "songs.csv")
    assert meaning(columns) == {"name": ["name"], "energy": ["energy"]}
    assert columns.extra == {"Energy": 1}


def test_a_given_header_that_another_source_may_have_is_passed_over():
    assert meaning(match_headers(["id", "tempo"], {"name": "Lied"}, "songs.csv")) == {
        "id": ["id"],
        "tempo": ["tempo"],
    }


def test_a_recognised_header_that_comes_twice_is_refused_with_both_places():
    assert refusal(["id", "tempo", "name", "Tempo"]) == (
        "songs.csv, row 1: columns 2 'tempo' and 4 'Tempo' mean the same: expected one of them, or --columns to say"
        " which is which"
    )


def test_a_given_header_that_comes_twice_is_refused_with_both_places():
    assert refusal(["id", "Lied", "Lied"], name="Lied").startswith("songs.csv, row 1: columns 2 'Lied' and 3 'Lied'")


def test_an_unknown_header_may_come_any_number_of_times():
    columns = match_headers(["name", "energy", "mood", "mood", "mood", "", ""], {}, "songs.csv")
    assert columns.extra == {"mood": 2, "mood_2": 3, "mood_3": 4, "unnamed": 5, "unnamed_2": 6}


def test_a_name_that_the_artifacts_use_gets_a_prefix():
    assert list(match_headers(["name", "cluster", "cell"], {}, "t").extra) == ["source_cluster", "source_cell"]


def test_a_table_of_aggregates_is_refused_and_told_what_is_needed():
    assert refusal(["mode", "genres", "energy"]) == (
        "songs.csv, row 1: no column holds a song's id or name, so this is not a table of tracks (but of"
        " aggregates?); its columns are: mode, genres, energy; required: a song's name (or id, where another --source"
        " has the names) and audio features or genres (or --enrich with a"
        " table that has these, or --playlists); name yours with --columns name=HEADER,..."
    )
