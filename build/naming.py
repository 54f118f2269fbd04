"""Names for clusters, in words that a person would use: their genres and what is outstanding about their sound."""

from collections.abc import Sequence

import numpy as np

from build.space import Placed

# attribute: the word for the songs of a cluster that lies low, and high, among all songs
WORDS = {
    "energy": ("calm", "energetic"),
    "acousticness": ("electric", "acoustic"),
    "danceability": ("undanceable", "danceable"),
    "valence": ("dark", "cheerful"),
    "instrumentalness": ("sung", "instrumental"),
    "speechiness": ("", "wordy"),
    "liveness": ("", "live"),
    "tempo": ("slow", "fast"),
    "loudness": ("quiet", "loud"),
    "popularity": ("little known", "well known"),
    "year": ("older", "recent"),
}
OUTSTANDING = 0.14  # distance of a cluster's mean rank from the middle, 0.5, from which it is worth a word
GENERIC = 0.6  # share of a cluster's songs in one genre from which one genre names it


def names(placed: Placed, attributes: dict[str, np.ndarray], clusters: np.ndarray, n_clusters: int) -> list[str]:
    """Name clusters so that no two share a name.

    Parameters
    ----------
    attributes : attribute -> float64, shape (n_songs,), NaN where unknown
    clusters : int64, shape (n_songs,), the cluster of each song

    """
    genres = [_genres(placed, clusters == number) for number in range(n_clusters)]
    words = [_words(placed, attributes, clusters == number) for number in range(n_clusters)]
    taken: set[str] = set()
    found = []
    for number in range(n_clusters):
        found.append(_free(genres[number], words[number], taken))
        taken.add(found[-1])
    return found


def _genres(placed: Placed, members: np.ndarray) -> list[str]:
    """A cluster's genres, the most telling first: frequent here, and more so than elsewhere."""
    counts = np.asarray(placed.genres.matrix[members].sum(axis=0)).ravel()
    if not counts.any():
        return []
    here = counts / members.sum()
    everywhere = np.asarray(placed.genres.matrix.sum(axis=0)).ravel() / len(members)
    telling = here * np.log1p(here / np.maximum(everywhere, 1e-9))
    order = np.argsort(-telling, kind="stable")
    return [placed.genres.names[code] for code in order[:6] if counts[code] > 0 and telling[code] > 0]


def _words(placed: Placed, attributes: dict[str, np.ndarray], members: np.ndarray) -> list[str]:
    """Words for what is outstanding, the most outstanding first."""
    gaps = {}
    for name, (low, high) in WORDS.items():
        ranks = placed.ranks(name, attributes[name])
        mean = np.nanmean(ranks[members]) if not np.isnan(ranks[members]).all() else 0.5
        gaps[low if mean < 0.5 else high] = abs(float(mean) - 0.5)
    return [word for word in sorted(gaps, key=lambda word: -gaps[word]) if word and gaps[word] >= OUTSTANDING]


def _free(genres: Sequence[str], words: Sequence[str], taken: set[str]) -> str:
    """The shortest name that is not taken: more words, then more genres, then a number."""
    for n_genres in (2, 3, 4):
        for n_words in (1, 2, 3):
            name = _spoken(genres[:n_genres], words[:n_words])
            if name not in taken:
                return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def _spoken(genres: Sequence[str], words: Sequence[str]) -> str:
    what = " and ".join([", ".join(genres[:-1]), genres[-1]] if len(genres) > 1 else genres)
    return ", ".join([*([what] if what else []), *words]) or "mixed"
