"""The artists of the Spotify dialect: found by words, and with their songs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segue.catalog.lookup.words import artist_index
from segue.catalog.normalization import normalized


@given(st.text("abeé !", min_size=1, max_size=4))
def test_artists_are_found_by_the_beginnings_of_their_words(world_catalog, text):
    known, words = artist_index(world_catalog), normalized(text)
    by_hand = [row for row, name in enumerate(known.names) if f" {name}".find(f" {words}") >= 0]
    found = known.containing(words).tolist()
    assert sorted(found) == by_hand
    exact = [row for row in by_hand if known.names[row] == words]
    assert found[: len(exact)] == exact


def test_the_songs_of_artists_and_the_artists_of_songs_belong_together(world_catalog):
    known, by = artist_index(world_catalog), world_catalog.lists("song", "artists")
    for artist in range(len(known.names)):
        songs = [row for row in range(len(world_catalog)) if artist in by[row]]
        assert sorted(known.songs_of([artist]).tolist()) == songs
        only = np.zeros(len(world_catalog), bool)
        only[songs] = True
        assert set(np.flatnonzero(known.having_any(only))) == {one for row in songs for one in by[row].tolist()}
