"""Downloads that go well: what is kept, named and asked for again."""

import gzip
import io
import re
from dataclasses import replace

import pytest

from segue.errors import SourceError
from segue_build.sources import download
from segue_build.sources.download import fetch
from tests.support.faulty_server import (
    CUT,
    OTHER,
    REFUSED,
    REMEDY,
    TABLE,
    Seen,
    error_of,
    etag,
    files,
    server,
    sha256,
    status,
    truncate,
)

__all__ = ["server"]  # a fixture


def test_a_table_is_downloaded_under_its_own_name_with_a_start_and_an_end_line(server, tmp_path, capsys):
    path = fetch(server.url, cache=tmp_path)
    assert path.read_bytes() == TABLE
    assert path.name == "table.csv"
    assert files(tmp_path) == ["table.csv", "table.csv.json"]
    assert capsys.readouterr().err.splitlines() == [
        "table.csv: downloading, 336kB",
        f"table.csv: downloaded, sha256 {sha256(TABLE)}, {path}",
    ]


def test_a_terminal_is_shown_a_bar(server, tmp_path, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    fetch(server.url, cache=tmp_path)
    assert "0.00/336k" in terminal.getvalue()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/a/songs.csv.gz?download=1#top", "songs.csv.gz"),
        ("/my%20songs.parquet", "my_songs.parquet"),
        ("/..%2F.hidden.csv", "_.hidden.csv"),
        ("/", "table"),
        (f"/{'x' * 300}.csv.gz", f"{'x' * 93}.csv.gz"),
    ],
)
def test_the_name_keeps_its_extension_and_stays_in_the_cache(server, tmp_path, address, name):
    path = fetch(server.url.replace("/data/table.csv", address), cache=tmp_path)
    assert (path.name, path.parent.parent) == (name, tmp_path)


def test_two_addresses_of_one_name_do_not_share_a_file(server, tmp_path):
    first = fetch(server.url, cache=tmp_path)
    server.publish(OTHER)
    second = fetch(server.url + "?version=2", cache=tmp_path)
    assert (first.read_bytes(), second.read_bytes()) == (TABLE, OTHER)


def test_a_gzipped_table_is_kept_as_it_was_sent(server, tmp_path):
    server.publish(gzip.compress(TABLE))
    server.headers["Content-Encoding"] = "gzip"
    assert fetch(server.url + ".gz", cache=tmp_path).read_bytes() == server.body


def test_the_cache_is_the_users_unless_another_is_given(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    assert fetch(server.url).parent.parent == tmp_path / "segue" / "downloads"


def test_a_cached_file_with_the_known_sum_is_used_without_a_request(server, tmp_path, capsys):
    path = fetch(server.url, sha256=sha256(TABLE), cache=tmp_path)
    capsys.readouterr()
    assert fetch(server.url, sha256=sha256(TABLE), cache=tmp_path) == path
    assert len(server.seen) == 1
    assert capsys.readouterr().err == f"table.csv: from the cache, {path}\n"


def test_without_a_known_sum_an_unchanged_file_is_not_sent_again(server, tmp_path, capsys):
    path = fetch(server.url, cache=tmp_path)
    capsys.readouterr()
    assert fetch(server.url, cache=tmp_path) == path
    assert server.seen[1:] == [Seen(None, None, etag(TABLE), sent=0)]
    assert capsys.readouterr().err == f"table.csv: unchanged on the server, from the cache, {path}\n"


def test_without_a_known_sum_a_changed_file_replaces_the_cached_one(server, tmp_path):
    fetch(server.url, cache=tmp_path)
    server.publish(OTHER)
    assert fetch(server.url, cache=tmp_path).read_bytes() == OTHER
    assert files(tmp_path) == ["table.csv", "table.csv.json"]


def test_an_altered_cached_file_is_downloaded_again(server, tmp_path):
    path = fetch(server.url, cache=tmp_path)
    path.write_bytes(b"altered")
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.seen[1].if_none_match is None


@pytest.mark.parametrize("record", ["", "[1]", '{"unknown": 1}', None])
def test_a_cached_file_without_a_sound_record_is_asked_for_again(server, tmp_path, record):
    path = fetch(server.url, cache=tmp_path)
    beside = path.with_name("table.csv.json")
    beside.unlink() if record is None else beside.write_text(record)
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.seen[1] == Seen(None, None, None, sent=len(TABLE))


def test_a_cached_file_stands_in_when_the_network_is_down(server, tmp_path, capsys):
    path = fetch(server.url, cache=tmp_path)
    server.stop()
    capsys.readouterr()
    assert fetch(server.url, cache=tmp_path) == path
    assert capsys.readouterr().err == (
        f"{server.url}: Failed to establish a new connection: {REFUSED}; using the copy in the cache, {path}\n"
    )


def test_a_cached_file_stands_in_when_the_changed_one_can_not_be_completed(server, tmp_path):
    fetch(server.url, cache=tmp_path)
    server.publish(OTHER)
    server.faults = [truncate] * 6
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert fetch(server.url, cache=tmp_path).read_bytes() == OTHER
    assert server.ranges[-1] == f"bytes={CUT}-"


def test_a_cached_file_with_another_sum_never_stands_in(server, tmp_path):
    fetch(server.url, cache=tmp_path)
    server.faults = [status(503)] * 6
    message = error_of(server.url, sha256=sha256(OTHER), cache=tmp_path)
    assert message == f"{server.url}: the server answers 503 Service Unavailable; {REMEDY}"


@pytest.fixture
def named(server, monkeypatch):
    dataset = replace(download.DATASETS["tidytuesday"], url=server.url, sha256=sha256(TABLE), size=len(TABLE))
    monkeypatch.setitem(download.DATASETS, "tidytuesday", dataset)
    return dataset


def test_a_named_data_set_is_fetched_and_its_licence_printed(named, tmp_path, capsys):
    path = download.fetch_dataset("tidytuesday", cache=tmp_path)
    assert path.read_bytes() == TABLE
    assert capsys.readouterr().err.splitlines()[:2] == [
        f"tidytuesday: {named.about}",
        f"tidytuesday: licence {named.licence}. {download.TERMS_NOTICE}.",
    ]


def test_a_named_data_set_is_checked_and_a_new_one_taken_only_when_asked_for(named, server, tmp_path):
    server.publish(OTHER)
    with pytest.raises(SourceError, match=sha256(OTHER)):
        download.fetch_dataset("tidytuesday", cache=tmp_path)
    assert download.fetch_dataset("tidytuesday", cache=tmp_path, accept_new=True).read_bytes() == OTHER


def test_an_unknown_data_set_is_refused_naming_the_known_ones():
    with pytest.raises(SourceError) as caught:
        download.fetch_dataset("spotify")
    assert str(caught.value) == "unknown data set 'spotify'; known are spotify-114k, tidytuesday"


@pytest.mark.parametrize("name", download.DATASETS)
def test_every_named_data_set_is_described_in_full(name):
    dataset = download.DATASETS[name]
    assert dataset.name == name
    assert dataset.url.startswith("https://")
    assert dataset.url.endswith(".csv")
    assert re.fullmatch(r"[0-9a-f]{64}", dataset.sha256)
    assert dataset.size > 0
    assert dataset.licence
    assert dataset.about
