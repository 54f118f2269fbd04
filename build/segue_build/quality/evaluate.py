"""``evaluate``: the current version judged by playlists, and by what its own table holds."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
    pair_information,
    playlist_pairs,
    playlist_queries,
    ranking_metrics,
    song_clusters,
    table_metrics,
)
from segue_build.sources.importer import load_playlists
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.playlists import CatalogWorks, Playlists, catalog_works

COLUMNS = ("id", "name", "artists", "isrc", "popularity", "duration_ms", "tempo")
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
    "name_coverage": "of songs, having a genre that their cluster's name says",
    "lowest_coverage": "the same in the worst cluster that is not called mixed",
    "genre_information": "that the cluster gives of the genre, nats",
    "evenness": "of the clusters' sizes",
    "stability": "adjusted Rand index with the clusters of another seed",
    "pair_information": "that a song's cluster gives of that of another on its playlist, nats",
}
Metrics = dict[str, tuple[float, float, float]]


class PlaylistEvaluation(NamedTuple):
    """What playlists say: queries, figures with their intervals, and ``pair_information`` where it is known."""

    queries: list[PlaylistQuery]
    metrics: Metrics
    clusters: dict[str, float]


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
    queries, metrics, by_pairs = evaluate_playlists(songs, playlists, part, fold)
    table, clusters = table_metrics(songs), {**songs.manifest["quality"].get("clusters", {}), **by_pairs}
    if as_json:
        facts = {name: dict(zip(("mean", "low", "high"), values)) for name, values in metrics.items()}
        judged = {"playlists": facts, "table": table, "clusters": clusters}
        print(json.dumps({"version": songs.version, "queries": len(queries), **judged}))
    else:
        print("\n".join([f"version {songs.version}", f"by {len(queries):,} playlists", *format_metrics(metrics)]))
        print("\n".join([f"by {TABLE_SEEDS:,} songs of the table at the most", *format_table_metrics(table)]))
        print("\n".join([f"{len(songs.manifest['clusters'])} clusters", *format_table_metrics(clusters)]))


def evaluate_playlists(songs: Catalog, playlists: Path, part: str, fold: int) -> PlaylistEvaluation:
    """Judge a catalogue by the playlists in a file."""
    evaluated = evaluated_catalog(songs)
    return evaluate_by(evaluated, load_playlists(playlists, evaluated.works).split(part, fold))


def evaluate_by(evaluated: EvaluatedCatalog, read: Playlists) -> PlaylistEvaluation:
    """Judge a catalogue by playlists that were matched to its works."""
    songs = evaluated.catalog
    ids = songs.texts("ids")
    work_ids = [ids[int(row)] for row in evaluated.works.rows]
    queries = playlist_queries(read, evaluated.works, work_ids)
    shown: Iterable[PlaylistQuery] = progress.bar(queries, "judging", " queries", len(queries))
    metrics = ranking_metrics(shown, evaluated.works, read, evaluated.rank, evaluated.score)
    pairs = playlist_pairs(read, evaluated.works, work_ids)
    information = pair_information(song_clusters(songs)[evaluated.works.rows], pairs)
    return PlaylistEvaluation(queries, metrics, {} if information is None else {"pair_information": information})


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
    return [f"  {name:17s} {value:.4f}  {descriptions[name]}" for name, value in metrics.items()]


def format_metrics(metrics: Metrics) -> list[str]:
    """Figures as a person reads them, with their intervals."""
    return [
        f"  {name:10s} {mean:.4f} [{low:.4f}, {high:.4f}]  {METRIC_DESCRIPTIONS.get(name, '')}"
        for name, (mean, low, high) in metrics.items()
    ]
