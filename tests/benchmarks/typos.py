"""Search by a name with one edit: how long it takes, and how often the right name is among the first five."""

import random
import statistics
import string
import time
from collections.abc import Iterator

from segue.catalog.lookup.resolver import search
from segue.catalog.normalization import normalized
from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.subject import Subject

SEARCHES = 300
SHORTEST = 4  # letters of a name that is searched for


def measure(subject: Subject) -> Iterator[Row]:
    """One row."""
    names, dice = subject.catalog.texts("names"), random.Random(5)
    took, found = [], 0
    while len(took) < SEARCHES:
        name = names[dice.randrange(len(names))]
        if len(name) < SHORTEST:
            continue
        began = time.perf_counter()
        songs = search(subject.catalog, edited(name, dice), 5).songs
        took.append((time.perf_counter() - began) * 1000)
        found += normalized(name) in {normalized(names[reading.row]) for reading in songs}
    yield {
        "p50 ms": statistics.median(took),
        "p99 ms": percentile(took, 0.99),
        "max ms": max(took),
        "right name in the first five": found / SEARCHES,
    }


def edited(name: str, dice: random.Random) -> str:
    """A name with one letter left out, added, replaced or swapped with the next."""
    place, letter = dice.randrange(len(name) - 1), dice.choice(string.ascii_lowercase)
    edits = ("", letter + name[place], letter, name[place + 1] + name[place])
    edit = dice.choice(edits)
    return name[:place] + edit + name[place + (2 if edit is edits[-1] else 1) :]
