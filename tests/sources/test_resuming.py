"""Downloads that are cut, stalled or put off: they are resumed, or given up with a reason."""

import re
import shutil

import pytest

from segue_build.sources import download
from segue_build.sources.download import fetch
from tests.support.faulty_server import (
    CUT,
    OTHER,
    REMEDY,
    TABLE,
    Seen,
    error_of,
    etag,
    files,
    server,
    sha256,
    stall,
    stall_at_once,
    status,
    truncate,
)

__all__ = ["server"]  # a fixture


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
    assert fetch(server.url, cache=tmp_path, timeout=0.5).read_bytes() == TABLE
    # What waited in the socket's buffer when the patience ended may be asked for again.
    assert CUT - 2**16 < int(re.fullmatch(r"bytes=(\d+)-", server.ranges[1])[1]) <= CUT


@pytest.mark.parametrize("fault", [stall, stall_at_once])
def test_a_server_that_stalls_for_ever_is_given_up(server, tmp_path, fault):
    server.takes_ranges = False
    server.faults = [fault] * 99
    message = error_of(server.url, cache=tmp_path, timeout=0.1)
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
