"""A version by pieces: what is read of it is what its files hold, or an error; never anything else."""

import ctypes
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.catalog import catalog, load
from segue.catalog.remote.block_cache import ATTEMPTS
from segue.catalog.remote.blocks import MANIFEST_KEY, ArrayInfo, Block, encode_block
from segue.catalog.remote.catalog import MAPPED_LIMIT
from segue.engine.recommendation import recommend
from segue.errors import ArtifactsError
from segue.query.schema import Query, Seed
from segue.releases.store import LocalStore
from segue_build import FUNCTIONS
from segue_build.releases.publish import PublishOptions, publish
from tests.support.remote_catalog import ranged

SMALL = 60_000  # bytes: fewer than one search needs


@pytest.fixture(scope="module")
def store(demo_catalog, tmp_path_factory):
    """A folder to which the small invented catalogue was published."""
    root = tmp_path_factory.mktemp("store")
    publish(demo_catalog, LocalStore(root), PublishOptions())
    return root


def found(songs, row):
    """What is recommended for a song."""
    answer = recommend(songs, Query((Seed("", {}, id=songs.texts("ids")[row]),)))
    return [(song.row, song.score) for song in answer.recommendations]


@given(st.lists(st.sets(st.integers(0, 10**6), min_size=1, max_size=50), min_size=1, max_size=3))
def test_a_piece_gives_back_what_was_packed(sets):
    arrays = [ArrayInfo(f"array_{number}", np.dtype("<u2"), (10**6 + 1, 3)) for number in range(len(sets))]
    rows = [np.array(sorted(one)) for one in sets]
    values = [np.arange(3 * len(some), dtype=np.uint16).reshape(-1, 3) for some in rows]
    parts = [(number, some, np.ones_like(some), values[number]) for number, some in enumerate(rows)]
    piece = Block(encode_block(parts), arrays)
    for array, some, expected in zip(arrays, rows, values):
        runs = piece.segments(array.name)
        assert np.array_equal(runs.values[runs.positions(some)], expected)
        assert (runs.positions(np.array(sorted(set(range(60)) - set(some.tolist())))) == -1).all()
    assert piece.segments("another") is None


def test_runs_that_are_too_far_apart_for_a_piece_are_refused():
    with pytest.raises(ValueError, match="more than 4 GB"):
        encode_block([(0, np.array([0, 2**32]), np.array([1, 1]), np.zeros(2, np.uint8))])


@pytest.mark.parametrize("limit", [SMALL, 10**8])
def test_every_array_reads_as_its_file_does(store, demo_catalog, limit):
    songs, dice = ranged(demo_catalog, store, limit), np.random.default_rng(3)
    for name in demo_catalog.manifest[MANIFEST_KEY]["arrays"]:
        ours, theirs = songs.reader(name), demo_catalog.array(name)
        rows = dice.integers(0, len(theirs), 40)
        assert len(ours) == len(theirs)
        for some in (rows, int(rows[0]), rows.tolist(), rows[:, None], [], rows.astype(np.uint16)):
            found, expected = songs.take(name, some), demo_catalog.take(name, some)
            np.testing.assert_array_equal(found, expected)
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        for bounds in (slice(3, 20), slice(None, 9), slice(9, 9), slice(None, 9, 2), slice(None)):
            np.testing.assert_array_equal(ours[bounds], theirs[bounds])
        np.testing.assert_array_equal(ours.take(rows, axis=0), theirs.take(rows, axis=0))
        np.testing.assert_array_equal(songs.array(name), theirs)
        np.testing.assert_array_equal(songs.take(name, rows), theirs[rows])


def test_a_place_outside_is_an_error_as_it_is_of_any_array(store, demo_catalog):
    with pytest.raises(IndexError, match="works has 600 elements"):
        ranged(demo_catalog, store).take("works", [600])


def test_a_whole_array_is_a_plain_one_which_is_read_from_then_on(store, demo_catalog):
    through, fetched = spoilt(0, bytes)
    songs = ranged(demo_catalog, store, through=through)
    whole = songs.attribute("tempo")
    assert type(whole) is np.ndarray
    assert songs.reader("attribute_tempo") is whole
    np.testing.assert_array_equal(songs.attribute("tempo", [7, 3]), demo_catalog.attribute("tempo")[[7, 3]])
    assert fetched == []


def test_sorted_digests_are_searched_as_the_whole_column_is(store, demo_catalog):
    songs, dice = ranged(demo_catalog, store), np.random.default_rng(4)
    for name in ("id_hashes", "title_hashes", "artist_hashes"):
        column = demo_catalog.array(name)
        keys = np.concatenate(
            [dice.choice(column, 50), dice.integers(0, 2**63, 20, np.uint64), column[:1], column[-1:]]
        )
        for side in ("left", "right"):
            found = songs.reader(name).searchsorted(keys, side)
            np.testing.assert_array_equal(found, column.searchsorted(keys, side))


def test_pieces_stay_within_their_budget_and_answers_the_same(store, demo_catalog):
    songs = ranged(demo_catalog, store, SMALL)
    for row in range(0, 600, 20):
        assert found(songs, row) == found(demo_catalog, row)
        assert 0 < songs.cache.size <= SMALL


def test_for_pieces_to_come_others_are_dropped_first(store, demo_catalog):
    limit, most = 200_000, []

    def through(range_of):
        def other(name, start, stop):
            most.append(songs.cache.size + stop - start)
            return range_of(name, start, stop)

        return other

    songs = ranged(demo_catalog, store, limit, through)
    for row in range(0, 600, 20):
        found(songs, row)
    assert limit / 2 < max(most) <= limit


def test_requests_that_drop_each_others_pieces_answer_the_same(store, demo_catalog):
    songs, wrong = ranged(demo_catalog, store, SMALL), []
    expected = {row: found(demo_catalog, row) for row in range(0, 600, 30)}

    def ask(rows):
        wrong.extend(row for row in rows if found(songs, row) != expected[row])

    threads = [threading.Thread(target=ask, args=(list(expected)[shift:],)) for shift in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="glibc alone has arenas")
def test_threads_allocate_from_one_heap():
    code = """
import ctypes, threading
from segue.catalog.remote import block_cache
block_cache.use_single_arena()
turn = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (bytes(100_000), turn.wait())) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
told = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, told)
libc.fclose(told)
"""
    told = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(FUNCTIONS)})
    assert told.count(b"<heap nr=") == 1


def spoilt(times, spoil):
    """Ranges of which the first ones are spoilt, and how many were asked for."""
    asked = []

    def through(range_of):
        def other(name, start, stop):
            asked.append(name)
            content = range_of(name, start, stop)
            return spoil(content) if len(asked) <= times else content

        return other

    return through, asked


@pytest.mark.parametrize(
    "spoil",
    [lambda content: content[:-1], lambda content: b"", lambda content: content[:-1] + bytes([content[-1] ^ 1])],
    ids=["truncated", "empty", "damaged"],
)
def test_a_range_that_is_not_what_was_published_is_asked_for_again(store, demo_catalog, spoil):
    through, asked = spoilt(ATTEMPTS - 1, spoil)
    assert found(ranged(demo_catalog, store, through=through), 7) == found(demo_catalog, 7)
    through, asked = spoilt(10**6, spoil)
    with pytest.raises(ArtifactsError, match=r"of version \w+ is damaged in the store: bytes [\d,]+ to [\d,]+"):
        ranged(demo_catalog, store, through=through).texts("ids")[7]
    assert len(asked) == ATTEMPTS


def test_what_somebody_else_wrote_in_the_place_of_a_record_is_refused(store, demo_artifacts, tmp_path):
    songs = load(demo_artifacts)
    publish(songs, LocalStore(tmp_path), PublishOptions())
    (path,) = tmp_path.glob("versions/*/records-*.bin")
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ArtifactsError, match=r"records-00000\.bin of version \w+ is damaged in the store"):
        found(ranged(songs, tmp_path), 7)


def test_to_give_pages_back_nothing_is_fetched(store, demo_catalog, monkeypatch):
    through, asked = spoilt(0, bytes)
    songs = ranged(demo_catalog, store, through=through)
    found(songs, 7)
    asked.clear()
    monkeypatch.setattr(songs, "path", asked.append)
    songs.unmap(limit=1)
    assert asked == []


def test_whole_files_stay_within_a_bound_though_none_is_set(store, demo_catalog, monkeypatch):
    bounds = []
    monkeypatch.setattr(catalog, "unmap_pages", lambda _, bound: bounds.append(bound))
    songs = ranged(demo_catalog, store)
    songs.unmap()
    songs.unmap(5)
    assert bounds == [MAPPED_LIMIT, 5]
