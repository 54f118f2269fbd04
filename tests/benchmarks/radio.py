"""The radio of ``/continue``: whether it repeats songs, how far it drifts, and what a skip does.

``python -m tests.benchmarks.radio [--artifacts DIR] [--radios 100]`` starts radios from songs drawn at random, plays
five songs twenty times, and prints how many works come twice, how often an artist returns early, and how far songs
are from the first one: 1 is the distance of two songs drawn at random. Beside it stands a radio that forgets: songs
like the five newest. Then one of five songs is skipped, and it prints how near the next hundred songs are to it.
"""

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from segue.catalog import Catalog, load
from segue.catalog.lookup.exact import artist_names, songs_by_ids
from segue.engine.recommendation import Recommendation, recommend
from segue.engine.scoring import Scorer
from segue.engine.seeds import resolve
from segue.journeys.candidate_pool import metric_of
from segue.journeys.radio import continue_radio
from segue.query.schema import ContinueQuery, Filters, Query, Seed
from segue_build.progress import bar
from tests.benchmarks.figures import Row, table

STEPS, SONGS = 20, 5
PAUSE = 10  # songs in which an artist may not return
Following = Callable[[Catalog, Sequence[str]], Sequence[Recommendation]]


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.radio", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--radios", type=int, default=100, help="(default: %(default)s)")
    options = parser.parse_args()
    catalog = load(options.artifacts)
    print(table([*radios(catalog, options.radios)]), table([skips(catalog, options.radios)]), sep="\n\n")


def radios(catalog: Catalog, count: int) -> Iterator[Row]:
    """A row for the radio, and one for a radio that forgets."""
    starts = drawn(catalog, count)
    for name, following in (("of /continue", next_songs), ("that forgets", like_the_newest)):
        played = [heard(catalog, start, following) for start in bar(starts, f"radios {name}", "", count)]
        away = np.array([distances(catalog, rows) for rows in played]).mean(axis=0).reshape(STEPS, SONGS).mean(axis=1)
        works = [catalog.array("works")[rows] for rows in played]
        yield {
            "radio": name,
            "works twice": sum(len(some) - len(np.unique(some)) for some in works),
            f"artist again within {PAUSE} songs": sum(returns(catalog, rows) for rows in played),
            **{f"distance in step {step}": float(away[step - 1]) for step in (1, 5, 10, 20)},
        }


def drawn(catalog: Catalog, count: int) -> list[str]:
    """Ids of songs drawn at random."""
    usable = np.flatnonzero(catalog.array("recommendable")).tolist()
    return [catalog.texts("ids")[row] for row in random.Random(9).sample(usable, count)]


def heard(catalog: Catalog, start: str, following: Following) -> list[int]:
    """Rows of what a radio plays, the song that it begins with first."""
    ids = [start]
    for _ in range(STEPS):
        ids += [catalog.texts("ids")[song.row] for song in following(catalog, ids)]
    return [row for row in songs_by_ids(catalog, ids) if row is not None]


def next_songs(catalog: Catalog, played: Sequence[str]) -> Sequence[Recommendation]:
    """What ``/continue`` plays next."""
    query = ContinueQuery(Query((), SONGS, max_per_artist=1), tuple(played))
    return continue_radio(catalog, query).answer.recommendations


def like_the_newest(catalog: Catalog, played: Sequence[str]) -> Sequence[Recommendation]:
    """What is like the newest songs, and was not played."""
    seeds = tuple(Seed("", {}, id=song) for song in played[-SONGS:])
    query = Query(seeds, SONGS, Filters(exclude_ids=tuple(played)), max_per_artist=1)
    return recommend(catalog, query).recommendations


def distances(catalog: Catalog, rows: Sequence[int]) -> np.ndarray:
    """How far songs are from the first of them."""
    points = metric_of(catalog).points(np.array(rows))
    return np.sqrt(np.square(points[1:] - points[0]).sum(axis=1) / metric_of(catalog).mean_square)


def returns(catalog: Catalog, rows: Sequence[int]) -> int:
    """How many songs are by an artist who was played shortly before the five songs that they are among."""
    by = [set(artist_names(catalog, row)) for row in rows]
    before = [set().union(*by[max(1 + step * SONGS - PAUSE, 0) : 1 + step * SONGS]) for step in range(STEPS)]
    return sum(bool(names & before[place // SONGS]) for place, names in enumerate(by[1:]))


def skips(catalog: Catalog, count: int) -> Row:
    """How near the next songs are to one of five, played or skipped."""
    ids = drawn(catalog, 5 * count)
    played = [tuple(ids[first : first + 5]) for first in range(0, len(ids), 5)]
    liked, skipped = ([nearness(catalog, songs, songs[2:3] * skip) for songs in played] for skip in (0, 1))
    lower = np.mean([after < before for before, after in zip(liked, skipped)])
    return {"similarity to one of five": np.mean(liked), "when it was skipped": np.mean(skipped), "lower": lower}


def nearness(catalog: Catalog, played: tuple[str, ...], skipped: tuple[str, ...]) -> float:
    """The mean similarity of the next hundred songs to the third that was played."""
    found = continue_radio(catalog, ContinueQuery(Query((), 100), played, skipped)).answer.recommendations
    seeds = resolve(catalog, [Seed("", {}, id=played[2])])
    return float(Scorer(catalog, seeds, {}).similarities(np.array([song.row for song in found])).mean())


if __name__ == "__main__":
    main()
