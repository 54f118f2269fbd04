"""The Spark engine: what it writes, and fits on a real cluster of a master and two workers on loopback."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.catalog import Catalog, load, verify
from segue.catalog.lookup.exact import song_by_id
from segue.engine.space import space_of
from segue_build.artifacts.array_files import NpyFolderWriter, RaggedWriter
from segue_build.fit import FitOptions, fit
from segue_build.sources import demo
from segue_build.spark.lookups import list_runs, to_signed, to_unsigned
from tests.support.spark_cluster import Cluster, end, needs_spark, started

SONGS = 2_000
COMPOSED = {
    "Clair de Lune, L. 32": "Clair de lune",
    "Clair de lune - Live": "Clair de lune",
    "Suite bergamasque, L. 75: III. Clair de lune": "Clair de lune",
    "Für Elise, WoO 59": "Für Elise",
    'Bagatelle in A Minor, WoO 59 "Für Elise"': "Für Elise",
    "Für Elise": "Für Elise",
    "The Swan": "The Swan",
    "Carnival: The Swan": "The Swan",
    "The Carnival of the Animals, R. 125: XIII. The Swan": "The Swan",
    "Piano Sonata": "any",
    "Piano Sonata, Op. 1": "one",
    "Piano Sonata, Op. 2": "another",
    "Sonata, K. 280: I. Allegro assai": "a movement",
    "Concerto, K. 488: III. Allegro assai": "another's movement",
}
"""Titles of one composer's, and of which work each is."""
COMPOSED_ROWS = 7 * np.arange(len(COMPOSED))


@pytest.mark.parametrize("parts", [[3], [1, 2, 0, 4]])
def test_files_that_grow_are_those_that_numpy_saves(tmp_path, parts):
    runs = [np.arange(12 * size, dtype=np.uint16).reshape(-1, 12) for size in parts]
    with NpyFolderWriter(tmp_path) as columns:
        for run in runs:
            columns.append("pq_codes", run)
    np.save(tmp_path / "saved.npy", np.concatenate(runs))
    assert (tmp_path / "pq_codes.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes()


def test_lists_that_grow_have_offsets_of_the_smallest_type(tmp_path):
    lists = RaggedWriter(tmp_path, "song", "artists")
    lists.append(np.array([2, 0]), np.array([7, 8]))
    lists.append(np.array([1]), np.array([9]))
    lists.close()
    offsets = np.load(tmp_path / "song_artists_offsets.npy")
    assert (offsets.tolist(), offsets.dtype) == ([0, 2, 2, 3], np.uint32)
    assert np.load(tmp_path / "song_artists.npy").tolist() == [7, 8, 9]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["song_artists.npy", "song_artists_offsets.npy"]


@pytest.mark.parametrize("cuts", [[], [1], [3], [2, 4], [1, 2, 3, 4, 5]])
def test_lists_that_batches_cut_are_whole(cuts):
    rows = pa.table({"owner": [0, 0, 0, 1, 2, 2], "item": [5, 6, 7, 8, 9, 4]})
    ends = [0, *cuts, len(rows)]
    found = list(list_runs(rows.slice(first, last - first) for first, last in itertools.pairwise(ends)))
    owners, lengths, items = (np.concatenate(parts).tolist() for parts in zip(*found))
    assert (owners, lengths, items) == ([0, 1, 2], [3, 1, 2], [5, 6, 7, 8, 9, 4])


def test_digests_keep_their_order_as_signed_numbers():
    digests = np.array([0, 1, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)
    assert (np.diff(to_signed(digests).astype(object)) > 0).all()
    assert to_unsigned(to_signed(digests)).tolist() == digests.tolist()


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented catalogue in three parts, with a composer's pieces; some rows repeat a song for another genre."""
    folder = tmp_path_factory.mktemp("spark") / "songs"
    folder.mkdir()
    frame = pd.concat(demo.demo_chunks(SONGS), ignore_index=True)
    for row, title in zip(COMPOSED_ROWS, COMPOSED):
        frame.at[row, "name"], frame.at[row, "artists"] = title, ["Composer"]
    again = frame.iloc[::10].assign(genres=[["second helping"]] * len(frame.iloc[::10]))
    frame = pd.concat([frame, again], ignore_index=True).assign(label="Quiet Tapes")
    for number, part in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[part].to_parquet(folder / f"part-{number}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("workers"), 2)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def fitted(songs: Path, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The catalogue as the cluster fits it."""
    out = tmp_path_factory.mktemp("fitted")
    process = started(songs, out, "--master", cluster.master)
    _, told = process.communicate()
    assert process.returncode == 0, told
    return load(out)


@pytest.fixture(scope="module")
def expected(songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The same as one machine fits it."""
    return fit(FitOptions([str(songs)]), tmp_path_factory.mktemp("expected"))


@needs_spark
@pytest.mark.slow
def test_both_engines_keep_the_same_songs(fitted, expected):
    verify(fitted.folder, fitted.version)
    assert set(fitted.manifest["files"]) == set(expected.manifest["files"])
    for name in ("songs", "works", "recommendable", "genres", "attributes", "has_explicit"):
        assert fitted.manifest[name] == expected.manifest[name], name
    facts, others = fitted.manifest["data"], expected.manifest["data"]
    assert {**facts, "fingerprint": None} == {**others, "fingerprint": None}
    tables = [
        pq.read_table(one.folder / "catalog.parquet").drop_columns(["cluster", "cell"]) for one in (fitted, expected)
    ]
    found, wanted = (table.to_pandas().sort_values("id", ignore_index=True) for table in tables)
    assert tables[0].schema == tables[1].schema
    pd.testing.assert_frame_equal(found, wanted)


@needs_spark
@pytest.mark.slow
def test_both_engines_take_pieces_of_one_name_for_one_work(fitted, expected):
    works = [one.array("works")[np.argsort(one.array("source_rows"))] for one in (fitted, expected)]
    found, wanted = (pd.factorize(numbers)[0] for numbers in works)
    assert found.tolist() == wanted.tolist()
    composed = pd.Series(COMPOSED)
    assert pd.factorize(found[COMPOSED_ROWS])[0].tolist() == pd.factorize(composed)[0].tolist()


@needs_spark
@pytest.mark.slow
def test_both_engines_place_songs_alike(fitted, expected):
    assert [block.name for block in space_of(fitted).blocks] == [block.name for block in space_of(expected).blocks]
    orders = [np.argsort(one.array("source_rows")) for one in (fitted, expected)]
    vectors, others = (one.array("vectors")[order].astype(int) for one, order in zip((fitted, expected), orders))
    assert (vectors == others).mean() > 0.999
    for name in ("present", "recommendable"):
        assert np.array_equal(*(one.array(name)[order] for one, order in zip((fitted, expected), orders))), name


@needs_spark
@pytest.mark.slow
def test_arrays_have_the_types_and_shapes_of_the_single_machine(fitted, expected):
    free = ("cell_", "trigram", "cluster_", "genre_")  # as long as cells and typical songs make them
    for name in sorted(name.removesuffix(".npy") for name in expected.manifest["files"] if name.endswith(".npy")):
        found, wanted = fitted.array(name), expected.array(name)
        assert found.dtype == wanted.dtype, name
        if not name.startswith(free):
            assert found.shape == wanted.shape, name


@needs_spark
@pytest.mark.slow
def test_songs_are_found_and_lead_back(fitted):
    for row in range(0, SONGS, 97):
        song, name = fitted.texts("ids")[row], fitted.texts("names")[row]
        assert song_by_id(fitted, song) == row
        works = fitted.array("works")
        assert row in fitted.lists("work", "songs")[int(works[row])]
        for artist in fitted.lists("song", "artists")[row]:
            assert row in fitted.lists("artist", "songs")[int(artist)], name
    offsets = fitted.array("cell_offsets")
    assert (offsets[0], offsets[-1]) == (0, SONGS)


@needs_spark
@pytest.mark.slow
def test_a_fit_survives_a_killed_worker_and_makes_the_same_version(songs, cluster, fitted, tmp_path):
    process = started(songs, tmp_path, "--master", cluster.master)
    for line in process.stderr:
        if line.startswith("clustering"):
            break
    end(cluster.workers[0])
    _, told = process.communicate()
    assert process.returncode == 0, told
    assert load(tmp_path).version == fitted.version
