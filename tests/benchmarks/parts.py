"""The parts of the benchmark, and how one is measured over catalogues."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.benchmarks import (
    codes,
    cold,
    imports,
    layout,
    load,
    memory,
    page,
    peers,
    profile,
    ranged,
    recall,
    sizes,
    soak,
    typos,
    warm,
)  # fmt: skip
from tests.benchmarks.figures import Row
from tests.benchmarks.subject import Skipped, Subject


class Part(NamedTuple):
    """A table of the page.

    measure : rows of one catalogue
    once : whether it is the same for every catalogue
    """

    title: str
    measure: Callable[[Subject], Iterable[Row]]
    once: bool = False


PARTS: Mapping[str, Part] = {
    "cold": Part("Start to first recommendation", cold.measure),
    "warm": Part("POST /recommend, ten songs, in process", warm.measure),
    "profile": Part("Where the time of a warm POST /recommend goes, means", profile.measure),
    "recall": Part("Whole lists held against exact ones", recall.measure),
    "load": Part("POST /recommend over HTTP", load.measure),
    "memory": Part("Memory", memory.measure),
    "peers": Part("Search libraries on the same vectors, one thread", peers.measure),
    "page": Part("The page in Chromium, without a graphics card", page.measure),
    "typos": Part("Search by a name with one edit", typos.measure),
    "sizes": Part("Artifacts", sizes.measure),
    "ranged": Part("Served by cells from moto's S3", ranged.measure),
    "layout": Part("Layout of the vectors", layout.measure),
    "codes": Part("Size of PQ codes, and the songs to rescore for the target recall", codes.measure),
    "soak": Part("Minutes of full load over HTTP", soak.measure),
    "deployed": Part("What is deployed besides the artifacts", sizes.deployed, once=True),
    "imports": Part("What the first recommendation imports", imports.measure, once=True),
}
DEFAULT = [name for name in PARTS if name not in ("codes", "layout", "ranged", "soak")]  # which take minutes


def named(text: str) -> list[str]:
    """The parts of a list with commas."""
    names = text.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part is called {unknown[0]!r}; there are {', '.join(PARTS)}")
    return names


def measured(name: str, part: Part, subjects: Sequence[Subject]) -> tuple[list[Row], list[str]]:
    """Rows of a part, and why it stops short where it does."""
    rows: list[Row] = []
    reasons = []
    for subject in subjects[-1:] if part.once else subjects:
        songs = len(subject.catalog)
        print(f"{name}, {songs:,} songs ...", file=sys.stderr)
        try:
            rows.extend(row if part.once else {"songs": songs, **row} for row in part.measure(subject))
        except Skipped as reason:  # after some rows perhaps: these stay
            reasons.append(str(reason))
    return rows, reasons
