"""Good requests beside hostile clients: what they take over HTTP alone, and while three clients send dear requests.

``python -m tests.benchmarks.hostile [--artifacts DIR] [--seconds 20]`` asks for songs like one from two clients, in
turns alone and beside three that send the dearest bodies of each path that were found. What is wanted: a 99th
percentile of at most twice that alone, and a slice of work more, for which a request may have to wait.
"""

import argparse
import threading
from pathlib import Path

from segue.limits import SLICE
from tests.benchmarks.dearest import find_dearest
from tests.benchmarks.figures import percentile, table
from tests.benchmarks.http import post, post_json
from tests.benchmarks.load import Load, put
from tests.benchmarks.servers import serving
from tests.benchmarks.subject import OURS, Subject

GOOD_CLIENTS, HOSTILE_CLIENTS = 2, 3
ROUNDS = 3
PATHS = ("/recommend", "/playlist", "/batch")  # whose dearest requests are sent, one by each hostile client


def measure(artifacts: Path, seconds: float, steps: int) -> tuple[Load, Load, Load]:
    """Good requests alone, good ones beside hostile ones, and these."""
    subject = Subject(artifacts)
    good = [post(song) for song in subject.ids(2_000, seed=3)]
    dearest, _ = find_dearest(artifacts, steps, seed=1)
    hostile = [post_json(path, dearest[path].body) for path in PATHS if path in dearest]
    alone, beside, dear = Load(), Load(), Load()
    with serving(OURS, subject.environ, good[0]) as server:
        for _ in range(ROUNDS):
            put(alone, server.port, good, GOOD_CLIENTS, seconds / ROUNDS)
            attack = threading.Thread(
                target=put, args=(dear, server.port, hostile, HOSTILE_CLIENTS, seconds / ROUNDS)
            )
            attack.start()
            put(beside, server.port, good, GOOD_CLIENTS, seconds / ROUNDS)
            attack.join()
    return alone, beside, dear


def main() -> None:
    """Print a row for good requests alone, one for them beside hostile ones, and what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.hostile", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--seconds", type=float, default=20, help="alone, and as many beside (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=30, help="of a climb to dear bodies (default: %(default)s)")
    options = parser.parse_args()
    alone, beside, dear = measure(options.artifacts, options.seconds, options.steps)
    rows = [
        {"requests": name, "answered": len(load.took), "p50 ms": percentile(load.took, 0.5),
         "p99 ms": percentile(load.took, 0.99), "refused": load.errors}
        for name, load in (("good, alone", alone), ("good, beside hostile", beside), ("hostile", dear)) if load.took
    ]  # fmt: skip
    wanted = 2 * percentile(alone.took, 0.99) + 1000 * SLICE
    print(f"{table(rows)}\n\nwanted of good requests beside hostile ones: p99 of at most {wanted:.1f} ms")


if __name__ == "__main__":
    main()
