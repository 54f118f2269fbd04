import errno
import gzip
import io
import os
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from build.sources import datasets, download
from build.sources.download import fetch
from segue.errors import SourceError
from tests.faulty import CUT, TABLE, Seen, Server, etag, sha256, stall, stall_at_once, status, truncate

OTHER = TABLE.replace(b"song", b"tune")
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
REMEDY = "still so after 5 retries: run again later to resume, or give the path of a copy"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRY", download.RETRY.new(backoff_factor=0))
    server = Server()
    yield server
    server.stop()


def files(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def error_of(url: str, **options) -> str:
    with pytest.raises(SourceError) as caught:
        fetch(url, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


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


def test_a_truncated_download_is_resumed_and_only_the_missing_bytes_are_read(server, tmp_path, capsys):
    server.faults = [truncate]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.seen == [
        Seen(None, None, None, sent=CUT),
        Seen(f"bytes={CUT}-", etag(TABLE), None, sent=len(TABLE) - CUT),
    ]
    assert f"table.csv: downloading, 336kB, resumed at byte {CUT}" in capsys.readouterr().err


def test_a_download_is_resumed_through_a_redirection(server, tmp_path):
    moved = status(302, Location="/storage/4711", Content_Length="0")
    server.faults = [moved, truncate, moved]
    path = fetch(server.url, cache=tmp_path)
    assert (path.name, path.read_bytes()) == ("table.csv", TABLE)
    assert server.ranges == [None, None, f"bytes={CUT}-", f"bytes={CUT}-"]
    assert server.sent == len(TABLE)


@pytest.mark.parametrize("cut", [0, 1, 65_535, 65_536, 65_537, len(TABLE) - 1])
def test_a_download_cut_anywhere_is_completed(server, tmp_path, cut):
    server.faults = [lambda handler: handler.serve(end=cut)]
    assert fetch(server.url, sha256=sha256(TABLE), cache=tmp_path).read_bytes() == TABLE
    assert server.sent == len(TABLE)


def test_a_download_that_is_always_truncated_is_given_up(server, tmp_path):
    server.takes_ranges = False
    server.faults = [truncate] * 99
    message = error_of(server.url, cache=tmp_path)
    missing = len(TABLE) - CUT
    broken = f"Connection broken: IncompleteRead({CUT} bytes read, {missing} more expected)"
    assert message == f"{server.url}: {broken}; {REMEDY}"
    assert len(server.seen) == 6


def test_an_interrupted_download_is_resumed_by_the_next_call(server, tmp_path):
    server.faults = [truncate] + [status(503)] * 6
    error_of(server.url, cache=tmp_path)
    assert files(tmp_path) == ["table.csv.part", "table.csv.part.json"]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.sent == len(TABLE)
    assert files(tmp_path) == ["table.csv", "table.csv.json"]


def test_a_download_interrupted_from_the_keyboard_is_resumed_by_the_next_call(server, tmp_path, monkeypatch):
    class Interrupted(download.tqdm):
        def update(self, n=1):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(download, "tqdm", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(server.url, cache=tmp_path)
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert re.fullmatch(r"bytes=[1-9]\d*-", server.ranges[1])


def test_a_last_modified_date_serves_where_there_is_no_tag(server, tmp_path):
    date = "Tue, 21 Jan 2020 00:00:00 GMT"
    server.headers = {"Last-Modified": date}
    server.heeds_if_range = False
    server.faults = [truncate]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.seen[1] == Seen(f"bytes={CUT}-", date, None, sent=len(TABLE) - CUT)


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}])
def test_a_file_that_can_not_be_told_from_another_is_begun_anew(server, tmp_path, headers):
    server.headers = headers
    server.faults = [truncate]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.ranges == [None, None]


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, tmp_path):
    server.takes_ranges = False
    server.faults = [truncate]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert [seen.sent for seen in server.seen] == [CUT, len(TABLE)]


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_changed_in_between_is_begun_anew(server, tmp_path, heeds_if_range):
    server.heeds_if_range = heeds_if_range
    server.faults = [truncate] + [status(503)] * 6
    error_of(server.url, cache=tmp_path)
    server.publish(OTHER)
    assert fetch(server.url, cache=tmp_path).read_bytes() == OTHER


def test_a_range_that_is_refused_is_begun_anew(server, tmp_path):
    server.heeds_if_range = False
    server.faults = [truncate, status(416)]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.ranges == [None, f"bytes={CUT}-", None]


def test_a_part_that_was_complete_already_does_no_harm(server, tmp_path):
    part = fetch(server.url, cache=tmp_path).rename(tmp_path / "part")
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    shutil.move(part, folder / "table.csv.part")
    (folder / "table.csv.json").rename(folder / "table.csv.part.json")
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert server.ranges == [None, f"bytes={len(TABLE)}-", None]


def test_a_stalled_download_is_resumed(server, tmp_path):
    server.faults = [stall]
    assert fetch(server.url, cache=tmp_path, patience=0.5).read_bytes() == TABLE
    # What waited in the socket's buffer when the patience ended may be asked for again.
    assert CUT - 2**16 < int(re.fullmatch(r"bytes=(\d+)-", server.ranges[1])[1]) <= CUT


@pytest.mark.parametrize("fault", [stall, stall_at_once])
def test_a_server_that_stalls_for_ever_is_given_up(server, tmp_path, fault):
    server.takes_ranges = False
    server.faults = [fault] * 99
    message = error_of(server.url, cache=tmp_path, patience=0.1)
    assert message == f"{server.url}: the server sent nothing for 0.1 seconds; {REMEDY}"
    assert len(server.seen) == 6


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.faults = [status(503), status(503)]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert len(server.seen) == 3


def test_a_server_that_says_when_to_come_back_is_heeded_within_a_minute(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", pauses.append)
    server.faults = [status(429, Retry_After="7"), status(503, Retry_After="86400")]
    assert fetch(server.url, cache=tmp_path).read_bytes() == TABLE
    assert [pause for pause in pauses if pause] == [7, 60]


@pytest.mark.parametrize(
    ("code", "reason"), [(429, "Too Many Requests"), (500, "Internal Server Error"), (502, "Bad Gateway")]
)
def test_a_server_that_stays_busy_is_given_up(server, tmp_path, code, reason):
    server.faults = [status(code)] * 99
    message = error_of(server.url, cache=tmp_path)
    assert message == f"{server.url}: the server answers {code} {reason}; {REMEDY}"
    assert len(server.seen) == 6


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
    what = "answers a web page, not a table; give the address of the file itself"
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
    message = error_of(server.url, cache=tmp_path, limit=len(TABLE) - 1)
    size = f"its {len(TABLE)} bytes are more than" if sends_length else "sends more than"
    unit = "" if sends_length else " bytes"
    assert message == f"{server.url}: {size} {len(TABLE) - 1}{unit}; give a smaller table"
    assert "table.csv" not in files(tmp_path)
    assert "table.csv.part" not in files(tmp_path)


def test_a_file_at_the_limit_is_taken(server, tmp_path):
    assert fetch(server.url, cache=tmp_path, limit=len(TABLE)).read_bytes() == TABLE


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


@pytest.fixture
def named(server, monkeypatch):
    dataset = replace(datasets.DATASETS["tidytuesday"], url=server.url, sha256=sha256(TABLE), size=len(TABLE))
    monkeypatch.setitem(datasets.DATASETS, "tidytuesday", dataset)
    return dataset


def test_a_named_data_set_is_fetched_and_its_licence_printed(named, tmp_path, capsys):
    path = datasets.fetch_named("tidytuesday", cache=tmp_path)
    assert path.read_bytes() == TABLE
    assert capsys.readouterr().err.splitlines()[:2] == [
        f"tidytuesday: {named.about}",
        f"tidytuesday: licence {named.licence}. {datasets.TERMS}.",
    ]


def test_a_named_data_set_is_checked_and_a_new_one_taken_only_when_asked_for(named, server, tmp_path):
    server.publish(OTHER)
    with pytest.raises(SourceError, match=sha256(OTHER)):
        datasets.fetch_named("tidytuesday", cache=tmp_path)
    assert datasets.fetch_named("tidytuesday", cache=tmp_path, accept_new=True).read_bytes() == OTHER


def test_an_unknown_data_set_is_refused_naming_the_known_ones():
    with pytest.raises(SourceError) as caught:
        datasets.fetch_named("spotify")
    assert str(caught.value) == "unknown data set 'spotify'; known are spotify-114k, tidytuesday"


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_every_named_data_set_is_described_in_full(name):
    dataset = datasets.DATASETS[name]
    assert dataset.name == name
    assert dataset.url.startswith("https://")
    assert dataset.url.endswith(".csv")
    assert re.fullmatch(r"[0-9a-f]{64}", dataset.sha256)
    assert dataset.size > 0
    assert dataset.licence
    assert dataset.about
