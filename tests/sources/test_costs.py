"""A file costs what it weighs: no small one takes minutes or gigabytes, or ends the process that reads it."""

import io

import pandas as pd
import pyarrow as pa
import pytest

from segue.catalog import normalization
from segue.errors import SourceError
from segue_build.cli import main
from segue_build.sources.formats.detection import open_tables
from segue_build.sources.joining import recording_key
from segue_build.sources.multivalue import infer_credits, split_artists
from segue_build.sources.playlists import credited_names
from segue_build.sources.tracks import load_tracks
from segue_build.sources.values import parse_duration, parse_year
from tests.support import costly_files, mutated_files
from tests.support.tables import songs, text, write

LONG = 100_000  # characters: a pattern that takes squared time takes minutes for them
WORST = {
    "opening brackets": "(" * LONG,
    "closing brackets": ")" * LONG,
    "pairs that are not closed": "(a [b " * (LONG // 6),
    "brackets after a closed one": "(a)" + "(" * LONG,
    "spaces": "a" + " " * LONG + "b",
    "spaces and hyphens": "a" + " -" * (LONG // 2),
    "spaces after a hyphen": "a -" + " " * LONG + "b",
    "featured in open brackets": "a" + " (feat. b" * (LONG // 9),
    "featured, and lines": "a" + " feat. b" * (LONG // 8) + "\n",
    "featured, and spaces": "a feat. b" + " " * LONG + "c",
    "remasters": "a" + " (remaster" * (LONG // 10),
    "remasters and spaces": "a (remastered" + " " * LONG + "b",
    "separators": "a,; " * (LONG // 4),
    "slashes": "a" + " /" * (LONG // 2),
}
FUNCTIONS = [
    normalization.case_folded, normalization.normalized, normalization.title_key, normalization.search_key,
    normalization.title_variants, normalization.without_version, normalization.without_featured, recording_key,
    split_artists, credited_names, parse_duration, parse_year,
    lambda text: infer_credits([text], header_is_plural=True),
]  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("worst", WORST.values(), ids=WORST)
def test_every_pattern_takes_time_in_proportion_to_a_text(worst):
    for function in FUNCTIONS:
        function(worst)


@pytest.mark.parametrize(
    ("title", "key", "without"),
    [
        ("Déjà Vu (feat. X) - Live", "deja vu", "déjà vu - live"),
        ("A [b] (c", "a c", "a [b] (c"),
        ("(a) b (with c) - d (e", "b", "(a) b - d (e"),
        ("Song  (x)  -  y - z", "song", "song  (x)  -  y - z"),
        ("song ft. a - b (with c)", "song ft a", "song - b"),
        ("a)b(c", "a b c", "a)b(c"),
        ("Song (a\nb) tail", "song tail", "song (a\nb) tail"),
    ],
)
def test_brackets_versions_and_featured_artists_are_cut_as_before(title, key, without):
    assert (normalization.title_key(title), normalization.without_featured(title.lower())) == (key, without)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("track_name", "(" * 1_001, "with name too long"),
        ("album_name", "x" * 1_001, "with album too long"),
        ("artists", "Artist " * 1_500, "with artists too long"),
        ("track_genre", "folk " * 2_100, "with genres too long"),
    ],
)
def test_a_text_longer_than_any_of_its_kind_is_a_bad_cell(tmp_path, column, cell, reason):
    rows = songs(20)
    rows[3][column] = cell
    frame, report = load_tracks([write(tmp_path / "songs.csv", rows)], {})
    assert (len(frame), dict(report.dropped)) == (19, {reason: 1})


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("rows", "names"),
    [('"a\n"b,c\n' * 40_000 + '"a"\n', 80_001), ('"a"b,' + '"a,' * 100_000 + "\n", 1)],
    ids=["rows", "cells"],
)
def test_quotes_that_are_not_doubled_take_time_in_proportion_to_a_table(tmp_path, rows, names):
    (tmp_path / "songs.csv").write_text("name,artist\n" + rows)
    (table,) = open_tables(tmp_path / "songs.csv")
    assert sum(map(len, table.chunks)) == names


REFUSED = {
    "names of brackets": "100% of the rows are bad (20 with name too long)",
    "a workbook's attributes": "the workbook",
    "a workbook's cells": "file",
    "a workbook's sheets": "the workbook",
    "a far cell, written unusually": "the workbook file can't be read: its reader crashed, or ran out of memory",
    "a workbook of one string": "the workbook file can't be read: its reader crashed, or ran out of memory",
    "Parquet of one string": "more memory than its size explains",
    "Feather of one string": "file: ",
    "JSON with keys of their own": "8,001 columns, and at most 2,000 are read; leave out those that say nothing",
    "5,000 columns": "5,021 columns, and at most 2,000 are read",
    "JSON of one wide object": "more than",
    "headers, then rows of one cell": "more than",
    "a zip of changing headers": "headers change more than 100 times from one file to the next",
    "a zip of too many lists": "more than 5,000 files; give those with songs or playlists only",
}


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", costly_files.FILES)
def test_no_small_file_takes_more_than_a_gigabyte_or_ends_in_anything_but_a_line(tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(costly_files.FILES[name]())
    cost = costly_files.cost_of_fit(path, tmp_path / "artifacts")
    assert cost.memory < 10**9 + FLOOR
    assert cost.code == (name in REFUSED), cost.said
    if name in REFUSED:
        assert cost.said.startswith("error: ")
        assert REFUSED[name] in cost.said


FLOOR = 300 * 10**6  # bytes: what a fit of twenty songs takes


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 10_000, 2_500))
def test_mutated_files_of_every_format_are_tables_or_one_line(seed):
    assert mutated_files.attack(2_500, seed) == []


def test_mutated_files_repeat_and_each_format_is_among_them():
    for name, data in mutated_files.formats().items():
        assert mutated_files.mutated(data, 3) == mutated_files.mutated(data, 3) != data, name
    assert mutated_files.attack(len(mutated_files.formats()), seed=1) == []


def broken_feather() -> bytes:
    """A file whose texts begin and end where there are none."""
    file = io.BytesIO()
    table = pa.table({"id": [f"s{n}" for n in range(50)], "name": ["Song"] * 50, "energy": [0.5] * 50})
    with pa.ipc.new_file(file, table.schema) as out:
        out.write_table(table)
    data = file.getvalue()
    offsets = bytes(pa.array([4 * n for n in range(51)], pa.int32()).buffers()[1])[:204]
    assert data.count(offsets) == 1
    return data.replace(offsets, offsets[:100] + b"\xff\xff\xff\x7f" * 26)


def test_an_arrow_file_whose_data_lie_is_one_line(tmp_path, capsys):
    (tmp_path / "songs.feather").write_bytes(broken_feather())
    assert main(["fit", "--source", str(tmp_path / "songs.feather"), "--out", str(tmp_path / "artifacts")]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: songs.feather: the Feather file is damaged or cut off (")


def test_a_reader_that_takes_too_much_ends_and_says_so(tmp_path, monkeypatch):
    path = tmp_path / "songs.parquet"
    pd.DataFrame(songs(20)).to_parquet(path)
    monkeypatch.setattr("segue_build.sources.formats.columnar.READER_MEMORY", (10**6, 0))
    with pytest.raises(SourceError, match=r"songs.parquet: the Parquet file .*; write it again, or as CSV"):
        load_tracks([str(path)], {})


def test_many_small_files_are_normalized_together(tmp_path):
    (tmp_path / "lists.zip").write_bytes(
        costly_files.archive(*((f"{n}.csv", text(songs(12 + n % 3))) for n in range(20)))
    )
    frame, report = load_tracks([str(tmp_path / "lists.zip")], {})
    assert (len(frame), report.rows) == (14, sum(12 + n % 3 for n in range(20)))
