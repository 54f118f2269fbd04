"""The Spotify dialect beside our own API, in a warm process: ``python -m tests.benchmarks.dialect [ARTIFACTS]``."""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from build import ROOT

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as functions/main.py does

from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.config import Config
from segue.web import Service

REQUESTS = 300


def measure(artifacts: Path) -> list[tuple[str, str, str]]:
    """Rows of (what, ours, peer); requests of both kinds in turn."""
    texts, dice = load(artifacts).texts("ids"), random.Random(1)
    ids = [texts[dice.randrange(len(texts))] for _ in range(REQUESTS)]
    client = Client(Request.application(Service(Config(artifacts)).handle))
    own = {"limit": 20}
    recommended = compared(
        [lambda song=song: client.get(f"/v1/recommendations?seed_tracks={song}&limit=20") for song in ids],
        [lambda song=song: client.post("/recommend", json={"song_id": song, **own}) for song in ids],
    )
    features = compared(
        [lambda: client.get("/v1/audio-features?ids=" + ",".join(dice.sample(ids, 100))) for _ in ids],
        [lambda song=song: client.get(f"/v1/audio-features?ids={song}") for song in ids],
    )
    return [
        ("GET /v1/recommendations, one song, limit 20, warm", *recommended),
        ("GET /v1/audio-features, 100 ids, warm", *features),
    ]


def compared(ours: list[Callable[[], object]], peers: list[Callable[[], object]]) -> tuple[str, str]:
    """The p50 of calls and of their peers, each pair in turn, after twenty that do not count."""
    took = [(seconds(one), seconds(other)) for one, other in zip(ours, peers)][20:]
    one, other = (statistics.median(column) for column in zip(*took))
    return f"p50 {one * 1000:.1f} ms, {one / other:.2f} x", f"p50 {other * 1000:.1f} ms"


def seconds(call: Callable[[], object]) -> float:
    """One call, timed."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    """Print one table."""
    artifacts = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "artifacts"
    print("| what | Spotify's dialect | POST /recommend with the same work; one id |\n|---|---|---|")
    print("\n".join(f"| {what} | {ours} | {peer} |" for what, ours, peer in measure(artifacts)))


if __name__ == "__main__":
    main()
