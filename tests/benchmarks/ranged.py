"""Serving by cells from a bucket of moto's: round trips, requests and bytes an answer, memory, latency.

``trips`` are waits for the store one after another. In a *cold* request nothing of songs is here; in a *warm* one the
records of the seed's look-up and of its cell are, and no other. Both are asked in process, a thousand others over
HTTP, of songs drawn at random. moto reads an object whole for each range of it: latencies are moto's.
"""

import contextvars
import json
import os
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import log_context, releases
from segue.catalog import Catalog, version_files
from segue.catalog.lookup.exact import artist_names, prefetch
from segue.catalog.remote.blocks import MANIFEST_KEY
from segue.catalog.schema import RESIDENT_ARRAYS
from segue.config import Config
from segue.releases.store import Store
from segue.web.service import Service
from segue_build.releases import publish
from tests.benchmarks import http
from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.memory import megabytes
from tests.benchmarks.servers import Server, serving
from tests.benchmarks.subject import OURS, Skipped, Subject
from tests.support.stores import environment, moto_server

ADDRESS = "s3://music/models"
FRESH = 15  # requests of each kind that find nothing here
REQUESTS = 1_000
MB = 1e6


def measure(subject: Subject) -> Iterator[Row]:
    """Rows of requests in process, then of a thousand over HTTP, beside the same from files that are mapped."""
    if MANIFEST_KEY not in subject.catalog.manifest:
        raise Skipped("these artifacts were fitted without records: fit them again")
    with moto_server() as base, tempfile.TemporaryDirectory() as folder:
        os.environ.update(environment("s3", base))
        urllib.request.urlopen(urllib.request.Request(f"{base}/music", method="PUT")).close()
        _stock(subject.catalog, releases.open_store(ADDRESS))
        cells = {"SEGUE_ARTIFACTS": ADDRESS, "SEGUE_RESIDENT": "cells", "SEGUE_CACHE": str(Path(folder) / "cache")}
        yield from _in_process(subject, Config.from_environ(cells))
        requests = [http.post(song) for song in subject.ids(REQUESTS, seed=4)]
        for way, environ in (("cells", {**environment("s3", base), **cells}), ("mapped", {})):
            with serving(OURS, {**subject.environ, **environ}, requests[0]) as server:
                yield {"request": f"{REQUESTS:,} over HTTP, {way}", **_asked(server, requests)}


def _stock(songs: Catalog, store: Store) -> None:
    """Bring into a bucket what these requests read: to read all files back, as publishing does, takes moto hours."""
    publish.upload_records(songs, store)
    for name in (*(f"{name}.npy" for name in RESIDENT_ARRAYS), version_files.MANIFEST):
        store.create(f"versions/{songs.version}/{name}", songs.folder / name)
    store.compare_and_swap(version_files.POINTER, json.dumps({"version": songs.version}).encode(), None)


def _in_process(subject: Subject, config: Config) -> Iterator[Row]:
    songs = subject.catalog
    rows = [int(row) for row in np.random.default_rng(6).integers(0, len(songs), FRESH)]
    bodies = {"by id": _by_id, "by title and artist": _by_names, "by a text": _by_text}
    for name, body in bodies.items():
        yield {"request": f"cold, {name}", **_told([_noted(config, body(songs, row)) for row in rows])}
    yield {"request": "warm, by id", **_told([_noted(config, _by_id(songs, row), row) for row in rows])}


def _noted(config: Config, body: Mapping[str, Any], row: int | None = None) -> log_context.LogContext:
    """What a request notes of itself; ``row``: of the song that is here, with its look-up."""
    service = Service(config)
    if row is not None:
        here = contextvars.copy_context().run(service.catalog)  # as in a request of its own
        prefetch(here, [body["song_id"]], [])
        here.prefetch_rows(np.array([row]))
    client = Client(Request.application(service.handle))
    with log_context.collect() as noted:
        began = time.perf_counter()
        answer = client.post("/recommend", json=body)
        noted["ms"] = (time.perf_counter() - began) * 1000 - noted.get("load", 0.0)
    if answer.status_code != 200:
        raise RuntimeError(f"the function answered {answer.status_code}: {answer.get_data(as_text=True)[:200]}")
    return noted


def _told(noted: list[log_context.LogContext]) -> Row:
    trips = [one.get("trips", 0) for one in noted]
    return {
        "trips": statistics.median(trips),
        "most trips": max(trips),
        "ranges": statistics.median(one.get("ranges", 0) for one in noted),
        "MB": statistics.median(one.get("fetched", 0) / MB for one in noted),
        "p50 ms": statistics.median(one["ms"] for one in noted),
    }


def _asked(server: Server, requests: list[bytes]) -> Row:
    client, took = http.Client(server.port), []
    for request in requests:
        began = time.perf_counter()
        if client.status(request) != 200:
            raise RuntimeError("the function answered no 200")
        took.append((time.perf_counter() - began) * 1000)
    client.close()
    workers = server.workers()
    return {
        "p50 ms": statistics.median(took),
        "p99 ms": percentile(took, 0.99),
        "PSS MB": megabytes(workers, "Pss"),
        "of it its own MB": megabytes(workers, "Pss_Anon"),
    }


def _by_id(songs: Catalog, row: int) -> Mapping[str, Any]:
    return {"song_id": songs.texts("ids")[row]}


def _by_names(songs: Catalog, row: int) -> Mapping[str, Any]:
    return {"song": songs.texts("names")[row], "artist": artist_names(songs, row)[0]}


def _by_text(songs: Catalog, row: int) -> Mapping[str, Any]:
    return {"song": f"{songs.texts('names')[row]} {artist_names(songs, row)[0]}"}
