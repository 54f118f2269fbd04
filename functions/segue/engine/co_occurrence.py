"""Songs that co-occur in playlists with those that stand for seeds, and what else they have in common by name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segue.catalog.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Songs that co-occur in playlists with points that stand for seeds; all three of shape (n_neighbours,).

    rows : of the songs, every version of each
    points : numbers of the points
    weights : float32, 1 for the song that co-occurs most with a point, falling to 0
    """

    rows: np.ndarray
    points: np.ndarray
    weights: np.ndarray


NO_NEIGHBOURS = Neighbours(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
NO_WORKS = np.empty(0, np.int64), np.empty(0, np.float32)


def co_occurring(catalog: Catalog, songs: Sequence[int | None]) -> Neighbours:
    """The co-occurrence neighbours of songs.

    songs : the row of each point that stands for a seed; None for raw features, which have no neighbours
    """
    songs_of_work = catalog.lists("work", "songs")
    found = []
    for point, row in enumerate(songs):
        works, weights = NO_WORKS if row is None else neighbour_works(catalog, row)
        if len(works):
            versions = [songs_of_work[int(work)] for work in works]
            rows = np.concatenate(versions).astype(np.int64)
            found.append((rows, np.full(len(rows), point), np.repeat(weights, [len(each) for each in versions])))
    return Neighbours(*map(np.concatenate, zip(*found))) if found else NO_NEIGHBOURS


def neighbour_works(catalog: Catalog, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The works that co-occur with a song in playlists, and their weights, float32."""
    number = int(catalog.take("neighbour_lists", catalog.take("works", row)))
    if number < 0:
        return NO_WORKS
    weights = catalog.lists("neighbour", "weights")[number].astype(np.float32)
    return catalog.lists("neighbour", "works")[number], weights


def neighbour_scores(
    neighbours: Neighbours, point_weights: np.ndarray, neighbour_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of all neighbours, sorted, and what co-occurrence adds to their scores."""
    if not len(neighbours.rows):
        return neighbours.rows, np.empty(0)
    rows, position = np.unique(neighbours.rows, return_inverse=True)
    return rows, np.bincount(position, point_weights[neighbours.points] * neighbour_weights)


@dataclass(frozen=True, slots=True)
class SongRelations:
    """What a song may have in common with others by name: its artists, its genres, the works it co-occurs with."""

    artists: frozenset[int] = frozenset()
    genres: frozenset[int] = frozenset()
    neighbours: frozenset[int] = frozenset()

    @classmethod
    def of(cls, catalog: Catalog, row: int, has_playlists: bool) -> "SongRelations":
        """A song's; the last only where the build learned from playlists."""
        artists, genres = catalog.lists("song", "artists")[row], catalog.lists("song", "genres")[row]
        neighbours = neighbour_works(catalog, row)[0] if has_playlists else NO_WORKS[0]
        return cls(*(frozenset(numbers.tolist()) for numbers in (artists, genres, neighbours)))
