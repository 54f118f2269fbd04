"""How long journeys take, as multiples of one recommendation of ten songs by one song.

``python -m tests.benchmarks.journeys [--artifacts DIR] [--runs 30]`` asks the service in process, of songs drawn at
random, for each in turn. Times are the processor's, so that other work on the machine counts little; a ratio is the
median over rounds.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from werkzeug.test import Client
from werkzeug.wrappers import Request

import build  # noqa: F401 # finds segue
from segue.catalog import Catalog, load
from segue.config import Config
from segue.web.service import Service
from tests.benchmarks.figures import interleaved, ratio, table

Body = Mapping[str, Any]


def main() -> None:
    """Print a row for each kind of request."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.journeys", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--runs", type=int, default=30, help="rounds (default: %(default)s)")
    options = parser.parse_args()
    client = Client(Request.application(Service(Config(options.artifacts)).handle))
    kinds = requests(load(options.artifacts))
    with threadpool_limits(1):  # as the function has it
        taken = interleaved([timed(client, path, body) for _, path, body in kinds], options.runs)
    print(table([
        {
            "request": name,
            "median, ms": 1000 * statistics.median(times),
            "slowest, ms": 1000 * max(times),
            "times a recommendation": ratio(times, taken[0]),
        }
        for (name, _, _), times in zip(kinds, taken)
    ]))  # fmt: skip


def timed(client: Client, path: str, body: Callable[[], Body]) -> Callable[[], float]:
    """Seconds of processor time that such a request takes, each time of other songs."""

    def measure() -> float:
        asked = body()
        began = time.process_time()
        answer = client.post(path, json=asked)
        taken = time.process_time() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{path} {asked} gets {answer.status_code}: {answer.text}")
        return taken

    return measure


def requests(catalog: Catalog) -> list[tuple[str, str, Callable[[], Body]]]:
    """Names, paths and bodies of requests; the recommendation is the first."""
    songs = drawn(catalog)

    def walk(length: int, **more: object) -> Body:
        return {"from": {"id": next(songs)}, "to": {"id": next(songs)}, "length": length, **more}

    return [
        ("recommendation of 10", "/recommend", lambda: {"song_id": next(songs)}),
        ("path of 10", "/path", lambda: walk(10)),
        ("path of 25", "/path", lambda: walk(25)),
        ("path of 25, 100 to 120 beats a minute", "/path", lambda: walk(25, filters={"tempo": [100, 120]})),
        ("path of 50", "/path", lambda: walk(50)),
        ("playlist of 25", "/playlist", lambda: {"song_id": next(songs)}),
        ("playlist of 50", "/playlist", lambda: {"song_id": next(songs), "songs": 50}),
        ("playlist of 50, rising", "/playlist", lambda: {"song_id": next(songs), "songs": 50, "flow": "rise"}),
        ("playlist of 50, harmonic", "/playlist", lambda: {"song_id": next(songs), "songs": 50, "flow": "harmonic"}),
        ("playlist of 3 hours", "/playlist", lambda: {"song_id": next(songs), "minutes": 180}),
        ("10 songs after 20", "/continue", lambda: {"played": [next(songs) for _ in range(20)]}),
    ]


def drawn(catalog: Catalog) -> Iterator[str]:
    """Ids of songs drawn at random, for ever."""
    dice, ids = random.Random(3), catalog.texts("ids")
    usable = np.flatnonzero(catalog.array("recommendable")).tolist()
    while True:
        yield ids[dice.choice(usable)]


if __name__ == "__main__":
    main()
