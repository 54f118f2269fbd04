"""The artists of the Spotify dialect: found by words, and with their songs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.catalog.lookup.words import artist_index
from segue.catalog.normalization import normalized
from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.dialects import client_of, names


@given(st.text("abeé !", min_size=1, max_size=4))
def test_artists_are_found_by_the_beginnings_of_their_words(world_catalog, text):
    known, words = artist_index(world_catalog), normalized(text)
    by_hand = [row for row, name in enumerate(known.names) if f" {name}".find(f" {words}") >= 0]
    found = known.containing(words).tolist()
    assert sorted(found) == by_hand


def test_artists_who_share_a_name_come_first_the_closest_spelling_before_the_others(tmp_path):
    rows = world.rows()
    for row, artist in zip(rows, ("Snot Nose", "SNOT", "Snot", "snot!", "Snot", "The Snot")):
        row["artists"] = artist
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "artifacts")
    client = client_of(tmp_path / "artifacts")
    for query, expected in {
        "artist:SNOT": ["SNOT", "Snot", "snot!"],
        "Snot": ["Snot", "SNOT", "snot!"],
        "snot!": ["snot!", "Snot", "SNOT"],
    }.items():
        found = client.get("/v1/search", query_string={"q": query, "type": "artist"}).json["artists"]["items"]
        assert names(found)[:3] == expected, query
        assert sorted(names(found)[3:]) == ["Snot Nose", "The Snot"]


def test_the_songs_of_artists_and_the_artists_of_songs_belong_together(world_catalog):
    known, by = artist_index(world_catalog), world_catalog.lists("song", "artists")
    for artist in range(len(known.names)):
        songs = [row for row in range(len(world_catalog)) if artist in by[row]]
        assert sorted(known.songs_of([artist]).tolist()) == songs
        only = np.zeros(len(world_catalog), bool)
        only[songs] = True
        assert set(np.flatnonzero(known.having_any(only))) == {one for row in songs for one in by[row].tolist()}
