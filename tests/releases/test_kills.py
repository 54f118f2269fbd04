"""Publishers that are killed while functions recommend without pause, and publishers that race."""

import contextlib
import hashlib
import itertools
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from segue import releases
from segue.catalog import version_files
from segue.dialects import json_response
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue.releases.remote import FileCache
from segue.web import serializers
from segue_build.fit import FitOptions, fit
from segue_build.releases import version_history
from tests.support import world
from tests.support.releases import ASKED, client, point_to, published, wait_for_checks

ROOT = Path(__file__).resolve().parents[2]
READERS = 8
KILLS = int(os.environ.get("SEGUE_TEST_KILLS", "30"))  # of each kind

# works without pause in a process of its own, is killed after the seconds that it is told, and says so; one that is
# told nothing works once and tells how long it took
WORKER = """
import contextlib, io, itertools, os, signal, sys, time
from pathlib import Path
from segue import releases
from segue.catalog.version_files import load_version
from segue.config import Config
from segue.releases.serving import LiveCatalog, open_releases, open_store
from segue_build.fit import FitOptions, fit
from segue_build.releases.publish import PublishOptions, publish

job, address, other, *names = sys.argv[1:]
turns = itertools.count(1)

def fitting(turn):
    fit(FitOptions([names[turn % len(names)]]), Path(address))

def publishing(turn):
    songs = load_version(Path(other), names[turn % len(names)])
    publish(songs, open_store(address), PublishOptions(force=True, reason="a test", keep=2))

def refreshing(turn):
    live = LiveCatalog(open_releases(Config(address, 1e-9, Path(other))), 1e-9, lambda songs: songs.texts("ids")[0])
    for _ in range(3):
        live.catalog().texts("names")[0]
        live.renew()

def work(turn, count):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for number in count:
            globals()[job](turn + number)

print("ready", flush=True)
for line in sys.stdin:
    began, turn = time.monotonic(), next(turns)
    child = os.fork()
    if not child:
        work(turn, itertools.count() if line.strip() else range(1))
        os._exit(0)
    if line.strip():
        time.sleep(float(line))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print(time.monotonic() - began, status, flush=True)
"""

# publishes versions that it is told of, stops before it swaps the pointer, and says what became of it
RACER = """
import contextlib, io, sys
from pathlib import Path
import segue_build.releases.publish
from segue.catalog.version_files import load_version
from segue.errors import ReleaseError
from segue.releases.serving import open_store

def when_told(*arguments, swap=segue_build.releases.publish.swap_pointer):
    print("there", file=sys.stderr, flush=True)
    sys.stdin.readline()
    swap(*arguments)

segue_build.releases.publish.swap_pointer = when_told
address, root = sys.argv[1:]
options = segue_build.releases.publish.PublishOptions(force=True, reason="a race")
print("ready", flush=True)
for line in iter(sys.stdin.readline, ""):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            version = load_version(Path(root), line.strip())
            segue_build.releases.publish.publish(version, open_store(address), options)
    except ReleaseError as error:
        print("lost:", error, flush=True)
    else:
        print("won", flush=True)
"""


def process(code, *arguments):
    environ = os.environ | {"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'build'}", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    made = subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert made.stdout.readline() == "ready\n"
    return made


def end(made):
    made.kill()
    made.communicate()


class Reader(threading.Thread):
    """Asks its own function without pause, and keeps what was not as it should be."""

    def __init__(self, address, cache, expected):
        super().__init__()
        self.function, self.expected = client(address, cache, 0.02), expected
        self.over, self.asked, self.seen, self.wrong = threading.Event(), 0, set(), []

    def run(self):
        while not self.over.is_set():
            answer = self.function.get(ASKED)
            self.asked += 1
            if answer.status_code != 200 or answer.data != self.expected[answer.headers["X-Segue-Model"]]:
                self.wrong.append((answer.status_code, answer.data))
            self.seen.add(answer.headers.get("X-Segue-Model"))


@pytest.fixture
def expected(versions):
    """What each version answers: version -> bytes."""
    asked = Query((Seed("/song_id", {"id": "piano-1"}, id="piano-1"),), limit=3)
    return {
        songs.version: json_response(serializers.recommendations(songs, recommend(songs, asked))).data
        for songs in versions
    }


def kills(job, address, other, names, readers, count):
    """Kill a job again and again, at any moment of its work, while readers recommend."""
    dice, worker = random.Random(11), process(WORKER, job, address, other, *names)
    for reader in readers:
        reader.start()
    try:
        tell(worker, "")  # the first one shows how long the work takes among these readers
        took, status = map(float, worker.stdout.readline().split())
        assert status == 0
        for _ in range(count):
            tell(worker, str(dice.uniform(0, 1.2 * took)))
            assert worker.stdout.readline(), worker.stderr.read()
    finally:
        end(worker)
        for reader in readers:
            reader.over.set()
            reader.join()
    assert [reader.wrong for reader in readers] == [[]] * len(readers)
    assert all(reader.asked > count for reader in readers)


def readers_of(address, cache, expected):
    return [Reader(address, cache, expected) for _ in range(READERS)]


def kill_publishers(address, versions, expected, tmp_path, count):
    published(address, versions[:1])
    readers, names = readers_of(address, tmp_path / "cache", expected), [songs.version for songs in versions]
    kills("publishing", address, versions[0].folder.parents[1], names, readers, count)
    assert len(set.union(*(reader.seen for reader in readers))) > 1
    now = current(address)
    published(address, [songs for songs in versions if songs.version != now][:1])
    assert current(address) != now


def current(address):
    return version_files.parse_pointer(releases.open_store(address).read(version_files.POINTER).content)["version"]


@pytest.mark.parametrize("kind", ["plain", "s3"])
def test_a_publisher_that_is_killed_leaves_every_reader_a_whole_version(request, kind, versions, expected, tmp_path):
    kill_publishers(request.getfixturevalue(kind), versions, expected, tmp_path, 6)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("kind", ["plain", "s3"])
def test_killed_publishers_leave_every_reader_a_whole_version(request, kind, versions, expected, tmp_path):
    kill_publishers(request.getfixturevalue(kind), versions, expected, tmp_path, KILLS)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_killed_fits_leave_every_reader_a_whole_version_and_nothing_to_the_next_one(versions, expected, tmp_path):
    tables = []
    for number in range(4):
        rows = [row for row in world.rows() if row["id"] != f"metal-{number + 1}"]
        (tmp_path / str(number)).mkdir()
        tables.append(str(world.write(tmp_path / str(number) / "world.csv", rows)))
    out = tmp_path / "artifacts"
    first = fit(FitOptions(tables[:1]), out).version
    readers = readers_of(str(out), tmp_path / "cache", expected)
    kills("fitting", out, tmp_path, tables, readers, KILLS)
    assert fit(FitOptions(tables[:1]), out).version == first == versions[0].version
    assert {path.name for path in out.iterdir()} == {"versions", "current.json", "history.jsonl", ".lock", ".reserve"}
    assert {path.name for path in (out / "versions").iterdir()} <= expected.keys()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_killed_refreshes_leave_every_reader_of_their_cache_a_whole_version(
    s3, versions, expected, tmp_path, monkeypatch
):
    published(s3, versions)
    readers, changing = readers_of(s3, tmp_path / "cache", expected), threading.Event()

    def change():
        for songs in itertools.cycle(versions):
            point_to(s3, songs.version)
            if changing.wait(0.2):
                return

    changer = threading.Thread(target=change)
    changer.start()
    try:
        kills("refreshing", s3, tmp_path / "cache", ["-"], readers, KILLS)
    finally:
        changing.set()
        changer.join()
    wait_for_checks()  # the readers' own: what these write is not abandoned
    for path in (tmp_path / "cache").rglob(".*"):  # what was being written, hours ago
        os.utime(path, (0, 0))
    facts = {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    FileCache(tmp_path / "cache", 10**9).fetch("next", "file", facts, lambda: iter([b"abc"]))
    assert not list((tmp_path / "cache").rglob(".*"))


def tell(racer, line):
    racer.stdin.write(f"{line}\n")
    racer.stdin.flush()


def race(address, versions, turns):
    """Two publishers that both compared with the same version swap the pointer at once, turn after turn."""
    published(address, versions[2:3])
    with contextlib.ExitStack() as ended:
        racers = [process(RACER, address, versions[0].folder.parents[1]) for _ in range(2)]
        for racer in racers:
            ended.callback(end, racer)
        for turn in range(turns):
            race_once(address, racers, [songs.version for songs in (versions[:2] if turn % 2 == 0 else versions[2:])])


def race_once(address, racers, pair):
    for racer, version in zip(racers, pair):
        tell(racer, version)
    for racer in racers:
        while (line := racer.stderr.readline()) != "there\n":
            assert line, "the publisher ended"
    for racer in racers:
        tell(racer, "go")
    won, lost = sorted(zip((racer.stdout.readline() for racer in racers), pair), reverse=True)
    assert won == ("won\n", current(address))
    assert lost[0].startswith(f"lost: another publisher made version {won[1]} current meanwhile")
    entries = version_history.read_history(releases.open_store(address))[-2:]
    assert {(entry["version"], entry.get("lost_to")) for entry in entries} == {(won[1], None), (lost[1], won[1])}


@pytest.mark.parametrize("kind", ["plain", "s3"])
def test_of_racing_publishers_one_wins_each_swap_and_the_history_holds_both(request, kind, versions):
    race(request.getfixturevalue(kind), versions, 5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "s3"])
def test_of_publishers_that_race_25_times_one_wins_each_swap(request, kind, versions):
    race(request.getfixturevalue(kind), versions, 25)
