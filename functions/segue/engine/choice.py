"""From songs in the order of their scores to the list that is recommended: versions, artists, diversity, draws."""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from segue.catalog import Catalog
from segue.engine.filtering import Allowed
from segue.engine.search import Found
from segue.query import Query

POOL = 300  # songs among which diversity chooses, whatever the limit: a longer list begins as a shorter one does
DRAWN_FROM = 4  # times the limit: songs after the best among which a draw chooses
REPLACED = 0.3  # of the best list, at least, by a draw
SCORE_KEPT = 0.9  # of the best list's mean score by a draw, as long as it replaces no more than it must


class Scored(NamedTuple):
    """A song and its score."""

    row: int
    score: float


@dataclass
class Choice:
    """What was chosen and what was passed over on the way.

    dropped_versions : songs passed over because another version stands for them, or they are versions of a seed
    dropped_artist_cap : songs passed over because one of their artists had had enough

    Counted among the songs that were looked at: down to the last one chosen, further for diversity and draws.
    """

    songs: list[Scored] = field(default_factory=list)
    dropped_versions: int = 0
    dropped_artist_cap: int = 0


class Works:
    """Lets one version of each song pass: the most popular one that is allowed, and none of the seeds'.

    seeds : rows whose works are not recommended
    """

    def __init__(self, catalog: Catalog, allowed: Allowed, seeds: Sequence[int]):
        self._allowed = allowed
        self._works = catalog.array("works")
        self._versions = catalog.lists("work", "songs")
        self._seeds = self._works[list(seeds)]
        self.dropped = 0

    def standing(self, rows: np.ndarray) -> np.ndarray:
        """Which of the rows, all of them allowed, stand for their works; bool, shape (len(rows),)."""
        works = self._works.take(rows)
        best = self._versions.values.take(self._versions.offsets.take(works))
        stands = best == rows
        for place in np.flatnonzero(~stands & ~self._allowed(best)):
            versions = self._versions[int(works[place])]
            stands[place] = versions[self._allowed(versions)][0] == rows[place]
        for seed in self._seeds:
            stands &= works != seed
        return stands

    def pass_on(self, songs: Iterator[Found]) -> Iterator[Scored]:
        """Those of the songs that stand for their works."""
        for rows, scores in songs:
            for row, score, stands in zip(rows.tolist(), scores.tolist(), self.standing(rows).tolist()):
                if stands:
                    yield Scored(row, score)
                else:
                    self.dropped += 1


def choose(
    catalog: Catalog,
    query: Query,
    songs: Iterator[Found],
    works: Works,
    likeness: Callable[[int, Sequence[int]], np.ndarray],
) -> Choice:
    """Choose what is recommended.

    Parameters
    ----------
    songs : by falling score, as :func:`segue.engine.search.ranked` yields
    works : decides which version of a song stands for it
    likeness : of a row to each of several rows, 0..1; for diversity

    """
    standing = works.pass_on(songs)
    if query.diversity:
        standing = _diverse(standing, query.diversity, likeness)
    cap = _Cap(catalog, query.max_per_artist)
    choice = _drawn(standing, query, cap) if query.draw else _best(standing, query.limit, cap)
    if query.fill:
        _fill(choice, cap, query.limit)
    if not query.diversity:
        choice.songs.sort(key=lambda song: (-song.score, song.row))
    choice.dropped_versions = works.dropped
    choice.dropped_artist_cap = len(cap.refused)
    return choice


class _Cap:
    """Lets at most so many songs of one artist pass, whoever is named first, and remembers whom it refused."""

    def __init__(self, catalog: Catalog, most: int | None):
        self._by = catalog.lists("by", "artists")
        self._most = math.inf if most is None else most
        self._counts: dict[int, int] = {}
        self.refused: list[Scored] = []

    def admits(self, song: Scored) -> bool:
        artists = self._artists(song)
        if self._have_had_enough(artists):
            self.refused.append(song)
            return False
        for artist in artists:
            self._counts[artist] = self._counts.get(artist, 0) + 1
        return True

    def has_room(self, song: Scored) -> bool:
        """Whether it would be admitted."""
        return not self._have_had_enough(self._artists(song))

    def _have_had_enough(self, artists: set[int]) -> bool:
        return any(self._counts.get(artist, 0) >= self._most for artist in artists)

    def _artists(self, song: Scored) -> set[int]:
        return set(self._by[song.row].tolist())

    def forget(self) -> None:
        self._counts.clear()
        self.refused.clear()


def _best(songs: Iterator[Scored], limit: int, cap: _Cap) -> Choice:
    return Choice(list(itertools.islice(filter(cap.admits, songs), limit)))


def _fill(choice: Choice, cap: _Cap, limit: int) -> None:
    missing = limit - len(choice.songs)
    chosen = {song.row for song in choice.songs}
    left = [song for song in cap.refused if song.row not in chosen]
    choice.songs.extend(left[:missing])
    cap.refused = left[missing:]


def _diverse(
    songs: Iterator[Scored], diversity: float, likeness: Callable[[int, Sequence[int]], np.ndarray]
) -> Iterator[Scored]:
    """Maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998.

    Each next song maximises (1 - diversity) * score - diversity * (its greatest likeness to those before).
    """
    pool = list(itertools.islice(songs, POOL))
    rows = [song.row for song in pool]
    scores = np.array([song.score for song in pool])
    nearest = np.zeros(len(pool))
    left = np.ones(len(pool), bool)
    for _ in pool:
        worth = np.where(left, (1 - diversity) * scores - diversity * nearest, -np.inf)
        best = int(np.argmax(worth))
        left[best] = False
        yield pool[best]
        nearest = np.maximum(nearest, likeness(rows[best], rows))
    yield from songs


def _drawn(songs: Iterator[Scored], query: Query, cap: _Cap) -> Choice:
    """Another list nearly as good: as many of the best songs as the scores allow make room for ones that follow."""
    best = _best(songs, query.limit, cap).songs
    refused = cap.refused.copy()
    cap.forget()
    rest = _best(songs, DRAWN_FROM * query.limit, cap).songs
    drawn = Choice(best)
    for replaced in range(query.limit, math.ceil(REPLACED * query.limit) - 1, -1):
        kept = query.limit - replaced
        cap.forget()
        first = _best(iter(best), kept, cap).songs
        fitting = list(filter(cap.has_room, rest))
        order = [*_turn(fitting, query.draw, replaced), *best[kept:], *refused]
        drawn = Choice(first + _best(iter(order), query.limit - kept, cap).songs)
        if _total(drawn.songs) >= SCORE_KEPT * _total(best):
            break
    return drawn


def _turn(songs: list[Scored], draw: int, size: int) -> list[Scored]:
    """A shuffle for each draw: neighbouring numbers begin with songs of which they share none."""
    turns = max(1, len(songs) // size)
    round_, turn = divmod(draw - 1, turns)
    shuffled = songs.copy()
    random.Random(f"{round_} {size}").shuffle(shuffled)  # noqa: S311 # no secret
    return shuffled[turn * size :] + shuffled[: turn * size]


def _total(songs: Sequence[Scored]) -> float:
    return sum(song.score for song in songs)
