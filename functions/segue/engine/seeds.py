"""From a query's seeds to points of the space."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog import Catalog, lookup
from segue.engine.space import Ranks, space_of
from segue.errors import Fault, InvalidQuery, UnknownSong, UnknownSongs
from segue.query import Seed

SUGGESTED = 5
POINTS_ALTOGETHER = 400  # that stand for all seeds of a request; with more than twenty seeds each has fewer
POINTS = 20  # songs that stand for an artist; as many as the artifacts keep for a genre
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A seed and the songs, or the point of the space, that stand for it.

    rows : of the songs that stand for it; none for raw features
    vectors : int8, shape (n_points, n_dims)
    known : bool, the same shape: the columns in which each point is compared
    match : how a song was found; None for artists, genres and features
    """

    seed: Seed
    rows: tuple[int, ...]
    vectors: np.ndarray
    known: np.ndarray
    match: lookup.Match | None = None


def resolve(catalog: Catalog, seeds: Sequence[Seed]) -> list[Resolved]:
    """Find what each seed means.

    Raises
    ------
    InvalidQuery
        raw features in which no songs of this catalogue differ.
    UnknownSongs
        carries every seed that names nothing.

    """
    if catalog.far:
        named = [(seed.song, seed.artist) for seed in seeds if seed.song or seed.artist]
        lookup.expect(catalog, [seed.id for seed in seeds if seed.id], named)
    by_features = {
        place: _by_features(catalog, seed) for place, seed in enumerate(seeds) if seed.features is not None
    }
    meant, unknown = [], []
    points = min(POINTS, POINTS_ALTOGETHER // len(seeds))
    for place, seed in enumerate(seeds):
        try:
            meant.append((_NONE, None) if place in by_features else _meant(catalog, seed, points))
        except UnknownSong as error:
            unknown.append(error)
    if unknown:
        raise UnknownSongs(unknown, _suggestions(catalog, unknown))
    catalog.near(np.concatenate([rows for rows, _ in meant]), "vectors", "present")
    return [by_features.get(place) or standing(catalog, seed, *meant[place]) for place, seed in enumerate(seeds)]


def ranks(catalog: Catalog) -> Ranks:
    """The catalogue's curves from values to ranks."""
    return Ranks(catalog.array("rank_values"), catalog.array("rank_levels"))


def _meant(catalog: Catalog, seed: Seed, points: int) -> tuple[np.ndarray, lookup.Match | None]:
    """The songs that stand for a seed, and how it was found where it is a song."""
    if seed.genre is not None:
        genre = catalog.manifest["genres"].index(seed.genre)
        return catalog.lists("genre", "songs").first(genre, points), None
    if seed.song is None and seed.artist is not None:
        return _best_known(catalog, seed, points), None
    match = _song(catalog, seed)
    return np.array([match.row]), match


def _song(catalog: Catalog, seed: Seed) -> lookup.Match:
    if seed.id is not None:
        named = lookup.identified(catalog, seed.id)
        if named is None:
            raise UnknownSong(f"no song has the id '{seed.id}'", seed.pointer)
        return lookup.Match(named)
    assert seed.song is not None  # noqa: S101 # the parser lets no other seed through
    match = lookup.song(catalog, seed.song, seed.artist)
    if match is None:
        raise UnknownSong(_no_song(catalog, seed), seed.pointer, f"{seed.song} {seed.artist or ''}")
    return match


def _no_song(catalog: Catalog, seed: Seed) -> str:
    assert seed.song is not None  # noqa: S101 # as above
    by = f" by '{seed.artist}'" if seed.artist else ""
    named = lookup.artist(catalog, seed.song) if not seed.artist else None
    hint = "" if named is None else f"; an artist is: ask for artist '{catalog.texts('artists')[named]}'"
    return f"no song is called '{seed.song}'{by}{hint}"


def _best_known(catalog: Catalog, seed: Seed, most: int) -> np.ndarray:
    assert seed.artist is not None  # noqa: S101 # as above
    artist = lookup.artist(catalog, seed.artist)
    if artist is None:
        raise UnknownSong(f"no artist is called '{seed.artist}'", seed.pointer, seed.artist)
    return catalog.lists("artist", "songs").first(artist, most)


def _suggestions(catalog: Catalog, unknown: Sequence[UnknownSong]) -> list[int]:
    """For the first name only: a search costs as much as a recommendation."""
    names = [error.asked for error in unknown if error.asked]
    return [reading.row for reading in lookup.search(catalog, names[0], SUGGESTED).songs] if names else []


def standing(catalog: Catalog, seed: Seed, rows: np.ndarray, match: lookup.Match | None = None) -> Resolved:
    """A seed for which songs stand."""
    vectors = catalog.array("vectors")[rows]
    known = space_of(catalog).columns_of(catalog.array("present")[rows])
    return Resolved(seed, tuple(int(row) for row in rows), vectors, known, match)


def _by_features(catalog: Catalog, seed: Seed) -> Resolved:
    assert seed.features is not None  # noqa: S101 # the caller has looked
    vector, known = space_of(catalog).from_features(seed.features, ranks(catalog))
    if not known.any():
        raise InvalidQuery([Fault(f"{seed.pointer}/features", "no songs of this catalogue differ in these features")])
    return Resolved(seed, (), vector[None], known[None])
