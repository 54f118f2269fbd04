"""What a genre as a seed stands for: for every genre, twenty answers held against the genre's own songs.

``python -m tests.benchmarks.genres [--artifacts DIR] [--all]`` prints the figures of all and those that do
worst.

========  ================================================================================================
known     share of the genre's songs that are at most as popular as the median of the answers
of it     share of answers that have the genre, or whose first artist has it on more than half of all songs
seasonal  share of answers for Christmas or another occasion; of genres that mostly are not
========  ================================================================================================
"""

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse

from segue.catalog import Catalog, load
from segue.engine.recommendation import recommend
from segue.engine.space import space_of
from segue.query.schema import Query, Seed
from segue_build.quality.metrics import song_genres
from tests.benchmarks.figures import Row, table

LIMIT = 20
SHOWN = 12  # genres of each figure that do worst
FIGURES = ("known", "of it", "seasonal")


@dataclass(frozen=True)
class GenreSeeds:
    """The genres of a catalogue as seeds."""

    catalog: Catalog

    @cached_property
    def _genres(self) -> sparse.csc_matrix:
        return song_genres(self.catalog).tocsc()

    @cached_property
    def _popularity(self) -> np.ndarray:
        """Of each song, unknown as -1."""
        return np.nan_to_num(np.asarray(self.catalog.attribute("popularity"), np.float64), nan=-1)

    @cached_property
    def _is_seasonal(self) -> np.ndarray:
        block = space_of(self.catalog).block("occasion")
        if block is None:
            return np.zeros(len(self.catalog), bool)
        columns = np.asarray(self.catalog.array("vectors"))[:, block.columns]
        return np.asarray((columns > columns.min(axis=0)).any(axis=1))

    @cached_property
    def _of_genre(self) -> np.ndarray:
        """Which songs have each genre or an artist who mostly does; bool, shape (n_songs, n_genres)."""
        genres, offsets = self._genres.toarray() > 0, self.catalog.array("song_artists_offsets")
        artists = np.full(len(genres), -1)
        has_artist = np.flatnonzero(np.diff(offsets.astype(np.int64)))
        artists[has_artist] = self.catalog.array("song_artists")[offsets[has_artist]]
        numbers = np.unique(artists, return_inverse=True)[1]
        sums = np.zeros((numbers.max() + 1, genres.shape[1]))
        np.add.at(sums, numbers, genres)
        mostly = 2 * sums > np.bincount(numbers)[:, None]
        return genres | (mostly[numbers] & (artists >= 0)[:, None])

    def measure(self, number: int) -> Row:
        """The figures of a genre."""
        genre = self.catalog.manifest["genres"][number]
        answer = recommend(self.catalog, Query((Seed("/genre", {}, genre=genre),), limit=LIMIT))
        found = np.array([song.row for song in answer.recommendations], np.int64)
        own = self._genres.indices[self._genres.indptr[number] : self._genres.indptr[number + 1]]
        known = self._popularity[own[self._popularity[own] >= 0]]
        is_usual = 2 * self._is_seasonal[own].sum() < len(own)
        return {
            "genre": genre,
            "songs": len(own),
            "known": float((known <= np.median(self._popularity[found])).mean()) if len(known) else 1.0,
            "of it": float(self._of_genre[found, number].mean()),
            "seasonal": float(self._is_seasonal[found].mean()) if is_usual else 0.0,
        }

    def rows(self) -> list[Row]:
        """Those of all genres."""
        return [self.measure(number) for number in range(len(self.catalog.manifest["genres"]))]


def summary(rows: list[Row]) -> Row:
    """The mean and the worst of each figure."""
    figures: dict[str, float] = {}
    for name in FIGURES:
        values = [float(row[name]) for row in rows]
        worst = max(values) if name == "seasonal" else min(values)
        figures |= {f"{name}, mean": float(np.mean(values)), f"{name}, worst": worst}
    return {"genres": len(rows), **figures}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.genres", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--all", action="store_true", help="print every genre")
    options = parser.parse_args()
    rows = GenreSeeds(load(options.artifacts)).rows()
    if not options.all:
        print(table([summary(rows)]), end="\n\n")
    worst = {
        str(row["genre"]): row
        for name in FIGURES
        for row in sorted(rows, key=lambda row: float(row[name]), reverse=name == "seasonal")[:SHOWN]
    }
    print(table(rows if options.all else list(worst.values())))


if __name__ == "__main__":
    main()
