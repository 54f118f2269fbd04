"""The cache of fetched files: what is kept, what makes room, what is refused."""

import errno
from pathlib import Path

import pytest

from segue.errors import ArtifactsError
from segue.releases.remote import FileCache
from tests.support.releases import client, point_to, served, wait_for_checks, warnings

pytestmark = pytest.mark.usefixtures("no_check_outlives_its_test")
FACTS = {"bytes": 3, "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}  # of abc


def abc():
    return iter([b"a", b"bc"])


def full():
    raise OSError(errno.ENOSPC, "No space left on device")
    yield b""


def test_what_is_fetched_is_kept_and_fetched_once(cache):
    kept = FileCache(cache, 100)
    assert kept.fetch("one", "file", FACTS, abc).read_bytes() == b"abc"
    assert FileCache(cache, 100).fetch("one", "file", FACTS, full).read_bytes() == b"abc"


def test_what_is_not_the_file_is_refused_and_leaves_nothing(cache):
    with pytest.raises(ArtifactsError, match="file of version one is damaged in the store"):
        FileCache(cache, 100).fetch("one", "file", FACTS, lambda: iter([b"abd"]))
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_room_is_made_by_dropping_what_was_opened_longest_ago_but_never_what_is_in_use(cache):
    kept = FileCache(cache, 7, lambda: {"one"})
    for version in ("one", "two", "three"):
        kept.fetch(version, "file", FACTS, abc)
    assert {path.name for path in cache.iterdir()} == {"one", "three"}
    with pytest.raises(ArtifactsError, match=r"file of version four has 3 bytes, and the cache may hold 5 in all"):
        FileCache(cache, 5, lambda: {"one", "three"}).fetch("four", "file", FACTS, abc)


def test_a_full_disk_drops_old_versions_and_tries_again(cache):
    kept, tries = FileCache(cache, 100), []

    def full_once():
        tries.append(1)
        return full() if len(tries) == 1 else abc()

    kept.fetch("old", "file", FACTS, abc)
    assert kept.fetch("new", "file", FACTS, full_once).read_bytes() == b"abc"
    assert {path.name for path in cache.iterdir()} == {"new"}


def test_a_disk_that_stays_full_is_told_and_leaves_no_part(cache):
    with pytest.raises(ArtifactsError, match="file has no place in the cache: No space left on device"):
        FileCache(cache, 100).fetch("one", "file", FACTS, full)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_full_disk_refuses_a_new_version(stocked_bucket, versions, cache, caplog, monkeypatch):
    function = client(stocked_bucket, cache)
    served(function)
    served(function)
    point_to(stocked_bucket, versions[1].version)
    monkeypatch.setattr("segue.releases.bucket.BucketStore.stream", lambda *_: full())
    assert served(function) == versions[0].version
    assert "has no place in the cache: No space left on device" in warnings(caplog)[0]


OBSTACLES = {
    "a folder": lambda path: path.mkdir(),
    "a folder that is not empty": lambda path: (path / "more").mkdir(parents=True),
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "an empty file": lambda path: path.touch(),
}


def make_parent(path):
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize("place", ["one/file", "one"])
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_stands_in_the_place_of_a_file_or_its_version_is_removed(cache, place, obstacle):
    kept = FileCache(cache, 100)
    OBSTACLES[obstacle](make_parent(cache / place))
    assert kept.fetch("one", "file", FACTS, abc).read_bytes() == b"abc"
    assert FileCache(cache, 100).fetch("one", "file", FACTS, full).read_bytes() == b"abc"
    assert [path.name for path in (cache / "one").iterdir() if path.is_file()] == ["file"]


@pytest.mark.parametrize("place", ["one/file", "one"])
def test_a_process_that_heals_a_place_leaves_what_another_has_healed_meanwhile(cache, place, monkeypatch):
    file, is_dir = cache / "one/file", Path.is_dir
    OBSTACLES["a folder" if place == "one/file" else "an empty file"](make_parent(cache / place))

    def is_dir_before_another_heals(path):
        answer = is_dir(path)
        if path == cache / place and not file.is_file():
            path.rmdir() if answer else path.unlink()
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"abc")
        return answer

    def stream():
        assert file.read_bytes() == b"abc"
        yield from abc()

    monkeypatch.setattr(FileCache, "_evict_for", lambda *_: None)  # it asks is_dir, too
    monkeypatch.setattr(Path, "is_dir", is_dir_before_another_heals)
    assert FileCache(cache, 100).fetch("one", "file", FACTS, stream).read_bytes() == b"abc"


def test_a_function_heals_folders_in_the_places_of_all_its_cached_files(stocked_bucket, cache):
    function = client(stocked_bucket, cache)
    served(function)
    served(function)
    wait_for_checks()
    files = [path for path in cache.rglob("*") if path.is_file()]
    for path in files:
        path.unlink()
        (path / "inside").mkdir(parents=True)
    again = client(stocked_bucket, cache)
    assert served(again) == served(again)
    assert {path for path in files if path.name != "catalog.parquet"} <= {
        path for path in cache.rglob("*") if path.is_file()
    }


def test_a_file_where_the_cache_should_be_is_not_ours_to_remove(cache):
    cache.write_text("somebody's")
    with pytest.raises(ArtifactsError, match="file has no place in the cache"):
        FileCache(cache, 100).fetch("one", "file", FACTS, abc)
    FileCache(cache, 100).save("pointer.json", b"{}")
    assert cache.read_text() == "somebody's"
