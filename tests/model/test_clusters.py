"""Cells and clusters, and names that a listener would use."""

import re

import numpy as np
import pandas as pd
import pytest

from segue import catalog as catalogs
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.fit import FitOptions, fit
from segue_build.model import cluster_names
from segue_build.model.clustering import MAX_CLUSTERS, _assign_cells, cluster_songs, grid_scale
from segue_build.model.embedding import fit_ranks
from segue_build.model.incidence import build_incidence
from segue_build.sources.multivalue import SEPARATOR
from tests.support import tables, world


def blobs(count, each, spread=0.01):
    """Points round a few centres that lie far apart."""
    dice = np.random.default_rng(0)
    centres = 10 * dice.normal(size=(count, 8))
    return (np.repeat(centres, each, axis=0) + spread * dice.normal(size=(count * each, 8))).astype(np.float32)


@pytest.mark.parametrize("n_songs", [10, 100, 1000, 5000])
def test_there_are_about_four_cells_for_each_root_of_the_songs(n_songs):
    vectors = np.random.default_rng(0).normal(size=(n_songs, 8)).astype(np.float32)
    found = cluster_songs(vectors, 0)
    assert len(found.cluster_of_cell) == pytest.approx(min(4 * n_songs**0.5, n_songs), rel=0.1, abs=1)
    assert found.cluster_of_cell.max() < MAX_CLUSTERS


def test_every_song_is_in_a_cell_no_cell_is_empty_and_cells_of_a_cluster_are_neighbours():
    found = cluster_songs(blobs(12, 50), 0)
    assert sorted(set(found.cell_of_song)) == list(range(len(found.cluster_of_cell)))
    assert found.cluster_of_cell.tolist() == sorted(found.cluster_of_cell)
    assert sorted(set(found.cluster_of_cell)) == list(range(found.cluster_of_cell.max() + 1))


def test_groups_that_lie_far_apart_are_never_in_one_cluster():
    found = cluster_songs(blobs(4, 100), 0)
    groups = found.cluster_of_cell[found.cell_of_song].reshape(4, 100)
    assert not any(set(groups[a]) & set(groups[b]) for a in range(4) for b in range(a))


@pytest.mark.parametrize("n_songs", [1, 2, 10, 300])
def test_songs_that_are_all_alike_are_one_cell(n_songs):
    found = cluster_songs(np.ones((n_songs, 4), np.float32), 0)
    assert (set(found.cell_of_song), found.cluster_of_cell.tolist()) == ({0}, [0])


@pytest.fixture
def crowd():
    """Songs without any order, of which two in five teach where the cells are."""
    return np.random.default_rng(0).normal(size=(2_500, 6)).astype(np.float32)


def test_songs_that_taught_nothing_are_in_the_nearest_cell_too(crowd, monkeypatch):
    monkeypatch.setattr("segue_build.model.clustering.TRAINING_SONGS", 1_000)
    weights = np.array([1, 2, 0.5, 1, 1, 1], np.float32)
    labels, centroids = _assign_cells(crowd, weights, 100, 0)
    gaps = (np.rint(crowd * grid_scale(crowd, weights))[:, None, :] - centroids) ** 2
    assert (labels == gaps.sum(axis=2).argmin(axis=1)).all()


def test_cells_learned_from_a_sample_are_nearly_as_tight(crowd, monkeypatch):
    def spread():
        cells = pd.Series(cluster_songs(crowd, 0).cell_of_song)
        return ((crowd - pd.DataFrame(crowd).groupby(cells).transform("mean")) ** 2).to_numpy().mean()

    whole = spread()
    monkeypatch.setattr("segue_build.model.clustering.TRAINING_SONGS", 1_000)
    monkeypatch.setattr("segue_build.model.clustering.INIT_SONGS", 200)
    assert spread() < 1.2 * whole


@pytest.mark.parametrize("rows", [1, 77, 2_500])
def test_songs_are_assigned_alike_however_many_at_a_time(crowd, monkeypatch, rows):
    whole = cluster_songs(crowd, 0)
    monkeypatch.setattr("segue_build.model.clustering.CHUNK_ROWS", rows)
    assert cluster_songs(crowd, 0).cell_of_song.tolist() == whole.cell_of_song.tolist()


def test_another_seed_may_find_other_cells_and_the_same_seed_never_does():
    vectors = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    first, again, other = cluster_songs(vectors, 1), cluster_songs(vectors, 1), cluster_songs(vectors, 2)
    assert (first.cell_of_song == again.cell_of_song).all()
    assert (first.cell_of_song != other.cell_of_song).any()


@pytest.fixture(params=["world_artifacts", "demo_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)])
def catalog(request):
    return catalogs.load(request.getfixturevalue(request.param))


def test_clusters_count_every_song_and_tell_where_they_begin(catalog):
    clusters = catalog.manifest["clusters"]
    assert [entry["id"] for entry in clusters] == list(range(len(clusters)))
    assert sum(entry["size"] for entry in clusters) == len(catalog)
    sizes = [entry["size"] for entry in clusters]
    assert [entry["first"] for entry in clusters] == [sum(sizes[:number]) for number in range(len(sizes))]


def spoken_genres(name, genres):
    """The genres that a cluster's name begins with."""
    words = {word for pair in cluster_names.ATTRIBUTE_WORDS.values() for word in pair}  # "acoustic" is a sound too
    return [genre for genre in genres if genre in name.replace(" and ", ", ").split(", ") and genre not in words]


def test_clusters_are_called_by_different_names_made_of_their_own_genres_or_families(catalog):
    clusters = catalog.manifest["clusters"]
    assert len({entry["name"] for entry in clusters}) == len(clusters)
    of_song, genres = catalog.lists("song", "genres"), catalog.manifest["genres"]
    for entry in clusters:
        songs = range(entry["first"], entry["first"] + entry["size"])
        own = {genres[genre] for song in songs for genre in of_song[song]}
        families = {
            word for genre in own for word in re.split("[ -]", cluster_names.FAMILY_ALIASES.get(genre, genre))
        }
        assert set(spoken_genres(entry["name"], genres)) <= own | families


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
def test_no_two_clusters_share_a_name_however_little_there_is_to_tell(rows, tmp_path):
    made = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out")
    called = [entry["name"] for entry in made.manifest["clusters"]]
    assert all(called)
    assert len(set(called)) == len(called)


def called(clusters):
    """Names of clusters that are given as lists of (genres, popularity)."""
    songs = [song for songs in clusters for song in songs]
    frame = pd.DataFrame({"genres": [genres.replace(" ", SEPARATOR) for genres, _ in songs]}, dtype="str")
    frame = frame.assign(**{attribute.name: np.nan for attribute in NUMERIC_ATTRIBUTES})
    frame["popularity"] = [float(popularity) for _, popularity in songs]
    attributes = {name: frame[name].to_numpy(np.float64) for name in cluster_names.ATTRIBUTE_WORDS}
    of_song = np.repeat(np.arange(len(clusters)), [len(songs) for songs in clusters])
    names = cluster_names.name_clusters(attributes, of_song, fit_ranks(frame), build_incidence(frame["genres"]))
    return [name.partition(",")[0] for name in names]


OTHERS = [("polka", 50)] * 12


def test_the_well_known_songs_of_a_cluster_weigh_most_in_its_name():
    assert called([[("drone", 50)] * 5 + [("pop", 50)] * 4, OTHERS])[0] == "drone and pop"
    assert called([[("drone", 1)] * 5 + [("pop", 90)] * 4, OTHERS])[0] == "pop"


def test_genres_of_one_family_are_told_as_the_family():
    metal = [("death-metal", 50), ("black-metal", 50), ("metal", 50)] * 3
    assert called([metal, OTHERS])[0] == "metal"


def test_one_genre_that_outnumbers_its_family_speaks_for_it():
    metal = [("death-metal", 50)] * 9 + [("metal", 50)]
    assert called([metal, OTHERS])[0] == "death-metal"


def test_two_words_for_the_same_songs_are_told_once():
    twins = [("dancehall j-dancehall", 50)] * 6 + [("funk", 50)] * 3
    assert called([twins, OTHERS])[0] == "dancehall and funk"


def test_a_language_or_place_names_a_cluster_only_where_it_dominates():
    mixed = [("turkish", 50)] * 4 + [("anime", 50)] * 3 + [("j-pop", 50)] * 3
    turkish = [("turkish", 50)] * 9 + [("anime", 50)]
    assert called([mixed, OTHERS])[0] == "anime and j-pop"
    assert called([turkish, OTHERS])[0] == "turkish"


def test_a_genre_that_is_as_frequent_everywhere_tells_nothing():
    assert called([[("music folk", 50)] * 5, [("music polka", 50)] * 5]) == ["folk", "polka"]
