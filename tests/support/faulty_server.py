"""A server of one table that fails on purpose: cuts answers short, stalls, refuses, and keeps what it was asked."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from segue.errors import SourceError
from segue_build.sources import download

TABLE = b"".join(b"%06d,an invented song,0.%d\n" % (n, n % 10) for n in range(12_000))
OTHER = TABLE.replace(b"song", b"tune")
CUT = 200_000  # byte at which a truncated answer ends
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
REMEDY = "still so after 5 retries: run again later to resume, or give the path of a copy"


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def etag(body: bytes) -> str:
    return f'"{sha256(body)[:8]}"'


@dataclass
class Seen:
    """A request as the server saw it, and how many bytes of the file it sent in answer."""

    range: str | None
    if_range: str | None
    if_none_match: str | None
    sent: int = 0


class Server(ThreadingHTTPServer):
    """Serves one table at every path; the first requests meet `faults`, one each."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = TABLE
        self.headers = {"ETag": etag(TABLE), "Content-Type": "text/csv"}
        self.faults: list[Callable[[Handler], None]] = []
        self.seen: list[Seen] = []
        self.takes_ranges = True
        self.heeds_if_range = True
        self.sends_length = True
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/data/table.csv"
        threading.Thread(target=self.serve_forever, args=(0.01,)).start()

    def publish(self, body: bytes) -> None:
        self.body = body
        self.headers["ETag"] = etag(body)

    def stop(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    @property
    def ranges(self) -> list[str | None]:
        return [seen.range for seen in self.seen]

    @property
    def sent(self) -> int:
        return sum(seen.sent for seen in self.seen)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = (self.headers[name] for name in ("Range", "If-Range", "If-None-Match"))
        self.server.seen.append(Seen(*asked))
        if self.server.faults:
            self.server.faults.pop(0)(self)
        else:
            self.serve()

    def serve(self, end: int | None = None) -> None:
        """Answer by the rules; with `end`, break the promise at that byte of the file."""
        body, seen = self.server.body, self.server.seen[-1]
        if seen.if_none_match == self.server.headers.get("ETag", ""):
            return self.answer(304)
        start = self.start(seen)
        if start >= len(body):
            return self.answer(416, {"Content-Range": f"bytes */{len(body)}"})
        length = {"Content-Length": str(len(body) - start)} if self.server.sends_length else {}
        span = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        self.answer(206 if start else 200, length | span)
        seen.sent = len(body[start:end])
        self.wfile.write(body[start:end])
        return None

    def start(self, seen: Seen) -> int:
        same = seen.if_range == self.server.headers.get("ETag") or not self.server.heeds_if_range
        takes = self.server.takes_ranges and seen.range and same
        return int(seen.range.removeprefix("bytes=").rstrip("-")) if takes else 0

    def answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (self.server.headers | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def truncate(handler: Handler) -> None:
    handler.serve(end=CUT)


def stall(handler: Handler) -> None:
    handler.serve(end=CUT)
    handler.server.released.wait()


def stall_at_once(handler: Handler) -> None:
    handler.server.released.wait()


def status(code: int, **headers: str) -> Callable[[Handler], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(code, named)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "RETRY", download.RETRY.new(backoff_factor=0))
    server = Server()
    yield server
    server.stop()


def files(cache: Path) -> list[str]:
    """The names of all files below a folder."""
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def error_of(url: str, **options) -> str:
    """The one line that tells why a download was given up."""
    with pytest.raises(SourceError) as caught:
        download.fetch(url, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message
