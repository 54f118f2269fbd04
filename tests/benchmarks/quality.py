"""From the classic to Segue: each method judged by the same playlists.

``python -m tests.benchmarks.quality --source tracks.csv --playlists playlists.csv [--row NAME]`` prints the README's
table, or one row of it. Methods without playlists are judged by all of them; what is learned from playlists is judged
by the fifth that it did not see, in five turns.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from build.evaluate import Judged, as_judged, by_playlists
from build.fit import Options, fit
from build.judge import judge, queries
from build.playlists import FOLDS, load
from segue.attributes import AUDIO

FIGURES = ("HR@10", "xHR@10", "AUC", "coverage")
CLASSIC_CLUSTERS = 20
SEGUE = {
    "Segue, sound alone": {"audio": 1.0},
    "+ artist": {"audio": 0.5, "artist": 0.5},
    "+ genre": {"audio": 0.25, "artist": 0.25, "genre": 0.45},
    "+ fame: Segue from the table alone": None,
}
LEARNED = "+ playlists: Segue, learned"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    parser.add_argument("--source", required=True)
    parser.add_argument("--playlists", required=True, type=Path)
    parser.add_argument("--row", choices=[*CLASSICS, *SEGUE, LEARNED])
    options = parser.parse_args()
    print(f"| method | {' | '.join(FIGURES)} |\n|---|{'---|' * len(FIGURES)}", flush=True)
    for name in [options.row] if options.row else [*CLASSICS, *SEGUE, LEARNED]:
        figures = measure(name, options.source, options.playlists)
        print(f"| {name} | {' | '.join(f'{figures[figure]:.3f}' for figure in FIGURES)} |", flush=True)


def measure(name: str, source: str, playlists: Path) -> dict[str, float]:
    """Mean figures of one method."""
    if name == LEARNED:
        turns = [fitted(Options([source], playlists=playlists, fold=fold), playlists) for fold in range(FOLDS)]
        return {figure: float(np.mean([turn[figure] for turn in turns])) for figure in FIGURES}
    if name in SEGUE:
        shares = SEGUE[name]
        return fitted(Options([source], **({"shares": shares} if shares else {})), playlists)
    return classic(CLASSICS[name], source, playlists)


def fitted(options: Options, playlists: Path) -> dict[str, float]:
    """Fit, and judge through the engine that serves."""
    with tempfile.TemporaryDirectory() as folder:
        songs = fit(options, Path(folder))
        if options.fold is not None:  # the fit has judged itself by what it left out
            return {name: mean for name, (mean, *_) in songs.manifest["quality"]["playlists"].items()}
        return means(by_playlists(songs, playlists, "all", 0)[1])


def classic(method: Callable[[np.ndarray, np.ndarray], Callable[[int], np.ndarray]], source: str, playlists: Path):
    """Judge a method that scores all works from their z-scored audio features and k-means clusters of these."""
    with tempfile.TemporaryDirectory() as folder:
        judged = as_judged(fit(Options([source]), Path(folder)))
        vectors = z_scored(judged)
        clusters = KMeans(CLASSIC_CLUSTERS, n_init=4, random_state=0).fit_predict(vectors)
        score = method(vectors, clusters)
        read = load(playlists, judged.works)
        ids = judged.catalog.texts("ids")
        asked = queries(read, judged.works, [ids[int(row)] for row in judged.works.rows])

        def rank(work: int) -> list[int]:
            scores = score(work)
            scores[work] = -np.inf
            return [int(other) for other in np.argsort(-scores, kind="stable")[:100]]

        return means(judge(asked, judged.works, read, rank, lambda work, others: score(work)[others]))


def z_scored(judged: Judged) -> np.ndarray:
    """The twelve audio features of every work, mean 0 and deviation 1."""
    columns = [judged.catalog.attribute(attribute.name)[judged.works.rows] for attribute in AUDIO]
    return StandardScaler().fit_transform(np.nan_to_num(np.stack(columns, axis=1).astype(np.float64)))


def by_chance(vectors: np.ndarray, clusters: np.ndarray) -> Callable[[int], np.ndarray]:
    """Any work is as good as another."""
    return lambda work: np.random.default_rng(work).random(len(vectors))


def by_cluster(vectors: np.ndarray, clusters: np.ndarray) -> Callable[[int], np.ndarray]:
    """Any work of the seed's cluster."""
    return lambda work: (clusters == clusters[work]) + np.random.default_rng(work).random(len(vectors))


def by_distance(vectors: np.ndarray, clusters: np.ndarray) -> Callable[[int], np.ndarray]:
    """The nearest works of the seed's cluster."""
    far = 1e6
    return lambda work: -(((vectors - vectors[work]) ** 2).sum(axis=1)) - far * (clusters != clusters[work])


CLASSICS = {
    "chance": by_chance,
    "k-means, any song of the cluster": by_cluster,
    "the classic: k-means, nearest in the cluster": by_distance,
}


def means(figures: dict[str, tuple[float, float, float]]) -> dict[str, float]:
    """Figures without their intervals."""
    return {name: mean for name, (mean, _, _) in figures.items()}


if __name__ == "__main__":
    main()
