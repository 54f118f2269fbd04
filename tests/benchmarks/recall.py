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
ASKED = {  # what is asked for: seeds, whether there is a filter, queries; of many seeds every third is a dislike
    "a song": ("id", 1, False, 500),
    "a song, 1 % pass": ("id", 1, True, 100),
    "five songs": ("id", 5, False, 100),
    "five songs, 1 % pass": ("id", 5, True, 50),
    "a hundred songs": ("id", 100, False, 30),
    "a hundred songs, a third disliked": ("id", 100, False, 30),
    "ten artists": ("artist", 10, False, 30),
    "twenty genres, a third disliked": ("genre", 20, False, 30),
}


def measure(subject: Subject) -> Iterator[Row]:
    """A row for each sort of query."""
    catalog, dice = subject.catalog, random.Random(11)
    for sort, (kind, seeds, filtered, queries) in ASKED.items():
        made = (_query(catalog, dice, kind, seeds, filtered, "disliked" in sort) for _ in range(queries))
        compared = [_compared(catalog, query) for query in made]
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


def _query(catalog: Catalog, dice: random.Random, kind: str, count: int, filtered: bool, disliked: bool) -> Query:
    genres = catalog.manifest["genres"]
    names = {"id": catalog.texts("ids"), "artist": catalog.texts("artists"), "genre": genres}[kind]
    seeds = tuple(
        Seed("", {}, -1.0 if disliked and number % 3 == 2 else 1.0, **{kind: names[dice.randrange(len(names))]})
        for number in range(count)
    )
    return Query(seeds, limit=LIMIT, filters=_filters(catalog, dice) if filtered else Filters())


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
