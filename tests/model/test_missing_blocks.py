"""What becomes of the space when a table has only part of it."""

import math

import numpy as np
import pandas as pd
import pytest

from segue.engine.recommendation import recommend
from segue.engine.space import AUDIO_COLUMNS, space_of
from segue.query.schema import AUDIO_FEATURES, Query, Seed
from segue_build.fit import FitOptions, fit
from segue_build.model.genre_block import artist_signatures
from segue_build.model.incidence import build_incidence
from segue_build.sources import demo
from segue_build.sources.multivalue import SEPARATOR
from tests.support import tables, world

BLOCKS = ["audio", "artist", "genre", "popularity", "year", "explicit", "words"]
FEATURES = [attribute.name for attribute in AUDIO_FEATURES]


def invented(**cells):
    """An invented catalogue with some columns replaced, or left out where None."""
    table = next(iter(demo.demo_chunks(300, 0, 300)))
    kept = table.drop(columns=[name for name, cell in cells.items() if cell is None])
    for name in ("artists", "genres"):
        if name in kept:
            kept[name] = kept[name].map(";".join if name == "artists" else ",".join)
    return kept.assign(**{name: cell for name, cell in cells.items() if cell is not None})


@pytest.fixture
def fitted(tmp_path):
    def make(table):
        table.to_csv(tmp_path / "songs.csv", index=False)
        return fit(FitOptions([str(tmp_path / "songs.csv")]), tmp_path / "out")

    return make


def recommends(catalog, seed):
    found = recommend(catalog, Query((seed,), max_per_artist=None)).recommendations
    return len(found) == 10 and all(0 <= song.score <= 1 for song in found)


LACKING = [
    ({"genres": None}, ["audio", "artist", "popularity", "year", "explicit", "words"]),
    ({"artists": None}, ["audio", "genre", "popularity", "year", "explicit", "words"]),
    ({"popularity": None}, ["audio", "artist", "genre", "year", "explicit", "words"]),
    ({"year": None}, ["audio", "artist", "genre", "popularity", "explicit", "words"]),
    (
        dict.fromkeys(["genres", "artists", "popularity", "year", "album", "explicit", "duration_ms"]),
        ["audio", "words"],
    ),
    (dict.fromkeys([*FEATURES, "duration_ms"]), ["artist", "genre", "popularity", "year", "explicit", "words"]),
    (dict.fromkeys([*FEATURES, "duration_ms", "artists"]), ["genre", "popularity", "year", "explicit", "words"]),
]


@pytest.mark.parametrize(("cells", "left"), LACKING, ids=[" ".join(cells) for cells, _ in LACKING])
def test_a_block_that_the_table_says_nothing_about_is_left_out_with_a_note(fitted, cells, left):
    catalog = fitted(invented(**cells))
    assert [block.name for block in space_of(catalog).blocks] == left
    notes = catalog.manifest["data"]["notes"]
    for name in BLOCKS:
        left_out = f"the table says nothing about {name}: that block is left out of the space" in notes
        assert left_out == (name not in left)
    assert recommends(catalog, Seed("", {}, id=catalog.texts("ids")[0]))


def test_without_sound_songs_are_near_by_artist_then_by_artists_who_share_genres_or_songs():
    table = pd.Series(["Ada", "Ada", "Bo", f"Ada{SEPARATOR}Bo", "Cy", None])
    genres = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], float)
    block = artist_signatures(build_incidence(table), genres, 0)
    apart = [float(np.linalg.norm(block[0] - row)) for row in block]
    alike, same_genre, together, other = apart[1:5]
    assert alike == 0 < together < same_genre < other
    assert math.isnan(apart[5])


def test_without_sound_an_artists_songs_come_first(tmp_path):
    rows = [{name: row[name] for name in ("id", "name", "artists", "genres")} for row in world.rows()]
    made = fit(FitOptions([str(tables.write(tmp_path / "songs.csv", rows))]), tmp_path / "out")
    found = recommend(made, Query((Seed("", {}, id="metal-1"),))).recommendations
    assert made.texts("ids")[found[0].row] == "metal-2"


def test_a_constant_column_has_no_weight_and_a_note(fitted):
    catalog = fitted(invented(energy=0.5))
    assert catalog.manifest["data"]["notes"] == [
        "'energy' is missing or the same in every song: it has no weight in the space"
    ]
    place_of_energy = [name for name, *_ in AUDIO_COLUMNS].index("energy")
    space = space_of(catalog)
    assert [place for place, spread in enumerate(space.spread) if spread == 0] == [
        place_of_energy,
        space.block("artist").start + place_of_energy,
    ]
    assert recommends(catalog, Seed("", {}, features={"valence": 0.5}))


def test_a_song_that_lacks_a_feature_gets_the_mean_and_keeps_the_block(fitted):
    table = invented()
    table.loc[:9, "energy"] = np.nan
    catalog = fitted(table)
    rows = np.flatnonzero(np.isnan(catalog.attribute("energy")))
    assert len(rows) == 10
    energy = catalog.array("vectors")[:, 0].astype(np.int64)
    others = np.setdiff1d(np.arange(len(catalog)), rows)
    assert energy[rows] == pytest.approx([energy[others].mean()] * 10, abs=1)
    assert (catalog.array("present")[rows] & 1 == 1).all()


def test_a_heap_at_popularity_0_lacks_the_block_but_for_versions_of_a_known_song(fitted):
    table = invented()
    table.loc[::5, "popularity"] = 0
    known = table[table["popularity"] > 0].iloc[0]
    table.loc[0, ["name", "artists"]] = f"{known['name']} - Remastered", known["artists"]
    catalog = fitted(table)
    rows = np.argsort(catalog.array("source_rows"))
    popularity, block = catalog.attribute("popularity")[rows], space_of(catalog).block("popularity")
    has_block = catalog.array("present")[rows] >> BLOCKS.index("popularity") & 1 == 1
    assert popularity[0] == known["popularity"] - 1
    assert not np.isnan(popularity).any(where=~(table["popularity"] == 0).to_numpy())
    assert np.isnan(popularity).sum() > 20
    np.testing.assert_array_equal(has_block, ~np.isnan(popularity))
    vectors = catalog.array("vectors")[rows][:, block.columns].astype(int)
    np.testing.assert_allclose(vectors[0], vectors[known.name], atol=10)  # of 255 codes


def test_a_song_that_lacks_a_block_is_placed_in_the_middle_and_flagged(world_catalog):
    ids = world_catalog.texts("ids")
    unheard = next(row for row in range(len(ids)) if ids[row] == "piano-5")
    bits = {block.name: bit for bit, block in enumerate(space_of(world_catalog).blocks)}
    present = world_catalog.array("present")
    missing = {name for name, bit in bits.items() if not present[unheard] >> bit & 1}
    assert missing == {"audio"}
    assert {int(value) for value in np.delete(present, unheard)} == {2 ** len(bits) - 1}
