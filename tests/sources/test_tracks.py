import gzip
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segue.errors import SourceError
from segue_build.sources.columns import CANONICAL_COLUMNS, REQUIRED_COLUMNS
from segue_build.sources.demo import DEFAULT_SONGS
from segue_build.sources.formats.base import EXPECTED_TABLE
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import load_tracks, uses_demo
from tests.support.tables import SOUND, some, song, songs, text, write

EXPORTIFY = {
    "track_id": "Track URI",
    "artists": "Artist Name(s)",
    "duration_ms": "Duration (ms)",
    "track_genre": "Genres",
}


@pytest.fixture
def table(tmp_path):
    """Writes rows to a file of that name; -> its path."""

    def of(rows, name="songs.csv"):
        return write(tmp_path / name, rows)

    return of


def frame_of(*sources, **columns):
    return load_tracks(sources, columns)[0]


def refusal(*sources, strict=False, **columns):
    with pytest.raises(SourceError) as refused:
        load_tracks(sources, columns, strict=strict)
    return str(refused.value)


# One table, whatever its form


def test_the_tidy_table_has_every_tidy_column_and_then_the_sources_own(table):
    frame, report = load_tracks([table(some(songs(), "track_name", "energy"))], {})
    assert list(frame) == list(CANONICAL_COLUMNS)
    assert frame["name"].tolist() == [f"Song {n}" for n in range(1, 13)]
    assert frame.drop(columns=["id", "name", "energy"]).isna().all(axis=None)
    assert report == IngestReport(rows=12)


def test_gzip_and_parquet_give_the_same_table_as_the_csv(table, tmp_path):
    rows = [*songs(track_genre="folk, jazz", explicit=True), song(20, popularity="", artists="A;B", tempo="NA")]
    plain = table(rows)
    (tmp_path / "songs.csv.gz").write_bytes(gzip.compress(text(rows).encode()))
    pd.read_csv(plain).astype({"track_genre": "category"}).to_parquet(tmp_path / "songs.parquet")
    for other in ("songs.csv.gz", "songs.parquet"):
        assert_frame_equal(frame_of(str(tmp_path / other)), frame_of(plain), check_dtype=False)


def test_lists_in_parquet_are_lists(tmp_path):
    rows = pd.DataFrame(songs()).assign(
        artists=[["Ada", "Dez, Dot"]] * 11 + [None], track_genre=[["jazz", "folk"]] * 12
    )
    rows.to_parquet(tmp_path / "songs.parquet")
    frame = frame_of(str(tmp_path / "songs.parquet"))
    assert frame["artists"].dropna().tolist() == [f"Ada{SEPARATOR}Dez, Dot"] * 11
    assert frame["genres"].tolist() == [f"folk{SEPARATOR}jazz"] * 12


@pytest.fixture
def web(tmp_path):
    """A server of the folder; -> its address."""
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_url_gives_the_same_table_as_the_file(table, web, own_cache):
    path = table(songs())
    assert_frame_equal(frame_of(f"{web}/songs.csv"), frame_of(path))


def test_an_exportify_table_gives_the_same_table_as_its_columns_under_other_names(table):
    rows = [
        {EXPORTIFY.get(name, name.replace("_", " ").title()): cell for name, cell in row.items()} for row in songs()
    ]
    exported = frame_of(table(rows, "exportify.csv"))
    assert_frame_equal(exported[list(CANONICAL_COLUMNS)], frame_of(table(songs()))[list(CANONICAL_COLUMNS)])


def test_columns_given_by_the_user_are_read(table):
    rows = [{"Lied": row["track_name"], "Kraft": row["energy"]} for row in songs()]
    assert_frame_equal(
        frame_of(table(rows, "lieder.csv"), name="Lied", energy="Kraft"),
        frame_of(table(some(songs(), "track_name", "energy"))),
    )


# Several sources


def test_names_in_one_file_and_features_in_another_make_one_table(table):
    names = table(some(songs(), "track_id", "track_name", "artists", "album_name", "popularity"), "names.csv")
    rest = ["track_id", "track_genre", "release_date", "explicit", "duration_ms", *SOUND]
    features = table(some(songs()[::-1], *rest), "features.csv")
    frame, report = load_tracks([names, features], {})
    assert_frame_equal(frame, frame_of(table(songs())))
    assert report == IngestReport(rows=24, ids_merged=12)


def test_a_header_given_by_the_user_may_be_in_one_source_only(table):
    names = table([{"track_id": row["track_id"], "Lied": row["track_name"]} for row in songs()], "names.csv")
    features = table(some(songs(), "track_id", "energy"), "features.csv")
    assert_frame_equal(
        frame_of(names, features, name="Lied"), frame_of(table(some(songs(), "track_id", "track_name", "energy")))
    )


def test_the_first_source_wins_a_conflict_and_the_others_fill_its_gaps_and_add_genres(table):
    first = table(songs(tempo=100, popularity=1, energy="", mood="calm", track_genre="folk"), "first.csv")
    second = table(songs(tempo=200, popularity=99, energy=0.9, mood="loud", track_genre="jazz"), "second.csv")
    merged = frame_of(first, second)[["tempo", "popularity", "energy", "mood", "genres"]]
    assert merged.drop_duplicates().to_numpy().tolist() == [[100, 1, 0.9, "calm", f"folk{SEPARATOR}jazz"]]


def test_within_a_source_the_most_popular_row_is_right_and_the_others_fill_its_gaps(table):
    rows = [song(1, popularity=5, tempo=90, energy=0.1), song(1, popularity=70, tempo=100, energy=""), *songs()[1:]]
    first, *_ = frame_of(table(rows)).to_dict("records")
    assert (first["popularity"], first["tempo"], first["energy"]) == (70, 100, 0.1)


def test_rows_of_one_id_become_one_song_with_all_genres_in_the_order_of_the_table(table):
    rows = [song(n, track_genre=genre) for genre in ("rock", "folk") for n in (3, 1, 2, *range(4, 12))]
    frame, report = load_tracks([table(rows)], {})
    assert frame["id"].tolist() == [f"song{n:02}" for n in (3, 1, 2, *range(4, 12))]
    assert set(frame["genres"]) == {f"folk{SEPARATOR}rock"}
    assert report == IngestReport(rows=22, ids_merged=11)


def test_a_song_without_an_id_gets_one_of_its_artists_title_and_album_in_every_table(table):
    columns = ["track_name", "artists", "energy"]
    made = frame_of(table(some(songs(), *columns)))["id"]
    assert made.str.fullmatch("song-[0-9a-f]{20}").all()
    assert made.is_unique
    again = some(songs(album_name="", track_id=""), *columns, "album_name", "track_id", "tempo")
    assert frame_of(table(again))["id"].tolist() == made.tolist()
    assert not frame_of(table(some(songs(), *columns, "album_name")))["id"].isin(made).any()


# Too little, too bad


def test_up_to_a_tenth_of_bad_rows_is_dropped_and_told(table):
    frame, report = load_tracks([table([*songs(19), song(20, tempo="fast"), song(20, energy=7)])], {})
    assert len(frame) == 19
    assert report.lines() == [
        "21 rows read, 2 dropped",
        "  1 with tempo not a number",
        "    songs.csv, row 21, column 'tempo': 'fast' is not a number",
        "  1 with energy out of range",
        "    songs.csv, row 22, column 'energy': '7' is not 0..1 (0 calm, 1 fast, loud and noisy)",
        "0 songs (0 rows repeated an id and were merged), 0 works, 0 never recommended (not analysed)",
    ]


def test_more_than_a_tenth_of_bad_rows_stops_the_build(table):
    assert refusal(table([*songs(17), song(18, tempo="fast"), song(19, tempo="slow")])) == (
        "11% of the rows are bad (2 with tempo not a number), at most 10% may be; songs.csv, row 19, column 'tempo':"
        " 'fast' is not a number"
    )


def test_strict_allows_no_bad_row(table):
    assert refusal(table([*songs(99), song(100, tempo="fast")]), strict=True) == (
        "1 bad rows, and --strict allows none; songs.csv, row 101, column 'tempo': 'fast' is not a number"
    )
    assert len(load_tracks([table(songs())], {}, strict=True)[0]) == 12


def test_fewer_than_ten_songs_stop_the_build(table):
    assert refusal(table(songs(9))) == "songs.csv: only 9 songs are left of 9 rows; at least 10 are needed"
    assert len(frame_of(table(songs(10)))) == 10


def test_a_table_with_headers_only_has_too_few_songs(table, tmp_path):
    path = table(songs())
    headers = (tmp_path / "songs.csv").read_text().splitlines()[0]
    (tmp_path / "songs.csv").write_text(headers)
    assert refusal(path) == "songs.csv: only 0 songs are left of 0 rows; at least 10 are needed"


def test_songs_that_no_source_names_are_dropped_and_told(table):
    names = table(some(songs(20), "track_id", "track_name"), "names.csv")
    _, report = load_tracks([names, table(some(songs(21), "track_id", "energy"), "features.csv")], {})
    assert report.examples == {"without a name in any source": ["id song21"]}


def test_songs_that_were_not_analysed_stay(table):
    assert frame_of(table([*songs(), song(13, tempo=0, danceability=0)]))["tempo"].tolist()[-1] == 0


def test_a_table_without_what_is_needed_is_refused_and_told_what_that_is(table):
    ids = table(some(songs(), "track_id", "energy"), "ids.csv")
    assert refusal(ids) == f"ids.csv, row 1: no column holds the songs' names; required: {REQUIRED_COLUMNS}"
    names = table(some(songs(), "track_id", "track_name", "popularity"), "names.csv")
    assert (
        refusal(names)
        == f"names.csv, row 1: no column holds an audio feature or genres; required: {REQUIRED_COLUMNS}"
    )


def test_a_given_header_that_no_source_has_is_refused_with_those_there_are(table):
    assert refusal(table(some(songs(), "track_name", "energy")), tempo="Takt") == (
        "songs.csv, row 1: --columns tempo=Takt: no such header; there are: track_name, energy"
    )


def test_what_is_no_source_is_refused_and_told_what_would_be(tmp_path):
    assert (
        refusal("fish") == f"fish: no such file, URL or data set (demo, spotify-114k, tidytuesday); {EXPECTED_TABLE}"
    )
    assert refusal(str(tmp_path)).startswith(f"{tmp_path}: a folder without files; ")


# The invented catalogue


def test_the_invented_catalogue_is_a_source_like_any_other(table):
    frame, report = load_tracks(["demo:60"], {}, seed=3)
    assert list(frame) == list(CANONICAL_COLUMNS)
    assert report == IngestReport(rows=60)
    assert_frame_equal(frame, load_tracks(["demo:60"], {}, seed=3)[0])
    assert not frame["name"].equals(load_tracks(["demo:60"], {}, seed=4)[0]["name"])
    assert len(frame_of(table(songs()), "demo:60")) == 72


def test_a_catalogue_is_invented_when_any_source_is(table):
    assert [uses_demo([source]) for source in ("demo", "demo:10", "songs.csv")] == [True, True, False]
    assert uses_demo(["songs.csv", "demo:10"])


def test_demo_without_a_number_has_its_documented_size():
    assert DEFAULT_SONGS == 20_000


@pytest.mark.parametrize("source", ["demo:", "demo:many", "demo:-5", "demo:9", "demo:10000001", "demo:" + "9" * 200])
def test_another_size_of_the_invented_catalogue_is_refused(source):
    assert "10" in refusal(source) or "as in demo:50000" in refusal(source)
