"""How long a wrong key takes to be refused, by how much of a right one it has: ``python -m tests.benchmarks.keys``.

The rows should differ by noise alone. Kinds take turns, and a row of the same keys in other places tells the noise.
"""

import hashlib
import secrets
import statistics
import time
from collections.abc import Mapping

import build  # noqa: F401 # finds segue
from segue.auth import ApiKeys

KNOWN = 8  # keys
ROUNDS = 20_000
LETTERS = 43  # of a key, as `segue key` makes them


def main() -> None:
    """Print one table."""
    right = [secrets.token_urlsafe(32) for _ in range(KNOWN)]
    keys = ApiKeys(tuple(hashlib.sha256(key.encode()).digest() for key in right))
    print("| letters of a right key | median ns | quartiles |\n|---|---:|---|")
    for what, took in timed(keys, kinds(right)).items():
        low, median, high = statistics.quantiles(took, n=4)
        print(f"| {what} | {median:.0f} | {low:.0f} .. {high:.0f} |")


def kinds(right: list[str]) -> Mapping[str, list[str]]:
    """Wrong keys, some of each kind."""
    shares = {"none": 0, "none, again": 0, "16": 16, "all but the last": LETTERS - 1}
    return {what: [wrong(key, share) for key in right] for what, share in shares.items()} | {"all: admitted": right}


def wrong(key: str, share: int) -> str:
    """A key that begins like another one, and goes on otherwise."""
    return key[:share] + "".join("B" if letter == "A" else "A" for letter in key[share:])


def timed(keys: ApiKeys, asked: Mapping[str, list[str]]) -> Mapping[str, list[int]]:
    """Nanoseconds of each answer; all kinds in turn, and every key as often."""
    took: dict[str, list[int]] = {what: [] for what in asked}
    for number in range(ROUNDS):
        for what, presented in asked.items():
            key = presented[number % len(presented)]
            began = time.perf_counter_ns()
            keys.accepts(key)
            took[what].append(time.perf_counter_ns() - began)
    return took


if __name__ == "__main__":
    main()
