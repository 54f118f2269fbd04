"""Stores for the tests: folders, moto's S3 and a fake of Google's, empty, stocked or behind a proxy."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid

import pytest

from tests.support.releases import point_to, published
from tests.support.store_servers import FakeGoogleStorage, Proxy

# S3 compares an If-Match and writes in one step; moto between other requests, so that two that race may both win
MOTO = """
import sys, threading
from moto import server
from moto.s3.responses import S3Response

turn = threading.RLock()

def put_object(self, put=S3Response.put_object):
    with turn:
        return put(self)

S3Response.put_object = put_object
server.main(sys.argv[1:])
"""


@contextlib.contextmanager
def moto_server():
    """The address of moto's S3, in a process of its own: in ours it would wait for the readers' threads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-c", MOTO, "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    for _ in range(600):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/moto-api/"):
            break
        time.sleep(0.1)
    try:
        yield base
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def moto():
    """The address of moto's S3."""
    with moto_server() as base:
        yield base


@pytest.fixture(scope="session")
def google():
    """The address of the fake of Google's storage."""
    with FakeGoogleStorage() as server:
        yield server.base


def environment(kind, base):
    """The platform's own variables that lead to a server."""
    if kind == "gs":
        return {"GOOGLE_BASE_URL": base, "GOOGLE_BEARER_TOKEN": "made up"}
    keys = {"AWS_ACCESS_KEY_ID": "made", "AWS_SECRET_ACCESS_KEY": "up", "AWS_REGION": "us-east-1"}
    return {"AWS_ENDPOINT_URL": base, **keys}


class Places:
    """Stores of each kind, ``plain`` folders among them; those that are stocked hold the four versions."""

    def __init__(self, bases, folder):
        self.bases, self._folder, self._stocked = bases, folder, {}

    def empty(self, kind, monkeypatch):
        """A new store, to which the environment leads from now on."""
        name = f"segue-{uuid.uuid4().hex[:12]}"
        if kind == "plain":
            return str(self._folder / name)
        for variable, value in environment(kind, self.bases[kind]).items():
            monkeypatch.setenv(variable, value)
        if kind == "s3":
            made = urllib.request.Request(f"{self.bases[kind]}/{name}", method="PUT")
            urllib.request.urlopen(made).close()
        return f"{kind}://{name}/some/prefix"

    def stocked(self, kind, versions, monkeypatch):
        """A store that holds all versions, of which the first is current; a test leaves their files as they were."""
        if kind not in self._stocked:
            self._stocked[kind] = self.empty(kind, monkeypatch)
            published(self._stocked[kind], versions)
        elif kind != "plain":
            for variable, value in environment(kind, self.bases[kind]).items():
                monkeypatch.setenv(variable, value)
        point_to(self._stocked[kind], versions[0].version)
        return self._stocked[kind]


@pytest.fixture(scope="session")
def places(moto, google, tmp_path_factory):
    return Places({"s3": moto, "gs": google}, tmp_path_factory.mktemp("stores"))


@pytest.fixture(params=["plain", "s3", "gs"])
def address(request, places, monkeypatch):
    """An empty store of each kind."""
    return places.empty(request.param, monkeypatch)


@pytest.fixture
def plain(places, monkeypatch):
    """An empty folder, not there yet."""
    return places.empty("plain", monkeypatch)


@pytest.fixture
def s3(places, monkeypatch):
    """An empty bucket of moto's."""
    return places.empty("s3", monkeypatch)


@pytest.fixture(params=["plain", "s3", "gs"])
def stocked(request, places, versions, monkeypatch):
    """A store of each kind with all versions, of which the first is current."""
    return places.stocked(request.param, versions, monkeypatch)


@pytest.fixture(params=["s3", "gs"])
def stocked_bucket(request, places, versions, monkeypatch):
    """A bucket of each kind with all versions, of which the first is current."""
    return places.stocked(request.param, versions, monkeypatch)


@pytest.fixture(params=["s3", "gs"])
def behind_proxy(request, places, versions, monkeypatch):
    """The same, behind a proxy: (address, proxy)."""
    address = places.stocked(request.param, versions, monkeypatch)
    with Proxy(places.bases[request.param]) as proxy:
        for variable, value in environment(request.param, proxy.base).items():
            monkeypatch.setenv(variable, value)
        yield address, proxy
