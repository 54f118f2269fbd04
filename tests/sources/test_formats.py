"""The same table in every form that people have it in is the same."""

import datetime as dt
import io
import zipfile

import pytest
from pandas.testing import assert_frame_equal

from segue_build.sources.tracks import load_tracks
from tests.support.table_formats import CSV, KINDS, ROWS, archive, excel, frame
from tests.support.tables import song, songs, text


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The table as plain CSV."""
    path = tmp_path_factory.mktemp("plain") / "table.csv"
    path.write_text(CSV, encoding="utf-8")
    return load_tracks([str(path)], {})


@pytest.mark.parametrize("data", KINDS.values(), ids=KINDS)
def test_a_table_is_the_same_in_every_form(tmp_path, plain, data):
    path = tmp_path / "table"
    path.write_bytes(data)
    made, report = load_tracks([str(path)], {})
    frame, expected = plain
    assert_frame_equal(made[list(frame)], frame, check_dtype=False)
    assert report == expected


@pytest.mark.parametrize("partition", [None, ["track_genre"]], ids=["plain", "by folders"])
def test_a_folder_of_parquet_parts_is_one_table(tmp_path, plain, partition):
    whole, folder = frame(), tmp_path / "songs"
    if partition:
        whole.to_parquet(folder, partition_cols=partition)
    else:
        folder.mkdir()
        for part in range(3):
            whole.iloc[part * 8 : part * 8 + 8].to_parquet(folder / f"part-{part}.parquet")
    (folder / "_SUCCESS").write_text("")
    made, report = load_tracks([str(folder)], {})
    expected = plain[0].set_index("id").loc[made["id"]].reset_index()
    assert_frame_equal(made[list(expected)], expected, check_dtype=False)
    assert report == plain[1]


def test_one_of_several_tables_is_read_when_it_is_named(tmp_path, plain):
    (tmp_path / "two.zip").write_bytes(archive(("a.csv", CSV), ("b.csv", "id,name\n")))
    (tmp_path / "two.xlsx").write_bytes(excel(ROWS, ("Notes", True)))
    for source in ("two.zip#a.csv", "two.xlsx#Songs"):
        assert_frame_equal(load_tracks([str(tmp_path / source)], {})[0], plain[0], check_dtype=False)


def test_cells_of_a_workbook_are_what_a_spreadsheet_shows(tmp_path):
    """Dates, durations, numbers that are names, and a name that looks like a formula."""
    rows = [
        song(n, track_name=1999, artists="=LOVE", release_date=dt.date(1999, 5, 12), duration_ms=dt.time(0, 3, 20))
        for n in range(1, 13)
    ]
    (tmp_path / "songs.xlsx").write_bytes(excel(rows))
    made = load_tracks([str(tmp_path / "songs.xlsx")], {})[0]
    shown = made[["name", "artists", "year", "duration_ms", "release_date"]].drop_duplicates()
    assert shown.to_numpy().tolist() == [["1999", "=LOVE", 1999, 200_000, "1999-05-12"]]


def test_a_formula_is_read_as_its_result(tmp_path):
    saved = zipfile.ZipFile(io.BytesIO(excel(songs(energy="=B1"))))
    entries = [
        (name, saved.read(name).replace(b"<f>B1</f><v />", b"<f>B1</f><v>0.25</v>")) for name in saved.namelist()
    ]
    (tmp_path / "songs.xlsx").write_bytes(archive(*entries))
    assert load_tracks([str(tmp_path / "songs.xlsx")], {})[0]["energy"].unique().tolist() == [0.25]


def test_a_late_letter_decides_the_encoding_of_the_whole(tmp_path):
    rows = songs(5_000)
    rows[-1]["track_name"] = "Smörgåsbord à la Zoë"
    (tmp_path / "songs.csv").write_bytes(text(rows).encode("latin-1"))
    assert load_tracks([str(tmp_path / "songs.csv")], {})[0]["name"].iloc[-1] == "Smörgåsbord à la Zoë"


CYRILLIC = "Песня о далёкой звезде и тихой воде"  # noqa: RUF001 # Russian


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r"])
def test_other_alphabets_are_told_by_their_letters(tmp_path, codec):
    (tmp_path / "songs.csv").write_bytes(text(songs(track_name=CYRILLIC)).encode(codec))
    assert load_tracks([str(tmp_path / "songs.csv")], {})[0]["name"].unique().tolist() == [CYRILLIC]
