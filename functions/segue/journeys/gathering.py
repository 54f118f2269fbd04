"""The songs among which a walk is found: those around a way from end to end, sorted by where they stand along it."""

import itertools
from dataclasses import dataclass

import numpy as np

from segue.catalog import Catalog
from segue.journeys.ground import LOOKED_AT, Ground
from segue.journeys.route import evenly, route, stations_of
from segue.journeys.ruler import Ruler, squared

WAYPOINTS = 9  # on the way, around which songs are gathered


@dataclass(frozen=True, slots=True)
class Way:
    """Points at even distances from one end to the other.

    points : in whole numbers, shape (WAYPOINTS, n_dims)
    marks : where the songs stand that it leads through, 0..1, shape (n_fixed,)
    """

    points: np.ndarray
    marks: np.ndarray


@dataclass(frozen=True, slots=True)
class Gathered:
    """Songs in the order in which they stand along a way.

    rows : of the songs, those that the way leads through among them
    points : of the songs, shape (n_songs, n_dims)
    fixed : places of the songs that the way leads through
    order : all places, those first that are nearest to the way, all along it
    """

    rows: np.ndarray
    points: np.ndarray
    fixed: np.ndarray
    order: np.ndarray


def way(catalog: Catalog, ruler: Ruler, ground: Ground, fixed: np.ndarray, most: int) -> Way:
    """The way through fixed songs, rows of the catalogue, with ``most`` stations between two of them at the most."""
    stations = stations_of(catalog, ruler)
    if not ground.counts.all():
        stations = stations.among(ground.counts > 0)
    points = ruler.points(fixed)
    legs = [route(ruler, stations, *ends, most) for ends in itertools.pairwise(points)]
    marks = np.cumsum([0.0, *(ruler.steps(leg).sum() for leg in legs)])
    whole = np.concatenate([points[:1], *(leg[1:] for leg in legs)])
    return Way(evenly(whole, WAYPOINTS), marks / marks[-1])


def gather(ruler: Ruler, way: Way, rows: np.ndarray, fixed: np.ndarray) -> Gathered:
    """Sort rows along a way, as many as are near enough; fixed ones stand at their marks."""
    rows = np.concatenate([rows[~np.isin(rows, fixed)], fixed])
    points = ruler.points(rows)
    apart = squared(points, way.points)
    nearest = apart.argmin(axis=1)
    along = _along(apart, nearest)
    along[-len(fixed) :] = way.marks * (WAYPOINTS - 1)
    ranks = _ranks(apart.min(axis=1), nearest)
    ranks[-len(fixed) :] = -1
    near = np.flatnonzero(ranks < LOOKED_AT)
    sort = near[np.argsort(along[near], kind="stable")]
    places = np.flatnonzero(sort >= len(rows) - len(fixed))
    by_fixed = places[np.argsort(sort[places])]
    return Gathered(rows[sort], points[sort], by_fixed, np.argsort(ranks[sort], kind="stable"))


def _ranks(apart: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """The rank of each song by its distance among the songs of the same waypoint."""
    by_distance = np.argsort(apart, kind="stable")
    order = by_distance[np.argsort(nearest[by_distance].astype(np.uint8), kind="stable")]
    grouped = nearest[order]
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - grouped.searchsorted(grouped)
    return ranks


def _along(apart: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Where songs stand, in waypoints: at the nearest one, moved towards the nearer of its neighbours."""
    songs = np.arange(len(apart))
    before = apart[songs, np.maximum(nearest - 1, 0)]
    after = apart[songs, np.minimum(nearest + 1, WAYPOINTS - 1)]
    return nearest + (before - after) / np.maximum(before + after, 1) / 2
