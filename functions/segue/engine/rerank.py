"""Re-ranking: from songs in the order of their scores to the list that is recommended.

One version of each song represents its work, artists are capped, diversity is maximal marginal relevance, and a draw
replaces a part of the list.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from segue.catalog import Catalog
from segue.engine.filters import AllowedSongs
from segue.engine.search import ScoredRows
from segue.query.schema import Query

MMR_POOL = 300  # songs among which diversity chooses, whatever the limit: a longer list begins as a shorter one does
DRAW_POOL_FACTOR = 4  # times the limit: songs after the best among which a draw chooses
MIN_REPLACED = 0.3  # of the best list, at least, by a draw
MIN_SCORE_RATIO = 0.9  # of the best list's mean score by a draw, as long as it replaces no more than it must


class ScoredSong(NamedTuple):
    """A song and its score."""

    row: int
    score: float


@dataclass
class Reranked:
    """The list that is recommended, and how many songs were passed over.

    dropped_versions : songs passed over because another version stands for them, or they are versions of a seed
    dropped_artist_cap : songs passed over because one of their artists had reached the cap

    Counted among the songs that were considered: down to the last one chosen, further for diversity and draws.
    """

    songs: list[ScoredSong] = field(default_factory=list)
    dropped_versions: int = 0
    dropped_artist_cap: int = 0


class Representatives:
    """Lets one version of each song pass: the most popular one that is allowed, and none of the seeds'.

    seeds : rows whose works are not recommended
    """

    def __init__(self, catalog: Catalog, allowed: AllowedSongs, seeds: Sequence[int]):
        self._allowed = allowed
        self._works = catalog.array("works")
        self._versions = catalog.lists("work", "songs")
        self._seed_works = self._works[list(seeds)]
        self.dropped = 0

    def is_representative(self, rows: np.ndarray) -> np.ndarray:
        """Which of the rows, all of them allowed, stand for their works; bool, shape (len(rows),)."""
        works = self._works.take(rows)
        best = self._versions.values.take(self._versions.offsets.take(works))
        mask = best == rows
        for position in np.flatnonzero(~mask & ~self._allowed(best)):
            versions = self._versions[int(works[position])]
            mask[position] = versions[self._allowed(versions)][0] == rows[position]
        for seed in self._seed_works:
            mask &= works != seed
        return mask

    def filter(self, songs: Iterator[ScoredRows]) -> Iterator[ScoredSong]:
        """Those of the songs that stand for their works."""
        for rows, scores in songs:
            for row, score, is_representative in zip(
                rows.tolist(), scores.tolist(), self.is_representative(rows).tolist()
            ):
                if is_representative:
                    yield ScoredSong(row, score)
                else:
                    self.dropped += 1


def rerank(
    catalog: Catalog,
    query: Query,
    songs: Iterator[ScoredRows],
    representatives: Representatives,
    similarity: Callable[[int, Sequence[int]], np.ndarray],
) -> Reranked:
    """Choose and order what is recommended.

    Parameters
    ----------
    songs : by falling score, as :func:`segue.engine.search.approximate_search` yields
    representatives : decides which version of a song stands for it
    similarity : of a row to each of several rows, 0..1; for diversity

    """
    candidates = representatives.filter(songs)
    if query.diversity:
        candidates = _maximal_marginal_relevance(candidates, query.diversity, similarity)
    cap = _ArtistCap(catalog, query.max_per_artist)
    reranked = _draw(candidates, query, cap) if query.draw else _take_admitted(candidates, query.limit, cap)
    if query.fill:
        _fill_from_refused(reranked, cap, query.limit)
    if not query.diversity:
        reranked.songs.sort(key=lambda song: (-song.score, song.row))
    reranked.dropped_versions = representatives.dropped
    reranked.dropped_artist_cap = len(cap.refused)
    return reranked


class _ArtistCap:
    """Lets at most so many songs of one artist pass, whoever is named first, and remembers whom it refused."""

    def __init__(self, catalog: Catalog, cap: int | None):
        self._song_artists = catalog.lists("song", "artists")
        self._cap = math.inf if cap is None else cap
        self._counts: dict[int, int] = {}
        self.refused: list[ScoredSong] = []

    def admit(self, song: ScoredSong) -> bool:
        artists = self._artists(song)
        if self._any_at_cap(artists):
            self.refused.append(song)
            return False
        for artist in artists:
            self._counts[artist] = self._counts.get(artist, 0) + 1
        return True

    def would_admit(self, song: ScoredSong) -> bool:
        """Whether it would be admitted."""
        return not self._any_at_cap(self._artists(song))

    def _any_at_cap(self, artists: set[int]) -> bool:
        return any(self._counts.get(artist, 0) >= self._cap for artist in artists)

    def _artists(self, song: ScoredSong) -> set[int]:
        return set(self._song_artists[song.row].tolist())

    def reset(self) -> None:
        self._counts.clear()
        self.refused.clear()


def _take_admitted(songs: Iterator[ScoredSong], limit: int, cap: _ArtistCap) -> Reranked:
    return Reranked(list(itertools.islice(filter(cap.admit, songs), limit)))


def _fill_from_refused(reranked: Reranked, cap: _ArtistCap, limit: int) -> None:
    missing = limit - len(reranked.songs)
    chosen = {song.row for song in reranked.songs}
    left = [song for song in cap.refused if song.row not in chosen]
    reranked.songs.extend(left[:missing])
    cap.refused = left[missing:]


def _maximal_marginal_relevance(
    songs: Iterator[ScoredSong], diversity: float, similarity: Callable[[int, Sequence[int]], np.ndarray]
) -> Iterator[ScoredSong]:
    """Maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998.

    Each next song maximises (1 - diversity) * score - diversity * (its greatest similarity to those before).
    """
    pool = list(itertools.islice(songs, MMR_POOL))
    rows = [song.row for song in pool]
    scores = np.array([song.score for song in pool])
    max_similarity = np.zeros(len(pool))
    remaining = np.ones(len(pool), bool)
    for _ in pool:
        relevance = np.where(remaining, (1 - diversity) * scores - diversity * max_similarity, -np.inf)
        best = int(np.argmax(relevance))
        remaining[best] = False
        yield pool[best]
        max_similarity = np.maximum(max_similarity, similarity(rows[best], rows))
    yield from songs


def _draw(songs: Iterator[ScoredSong], query: Query, cap: _ArtistCap) -> Reranked:
    """Another list nearly as good: as many of the best songs as the scores allow make room for ones that follow."""
    best = _take_admitted(songs, query.limit, cap).songs
    refused = cap.refused.copy()
    cap.reset()
    following = _take_admitted(songs, DRAW_POOL_FACTOR * query.limit, cap).songs
    drawn = Reranked(best)
    for replaced in range(query.limit, math.ceil(MIN_REPLACED * query.limit) - 1, -1):
        kept = query.limit - replaced
        cap.reset()
        first = _take_admitted(iter(best), kept, cap).songs
        admissible = list(filter(cap.would_admit, following))
        order = [*_draw_order(admissible, query.draw, replaced), *best[kept:], *refused]
        drawn = Reranked(first + _take_admitted(iter(order), query.limit - kept, cap).songs)
        if _total_score(drawn.songs) >= MIN_SCORE_RATIO * _total_score(best):
            break
    return drawn


def _draw_order(songs: list[ScoredSong], draw: int, size: int) -> list[ScoredSong]:
    """A shuffle for each draw: neighbouring numbers begin with songs of which they share none."""
    n_slices = max(1, len(songs) // size)
    shuffle_number, slice_number = divmod(draw - 1, n_slices)
    shuffled = songs.copy()
    random.Random(f"{shuffle_number} {size}").shuffle(shuffled)  # noqa: S311 # no secret
    return shuffled[slice_number * size :] + shuffled[: slice_number * size]


def _total_score(songs: Sequence[ScoredSong]) -> float:
    return sum(song.score for song in songs)
