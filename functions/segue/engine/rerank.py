"""Re-ranking: from songs in the order of their scores to the list that is recommended.

One version of each song represents its work, artists are capped, diversity is maximal marginal relevance, and a draw
replaces part of the list.
"""

import functools
import itertools
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.normalization import STOP_WORDS, title_variants
from segue.engine.search import AllowedSongs, ScoredRows, are_among
from segue.limits import DIVERSIFIED, RANKED, SAMPLED, charge, checked
from segue.query.schema import Query

if TYPE_CHECKING:
    from segue.catalog.compositions import Piece, Pieces

PART = 32  # songs that are read at once: few lists need more than these
MMR_POOL = 300  # songs among which diversity chooses, whatever the limit: a longer list begins as a shorter one does
MMR_PART = 16  # of these songs, which are compared with all at once
DRAW_POOL_FACTOR = 4  # times the limit: songs after the best among which a draw chooses
PIECES = 256  # whose titles are kept parsed
BEGINNING = 3  # letters of a title's first word that no key of it changes, unless that word is left out
_LETTERS = re.compile(rf"([a-zA-Z]{{1,{BEGINNING}}})")
_LETTERS_ALONE = re.compile(rf"{_LETTERS.pattern}[ -+\--/;-~]*\Z")  # ASCII, and neither digits nor parts
MIN_REPLACED = 0.3  # of the best list, at least, by a draw
MIN_SCORE_RATIO = 0.9  # of the best list's mean score by a draw, as long as it replaces no more than it must


class ScoredSong(NamedTuple):
    """A song and its score."""

    row: int
    score: float


@dataclass(frozen=True, slots=True)
class Reranked:
    """The list that is recommended, and how many songs were passed over.

    dropped_versions : songs passed over because another version stands for them, or they are versions of a seed
    dropped_artist_cap : songs passed over because one of their artists had reached the cap

    Counted among the songs that were considered: down to the last one chosen, further for diversity and draws.
    """

    songs: list[ScoredSong]
    dropped_versions: int
    dropped_artist_cap: int


class Representatives:
    """Lets one version of each song pass: the most popular one that is allowed, and none of the seeds'.

    Nor does a song with a seed's title pass, whoever plays it: who asks for a song means no cover of it. Brackets,
    versions and featured artists do not count. Nor does another recording of a seed's piece, by its catalogue number.

    seeds : rows whose works are not recommended
    """

    def __init__(self, catalog: Catalog, allowed: AllowedSongs, seeds: Sequence[int]):
        self._allowed = allowed
        self._works = catalog.reader("works")
        self._versions = catalog.lists("work", "songs")
        self._seed_works = np.array(sorted(set(catalog.take("works", seeds).tolist())), np.int64)
        self._names = catalog.texts("names")
        self._seed_names = [self._names[row] for row in seeds]
        self._seed_titles = frozenset(map(_title, self._seed_names))
        self._compares_pieces = any(map(_has_parts, self._seed_names))
        self.dropped = 0

    def is_representative(self, rows: np.ndarray) -> np.ndarray:
        """Which of the rows, all of them allowed, stand for their works; bool, shape (len(rows),)."""
        works = self._works.take(rows)
        best = self._versions.first_items(works)
        mask = best == rows
        for position in np.flatnonzero(~mask & ~self._allowed(best)):
            versions = self._versions[int(works[position])]
            mask[position] = versions[self._allowed(versions)][0] == rows[position]
        return mask & ~are_among(works, self._seed_works) if len(self._seed_works) else mask

    def filter(self, songs: Iterator[ScoredRows]) -> Iterator[ScoredSong]:
        """Those of the songs that stand for their works."""
        for scored in songs:
            kept, passed = np.flatnonzero(self.is_representative(scored.rows)), 0
            for start in checked(range(0, len(kept), PART)):
                positions = kept[start : start + PART]
                charge(RANKED, len(positions))
                rows, scores = scored.select(positions)
                songs_there = map(ScoredSong, rows.tolist(), scores.tolist())
                for position, song, is_seed in zip(positions.tolist(), songs_there, self._are_seeds(rows)):
                    self.dropped, passed = self.dropped + position - passed + is_seed, position + 1
                    if not is_seed:
                        yield song
            self.dropped += len(scored.rows) - passed

    def _are_seeds(self, rows: np.ndarray) -> Iterable[bool]:
        """Of each song whether it has a seed's title, or is a recording of its piece."""
        return map(self._is_seed, self._names.take(rows)) if self._seed_names else itertools.repeat(False)

    def _is_seed(self, name: str) -> bool:
        may_be_piece = self._compares_pieces or _has_parts(name)
        plain = _LETTERS_ALONE.match(name) if may_be_piece else _LETTERS.match(name)
        if plain and self._beginnings and plain[1].lower() not in self._beginnings:  # most are ruled out by this
            return False
        return _title(name) in self._seed_titles or (may_be_piece and _piece(name) in self._seed_pieces)

    @functools.cached_property
    def _beginnings(self) -> frozenset[str] | None:
        """How all keys of the seeds begin; None where a nickname, which may be anywhere in a title, is among them."""
        keys = self._seed_titles
        if self._compares_pieces:
            if self._seed_pieces.have_nicknames:
                return None
            keys |= self._seed_pieces.names
        return frozenset(key[:length] for key in (*STOP_WORDS, *keys) for length in range(1, BEGINNING + 1))

    @functools.cached_property
    def _seed_pieces(self) -> "Pieces":
        from segue.catalog.compositions import Pieces  # few lists need it

        return Pieces(map(_piece, self._seed_names))


def _has_parts(name: str) -> bool:
    """Whether a title may be that of a composition: with a catalogue number or a movement."""
    return ":" in name or "," in name


@functools.lru_cache(PIECES)
def _piece(name: str) -> "Piece":
    from segue.catalog.compositions import Piece  # few lists need it

    return Piece(name)


def _title(name: str) -> str:
    """A title in its shortest form: without brackets, version and featured artists."""
    return min(title_variants(name), key=len)


def rerank(
    catalog: Catalog,
    query: Query,
    songs: Iterator[ScoredRows],
    representatives: Representatives,
    similarity: Callable[[Sequence[int], Sequence[int]], np.ndarray],
) -> Reranked:
    """Choose and order what is recommended.

    Parameters
    ----------
    songs : by falling score, as :func:`segue.engine.search.approximate_search` yields
    representatives : decides which version of a song stands for it
    similarity : of some rows to others, 0..1, shape (n_rows, n_others); for diversity

    """
    candidates = representatives.filter(songs)
    if query.diversity:
        candidates = _maximal_marginal_relevance(candidates, query.diversity, similarity)
    cap = _ArtistCap(catalog, query.max_per_artist)
    chosen = _draw(candidates, query, cap) if query.draw else cap.take(candidates, query.limit)
    skipped = cap.skipped
    if query.fill:
        missing, rows = query.limit - len(chosen), {song.row for song in chosen}
        others = [song for song in skipped if song.row not in rows]
        chosen, skipped = chosen + others[:missing], others[missing:]
    if not query.diversity:
        chosen.sort(key=lambda song: (-song.score, song.row))
    return Reranked(chosen, representatives.dropped, len(skipped))


class _ArtistCap:
    """Admits at most so many songs of one artist, whichever artist is credited first, and keeps what it skipped."""

    def __init__(self, catalog: Catalog, cap: int | None):
        song_artists = catalog.lists("song", "artists")
        # by row; cached, since a draw asks for them again and again
        self._artists_of = functools.cache(lambda row: frozenset(song_artists[row].tolist()))
        self._cap = cap
        self._counts: dict[int, int] = {}
        self._at_cap: set[int] = set()  # artists
        self.skipped: list[ScoredSong] = []

    def would_admit(self, song: ScoredSong) -> bool:
        """Whether none of a song's artists has reached the cap."""
        return self._at_cap.isdisjoint(self._artists_of(song.row))

    def admit(self, song: ScoredSong) -> bool:
        """Count a song if it may be admitted; return whether it was."""
        if not self.would_admit(song):
            self.skipped.append(song)
            return False
        for artist in self._artists_of(song.row):
            self._counts[artist] = self._counts.get(artist, 0) + 1
            if self._counts[artist] == self._cap:
                self._at_cap.add(artist)
        return True

    def take(self, songs: Iterable[ScoredSong], count: int) -> list[ScoredSong]:
        """The first so many songs that are admitted."""
        return list(itertools.islice(filter(self.admit, songs), count))

    def reset(self) -> None:
        self._counts.clear()
        self._at_cap.clear()
        self.skipped.clear()


def _maximal_marginal_relevance(
    songs: Iterator[ScoredSong], diversity: float, similarity: Callable[[Sequence[int], Sequence[int]], np.ndarray]
) -> Iterator[ScoredSong]:
    """Maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998.

    Each next song maximises (1 - diversity) * score - diversity * (its greatest similarity to those before).
    """
    pool = list(itertools.islice(songs, MMR_POOL))
    rows = [song.row for song in pool]
    similar: dict[int, np.ndarray] = {}  # of each part to all
    scores = np.array([song.score for song in pool])
    max_similarity = np.zeros(len(pool))
    remaining = np.ones(len(pool), bool)
    for _ in checked(pool):
        relevance = np.where(remaining, (1 - diversity) * scores - diversity * max_similarity, -np.inf)
        best = int(np.argmax(relevance))
        remaining[best] = False
        charge(DIVERSIFIED)
        yield pool[best]
        part, number = divmod(best, MMR_PART)
        if part not in similar:
            similar[part] = similarity(rows[part * MMR_PART : (part + 1) * MMR_PART], rows)
        max_similarity = np.maximum(max_similarity, similar[part][number])
    yield from songs


def _draw(songs: Iterator[ScoredSong], query: Query, cap: _ArtistCap) -> list[ScoredSong]:
    """Another list nearly as good: as many of the best songs as the scores allow make room for ones that follow."""
    best = cap.take(songs, query.limit)
    skipped = cap.skipped.copy()
    cap.reset()
    following = cap.take(songs, DRAW_POOL_FACTOR * query.limit)
    min_total = MIN_SCORE_RATIO * sum(song.score for song in best)
    chosen = best
    for n_replaced in checked(range(query.limit, math.ceil(MIN_REPLACED * query.limit) - 1, -1)):
        charge(SAMPLED, len(best) + len(following))
        n_kept = query.limit - n_replaced
        cap.reset()
        kept = cap.take(best, n_kept)
        admissible = list(filter(cap.would_admit, following))
        order = [*_draw_order(admissible, query.draw, n_replaced), *best[n_kept:], *skipped]
        chosen = kept + cap.take(order, n_replaced)
        if sum(song.score for song in chosen) >= min_total:
            break
    return chosen


def _draw_order(songs: list[ScoredSong], draw: int, size: int) -> list[ScoredSong]:
    """A shuffle for each draw: neighbouring numbers begin with songs of which they share none."""
    n_slices = max(1, len(songs) // size)
    shuffle_number, slice_number = divmod(draw - 1, n_slices)
    shuffled = songs.copy()
    random.Random(f"{shuffle_number} {size}").shuffle(shuffled)  # noqa: S311 # no secret
    return shuffled[slice_number * size :] + shuffled[: slice_number * size]
