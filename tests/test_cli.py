import gzip
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from segue.catalog import load, write_lock
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue.web import serializers
from segue_build.cli import build_parser, main
from tests.support import invented_playlists, world
from tests.support.serving import wait_for
from tests.support.tables import song, songs, text, write

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [
    "fit", "serve", "recommend", "recommend-file", "evaluate", "recall", "report", "versions", "publish", "rollback",
    "deploy", "package", "key",
]  # fmt: skip
UNDER_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
BAD = {
    "aggregates": b"mode,genres,energy\n1,folk,0.5\n",
    "empty": b"",
    "headers only": b"id,name,energy\n",
    "truncated gzip": gzip.compress(text(songs(500)).encode())[:-500],
    "binary": b"\x7fELF\x02\x01\x01\0\0\0",
    "damaged Parquet": b"PAR1 and then nothing of the kind",
    "names only": text([{"id": row["track_id"], "name": row["track_name"]} for row in songs()]).encode(),
    "features only": text([{"id": row["track_id"], "energy": row["energy"]} for row in songs()]).encode(),
    "twice the same header": b"id,name,energy,Energy\n",
    "lines in the headers": b'"a\nb",c\n1,2\n',
    "too many bad rows": text([*songs(), *songs(5, track_name="")]).encode(),
    "too few songs": text(songs(9)).encode(),
}


def run(*arguments, cwd=ROOT, columns=500):
    """The command line, as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "segue_build", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONWARNINGS": "error", "COLUMNS": str(columns)},
        capture_output=True,
        text=True,
        check=False,
    )


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def usage(capsys):
    """What bad usage is told on stderr."""

    def of(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        told = capsys.readouterr()
        assert (stopped.value.code, told.out) == (2, "")
        return told.err.splitlines()[-1]

    return of


def test_fit_prints_the_version_on_stdout_and_progress_and_the_ingest_report_on_stderr(tmp_path):
    source = world.write(tmp_path / "world.csv")
    done = run("fit", "--source", source, "--out", tmp_path / "artifacts")
    catalog = load(tmp_path / "artifacts")
    assert done.returncode == 0
    version, *figures = done.stdout.splitlines()
    assert (
        version == f"version {catalog.version}: {len(catalog)} songs in {len(catalog.manifest['clusters'])} clusters"
    )
    quality = catalog.manifest["quality"]
    assert [line.split()[0] for line in figures] == ["recall@20"] * 3 + [*quality["table"], *quality["clusters"]]
    assert f"reading {source} ...\n" in done.stderr
    assert f"{len(world.rows())} rows read, 0 dropped\n" in done.stderr
    assert json.loads((tmp_path / "artifacts" / "current.json").read_text())["version"] == catalog.version


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, capsys, content):
    (tmp_path / "bad.csv").write_bytes(content)
    assert main(["fit", "--source", str(tmp_path / "bad.csv"), "--out", str(tmp_path / "artifacts")]) == 1
    told = capsys.readouterr()
    *progress, error = told.err.splitlines()
    assert told.out == ""
    assert error.startswith("error: ")
    assert "bad.csv" in error
    assert not any(line.startswith(("error", "Traceback")) for line in progress)
    assert not (tmp_path / "artifacts").exists()


def test_after_bad_input_the_old_version_is_current_and_untouched(tmp_path, capsys):
    out, bad = tmp_path / "artifacts", write(tmp_path / "bad.csv", songs(9))
    assert main(["fit", "--source", str(world.write(tmp_path / "world.csv")), "--out", str(out)]) == 0
    before = everything(out)
    assert main(["fit", "--source", bad, "--out", str(out)]) == 1
    assert everything(out) == before


def test_a_process_ends_with_1_on_bad_input_and_shows_no_trace(tmp_path):
    done = run("fit", "--source", tmp_path, "--out", tmp_path / "artifacts")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"error: {tmp_path}: a folder without files; expected a table")
    assert "Traceback" not in done.stderr


def test_strict_stops_at_a_row_that_is_dropped_otherwise(tmp_path, capsys):
    source = write(tmp_path / "songs.csv", [*songs(30), song(31, tempo="fast")])
    fit = ["fit", "--source", source, "--out", str(tmp_path / "artifacts")]
    assert main([*fit, "--strict"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: 1 bad rows, and --strict allows none; songs.csv, row 32, column 'tempo': 'fast' is not a number"
    )
    assert main(fit) == 0
    assert "31 rows read, 1 dropped" in capsys.readouterr().err


def test_an_out_that_is_a_file_is_told_in_one_line(tmp_path, capsys):
    (tmp_path / "artifacts").write_text("a file")
    source = str(world.write(tmp_path / "world.csv"))
    assert main(["fit", "--source", source, "--out", str(tmp_path / "artifacts")]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {tmp_path / 'artifacts'}")


def test_columns_and_several_sources_reach_the_fit(tmp_path, capsys):
    names = write(tmp_path / "names.csv", [{"id": row["track_id"], "Lied": row["track_name"]} for row in songs()])
    sounds = write(
        tmp_path / "sounds.csv", [{"id": row["track_id"], "Kraft": n / 12} for n, row in enumerate(songs())]
    )
    sources = ["--source", names, "--source", sounds, "--columns", "name=Lied,energy=Kraft"]
    assert main(["fit", *sources, "--out", str(tmp_path / "artifacts")]) == 0
    assert load(tmp_path / "artifacts").manifest["parameters"]["columns"] == {"name": "Lied", "energy": "Kraft"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "segue: error: the following arguments are required: COMMAND"),
        (["fti"], "segue: error: no command 'fti'; did you mean fit?"),
        (
            ["sing"],
            "no command 'sing'; there are: fit, serve, recommend, recommend-file, evaluate, recall, report, versions",
        ),
        (["fit", "--sorce", "x"], "segue fit: error: no option --sorce; did you mean --source?"),
        (["fit", "--sorce=x"], "segue fit: error: no option --sorce; did you mean --source?"),
        (["evaluate", "--plalists", "x"], "segue evaluate: error: no option --plalists; did you mean --playlists?"),
        (["publish", "x", "--fource"], "segue publish: error: no option --fource; did you mean --force?"),
        (["package", "aws", "--arhc", "x"], "segue package: error: no option --arhc; did you mean --arch?"),
        (["fit", "songs.csv"], "segue fit: error: unexpected 'songs.csv'"),
        (["fit", "--columns", "fish=A"], "argument --columns: 'fish': expected NAME=HEADER,... with names id, name"),
        (["fit", "--columns", "name"], "argument --columns: 'name': expected NAME=HEADER,... with names id, name"),
        (["fit", "--labels", "tags,"], "argument --labels: 'tags,': expected up to 6 columns, as in tags,mood or"),
        (
            ["fit", "--labels", "mood=tags"],
            "argument --labels: 'mood=tags': expected up to 6 columns, as in tags,mood",
        ),
        (
            ["fit", "--labels", "genres="],
            "argument --labels: 'genres=': expected up to 6 columns, as in tags,mood or",
        ),
        (["fit", "--labels", "a,b,c,d,e,f,g"], "argument --labels: 'a,b,c,d,e,f,g': expected up to 6 columns"),
        (["fit", "--seed", "-1"], "argument --seed: '-1': expected a whole number 0..4294967295"),
        (["fit", "--seed", "x"], "argument --seed: 'x': expected a whole number 0..4294967295"),
        (["recommend-file", "q", "r", "--limit", "0"], "argument --limit: '0': expected a whole number 1..100"),
        (["recommend-file", "q"], "the following arguments are required: RANKED.csv"),
    ],
)
def test_bad_usage_ends_with_2_and_tells_what_was_expected(usage, arguments, told):
    assert told in usage(*arguments)


def test_the_joint_term_can_not_have_all_of_the_similarity(capsys):
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(["fit", "--source", "demo", "--shares", "audio=0.5,joint=1"])
    assert end.value.code == 2
    assert "'joint=1' leaves nothing to the blocks" in capsys.readouterr().err


def test_shares_still_take_the_former_name_of_the_popularity_block():
    arguments = ["fit", "--source", "demo", "--shares", "audio=0.5,fame=0.06"]
    assert build_parser().parse_args(arguments).shares == {"audio": 0.5, "popularity": 0.06}


def test_help_tells_every_option_with_its_range_and_default():
    done = run("fit", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for said in (
        "(default: demo, unless the current version in --out is of real songs)",
        "10..10,000,000, default 20,000",
        "(default: artifacts)",
        "0..4294967295 (default: 0)",
        "up to 10%",
        "spotify-114k, tidytuesday",
    ):
        assert said in done.stdout


def test_help_of_recommend_file_tells_its_columns_range_and_defaults():
    done = run("recommend-file", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("query_id,seed_track_id", "query_id,rank,track_id", "1..100 (default: 100)", "SEGUE_ARTIFACTS"):
        assert said in done.stdout


def test_help_fits_a_screen_and_shows_every_command():
    done = run("--help", columns=80)
    lines = done.stdout.splitlines()
    assert lines[0] == "usage: segue [-h] COMMAND ..."
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if re.match(r" {4}\w", line)] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_ends_with_an_example_that_it_accepts(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    example = capsys.readouterr().out.splitlines()[-1]
    assert example.startswith(f"Example: segue {command}")
    assert callable(build_parser().parse_args(shlex.split(example)[2:]).run)


def test_the_script_segue_runs_the_arguments_of_its_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["segue", "fti"])
    with pytest.raises(SystemExit):
        main()
    assert "no command 'fti'; did you mean fit?" in capsys.readouterr().err


@pytest.fixture
def recommended(world_artifacts, capsys):
    """What ``segue recommend`` prints of the small world: exit code, stdout, stderr."""

    def of(*arguments):
        code = main(["recommend", *arguments, "--artifacts", str(world_artifacts)])
        return code, *capsys.readouterr()

    return of


def test_recommend_prints_an_aligned_list_and_what_was_understood(recommended):
    code, printed, _ = recommended("déjà rêvé les ondees", "--limit", "3")
    seed, blank, *table = printed.splitlines()
    assert (code, seed, blank) == (0, '"Déjà Rêvé" by Les Ondées (exact match), and songs like it:', "")
    assert [re.split(r"  +", line.strip())[:3] for line in table] == [
        ["rank", "title", "artists"],
        ["1", "Mirror Floor", "Les Ondées"],
        ["2", "Velvet Count", "Polly Quartz"],
        ["3", "Neon Waltz", "Dez & Dot"],
    ]
    starts = {line.index(artist) for line, artist in zip(table, ["artists", "Les Ondées", "Polly Quartz", "Dez"])}
    assert len(starts) == 1
    assert all(re.search(r" [01]\.\d{3}$", line) for line in table[1:])


def test_recommend_gives_the_reasons_that_are_wanted(recommended):
    _, printed, _ = recommended("piano-1", "--limit", "1", "--explain")
    seed, _, header, song = printed.splitlines()
    assert seed == '"Slow Rain" by Ada Lindqvist (by its id), and songs like it:'
    assert header.endswith("score  why")
    assert song.endswith("  also by Ada Lindqvist; both calm and sad; same tempo, 72 bpm")


def test_recommend_as_json_is_the_answer_of_the_service(recommended, world_catalog):
    _, printed, _ = recommended("slow rain", "--limit", "2", "--explain", "--json")
    query = Query((Seed("/song", {"song": "slow rain"}, song="slow rain"),), limit=2, explain=True)
    assert json.loads(printed) == serializers.recommendations(world_catalog, recommend(world_catalog, query))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("iron window", "error: no song is called 'iron window'; did you mean: \"Grey Window\" by Ada Lindqvist"),
        ("\x1b[1mqqqq\nzzzz", "error: no song is called ' [1mqqqq zzzz'"),
        (" ", "error: SONG: expected a text of 1..600 characters"),
        (
            "spotify:album:1",
            "error: SONG: 'spotify:album:1' leads to no song and no artist; expected spotify:track:ID",
        ),
    ],
)
def test_a_song_that_is_unknown_is_one_line_that_suggests_others(recommended, text, told):
    code, printed, error = recommended(text)
    assert (code, printed, error.count("\n")) == (1, "", 1)
    assert error.startswith(told)


def test_serve_answers_until_it_is_told_to_end(world_artifacts):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "segue_build", "serve", "--port", str(port), "--artifacts", world_artifacts]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout.readline().startswith(f"Segue listens on http://127.0.0.1:{port}/ ")
        wait_for(f"http://127.0.0.1:{port}/healthz")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert json.load(answer)["songs"] == len(world.rows())
        again = run("serve", "--port", port, "--artifacts", world_artifacts)
        assert (again.returncode, again.stdout) == (1, "")
        why = "Address already in use; choose another --port or --host"
        assert again.stderr == f"error: can't listen on 127.0.0.1, port {port}: {why}\n"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_serve_without_artifacts_says_what_to_run(tmp_path, capsys):
    assert main(["serve", "--artifacts", str(tmp_path / "nothing")]) == 1
    assert capsys.readouterr() == ("", f"error: no artifacts in '{tmp_path}/nothing': run 'segue fit' first\n")


def test_the_usage_of_a_misspelt_option_is_the_commands(capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--sorce", "x"])
    assert capsys.readouterr().err.startswith("usage: segue fit [-h] [--source SOURCE]")


@pytest.mark.parametrize("command", ["versions", "rollback"])
@pytest.mark.parametrize("place", ["", "docs", "nowhere"])
def test_a_folder_without_versions_is_told_with_what_was_expected(tmp_path, capsys, command, place):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("a page")
    assert main([command, str(tmp_path / place)]) == 1
    told, expected = capsys.readouterr(), "what `publish` or `fit --out` wrote to: a folder, s3://bucket/prefix"
    assert told.out == ""
    assert told.err.startswith(f"error: nothing is published at {tmp_path / place}; expected {expected}")


@pytest.mark.parametrize("command", ["versions", "rollback", "publish"])
def test_a_file_is_no_place_for_versions(tmp_path, world_artifacts, capsys, command):
    (tmp_path / "page.md").write_text("a page")
    more = ["--artifacts", str(world_artifacts)] if command == "publish" else []
    assert main([command, str(tmp_path / "page.md"), *more]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'page.md'}: a file; expected a folder, s3://")


def test_a_second_fit_into_a_folder_says_that_it_waits_for_whom_and_goes_on(tmp_path, capsys):
    source, out = world.write(tmp_path / "world.csv"), tmp_path / "artifacts"
    out.mkdir()
    with write_lock(out):
        waiting = subprocess.Popen(
            [sys.executable, "-m", "segue_build", "fit", "--source", source, "--out", out],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        told = next(line for line in waiting.stderr if line.startswith("waiting"))
        assert re.fullmatch(
            f"waiting for another writer of {out}: process {os.getpid()}, since \\d\\d:\\d\\d:\\d\\d\n", told
        )
        assert waiting.poll() is None
    printed, _ = waiting.communicate(timeout=120)
    assert waiting.returncode == 0
    assert printed.startswith(f"version {load(out).version}")


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_a_port_that_is_taken_is_one_line_that_names_it():
    # `make test` sets these for its children, and a make that finds them prints its folders
    alone = {name: text for name, text in os.environ.items() if name not in UNDER_MAKE}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [shutil.which("make"), "run", f"PORT={port}", f"PYTHON={sys.executable}"],
            cwd=ROOT, env=alone, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (refused.returncode, refused.stdout) == (2, "")
    [line] = refused.stderr.splitlines()
    assert f"PORT={port} is taken, or no port: choose another, as in make run PORT=8090" in line


def test_fit_and_evaluate_say_the_same_of_a_version(tmp_path, capsys):
    playlists = write(tmp_path / "playlists.csv", invented_playlists.rows(invented_playlists.of_world()))
    source, out = world.write(tmp_path / "world.csv"), tmp_path / "artifacts"
    assert main(["fit", "--source", str(source), "--out", str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    fitted = [line for line in told if line.startswith("  ") and "recall@20" not in line]
    assert main(["evaluate", "--artifacts", str(out), "--playlists", playlists]) == 0
    judged = capsys.readouterr().out.splitlines()
    assert [line for line in judged if line in fitted] == fitted


def test_recall_shows_what_was_chosen(tmp_path, capsys):
    out = tmp_path / "artifacts"
    assert main(["fit", "--source", str(world.write(tmp_path / "world.csv")), "--out", str(out)]) == 0
    fitted = [line for line in capsys.readouterr().out.splitlines() if "recall@20" in line]
    assert main(["recall", "--artifacts", str(out)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"version {load(out).version}: 14 songs, recall@20 against all songs scored"
    assert "           14          14         126  1.0000 " + 40 * "#" in told
    assert told[-3:] == fitted


def test_a_file_is_answered_exactly_where_that_is_asked_for(tmp_path, monkeypatch):
    out, queries = tmp_path / "artifacts", tmp_path / "queries.csv"
    queries.write_text("query_id,seed_track_id\nq,piano-1\n")
    assert main(["fit", "--source", str(world.write(tmp_path / "world.csv")), "--out", str(out)]) == 0
    asked = []
    monkeypatch.setattr(
        "segue_build.recommend.recommend", lambda songs, query: asked.append(query) or recommend(songs, query)
    )
    for flags in ([], ["--exact"]):
        command = ["recommend-file", str(queries), str(tmp_path / "ranked.csv"), "--artifacts", str(out), *flags]
        assert main(command) == 0
    assert [query.exact for query in asked] == [False, True]
    assert (tmp_path / "ranked.csv").read_text().splitlines()[1] == "q,1,piano-2"
