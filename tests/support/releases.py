"""Versions to publish, and functions that serve them, for the tests of releases."""

import json
import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import releases
from segue.catalog import Catalog, version_files
from segue.config import Config
from segue.web.service import Service
from segue_build.releases import version_history
from segue_build.releases.publish import PublishOptions, publish

ALWAYS = 1e-9  # seconds between checks: each request begins one, or waits for the one under way
ANYHOW = PublishOptions(force=True, reason="a test")
ASKED = "/recommend?song_id=piano-1&limit=3"


def service(address, cache: Path | None = None, refresh: float = ALWAYS) -> Service:
    return Service(Config(address, refresh, cache))


def client(address, cache: Path | None = None, refresh: float = ALWAYS) -> Client:
    """A function that serves a store, as its callers see it."""
    return Client(Request.application(service(address, cache, refresh).handle))


def published(address: str, versions: Sequence[Catalog]) -> None:
    """Publish versions in turn, whatever the gate thinks of them."""
    for version in versions:
        publish(version, releases.open_store(address), ANYHOW)


def point_to(address: str, version: str) -> None:
    """Make a version current behind everybody's back: no gate, no history."""
    place = releases.open_store(address)
    place.compare_and_swap(
        version_files.POINTER, b'{"version": "%s"}' % version.encode(), place.read(version_files.POINTER).tag
    )


def served(client: Client) -> str:
    """The version of the second of two answers, the first of which began a check."""
    assert client.get(ASKED).status_code == 200
    answer = client.get(ASKED)
    assert answer.status_code == 200
    assert answer.json["model"] == answer.headers["X-Segue-Model"]
    return answer.json["model"]


def wait_for_checks() -> None:
    """Wait until no check for a new version is under way."""
    for thread in threading.enumerate():
        if thread.name == "segue-refresh":
            thread.join(60)


def current(address):
    return json.loads(releases.open_store(address).read(version_files.POINTER).content)


def told_of(address):
    """The history without what differs each time."""
    entries = version_history.read_history(releases.open_store(address))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["time"]) for entry in entries)
    return [{name: entry[name] for name in entry if name not in ("id", "time", "by")} for entry in entries]


def warnings(caplog):
    ours = [record for record in caplog.records if record.name == "segue" and record.levelno > logging.INFO]
    return [record.getMessage() for record in ours]
