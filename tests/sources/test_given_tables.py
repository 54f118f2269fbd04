"""What each table of ../shared/tables and ../shared/cases becomes, with the values of its first song."""

from pathlib import Path

import pandas as pd
import pytest

from segue_build.sources import tracks
from segue_build.sources.columns import CANONICAL_COLUMNS
from segue_build.sources.importer import open_source
from segue_build.sources.multivalue import SEPARATOR

SHARED = Path(__file__).resolve().parents[3] / "shared"


def only(song, columns):
    return {name: song[name] for name in columns.split()}


def without(song, columns):
    return {name: value for name, value in song.items() if name not in columns.split()}


HARBOUR = {
    "id": "Pde0IgxLd6GncfBAepfJBd",
    "name": "Paper Harbour",
    "artists": ["Mara Quillon", "Ines & the Lanterns"],
    "album": "Harbour Songs, Vol. 1",
    "genres": ["garage rock", "indie rock"],
    "year": 1990,
    "explicit": 1,
    "popularity": 85,
    "duration_ms": 223500,
    "danceability": 0.583,
    "energy": 0.062,
    "key": 5,
    "loudness": -10.026,
    "mode": 0,
    "speechiness": 0.0496,
    "acousticness": 0.2211,
    "instrumentalness": 0.029755,
    "liveness": 0.1332,
    "valence": 0.419,
    "tempo": 124.069,
    "time_signature": 4,
}
AMBER = {
    "id": "inv0000",
    "name": "Amber Anthem",
    "artists": "Anthem Ambers",
    "genres": "metal",
    "popularity": 46,
    "danceability": 0.948,
    "energy": 0.395,
    "loudness": -12.18,
    "acousticness": 0.821,
    "valence": 0.048,
    "tempo": 71.3,
}
EXPECTED = {
    "tables/apple_music_playlist.txt": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "name album year")
        | {
            "id": "song-36739501241191e567eb",
            "artists": "Mara Quillon",
            "genres": "indie rock",
            "duration_ms": 223000,
        },
    ),
    "tables/chosic.csv": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "id name artists album year explicit popularity key mode time_signature")
        | {
            "isrc": "QZXYZ9399557",
            "duration_ms": 223000,
            "danceability": 0.58,
            "energy": 0.06,
            "loudness": -10,
            "speechiness": 0.05,
            "acousticness": 0.22,
            "instrumentalness": 0.03,
            "liveness": 0.13,
            "valence": 0.42,
            "tempo": 124,
        },
    ),
    "tables/exportify_all_spotify_playlists.zip": (
        [
            "road_trip.csv (Exportify): songs 12, playlists 1",
            "sunday_morning.csv (Exportify): songs 14, playlists 1",
            "liked_songs.csv (Exportify): songs 15, playlists 1",
        ],
        HARBOUR,
    ),
    "tables/exportify_net.csv": (["songs 30, playlists 1"], HARBOUR),
    "tables/exportify_net_12_columns.csv": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "id name artists album year explicit popularity duration_ms"),
    ),
    "tables/fma_tracks.csv": (
        ["songs 30"],
        only(HARBOUR, "name album")
        | {"id": "2", "artists": "Mara Quillon", "genres": "indie rock", "year": 2009, "duration_ms": 223000},
    ),
    "tables/itunes_library.xml": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "name album year duration_ms")
        | {"id": "song-36739501241191e567eb", "artists": "Mara Quillon", "genres": "indie rock", "tempo": 124},
    ),
    "tables/kaggle_114k.csv": (["songs 30"], without(HARBOUR, "genres year") | {"genres": "indie rock"}),
    "tables/kaggle_170k_data.csv": (["songs 30"], without(HARBOUR, "album genres time_signature")),
    "tables/kaggle_1_2m_tracks_features.csv": (["songs 30"], without(HARBOUR, "genres popularity")),
    "tables/kaggle_1m_tracks.csv": (
        ["songs 30"],
        without(HARBOUR, "artists album genres explicit") | {"artists": "Mara Quillon", "genres": "indie rock"},
    ),
    "tables/kaggle_232k_spotify_features.csv": (
        ["songs 30"],
        without(HARBOUR, "artists album genres year explicit") | {"artists": "Mara Quillon", "genres": "indie rock"},
    ),
    "tables/kaggle_30k_most_streamed_2023.csv": (
        ["songs 30"],
        only(HARBOUR, "artists year mode")
        | {
            "id": "song-906053a90f07f155a663",
            "name": "Paper Harbour é",
            "danceability": 0.58,
            "energy": 0.06,
            "speechiness": 0.05,
            "acousticness": 0.22,
            "instrumentalness": 0.03,
            "liveness": 0.13,
            "valence": 0.42,
            "tempo": 124,
        },
    ),
    "tables/kaggle_600k_tracks.csv": (["songs 30"], without(HARBOUR, "album genres")),
    "tables/kaggle_900k_definitive.json": (
        ["songs 30"],
        only(HARBOUR, "name artists album genres explicit popularity key mode time_signature")
        | {
            "id": "song-ec5635f3a99e90b878c2",
            "year": 2013,
            "duration_ms": 223000,
            "danceability": 0.58,
            "energy": 0.06,
            "speechiness": 0.05,
            "acousticness": 0.22,
            "instrumentalness": 0.03,
            "liveness": 0.13,
            "valence": 0.42,
        },
    ),
    "tables/kaggle_900k_spotify_dataset.csv": (
        ["songs 30"],
        only(HARBOUR, "name artists album genres explicit popularity key mode time_signature")
        | {
            "id": "song-ec5635f3a99e90b878c2",
            "year": 2013,
            "duration_ms": 223000,
            "danceability": 0.58,
            "energy": 0.06,
            "loudness": -10.03,
            "speechiness": 0.05,
            "acousticness": 0.22,
            "instrumentalness": 0.03,
            "liveness": 0.13,
            "valence": 0.42,
            "tempo": 124,
        },
    ),
    "tables/kaggle_msd_user_listening_history.csv": (["songs 30, playlists 5"], {}),
    "tables/kaggle_universal_top_songs.csv": (["songs 60"], without(HARBOUR, "genres")),
    "tables/lastfm_recenttracks.csv": (
        ["songs 30, history 30 plays"],
        only(HARBOUR, "name album") | {"id": "song-36739501241191e567eb", "artists": "Mara Quillon"},
    ),
    "tables/listenbrainz_listens_2026_08.jsonl": (
        ["songs 30, history 30 plays"],
        only(HARBOUR, "name artists album") | {"id": "d3ac94af-90c1-1fb1-f28c-a17039263059"},
    ),
    "tables/mpd.slice.0-999.json": (
        ["songs 30, playlists 2"],
        only(HARBOUR, "id name album duration_ms") | {"artists": "Mara Quillon"},
    ),
    "tables/music4all_id_genres.csv": (["songs 30"], {}),
    "tables/music4all_id_information.csv": (
        ["songs 30"],
        only(HARBOUR, "name album") | {"id": "Pde0IgxLd6GncfBA", "artists": "Mara Quillon"},
    ),
    "tables/music4all_id_metadata.csv": (["songs 30"], {}),
    "tables/organizeyourmusic_top2000.csv": (
        ["songs 30"],
        only(HARBOUR, "name year popularity")
        | {
            "id": "song-6b3dc490e49dc590af83",
            "artists": "Mara Quillon",
            "genres": "indie rock",
            "duration_ms": 223000,
            "danceability": 0.58,
            "energy": 0.06,
            "loudness": -10,
            "speechiness": 0.05,
            "acousticness": 0.22,
            "liveness": 0.13,
            "valence": 0.42,
            "tempo": 124,
        },
    ),
    "tables/rekordbox.xml": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "name artists album year key mode")
        | {"id": "song-ec5635f3a99e90b878c2", "genres": "indie rock", "duration_ms": 223000, "tempo": 124.07},
    ),
    "tables/rekordbox_playlist.txt": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "artists album key mode")
        | {
            "id": "song-55ea8b499e5b5e2c933d",
            "name": "Paper Harbour (Original Mix)",
            "genres": "indie rock",
            "duration_ms": 223000,
            "tempo": 124.07,
        },
    ),
    "tables/segue_own_list.jspf": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "id name album duration_ms") | {"artists": "Mara Quillon"},
    ),
    "tables/soundiiz.csv": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "id name artists album") | {"isrc": "QZXYZ9399557", "duration_ms": 223000},
    ),
    "tables/spotify_account_Playlist1.json": (
        ["songs 30, playlists 2"],
        only(HARBOUR, "id name album") | {"artists": "Mara Quillon"},
    ),
    "tables/spotify_account_StreamingHistory_music_0.json": (
        ["songs 30, history 30 plays"],
        only(HARBOUR, "name") | {"id": "song-6b3dc490e49dc590af83", "artists": "Mara Quillon"},
    ),
    "tables/spotify_extended_Streaming_History_Audio_2024-2025_3.json": (
        ["songs 27, history 54 plays; not songs: podcast episodes 6"],
        only(AMBER, "")
        | {
            "id": "LKOmxgJTeKdNnFRIBXuDL7",
            "name": "Quiet Orchid",
            "artists": "The Slow Ferries",
            "album": "Lantern Songs, Vol. 2",
        },
    ),
    "tables/top_10000_1960_now.csv": (["songs 30, playlists 1"], HARBOUR | {"isrc": "QZXYZ9399557"}),
    "tables/tunemymusic.csv": (
        ["songs 30, playlists 2; not songs: artists 1"],
        only(HARBOUR, "id name album") | {"artists": "Mara Quillon", "isrc": "QZXYZ9399557"},
    ),
    "tables/webapi_playlist_items.json": (
        ["songs 30, playlists 1"],
        only(HARBOUR, "id name artists album year explicit popularity duration_ms"),
    ),
    "cases/03_whole_line_quoted.csv": (
        ["songs 30"],
        only(AMBER, "name artists energy valence tempo") | {"id": "song-a17fa44e1aa6c810014f"},
    ),
    "cases/05_inner_quotes_unescaped.csv": (
        ["songs 30"],
        without(AMBER, "genres popularity danceability loudness acousticness"),
    ),
    "cases/06_title_line_first.csv": (["songs 30"], AMBER),
    "cases/06b_title_line_commas.csv": (["songs 30"], AMBER),
    "cases/06c_title_row.xlsx": (["songs 30"], AMBER),
    "cases/07c_artist_named_null.csv": (["songs 30"], without(AMBER, "artists") | {"artists": "NULL"}),
    "cases/09_blank_rows_at_the_end.csv": (["songs 30"], AMBER),
    "cases/10_bytes_literals.csv": (["songs 30"], AMBER),
    "cases/11_genres_of_artists.csv": (
        ["songs 30"],
        without(AMBER, "genres") | {"genres": ["grime", "indie metal", "metal"]},
    ),
    "cases/12_spotify_prefixed_headers.csv": (
        ["songs 30"],
        AMBER | {"album": "Album 0", "explicit": 0, "duration_ms": 180000},
    ),
    "cases/13_wrapped_array.json": (["songs 30"], without(AMBER, "genres popularity")),
    "cases/15_web_api_features.json": (["songs 30"], {}),
    "cases/24_optional_column_unreadable.csv": (["songs 30"], AMBER),
    "cases/27_written_exactly_loses.csv": (
        ["songs 30"],
        only(AMBER, "id")
        | {
            "name": "1%",
            "artists": "Jana Addison",
            "genres": "folk",
            "popularity": 60,
            "danceability": 0.031,
            "energy": 0.133,
            "loudness": -12.71,
            "acousticness": 0.105,
            "valence": 0.361,
            "tempo": 160.3,
        },
    ),
    "cases/28_plain_and_remix.csv": (
        ["songs 30"],
        only(AMBER, "id genres")
        | {
            "name": "Solitude",
            "artists": "M38",
            "popularity": 57,
            "danceability": 0.172,
            "energy": 0.348,
            "loudness": -16.56,
            "acousticness": 0.172,
            "valence": 0.162,
            "tempo": 68.05,
        },
    ),
    "cases/29_words_that_name_nothing.csv": (
        ["songs 30"],
        only(AMBER, "id")
        | {
            "name": "The One",
            "artists": "Chain Umbers",
            "genres": "pop",
            "popularity": 70,
            "danceability": 0.905,
            "energy": 0.842,
            "loudness": -20.78,
            "acousticness": 0.159,
            "valence": 0.203,
            "tempo": 169.8,
        },
    ),
    "cases/30_cjk_title_with_noise.csv": (
        ["songs 30"],
        only(AMBER, "id")
        | {
            "name": "夜に走る",
            "artists": "YOASORA",
            "genres": "jazz",
            "popularity": 75,
            "danceability": 0.392,
            "energy": 0.763,
            "loudness": -23.75,
            "acousticness": 0.984,
            "valence": 0.122,
            "tempo": 102.66,
        },
    ),
    "cases/31_fma_three_header_lines.csv": (
        ["songs 30"],
        only(AMBER, "name artists genres") | {"id": "2", "album": "Album 0", "year": 2009, "duration_ms": 160000},
    ),
}


@pytest.mark.skipif(not (SHARED / "tables").is_dir(), reason="the tables are not part of the project")
@pytest.mark.parametrize("name", EXPECTED)
def test_each_given_table_becomes_what_it_is(name):
    """Also tables that are nothing without another: they are read as far as they go."""
    became, first = EXPECTED[name]
    lines = []
    for table in open_source(SHARED / name, distinct=True):
        assert sum(map(len, table.chunks)) >= 0
        lines += table.describe()
    assert [line.partition(": ")[2] for line in lines] == became
    if first:
        song = tracks.load_tracks([str(SHARED / name)], {}, has_playlists=True)[0].iloc[0]
        assert {column: text(song[column]) for column in CANONICAL_COLUMNS if pd.notna(song[column])} == first


def text(value):
    return value.split(SEPARATOR) if isinstance(value, str) and SEPARATOR in value else value


def test_every_given_table_is_in_the_list():
    given = {f"{folder}/{path.name}" for folder in ("tables", "cases") for path in (SHARED / folder).glob("*.*")}
    assert given <= set(EXPECTED)
