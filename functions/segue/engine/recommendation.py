"""A query and a catalogue to recommendations: seeds -> filters -> search by score -> re-ranking.

Takes and gives values, knows nothing of HTTP, and can be called from a notebook::

    >>> recommend(catalog.load(Path("artifacts")), Query((Seed("", {}, song="Paper Harbour"),)))
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.catalog import Catalog
from segue.catalog.lookup.exact import artist_names
from segue.catalog.lookup.resolver import resolve_artist
from segue.catalog.normalization import normalized
from segue.engine import explanations, feature_box, rerank, search
from segue.engine.filters import AllowedSongs
from segue.engine.scoring import Scorer
from segue.engine.seeds import ResolvedSeed, resolve
from segue.engine.space import similarity, space_of
from segue.query.schema import Filters, Query, Seed

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
    scorer = Scorer(catalog, seeds, query.targets)
    allowed = AllowedSongs(catalog, _filters(catalog, query, seeds))
    representatives = rerank.Representatives(catalog, allowed, _song_seed_rows(seeds))
    ranked = _search(catalog, query, seeds, scorer, allowed)
    reranked = rerank.rerank(catalog, query, ranked, representatives, similarity_function(catalog))
    explained = explanations.explain(catalog, scorer, seeds, reranked.songs) if query.explain else None
    pool = Pool(
        int(catalog.manifest["recommendable"]),
        allowed.count(),
        reranked.dropped_versions,
        reranked.dropped_artist_cap,
    )
    return Answer(
        tuple(seeds),
        tuple(
            Recommendation(song.row, song.score, explained[position] if explained else None)
            for position, song in enumerate(reranked.songs)
        ),
        pool,
    )


def similarity_function(catalog: Catalog) -> Callable[[int, Sequence[int]], np.ndarray]:
    """A function that gives the similarity of a song to others, 0..1, as a seed's, in all columns."""
    vectors, local_scales = catalog.array("vectors"), catalog.array("local_scales")

    def similarities(row: int, others: Sequence[int]) -> np.ndarray:
        return similarity(space_of(catalog), vectors[list(others)], vectors[[row]], local_scales[list(others)])[:, 0]

    return similarities


def _search(
    catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed], scorer: Scorer, allowed: AllowedSongs
) -> Iterator[search.ScoredRows]:
    if query.exact:
        return search.exhaustive_search(scorer, allowed)
    features = feature_box.given_features(catalog, seeds)
    if features:
        return feature_box.feature_box_search(catalog, scorer, features, allowed)
    return search.approximate_search(catalog, scorer, allowed, search.search_budget(catalog, scorer))


def _filters(catalog: Catalog, query: Query, seeds: Sequence[ResolvedSeed]) -> Filters:
    """The query's filters, and its seeds' artists among them where they are unwanted."""
    if not query.exclude_seed_artists:
        return query.filters
    named = [name for seed in seeds for name in _seed_artists(catalog, seed)]
    return replace(query.filters, exclude_artists=(*query.filters.exclude_artists, *named))


def _seed_artists(catalog: Catalog, seed: ResolvedSeed) -> list[str]:
    """The artists that a seed names: a genre's and a sound's are nobody in particular."""
    if seed.match is not None:
        return artist_names(catalog, seed.match.row)
    artist = resolve_artist(catalog, seed.seed.artist) if seed.seed.artist is not None else None
    return [] if artist is None else [catalog.texts("artists")[artist]]


def _song_seed_rows(seeds: Sequence[ResolvedSeed]) -> list[int]:
    """Rows of the seeds that are songs: artists and genres may return to their own songs."""
    return [seed.rows[0] for seed in seeds if seed.match is not None]


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
