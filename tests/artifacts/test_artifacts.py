"""What a fit writes: the same bytes everywhere, and every array as the table in segue/catalog.py states it."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from segue import catalog as catalogs
from segue.catalog import normalization
from segue.catalog.lookup.fuzzy import sort_key
from segue.catalog.remote.blocks import MANIFEST_KEY, BlockIndex, block_count
from segue.engine.space import KNOTS, space_of
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.artifacts.parquet import MAX_ROW_GROUP, row_group_starts
from segue_build.fit import FitOptions, fit
from segue_build.model.weights import WEIGHTS
from segue_build.sources.columns import CANONICAL_COLUMNS
from tests.support import tables, world

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [("work", "songs"), ("song", "artists"), ("artist", "songs"), ("song", "genres"), ("genre", "songs"),
         ("cluster", "songs"), ("trigram", "entries")]  # fmt: skip


@pytest.fixture(
    params=["world_artifacts", "demo_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)],
)
def artifacts(request):
    return catalogs.load(request.getfixturevalue(request.param))


def test_every_array_has_the_shape_that_the_table_states(artifacts):
    n_songs, n_works = len(artifacts), artifacts.manifest["works"]
    n_genres, n_artists = len(artifacts.manifest["genres"]), len(artifacts.texts("artists"))
    space = space_of(artifacts)
    n_dims, n_cells = len(space.spread), len(artifacts.array("cell_clusters"))
    n_centres = len(artifacts.array("pq_centroids"))
    n_records = sum(artifacts.manifest[MANIFEST_KEY]["records"].values())
    n_blocks = sum(map(block_count, BlockIndex(artifacts).arrays.values()))
    songs = ((n_songs,), "i")
    stated = {
        "vectors": ((n_songs, n_dims), "int8"),
        "present": ((n_songs,), "uint16"),
        "recommendable": ((n_songs,), "bool"),
        "pq_codes": ((n_songs, len(space.blocks)), "uint16"),
        "pq_centroids": ((n_centres, n_dims), "int8"),
        "cell_offsets": ((n_cells + 1,), "u"),
        "cell_centroids": ((n_cells, n_dims), "int8"),
        "cell_clusters": ((n_cells,), "i"),
        "cell_local_scales": ((n_cells,), "float32"),
        "local_scales": ((n_songs,), "float32"),
        "map": ((n_songs, 2), "uint16"),
        "works": songs,
        "source_rows": songs,
        "work_offsets": ((n_works + 1,), "u"),
        "work_songs": songs,
        "song_artists_offsets": ((n_songs + 1,), "u"),
        "artist_offsets": ((n_artists + 1,), "u"),
        "song_genres_offsets": ((n_songs + 1,), "u"),
        "genre_offsets": ((n_genres + 1,), "u"),
        "cluster_offsets": ((len(artifacts.manifest["clusters"]) + 1,), "u"),
        "rank_values": ((len(NUMERIC_ATTRIBUTES), KNOTS), "float64"),
        "rank_levels": ((len(NUMERIC_ATTRIBUTES), KNOTS), "float64"),
        "id_hashes": ((n_songs,), "uint64"),
        "id_songs": songs,
        "artist_hashes": ((2 * n_artists,), "uint64"),
        "artist_rows": ((2 * n_artists,), "i"),
        "artist_order": ((n_artists,), "i"),
        "title_order": songs,
        **{f"attribute_{a.name}": ((n_songs,), "f") for a in NUMERIC_ATTRIBUTES},
        "attribute_explicit": ((n_songs,), "float16"),
        **{f"{text}_offsets": ((n_songs + 1,), "u") for text in ("ids", "names")},
        "song_albums": ((n_songs,), "uint32"),
        "artists_offsets": ((n_artists + 1,), "u"),
        "record_offsets": ((n_records + 1,), "i"),
        "record_digests": ((n_records, 32), "uint8"),
        "block_digests": ((n_blocks, 32), "uint8"),
    }
    free = {f"{text}_heap" for text in ("ids", "names", "albums", "artists")}
    free |= {"albums_offsets", "title_hashes", "title_songs", "entry_songs", "trigram_keys", "trigram_offsets"}
    free |= {"record_keys"}
    free |= {f"{owner}_{items}" for owner, items in PAIRS}
    assert {name.stem for name in artifacts.folder.glob("*.npy")} == set(stated) | free
    for name, (shape, kind) in stated.items():
        array = artifacts.array(name)
        assert (name, array.shape) == (name, shape)
        assert kind in (str(array.dtype), array.dtype.kind)


def test_every_file_is_named_by_the_manifest_and_described_by_the_contract(artifacts):
    found = {path.name for path in artifacts.folder.iterdir()}
    assert found == {"manifest.json", *artifacts.manifest["files"]}
    assert {name for name in found if not name.endswith(".npy")} == {"manifest.json", "catalog.parquet"}


def test_offsets_rise_from_0_to_the_end_of_what_they_divide(artifacts):
    pairs = [*PAIRS, *((text, "heap") for text in ("ids", "names", "albums", "artists")), ("cell", None)]
    for owner, items in pairs:
        offsets = artifacts.array(f"{owner}_{items}_offsets" if owner == "song" else f"{owner}_offsets").astype(
            np.int64
        )
        total = len(artifacts.array(f"{owner}_{items}")) if items else len(artifacts)
        assert (owner, offsets[0], offsets[-1]) == (owner, 0, total)
        assert (np.diff(offsets) >= 0).all()


def test_lists_point_at_what_is_there(artifacts):
    ends = {"songs": len(artifacts), "artists": len(artifacts.texts("artists"))}
    ends |= {"genres": len(artifacts.manifest["genres"]), "entries": len(artifacts.array("entry_songs"))}
    for owner, items in PAIRS:
        values = artifacts.array(f"{owner}_{items}")
        assert len(values) == 0 or 0 <= values.min() <= values.max() < ends[items]


def test_lists_of_songs_are_in_the_order_that_they_promise(artifacts):
    popularity = np.nan_to_num(artifacts.attribute("popularity"), nan=-1)
    works, first_artist = artifacts.array("work_songs"), artifacts.lists("song", "artists")
    for versions in np.split(works, artifacts.array("work_offsets")[1:-1].astype(np.int64)):
        assert (np.diff(popularity[versions]) <= 0).all()
        assert len(set(artifacts.array("works")[versions])) == 1
    for artist in range(0, len(artifacts.texts("artists")), 97):
        songs = artifacts.lists("artist", "songs")[artist]
        keys = [(first_artist[song][0] != artist, -popularity[song]) for song in songs]
        assert keys == sorted(keys)


def test_at_most_twenty_songs_of_different_works_stand_for_a_genre(artifacts):
    genres = artifacts.lists("song", "genres")
    for genre in range(len(artifacts.manifest["genres"])):
        songs = artifacts.lists("genre", "songs")[genre]
        assert 1 <= len(songs) <= 20
        assert len(set(artifacts.array("works")[songs])) == len(songs)
        assert all(genre in genres[song] for song in songs)


def test_at_most_twenty_songs_of_its_own_stand_for_a_cluster(artifacts):
    for entry in artifacts.manifest["clusters"]:
        songs = artifacts.lists("cluster", "songs")[entry["id"]]
        assert 1 <= len(songs) <= 20
        assert len(set(artifacts.array("works")[songs])) == len(songs)
        assert all(entry["first"] <= song < entry["first"] + entry["size"] for song in songs)


def test_a_cluster_tells_the_means_of_its_songs_and_the_clusters_near_it(artifacts):
    clusters = artifacts.manifest["clusters"]
    for entry in clusters:
        rows = slice(entry["first"], entry["first"] + entry["size"])
        for name, mean in entry["features"].items():
            assert mean == pytest.approx(
                np.nanmean(artifacts.attribute(name)[rows], dtype=np.float64), rel=1e-3, abs=1e-3
            )
        assert entry["id"] not in entry["near"]
        assert len(set(entry["near"])) == len(entry["near"]) == min(5, len(clusters) - 1)


def test_clusters_near_each_other_are_those_whose_songs_are_alike(demo_catalog):
    space, vectors = space_of(demo_catalog), demo_catalog.array("vectors")
    clusters = demo_catalog.manifest["clusters"]
    centres = np.stack([
        vectors[entry["first"] : entry["first"] + entry["size"]].mean(axis=0) * space.column_weights
        for entry in clusters
    ])  # fmt: skip
    for entry in clusters:
        gaps = np.linalg.norm(centres - centres[entry["id"]], axis=1)
        assert entry["near"] == np.argsort(gaps, kind="stable")[1:6].tolist()


def test_hashes_are_sorted_and_find_their_rows(artifacts):
    for hashes in ("id_hashes", "title_hashes", "artist_hashes"):
        assert (artifacts.array(hashes)[:-1] <= artifacts.array(hashes)[1:]).all()
    ids, rows = artifacts.texts("ids"), artifacts.array("id_songs")
    for place in range(0, len(artifacts), 1 + len(artifacts) // 200):
        assert normalization.hash64(ids[rows[place]]) == artifacts.array("id_hashes")[place]


@pytest.mark.parametrize(("texts", "order"), [("names", "title_order"), ("artists", "artist_order")])
def test_titles_and_artists_are_in_the_order_of_their_names_as_they_are_typed(artifacts, texts, order):
    named, rows = artifacts.texts(texts), artifacts.array(order)
    keys = [sort_key(named[row]) for row in rows]
    assert keys == sorted(keys)
    assert sorted(rows) == list(range(len(named)))


def test_a_centroid_is_the_mean_of_its_cell_in_whole_codes(artifacts):
    offsets = artifacts.array("cell_offsets").astype(np.int64)
    means = [artifacts.array("vectors")[first:last].mean(axis=0) for first, last in itertools.pairwise(offsets)]
    assert np.abs(artifacts.array("cell_centroids") - np.stack(means)).max() <= 0.5


def test_ranks_curves_rise(artifacts):
    for name in ("rank_values", "rank_levels"):
        assert (np.diff(artifacts.array(name), axis=1) >= 0).all()


def test_the_parquet_file_holds_the_same_songs_in_the_same_rows(artifacts):
    table = pq.ParquetFile(artifacts.folder / "catalog.parquet").read().to_pydict()
    offsets = artifacts.array("cell_offsets").astype(np.int64)
    cells = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    assert table["cell"] == cells.tolist()
    assert table["cluster"] == artifacts.array("cell_clusters")[cells].tolist() == sorted(table["cluster"])
    for column, texts in (("id", "ids"), ("name", "names"), ("album", "albums")):
        stored = artifacts.texts(texts)
        assert [text or "" for text in table[column]] == [stored[row] for row in range(len(stored))]
    for attribute in NUMERIC_ATTRIBUTES:
        expected = np.array([np.nan if value is None else value for value in table[attribute.name]], np.float32)
        np.testing.assert_array_equal(artifacts.attribute(attribute.name).astype(np.float32), expected)
    artists, by = artifacts.texts("artists"), artifacts.lists("song", "artists")
    assert [row or [] for row in table["artists"]] == [[artists[a] for a in by[s]] for s in range(len(artifacts))]


def test_row_groups_are_small_and_stay_within_a_cluster(artifacts):
    file = pq.ParquetFile(artifacts.folder / "catalog.parquet")
    groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert max(groups) <= MAX_ROW_GROUP
    assert artifacts.manifest["row_groups"] == [0, *np.cumsum(groups)[:-1].tolist()]
    clusters = [file.read_row_group(group, ["cluster"])["cluster"].unique() for group in range(len(groups))]
    assert all(len(found) == 1 for found in clusters)


def test_large_clusters_are_cut_into_row_groups():
    clusters = np.cumsum([0, 5, 2 * MAX_ROW_GROUP + 1, MAX_ROW_GROUP])
    assert row_group_starts(clusters) == [0, 5, 5 + MAX_ROW_GROUP, 5 + 2 * MAX_ROW_GROUP, 6 + 2 * MAX_ROW_GROUP]


def test_the_parquet_file_has_tidy_columns_then_cluster_and_cell_then_the_others(tmp_path):
    rows = tables.songs(12, label="Quiet Tapes", cluster="mine", cell=3)
    made = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out")
    table = pq.ParquetFile(made.folder / "catalog.parquet").read()
    assert table.column_names == [
        *CANONICAL_COLUMNS,
        "cluster",
        "cell",
        "release_date",
        "label",
        "source_cluster",
        "source_cell",
    ]
    others = table.select(["label", "source_cluster", "source_cell"]).to_pylist()
    assert others == [{"label": "Quiet Tapes", "source_cluster": "mine", "source_cell": 3}] * 12


def test_the_manifest_begins_with_the_format_and_tells_what_was_fitted(artifacts):
    manifest = artifacts.manifest
    assert list(manifest) == [
        "format", "songs", "recommendable", "works", "space", "genres", "attributes", "has_explicit", "clusters",
        "row_groups", "records", "search", "quality", "invented", "data", "parameters", "libraries", "files",
    ]  # fmt: skip
    assert manifest["recommendable"] == artifacts.array("recommendable").sum()
    assert manifest["genres"] == sorted(manifest["genres"])
    assert re.fullmatch("[0-9a-f]{64}", manifest["data"]["fingerprint"])
    assert manifest["parameters"] == {
        "columns": {},
        "strict": False,
        "seed": 0,
        "fold": None,
        "shares": WEIGHTS,
        "playlists": None,
    }


def test_the_manifest_tells_no_path_and_no_time(artifacts):
    text = json.dumps(artifacts.manifest)
    assert str(Path.home()) not in text
    assert str(ROOT) not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_no_code_ever_lets_numpy_unpickle():
    sources = [*ROOT.glob("functions/**/*.py"), *ROOT.glob("build/*.py")]
    assert not [path.name for path in sources if re.search(r"allow_pickle\s*=\s*True", path.read_text("utf-8"))]


def test_the_world_has_the_songs_works_and_groups_that_were_put_in(world_catalog):
    manifest = world_catalog.manifest
    counts = {name: manifest[name] for name in ("songs", "works", "recommendable", "genres", "invented")}
    assert counts == {
        "songs": 14,
        "works": 13,
        "recommendable": 13,
        "genres": sorted(world.GROUPS),
        "invented": False,
    }


@pytest.mark.slow
def test_the_real_tracks_fit_into_45_megabytes(real_artifacts):
    found = catalogs.load(real_artifacts)
    assert sum(path.stat().st_size for path in found.folder.iterdir()) < 45_000_000
    manifest = found.manifest
    counts = (manifest["songs"], manifest["songs"] - manifest["recommendable"], len(manifest["genres"]))
    assert counts == (89_740, 157, 114)
    assert 77_000 < manifest["works"] < 78_000
