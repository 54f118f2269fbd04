"""Names of clusters, their entries in the manifest, and the typical songs of clusters and genres."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from segue.engine.seeds import POINTS_PER_SEED
from segue.engine.space import RankTransform
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.model.incidence import Incidence
from segue_build.sources.series import batch_slices

# attribute: the word for a cluster that lies low, and high, among all songs; "" where there is no good one
ATTRIBUTE_WORDS = {
    "energy": ("calm", "energetic"),
    "acousticness": ("", "acoustic"),
    "danceability": ("", "danceable"),
    "valence": ("", "cheerful"),
    "instrumentalness": ("", "instrumental"),
    "liveness": ("", "live"),
    "tempo": ("slow", "fast"),
    "loudness": ("quiet", "loud"),
    "popularity": ("little known", "well known"),
    "year": ("older", "recent"),
}
MIN_RANK_DEVIATION = 0.16  # distance of a cluster's mean rank from the middle, 0.5, from which it is worth a word
MAX_GENRES = 4
MIN_RELATIVE_SHARE = 0.3  # of the first genre's share, from which another genre is named beside it
SPECIFIC_SHARE = 0.65  # of a family's songs, from which one member speaks for it: "death-metal" rather than "metal"
PLACE_EXPONENT = 3  # a place or language counts by its share to this power, so only where it dominates
PLACES = {
    "african", "american", "arabic", "australian", "brazil", "brazilian", "british", "canadian", "chinese", "dutch",
    "english", "french", "german", "greek", "indian", "iranian", "irish", "italian", "japanese", "korean", "malay",
    "nordic", "polish", "russian", "spanish", "swedish", "turkish",
}  # fmt: skip
FAMILY_ALIASES = {"children": "kids", "latino": "latin", "punk-rock": "punk"}  # families that the words don't show
FEATURE_DIGITS = 4  # of a cluster's features
NEAREST_CLUSTERS = 5  # clusters named beside each
CHUNK_ROWS = 16_384  # songs whose distances are computed at a time
# attributes whose mean describes a cluster
PROFILE_ATTRIBUTES = tuple(a.name for a in NUMERIC_ATTRIBUTES if a.name not in ("key", "mode", "time_signature"))


def describe_clusters(
    frame: pd.DataFrame,
    clusters: np.ndarray,
    ranks: RankTransform,
    genres: Incidence,
    vectors: np.ndarray,
    column_weights: np.ndarray,
) -> list[dict[str, Any]]:
    """The manifest's entry of each cluster.

    Parameters
    ----------
    frame : the songs' attributes
    clusters : int64, shape (n_songs,), the cluster of each song, rising
    genres : of the songs
    vectors : int8, shape (n_songs, n_dims)
    column_weights : shape (n_dims,), by which one Euclidean distance serves for all blocks

    """
    groups = list(songs_by_cluster(clusters))
    attributes = {name: frame[name].to_numpy(np.float64) for name in {*ATTRIBUTE_WORDS, *PROFILE_ATTRIBUTES}}
    names = name_clusters(attributes, clusters, ranks, genres)
    nearest = _nearest_clusters(groups, vectors, column_weights)
    return [
        {
            "id": number,
            "name": names[number],
            "size": len(songs),
            "first": int(songs[0]),
            "features": {
                name: mean
                for name in PROFILE_ATTRIBUTES
                if (mean := _known_mean(attributes[name][songs])) is not None
            },
            "near": nearest[number],
        }
        for number, songs in enumerate(groups)
    ]


def name_clusters(
    attributes: dict[str, np.ndarray], clusters: np.ndarray, ranks: RankTransform, genres: Incidence
) -> list[str]:
    """Name clusters so that no two share a name.

    Parameters
    ----------
    attributes : attribute -> float64, shape (n_songs,), NaN where unknown; those of ``ATTRIBUTE_WORDS``
    clusters : int64, shape (n_songs,), the cluster of each song
    genres : of the songs

    """
    ranks_by_name = {name: ranks(name, attributes[name]) for name in ATTRIBUTE_WORDS}
    families = _GenreFamilies(genres, np.nan_to_num(ranks_by_name["popularity"], nan=0.5))
    taken: dict[str, None] = {}
    for number in range(int(clusters.max()) + 1):
        members = clusters == number
        candidates = _candidate_names(families.most_common(members), _outstanding_words(ranks_by_name, members))
        taken[next(name for name in candidates if name not in taken)] = None
    return list(taken)


class _GenreFamilies:
    """Families of genres, each named by one of them: ``death-metal`` belongs to ``metal``, as ``metal`` does.

    genres : of the songs
    popularity : float64, shape (n_songs,), how much each song counts: people know a cluster by its best-known songs
    """

    def __init__(self, genres: Incidence, popularity: np.ndarray):
        self._genres = genres
        self._popularity = popularity
        self._family = _family_codes(genres.names)
        ones, indices = np.ones(len(self._family), np.float32), np.arange(len(self._family))
        families = sparse.csr_matrix((ones, (indices, self._family)), (len(ones), len(ones)))
        self._songs_of_family = (genres.matrix @ families).sign().tocsc()
        self._base_rates = np.maximum(self._songs_of_family.T @ popularity / popularity.sum(), 1e-9)
        self._exponents = np.array([PLACE_EXPONENT if name in PLACES else 1 for name in genres.names])

    def most_common(self, members: np.ndarray) -> list[str]:
        """The family of most of the songs, then that of most of the others, and so on; lift breaks ties."""
        named: list[str] = []
        unnamed = np.where(members, self._popularity, 0)
        total, least = unnamed.sum(), 0.0
        lift = self._songs_of_family.T @ unnamed / total / self._base_rates
        while len(named) < min(MAX_GENRES, len(lift)):
            shares = np.where(lift > 1, self._songs_of_family.T @ unnamed / total, 0) ** self._exponents
            family = int(np.lexsort((-lift, -shares.round(2)))[0])
            if shares[family] <= least:
                break
            named.append(self._representative_genre(family, members))
            least = least or MIN_RELATIVE_SHARE * shares[family]
            unnamed[
                self._songs_of_family.indices[
                    self._songs_of_family.indptr[family] : self._songs_of_family.indptr[family + 1]
                ]
            ] = 0
        return named

    def _representative_genre(self, family: int, members: np.ndarray) -> str:
        """The genre of most of a family's songs, if there is one; else the family's name."""
        family_members = np.flatnonzero(self._family == family)
        songs = self._genres.matrix[:, family_members].T @ np.where(members, self._popularity, 0)
        best = int(family_members[songs.argmax()])
        return self._genres.names[best if songs.max() > SPECIFIC_SHARE * songs.sum() else family]


def _family_codes(genres: list[str]) -> np.ndarray:
    """Codes of the genre that each belongs to: its last word's, else its first's, else its own."""
    codes = {name: code for code, name in enumerate(genres)}
    parts = [re.split(r"[\s-]+", FAMILY_ALIASES.get(name, name)) for name in genres]
    return np.array([codes.get(part[-1], codes.get(part[0], code)) for code, part in enumerate(parts)], np.int64)


def _outstanding_words(ranks: dict[str, np.ndarray], members: np.ndarray) -> list[str]:
    """Words for the attributes that deviate from the catalogue, the largest deviation first."""
    deviations = {}
    for name, (low, high) in ATTRIBUTE_WORDS.items():
        known = ranks[name][members]
        known = known[~np.isnan(known)]
        deviation = float(known.mean()) - 0.5 if len(known) else 0.0
        deviations[low if deviation < 0 else high] = abs(deviation)
    return [
        word
        for word in sorted(deviations, key=lambda word: -deviations[word])
        if word and deviations[word] >= MIN_RANK_DEVIATION
    ]


def _candidate_names(genres: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    """Ever longer names: more words, then more genres, then numbers."""
    words = [word for word in words if word not in genres]
    for n_genres in range(2, MAX_GENRES + 1):
        for n_words in (1, 2, 3):
            first = genres[:n_genres]
            what = " and ".join([", ".join(first[:-1]), first[-1]] if len(first) > 1 else first)
            name = ", ".join([*([what] if what else []), *words[:n_words]]) or "mixed"
            yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def songs_by_genre(genres: Incidence) -> Iterator[np.ndarray]:
    """The songs of each genre, rising."""
    by_genre = genres.matrix.tocsc()
    for start, stop in zip(by_genre.indptr[:-1], by_genre.indptr[1:]):
        yield np.sort(by_genre.indices[start:stop])


def songs_by_cluster(clusters: np.ndarray) -> Iterator[np.ndarray]:
    """The songs of each cluster, rising.

    clusters : of the songs, rising
    """
    yield from np.split(np.arange(len(clusters)), np.flatnonzero(np.diff(clusters)) + 1)


def typical_songs(
    groups: Iterable[np.ndarray],
    vectors: np.ndarray,
    column_weights: np.ndarray,
    analysed: np.ndarray,
    works: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The analysed songs of each group that are nearest to its mean vector, one of each work.

    Parameters
    ----------
    groups : the songs of each group; where none of them is analysed, all count
    vectors, column_weights : as for :func:`describe_clusters`
    analysed, works : of all songs

    Returns
    -------
    How many songs each group has, ``POINTS_PER_SEED`` at the most, and the songs of all groups end to end, the
    nearest first.

    """
    nearest = []
    for songs in groups:
        songs = songs[analysed[songs]] if analysed[songs].any() else songs
        mean = vectors[songs].mean(axis=0, dtype=np.float64)
        distances = [
            np.square((vectors[songs[run]] - mean) * column_weights).sum(axis=1)
            for run in batch_slices(len(songs), CHUNK_ROWS)
        ]
        songs = songs[np.argsort(np.concatenate(distances), kind="stable")]
        _, firsts = np.unique(works[songs], return_index=True)
        nearest.append(songs[np.sort(firsts)[:POINTS_PER_SEED]])
    counts = np.array([len(songs) for songs in nearest], np.int64)
    return counts, np.concatenate(nearest) if nearest else np.empty(0, np.int64)


def _known_mean(values: np.ndarray) -> float | None:
    known = values[~np.isnan(values)]
    return round(float(known.mean()), FEATURE_DIGITS) if len(known) else None


def _nearest_clusters(groups: list[np.ndarray], vectors: np.ndarray, column_weights: np.ndarray) -> list[list[int]]:
    """For each group the others by the distance of their mean vectors, the nearest first."""
    means = np.stack([vectors[songs].mean(axis=0, dtype=np.float64) for songs in groups])
    means = np.rint(means * column_weights * 2**20)  # processors differ in later digits
    distances = np.square(means[:, None] - means).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, : min(NEAREST_CLUSTERS, len(groups) - 1)].tolist()
