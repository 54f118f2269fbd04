"""What a fit writes: the same bytes everywhere, and every array as segue/catalog/schema.py declares it."""

import itertools
import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from segue import catalog as catalogs
from segue.catalog import normalization, schema
from segue.catalog.normalization import sort_key
from segue.catalog.remote.blocks import LOOKUPS, MANIFEST_KEY, BlockIndex, block_count
from segue.engine.space import KNOTS, space_of
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.artifacts.array_files import save_array
from segue_build.artifacts.parquet import MAX_ROW_GROUP, row_group_starts
from segue_build.fit import FitOptions, fit
from segue_build.model.clustering import browsing_weights
from segue_build.model.weights import WEIGHTS
from segue_build.sources.columns import CANONICAL_COLUMNS
from tests.support import tables, world

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [pair for pair in schema.LISTS if pair[1] != "heap" and pair[0] != "neighbour"]


@pytest.fixture(
    params=["world_artifacts", "demo_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)],
)
def artifacts(request):
    return catalogs.load(request.getfixturevalue(request.param))


def test_every_array_is_as_the_schema_declares_it(artifacts):
    space, records = space_of(artifacts), artifacts.manifest[MANIFEST_KEY]["records"]
    sizes = {
        "songs": len(artifacts), "works": artifacts.manifest["works"], "genres": len(artifacts.manifest["genres"]),
        "clusters": len(artifacts.manifest["clusters"]), "artists": len(artifacts.texts("artists")),
        "dims": len(space.spread), "blocks": len(space.blocks), "numbers": len(NUMERIC_ATTRIBUTES), "knots": KNOTS,
        "records": sum(records.values()), "lookup records": sum(records[kind] for kind in LOOKUPS),
        "array blocks": sum(map(block_count, BlockIndex(artifacts).arrays.values())),
    }  # fmt: skip
    names = {path.stem for path in artifacts.folder.glob("*.npy")}
    of_some = {name for name in schema.ARRAYS if name.startswith(("neighbour_", "isrc_"))}
    attributes = {f"attribute_{name}" for name in (*(each.name for each in NUMERIC_ATTRIBUTES), "explicit")}
    assert names == set(schema.ARRAYS) - of_some | attributes
    for name in sorted(names):
        array, declared = artifacts.array(name), schema.schema_of(name)
        shape = tuple(map(partial(declared_size, sizes), declared.shape.split(", "), array.shape))
        assert (name, array.shape) == (name, shape)
        assert array.dtype.name in declared.dtype.split()


def declared_size(sizes, axis, size):
    """The declared name of an axis of this size; a size that has no name yet takes it from the first array."""
    parts = re.fullmatch(r"(2 )?([a-z ]+?)( \+ 1)?", axis)
    if not parts or parts[2] in ("items", "bytes"):
        return size if parts else int(axis)
    factor, more = 1 + bool(parts[1]), bool(parts[3])
    return factor * sizes.setdefault(parts[2], (size - more) // factor) + more


def test_arrays_that_are_not_as_declared_are_not_written(tmp_path):
    for name, array in (("works", np.zeros(3)), ("works", np.zeros((3, 2), int)), ("present", np.zeros(3, int))):
        with pytest.raises(ValueError, match=f"{name} is u?int.. of shape"):
            save_array(tmp_path, name, array)
    with pytest.raises(KeyError):
        save_array(tmp_path, "another", np.zeros(3))
    assert not list(tmp_path.iterdir())


def test_every_file_is_named_by_the_manifest_and_described_by_the_contract(artifacts):
    found = {path.name for path in artifacts.folder.iterdir()}
    assert found == {"manifest.json", *artifacts.manifest["files"]}
    assert {name for name in found if not name.endswith(".npy")} == {"manifest.json", "catalog.parquet"}


def test_offsets_rise_from_0_to_the_end_of_what_they_divide(artifacts):
    lists = [names for (owner, _), names in schema.LISTS.items() if owner != "neighbour"]
    for offsets_name, values in [*lists, ("cell_offsets", "works")]:
        offsets = artifacts.array(offsets_name).astype(np.int64)
        assert (values, offsets[0], offsets[-1]) == (values, 0, len(artifacts.array(values)))
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
    block = space_of(artifacts).block("occasion")
    codes = artifacts.array("vectors")[:, block.columns if block else slice(0)]
    for_occasion = (codes > codes.min(axis=0)).any(axis=1)
    for artist in range(0, len(artifacts.texts("artists")), 97):
        songs = artifacts.lists("artist", "songs")[artist]
        keys = [(first_artist[song][0] != artist, for_occasion[song], -popularity[song]) for song in songs]
        assert keys == sorted(keys)


def test_at_most_sixteen_songs_of_different_works_stand_for_a_genre(artifacts):
    genres = artifacts.lists("song", "genres")
    for genre in range(len(artifacts.manifest["genres"])):
        songs = artifacts.lists("genre", "songs")[genre]
        assert 1 <= len(songs) <= 16
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


def test_clusters_near_each_other_are_those_with_similar_songs(demo_catalog):
    space, vectors = space_of(demo_catalog), demo_catalog.array("vectors")
    clusters = demo_catalog.manifest["clusters"]
    centres = np.stack([
        vectors[entry["first"] : entry["first"] + entry["size"]].mean(axis=0) * browsing_weights(space)
        for entry in clusters
    ])  # fmt: skip
    for entry in clusters:
        gaps = np.linalg.norm(centres - centres[entry["id"]], axis=1)
        nearest = np.argsort(gaps, kind="stable")
        assert set(entry["near"][:2]) < set(nearest[1:6].tolist())


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


def test_the_parquet_file_has_tidy_columns_then_cluster_family_and_cell_then_the_others(tmp_path):
    rows = tables.songs(12, label="Quiet Tapes", cluster="mine", cell=3)
    made = fit(FitOptions([tables.write(tmp_path / "songs.csv", rows)]), tmp_path / "out")
    table = pq.ParquetFile(made.folder / "catalog.parquet").read()
    assert table.column_names == [
        *CANONICAL_COLUMNS,
        "cluster",
        "family",
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
        "families", "clusters_chosen", "silhouettes", "coverages", "row_groups", "records", "search", "quality",
        "invented", "data", "parameters", "libraries", "files",
    ]  # fmt: skip
    assert manifest["recommendable"] == artifacts.array("recommendable").sum()
    assert manifest["genres"] == sorted(manifest["genres"])
    assert re.fullmatch("[0-9a-f]{64}", manifest["data"]["fingerprint"])
    assert manifest["parameters"] == {
        "arguments": manifest["parameters"]["arguments"],
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
