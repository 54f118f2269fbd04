"""Folders, S3 and Google's storage behind one interface: each test holds for all."""

import os
import threading

import pytest

from segue import releases
from segue.errors import ConfigError, MissingFile, StoreError, WriteConflict
from segue.releases.store import LocalStore
from tests.support.store_servers import Server


@pytest.fixture
def store(address):
    return releases.open_store(address)


@pytest.fixture
def file(tmp_path):
    """Makes a file of this content."""

    def of(content):
        (tmp_path / "file").write_bytes(content)
        return tmp_path / "file"

    return of


def content(store, name, size=10**6):
    return b"".join(store.stream(name, size))


def test_what_is_created_reads_back_and_is_listed_with_its_size(store, file):
    assert store.create("versions/a/first.npy", file(b"12345"))
    assert store.create("versions/a/deep/second.npy", file(b""))
    assert store.read("versions/a/first.npy").content == content(store, "versions/a/first.npy", 5) == b"12345"
    assert {name: entry.size for name, entry in store.list_files("versions").items()} == {
        "versions/a/first.npy": 5,
        "versions/a/deep/second.npy": 0,
    }
    assert store.list_files("nothing") == {}


def test_a_name_is_created_once(store, file):
    assert store.create("name", file(b"first"))
    assert not store.create("name", file(b"second"))
    assert store.read("name").content == b"first"
    store.replace("name", file(b"third"))
    assert store.read("name").content == b"third"


def test_what_a_killed_writer_left_replaces_no_file(tmp_path, file):
    store = LocalStore(tmp_path / "store")
    store.create("name", file(b"whole"))
    for write in (
        lambda: store.create("name", file(b"whole")),
        lambda: store.delete(["another"]),
        lambda: store.replace("other", file(b"other")),
    ):
        (tmp_path / "store" / ".incoming").write_bytes(b"wh")
        write()
        assert store.read("name").content == b"whole"
        assert not (tmp_path / "store" / ".incoming").exists()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, file):
    store = LocalStore(tmp_path / "store")
    with pytest.raises(StoreError, match="name can't be written"):
        store.create("name", tmp_path / "missing")
    store.compare_and_swap("pointer", b"one", None)
    with pytest.raises(WriteConflict):
        store.compare_and_swap("pointer", b"two", None)
    assert not (tmp_path / "store" / ".incoming").exists()
    assert store.create("name", file(b"whole"))


def test_what_is_not_there_is_missing_by_its_name(store):
    for missing in (lambda: store.read("some/file"), lambda: content(store, "some/file", 5)):
        with pytest.raises(MissingFile, match="some/file is missing"):
            missing()


def test_a_swap_needs_the_tag_of_what_is_there(store):
    store.compare_and_swap("pointer", b"one", None)
    one = store.read("pointer")
    store.compare_and_swap("pointer", b"two", one.tag)
    for stale in (None, one.tag):
        with pytest.raises(WriteConflict, match="pointer was written by somebody else"):
            store.compare_and_swap("pointer", b"three", stale)
    assert store.read("pointer").content == b"two"


def test_a_file_that_has_not_changed_is_not_read_again(store):
    store.compare_and_swap("pointer", b"one", None)
    one = store.read("pointer")
    assert store.read_if_changed("pointer", one.tag) is None
    store.compare_and_swap("pointer", b"two", one.tag)
    assert store.read_if_changed("pointer", one.tag).content == b"two"


def test_removing_twice_is_as_good_as_once(store, file):
    store.create("versions/a/file", file(b"1"))
    store.create("versions/b/file", file(b"1"))
    store.delete(["versions/a/file", "versions/a/never"])
    store.delete(["versions/a/file"])
    assert list(store.list_files("versions")) == ["versions/b/file"]


def test_one_of_many_swaps_wins(store):
    store.compare_and_swap("pointer", b"0", None)
    tag, won = store.read("pointer").tag, []

    def swap(number):
        try:
            store.compare_and_swap("pointer", b"%d" % number, tag)
        except WriteConflict:
            return
        won.append(b"%d" % number)

    threads = [threading.Thread(target=swap, args=[number]) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [store.read("pointer").content]


def test_a_large_file_arrives_whole(store, file):
    large = os.urandom(1000) * 20_000
    store.create("large", file(large))
    assert content(store, "large", len(large)) == large


def test_the_client_of_stores_is_imported_by_the_first_that_needs_it(tmp_path):
    assert isinstance(releases.open_store(str(tmp_path)), LocalStore)
    with pytest.raises(ConfigError, match="'s3://' can't be used as a store"):
        releases.open_store("s3://")


def test_a_folder_that_cannot_be_written_is_told(tmp_path, file):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="name can't be written"):
        releases.open_store(str(tmp_path / "taken")).create("name", file(b""))


@pytest.mark.parametrize(
    ("fault", "told"),
    [(403, "refuses access"), (500, "fails"), ("garbage", "fails"), ("down", "fails"), (409, "fails")],
)
def test_a_store_that_misbehaves_is_told_on_one_line_after_few_tries(behind_proxy, fault, told):
    address, proxy = behind_proxy
    store = releases.open_store(address)
    proxy.fault = fault
    with pytest.raises(StoreError, match=rf"current\.json: the store {told}") as caught:
        store.read("current.json")
    assert "\n" not in str(caught.value)
    assert len(proxy.asked) <= 3


def test_a_store_where_nobody_listens_is_told(s3, monkeypatch):
    with Server(None) as server:
        gone = server.base
    monkeypatch.setenv("AWS_ENDPOINT_URL", gone)
    with pytest.raises(StoreError, match=r"current\.json: the store fails"):
        releases.open_store(s3).read("current.json")
