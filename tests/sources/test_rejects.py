"""What a download refuses: pages, wrong bytes, too many of them, addresses that are none."""

import errno
import os
import socket

import pytest

from segue_build.sources.download import fetch
from tests.support.faulty_server import (
    OTHER,
    REFUSED,
    REMEDY,
    TABLE,
    error_of,
    files,
    server,
    sha256,
    status,
)

__all__ = ["server"]  # a fixture


@pytest.mark.parametrize(("code", "reason"), [(404, "Not Found"), (403, "Forbidden"), (204, "No Content")])
def test_an_answer_without_a_table_is_refused_at_once(server, tmp_path, code, reason):
    server.faults = [status(code)]
    message = error_of(server.url, cache=tmp_path)
    remedy = "check the address, or give the path of a copy"
    assert message == f"{server.url}: the server answers {code} {reason}; {remedy}"
    assert (len(server.seen), files(tmp_path)) == (1, [])


def test_a_web_page_is_refused(server, tmp_path):
    server.headers["Content-Type"] = "text/html; charset=utf-8"
    message = error_of(server.url, cache=tmp_path)
    what = "the server sent a web page, not a table; give the address of the file itself"
    assert message == f"{server.url}: {what}"
    assert files(tmp_path) == []


def test_wrong_bytes_are_refused_naming_both_sums_and_the_option(server, tmp_path):
    server.publish(OTHER)
    message = error_of(server.url, sha256=sha256(TABLE), cache=tmp_path)
    assert message == (
        f"{server.url}: table.csv should have sha256 {sha256(TABLE)}, but has {sha256(OTHER)}; "
        "if you trust the new file, --accept-checksum takes it"
    )
    assert "table.csv" not in files(tmp_path)
    server.publish(TABLE)
    assert fetch(server.url, sha256=sha256(TABLE), cache=tmp_path).read_bytes() == TABLE
    assert server.ranges == [None, None]


def test_a_new_sum_is_accepted_and_printed_when_asked_for(server, tmp_path, capsys):
    server.publish(OTHER)
    accepted = f"table.csv: accepted sha256 {sha256(OTHER)} in place of {sha256(TABLE)}"
    options = {"sha256": sha256(TABLE), "cache": tmp_path}
    for _ in range(2):
        assert fetch(server.url, **options, accept_new=True).read_bytes() == OTHER
        assert capsys.readouterr().err.splitlines()[-1] == accepted
    assert server.sent == len(OTHER)
    assert "--accept-checksum" in error_of(server.url, **options)


@pytest.mark.parametrize("sends_length", [True, False])
def test_a_file_above_the_limit_is_refused_and_not_kept(server, tmp_path, sends_length):
    server.sends_length = sends_length
    message = error_of(server.url, cache=tmp_path, max_bytes=len(TABLE) - 1)
    size = f"its {len(TABLE)} bytes are more than" if sends_length else "sends more than"
    unit = "" if sends_length else " bytes"
    assert message == f"{server.url}: {size} {len(TABLE) - 1}{unit}; give a smaller table"
    assert "table.csv" not in files(tmp_path)
    assert "table.csv.part" not in files(tmp_path)


def test_a_file_at_the_limit_is_taken(server, tmp_path):
    assert fetch(server.url, cache=tmp_path, max_bytes=len(TABLE)).read_bytes() == TABLE


def test_a_file_of_unknown_length_is_taken(server, tmp_path, capsys):
    server.sends_length = False
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert capsys.readouterr().err.startswith("table.csv: downloading, size unknown\n")


def test_a_refused_connection_is_told(server, tmp_path):
    server.stop()
    message = error_of(server.url, cache=tmp_path)
    assert message == f"{server.url}: Failed to establish a new connection: {REFUSED}; {REMEDY}"


def test_an_unknown_host_is_told(server, tmp_path, monkeypatch):
    def unknown(*args, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    message = error_of("http://tables.invalid/table.csv", cache=tmp_path)
    assert message.startswith("http://tables.invalid/table.csv: Failed to resolve 'tables.invalid'")
    assert message.endswith(REMEDY)


def test_a_password_is_not_shown(server, tmp_path):
    server.faults = [status(404)]
    message = error_of(server.url.replace("//", "//me:secret@"), cache=tmp_path)
    assert message.startswith(f"{server.url}: the server answers 404")


@pytest.mark.parametrize("url", ["songs.csv", "ftp://127.0.0.1/songs.csv", "https://", "http:///songs.csv"])
def test_what_is_no_web_address_is_refused(tmp_path, url):
    message = error_of(url, cache=tmp_path)
    assert message == f"'{url}' is not a web address; expected https://host/path/table.csv"


@pytest.mark.parametrize("url", ["http://[1/songs.csv", "http://127.0.0.1:port/songs.csv"])
def test_a_malformed_address_is_refused(tmp_path, url):
    message = error_of(url, cache=tmp_path)
    assert message.startswith(f"{url}: ")
    assert message.endswith("; check the address, or give the path of a copy")


def test_a_cache_that_can_not_be_written_is_told(server, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    message = error_of(server.url, cache=tmp_path / "file")
    assert message.endswith(f"table.csv: {os.strerror(errno.ENOTDIR)}; it must be in a writable folder")
