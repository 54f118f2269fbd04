"""What a fit can tell of its clusters: figures worked out by hand, and what holds for any."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from segue import catalog
from segue.releases.store import LocalStore
from segue_build.cli import main
from segue_build.fit import FitOptions, fit
from segue_build.model.clustering import PreviousClusters
from segue_build.quality import metrics
from segue_build.quality.metrics import (
    agreement_with_previous,
    cluster_metrics,
    evenness,
    genre_information,
    mutual_information,
    pair_information,
    playlist_pairs,
)
from segue_build.releases.version_history import read_history
from segue_build.sources.playlists import CatalogWorks, Playlists
from tests.support import invented_playlists, tables, world

TABLES = arrays.arrays(np.int64, st.tuples(*[st.integers(1, 5)] * 2), elements=st.integers(0, 9)).filter(np.any)
WORKS = CatalogWorks({}, {}, np.arange(6), ["a", "a", "b", "c", "", "d"])
IDS = list("uvwxyz")


def sparse_genres(*rows):
    return sparse.csr_matrix(np.array(rows, np.float32))


@pytest.mark.parametrize(
    ("counts", "nats"),
    [
        ([[5, 0], [0, 5]], math.log(2)),
        ([[3, 3], [2, 2]], 0),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 2]], 1.5 * math.log(2)),
        ([[7]], 0),
    ],
    ids=["one tells the other", "neither tells anything", "as much as there is to tell", "there is one value"],
)
def test_mutual_information_is_what_one_variable_tells_of_another(counts, nats):
    assert mutual_information(np.array(counts)) == pytest.approx(nats, abs=1e-12)


@given(TABLES)
def test_mutual_information_is_the_same_both_ways_and_no_more_than_either_entropy(counts):
    found = mutual_information(counts)
    assert found == pytest.approx(mutual_information(counts.T), abs=1e-12)
    for axis in (0, 1):
        shares = counts.sum(axis=axis) / counts.sum()
        assert 0 <= found <= -(shares[shares > 0] * np.log(shares[shares > 0])).sum() + 1e-12


def test_the_genres_of_a_song_share_its_weight_and_songs_without_any_have_none():
    clusters = np.array([0, 0, 1, 1, 1])
    genres = sparse_genres([1, 0], [1, 0], [0, 1], [0, 0], [1, 1])
    expected = mutual_information(np.array([[2, 0], [0.5, 1.5]]))
    assert genre_information(clusters, genres) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sizes", "expected"), [([4, 4, 4], 1), ([9], 1), ([3, 1], -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)))]
)
def test_evenness_is_the_entropy_of_the_sizes_by_the_largest_possible(sizes, expected):
    assert evenness(np.array(sizes)) == pytest.approx(expected)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=9))
def test_evenness_has_no_unit_and_does_not_depend_on_the_order(sizes):
    found = evenness(np.array(sizes))
    assert 0 < found <= 1 + 1e-12
    assert found == pytest.approx(evenness(10 * np.array(sizes[::-1])))


def test_pairs_inform_by_the_clusters_that_meet_more_often_than_by_chance():
    clusters = np.array([0, 0, 1, 1])
    assert pair_information(clusters, np.array([[0, 1], [2, 3]])) == pytest.approx(math.log(2))
    assert pair_information(clusters, np.array([[0, 1], [0, 2], [2, 1], [3, 2]])) == pytest.approx(0)
    assert pair_information(clusters, np.empty((0, 2), np.int64)) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_it_does_not_matter_which_song_of_a_pair_comes_first(pairs):
    clusters, pairs = np.array([0, 0, 1, 1, 2, 2]), np.array(pairs)
    assert pair_information(clusters, pairs) == pytest.approx(pair_information(clusters, pairs[:, ::-1]), abs=1e-12)


def test_pairs_are_of_one_playlist_by_different_first_artists_and_of_the_catalogue():
    playlists = Playlists(["p", "q", "r", "s"], [[0, 1, 2, 7], [3, 5], [4], [8, 9]], [*WORKS.artists, *"efgh"], 6)
    found = sorted(map(tuple, playlist_pairs(playlists, WORKS, IDS).tolist()))
    assert found == [(0, 2), (1, 2), (3, 5)]
    turned = dataclasses.replace(playlists, members=[members[::-1] for members in playlists.members])
    assert sorted(map(tuple, playlist_pairs(turned, WORKS, IDS).tolist())) == found


def test_a_long_playlist_counts_no_more_than_others():
    artists = [str(number) for number in range(200)]
    works = CatalogWorks({}, {}, np.arange(200), artists)
    found = playlist_pairs(Playlists(["long"], [list(range(200))], artists, 200), works, artists)
    assert len({tuple(pair) for pair in found.tolist()}) == metrics.PAIRS == len(found)


def test_clusters_of_a_world_whose_genres_are_its_groups_are_named_by_what_all_songs_are(world_catalog):
    found = cluster_metrics(world_catalog, 0)
    assert list(found) == ["name_coverage", "lowest_coverage", "genre_information", "evenness", "stability"]
    assert found == pytest.approx(world_catalog.manifest["quality"]["clusters"])
    assert (found["name_coverage"], found["lowest_coverage"]) == (1, 1)


def test_names_cover_the_songs_that_have_a_genre_which_they_say(world_catalog):
    """As by hand, and a cluster that is called mixed is not the worst."""
    first, *others = world_catalog.manifest["clusters"]
    clusters = [first | {"name": "mixed: metal", "named": []}, *others]
    edited = catalog.Catalog(world_catalog.folder, world_catalog.manifest | {"clusters": clusters})
    found = cluster_metrics(edited, 0)
    assert found["name_coverage"] == pytest.approx(1 - first["size"] / len(world_catalog))
    assert found.get("lowest_coverage", 1) == 1
    clusters[0] |= {"name": "metal"}
    edited = catalog.Catalog(world_catalog.folder, world_catalog.manifest | {"clusters": clusters})
    assert cluster_metrics(edited, 0)["lowest_coverage"] == 0


def test_figures_of_clusters_are_the_same_each_time(demo_catalog):
    assert cluster_metrics(demo_catalog, 3) == cluster_metrics(demo_catalog, 3)


def test_without_genres_names_are_not_judged(tmp_path):
    rows = [{name: cell for name, cell in row.items() if name != "track_genre"} for row in tables.songs(60)]
    made = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out")
    assert set(made.manifest["quality"]["clusters"]) == {"evenness", "stability"}


def test_a_fit_tells_how_far_its_clusters_are_those_of_the_version_before(tmp_path, capsys):
    rows = world.rows()
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows))]), tmp_path / "out")
    assert "of ids kept" not in capsys.readouterr().err
    fit(FitOptions([str(world.write(tmp_path / "world.csv", rows[1:]))]), tmp_path / "out")
    told = "clusters: 100% of ids kept, adjusted Rand index with the version before 1.00"
    assert told in capsys.readouterr().err.splitlines()
    first, second = read_history(LocalStore(tmp_path / "out"))
    assert "clusters_kept" not in first
    assert (second["clusters_kept"], second["clusters_agreement"]) == (1, 1)


def test_a_version_of_other_songs_has_nothing_to_agree_on(world_catalog, demo_catalog):
    assert agreement_with_previous(world_catalog, PreviousClusters(demo_catalog)) is None
    assert agreement_with_previous(world_catalog, PreviousClusters()) is None


def test_playlists_judge_clusters_in_a_fit_and_in_an_evaluation(tmp_path, capsys):
    artifacts = invented_playlists.teach_world(tmp_path, fold=0)
    judged = catalog.load(artifacts).manifest["quality"]["clusters"]
    assert judged["pair_information"] >= 0
    capsys.readouterr()
    command = [
        "evaluate",
        "--artifacts",
        str(artifacts),
        "--playlists",
        str(tmp_path / "playlists.csv"),
        "--fold",
        "0",
    ]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clusters"] == pytest.approx(judged)
    assert main(command) == 0
    assert "pair_information " in capsys.readouterr().out
