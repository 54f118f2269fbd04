"""A query and a catalogue to recommendations: seeds -> filters -> search by score -> re-ranking.

Takes and gives values, knows nothing of HTTP, and can be called from a notebook::

    >>> recommend(load(Path("artifacts")), Query((Seed("", {}, song="Paper Harbour"),)))
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.exact import artist_names
from segue.catalog.lookup.moods import resolve_genre
from segue.catalog.normalization import normalized
from segue.engine import explanations, feature_box, rerank, search
from segue.engine.scoring import ScoredRows, Scorer
from segue.engine.search import AllowedSongs
from segue.engine.seeds import SEARCH_POINTS, ResolvedSeed, complete, resolve, thin
from segue.engine.space import similarity, space_of
from segue.limits import check_exact
from segue.query.schema import Filters, Query, Seed, Vocabulary

MAX_RELATED = 20
RELATED_SONGS = 3 * MAX_RELATED  # songs: two may be by one artist, who may be spelled in several ways


@dataclass(frozen=True, slots=True)
class Pool:
    """How many songs there were to choose from.

    catalogue : songs that may be recommended
    after_filters : those that pass the filters
    dropped_versions, dropped_artist_cap : passed over, see :class:`segue.engine.rerank.Reranked`
    """

    catalogue: int
    after_filters: int
    dropped_versions: int
    dropped_artist_cap: int


@dataclass(frozen=True, slots=True)
class Recommendation:
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
    seeds = resolve(catalog, query.seeds) if resolved is None else resolved
    query = complete(catalog, query, seeds)
    scorer = Scorer(catalog, seeds, query.targets)
    allowed = AllowedSongs(catalog, _filters(catalog, query, seeds))
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


def vocabulary(catalog: Catalog) -> Vocabulary:
    """The genres, attributes and clusters of a catalogue, which requests may name."""
    manifest = catalog.manifest
    genre = functools.partial(resolve_genre, manifest["genres"])
    clusters = list(catalog.cluster_indices)
    return Vocabulary(manifest["genres"], manifest["attributes"], manifest["has_explicit"], genre, clusters)


def similarity_function(catalog: Catalog) -> Callable[[int, Sequence[int]], np.ndarray]:
    """A function that gives the similarity of a song to others, 0..1, as a seed's, in all columns."""

    def similarities(row: int, others: Sequence[int]) -> np.ndarray:
        vectors, local_scales = catalog.take("vectors", others), catalog.take("local_scales", others)
        return similarity(space_of(catalog), vectors, catalog.take("vectors", [row]), local_scales)[:, 0]

    return similarities


def _search(
    catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed], scorer: Scorer, allowed: AllowedSongs
) -> Iterator[ScoredRows]:
    if query.exact:
        check_exact(allowed.count(), len(scorer))
        return search.exhaustive_search(scorer, allowed)
    has_raw_features = len(seeds) == 1 and not seeds[0].rows
    features = feature_box.given_features(catalog, seeds[0]) if has_raw_features else []
    if features:
        return feature_box.feature_box_search(catalog, scorer, features, allowed)
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
