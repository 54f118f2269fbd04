"""Names of clusters and families, their entries in the manifest, and the songs that stand for them and for genres.

A name is up to three genres, in the spelling of the table, which together say what most of the songs are; words for
the sound follow only where other clusters have the same genres, and are the whole name where genres are unknown. What
no few genres describe is called mixed.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import rankdata

from segue.engine.seeds import POINTS_PER_SEED
from segue.engine.space import RankTransform, squared_distances
from segue.query.schema import NUMERIC_ATTRIBUTES
from segue_build.model.incidence import FIXED_POINT, Incidence, group_members, row_means, to_fixed_point
from segue_build.sources.series import batch_slices

# attribute: the word for a cluster that lies low, and high; "" where there is no good one
ATTRIBUTE_WORDS = {
    "energy": ("calm", "energetic"),
    "acousticness": ("", "acoustic"),
    "danceability": ("", "danceable"),
    "valence": ("dark", "cheerful"),
    "instrumentalness": ("sung", "instrumental"),
    "liveness": ("", "live"),
    "tempo": ("slow", "fast"),
    "loudness": ("quiet", "loud"),
    "year": ("older", "recent"),
}
MIN_RANK_DEVIATION = 0.1  # distance of a mean rank from that of the others from which it is worth a word
MIN_SHARE = 0.5  # share of the songs that must bear out a name
MAX_GENRES = 3
MIN_GENRE_SHARE = 0.12  # of a cluster's songs that no genre before it says, from which a genre is in the name
MIN_FAMILY_GENRE_SHARE = 0.04  # the same of a family's songs, which are of many kinds
ENOUGH = 0.95  # share of the songs from which a name needs no other genre
MAX_WORDS = 3
MIXED, MORE = "mixed: {}", "{} and more"  # names whose genres say fewer songs, of clusters and of families
KEPT_LOSS = 0.05  # share of songs that the name of the version before may say less than a new one
FEATURE_DIGITS = 4  # of a cluster's features and shares
PROFILE_GENRES = 8  # of a cluster, the most frequent ones
NEAREST_CLUSTERS = 5  # clusters named beside each
SONGS_PER_GENRE = 16  # that stand for a genre: of a small one, the artists after them are hardly known
CHUNK_ROWS = 16_384  # songs whose distances are computed at a time
# attributes whose mean describes a cluster
PROFILE_ATTRIBUTES = tuple(a.name for a in NUMERIC_ATTRIBUTES if a.name not in ("key", "mode", "time_signature"))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Genres that together say what songs are, most first, and the share of the songs that have one of them."""

    genres: list[int]
    share: float


def covering_genres(
    genres: sparse.csr_matrix, limit: int = MAX_GENRES, min_share: float = MIN_GENRE_SHARE
) -> Coverage:
    """Greedily the genre that most songs have which have none of those before.

    genres : 0/1, shape (n_songs, n_genres); songs without any genre count as not covered
    limit : of the genres
    min_share : of the songs that each genre must add
    """
    n_songs = genres.shape[0]
    by_genre, left = genres.tocsc(), np.ones(n_songs)
    chosen: list[int] = []
    while n_songs and genres.shape[1] and len(chosen) < limit and left.sum() > (1 - ENOUGH) * n_songs:
        counts = by_genre.T @ left
        best = int(counts.argmax())
        if counts[best] < max(min_share * n_songs, 1):
            break
        chosen.append(best)
        left[by_genre.indices[by_genre.indptr[best] : by_genre.indptr[best + 1]]] = 0
    return Coverage(chosen, float(1 - left.mean()) if n_songs else 0.0)


def share_covered(genres: sparse.csr_matrix, chosen: Sequence[int]) -> float:
    """The share of songs that have at least one of the chosen genres."""
    if not chosen or not genres.shape[0]:
        return 0.0
    return float((np.asarray(genres[:, list(chosen)].sum(axis=1)).ravel() > 0).mean())


def name_coverage(genres: sparse.csr_matrix, labels: np.ndarray) -> float:
    """The share of songs that have one of the genres that say most of their cluster; labels int64, of the songs."""
    groups = songs_by_group(labels, int(labels.max()) + 1)
    return sum(covering_genres(genres[songs]).share * len(songs) for songs in groups) / max(len(labels), 1)


class GroupName(NamedTuple):
    """A name, and the genres that it says."""

    text: str
    genres: list[str]


class ClusterNamer:
    """Names groups of songs so that no two share a name.

    ranks : attribute -> ranks in 0..1, shape (n_songs,), NaN where unknown; those of ``ATTRIBUTE_WORDS``
    genres : of the songs
    """

    def __init__(self, ranks: Mapping[str, np.ndarray], genres: Incidence):
        self._ranks, self._genres = ranks, genres
        self._codes = {name: code for code, name in enumerate(genres.names)}

    def names(
        self,
        groups: Sequence[np.ndarray],
        previous: Sequence[Mapping[str, Any] | None],
        unclear: str = MIXED,
        min_share: float = MIN_GENRE_SHARE,
    ) -> list[GroupName]:
        """A name for each group.

        groups : the songs of each
        previous : the manifest's entry of the same group in the version before; its name is kept while it holds
        unclear : the name where the genres say fewer than half of the songs
        min_share : of the songs that each genre must add
        """
        genres = [self._best_genres(songs, entry, min_share) for songs, entry in zip(groups, previous)]
        described = [self._described(songs, codes, unclear) for songs, codes in zip(groups, genres)]
        words = [self._distinguishing_words(number, groups, genres) for number in range(len(groups))]
        candidates = [list(_candidate_names(*each, len(groups))) for each in zip(described, words)]
        chosen: dict[frozenset[str], int] = {}  # the same words in another order are no other name
        texts = [""] * len(groups)
        for number, entry in enumerate(previous):
            kept = [parts for parts in candidates[number] if entry and _joined_parts(parts) == entry["name"]]
            if kept and frozenset(kept[0]) not in chosen:
                chosen[frozenset(kept[0])], texts[number] = number, _joined_parts(kept[0])
        for number in sorted(set(range(len(groups))) - set(chosen.values())):
            parts = next(parts for parts in candidates[number] if frozenset(parts) not in chosen)
            chosen[frozenset(parts)], texts[number] = number, _joined_parts(parts)
        return [GroupName(text, [self._genres.names[code] for code in codes]) for text, codes in zip(texts, genres)]

    def _named_genres(self, entry: Mapping[str, Any]) -> list[int]:
        return [self._codes[name] for name in entry["named"] if name in self._codes]

    def _best_genres(self, songs: np.ndarray, entry: Mapping[str, Any] | None, min_share: float) -> list[int]:
        """The genres of a name, those of the version before while they say nearly as many songs.

        None where most of the songs have no genre.
        """
        matrix = self._genres.matrix[songs]
        if 2 * np.count_nonzero(np.diff(matrix.indptr)) < len(songs):
            return []
        best = covering_genres(matrix, MAX_GENRES, min_share)
        if best.share < MIN_SHARE:
            more = covering_genres(matrix, MAX_GENRES + 1, min_share)
            best = more if more.share >= MIN_SHARE else best
        kept = self._named_genres(entry) if entry else []
        return kept if kept and share_covered(matrix, kept) >= best.share - KEPT_LOSS else best.genres

    def _described(self, songs: np.ndarray, genres: list[int], unclear: str) -> str:
        """The genres of a name as text."""
        text = _enumerated([self._genres.names[code] for code in genres])
        if not genres or share_covered(self._genres.matrix[songs], genres) >= MIN_SHARE:
            return text
        return unclear.format(text if unclear == MIXED else text.replace(" and ", ", "))

    def _distinguishing_words(
        self, number: int, groups: Sequence[np.ndarray], genres: Sequence[list[int]]
    ) -> list[str]:
        """Words that tell a group from those with the same genres, or from all songs where it has none."""
        codes = set(genres[number])
        same = [groups[n] for n, other in enumerate(genres) if n != number and set(other) == codes]
        return self._words(groups[number], same if codes else []) if same or not codes else []

    def _words(self, songs: np.ndarray, others: Sequence[np.ndarray]) -> list[str]:
        """Words that at least half of the songs bear out, those first that differ most from other songs.

        others : the songs of groups from which this one must be told; none: all songs, whose mean rank is 0.5
        """
        deviations: dict[str, float] = {}
        for name, words in ATTRIBUTE_WORDS.items():
            own = _known(self._ranks[name][songs])
            known = [found for found in (_known(self._ranks[name][group]) for group in others) if len(found)]
            if not len(own) or len(known) < len(others):
                continue
            middle = float(np.mean([found.mean() for found in known])) if others else 0.5
            deviation = float(own.mean()) - middle
            threshold = middle + deviation / 2 if others else middle
            borne_out = float(((own > threshold) if deviation > 0 else (own < threshold)).mean())
            is_true_of_all = (float(own.mean()) - 0.5) * deviation > 0  # not only beside the others
            word = words[deviation > 0] if is_true_of_all else ""
            if word and abs(deviation) >= MIN_RANK_DEVIATION / (2 if others else 1) and borne_out >= MIN_SHARE:
                deviations[word] = round(abs(deviation), FEATURE_DIGITS)
        return sorted(deviations, key=lambda word: -deviations[word])


def _candidate_names(genres: str, words: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    """The parts of names: genres with ever more words; without genres ever fewer words; then with numbers."""
    if genres:
        for n_words in range(1 if words else 0, MAX_WORDS + 1):
            yield (genres, *words[:n_words])
    else:
        for n_words in range(min(MAX_WORDS, len(words)), 0, -1):
            yield from itertools.combinations(words, n_words)
    base = (genres, *words[:1]) if genres else tuple(words[:1]) or ("mixed",)
    yield base
    yield from ((*base[:-1], f"{base[-1]} ({number})") for number in range(2, count + 2))


def _joined_parts(parts: Sequence[str]) -> str:
    return ", ".join(parts)


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _enumerated(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@dataclass(frozen=True, slots=True)
class Descriptions:
    """The manifest's entries of families and clusters."""

    families: list[dict[str, Any]]
    clusters: list[dict[str, Any]]


def describe_clusters(
    frame: pd.DataFrame,
    clusters: np.ndarray,
    ids: np.ndarray,
    families: np.ndarray,
    centroids: np.ndarray,
    ranks: RankTransform,
    genres: Incidence,
    previous: Mapping[str, Any],
) -> Descriptions:
    """Describe clusters and their families.

    Parameters
    ----------
    frame : the songs' attributes
    clusters : int64, shape (n_songs,), the index of each song's cluster, rising
    ids, families : int64, shape (n_clusters,), ids of clusters and of their families
    centroids : shape (n_clusters, n_dims), whole numbers
    genres : of the songs
    previous : the manifest of the version whose ids were kept, or nothing

    """
    names = sorted({*ATTRIBUTE_WORDS, *PROFILE_ATTRIBUTES})
    values = {name: frame[name].to_numpy(np.float64) for name in names}
    ranked = {name: ranks(name, values[name]) for name in names}
    namer, groups = ClusterNamer(ranked, genres), list(songs_by_group(clusters, len(ids)))
    family_ids = np.unique(families).tolist()
    of_families = [np.concatenate([groups[n] for n in np.flatnonzero(families == one)]) for one in family_ids]
    named = namer.names(groups, [_entry(previous, "clusters", one) for one in ids.tolist()])
    nearest = _nearest(centroids)
    cluster_entries = [
        {
            "id": int(ids[number]),
            "name": named[number].text,
            "family": int(families[number]),
            "size": len(songs),
            **_profile(songs, values, ranked, genres),
            "named": named[number].genres,
            "near": ids[nearest[number]].tolist(),
            "first": int(songs[0]),
        }
        for number, songs in enumerate(groups)
    ]
    before = [_entry(previous, "families", one) for one in family_ids]
    family_names = namer.names(of_families, before, MORE, MIN_FAMILY_GENRE_SHARE)
    family_entries = [
        {
            "id": one,
            "name": name.text,
            "size": len(songs),
            "named": name.genres,
            "clusters": ids[families == one].tolist(),
        }
        for one, name, songs in zip(family_ids, family_names, of_families)
    ]
    return Descriptions(family_entries, cluster_entries)


def _entry(previous: Mapping[str, Any], kind: str, number: int) -> Mapping[str, Any] | None:
    return next((entry for entry in previous.get(kind, ()) if entry["id"] == number), None)


def _profile(
    songs: np.ndarray, values: Mapping[str, np.ndarray], ranked: Mapping[str, np.ndarray], genres: Incidence
) -> dict[str, Any]:
    """Genres with their shares, means of attributes, and how far their ranks are from the catalogue's mean, 0.5."""
    counts = np.asarray(genres.matrix[songs].sum(axis=0)).ravel()
    frequent = np.lexsort((np.arange(len(counts)), -counts))[:PROFILE_GENRES]
    means = {name: _mean(values[name][songs]) for name in PROFILE_ATTRIBUTES}
    differences = {name: _mean(ranked[name][songs] - 0.5) for name in PROFILE_ATTRIBUTES}
    return {
        "genres": [
            {"name": genres.names[code], "share": round(float(counts[code]) / len(songs), FEATURE_DIGITS)}
            for code in frequent.tolist()
            if counts[code]
        ],
        "features": {name: mean for name, mean in means.items() if mean is not None},
        "differences": {name: mean for name, mean in differences.items() if mean is not None},
    }


def _mean(values: np.ndarray) -> float | None:
    known = _known(values)
    return round(float(known.mean()), FEATURE_DIGITS) if len(known) else None


def _nearest(centroids: np.ndarray) -> np.ndarray:
    """For each cluster the others by the distance of their centroids, the nearest first."""
    distances = squared_distances(centroids.astype(np.float64), centroids.astype(np.float64))
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, : min(NEAREST_CLUSTERS, len(centroids) - 1)]


def songs_by_group(groups: np.ndarray, n_groups: int) -> Iterator[np.ndarray]:
    """The songs of each group, rising; ``groups`` int64, shape (n_songs,)."""
    order = np.argsort(groups, kind="stable")
    yield from np.split(order, np.searchsorted(groups[order], np.arange(1, n_groups)))


@dataclass(frozen=True, slots=True)
class SongFacts:
    """What decides which songs stand for a genre or a cluster; arrays of shape (n_songs,).

    vectors : int8, shape (n_songs, n_dims)
    column_weights : shape (n_dims,), by which one Euclidean distance serves for all blocks
    analysed : bool
    occasional : bool, for Christmas or another occasion
    artists : the first artist; -1 where a song has none
    popularity : unknown as -1
    """

    vectors: np.ndarray
    column_weights: np.ndarray
    analysed: np.ndarray
    occasional: np.ndarray
    artists: np.ndarray
    popularity: np.ndarray

    def eligible(self, songs: np.ndarray) -> np.ndarray:
        """The analysed ones of some songs, or all where none is; without occasions where most are without."""
        songs = songs[self.analysed[songs]] if self.analysed[songs].any() else songs
        usual = songs[~self.occasional[songs]]
        return usual if 2 * len(usual) > len(songs) else songs

    def nearest_to_mean(self, songs: np.ndarray) -> np.ndarray:
        """Songs, the nearest to their mean vector first."""
        mean = self.vectors[songs].mean(axis=0, dtype=np.float64)
        distances = [
            np.square((self.vectors[songs[run]] - mean) * self.column_weights).sum(axis=1)
            for run in batch_slices(len(songs), CHUNK_ROWS)
        ]
        return songs[np.argsort(np.concatenate(distances), kind="stable")]

    def first_of_each_artist(self, songs: np.ndarray, limit: int) -> np.ndarray:
        """The first songs that are by different artists; one without artists counts as by one of its own."""
        owners = np.where(self.artists[songs] >= 0, self.artists[songs], -1 - songs)
        return songs[np.sort(np.unique(owners, return_index=True)[1])[:limit]]


def songs_of_genres(genres: Incidence, facts: SongFacts) -> tuple[np.ndarray, np.ndarray]:
    """The songs that stand for each genre, the best first, one of each first artist.

    The best are well known, and by artists with the genre, and few others, on most of their songs: popularity as a
    rank among the genre's songs, times the root of the artist's share of it, to which a song of several genres adds
    one part for each (fractional counting); of equal ones the nearest to the mean of all.

    Returns
    -------
    How many songs each genre has, ``SONGS_PER_GENRE`` at the most, and the songs of all genres end to end.

    """
    by_artist = group_members(facts.artists, int(facts.artists.max(initial=-1)) + 1)
    parts = row_means(genres.matrix)
    parts.data = to_fixed_point(parts.data)
    counts = (by_artist @ parts).tocsc()
    n_songs, by_genre = FIXED_POINT * by_artist.sum(axis=1).A1, genres.matrix.tocsc()
    found = []
    for genre, (start, stop) in enumerate(itertools.pairwise(by_genre.indptr.tolist())):
        songs = facts.nearest_to_mean(facts.eligible(np.sort(by_genre.indices[start:stop])))
        own, column = facts.artists[songs], counts[:, [genre]].toarray().ravel()
        shares = np.where(own >= 0, column[own] / n_songs[own], 1.0) if len(n_songs) else np.ones(len(songs))
        merit = np.sqrt(shares) * rankdata(facts.popularity[songs]) / len(songs)
        found.append(facts.first_of_each_artist(songs[np.argsort(-merit, kind="stable")], SONGS_PER_GENRE))
    return _joined(found)


def songs_of_clusters(groups: Iterable[np.ndarray], facts: SongFacts) -> tuple[np.ndarray, np.ndarray]:
    """The best-known songs of the half of each group that is nearest to its mean vector, one of each first artist.

    Returned as by :func:`songs_of_genres`.
    """
    found = []
    for group in groups:
        songs = facts.eligible(group)
        near = facts.nearest_to_mean(songs)[: max(len(songs) // 2, min(len(songs), POINTS_PER_SEED))]
        best = near[np.argsort(-facts.popularity[near], kind="stable")]
        found.append(facts.first_of_each_artist(best, POINTS_PER_SEED))
    return _joined(found)


def _joined(found: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    lists = list(found)
    counts = np.array([len(songs) for songs in lists], np.int64)
    return counts, np.concatenate(lists) if lists else np.empty(0, np.int64)
