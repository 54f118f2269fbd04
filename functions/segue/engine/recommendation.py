"""A query and a catalogue to recommendations: seeds -> candidates -> filters -> score -> greedy choice.

Takes and gives values, knows nothing of HTTP, and can be called from a notebook::

    >>> recommend(catalog.load(Path("artifacts")), Query((Seed("", {}, song="Paper Harbour"),)))
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segue.catalog import Catalog, lookup
from segue.engine import choice, explain, search, sounds
from segue.engine.filtering import Allowed
from segue.engine.scoring import Scorer
from segue.engine.seeds import Resolved, resolve
from segue.engine.similarity import similarity
from segue.engine.space import space_of
from segue.query import Filters, Query


@dataclass(frozen=True, slots=True)
class Pool:
    """How many songs there were to choose from.

    catalogue : songs that may be recommended
    after_filters : those that pass the filters
    dropped_versions, dropped_artist_cap : passed over, see :class:`segue.engine.choice.Choice`
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
    why: explain.Why | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gets."""

    seeds: tuple[Resolved, ...]
    recommendations: tuple[Recommendation, ...]
    pool: Pool


def recommend(catalog: Catalog, query: Query, meant: Sequence[Resolved] | None = None) -> Answer:
    """Recommend songs.

    meant : what stands for the seeds, in place of the query's own

    Raises
    ------
    UnknownSongs
        a seed names nothing in the catalogue.

    """
    seeds = resolve(catalog, query.seeds) if meant is None else meant
    scorer = Scorer(catalog, seeds, query.targets)
    allowed = Allowed(catalog, _filters(catalog, query, seeds))
    works = choice.Works(catalog, allowed, _song_seeds(seeds))
    ranked = _ranked(catalog, query, seeds, scorer, allowed)
    chosen = choice.choose(catalog, query, ranked, works, likeness(catalog))
    whys = explain.explain(catalog, scorer, seeds, chosen.songs) if query.explain else None
    pool = Pool(
        int(catalog.manifest["recommendable"]),
        allowed.count(),
        chosen.dropped_versions,
        chosen.dropped_artist_cap,
    )
    return Answer(
        tuple(seeds),
        tuple(
            Recommendation(song.row, song.score, whys[place] if whys else None)
            for place, song in enumerate(chosen.songs)
        ),
        pool,
    )


def likeness(catalog: Catalog) -> Callable[[int, Sequence[int]], np.ndarray]:
    """How alike a song is to others, 0..1: the similarity of a seed, in all columns."""
    vectors, reaches = catalog.array("vectors"), catalog.array("reaches")

    def alike(row: int, others: Sequence[int]) -> np.ndarray:
        return similarity(space_of(catalog), vectors[list(others)], vectors[[row]], reaches[list(others)])[:, 0]

    return alike


def _ranked(
    catalog: Catalog, query: Query, seeds: Sequence[Resolved], scorer: Scorer, allowed: Allowed
) -> Iterator[search.Found]:
    if query.exact:
        return search.every(scorer, allowed)
    box = sounds.box(catalog, seeds)
    if box:
        return sounds.around(catalog, scorer, box, allowed)
    return search.ranked(catalog, scorer, allowed, search.budget_of(catalog, scorer))


def _filters(catalog: Catalog, query: Query, seeds: Sequence[Resolved]) -> Filters:
    """The query's filters, and its seeds' artists among them where they are unwanted."""
    if not query.exclude_seed_artists:
        return query.filters
    named = [name for seed in seeds for name in _artists(catalog, seed)]
    return replace(query.filters, exclude_artists=(*query.filters.exclude_artists, *named))


def _artists(catalog: Catalog, seed: Resolved) -> list[str]:
    """The artists that a seed names: a genre's and a sound's are nobody in particular."""
    if seed.match is not None:
        return lookup.artists_of(catalog, seed.match.row)
    artist = lookup.artist(catalog, seed.seed.artist) if seed.seed.artist is not None else None
    return [] if artist is None else [catalog.texts("artists")[artist]]


def _song_seeds(seeds: Sequence[Resolved]) -> list[int]:
    """Rows of the seeds that are songs: artists and genres may return to their own songs."""
    return [seed.rows[0] for seed in seeds if seed.match is not None]
