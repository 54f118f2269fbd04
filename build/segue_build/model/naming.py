"""Names for clusters, in words that a listener would use: their genres and what is outstanding about their sound."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse

from segue_build.model.context import Links
from segue_build.model.space import Placed

# attribute: the word for a cluster that lies low, and high, among all songs; "" where there is no good one
WORDS = {
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
OUTSTANDING = 0.16  # distance of a cluster's mean rank from the middle, 0.5, from which it is worth a word
MOST_GENRES = 4
WORTH_SAYING = 0.3  # of the first genre's share, from which another genre is named beside it
SPECIFIC = 0.65  # of a family's songs, from which one member speaks for it: "death-metal" rather than "metal"
RELUCTANCE = 3  # a place or language counts by its share to this power, so only where it dominates
PLACES = {
    "african", "american", "arabic", "australian", "brazil", "brazilian", "british", "canadian", "chinese", "dutch",
    "english", "french", "german", "greek", "indian", "iranian", "irish", "italian", "japanese", "korean", "malay",
    "nordic", "polish", "russian", "spanish", "swedish", "turkish",
}  # fmt: skip
KIN = {"children": "kids", "latino": "latin", "punk-rock": "punk"}  # families that the words don't show


def names(placed: Placed, attributes: dict[str, np.ndarray], clusters: np.ndarray, n_clusters: int) -> list[str]:
    """Name clusters so that no two share a name.

    Parameters
    ----------
    attributes : attribute -> float64, shape (n_songs,), NaN where unknown; those of ``WORDS``
    clusters : int64, shape (n_songs,), the cluster of each song

    """
    ranks = {name: placed.ranks(name, attributes[name]) for name in WORDS}
    genres = _Genres(placed.genres, np.nan_to_num(ranks["popularity"], nan=0.5))
    taken: dict[str, None] = {}
    for number in range(n_clusters):
        members = clusters == number
        candidates = _candidates(genres.of(members), _words(ranks, members))
        taken[next(name for name in candidates if name not in taken)] = None
    return list(taken)


class _Genres:
    """Genres in families that are called as one of them: ``death-metal`` is of ``metal``, as ``metal`` is.

    genres : of the songs
    popularity : float64, shape (n_songs,), how much each song counts: people know a cluster by its best-known songs
    """

    def __init__(self, genres: Links, popularity: np.ndarray):
        self._genres = genres
        self._popularity = popularity
        self._heads = _heads(genres.names)
        ones, places = np.ones(len(self._heads), np.float32), np.arange(len(self._heads))
        families = sparse.csr_matrix((ones, (places, self._heads)), (len(ones), len(ones)))
        self._songs = (genres.matrix @ families).sign().tocsc()
        self._usual = np.maximum(self._songs.T @ popularity / popularity.sum(), 1e-9)
        self._powers = np.array([RELUCTANCE if name in PLACES else 1 for name in genres.names])

    def of(self, members: np.ndarray) -> list[str]:
        """What most of the songs are, then what most of the others are, and so on; lift breaks ties."""
        named: list[str] = []
        unnamed = np.where(members, self._popularity, 0)
        total, least = unnamed.sum(), 0.0
        lift = self._songs.T @ unnamed / total / self._usual
        while len(named) < min(MOST_GENRES, len(lift)):
            shares = np.where(lift > 1, self._songs.T @ unnamed / total, 0) ** self._powers
            family = int(np.lexsort((-lift, -shares.round(2)))[0])
            if shares[family] <= least:
                break
            named.append(self._speaker(family, members))
            least = least or WORTH_SAYING * shares[family]
            unnamed[self._songs.indices[self._songs.indptr[family] : self._songs.indptr[family + 1]]] = 0
        return named

    def _speaker(self, family: int, members: np.ndarray) -> str:
        """The genre that most of a family's songs are of, else the family's name."""
        kin = np.flatnonzero(self._heads == family)
        songs = self._genres.matrix[:, kin].T @ np.where(members, self._popularity, 0)
        best = int(kin[songs.argmax()])
        return self._genres.names[best if songs.max() > SPECIFIC * songs.sum() else family]


def _heads(genres: list[str]) -> np.ndarray:
    """Codes of the genre that each belongs to: its last word's, else its first's, else its own."""
    codes = {name: code for code, name in enumerate(genres)}
    parts = [re.split(r"[\s-]+", KIN.get(name, name)) for name in genres]
    return np.array([codes.get(part[-1], codes.get(part[0], code)) for code, part in enumerate(parts)], np.int64)


def _words(ranks: dict[str, np.ndarray], members: np.ndarray) -> list[str]:
    """Words for what is outstanding, the most outstanding first."""
    gaps = {}
    for name, (low, high) in WORDS.items():
        known = ranks[name][members]
        known = known[~np.isnan(known)]
        gap = float(known.mean()) - 0.5 if len(known) else 0.0
        gaps[low if gap < 0 else high] = abs(gap)
    return [word for word in sorted(gaps, key=lambda word: -gaps[word]) if word and gaps[word] >= OUTSTANDING]


def _candidates(genres: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    """Ever longer names: more words, then more genres, then numbers."""
    words = [word for word in words if word not in genres]
    for n_genres in range(2, MOST_GENRES + 1):
        for n_words in (1, 2, 3):
            name = _spoken(genres[:n_genres], words[:n_words])
            yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def _spoken(genres: Sequence[str], words: Sequence[str]) -> str:
    what = " and ".join([", ".join(genres[:-1]), genres[-1]] if len(genres) > 1 else genres)
    return ", ".join([*([what] if what else []), *words]) or "mixed"
