"""What the Spark engine refuses, each in one line with nothing written: no Java, no master, sources that are none."""

import importlib.util
import re
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from segue_build.cli import main
from segue_build.spark import session
from tests.support.spark_cluster import ROOT, Cluster, needs_spark, started


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines with which a fit fails."""
    assert main(["fit", "--engine", "spark", *arguments]) == 1
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]


def test_without_pyspark_one_line_names_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    lines = said(["--source", str(tmp_path), "--out", str(tmp_path / "out")], capsys)
    assert lines == ["error: --engine spark needs pyspark: python -m pip install 'pyspark>=4.0.1,<5'"]
    assert not (tmp_path / "out").exists()


def test_without_java_one_line_names_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    lines = said(["--source", str(tmp_path), "--out", str(tmp_path / "out")], capsys)
    assert lines == ["error: --engine spark needs Java 17 or newer: openjdk-17-jre-headless on Debian, or JAVA_HOME"]
    assert not (tmp_path / "out").exists()


def test_playlists_and_several_sources_are_refused(tmp_path, capsys):
    (line,) = said(["--playlists", str(tmp_path / "lists.csv"), "--out", str(tmp_path / "out")], capsys)
    assert "--engine spark does not learn from playlists" in line
    (line,) = said(["--source", "a", "--source", "b"], capsys)
    assert "reads one --source" in line


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--enrich", "--engine spark does not fill what songs lack; leave out --enrich, or --engine spark"),
        ("--labels", "--engine spark does not compare songs by labels; leave out --labels, or --engine spark"),
    ],
)
def test_what_only_one_machine_does_is_refused(capsys, option, message):
    assert said(["--source", "songs", option, "tags"], capsys) == [f"error: {message}"]


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
    return (
        "no column holds an audio feature or genres (column 'energy' was left unread, for its cells are like 'high')"
    )


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
from segue_build.cli import main

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

    monkeypatch.setattr(session, "_session_builder", gives_up)  # as Spark does after a minute
    with socket.create_server(("127.0.0.1", 0)) as silent:
        master = f"spark://127.0.0.1:{silent.getsockname()[1]}"
        (line,) = said(["--master", master, "--source", str(tmp_path), "--out", str(tmp_path / "out")], capsys)
    assert line == f"error: no Spark master answers at {master}; expected spark://HOST:PORT of one that runs"
    assert not (tmp_path / "out").exists()


IMPATIENT = """
import sys
from segue_build.cli import main
from segue_build.spark import session

session.WORKER_TIMEOUT = 3.0
sys.exit(main(["fit", "--engine", "spark", *sys.argv[1:]]))
"""


@needs_spark
@pytest.mark.slow
def test_a_master_without_workers_is_one_line(tmp_path):
    cluster, out = Cluster(tmp_path / "cluster", workers=0), tmp_path / "out"
    (tmp_path / "songs.csv").write_text("id,name,energy\na,A,0.5\n")
    options = ["--master", cluster.master, "--source", str(tmp_path / "songs.csv"), "--out", str(out)]
    try:
        done = subprocess.run(
            [sys.executable, "-c", IMPATIENT, *options], cwd=ROOT, text=True, capture_output=True, check=False
        )
    finally:
        cluster.stop()
    assert (done.returncode, done.stdout) == (1, "")
    said = f"error: {cluster.master}: no worker took a job within 3 seconds"
    assert [line for line in done.stderr.splitlines() if "..." not in line] == [said]  # but for progress
    assert not out.exists()
