"""What comes in over sockets to a real functions framework: bodies without end or form, callers who vanish.

Every route is tried, the two that the framework answers itself among them, with a key and without.
"""

import json
import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.support.gateway import KEY, LOCKED
from tests.support.hostile_requests import own_memory
from tests.support.serving import served

MB = 1_000_000
SECRET = "PASSWORD-hunter2"  # noqa: S105 # of a caller, in its body
PATHS = ("/recommend", "/batch", "/mcp", "/search", "/v1/tracks/x", "/rest/ping", "/api/token", "/healthz", "/",
         "/nowhere", "/robots.txt", "/favicon.ico")  # fmt: skip
NEED_NO_KEY = ("/healthz", "/api/token", "/")
OF_THE_FRAMEWORK = ("/robots.txt", "/favicon.ico")
MALFORMED = (
    f"{SECRET}\r\n\r\n0\r\n\r\n",
    f"5\r\nab{SECRET}\r\n0\r\n\r\n",
    f"5;{SECRET}=\x01\r\nabcde\r\n0\r\n\r\n",
    f"3\r\nabc\r\n0\r\n{SECRET}\r\n\r\n",
    f"-1\r\n{SECRET}\r\n0\r\n\r\n",
)


@pytest.fixture(scope="module")
def front(world_artifacts, tmp_path_factory):
    """A server with a key: (address, the file of its log)."""
    log = tmp_path_factory.mktemp("front") / "log"
    with served(world_artifacts, log, **LOCKED) as base:
        yield urlsplit(base), log


def exchange(address, head, pieces):
    """Send a request, as far as it is taken, and read the answer: (status, body)."""
    with socket.create_connection((address.hostname, address.port), 20) as client:
        try:
            client.sendall(head)
            for piece in pieces:
                client.sendall(piece)
        except OSError:
            pass  # answered before all of it was sent, and closed
        answer = b""
        try:
            while piece := client.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0, answer.partition(b"\r\n\r\n")[2]


def head(path, *headers, key=False):
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    if key:
        lines.append(f"X-Api-Key: {KEY}")
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", [True, False])
def test_malformed_chunks_are_a_400_and_nothing_of_them_is_logged(front, path, key):
    address, log = front
    for body in MALFORMED:
        sent = head(path, "Transfer-Encoding: chunked", key=key), [body.encode("latin-1")]
        status, answer = exchange(address, *sent)
        expected = 404 if path in OF_THE_FRAMEWORK else 400 if key or path in NEED_NO_KEY else 401
        if path == "/rest/ping" and not key:
            expected = 200  # where that API reports a missing key
        assert status == expected, body
        assert SECRET.encode() not in answer
    written = log.read_text()
    assert SECRET not in written
    assert "Traceback" not in written


def test_a_form_in_malformed_chunks_is_a_400_too(front):
    address, log = front
    form = ("Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked")
    for path in ("/rest/ping.view?f=json", "/api/token"):
        status, answer = exchange(address, head(path, *form), [MALFORMED[0].encode()])
        assert (status, SECRET.encode() in answer) == (400, False)
        assert json.loads(answer)
    assert SECRET not in log.read_text()


def endless(pieces):
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    return (piece for _ in range(pieces))


@pytest.mark.parametrize("way", ["declared", "chunked"])
def test_no_body_is_read_further_than_its_limit_on_whichever_route(front, way):
    address, log = front
    server = process_of(address.port)
    for path in PATHS:
        before = own_memory(server)
        for key in (True, False):
            if way == "declared":
                sent = head(path, "Content-Length: 300000000", key=key), (b"x" * 65536 for _ in range(640))
            else:
                sent = head(path, "Transfer-Encoding: chunked", key=key), endless(640)
            assert exchange(address, *sent)[0] in (0, 200, 400, 401, 404, 405, 413)  # 0: closed while it was sent
        assert own_memory(server) - before < 12 * MB, path
    assert not re.search('"status": ?5', log.read_text())


def process_of(port):
    """The process that listens at a port: the first whose sockets hold it."""
    from pathlib import Path

    inode = next(line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
                 if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A")  # fmt: skip
    for folder in sorted(Path("/proc").glob("[0-9]*/fd"), key=lambda path: int(path.parent.name)):
        try:
            if any(entry.readlink().name == f"socket:[{inode}]" for entry in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:
            continue
    raise AssertionError("no process listens")


def test_a_body_that_just_fits_is_read_whole(front):
    address, _ = front
    body = json.dumps({"ids": ["piano-1"], "x": ""})
    body = body.replace('"x": ""', f'"x": "{"y" * (1024 * 1024 - len(body))}"').encode()
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    for headers, sent in ((f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", chunk)):
        status, answer = exchange(address, head("/batch", headers, key=True), [sent])
        assert (len(body), status) == (1024 * 1024, 400)
        assert b"unknown field 'ids'" in answer
    over = f"{len(body) + 1:x}\r\n".encode() + body + b" \r\n0\r\n\r\n"
    assert exchange(address, head("/batch", "Transfer-Encoding: chunked", key=True), [over])[0] == 413


def test_dropped_requests_leave_the_health_of_the_service_to_be_asked(front):
    address, _ = front
    part = {"path": "/playlist", "body": {"seeds": [{"genre": "piano"}] * 20, "songs": 200}}
    body = json.dumps({"requests": [part] * 12}).encode()
    dropped = head("/batch", f"Content-Length: {len(body)}", key=True) + body
    for _ in range(60):
        with socket.create_connection((address.hostname, address.port), 20) as client:
            client.sendall(dropped)
    for _ in range(3):
        assert exchange(address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", [])[0] == 200
