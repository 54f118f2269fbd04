"""Names of clusters, and the songs that stand for them: what a listener would say and know."""

import numpy as np
import pandas as pd
import pytest

from segue_build.fit import FitOptions, fit
from segue_build.model.cluster_names import (
    ATTRIBUTE_WORDS,
    MORE,
    ClusterNamer,
    SongFacts,
    covering_genres,
    songs_of_clusters,
    songs_of_genres,
)
from segue_build.model.incidence import build_incidence
from segue_build.sources.multivalue import SEPARATOR
from tests.support import tables, world


def incidence(songs):
    """The genres of songs, each a text; an empty one: unknown."""
    texts = [text.replace(" ", SEPARATOR) or None for text in songs]
    return build_incidence(pd.Series(texts, dtype="str"))


def names(*clusters, unclear=None, previous=None, **ranks):
    """Names of clusters that are given as lists of genres, a text for each song; ranks: one for all songs of each."""
    songs = [genres for cluster in clusters for genres in cluster]
    sizes = [len(cluster) for cluster in clusters]
    groups = np.split(np.arange(len(songs)), np.cumsum(sizes)[:-1])
    unknown = [np.nan] * len(sizes)
    known = {name: np.repeat(np.asarray(ranks.get(name, unknown), float), sizes) for name in ATTRIBUTE_WORDS}
    options = {"unclear": unclear} if unclear else {}
    namer = ClusterNamer(known, incidence(songs))
    return [name.text for name in namer.names(groups, previous or [None] * len(groups), **options)]


def test_genres_are_named_by_how_many_songs_they_add_most_first():
    assert names(["drone"] * 5 + ["pop"] * 4, ["polka"] * 3) == ["drone and pop", "polka"]
    assert names(["a"] * 5 + ["b"] * 4 + ["c"] * 3) == ["a, b and c"]


def test_a_genre_whose_songs_another_one_says_already_is_not_named():
    assert names(["dancehall j-dancehall"] * 6 + ["funk"] * 3) == ["dancehall and funk"]


def test_a_genre_of_few_songs_is_not_named():
    assert names(["house"] * 90 + ["tango"] * 10) == ["house"]


def test_a_fourth_genre_is_named_where_three_say_fewer_than_half():
    many = [genre for genre in "abcdefgh" for _ in range(2)]
    assert names(many) == ["a, b, c and d"]


def test_what_no_few_genres_say_is_called_mixed_and_a_family_names_its_largest():
    many = ["a"] * 8 + ["b"] * 6 + [f"rare{number}" for number in range(26)]
    assert names(many) == ["mixed: a and b"]
    assert names(many, unclear=MORE) == ["a, b and more"]


def test_words_for_the_sound_tell_clusters_of_the_same_genres_apart():
    assert names(["house"] * 9, ["house"] * 9, energy=[0.2, 0.8]) == ["house, calm", "house, energetic"]
    assert names(["house techno"] * 9, ["polka"] * 9, energy=[0.2, 0.8]) == ["house", "polka"]


def test_clusters_that_nothing_tells_apart_are_numbered():
    assert names(["house"] * 9, ["house"] * 9, energy=[0.5, 0.5]) == ["house", "house (2)"]


def test_without_genres_plain_words_say_how_a_cluster_sounds():
    calm, loud = names([""] * 9, [""] * 9, energy=[0.1, 0.9], acousticness=[0.8, 0.2], tempo=[0.3, 0.5])
    assert (calm, loud) == ("calm, acoustic, slow", "energetic")


def test_no_name_is_that_of_another_cluster_in_another_order():
    calm, acoustic = names([""] * 9, [""] * 9, energy=[0.1, 0.2], acousticness=[0.8, 0.9], tempo=[0.3, 0.3])
    assert (calm, acoustic) == ("calm, acoustic, slow", "acoustic, calm")


def test_where_neither_genres_nor_sound_say_anything_a_cluster_is_mixed():
    assert names([""] * 9, [""] * 9) == ["mixed", "mixed (2)"]


def test_where_most_songs_have_no_genre_the_few_that_do_name_nothing():
    assert names(["polka"] * 4 + [""] * 6, energy=[0.9]) == ["energetic"]


def test_no_name_says_that_songs_are_well_known():
    assert not {"well known", "little known"} & {word for pair in ATTRIBUTE_WORDS.values() for word in pair}


def test_the_name_of_the_version_before_is_kept_while_it_says_as_much():
    before = {"name": "pop and drone", "named": ["pop", "drone"]}
    assert names(["drone"] * 5 + ["pop"] * 4, previous=[before]) == ["pop and drone"]
    held = {"name": "pop", "named": ["pop"]}
    assert names(["pop soul"] * 19 + ["soul"], previous=[held]) == ["pop"]
    assert names(["pop soul"] * 9 + ["soul"] * 9, previous=[held]) == ["soul"]


def test_the_share_that_genres_say_counts_songs_without_any():
    found = covering_genres(incidence(["a", "a", "b", ""]).matrix)
    assert (found.genres, found.share) == ([0, 1], 0.75)


def facts(n_songs, vectors=None, analysed=None, occasional=None, artists=None, popularity=None):
    """Facts of songs that differ only in what is given."""
    return SongFacts(
        vectors=np.zeros((n_songs, 2), np.int8) if vectors is None else vectors,
        column_weights=np.ones(2),
        analysed=np.ones(n_songs, bool) if analysed is None else np.array(analysed, bool),
        occasional=np.zeros(n_songs, bool) if occasional is None else np.array(occasional, bool),
        artists=np.arange(n_songs) if artists is None else np.array(artists),
        popularity=np.zeros(n_songs) if popularity is None else np.array(popularity, float),
    )


def test_the_songs_of_a_cluster_are_its_best_known_near_its_middle_one_per_artist():
    vectors = np.concatenate([np.zeros((40, 2)), np.full((40, 2), 50)]).astype(np.int8)
    vectors[:40, 0] = np.arange(40) % 2
    known = facts(80, vectors, artists=np.arange(80) // 2, popularity=np.arange(80.0))
    counts, songs = songs_of_clusters([np.arange(60)], known)
    assert (counts.tolist(), songs.tolist()) == ([20], list(range(39, 0, -2)))


def genre_songs(genres, **known):
    """The songs of each genre, by its name."""
    found = incidence(genres)
    counts, songs = songs_of_genres(found, facts(len(genres), **known))
    return dict(zip(found.names, (part.tolist() for part in np.split(songs, np.cumsum(counts)[:-1]))))


def test_a_genre_is_its_best_known_songs_by_artists_who_mostly_play_it_one_of_each():
    genres = ["jazz", "jazz", "jazz", "jazz", "pop", "pop", "pop"]
    found = genre_songs(genres, artists=[0, 0, 1, 2, 2, 2, 2], popularity=[5, 50, 40, 60, 9, 8, 7])
    assert found == {"jazz": [1, 2, 3], "pop": [4]}


def test_an_artist_of_several_genres_stands_less_for_each_of_them():
    genres = ["latin reggaeton latino pop", "latin", "latin", "pop", "reggaeton"]
    assert genre_songs(genres, popularity=[9, 8, 1, 7, 6])["latin"] == [1, 0, 2]


def test_so_few_songs_stand_for_a_genre_that_all_are_known_in_a_small_one():
    assert genre_songs(["folk"] * 30, popularity=np.arange(30)) == {"folk": list(range(29, 13, -1))}


def test_songs_for_an_occasion_stand_for_no_genre_unless_most_of_it_is_for_one():
    genres, popularity = ["jazz"] * 5 + ["carols"] * 3, [90, 80, 3, 2, 1, 30, 20, 10]
    found = genre_songs(genres, occasional=[1, 1, 0, 0, 0, 1, 1, 0], popularity=popularity)
    assert found == {"jazz": [2, 3, 4], "carols": [5, 6, 7]}


def test_where_nobody_knows_what_is_popular_the_songs_of_a_genre_are_the_nearest_to_its_middle():
    vectors = np.array([[9, 0], [1, 0], [-9, 0], [0, 0], [-3, 0]], np.int8)
    assert genre_songs(["folk"] * 5, vectors=vectors, popularity=[-1] * 5) == {"folk": [3, 1, 4, 2, 0]}


def test_a_song_that_was_not_analysed_stands_for_a_genre_only_where_none_was():
    assert genre_songs(["a", "a", "b"], analysed=[1, 0, 0]) == {"a": [0], "b": [2]}


def test_genres_of_songs_without_artists_have_songs():
    assert genre_songs(["a", "a", "b"], artists=[-1, -1, -1], popularity=[1, 2, 3]) == {"a": [1, 0], "b": [2]}


def test_the_groups_of_the_world_are_called_by_their_genres(world_catalog):
    named = " ".join(entry["name"] for entry in world_catalog.manifest["clusters"])
    assert all(genre in named for genre in world.GROUPS)


@pytest.mark.parametrize(
    "rows",
    [
        tables.songs(60, track_genre=""),
        tables.songs(60),
        [tables.song(n, energy=n / 60, tempo=60 + n, track_genre="") for n in range(60)],
        [tables.song(n, energy=n / 60, tempo=60 + n) for n in range(60)],
        [tables.song(n, energy=n % 2, valence=n % 3 / 2, track_genre="a,b,c") for n in range(60)],
    ],
    ids=["no genres and all alike", "all alike", "no genres", "one genre", "the same genres"],
)
def test_no_two_clusters_or_families_share_a_name_however_little_there_is_to_tell(rows, tmp_path):
    manifest = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out").manifest
    for kind in ("clusters", "families"):
        called = [entry["name"] for entry in manifest[kind]]
        assert all(called)
        assert len({frozenset(name.split(", ")) for name in called}) == len(called)
