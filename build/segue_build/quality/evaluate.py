"""``evaluate``: the current version judged by playlists, and by what its own table holds."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from segue_build import progress
from segue_build.artifacts.table import FILE
from segue_build.quality.judge import DEPTH, Asked, judge, queries
from segue_build.quality.retrieval import SEEDS, by_table
from segue_build.sources.listed import SEPARATOR
from segue_build.sources.playlists import Works, load, works_of
from segue import releases
from segue.catalog import Catalog
from segue.engine import recommend, seeds
from segue.engine.scoring import Scorer
from segue.query import Query, Seed

COLUMNS = ("id", "name", "artists", "popularity", "duration_ms", "tempo")
MEANING = {
    "HR@10": "lists of ten with a hit",
    "xHR@10": "the same, other artists only",
    "R@100": "of a playlist found in a hundred",
    "nDCG@10": "hits, early ones more",
    "artists": "different ones in ten",
    "dup": "lists with a second version",
    "AUC": "against equally popular songs",
    "coverage": "of all works, in any of the lists",
    "artist@10": "lists of ten with the seed's artist again",
    "album@10": "lists of ten with the seed's album again",
    "genre@10": "of other artists' songs, sharing a genre",
    "never": "of what the lists had room for, in none",
    "hubness": "skewness of how often songs are in lists",
}
Figures = dict[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A catalogue as the judge sees it.

    works : numbered in the order of the source; rows are the catalogue's
    work_of_row : int64, shape (n_songs,), -1 for songs that can't be recommended
    """

    catalog: Catalog
    works: Works
    work_of_row: np.ndarray

    def rank(self, work: int, limit: int = DEPTH) -> list[int]:
        """Works that the service recommends for one work, with its defaults."""
        song = self.catalog.texts("ids")[int(self.works.rows[work])]
        found = recommend(self.catalog, Query((Seed("/song_id", {}, id=song),), limit=limit))
        return [int(self.work_of_row[entry.row]) for entry in found.recommendations]

    def score(self, work: int, others: np.ndarray) -> np.ndarray:
        """The scores of works for one work."""
        song = self.catalog.texts("ids")[int(self.works.rows[work])]
        seed = seeds.resolve(self.catalog, (Seed("/song_id", {}, id=song),))
        return Scorer(self.catalog, seed, {}).score(self.works.rows[others])


def evaluate(artifacts: str | Path, playlists: Path, part: str, fold: int, as_json: bool) -> None:
    """Judge the current version and print the figures, for people or as JSON."""
    songs = releases.load(artifacts)
    asked, figures = by_playlists(songs, playlists, part, fold)
    table = by_table(songs)
    if as_json:
        facts = {name: dict(zip(("mean", "low", "high"), values)) for name, values in figures.items()}
        print(json.dumps({"version": songs.version, "queries": len(asked), "playlists": facts, "table": table}))
    else:
        print("\n".join([f"version {songs.version}", f"by {len(asked):,} playlists", *lines(figures)]))
        print("\n".join([f"by {SEEDS:,} songs of the table at the most", *table_lines(table)]))


def by_playlists(songs: Catalog, playlists: Path, part: str, fold: int) -> tuple[list[Asked], Figures]:
    """Judge a catalogue by playlists: the queries, and the figures with their intervals."""
    judged = as_judged(songs)
    read = load(playlists, judged.works).part(part, fold)
    ids = songs.texts("ids")
    asked = queries(read, judged.works, [ids[int(row)] for row in judged.works.rows])
    shown: Iterable[Asked] = progress.bar(asked, "judging", " queries", len(asked))
    return asked, judge(shown, judged.works, read, judged.rank, judged.score)


def as_judged(songs: Catalog) -> Judged:
    """A catalogue's works, numbered as in its source."""
    table = pq.read_table(songs.path(FILE), columns=list(COLUMNS)).to_pandas()
    table["artists"] = [None if names is None else SEPARATOR.join(names) for names in table["artists"]]
    order = np.argsort(songs.array("source_rows"))
    works = works_of(table.iloc[order].reset_index(drop=True))
    numbers = pd.Series(works.of_id).reindex(table["id"]).fillna(-1).to_numpy(np.int64)
    rows = order[works.rows]
    return Judged(songs, Works(works.of_id, works.of_key, rows, works.artists), numbers)


def table_lines(figures: Mapping[str, float]) -> list[str]:
    """Figures without intervals as a person reads them."""
    meaning = MEANING | {"coverage": f"of all works, in any list for {SEEDS:,} songs of the table"}
    return [f"  {name:10s} {value:.4f}  {meaning[name]}" for name, value in figures.items()]


def lines(figures: Figures) -> list[str]:
    """Figures as a person reads them, with their intervals."""
    return [
        f"  {name:10s} {mean:.4f} [{low:.4f}, {high:.4f}]  {MEANING.get(name, '')}"
        for name, (mean, low, high) in figures.items()
    ]
