"""Lists of twenty held against those of ``exact`` requests: recall, what both take, lists that are too short."""

import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from segue.catalog import Catalog
from segue.engine.recommendation import recommend
from segue.query.schema import Filters, Query, Seed
from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.subject import Subject

LIMIT = 20
PASSING = 0.01  # of all songs, where there is a filter
ASKED = {  # what is asked for: seeds, whether there is a filter, queries
    "a song": (1, False, 500),
    "a song, 1 % pass": (1, True, 100),
    "five songs": (5, False, 100),
    "five songs, 1 % pass": (5, True, 50),
}


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each sort of query."""
    catalog, dice = subject.catalog, random.Random(11)
    for sort, (seeds, filtered, queries) in ASKED.items():
        compared = [_compared(catalog, _query(catalog, dice, seeds, filtered)) for _ in range(queries)]
        shares, short, took, exact = zip(*compared)
        yield {
            "asked for": sort,
            "queries": queries,
            f"recall@{LIMIT}": statistics.mean(shares),
            "worst list": min(shares),
            "lists too short": sum(short),
            "p50 ms": statistics.median(took),
            "p99 ms": percentile(list(took), 0.99),
            "exact p50 ms": statistics.median(exact),
        }


def _query(catalog: Catalog, dice: random.Random, seeds: int, filtered: bool) -> Query:
    ids = catalog.texts("ids")
    songs = tuple(Seed("", {}, id=ids[dice.randrange(len(ids))]) for _ in range(seeds))
    return Query(songs, limit=LIMIT, filters=_filters(catalog, dice) if filtered else Filters())


def _filters(catalog: Catalog, dice: random.Random) -> Filters:
    """A range of durations that so many songs have, anywhere."""
    durations = np.sort(catalog.attribute("duration_ms"))
    count = int(PASSING * len(durations))
    first = dice.randrange(len(durations) - count)
    return Filters({"duration_ms": (float(durations[first]), float(durations[first + count]))})


def _compared(catalog: Catalog, query: Query) -> tuple[float, bool, float, float]:
    """The share of the exact list that is found, whether the list is short, milliseconds of both."""
    (found, took), (wanted, exact) = (_scores(catalog, asked) for asked in (query, replace(query, exact=True)))
    share = sum(score >= wanted[-1] for score in found) / len(wanted) if wanted else 1.0
    return share, len(found) < len(wanted), took, exact


def _scores(catalog: Catalog, query: Query) -> tuple[list[float], float]:
    began = time.perf_counter()
    scores = [song.score for song in recommend(catalog, query).recommendations]
    return scores, 1000 * (time.perf_counter() - began)
