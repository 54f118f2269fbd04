"""Songs of several tables that are the same, and what they borrow from a reference."""

import numpy as np
import pandas as pd
import pytest

from segue.catalog import load
from segue.errors import SourceError
from segue_build.cli import main
from segue_build.fit import FitOptions, fit
from segue_build.sources.joining import SourceTable, artist_keys, enrich, match_songs, recording_key
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import load_tracks
from tests.support import world
from tests.support.tables import SOUND, some, songs, write

ISRC = "QZ111220000"


def table(*rows):
    """A canonical table; a song is by X unless its cells say otherwise."""
    frame = pd.DataFrame([{"id": f"id{n}", "name": None, "artists": "X"} | row for n, row in enumerate(rows)])
    texts = {name: "str" for name in ("id", "name", "artists", "isrc", "genres") if name in frame}
    return frame.astype(texts)


def found(song, *others):
    """Which of several others a song is the same as, and how that was found."""
    matches = match_songs(table({"id": "own"} | song), table(*others))
    return int(matches.rows[0]), matches.ways[0]


def test_the_id_comes_before_the_isrc_and_that_before_title_and_artist():
    others = [
        {"name": "Tide"}, {"id": "b", "isrc": f"{ISRC}1", "name": "Tide"}, {"id": "c", "isrc": f"{ISRC}2"},
    ]  # fmt: skip
    assert found({"id": "c", "isrc": f"{ISRC}1", "name": "Tide"}, *others) == (2, "id")
    assert found({"isrc": f"{ISRC}2", "name": "Tide"}, *others) == (2, "ISRC")
    assert found({"isrc": f"{ISRC}9", "name": "Tide"}, *others) == (0, "title and artist")
    assert found({"isrc": f"{ISRC}9", "name": "Rain"}, *others) == (-1, "")


@pytest.mark.parametrize(
    "written",
    ["Déjà Vu", "deja vu", "DÉJÀ-VU", "Déjà Vu (feat. Bo)", "Déjà Vu - Remastered 2011", "Déjà Vu (2011 Remaster)",
     "Déjà Vu - 2015 Digital Remaster", "Déjà Vu (Original Mix)"],
)  # fmt: skip
def test_spellings_and_editions_of_a_recording_are_the_same_song(written):
    assert found({"name": written}, {"name": "Other"}, {"name": "Déjà Vu"}) == (1, "title and artist")
    assert recording_key(written) == "dejavu"


@pytest.mark.parametrize("written", ["Déjà Vu - Live", "Déjà Vu (Acoustic)", "Déjà Vu - Bo Remix", "Déjà", "", None])
def test_other_recordings_are_other_songs(written):
    assert found({"name": written}, {"name": "Déjà Vu"}) == (-1, "")


CREDITS = ["A", f"A{SEPARATOR}B", "A & B", "A feat. B", "A, C", f"B{SEPARATOR}A", "a"]


@pytest.mark.parametrize("own", CREDITS)
@pytest.mark.parametrize("other", CREDITS)
def test_songs_that_share_an_artist_are_the_same_however_credits_are_written(own, other):
    songs_of = [{"name": "Tide", "artists": "Nobody"}, {"name": "Tide", "artists": other}]
    assert found({"name": "Tide", "artists": own}, *songs_of) == (1, "title and artist")


def test_songs_of_other_artists_or_of_none_are_not_the_same():
    for own, other in (("A", "B"), ("A", None), (None, "A"), (None, None)):
        assert found({"name": "Tide", "artists": own}, {"name": "Tide", "artists": other}) == (-1, "")
    assert artist_keys("Earth, Wind & Fire")[0] == "earthwindfire"


@pytest.mark.parametrize(("length", "expected"), [(203_000, 0), (197_000, 0), (203_001, -1), (np.nan, 0)])
def test_durations_differ_by_three_seconds_at_the_most(length, expected):
    row, _ = found({"name": "Tide", "duration_ms": 200_000.0}, {"name": "Tide", "duration_ms": length})
    assert row == expected


def test_the_best_known_of_several_is_taken_but_an_artists_own_song_before_one_with_the_artist_in_it():
    several = [{"name": "Tide", "popularity": known} for known in (10, 70, 70, np.nan)]
    assert found({"name": "Tide"}, *several)[0] == 1
    assert found({"name": "Tide"}, *several, {"name": "Tide", "artists": f"Y{SEPARATOR}X", "popularity": 99})[0] == 1
    assert found({"isrc": ISRC}, *({"isrc": ISRC} | song for song in several))[0] == 1


# several sources


@pytest.fixture
def source(tmp_path):
    return lambda rows, name: write(tmp_path / name, rows)


NAMES = ("track_name", "artists")


def test_sources_join_by_id_then_isrc_then_title_and_artist_and_say_which_rows_came_from_which(source, capsys):
    first = [row | {"isrc": f"{ISRC}{n}" if n < 9 else ""} for n, row in enumerate(some(songs(), "track_id", *NAMES))]
    second = [dict(row, track_id="") for row in some(songs(), "track_id", *NAMES, "energy")]
    for n, row in enumerate(second):
        row |= {"isrc": f"{ISRC}{n}" if 4 <= n < 8 else "", "track_id": f"song{n + 1:02}" if n < 4 else ""}
        row |= {"track_name": "Another name"} if n < 8 else {}
    second.append({"track_id": "", "track_name": "New", "artists": "Nobody", "energy": 0.3, "isrc": ""})
    frame, report = load_tracks([source(first, "first.csv"), source(second, "second.csv")], {})
    assert frame["name"].tolist() == [f"Song {n}" for n in range(1, 13)] + ["New"]
    assert frame["energy"].tolist() == [0.6] * 12 + [0.3]
    assert (report.rows, report.ids_merged) == (25, 12)
    assert (
        "second.csv: 13 songs, 12 of them in the sources before (4 by id, 4 by ISRC, 4 by title and artist), 1 new"
        in capsys.readouterr().err.splitlines()
    )


def test_a_made_id_gives_way_to_one_that_another_source_has(source):
    plays, features = source(some(songs(), *NAMES), "plays.csv"), source(songs(), "features.csv")
    for sources in ([plays, features], [features, plays]):
        frame, _ = load_tracks(sources, {})
        assert frame["id"].tolist() == [f"song{n:02}" for n in range(1, 13)]
        assert frame["tempo"].notna().all()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_tables_without_names_join_on_the_column_of_ids_that_they_share(source, order):
    rows = songs()
    information = [{"id": f"m{n}", "song": row["track_name"], "artist": row["artists"]} for n, row in enumerate(rows)]
    genres = [{"id": f"m{n}", "genres": "folk" if n % 2 else "jazz"} for n, _ in enumerate(rows)]
    metadata = [{"id": f"m{n}", "spotify_id": f"s{n}", "energy": n / 20} for n, _ in enumerate(rows)][::-1]
    files = [source(information, "information.csv"), source(genres, "genres.csv"), source(metadata, "metadata.csv")]
    frame, _ = load_tracks([files[number] for number in order], {})
    by_id = frame.set_index("id").sort_index(key=lambda ids: ids.str[1:].astype(int))
    assert by_id.index.tolist() == [f"m{n}" for n in range(12)]
    assert by_id["energy"].tolist() == [n / 20 for n in range(12)]
    assert by_id["genres"].tolist() == ["jazz", "folk"] * 6


ARTIST_IDS = {
    "track_artist_id": "a{n}",
    "artist_ids": "['a{n}', 'other']",
    "id_artists": "other,a{n}",
    "Artist URI(s)": "spotify:artist:a{n}",
}


@pytest.mark.parametrize(("header", "written"), ARTIST_IDS.items())
@pytest.mark.parametrize("own", ["artist_id", "id"])
def test_a_table_of_artists_gives_their_genres_by_the_column_of_artist_ids_that_songs_have(
    source, header, written, own, capsys
):
    rows = [
        row | {"track_genre": "own" if n == 3 else "", header: written.format(n=n)} for n, row in enumerate(songs())
    ]
    artists = [
        {own: f"a{n}", "name": f"Artist {n}", "followers": n, "genres": "['jazz', 'folk']" if n % 2 else ""}
        for n in range(14)
    ]
    files = [source(rows, "tracks.csv"), source(artists, "artists.csv")]
    for sources in (files, files[::-1]):
        frame, _ = load_tracks(sources, {})
        genres = [f"folk{SEPARATOR}jazz" if n % 2 else None for n in range(12)]
        genres[3] = "own"
        assert frame["genres"].astype(object).where(frame["genres"].notna(), None).tolist() == genres
        assert f"artists.csv: genres of 7 artists, for 6 songs by '{header}'" in capsys.readouterr().err


def test_a_table_of_artists_alone_is_refused(source):
    artists = source(
        [{"id": f"a{n}", "name": f"Artist {n}", "followers": n, "genres": "jazz"} for n in range(14)], "a.csv"
    )
    with pytest.raises(SourceError, match=r"^a\.csv: its rows are artists, not songs"):
        load_tracks([artists], {})


# references


def test_songs_borrow_what_they_lack_and_what_they_borrowed_is_marked(capsys):
    own = table(
        {"name": "Tide", "energy": np.nan, "popularity": 5.0, "genres": None},
        {"name": "Rain", "energy": 0.1, "popularity": np.nan, "genres": "jazz"},
        {"name": "Elsewhere", "energy": np.nan, "popularity": np.nan, "genres": None},
    )
    reference = table(
        {"id": "r1", "name": "Rain", "energy": 0.9, "popularity": 60.0, "genres": "folk", "year": 1999.0},
        {"id": "r2", "name": "Tide", "energy": 0.8, "popularity": 70.0, "genres": None, "year": np.nan},
        {"id": "r3", "name": "Not here", "energy": 0.7, "popularity": 80.0, "genres": "folk", "year": 2000.0},
    )
    enriched, made = enrich(own, SourceTable("reference.csv", reference))
    assert enriched.drop(columns=["artists", "id"]).astype(object).where(lambda cell: cell.notna(), None).to_dict(
        "list"
    ) == {
        "name": ["Tide", "Rain", "Elsewhere"],
        "energy": [0.8, 0.1, None],
        "popularity": [5, 60, None],
        "genres": [None, "jazz", None],
        "year": [None, 1999, None],
        "enriched_from": ["reference.csv: energy", "reference.csv: year, popularity", None],
        "in_reference": [True, True, False],
    }
    assert made.to_manifest() == {
        "reference": "reference.csv", "found": 2, "columns": {"energy": 1, "year": 1, "popularity": 1},
    }  # fmt: skip
    assert capsys.readouterr().err.splitlines() == [
        "enriched from reference.csv: 2 of 3 songs found (0 by id, 0 by ISRC, 2 by title and artist)",
        "  songs with  before  after",
        "  genres         33%    33%",
        "  energy         33%    67%",
        "  year            0%    33%",
        "  popularity     33%    67%",
    ]


def test_a_second_reference_fills_what_the_first_left(source):
    own = source(some(songs(), *NAMES), "own.csv")
    first = source(
        [row | {"track_id": "", "tempo": ""} for row in some(songs()[:8], "track_id", *NAMES, "energy", "tempo")],
        "a.csv",
    )
    second = source(some(songs()[4:], *NAMES, "energy", "tempo"), "b.csv")
    frame, report = load_tracks([own], {}, references=[first, second])
    assert (
        frame["enriched_from"].tolist()
        == ["a.csv: energy"] * 4 + ["a.csv: energy; b.csv: tempo"] * 4 + ["b.csv: energy, tempo"] * 4
    )
    assert [entry["columns"] for entry in report.enriched_from] == [{"energy": 8}, {"energy": 4, "tempo": 8}]
    assert frame["in_reference"].all()
    assert len(frame) == 12


def test_enriching_adds_no_songs_and_the_version_says_what_was_borrowed(tmp_path, capsys):
    rows = world.rows()
    own = write(
        tmp_path / "own.csv",
        [{name: row[name] for name in ("name", "artists")} for row in rows[:12]]
        + [{"name": "Unheard of", "artists": "Nobody"}],
    )
    reference = str(world.write(tmp_path / "world.csv"))
    fitted = ["fit", "--source", own, "--enrich", reference, "--out", str(tmp_path / "out")]
    assert main(fitted) == 0
    made = load(tmp_path / "out")
    assert (len(made), made.manifest["parameters"]["arguments"]) == (
        13,
        ["--source", "own.csv", "--enrich", "world.csv"],
    )
    [entry] = made.manifest["data"]["enriched_from"]
    assert (entry["reference"], entry["found"], entry["columns"]["energy"]) == ("world.csv", 12, 12)
    kept = pd.read_parquet(made.path("catalog.parquet"))[["name", "enriched_from", "in_reference"]].set_index("name")
    assert (
        kept.index[~kept["in_reference"]].tolist()
        == ["Unheard of"]
        == kept.index[kept["enriched_from"].isna()].tolist()
    )
    assert kept.loc["Low Tide", "enriched_from"].startswith("world.csv: genres, explicit, danceability, ")


def test_a_published_version_is_a_reference(tmp_path, world_artifacts):
    own = write(tmp_path / "own.csv", [{name: row[name] for name in ("name", "artists")} for row in world.rows()])
    frame, report = load_tracks([own], {}, references=[str(world_artifacts)])
    assert report.enriched_from[0]["reference"] == world_artifacts.name
    assert frame["tempo"].notna().all()


def test_what_cannot_be_a_reference_is_told(source):
    own = source(songs(), "own.csv")
    with pytest.raises(SourceError, match=r"^--enrich demo: invented songs have nothing that others could borrow"):
        load_tracks([own], {}, references=["demo"])
    with pytest.raises(SourceError, match=r"^nowhere\.csv: no such file"):
        load_tracks([own], {}, references=["nowhere.csv"])


def test_without_a_reference_nothing_is_marked(tmp_path):
    made = fit(FitOptions([write(tmp_path / "songs.csv", songs(**SOUND))]), tmp_path / "out")
    assert "enriched_from" not in made.manifest["data"]
    assert not {"enriched_from", "in_reference"} & set(pd.read_parquet(made.path("catalog.parquet")))
