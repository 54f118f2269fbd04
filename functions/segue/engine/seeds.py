"""From a query's seeds to points of the space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog.catalog import Catalog
from segue.catalog.lookup.resolver import Resolution, match_by_id, prefetch, resolve_artist, resolve_song, search
from segue.engine.scoring import SeedPoints
from segue.engine.space import rank_transform, space_of
from segue.errors import Fault, InvalidQuery, UnknownSong, UnknownSongs
from segue.query.schema import Seed

MAX_SUGGESTIONS = 5
MAX_POINTS = 400  # that stand for all seeds of a request; with more than twenty seeds each has fewer
POINTS_PER_SEED = 20  # songs that stand for an artist; as many as the artifacts keep for a genre or a cluster
_NO_SONGS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class ResolvedSeed(SeedPoints):
    """What a seed means in a catalogue.

    match : how a song was found; None for artists, genres, clusters and features
    """

    match: Resolution | None = None


def resolve(catalog: Catalog, seeds: Sequence[Seed]) -> list[ResolvedSeed]:
    """Find what each seed means.

    Raises
    ------
    InvalidQuery
        raw features in which no songs of this catalogue differ.
    UnknownSongs
        carries every seed that names nothing.

    """
    names = [(seed.song, seed.artist) for seed in seeds if seed.song or seed.artist]
    prefetch(catalog, [seed.id for seed in seeds if seed.id], names)
    by_features = {
        position: _resolve_features(catalog, seed, seed.features)
        for position, seed in enumerate(seeds)
        if seed.features is not None
    }
    found, unknown = [], []
    points = min(POINTS_PER_SEED, MAX_POINTS // len(seeds))
    for position, seed in enumerate(seeds):
        try:
            found.append((_NO_SONGS, None) if position in by_features else _songs_and_match(catalog, seed, points))
        except UnknownSong as error:
            unknown.append(error)
    if unknown:
        raise UnknownSongs(unknown, _suggestions(catalog, unknown))
    catalog.prefetch_rows(np.concatenate([rows for rows, _ in found]), "vectors", "present")
    return [
        by_features.get(position) or seed_of_songs(catalog, seed, *found[position])
        for position, seed in enumerate(seeds)
    ]


def _songs_and_match(catalog: Catalog, seed: Seed, points: int) -> tuple[np.ndarray, Resolution | None]:
    """The songs that stand for a seed, ``points`` at most, and how it was found if it is a song."""
    if seed.genre is not None:
        return catalog.lists("genre", "songs").head(catalog.manifest["genres"].index(seed.genre), points), None
    if seed.cluster is not None:
        return catalog.lists("cluster", "songs").head(catalog.cluster_indices[seed.cluster], points), None
    if seed.song is None and seed.artist is not None:
        artist = resolve_artist(catalog, seed.artist)
        if artist is None:
            raise UnknownSong(f"no artist is called '{seed.artist}'", seed.pointer, seed.artist)
        return catalog.lists("artist", "songs").head(artist, points), None
    match = _match_song(catalog, seed)
    return np.array([match.row]), match


def _match_song(catalog: Catalog, seed: Seed) -> Resolution:
    if seed.id is not None:
        found = match_by_id(catalog, seed.id)
        if found is None:
            raise UnknownSong(f"no song has the id '{seed.id}'", seed.pointer)
        return Resolution(found)
    title = seed.song or ""  # never empty: the parser lets no other seed through
    match = resolve_song(catalog, title, seed.artist)
    if match is None:
        by = f" by '{seed.artist}'" if seed.artist else ""
        artist = resolve_artist(catalog, title) if not seed.artist else None
        hint = "" if artist is None else f"; an artist is: ask for artist '{catalog.texts('artists')[artist]}'"
        message = f"no song is called '{title}'{by}{hint}"
        raise UnknownSong(message, seed.pointer, f"{title} {seed.artist or ''}")
    return match


def _suggestions(catalog: Catalog, unknown: Sequence[UnknownSong]) -> list[int]:
    """Rows of songs that the first unknown name may mean; only the first: a search costs as much as an answer."""
    names = [error.name for error in unknown if error.name]
    return [match.row for match in search(catalog, names[0], MAX_SUGGESTIONS).songs] if names else []


def seed_of_songs(catalog: Catalog, seed: Seed, rows: np.ndarray, match: Resolution | None = None) -> ResolvedSeed:
    """A seed for which songs stand."""
    vectors = catalog.take("vectors", rows)
    known = space_of(catalog).known_columns(catalog.take("present", rows))
    return ResolvedSeed(seed, tuple(int(row) for row in rows), vectors, known, match)


def _resolve_features(catalog: Catalog, seed: Seed, features: Mapping[str, float]) -> ResolvedSeed:
    vector, known = space_of(catalog).embed_features(features, rank_transform(catalog))
    if not known.any():
        raise InvalidQuery([Fault(f"{seed.pointer}/features", "no songs of this catalogue differ in these features")])
    return ResolvedSeed(seed, (), vector[None], known[None])
