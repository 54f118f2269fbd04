"""Clusters, families and cells: what is alike is together, and a later fit gives it the same ids."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from segue import catalog as catalogs
from segue.engine.space import Block, Space
from segue_build.fit import FitOptions
from segue_build.fit import fit as build
from segue_build.model import clustering
from segue_build.model.clustering import (
    MAX_CLUSTERS,
    MIN_COVERAGE,
    PreviousClusters,
    fit_clustering,
    join_families,
    match_ids,
    simplified_silhouette,
)
from segue_build.model.kmeans import grid_scale
from segue_build.sources import demo
from tests.support import tables


def space(width, name="genre"):
    """A space of one block."""
    return Space((Block(name, 0, width, 1.0),), np.ones(width), 1.0, np.zeros(16))


def blobs(count, each, spread=1.0, width=8):
    """int8 points round a few centres that lie far apart, and the centre of each."""
    dice = np.random.default_rng(0)
    centres = dice.uniform(-100, 100, size=(count, width))
    groups = np.repeat(np.arange(count), each)
    return np.rint(centres[groups] + spread * dice.normal(size=(len(groups), width))).astype(np.int8), groups


def genre_matrix(groups):
    """Each song has the genre of its group."""
    return sparse.csr_matrix((np.ones(len(groups)), (np.arange(len(groups)), groups)))


def fit(space, vectors, genres, n_songs, seed=0):
    """The clustering that a sample of songs gives, without a version before."""
    ids = [f"song-{number}" for number in range(len(vectors))]
    return fit_clustering(space, vectors, genres, ids, n_songs, seed, PreviousClusters())


def clustered(vectors, groups=None, seed=0):
    """The clustering of all songs, and the cell and the cluster of each."""
    genres = genre_matrix(np.zeros(len(vectors), int) if groups is None else groups)
    found = fit(space(vectors.shape[1]), vectors, genres, len(vectors), seed)
    cells = found.assign(vectors)
    return found, cells, found.cell_clusters[cells]


@pytest.fixture
def crowd():
    """Songs without any order."""
    return np.rint(30 * np.random.default_rng(0).normal(size=(2_500, 6))).clip(-127, 127).astype(np.int8)


@pytest.mark.parametrize("n_songs", [10, 100, 1000, 5000])
def test_there_are_about_four_cells_for_each_root_of_the_songs(n_songs):
    vectors = np.rint(40 * np.random.default_rng(0).normal(size=(n_songs, 8))).clip(-127, 127).astype(np.int8)
    found, _, _ = clustered(vectors)
    assert len(found.cell_centroids) == pytest.approx(min(4 * n_songs**0.5, n_songs), rel=0.1, abs=1)
    assert len(found.ids) <= min(MAX_CLUSTERS, max(1, n_songs**0.5 / 2 + 1))


def test_every_song_is_in_a_cell_no_cell_is_empty_and_cells_of_a_cluster_are_neighbours(crowd):
    found, cells, _ = clustered(crowd)
    assert sorted(set(cells)) == list(range(len(found.cell_centroids)))
    assert found.cell_clusters.tolist() == sorted(found.cell_clusters)
    assert sorted(set(found.cell_clusters)) == list(range(len(found.ids)))


def test_groups_that_lie_far_apart_are_never_in_one_cluster():
    vectors, groups = blobs(4, 100)
    _, _, clusters = clustered(vectors, groups)
    assert all(len(set(groups[clusters == cluster])) == 1 for cluster in set(clusters))


@pytest.mark.parametrize("n_songs", [1, 2, 10, 300])
def test_songs_that_are_all_alike_are_one_cell_of_one_cluster_of_one_family(n_songs):
    found, cells, clusters = clustered(np.ones((n_songs, 4), np.int8))
    assert (set(cells), set(clusters), found.families.tolist()) == ({0}, {0}, [0])


def test_popularity_and_occasions_part_no_clusters():
    vectors, groups = blobs(3, 200, width=4)
    loud = np.tile([-127, 127], 300)[:, None].astype(np.int8)
    both = Space((Block("genre", 0, 4, 0.2), Block("popularity", 4, 5, 0.8)), np.ones(5), 1.0, np.zeros(16))
    found = fit(both, np.hstack([vectors, loud]), genre_matrix(groups), 600)
    clusters = found.cell_clusters[found.assign(np.hstack([vectors, loud]))]
    assert all({-127, 127} == set(loud[clusters == cluster, 0].tolist()) for cluster in set(clusters))


def test_a_cluster_whose_genres_say_too_little_is_split_where_its_parts_say_more():
    vectors, groups = blobs(2, 300, spread=0.5, width=3)
    genres = genre_matrix(4 * groups + np.arange(600) % 4)
    centroid = np.rint(vectors.mean(axis=0, keepdims=True)).astype(np.float32)
    split = clustering._split_unclear(vectors.astype(np.float32), centroid, genres, 10, 0)
    assert len(split) == 2
    one_genre = genre_matrix(np.zeros(600, int))
    assert len(clustering._split_unclear(vectors.astype(np.float32), centroid, one_genre, 10, 0)) == 1


def test_the_silhouette_is_best_where_the_number_of_clusters_is_right():
    points, _ = blobs(5, 80)
    points = points.astype(np.float32)
    found = {k: simplified_silhouette(points, clustering.kmeans(points, k, 0, 25, 400)) for k in (2, 4, 5, 6, 9)}
    assert max(found, key=found.__getitem__) == 5
    assert all(0 <= value <= 1 for value in found.values())


def test_many_genres_need_more_clusters_than_sound_alone(crowd):
    genres = (crowd[:, :5] > 0) @ (1 << np.arange(5))
    by_sound, by_genres = clustered(crowd)[0], clustered(crowd, genres)[0]
    assert {count: found.silhouette for count, found in by_sound.tried.items()} == {
        count: found.silhouette for count, found in by_genres.tried.items()
    }
    assert by_sound.chosen == max(by_sound.tried, key=lambda count: by_sound.tried[count].silhouette)
    assert by_genres.chosen == max(by_genres.tried, key=lambda count: sum(by_genres.tried[count]))
    assert by_sound.chosen < by_genres.chosen


def test_songs_that_taught_nothing_are_in_the_nearest_cell_of_the_nearest_cluster(crowd):
    found = fit(space(6), crowd[:1_000], genre_matrix(np.zeros(1_000, int)), 2_500)
    cells = found.assign(crowd)
    points = np.rint(crowd * grid_scale(crowd[:1_000], space(6).column_weights))
    nearest = ((points[:, None, :] - found.centroids) ** 2).sum(axis=2).argmin(axis=1)
    assert (found.cell_clusters[cells] == nearest).all()
    gaps = ((points[:, None, :] - found.cell_centroids) ** 2).sum(axis=2)
    gaps[found.cell_clusters[None, :] != nearest[:, None]] = np.inf
    assert (cells == gaps.argmin(axis=1)).all()


def test_cells_learned_from_a_sample_are_nearly_as_tight(crowd):
    def spread(n_sampled):
        found = fit(space(6), crowd[:n_sampled], genre_matrix(np.zeros(n_sampled, int)), 2_500)
        return ((crowd - pd.DataFrame(crowd).groupby(found.assign(crowd)).transform("mean")) ** 2).to_numpy().mean()

    assert spread(1_000) < 1.2 * spread(2_500)


@pytest.mark.parametrize("rows", [13, 77, 2_500])
def test_songs_are_assigned_alike_however_many_at_a_time(crowd, monkeypatch, rows):
    _, whole, _ = clustered(crowd)
    monkeypatch.setattr("segue_build.model.kmeans.CHUNK_ROWS", rows)
    monkeypatch.setattr("segue_build.sources.series.BATCH_ROWS", 500)
    assert clustered(crowd)[1].tolist() == whole.tolist()


def test_the_same_seed_finds_the_same_and_another_one_nearly_the_same():
    vectors, groups = blobs(8, 100, spread=12)
    first, again, other = (clustered(vectors, groups, seed)[2] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert adjusted_rand_score(first, other) > 0.6


def test_families_are_of_neighbours_and_large_clusters_are_joined_late():
    means = np.array([[0.0], [1.0], [10.0], [11.0], [100.0], [101.0], [200.0], [201.0]])
    families, order = join_families(means, np.full(8, 10))
    assert families.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert order.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    means = np.array([[0.0], [4.0], [7.0], [100.0], [104.0], [107.0], [108.0], [109.0]])
    by_size = join_families(means, np.array([1, 100, 100, 1, 1, 1, 1, 1]))[0]
    assert by_size[0] == by_size[1]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_clusters_that_did_not_change_keep_their_ids_whatever_their_new_order(old, dice):
    labels = np.unique(np.array(old), return_inverse=True)[1]
    before = np.array(dice.sample(range(80), int(labels.max()) + 1))
    new_numbers = np.array(dice.sample(range(int(labels.max()) + 1), int(labels.max()) + 1))
    found = match_ids(new_numbers[labels], np.arange(len(new_numbers)), before[labels])
    assert (found[new_numbers] == before).all()


def test_a_new_cluster_takes_an_id_that_none_had_and_without_a_version_before_all_are_numbered():
    labels = np.repeat([0, 1, 2], 10)
    before = np.concatenate([np.full(10, 1), np.full(10, 3), np.full(10, -1)])
    assert match_ids(labels, np.array([0, 1, 2]), before).tolist() == [1, 3, 4]
    assert match_ids(labels, np.array([2, 0, 1]), np.full(30, -1)).tolist() == [2, 0, 1]


def test_ids_and_names_survive_a_table_of_which_a_twentieth_changed(tmp_path):
    songs = pd.concat(demo.demo_chunks(2_000))
    songs = songs.assign(artists=songs["artists"].str.join(";"), genres=songs["genres"].str.join(";"))
    songs.to_csv(tmp_path / "songs.csv", index=False)
    first = build(FitOptions([str(tmp_path / "songs.csv")]), tmp_path / "out").manifest
    songs[np.arange(2_000) % 20 > 0].to_csv(tmp_path / "songs.csv", index=False)
    second = build(FitOptions([str(tmp_path / "songs.csv")]), tmp_path / "out").manifest
    known = {entry["id"]: entry["name"] for entry in first["clusters"]}
    kept = {entry["id"]: entry["name"] for entry in second["clusters"]}.items() & known.items()
    assert len(kept) >= 0.8 * len(known)


def test_fitting_the_same_table_again_makes_the_same_version(tmp_path):
    source = tables.write(tmp_path / "songs.csv", tables.songs(200))
    versions = {build(FitOptions([source]), tmp_path / "out").version for _ in range(2)}
    assert versions == {build(FitOptions([source]), tmp_path / "other").version}


@pytest.fixture(params=["world_artifacts", "demo_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)])
def catalog(request):
    return catalogs.load(request.getfixturevalue(request.param))


def test_clusters_count_every_song_and_tell_where_they_begin(catalog):
    clusters = catalog.manifest["clusters"]
    ids = [entry["id"] for entry in clusters]
    assert ids == sorted(set(ids))
    sizes = [entry["size"] for entry in clusters]
    assert sum(sizes) == len(catalog)
    assert [entry["first"] for entry in clusters] == [sum(sizes[:number]) for number in range(len(sizes))]


def test_every_cluster_is_in_one_family_which_counts_its_songs(catalog):
    families, clusters = catalog.manifest["families"], catalog.manifest["clusters"]
    sizes = {entry["id"]: entry["size"] for entry in clusters}
    members = {family["id"]: family["clusters"] for family in families}
    assert {number: [entry["id"] for entry in clusters if entry["family"] == number] for number in members} == members
    counted = [sum(sizes[number] for number in family["clusters"]) for family in families]
    assert counted == [family["size"] for family in families]


@pytest.mark.slow
def test_the_names_of_clusters_of_the_real_tracks_say_what_their_songs_are(real_artifacts):
    catalog = catalogs.load(real_artifacts)
    genres, of_song, covered = catalog.manifest["genres"], catalog.lists("song", "genres"), []
    for entry in catalog.manifest["clusters"]:
        codes = {genres.index(name) for name in entry["named"]}
        songs = range(entry["first"], entry["first"] + entry["size"])
        covered.append(sum(bool(codes & set(of_song[song].tolist())) for song in songs))
        assert covered[-1] >= MIN_COVERAGE * len(songs) or entry["name"].startswith("mixed: ")
    assert sum(covered) >= 0.85 * len(catalog)
