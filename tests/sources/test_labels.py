"""Columns of tags, moods and the like as blocks of the space, and as genres."""

import pytest

from segue.catalog import load
from segue.catalog.lookup.exact import song_by_id
from segue.engine.explanations import BLOCK_PHRASES
from segue.engine.recommendation import recommend
from segue.engine.space import space_of
from segue.query.schema import Query, Seed
from segue_build.cli import main
from segue_build.fit import FitOptions, fit
from segue_build.model.weights import LABEL_WEIGHT, WEIGHTS
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import load_tracks
from tests.support import tables, world

# Moods that tie the first songs of the groups to each other, and so the second ones, ...
MOODS = {f"{group}-{number}": f"mood {number}" for group in world.GROUPS for number in (1, 2, 3)}


def rows(**cells):
    return [row | {"Mood": MOODS.get(row["id"], ""), "tags": "Night, quiet; NIGHT"} | cells for row in world.rows()]


@pytest.fixture
def fitted(tmp_path):
    def of(table, *labels, **options):
        source = tables.write(tmp_path / "songs.csv", table)
        return fit(FitOptions([source], labels=labels, **options), tmp_path / "out")

    return of


def nearest(catalog, song):
    seed, options = Seed("", {}, id=song), {"explain": True, "max_per_artist": None, "limit": 14}
    return recommend(catalog, Query((seed,), **options)).recommendations


def test_a_column_of_labels_is_a_block_by_which_songs_are_compared(fitted):
    made = fitted(rows(), "mood")
    space = space_of(made)
    assert [block.name for block in space.blocks][-1] == "mood"
    others, rest = sum(WEIGHTS[block.name] for block in space.blocks[:-1]), 1 - WEIGHTS["joint"]
    assert space.block("mood").weight == pytest.approx(rest * LABEL_WEIGHT / (others + LABEL_WEIGHT))
    bit = [block.name for block in space.blocks].index("mood")
    ids = made.texts("ids")
    has_mood = {ids[row] for row in range(len(made)) if made.array("present")[row] >> bit & 1}
    assert has_mood == set(MOODS)
    others = {ids[found.row]: found for found in nearest(made, "piano-1") if not ids[found.row].startswith("piano")}
    assert set(list(others)[:2]) == {"metal-1", "disco-1"}
    parts = others["metal-1"].why.as_json()["parts"]
    assert parts["mood"] == pytest.approx(space.block("mood").weight, abs=1e-6)
    assert "similar mood" in others["metal-1"].why.as_json()["reasons"]
    assert "mood" not in BLOCK_PHRASES


def test_several_columns_are_a_block_each_and_their_headers_need_not_be_spelt_exactly(fitted):
    made = fitted([row | {"Record Label": row["album"]} for row in rows()], "MOOD", "record_label")
    assert [block.name for block in space_of(made).blocks][-2:] == ["MOOD", "record_label"]
    assert made.manifest["parameters"]["arguments"][2:] == ["--labels", "MOOD,record_label"]


def test_labels_that_tie_no_songs_together_are_left_out_with_a_note(fitted):
    made = fitted([row | {"lyrics": f"la {n}"} for n, row in enumerate(world.rows())], "lyrics")
    assert "lyrics" not in [block.name for block in space_of(made).blocks]
    assert (
        "the table says nothing about lyrics: that block is left out of the space" in made.manifest["data"]["notes"]
    )


def test_labels_alone_hold_a_catalogue_of_titles_together(fitted):
    table = [{name: row[name] for name in ("id", "name", "artists", "genres")} for row in rows()]
    made = fitted([row | {"Mood": MOODS.get(row["id"], "")} for row in table], "mood")
    assert [block.name for block in space_of(made).blocks] == ["artist", "genre", "mood"]
    assert song_by_id(made, "piano-1") is not None


def test_genres_are_filled_from_a_column_where_that_is_said(tmp_path):
    table = rows()
    table[3] |= {"genres": ""}
    source = tables.write(tmp_path / "songs.csv", table)
    assert load_tracks([source], {})[0]["genres"].isna().sum() == 1
    filled = load_tracks([source], {}, labels=["genres=tags"])[0]["genres"].tolist()
    assert filled == [*["piano"] * 3, f"night{SEPARATOR}quiet", *[row["genres"] for row in table[4:]]]


def test_labels_of_a_reference_are_borrowed(tmp_path, capsys):
    own = tables.write(tmp_path / "own.csv", world.rows())
    reference = tables.write(tmp_path / "tagged.csv", [{n: row[n] for n in ("id", "Mood")} for row in rows()])
    fitting = ["fit", "--source", own, "--enrich", reference, "--labels", "mood", "--out", str(tmp_path / "out")]
    assert main(fitting) == 0
    assert "  mood                  0%    64%" in capsys.readouterr().err.splitlines()
    made = load(tmp_path / "out")
    assert [block.name for block in space_of(made).blocks][-1] == "mood"


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path, capsys):
    source = tables.write(tmp_path / "songs.csv", rows())
    for labels in ("vibe", "genres=vibe"):
        assert main(["fit", "--source", source, "--labels", labels, "--out", str(tmp_path / "out")]) == 1
        assert capsys.readouterr().err.splitlines()[-1] == (
            f"error: songs.csv, row 1: --labels {labels}: no column 'vibe' beside those that are read; there are:"
            " Mood, tags"
        )
