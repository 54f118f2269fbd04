"""Publishers that are killed while functions recommend without pause, and publishers that race."""

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from segue import releases
from segue.catalog import version_files
from segue.dialects import json_response
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue.web import serializers
from segue_build.releases import version_history
from tests.support.releases import ASKED, client, published

ROOT = Path(__file__).resolve().parents[2]
READERS = 8

# publishes version after version, and tells of each when it begins
PUBLISHER = """
import contextlib, io, itertools, sys
from pathlib import Path
from segue_build.releases.publish import PublishOptions, publish
from segue.catalog.version_files import load_version
from segue.releases.serving import open_store

address, root, first, *versions = sys.argv[1:]
destination = open_store(address)
print("ready", flush=True)
for number in itertools.count(int(first)):
    songs = load_version(Path(root), versions[number % len(versions)])
    with contextlib.redirect_stdout(io.StringIO()):
        publish(songs, destination, PublishOptions(force=True, reason="a test", keep=2))
    print("published", flush=True)
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


def kills(address, versions, expected, tmp_path, count):
    root, dice = versions[0].folder.parents[1], random.Random(11)
    published(address, versions[:1])
    readers = [Reader(address, tmp_path / "cache", expected) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    took = 0.0
    for number in range(count + 1):
        publisher = process(PUBLISHER, address, root, number + 1, *(songs.version for songs in versions))
        if not took:  # the first one shows how long a publish takes among these readers
            took = -time.monotonic()
            assert publisher.stdout.readline() == "published\n"
            took += time.monotonic()
        else:
            time.sleep(dice.uniform(0, 1.2 * took))
        end(publisher)
    for reader in readers:
        reader.over.set()
        reader.join()
    assert [reader.wrong for reader in readers] == [[]] * READERS
    assert all(reader.asked > count for reader in readers)
    assert len(set.union(*(reader.seen for reader in readers))) > 1
    now = current(address)
    published(address, [songs for songs in versions if songs.version != now][:1])
    assert current(address) != now


def current(address):
    return version_files.parse_pointer(releases.open_store(address).read(version_files.POINTER).content)["version"]


@pytest.mark.parametrize("kind", ["plain", "s3"])
def test_a_publisher_that_is_killed_leaves_every_reader_a_whole_version(request, kind, versions, expected, tmp_path):
    kills(request.getfixturevalue(kind), versions, expected, tmp_path, 6)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("kind", ["plain", "s3"])
def test_60_killed_publishers_leave_every_reader_a_whole_version(request, kind, versions, expected, tmp_path):
    kills(request.getfixturevalue(kind), versions, expected, tmp_path, 30)  # in each of the two kinds


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
