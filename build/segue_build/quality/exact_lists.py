"""The lists of ``exact`` requests, for many queries in one pass over the catalogue.

A list needs the exact scores of few songs. The others are ruled out by upper bounds of their scores, which cost a
fifth: one product gives the squared distances from all points of the queries, and the first 16 bits of such a float
number the entry of a table that holds what the block adds to the bound.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from segue.catalog import Catalog
from segue.engine import rerank
from segue.engine.recommendation import similarity_function
from segue.engine.scoring import TARGETS_WEIGHT, Scorer
from segue.engine.search import AllowedSongs, ScoredRows, exhaustive_search
from segue.engine.seeds import ResolvedSeed, complete, resolve
from segue.engine.space import MAX_CODE, Block, rank_transform, space_of
from segue.query.schema import Query
from segue_build.sources.series import batch_slices

COMPARED_SHARE = 0.9  # of the blocks' weights, at least, that upper bounds compare
JOINT_BLOCKS = 3  # of most weight, that bound the joint term: with more, the bound would be looser
CHUNK_PAIRS = 1 << 15  # of a song and a point that are compared at a time: they stay in the processor's cache
ROUNDING = 1e-4  # more than float32 loses where bounds are added up
ABOVE_ALL = 2.0  # scores
NO_ROWS = np.empty(0, np.int64)
FIRST_HALVES = 1 << 16  # of float32: sign, exponent and seven digits


@dataclass(frozen=True, slots=True)
class Search:
    """A query without filters, and what scores songs for it."""

    catalog: Catalog
    query: Query
    seeds: Sequence[ResolvedSeed]
    scorer: Scorer
    allowed: AllowedSongs

    @classmethod
    def of(cls, catalog: Catalog, query: Query) -> "Search":
        """Resolve the query's seeds."""
        seeds = resolve(catalog, query.seeds)
        query = complete(catalog, query, seeds)
        return cls(catalog, query, seeds, Scorer(catalog, seeds, query.targets), AllowedSongs(catalog, query.filters))

    @property
    def has_bounds(self) -> bool:
        """Whether :class:`UpperBounds` are known: of songs as seeds."""
        return all(seed.rows for seed in self.seeds) and max(self.scorer.weights) > 0

    def last_score(self, rows: np.ndarray) -> float:
        """A score that the exact list's last song is expected to have at least, from a list of these rows."""
        songs = self._rerank(iter([self._scored(rows)]))
        return min(song.score for song in songs) if len(songs) == self.query.limit else 0.0

    def exact_list(self, rows: np.ndarray, lower: float) -> np.ndarray:
        """The list's rows; among those given are all songs that score at least ``lower``."""
        others = exhaustive_search(self.scorer, self.allowed, np.nextafter(lower, -np.inf))
        songs = self._rerank(itertools.chain([self._scored(rows, lower)], others))
        return np.array([song.row for song in songs], np.int64)

    def _scored(self, rows: np.ndarray, lower: float = -np.inf) -> ScoredRows:
        """Those of the rows that score at least ``lower``, best first."""
        rows = rows[self.allowed(rows)]
        scores = self.scorer.score(rows)
        return ScoredRows(rows, scores).select(scores >= lower).best_first()

    def _rerank(self, songs: Iterator[ScoredRows]) -> list[rerank.ScoredSong]:
        song_seeds = [seed.rows[0] for seed in self.seeds if seed.is_song]
        representatives = rerank.Representatives(self.catalog, self.allowed, song_seeds)
        return rerank.rerank(
            self.catalog, self.query, songs, representatives, similarity_function(self.catalog)
        ).songs


def exact_lists(catalog: Catalog, searches: Sequence[Search], likely: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The rows of the list of each search.

    likely : of each search, rows of which many are in its list: the more, the fewer others are scored
    """
    has_bounds = [search.has_bounds for search in searches]
    lowers = [
        search.last_score(rows) if bounded else ABOVE_ALL
        for search, rows, bounded in zip(searches, likely, has_bounds)
    ]
    found = iter(
        songs_with_bounds(
            catalog,
            list(itertools.compress(searches, has_bounds)),
            list(itertools.compress(lowers, has_bounds)),
        )
    )
    return [
        search.exact_list(next(found) if bounded else NO_ROWS, lower)
        for search, lower, bounded in zip(searches, lowers, has_bounds)
    ]


def songs_with_bounds(catalog: Catalog, searches: Sequence[Search], lowers: Sequence[float]) -> list[np.ndarray]:
    """Rows, rising, of all songs that may score so much for each search."""
    if not searches:
        return []
    bounds, least = UpperBounds(catalog, searches), np.array(lowers) - ROUNDING
    numbers, rows = [], []
    for chunk in batch_slices(len(catalog), max(1, CHUNK_PAIRS // bounds.n_points)):
        found = np.nonzero(bounds(chunk) >= least[:, None])
        numbers.append(found[0].astype(np.int16))
        rows.append(found[1].astype(np.int32) + np.int32(chunk.start))
    number, row = np.concatenate(numbers), np.concatenate(rows)
    counts = np.bincount(number, minlength=len(searches))
    likely = np.split(row[np.argsort(number, kind="stable")], np.cumsum(counts)[:-1])
    neighbours = [search.scorer.neighbour_rows for search in searches]
    return [np.union1d(rows, others) if len(others) else rows for rows, others in zip(likely, neighbours)]


class UpperBounds:
    """At most what songs score for some searches, see :mod:`segue.engine.scoring`, without co-occurrence.

    Songs are compared in the blocks of most weight and count as equal in the others. What dislikes take away is left
    out. The joint term, a product over some blocks, is at most a sum over them, by the inequality of weighted means:
    product of near ** exponent <= sum of share * near ** (exponent / share), where the shares sum to 1.

    n_points : that stand for all seeds of the searches
    """

    def __init__(self, catalog: Catalog, searches: Sequence[Search]):
        self._catalog, self._space = catalog, space_of(catalog)
        self._vectors, self._local_scales = catalog.array("vectors"), catalog.array("local_scales")
        scorers = [search.scorer for search in searches]
        weights = np.maximum(np.concatenate([scorer.weights for scorer in scorers]), 0)
        block_weights = np.concatenate([scorer.block_weights[:-1] for scorer in scorers], axis=1)
        known = block_weights > 0
        # What a point has nothing of counts as equal in the sums, and is subtracted from them.
        known_weight = self._space.block_weights @ known
        weights_within = block_weights.sum(axis=0) / np.maximum(known_weight, 1e-12)
        is_of = np.arange(len(scorers))[:, None] == np.repeat(np.arange(len(scorers)), list(map(len, scorers)))
        self._weights = (is_of * (weights * weights_within)).astype(np.float32)
        self._blocks = self._heaviest_blocks()
        points = np.concatenate([seed.vectors for search in searches for seed in search.seeds])
        self._points = [self._factors(block, points) * known[number][:, None] for number, block in self._blocks]
        total_exponent = sum(block.exponent for _, block in self._blocks[:JOINT_BLOCKS])
        not_compared = self._space.block_weights.sum() - sum(block.weight for _, block in self._blocks)
        not_compared += 0 if total_exponent else self._space.joint_weight
        unknown = self._space.block_weights.sum() - known_weight
        self._equal = self._weights @ (not_compared - unknown)[:, None].astype(np.float32)
        self._tables = [
            self._table(block, total_exponent if rank < JOINT_BLOCKS else 0.0)
            for rank, (_, block) in enumerate(self._blocks)
        ]
        widths = [block.stop - block.start for block in self._space.blocks]
        self._is_in_block = np.repeat(np.eye(len(widths), dtype=np.float32), widths, axis=1)
        self._targets = [search.query.targets for search in searches]
        self._with_targets = [number for number, targets in enumerate(self._targets) if targets]
        self.n_points = len(points)

    def _heaviest_blocks(self) -> list[tuple[int, Block]]:
        """Those that make up ``COMPARED_SHARE`` of the weights, with their numbers in the space."""
        blocks = sorted(enumerate(self._space.blocks), key=lambda each: -each[1].weight)
        weights = np.cumsum([block.weight for _, block in blocks])
        return blocks[: int(weights.searchsorted(COMPARED_SHARE * weights[-1])) + 1]

    def __call__(self, rows: slice) -> np.ndarray:
        """Float32, shape (n_searches, n_songs)."""
        inverse = 1 / np.square(self._local_scales[rows])
        codes = self._vectors[rows].T.astype(np.float32)
        squared_norms = (self._is_in_block @ np.square(codes)) * inverse
        codes *= inverse
        sums = np.zeros((self.n_points, len(inverse)), np.float32)
        for (number, block), points, table in zip(self._blocks, self._points, self._tables):
            songs = np.concatenate([codes[block.columns], inverse[None], squared_norms[number, None]])
            sums += table.take(_first_halves(points @ songs), mode="clip")
        bounds: np.ndarray = self._weights @ sums + self._equal
        if self._with_targets:
            similar = self._target_similarities(rows)
            bounds[self._with_targets] += TARGETS_WEIGHT * (similar - bounds[self._with_targets])
        return bounds

    def _target_similarities(self, rows: slice) -> np.ndarray:
        """How similar songs are to the targets of each search that has any, shape (n_with_targets, n_songs)."""
        targets = [self._targets[each] for each in self._with_targets]
        similar = np.zeros((len(targets), rows.stop - rows.start))
        for name in {name for of_search in targets for name in of_search}:
            having = [number for number, of_search in enumerate(targets) if name in of_search]
            wanted = rank_transform(self._catalog)(name, np.array([targets[number][name] for number in having]))
            levels = self._catalog.cached(("all ranks", name), partial(_all_ranks, self._catalog, name))
            similar[having] += np.nan_to_num(1 - np.abs(levels[rows] - wanted[:, None]))
        return similar / np.array([[len(of_search)] for of_search in targets])

    def _factors(self, block: Block, points: np.ndarray) -> np.ndarray:
        """What songs are multiplied by to get squared distances in units of the block."""
        codes = points[:, block.columns].astype(np.float32)
        squared_norms = np.square(codes).sum(axis=1, keepdims=True)
        factors = np.hstack([-2 * codes, squared_norms, np.ones_like(squared_norms)])
        return factors / np.float32(self._squared_unit(block))

    def _table(self, block: Block, total_exponent: float) -> np.ndarray:
        """What the block adds to the bound by the first half of a squared distance, float32.

        total_exponent : of the blocks that bound the joint term; 0 if this is none of them
        """
        n_columns = block.stop - block.start
        largest = (2 * MAX_CODE) ** 2 * n_columns / self._squared_unit(block) / float(self._local_scales.min()) ** 2
        error = largest * (n_columns + 4) * float(np.finfo(np.float32).eps)
        distances = np.sqrt(np.maximum(_least_values() - error, 0))
        table = block.weight * np.exp(-distances)
        if total_exponent:
            joint_weight = self._space.joint_weight * block.exponent / total_exponent
            table += joint_weight * np.exp(-total_exponent * distances)
        return table.astype(np.float32)

    def _squared_unit(self, block: Block) -> float:
        return float(self._space.spread[block.columns].sum() * block.scale**2)


def _all_ranks(catalog: Catalog, name: str) -> np.ndarray:
    """The ranks of all songs' values of an attribute, NaN where unknown; float64, shape (n_songs,)."""
    return rank_transform(catalog)(name, catalog.attribute(name).astype(np.float64))


def _first_halves(values: np.ndarray) -> np.ndarray:
    """Of floats whose bytes are in memory as everywhere today, the last first."""
    return values.view(np.uint16)[..., 1::2].astype(np.intp)


def _least_values() -> np.ndarray:
    """The least number that begins with each first half, 0 where that is negative; float64, shape (FIRST_HALVES,)."""
    values = (np.arange(FIRST_HALVES, dtype=np.uint32) << 16).view(np.float32)
    return np.where(np.isfinite(values), np.maximum(values, 0), 0).astype(np.float64)
