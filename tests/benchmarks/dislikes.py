"""A dislike takes away its own neighbourhood and leaves the rest of the list.

``python -m tests.benchmarks.dislikes --artifacts artifacts --playlists playlists.csv`` takes one song of each
playlist as seed and prints, for lists of ten:

- hits without a dislike, and with one that has nothing to do with the playlist: a song that some playlist holds, of
  another cluster than the seed and on none of its playlists; and how many of the dislike's own ten are left;
- how many of the ten stay when one of them is the dislike, for each weight.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from segue import releases
from segue.engine.recommendation import recommend
from segue.query.schema import Query, Seed
from segue_build import progress
from segue_build.quality.evaluate import EvaluatedCatalog, evaluated_catalog
from segue_build.quality.metrics import PlaylistQuery, playlist_queries, song_clusters
from segue_build.sources.importer import load_playlists
from segue_build.sources.playlists import Playlists
from tests.benchmarks.figures import Row, percentile, table

WEIGHTS = (-1.0, -10.0)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.dislikes", description=__doc__)
    parser.add_argument("--artifacts", default="artifacts")
    parser.add_argument("--playlists", required=True, type=Path)
    parser.add_argument("--limit", type=int, default=500, help="playlists (default: %(default)s)")
    options = parser.parse_args()
    judged = evaluated_catalog(releases.load(options.artifacts))
    playlists = load_playlists(options.playlists, judged.works)
    ids = judged.catalog.texts("ids")
    queries = playlist_queries(playlists, judged.works, [ids[int(row)] for row in judged.works.rows])[: options.limit]
    print(table(unrelated(judged, playlists, queries)), table(list(related(judged, queries))), sep="\n\n")


def unrelated(judged: EvaluatedCatalog, playlists: Playlists, queries: Sequence[PlaylistQuery]) -> list[Row]:
    """Hits without and with dislikes of other clusters."""
    clusters, rng = song_clusters(judged.catalog)[judged.works.rows], np.random.default_rng(0)
    held = [{work for work in works if work < playlists.n_known} for works in playlists.members]
    heard = np.array(sorted(set().union(*held)))
    figures = []
    for query in progress.bar(queries, "unrelated dislikes", " queries", len(queries)):
        together = set().union(*(works for works in held if query.seed in works))
        strangers = heard[clusters[heard] != clusters[query.seed]]
        dislike = next(int(work) for work in rng.permutation(strangers) if work not in together)
        alone, beside = ranked(judged, query.seed), ranked(judged, query.seed, (dislike, -1.0))
        left = set(beside) & {dislike, *ranked(judged, dislike)}
        figures.append((*hits(judged, query, alone), *hits(judged, query, beside), len(left)))
    hit, other, hit_beside, other_beside, left = np.mean(figures, axis=0)
    return [
        {"lists of ten": f"no dislike ({len(figures)})", "HR@10": hit, "xHR@10": other},
        {
            "lists of ten": "a song of another cluster at -1",
            "HR@10": hit_beside,
            "xHR@10": other_beside,
            "of its own ten": left,
        },
    ]


def related(judged: EvaluatedCatalog, queries: Sequence[PlaylistQuery]) -> Iterator[Row]:
    """How many of a list stay when one of it is disliked."""
    for weight in WEIGHTS:
        stay = []
        for number, query in enumerate(progress.bar(queries, f"dislikes at {weight:g}", " queries", len(queries))):
            alone = ranked(judged, query.seed)
            if alone:
                beside = ranked(judged, query.seed, (alone[number % len(alone)], weight))
                stay.append(len(set(alone) & set(beside)))
        lists = {"one of the ten as dislike": f"at {weight:g}", "stay in the mean": float(np.mean(stay))}
        yield lists | {"a tenth of the lists, at the most": percentile(stay, 0.1), "least": min(stay)}


def ranked(judged: EvaluatedCatalog, work: int, *dislikes: tuple[int, float]) -> list[int]:
    """The ten works that the service recommends for one, less what is like others."""
    ids = judged.catalog.texts("ids")
    weighted = [(work, 1.0), *dislikes]
    seeds = tuple(Seed("", {}, id=ids[int(judged.works.rows[of])], weight=weight) for of, weight in weighted)
    found = recommend(judged.catalog, Query(seeds, limit=10)).recommendations
    return [int(judged.work_of_row[entry.row]) for entry in found]


def hits(judged: EvaluatedCatalog, query: PlaylistQuery, works: Sequence[int]) -> tuple[bool, bool]:
    """Whether a list holds a song of the playlist, and one by another artist than the seed's."""
    found = query.relevant.intersection(works)
    artists = judged.works.artists
    return bool(found), any(artists[work] != artists[query.seed] for work in found)


if __name__ == "__main__":
    main()
