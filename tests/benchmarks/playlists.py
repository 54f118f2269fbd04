"""Playlists: whether they are as asked, and what choosing well is worth.

``python -m tests.benchmarks.playlists [--artifacts DIR] [--requests 1000] [--seed 7]`` asks for random playlists and
prints for each flow how many are as long as asked (songs, or minutes within 2 % or 3 minutes), follow their curve
(correlation of energy at least 0.8) and have neighbours in keys that go together (at least 80 %), and how often an
artist follows itself; energy changes are means from song to song, of the list and of the same songs best first.

With ``--playlists CSV`` it continues playlists that people made from five of their songs and prints the R-precision:
how much of 25 songs, or of as many as the playlist holds besides, is on the playlist; for the engine's best 25 and
for a playlist of 25, under the same artist cap. Versions that learned are judged by the fifth that they did not see:
``--folds DIR`` takes all five, DIR/0 to DIR/4, each fitted with its ``--fold``, together.
"""

import argparse
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from segue.catalog import Catalog, load
from segue.catalog.lookup.exact import artist_names
from segue.engine.recommendation import recommend
from segue.engine.seeds import resolve
from segue.journeys.playlists import MINUTE_MS, Playlist, playlist, rank_candidates
from segue.query.schema import FLOWS, PlaylistQuery, Query, Seed
from segue_build.progress import bar
from segue_build.quality.evaluate import EvaluatedCatalog, evaluated_catalog
from segue_build.sources.importer import load_playlists
from segue_build.sources.playlists import FOLDS
from tests.benchmarks.continuation import FEWEST, SEEDS, drawn
from tests.benchmarks.figures import Row, table

SONGS = 25
CONSIDERED = 100  # by a playlist of 25
RESAMPLED = 1000  # bootstrap samples of playlists


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.playlists", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--requests", type=int, default=1000, help="random ones (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the random ones (default: %(default)s)")
    parser.add_argument("--playlists", type=Path, help="CSV of playlists to judge by, as for fit")
    parser.add_argument("--folds", type=Path, help="folder of versions, each learned without the fold of its name")
    options = parser.parse_args()
    if options.folds and not options.playlists:
        parser.error("--folds are judged by --playlists")
    if options.playlists:
        folds = {options.folds / str(fold): fold for fold in range(FOLDS)} if options.folds else None
        rows = [quality(folds or {options.artifacts: None}, options.playlists)]
    else:
        rows = list(flows(load(options.artifacts), options.requests, options.seed))
    print(table(rows))


# --- as asked -----------------------------------------------------------------------------------------------------


def flows(catalog: Catalog, count: int, seed: int) -> Iterator[Row]:
    """A row for each flow, of random requests."""
    asked = list(requests(catalog, count, seed))
    found = [playlist(catalog, query) for query in bar(asked, "playlists", "", count)]
    for flow in FLOWS:
        lists = [(query, one) for query, one in zip(asked, found) if query.flow == flow]
        curves = [one.flow_quality.correlation for _, one in lists if one.flow_quality.correlation is not None]
        yield {
            "flow": flow,
            "requests": len(lists),
            "as long as asked": np.mean([is_as_long(catalog, *pair) for pair in lists]),
            "curve followed": np.mean([fit >= 0.8 for fit in curves]) if curves else "",
            "mean correlation": np.mean(curves) if curves else "",
            "80 % in keys that go together": np.mean([one.flow_quality.harmonic >= 0.8 for _, one in lists]),
            "artist after itself": sum(clashes(catalog, one.rows) for _, one in lists),
            "energy change": np.mean([one.flow_quality.energy_change for _, one in lists]),
            "best first": np.mean([change(catalog, *pair) for pair in lists]),
        }


def requests(catalog: Catalog, count: int, seed: int) -> Iterator[PlaylistQuery]:
    """From one to five songs that are like each other or not, of 5..100 songs or 15..240 minutes."""
    dice, ids = random.Random(seed), catalog.texts("ids")
    usable = np.flatnonzero(catalog.array("recommendable")).tolist()
    for _ in range(count):
        seeds = tuple(Seed("", {}, id=ids[row]) for row in dice.sample(usable, dice.choice([1, 1, 1, 2, 5])))
        timed = dice.random() < 0.5
        yield PlaylistQuery(
            Query(seeds, draw=dice.choice([0, 0, 1])),
            flow=dice.choice(FLOWS),
            songs=None if timed else dice.randint(5, 100),
            minutes=dice.randint(15, 240) if timed else None,
        )


def is_as_long(catalog: Catalog, query: PlaylistQuery, found: Playlist) -> bool:
    """Whether a list has the songs or the time that was asked for."""
    if query.songs is not None:
        return len(found.rows) == query.songs
    asked = (query.minutes or 0) * MINUTE_MS
    lasts = float(catalog.attribute("duration_ms")[list(found.rows)].astype(np.float64).sum())
    return abs(lasts - asked) <= max(0.02 * asked, 3 * MINUTE_MS)


def clashes(catalog: Catalog, rows: Sequence[int]) -> int:
    """Neighbours that share an artist."""
    by = [set(artist_names(catalog, row)) for row in rows]
    return sum(bool(one & other) for one, other in itertools.pairwise(by))


def change(catalog: Catalog, query: PlaylistQuery, found: Playlist) -> float:
    """How much energy changes from song to song where those of a list are played best first."""
    seeds = resolve(catalog, query.query.seeds)
    best, _ = rank_candidates(catalog, query.query, seeds, max(CONSIDERED, 4 * len(found.rows)), len(found.rows))
    energies = catalog.attribute("energy")[[row for row in best.tolist() if row in found.rows]]
    return float(np.abs(np.diff(np.nan_to_num(energies.astype(np.float64), nan=0.5))).mean()) if len(best) > 1 else 0


# --- quality ------------------------------------------------------------------------------------------------------


def quality(versions: Mapping[Path, int | None], playlists: Path) -> Row:
    """R-precision of the engine's best and of playlists, and the interval of the difference.

    versions : folders, and by which fold each is judged; None: by all playlists
    """
    figures = np.concatenate([
        list(precisions(evaluated_catalog(load(folder)), playlists, fold)) for folder, fold in versions.items()
    ])  # fmt: skip
    gains = figures[:, 1] - figures[:, 0]
    draws = np.random.default_rng(1).integers(0, len(gains), (RESAMPLED, len(gains)))
    low, high = np.percentile(gains[draws].mean(axis=1), [2.5, 97.5])
    return {
        "playlists judged by": len(figures),
        "best 25": float(figures[:, 0].mean()),
        "playlist of 25": float(figures[:, 1].mean()),
        "gain": f"{gains.mean():+.4f} [{low:+.4f}, {high:+.4f}]",
    }


def precisions(judged: EvaluatedCatalog, playlists: Path, fold: int | None) -> Iterator[tuple[float, float]]:
    """Of each playlist: the R-precision of the best, and of a playlist."""
    read = load_playlists(playlists, judged.works)
    read = read if fold is None else read.split("valid", fold)
    for name, held in bar(zip(read.names, read.members), "playlists", "", len(read.names)):
        known = sorted((work for work in held if work < read.n_known), key=lambda work: drawn(name, work))
        if len(known) >= SEEDS + FEWEST:
            yield judgement(judged, known[:SEEDS], set(known[SEEDS:]))


def judgement(judged: EvaluatedCatalog, given: Sequence[int], rest: set[int]) -> tuple[float, float]:
    """Both lists for some works of a playlist, judged by the others."""
    ids = judged.catalog.texts("ids")
    query = Query(tuple(Seed("", {}, id=ids[int(judged.works.rows[work])]) for work in given), limit=SONGS)
    best = [song.row for song in recommend(judged.catalog, query).recommendations]
    made = playlist(judged.catalog, PlaylistQuery(query, songs=SONGS)).rows
    few = min(SONGS, len(rest))
    one, other = (len(rest & {int(judged.work_of_row[row]) for row in rows}) / few for rows in (best, made))
    return one, other


if __name__ == "__main__":
    main()
