"""The Spark engine: what it writes, and fits on a real cluster of a master and two workers on loopback."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue.catalog import Catalog, load, verify
from segue_build.artifacts.array_files import NpyFolderWriter, RaggedWriter
from segue_build.fit import FitOptions, fit
from segue_build.sources import demo
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


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented catalogue in three parts, with a composer's pieces; some rows repeat a song for another genre.

    Every ninth song's popularity is 0, far more than of any other value: it is not known.
    """
    folder = tmp_path_factory.mktemp("spark") / "songs"
    folder.mkdir()
    frame = pd.concat(demo.demo_chunks(SONGS), ignore_index=True)
    for row, title in zip(COMPOSED_ROWS, COMPOSED):
        frame.at[row, "name"], frame.at[row, "artists"] = title, ["Composer"]
    frame.loc[::9, "popularity"] = 0
    again = frame.iloc[::10].assign(genres=[["second helping"]] * len(frame.iloc[::10]))
    frame = pd.concat([frame, again], ignore_index=True).assign(label="Quiet Tapes")
    for number, part in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[part].to_parquet(folder / f"part-{number}.parquet", index=False, row_group_size=200)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster on which several tasks read one file."""
    split = "--conf spark.sql.files.maxPartitionBytes=20000 --conf spark.sql.files.openCostInBytes=1000 pyspark-shell"
    os.environ["PYSPARK_SUBMIT_ARGS"] = split
    running = Cluster(tmp_path_factory.mktemp("workers"), 2)
    yield running
    running.stop()
    del os.environ["PYSPARK_SUBMIT_ARGS"]


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
def test_both_engines_make_the_same_files(fitted, expected):
    verify(fitted.folder, fitted.version)
    found, wanted = ({**one.manifest, "libraries": None} for one in (fitted, expected))
    assert found == wanted


@needs_spark
@pytest.mark.slow
def test_pieces_of_one_name_are_one_work(fitted):
    found = fitted.array("works")[np.argsort(fitted.array("source_rows"))][COMPOSED_ROWS]
    assert pd.factorize(found)[0].tolist() == pd.factorize(pd.Series(COMPOSED))[0].tolist()


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
