"""The Spotify dialect beside our own API, in a warm process: ``python -m tests.benchmarks.dialect [ARTIFACTS]``."""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from segue_build import ROOT

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as functions/main.py does

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from segue.catalog import load
from segue.config import Config
from segue.web.service import Service

REQUESTS = 300


def measure(artifacts: Path) -> list[tuple[str, str, str]]:
    """Rows of (what, ours, peer); requests of both kinds in turn."""
    texts, dice = load(artifacts).texts("ids"), random.Random(1)
    ids = [texts[dice.randrange(len(texts))] for _ in range(REQUESTS)]
    handle = Service(Config(artifacts)).handle
    recommended = compared(
        handle,
        [EnvironBuilder(f"/v1/recommendations?seed_tracks={song}&limit=20") for song in ids],
        [EnvironBuilder("/recommend", method="POST", json={"song_id": song, "limit": 20}) for song in ids],
    )
    features = compared(
        handle,
        [EnvironBuilder("/v1/audio-features?ids=" + ",".join(dice.sample(ids, 100))) for _ in ids],
        [EnvironBuilder(f"/v1/audio-features?ids={song}") for song in ids],
    )
    return [
        ("GET /v1/recommendations, one song, limit 20, warm", *recommended),
        ("GET /v1/audio-features, 100 ids, warm", *features),
    ]


def compared(
    handle: Callable[[Request], Response], ours: list[EnvironBuilder], peers: list[EnvironBuilder]
) -> tuple[str, str]:
    """The p50 of requests and of their peers, each pair in turn, after twenty that do not count."""
    took = [(seconds(handle, one), seconds(handle, other)) for one, other in zip(ours, peers)][20:]
    one, other = (statistics.median(column) for column in zip(*took))
    return f"p50 {one * 1000:.1f} ms, {one / other:.2f} x", f"p50 {other * 1000:.1f} ms"


def seconds(handle: Callable[[Request], Response], asked: EnvironBuilder) -> float:
    """One answer, timed: without the client, whose share grows with the length of an address."""
    request = asked.get_request(Request)
    began = time.perf_counter()
    answer = handle(request)
    took = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(answer.get_data(as_text=True))
    return took


def main() -> None:
    """Print one table."""
    artifacts = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "artifacts"
    print("| what | Spotify's dialect | POST /recommend with the same work; one id |\n|---|---|---|")
    print("\n".join(f"| {what} | {ours} | {peer} |" for what, ours, peer in measure(artifacts)))


if __name__ == "__main__":
    main()
