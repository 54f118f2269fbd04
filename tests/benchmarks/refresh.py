"""Latency while versions are refreshed: 64 concurrent requests before, and during twenty refreshes.

``python -m tests.benchmarks.refresh --artifacts DIR --other VERSION [--store URI]`` points a folder or a store from
one version to the other and back, and prints p50 and p99 of requests through the function, before and during.
"""

import argparse
import random
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue import catalog
from segue.config import Config
from segue.web.service import Service
from segue_build import ROOT  # noqa: F401 # importing build finds functions/
from tests.support.releases import point_to, published

REQUESTS = 64  # at once
REFRESHES = 20


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.refresh", description=__doc__)
    parser.add_argument("--artifacts", required=True, type=Path)
    parser.add_argument("--other", required=True, help="another version in that folder")
    parser.add_argument("--store", help="where to publish and serve both (default: a new folder)")
    parser.add_argument("--seconds", type=float, default=20, help="of asking before (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        address = options.store or f"{folder}/store"
        versions = [catalog.load(options.artifacts), catalog.load_version(options.artifacts, options.other)]
        published(address, versions)
        before, during, errors = measure(
            address, [songs.version for songs in versions], Path(folder), options.seconds
        )
    ratio = p99(during) / p99(before)
    print(f"before: {said(before)}; during {REFRESHES} refreshes: {said(during)}, {ratio:.2f} x; {errors} errors")


def measure(address: str, versions: list[str], folder: Path, seconds: float) -> tuple[list[float], list[float], int]:
    """Seconds of each request before and during refreshes, and how many were not answered."""
    service = Service(Config(address, 0.2, folder / "cache"))
    client, ids = Client(Request.application(service.handle)), service.catalog().texts("ids")
    took, over, errors = [], threading.Event(), []

    def ask(seed: int) -> None:
        dice = random.Random(seed)
        while not over.is_set():
            began = time.perf_counter()
            answer = client.get(f"/recommend?song_id={ids[dice.randrange(len(ids))]}")
            took.append(time.perf_counter() - began)
            if answer.status_code not in (200, 404):  # the other version may not know the song
                errors.append(answer.status_code)

    with ThreadPoolExecutor(REQUESTS) as pool:
        for seed in range(REQUESTS):
            pool.submit(ask, seed)
        time.sleep(seconds)
        before = took[len(took) // 4 :]
        start = len(took)
        for turn in range(REFRESHES):
            refresh(service, address, versions[turn % 2])
        during = took[start:]
        over.set()
    return before, during, len(errors)


def refresh(service: Service, address: str, version: str) -> None:
    """Point to a version and wait until it is served."""
    point_to(address, version)
    while service._live.catalog().version != version:
        time.sleep(0.02)
    time.sleep(0.5)


def p99(took: list[float]) -> float:
    """The time that one request of a hundred exceeds."""
    return statistics.quantiles(took, n=100)[98]


def said(took: list[float]) -> str:
    """Figures for people."""
    return f"{len(took):,} requests, p50 {statistics.median(took) * 1000:.0f} ms, p99 {p99(took) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
