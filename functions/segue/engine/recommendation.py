"""A query and a catalogue to recommendations: seeds -> filters -> search by score -> re-ranking.

Takes and gives values, knows nothing of HTTP, and can be called from a notebook::

    >>> recommend(load(Path("artifacts")), Query((Seed("", {}, song="Paper Harbour"),)))
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names
from segue.catalog.lookup.moods import resolve_genre
from segue.catalog.normalization import normalized
from segue.engine import explanations, rerank, search
from segue.engine.scoring import READ_PRICE, SCALE_LEVELS, Scorer, SeedPoints
from segue.engine.search import AllowedSongs, ScoredRows, out_of_range
from segue.engine.seeds import SEARCH_POINTS, ResolvedSeed, complete, resolve, thin
from segue.engine.space import (
    AUDIO_COLUMNS,
    MAX_CODE,
    STEPS_PER_UNIT,
    Space,
    exponential_kernel,
    rank_transform,
    space_of,
    squared_distances,
)
from segue.limits import (
    CANDIDATE,
    COMPARISON,
    ESTIMATE,
    FILTERED,
    RANKED,
    REQUEST,
    SEARCH,
    SEED,
    SERIALIZED,
    charge,
    check_exact,
    checkpoint,
)
from segue.query.schema import Filters, Query, Seed, Vocabulary

MAX_RELATED = 20
RELATED_SONGS = 3 * MAX_RELATED  # songs: two may be by one artist, who may be spelled in several ways
# The songs nearest to raw features are found exactly: those in a box of values around them, which grows while more
# are taken. Cells are made in all columns of the space; raw features are known in a few, so that the songs nearest to
# them lie in most cells, but songs within a range of values are soon found, as for a filter. No song outside the box
# is nearer than its walls, or scores more than one on its walls that meets all targets.
FIRST_BOX_SONGS = 2_000  # songs that the first box holds, about
BOX_GROWTH = 4.0  # of the box
MAX_BOX_FRACTION = 0.1  # of all songs in a box that still grows: near to all of them, it costs as much as all
COLUMN_PRICE = 20_000  # of a column of a box, in numbers that are compared
MAX_CODE_DIFFERENCE = 2 * MAX_CODE  # codes between two songs in a column
SCORE_TOLERANCE = 2e-6  # of scores, which are rounded


class Pool(NamedTuple):
    """How many songs there were to choose from.

    catalogue : songs that may be recommended
    after_filters : those that pass the filters
    dropped_versions, dropped_artist_cap : passed over, see :class:`segue.engine.rerank.Reranked`
    """

    catalogue: int
    after_filters: int
    dropped_versions: int
    dropped_artist_cap: int


class Recommendation(NamedTuple):
    """A song that is recommended.

    row : in the catalogue
    score : 0..1, see :mod:`segue.engine.scoring`
    why : when it was asked for
    """

    row: int
    score: float
    why: explanations.Explanation | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gets."""

    seeds: tuple[ResolvedSeed, ...]
    recommendations: tuple[Recommendation, ...]
    pool: Pool


def recommend(catalog: Catalog, query: Query, resolved: Sequence[ResolvedSeed] | None = None) -> Answer:
    """Recommend songs.

    resolved : what stands for the seeds, in place of the query's own

    Raises
    ------
    UnknownSongs
        a seed names nothing in the catalogue.

    """
    charge(SEARCH)
    seeds = resolve(catalog, query.seeds) if resolved is None else resolved
    query = complete(catalog, query, seeds)
    scorer = Scorer(catalog, seeds, query.targets)
    checkpoint()
    allowed = AllowedSongs(catalog, _filters(catalog, query, seeds))
    checkpoint()
    song_seeds = [seed.rows[0] for seed in seeds if seed.is_song]  # artists and genres may return to their own songs
    representatives = rerank.Representatives(catalog, allowed, song_seeds)
    ranked = _search(catalog, query, seeds, scorer, allowed)
    reranked = rerank.rerank(catalog, query, ranked, representatives, similarity_function(catalog))
    songs, explained = reranked.songs, None
    if query.explain:
        rows, scores = np.array([song.row for song in songs], np.int64), np.array([song.score for song in songs])
        explained = explanations.explain(catalog, scorer, seeds, rows, scores)
    return Answer(
        tuple(seeds),
        tuple(Recommendation(*song, explained[number] if explained else None) for number, song in enumerate(songs)),
        Pool(
            int(catalog.manifest["recommendable"]),
            allowed.count(),
            reranked.dropped_versions,
            reranked.dropped_artist_cap,
        ),
    )


def ordinary_price(catalog: Catalog) -> float:
    """The price of ten songs like one, in which what a request may cost is counted: it grows with the catalogue."""
    budget, limit = catalog.manifest["search"]["song"], Query(()).limit
    n_cells, n_centroids = len(catalog.reader("cell_local_scales")), len(catalog.reader("pq_centroids"))
    n_codes = SCALE_LEVELS * n_centroids // len(space_of(catalog).blocks)
    works = {REQUEST: 1, SEARCH: 1, SEED: 1, RANKED: 3 * limit, SERIALIZED: limit}
    works |= {ESTIMATE: n_cells + n_codes, CANDIDATE: budget["candidates"]}
    works |= {COMPARISON: (1 + READ_PRICE) * budget["rescored"]}
    return sum(work.price * count for work, count in works.items())


def vocabulary(catalog: Catalog) -> Vocabulary:
    """The genres, attributes and clusters of a catalogue, which requests may name."""
    return catalog.cached("vocabulary", lambda: _vocabulary(catalog))


def _vocabulary(catalog: Catalog) -> Vocabulary:
    manifest = catalog.manifest
    genre = functools.partial(resolve_genre, manifest["genres"])
    clusters = list(catalog.cluster_indices)
    return Vocabulary(manifest["genres"], manifest["attributes"], manifest["has_explicit"], genre, clusters)


def similarity_function(catalog: Catalog) -> Callable[[Sequence[int], Sequence[int]], np.ndarray]:
    """A function that gives the similarity of songs to others, 0..1, as seeds', in all columns."""

    def similarities(rows: Sequence[int], others: Sequence[int]) -> np.ndarray:
        charge(COMPARISON, len(rows) * len(others))
        vectors, local_scales = catalog.take("vectors", others), catalog.take("local_scales", others)
        return similarity(space_of(catalog), vectors, catalog.take("vectors", rows), local_scales).T

    return similarities


def similarity(space: Space, vectors: np.ndarray, points: np.ndarray, local_scales: np.ndarray) -> np.ndarray:
    """The similarity of songs to points that are known in every column, without co-occurrence.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims)
    points : int8, shape (n_points, n_dims)
    local_scales : shape (n_songs,), the songs' own

    Returns
    -------
    float32, shape (n_songs, n_points), 0..1, the same bytes on every processor

    """
    total, joint = np.zeros((2, len(vectors), len(points)), np.float32)
    for block in space.blocks:
        song_codes, point_codes = (codes[:, block.columns].astype(np.float32) for codes in (vectors, points))
        distances = np.sqrt(squared_distances(song_codes, point_codes))
        unit = np.float32(space.spread[block.columns].sum() ** 0.5 * block.scale)
        units = unit * local_scales[:, None].astype(np.float32)
        steps = distances / (units / np.float32(STEPS_PER_UNIT))
        joint += np.float32(block.exponent) * steps
        total += np.float32(block.weight) * exponential_kernel(steps)
    if space.joint_exponents:
        total += np.float32(space.joint_weight) * exponential_kernel(joint)
    return total


def _search(
    catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed], scorer: Scorer, allowed: AllowedSongs
) -> Iterator[ScoredRows]:
    if query.exact:
        check_exact(allowed.count(), len(scorer))
        return search.exhaustive_search(scorer, allowed)
    has_raw_features = len(seeds) == 1 and not seeds[0].rows
    features = given_features(catalog, seeds[0]) if has_raw_features else []
    if features:
        return feature_box_search(catalog, scorer, features, allowed)
    coarse = Scorer(catalog, thin(catalog, seeds), query.targets) if len(scorer) > SEARCH_POINTS else None
    return search.approximate_search(catalog, scorer, allowed, search.search_budget(catalog, scorer), coarse)


def _filters(catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed]) -> Filters:
    """The query's filters, with the artists of its seeds among those excluded if it asks for that."""
    if not query.exclude_seed_artists:
        return query.filters
    excluded = [*query.filters.exclude_artists]
    for seed in seeds:  # a genre's or a feature seed's artists are nobody in particular
        if seed.match is None:
            continue
        if seed.match.row is not None:
            excluded += artist_names(catalog, seed.match.row)
        elif seed.match.artist is not None:
            excluded.append(catalog.texts("artists")[seed.match.artist])
    return replace(query.filters, exclude_artists=tuple(excluded))


def related_artists(catalog: Catalog, artist: int) -> list[int]:
    """Rows of other artists, the most similar first."""
    names, artists_of_song = catalog.texts("artists"), catalog.lists("song", "artists")
    seed = Seed("/id", {"artist": names[artist]}, artist=names[artist])
    query = Query((seed,), limit=RELATED_SONGS, max_per_artist=2, exclude_seed_artists=True)
    rows = [song.row for song in recommend(catalog, query).recommendations]
    firsts = [int(artists_of_song[row][0]) for row in rows if len(artists_of_song[row])]
    spellings: dict[str, int] = {}
    for first in firsts:
        spellings.setdefault(normalized(names[first]), first)
    return list(spellings.values())[:MAX_RELATED]


class GivenFeature(NamedTuple):
    """A feature that was given.

    name : of the attribute
    code : of what was given, in its column
    rank_step : what one code is worth in ranks
    zero_point : the rank that code 0 stands for
    """

    name: str
    code: int
    rank_step: float
    zero_point: float


GivenFeatures = list[GivenFeature]  # of the features of a seed


def given_features(catalog: Catalog, seed: SeedPoints) -> GivenFeatures:
    """What was given of a seed of raw features; nothing where songs shall be unlike it."""
    space = space_of(catalog)
    block = space.block("audio")
    if seed.seed.weight < 0 or block is None:
        return []
    codes, known = seed.vectors[0, block.columns].tolist(), seed.known[0, block.columns].tolist()
    return [
        GivenFeature(name, code, space.audio_step / weight, zero_point / weight)
        for (name, part, weight), code, has, zero_point in zip(
            AUDIO_COLUMNS, codes, known, space.audio_zero_point.tolist()
        )
        if part == "rank" and has
    ]


def feature_box_search(
    catalog: Catalog, scorer: Scorer, given: GivenFeatures, allowed: AllowedSongs
) -> Iterator[ScoredRows]:
    """Yield all songs that are allowed, some at a time, by falling score; equal scores by row.

    given : one range at the least
    """
    fraction = min(1.0, FIRST_BOX_SONGS / max(allowed.count(), 1))
    upper = np.inf
    while (radius := _box_radius(given, fraction)) <= MAX_CODE_DIFFERENCE:
        rows = _rows_in_box(catalog, given, radius)
        rows = rows[allowed(rows)]
        found = ScoredRows(rows, scorer.score(rows))
        lower = scorer.max_score_at(radius) + SCORE_TOLERANCE
        yield found.select((found.scores > lower) & (found.scores <= upper)).best_first()
        upper, fraction = lower, BOX_GROWTH * fraction if len(rows) < MAX_BOX_FRACTION * len(catalog) else math.inf
    yield from search.exhaustive_search(scorer, allowed, upper)


def _box_radius(given: GivenFeatures, fraction: float) -> float:
    """In codes, of a box that holds a share of all songs, if features had nothing to do with each other."""
    return float((fraction / math.prod(2 * feature.rank_step for feature in given)) ** (1 / len(given)))


def _rows_in_box(catalog: Catalog, given: GivenFeatures, radius: float) -> np.ndarray:
    """Rows of songs of which no code differs by more than a radius; a few farther ones, and those without a value."""
    rows = np.empty(0, np.int64)
    for number, feature in enumerate(given):
        low, high = (
            feature.zero_point + (feature.code + offset) * feature.rank_step for offset in (-radius - 1, radius + 1)
        )
        charge(FILTERED, COLUMN_PRICE + (len(rows) if number else len(catalog)))
        values = catalog.attribute(feature.name, rows if number else None)
        inside = np.flatnonzero(~out_of_range(values, *rank_transform(catalog).value_range(feature.name, low, high)))
        rows = rows.take(inside) if number else inside
    return rows
