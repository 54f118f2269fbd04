"""Ways to score all works for one, to compare Segue with: from chance to a plain prototype of Segue itself.

Each takes a catalogue as the judge sees it and returns work -> float, shape (n_works,), higher is nearer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy import sparse, stats
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import StandardScaler, normalize

from segue.engine.recommendation import similarity
from segue.engine.space import LOCAL_SCALE, space_of
from segue.query.schema import AUDIO_FEATURES
from segue_build.model.incidence import row_means
from segue_build.quality.evaluate import EvaluatedCatalog

Score = Callable[[int], np.ndarray]
CLASSIC_CLUSTERS = 20
SAMPLE = 1_000  # works from which a song's usual similarity is told


def by_chance(judged: EvaluatedCatalog) -> Score:
    """Any work is as good as another."""
    return lambda work: np.random.default_rng(work).random(len(judged.works.rows))


def by_cluster(judged: EvaluatedCatalog) -> Score:
    """Any work of the seed's cluster."""
    clusters = _clusters(_z_scored(judged))
    return lambda work: (clusters == clusters[work]) + np.random.default_rng(work).random(len(clusters))


def by_distance(judged: EvaluatedCatalog) -> Score:
    """The nearest works of the seed's cluster."""
    vectors = _z_scored(judged)
    clusters, far = _clusters(vectors), 1e6
    return lambda work: -(((vectors - vectors[work]) ** 2).sum(axis=1)) - far * (clusters != clusters[work])


def by_prototype(judged: EvaluatedCatalog) -> Score:
    """Weighted vectors: 0.7 ranks of audio, 0.7 the artists' mean of them, 1.5 genres by SVD, 0.7 popularity."""
    audio, fame = _ranked(judged), _rank(judged.catalog.attribute("popularity"))[:, None]
    by, genres = _links(judged, "song", "artists"), _links(judged, "song", "genres")
    per_artist = row_means(sparse.csr_matrix(by.T))
    sound = row_means(by) @ (per_artist @ audio)
    terms = TfidfTransformer().fit_transform(genres + row_means(by) @ (per_artist @ genres))
    tastes = normalize(TruncatedSVD(min(48, terms.shape[1] - 1), random_state=0).fit_transform(terms))
    blocks = [0.7 * audio, 0.7 * sound, 1.5 * tastes, 0.7 * fame]
    vectors = np.concatenate(blocks, axis=1)[judged.works.rows].astype(np.float32)
    squares = (vectors**2).sum(axis=1)
    return lambda work: 2 * vectors @ vectors[work] - squares


def by_mutual_proximity(judged: EvaluatedCatalog) -> Score:
    """Segue's similarity, hubs corrected by mutual proximity (Gaussian) in place of its local scales.

    Schnitzer, Flexer, Schedl and Widmer, "Local and global scaling reduce hubs in space", JMLR 13 (2012).
    """
    space = space_of(judged.catalog)
    vectors = judged.catalog.array("vectors")[judged.works.rows]
    reaches = np.full(len(vectors), LOCAL_SCALE, np.float32)
    sample = vectors[np.random.default_rng(0).choice(len(vectors), min(SAMPLE, len(vectors)), replace=False)]
    parts = np.array_split(np.arange(len(vectors)), len(vectors) // 4_096 + 1)
    usual = [similarity(space, vectors[part], sample, reaches[part]) for part in parts]
    means = np.concatenate([similar.mean(axis=1) for similar in usual])
    deviations = np.concatenate([similar.std(axis=1) for similar in usual])

    def score(work: int) -> np.ndarray:
        similar = similarity(space, vectors, vectors[[work]], reaches)[:, 0]
        theirs, ours = (similar - means) / deviations, (similar - means[work]) / deviations[work]
        return stats.norm.logcdf(theirs) + stats.norm.logcdf(ours) + 1e-6 * similar

    return score


def first(ranked: Iterable[int], artists: Sequence[str], per_artist: int | None, limit: int) -> list[int]:
    """The first works of a ranking, at most so many by one artist."""
    counts: Counter[str] = Counter()
    kept: list[int] = []
    for work in ranked:
        if per_artist is None or counts[artists[work]] < per_artist:
            counts[artists[work]] += 1
            kept.append(work)
        if len(kept) == limit:
            break
    return kept


def _ranked(judged: EvaluatedCatalog) -> np.ndarray:
    return np.stack([_rank(judged.catalog.attribute(attribute.name)) for attribute in AUDIO_FEATURES], axis=1)


def _rank(values: np.ndarray) -> np.ndarray:
    return stats.rankdata(np.nan_to_num(values)) / len(values)


def _links(judged: EvaluatedCatalog, owner: str, items: str) -> sparse.csr_matrix:
    lists = judged.catalog.lists(owner, items)
    ones = np.ones(len(lists.values), np.float32)
    return sparse.csr_matrix((ones, lists.values, lists.offsets), shape=(len(judged.catalog), lists.values.max() + 1))


def _z_scored(judged: EvaluatedCatalog) -> np.ndarray:
    """The twelve audio features of every work, mean 0 and deviation 1."""
    columns = [judged.catalog.attribute(attribute.name)[judged.works.rows] for attribute in AUDIO_FEATURES]
    return StandardScaler().fit_transform(np.nan_to_num(np.stack(columns, axis=1).astype(np.float64)))


def _clusters(vectors: np.ndarray) -> np.ndarray:
    return KMeans(CLASSIC_CLUSTERS, n_init=4, random_state=0).fit_predict(vectors)
