"""The machinery that measures: figures with known answers, the clients and stand-ins it measures with."""

import argparse
import os
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from segue.catalog import load as load_catalog
from segue.catalog.lookup.exact import song_by_id
from segue.engine import search
from segue.engine.scoring import Scorer
from segue.engine.seeds import resolve
from segue.engine.space import space_of
from segue.query.schema import Seed
from segue_build import ROOT
from segue_build.model.quantization import fit_pq
from segue_build.sources.playlists import Playlists
from tests.benchmarks import (
    clusters,
    codes,
    figures,
    genres,
    growth,
    keys,
    memory,
    peers,
    profile,
    recall,
    sizes,
    soak,
    typos,
    worth,
)
from tests.benchmarks.http import Client, answers, post
from tests.benchmarks.libraries import LIBRARIES, WANTED, open_segue
from tests.benchmarks.load import Load, put
from tests.benchmarks.parts import Part, measured, named
from tests.benchmarks.servers import serving
from tests.benchmarks.subject import OURS, Skipped, Subject
from tests.support import invented_playlists, tables, world


def test_a_table_has_a_column_for_each_name_and_reads_like_a_page():
    rows = [{"of": "one", "ms": 1234.5, "recall": 0.99957}, {"of": "two", "ms": 12.34, "songs": 89740}]
    assert figures.table(rows).splitlines() == [
        "| of | ms | recall | songs |",
        "| --- | ---: | ---: | ---: |",
        "| one | 1,234 | 0.9996 |  |",
        "| two | 12.3 |  | 89,740 |",
    ]


def test_a_ratio_is_the_median_of_neighbouring_runs():
    assert figures.ratio([2, 3, 40], [1, 2, 20]) == 2.0  # a slow machine slows both


def test_runs_take_turns_and_the_first_round_does_not_count():
    calls = iter(range(100))
    assert figures.interleaved([lambda: next(calls), lambda: -next(calls)], runs=2) == [[2, 4], [-3, -5]]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_a_value_that_was_measured(share, expected):
    values = list(range(1, 101))
    random.Random(0).shuffle(values)
    assert figures.percentile(values, share) == expected


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_an_exponent_tells_the_power_with_which_a_figure_grows(power):
    sizes = [1e5, 1e6, 1e7]
    assert figures.exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_growth_compares_rows_of_one_kind_at_several_sizes():
    cold = [
        {"songs": songs, "under": under, "Segue ms": start * songs**power, "ratio": 1.1}
        for songs in (10_000, 1_000_000)
        for under, start, power in (("flat", 5, 0), ("root", 1, 0.5))
    ]
    flat, _, root, _ = growth.exponents({"cold": cold, "warm": [{"songs": 10_000, "p50 ms": 1.0}], "sizes": cold})
    assert flat == {
        "part": "cold",
        "of": "flat",
        "figure": "Segue ms",
        "from": 5,
        "to": 5,
        "exponent": flat["exponent"],
    }
    assert (flat["exponent"], root["exponent"]) == (pytest.approx(0, abs=1e-9), pytest.approx(0.5))


@pytest.fixture
def server():
    """The port of a server that answers 200 to the song "known", 404 to others, and counts neither."""

    @Request.application
    def answer(request):
        return Response("x" * 100_000, 200 if request.get_json()["song_id"] == "known" else 404)

    running = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running.port
    running.shutdown()
    thread.join()
    running.server_close()


def test_the_client_reads_whole_answers_one_after_another(server):
    client = Client(server)
    assert [client.status(post(song)) for song in ("known", "unknown", "known")] == [200, 404, 200]
    client.close()


def test_no_server_is_no_answer(server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert not answers(free.getsockname()[1], post("known"))
    assert answers(server, post("known"))
    assert not answers(server, post("unknown"))


def test_load_counts_answers_and_errors_apart(server):
    load = Load()
    put(load, server, [post("known"), post("unknown")], clients=2, seconds=0.2)
    assert len(load.rates) == 1
    assert len(load.took) > 0 < load.errors  # the first client's song is known, the second's is not


def test_the_knee_is_where_more_clients_get_no_more_answers():
    assert soak.knee({1: 100, 2: 190, 4: 192, 8: 400}) == 2
    assert soak.knee({1: 100, 2: 200, 4: 300}) == 4
    assert soak.knee({1: 100, 2: 90}) == 1


def test_a_soak_tells_each_step_and_minute_and_what_memory_it_took(world_artifacts, monkeypatch):
    for name, value in {"STEPS": (1, 2), "STEP": 0.2, "MINUTE": 0.4, "SAMPLES": 2}.items():
        monkeypatch.setattr(soak, name, value)
    *steps, first, last, grown, later = soak.measure(Subject(world_artifacts, minutes=2))
    assert [step["clients"] for step in steps] == [1, 2]
    assert [row["of"] for row in (first, last, grown, later)] == [
        "minute 1", "minute 2", "last less first", "last less middle",
    ]  # fmt: skip
    assert all(row["errors"] == 0 and row["requests/s"] > 0 for row in (*steps, first, last))
    assert (grown["PSS MB"], later["PSS MB"]) == (last["PSS MB"] - first["PSS MB"], 0)
    assert 0 < last["anonymous MB"] < last["PSS MB"]


def test_a_wrong_key_begins_like_the_right_one_and_differs_in_every_letter_after():
    for share in (0, 16, 42):
        pairs = list(zip("A" * 20 + "k" * 23, keys.wrong("A" * 20 + "k" * 23, share), strict=True))
        assert [one == other for one, other in pairs] == [place < share for place in range(43)]


def test_the_functions_framework_is_served_until_the_block_ends(world_artifacts):
    asked = post("piano-1")
    with serving(OURS, Subject(world_artifacts).environ, asked) as server:
        assert len(server.workers()) == 1
        assert answers(server.port, asked)
    assert not answers(server.port, asked)


def test_a_server_that_ends_instead_of_answering_is_told_at_once(world_artifacts):
    environ = Subject(world_artifacts).environ | {"SEGUE_ARTIFACTS": "ftp://nowhere"}
    with pytest.raises(ChildProcessError, match=r"main\.py ended with 1 before it answered"):
        serving(OURS, environ, post("piano-1")).__enter__()


def test_memory_of_a_process_is_read_from_the_kernel():
    pss, rss = memory.megabytes([os.getpid()], "Pss"), memory.megabytes([os.getpid()], "Rss")
    assert 1 < pss <= rss


def test_every_file_of_the_artifacts_is_in_one_group_and_all_adds_up(demo_artifacts):
    rows = list(sizes.measure(Subject(demo_artifacts)))
    folder = load_catalog(demo_artifacts).folder
    total = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    assert rows[-1]["MB"] == pytest.approx(total)
    assert sum(row["MB"] for row in rows[:-1]) == pytest.approx(total)
    files = {"vectors.npy": "vectors", "names_heap.npy": "texts", "names_offsets.npy": "texts", "x.json": "other"}
    assert {file: sizes.group(file) for file in files} == files


def test_requirements_are_weighed_with_all_that_they_require():
    packages = sizes.closure({"flask"})
    assert {"flask", "werkzeug", "jinja2", "markupsafe"} <= set(packages)
    assert "asgiref" not in packages  # an extra
    assert all(size > 0 for size in packages.values())


def test_an_edit_changes_one_letter_or_swaps_two():
    name, dice = "velvet count", random.Random(3)
    edits = [typos.edited(name, dice) for _ in range(200)]
    assert {len(edit) for edit in edits} == {11, 12, 13}
    for edit in edits:
        assert alike(edit, name) + alike(edit[::-1], name[::-1]) >= len(name) - 2


def alike(one, other):
    """How many letters two texts begin with both."""
    differ = (place for place, (a, b) in enumerate(zip(one, other)) if a != b)
    return next(differ, min(len(one), len(other)))


def test_the_search_core_is_measured_against_every_song_scored(demo_artifacts, tmp_path):
    subject = Subject(demo_artifacts)
    vectors = peers.weighted(subject, tmp_path)
    queries = [(song, vectors[0]) for song in subject.ids(10, seed=1)]
    assert peers.recalls(subject, {"Segue": open_segue(demo_artifacts)}, vectors, queries) == {"Segue": 1.0}


@pytest.mark.parametrize("name", [name for name in LIBRARIES if name != "Segue"])
def test_a_library_finds_its_neighbours_in_the_file_that_it_wrote(name, demo_artifacts, tmp_path):
    library = LIBRARIES[name]
    pytest.importorskip(library.module, reason="needs tests/benchmarks/requirements.txt")
    subject = Subject(demo_artifacts)
    vectors = peers.weighted(subject, tmp_path)
    path = tmp_path / f"index.{vectors.shape[1]}"
    library.build(vectors, path)
    rows = np.arange(0, 600, 60)
    ids = subject.catalog.texts("ids")
    queries = [(ids[row], vectors[row]) for row in rows]
    search = library.open(path)
    assert len(search(*queries[0])) == WANTED
    assert search(*queries[0])[0] in np.flatnonzero(peers.closeness(vectors, vectors[0]) > -1e-9)
    assert peers.recalls(subject, {name: search}, vectors, queries)[name] > 0.8


def test_a_profile_shares_the_time_of_a_request_among_all_its_steps(demo_artifacts, monkeypatch):
    monkeypatch.setattr(profile, "REQUESTS", 5)
    monkeypatch.setattr(search, "search_budget", lambda *_: search.Budget(candidates=300, rescored=120))
    *steps, peer = profile.measure(Subject(demo_artifacts))
    rows = {row["step"]: row for row in steps}
    assert sum(row["share"] for row in steps) == pytest.approx(1)
    assert all(0 < row["share"] < 1 for row in (*steps, peer))
    assert rows["approximate scores"]["songs handled"] > rows["scores"]["songs handled"] >= 30


@pytest.mark.parametrize("name", clusters.METHODS)
def test_each_way_to_cluster_puts_every_song_somewhere(name, demo_catalog):
    if "Leiden" in name:
        pytest.importorskip("igraph", reason="needs tests/benchmarks/requirements.txt")
    labels = clusters.METHODS[name](clusters.read(demo_catalog, None))
    assert labels.shape == (len(demo_catalog),)


def test_clusters_are_judged_by_names_sizes_and_pairs_of_a_playlist(world_catalog):
    groups = np.array([{"p": 0, "m": 1, "d": 2}[song[0]] for song in world_catalog.texts("ids").take(np.arange(14))])
    pairs = np.array([np.flatnonzero(groups == group)[:2] for group in range(3)])
    songs = clusters.Songs(world_catalog, clusters.read(world_catalog, None).genres, pairs)
    found = clusters.measure(lambda _: groups, songs)
    assert (found["clusters"], found["pairs in one"], found["at random"]) == (3, 1, 0.333)
    assert (found["pair information"], found["name coverage"], found["lowest"]) == (round(np.log(3), 3), 1, 1)


def test_lists_are_held_against_exact_ones(demo_artifacts, monkeypatch):
    monkeypatch.setattr(recall, "ASKED", {"a song": ("id", 1, False, 3), "a song, 1 % pass": ("id", 1, True, 3)})
    song, few = recall.measure(Subject(demo_artifacts))
    for row in (song, few):
        assert (row["recall@20"], row["worst list"], row["lists too short"]) == (1.0, 1.0, 0)


def test_a_share_of_the_playlists_teaches_and_all_of_a_fold_judge():
    whole = Playlists([str(number) for number in range(200)], [[number] for number in range(200)], [], 200)
    judges, teachers = whole.split("valid", 1), whole.split("train", 1)
    taught = []
    for share in (0.1, 0.3, 1.0):
        with worth.taught_by(share):
            assert whole.split("valid", 1) == judges
            few = whole.split("train", 1)
        assert len(few.names) == round(share * len(teachers.names))
        assert few.members == [[int(name)] for name in few.names]
        taught.append(set(few.names))
    assert taught[0] < taught[1] < taught[2] == set(teachers.names)


def test_a_turn_counts_what_it_learned_from(tmp_path):
    playlists = tables.write(tmp_path / "playlists.csv", invented_playlists.rows(invented_playlists.of_world()))
    source = str(world.write(tmp_path / "world.csv"))
    half, whole = (worth.turn(share, source, Path(playlists), 0) for share in (0.5, 1.0))
    assert half["playlists"] == round(whole["playlists"] / 2)
    assert half["works on them"] == len(invented_playlists.HELD)
    assert all(0 <= half[figure] <= 1 for figure in worth.FIGURES)


def test_parts_that_do_not_exist_are_refused_with_those_that_do():
    assert named("cold,peers") == ["cold", "peers"]
    with pytest.raises(argparse.ArgumentTypeError, match="no part is called 'speed'; there are cold, warm"):
        named("cold,speed")


def test_a_part_that_stops_short_keeps_its_rows_and_tells_why(demo_artifacts):
    def part(_):
        yield {"ms": 1.0}
        raise Skipped("it needs more")

    subjects = [Subject(demo_artifacts)] * 2
    assert measured("part", Part("A part", part), subjects) == (
        [{"songs": 600, "ms": 1.0}] * 2, ["it needs more"] * 2
    )  # fmt: skip
    assert measured("part", Part("A part", part, once=True), subjects) == ([{"ms": 1.0}], ["it needs more"])


def test_a_section_is_a_heading_a_table_and_what_was_left_out():
    assert figures.section("Memory", [{"MB": 1.0}], ["it needs more", "it needs more"]) == (
        "## Memory\n\n| MB |\n| ---: |\n| 1.00 |\n\nLeft out: it needs more."
    )
    assert figures.section("Memory", []) == ""


@pytest.mark.parametrize("run", [["--artifacts", "nowhere"], ["--source", "nowhere.csv"]])
def test_a_catalogue_that_is_not_there_is_refused_in_a_line(run):
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "sizes", *run]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.splitlines()[-1].startswith(f"{run[0]}: ")
    assert "nowhere" in done.stderr.splitlines()[-1]


def test_a_genre_as_a_seed_is_held_against_its_own_songs(world_catalog, monkeypatch):
    rows = [song_by_id(world_catalog, song) for song in ("piano-1", "piano-2", "metal-1")]
    answer = SimpleNamespace(recommendations=[SimpleNamespace(row=row) for row in rows])
    monkeypatch.setattr(genres, "recommend", lambda *_: answer)
    number = world_catalog.manifest["genres"].index("piano")
    measured = genres.GenreSeeds(world_catalog).measure(number)
    assert measured == {"genre": "piano", "songs": 6, "known": 0.5, "of it": pytest.approx(2 / 3), "seasonal": 0}


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("seeds", [1, 3])
def test_codes_are_judged_by_the_functions_approximate_scores(demo_catalog, seeds, parts):
    space, ids = space_of(demo_catalog), demo_catalog.texts("ids")
    resolved = resolve(demo_catalog, tuple(Seed("", {}, id=ids[row]) for row in range(seeds)))
    scorer, every = Scorer(demo_catalog, resolved, {}), np.arange(len(demo_catalog))
    points = np.concatenate([seed.vectors for seed in resolved])
    judged = codes.JudgedSearch(space, scorer, points, every, every[:20])
    arrays = (demo_catalog.array(name) for name in ("vectors", "local_scales"))
    pq = fit_pq(codes.with_audio_in(parts, space), *arrays, seed=0)
    found, expected = judged.approximate_scores(pq), scorer.approximate_scores(every)
    if parts == 1:
        np.testing.assert_array_equal(pq.codes, demo_catalog.array("pq_codes"))
        np.testing.assert_allclose(found, expected, atol=0.01)
    assert np.corrcoef(found, scorer.score(every))[0, 1] > 0.9
    assert judged.ranks(pq).tolist() == [(found >= score).sum() for score in found[:20]]
