"""``evaluate``: the current version judged by playlists, and by what its own table holds."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from segue import releases
from segue.catalog import Catalog
from segue.engine import seeds
from segue.engine.recommendation import recommend
from segue.engine.scoring import Scorer
from segue.query.schema import Query, Seed
from segue_build import progress
from segue_build.artifacts.parquet import FILE_NAME
from segue_build.quality.metrics import (
    DEPTH,
    TABLE_SEEDS,
    PlaylistQuery,
    playlist_queries,
    ranking_metrics,
    table_metrics,
)
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.playlists import CatalogWorks, catalog_works, load_playlists

COLUMNS = ("id", "name", "artists", "popularity", "duration_ms", "tempo")
METRIC_DESCRIPTIONS = {
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
Metrics = dict[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class EvaluatedCatalog:
    """A catalogue as the judge sees it.

    works : numbered in the order of the source; rows are the catalogue's
    work_of_row : int64, shape (n_songs,), -1 for songs that can't be recommended
    """

    catalog: Catalog
    works: CatalogWorks
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
    queries, metrics = evaluate_playlists(songs, playlists, part, fold)
    table = table_metrics(songs)
    if as_json:
        facts = {name: dict(zip(("mean", "low", "high"), values)) for name, values in metrics.items()}
        print(json.dumps({"version": songs.version, "queries": len(queries), "playlists": facts, "table": table}))
    else:
        print("\n".join([f"version {songs.version}", f"by {len(queries):,} playlists", *format_metrics(metrics)]))
        print("\n".join([f"by {TABLE_SEEDS:,} songs of the table at the most", *format_table_metrics(table)]))


def evaluate_playlists(songs: Catalog, playlists: Path, part: str, fold: int) -> tuple[list[PlaylistQuery], Metrics]:
    """Judge a catalogue by playlists: the queries, and the figures with their intervals."""
    evaluated = evaluated_catalog(songs)
    read = load_playlists(playlists, evaluated.works).split(part, fold)
    ids = songs.texts("ids")
    queries = playlist_queries(read, evaluated.works, [ids[int(row)] for row in evaluated.works.rows])
    shown: Iterable[PlaylistQuery] = progress.bar(queries, "judging", " queries", len(queries))
    return queries, ranking_metrics(shown, evaluated.works, read, evaluated.rank, evaluated.score)


def evaluated_catalog(songs: Catalog) -> EvaluatedCatalog:
    """A catalogue's works, numbered as in its source."""
    table = pq.read_table(songs.path(FILE_NAME), columns=list(COLUMNS)).to_pandas()
    table["artists"] = [None if names is None else SEPARATOR.join(names) for names in table["artists"]]
    order = np.argsort(songs.array("source_rows"))
    works = catalog_works(table.iloc[order].reset_index(drop=True))
    numbers = pd.Series(works.by_id).reindex(table["id"]).fillna(-1).to_numpy(np.int64)
    rows = order[works.rows]
    return EvaluatedCatalog(songs, dataclasses.replace(works, rows=rows), numbers)


def format_table_metrics(metrics: Mapping[str, float]) -> list[str]:
    """Figures without intervals as a person reads them."""
    descriptions = METRIC_DESCRIPTIONS | {
        "coverage": f"of all works, in any list for {TABLE_SEEDS:,} songs of the table"
    }
    return [f"  {name:10s} {value:.4f}  {descriptions[name]}" for name, value in metrics.items()]


def format_metrics(metrics: Metrics) -> list[str]:
    """Figures as a person reads them, with their intervals."""
    return [
        f"  {name:10s} {mean:.4f} [{low:.4f}, {high:.4f}]  {METRIC_DESCRIPTIONS.get(name, '')}"
        for name, (mean, low, high) in metrics.items()
    ]
