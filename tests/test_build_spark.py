"""The Spark engine: errors without Spark, and fits on a real cluster of a master and two workers on loopback."""

import importlib.util
import itertools
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from build.cli import main
from build.fit import Options, fit
from build.sources import demo
from build.spark import session
from build.spark.columns import Columns, Ragged
from build.spark.keys import signed, unsigned
from build.spark.lookups import runs
from segue.catalog import Catalog, load, lookup, verify
from segue.engine.space import space_of
from tests.cluster import Cluster, end

ROOT = Path(__file__).parent.parent
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
missing = [name for name, there in {
    "pyspark (requirements-spark.txt)": importlib.util.find_spec("pyspark"),
    "Java 17": shutil.which("java"),
}.items() if not there]  # fmt: skip
needs_spark = pytest.mark.skipif(bool(missing), reason=f"needs {' and '.join(missing)}")


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines with which a fit fails."""
    assert main(["fit", "--engine", "spark", *arguments]) == 1
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]


def test_without_pyspark_one_line_names_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    lines = said(["--source", str(tmp_path), "--out", str(tmp_path / "out")], capsys)
    assert lines == ["error: --engine spark needs pyspark: python -m pip install -r requirements-spark.txt"]
    assert not (tmp_path / "out").exists()


def test_without_java_one_line_names_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    lines = said(["--source", str(tmp_path), "--out", str(tmp_path / "out")], capsys)
    assert lines == ["error: --engine spark needs Java 17 or newer: openjdk-17-jre-headless on Debian, or JAVA_HOME"]
    assert not (tmp_path / "out").exists()


def test_playlists_and_several_sources_are_refused(tmp_path, capsys):
    (line,) = said(["--playlists", str(tmp_path / "lists.csv")], capsys)
    assert "--engine spark does not learn from playlists" in line
    (line,) = said(["--source", "a", "--source", "b"], capsys)
    assert "reads one --source" in line


@pytest.mark.parametrize("parts", [[3], [1, 2, 0, 4]])
def test_files_that_grow_are_those_that_numpy_saves(tmp_path, parts):
    runs = [np.arange(12 * size, dtype=np.int16).reshape(-1, 12) for size in parts]
    with Columns(tmp_path) as columns:
        for run in runs:
            columns.append("grown", run)
    np.save(tmp_path / "saved.npy", np.concatenate(runs))
    assert (tmp_path / "grown.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes()


def test_lists_that_grow_have_offsets_of_the_smallest_type(tmp_path):
    lists = Ragged(tmp_path, "song", "artists", np.int32)
    lists.append(np.array([2, 0]), np.array([7, 8]))
    lists.append(np.array([1]), np.array([9]))
    lists.close()
    offsets = np.load(tmp_path / "song_offsets.npy")
    assert (offsets.tolist(), offsets.dtype) == ([0, 2, 2, 3], np.uint32)
    assert np.load(tmp_path / "song_artists.npy").tolist() == [7, 8, 9]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["song_artists.npy", "song_offsets.npy"]


@pytest.mark.parametrize("cuts", [[], [1], [3], [2, 4], [1, 2, 3, 4, 5]])
def test_lists_that_batches_cut_are_whole(cuts):
    rows = pa.table({"owner": [0, 0, 0, 1, 2, 2], "item": [5, 6, 7, 8, 9, 4]})
    ends = [0, *cuts, len(rows)]
    found = list(runs(rows.slice(first, last - first) for first, last in itertools.pairwise(ends)))
    owners, lengths, items = (np.concatenate(parts).tolist() for parts in zip(*found))
    assert (owners, lengths, items) == ([0, 1, 2], [3, 1, 2], [5, 6, 7, 8, 9, 4])


def test_digests_keep_their_order_as_signed_numbers():
    digests = np.array([0, 1, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)
    assert (np.diff(signed(digests).astype(object)) > 0).all()
    assert unsigned(signed(digests)).tolist() == digests.tolist()


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An invented catalogue in three parts, with a composer's pieces; some rows repeat a song for another genre."""
    folder = tmp_path_factory.mktemp("spark") / "songs"
    folder.mkdir()
    frame = pd.concat(demo.chunks(SONGS), ignore_index=True)
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


def started(source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """A fit on its way."""
    command = [sys.executable, "-m", "build", "fit", "--engine", "spark", "--source", str(source), "--out", str(out)]
    return subprocess.Popen([*command, *options], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


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
    return fit(Options([str(songs)]), tmp_path_factory.mktemp("expected"))


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
        assert lookup.by_id(fitted, song) == row
        works = fitted.array("works")
        assert row in fitted.lists("work", "songs")[int(works[row])]
        for artist in fitted.lists("by", "artists")[row]:
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


def mixed(folder: Path) -> str:
    pd.DataFrame({"id": ["a"], "name": ["A"], "energy": [0.5]}).to_parquet(folder / "1.parquet")
    pd.DataFrame({"id": ["b"], "name": ["B"], "tempo": [90.0]}).to_parquet(folder / "2.parquet")
    return "column 'energy' is none in 2.parquet, but double in the first part"


def two_types(folder: Path) -> str:
    pd.DataFrame({"id": ["a"], "name": ["A"], "energy": [0.5]}).to_parquet(folder / "1.parquet")
    pd.DataFrame({"id": ["b"], "name": ["B"], "energy": ["high"]}).to_parquet(folder / "2.parquet")
    return "column 'energy' is string in 2.parquet, but double in the first part"


def headers(folder: Path) -> str:
    (folder / "1.csv").write_text("id,name,energy\na,A,0.5\n")
    (folder / "2.csv").write_text("id,energy,name\nb,0.5,B\n")
    return "the columns of 2.csv are in another order"


def words(folder: Path) -> str:
    rows = "".join(f"s{number},Song {number},0.5\n" for number in range(20))
    (folder / "1.csv").write_text(f"id,name,energy\n{rows}")
    (folder / "2.csv").write_text(f"id,name,energy\n{rows.replace('0.5', 'high').replace('s', 't')}")
    return "with energy not a number"


def empty(folder: Path) -> str:
    pd.DataFrame({"id": ["a"], "name": ["A"], "energy": [0.5]}).to_parquet(folder / "1.parquet")
    (folder / "2.parquet").write_bytes(b"")
    return "2.parquet is empty"


def without_rows(folder: Path) -> str:
    songs = pd.DataFrame({"id": ["a"], "name": ["A"], "energy": [0.5]})
    songs.to_parquet(folder / "1 #%20.parquet")
    songs[:0].to_parquet(folder / "2.parquet")
    return "2.parquet is empty"


def without_lines(folder: Path) -> str:
    (folder / "1.csv").write_text("id,name,energy\na,A,0.5\n")
    (folder / "2.csv").write_text("id,name,energy\n")
    return "2.csv is empty"


def damaged(folder: Path) -> str:
    (folder / "1.parquet").write_bytes(b"PAR1 and no more")
    return "1.parquet is no Parquet file, or damaged"


def nothing(folder: Path) -> str:
    (folder / "_SUCCESS").touch()
    return "a folder without Parquet or CSV files"


BAD = [mixed, two_types, headers, words, empty, without_rows, without_lines, damaged, nothing]
REFUSING = """
import sys
from build.cli import main

for source in sys.argv[1:]:
    print(main(["fit", "--engine", "spark", "--master", "local[1]", "--source", source, "--out", f"{source}.out"]))
    print(end="\\f", file=sys.stderr, flush=True)
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """What should be said of each bad source, and what is: all in one process, for Java takes long to start."""
    root = tmp_path_factory.mktemp("refused")
    folders = {bad.__name__: root / bad.__name__ for bad in BAD}
    for folder in folders.values():
        folder.mkdir()
    whys = {bad.__name__: bad(folders[bad.__name__]) for bad in BAD}
    whys["s3a"] = "Spark has no connector for such addresses; docs/beyond-one-machine.md says how to give it one"
    sources = [*map(str, folders.values()), "s3a://bucket/parts"]
    process = subprocess.run(
        [sys.executable, "-c", REFUSING, *sources], cwd=ROOT, text=True, capture_output=True, check=True
    )
    assert process.stdout == "1\n" * len(whys)
    assert not list(root.glob("*.out"))
    told = process.stderr.split("\f")[:-1]
    return {name: (why, said) for (name, why), said in zip(whys.items(), told, strict=True)}


@needs_spark
@pytest.mark.slow
@pytest.mark.parametrize("bad", [*(bad.__name__ for bad in BAD), "s3a"])
def test_a_bad_source_is_one_line_and_writes_nothing(refused, bad):
    why, told = refused[bad]
    assert why in told.splitlines()[-1]
    assert told.splitlines()[-1].startswith("error: ")
    assert not re.search("Traceback|WARN|log level", told)


@needs_spark
def test_a_java_that_does_not_start_is_one_line(tmp_path, monkeypatch):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'Error: no such option' >&2\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    _, told = started(tmp_path, tmp_path / "out").communicate()
    assert told.splitlines()[-1].startswith("error: Spark did not start on local[*]: Error: no such option")
    assert not (tmp_path / "out").exists()


@needs_spark
def test_a_master_that_does_not_answer_is_one_line(tmp_path, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    master = f"spark://127.0.0.1:{port}"
    (line,) = said(["--master", master, "--source", str(tmp_path), "--out", str(tmp_path / "out")], capsys)
    assert line == f"error: no Spark master answers at {master}; expected spark://HOST:PORT of one that runs"
    assert not (tmp_path / "out").exists()


@needs_spark
def test_a_master_that_takes_connections_and_says_nothing_is_one_line(tmp_path, monkeypatch, capsys):
    def gives_up(master: str) -> None:
        raise RuntimeError(": java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext.")

    monkeypatch.setattr(session, "_builder", gives_up)  # as Spark does after a minute
    with socket.create_server(("127.0.0.1", 0)) as silent:
        master = f"spark://127.0.0.1:{silent.getsockname()[1]}"
        (line,) = said(["--master", master, "--source", str(tmp_path), "--out", str(tmp_path / "out")], capsys)
    assert line == f"error: no Spark master answers at {master}; expected spark://HOST:PORT of one that runs"
    assert not (tmp_path / "out").exists()
