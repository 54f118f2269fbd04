"""The way between two points through regions where there are songs: a straight line may lead through none.

Stations are centroids of cells all over the catalogue, each linked to each. The cost of a link is a power of its
length, so many short links cost less than a long one (Dijkstra, "A note on two problems in connexion with graphs",
Numerische Mathematik 1, 1959). The higher the power, the smaller the longest link and the longer the way.
"""

from dataclasses import dataclass

import numpy as np

from segue.catalog import Catalog
from segue.journeys.ruler import Ruler, squared

STATIONS = 300


@dataclass(frozen=True, slots=True)
class Stations:
    """Points that a route may lead through.

    cells : the cells of which they are the centroids, shape (n_stations,)
    points : shape (n_stations, n_dims)
    apart : squared distances in units, shape (n_stations, n_stations)
    """

    cells: np.ndarray
    points: np.ndarray
    apart: np.ndarray

    def among(self, open_cells: np.ndarray) -> "Stations":
        """Those of some cells; bool, shape (n_cells,)."""
        kept = np.flatnonzero(open_cells[self.cells])
        return Stations(self.cells[kept], self.points[kept], self.apart[np.ix_(kept, kept)])


def stations_of(catalog: Catalog, ruler: Ruler) -> Stations:
    """Those of a catalogue, from all its clusters, by which cells are sorted."""
    return catalog.derived("stations", lambda: _stations(catalog, ruler))


def _stations(catalog: Catalog, ruler: Ruler) -> Stations:
    centroids = catalog.array("cell_centroids")
    cells = np.arange(0, len(centroids), -(-len(centroids) // STATIONS))
    points = ruler.placed(centroids[cells])
    return Stations(cells, points, squared(points, points) / ruler.unit)


def route(ruler: Ruler, stations: Stations, start: np.ndarray, goal: np.ndarray, most: int) -> np.ndarray:
    """The points from start to goal, both included, with no more than so many stations between them."""
    ends = np.stack([start, goal])
    to_ends = squared(stations.points, ends) / ruler.unit
    straight = squared(ends[:1], ends[1:]) / ruler.unit
    for cost in (_sixth_power, _third_power):
        found = _cheapest(cost(stations.apart), cost(to_ends), float(cost(straight)[0, 0]))
        if len(found) <= most:
            return np.concatenate([ends[:1], stations.points[found], ends[1:]])
    return ends


def _sixth_power(squares: np.ndarray) -> np.ndarray:
    return squares * squares * squares


def _third_power(squares: np.ndarray) -> np.ndarray:
    return squares * np.sqrt(squares)


def _cheapest(links: np.ndarray, to_ends: np.ndarray, straight: float) -> list[int]:
    """The stations on the cheapest way; none where the straight one is.

    links : shape (n_stations, n_stations)
    to_ends : cost from start and to goal, shape (n_stations, 2)
    """
    costs, onward = to_ends.T.copy()
    ahead, before = costs.copy(), np.full(len(costs), -1)
    best, last = straight, -1
    while len(ahead) and ahead.min() < best:
        here = int(ahead.argmin())
        ahead[here] = np.inf
        if costs[here] + onward[here] < best:
            best, last = costs[here] + onward[here], here
        reached = links[here] + costs[here]
        cheaper = reached < costs
        costs[cheaper] = ahead[cheaper] = reached[cheaper]
        before[cheaper] = here
    return _traced(before, last)


def _traced(before: np.ndarray, last: int) -> list[int]:
    way = []
    while last >= 0:
        way.append(last)
        last = int(before[last])
    return way[::-1]


def evenly(points: np.ndarray, count: int) -> np.ndarray:
    """So many points at even distances along a way, its ends included, in whole numbers; count > 1."""
    lengths = np.sqrt(np.square(np.diff(points, axis=0)).sum(axis=1))
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    wanted = np.arange(count) * (ends[-1] / (count - 1))
    link = np.clip(ends.searchsorted(wanted, side="right") - 1, 0, len(lengths) - 1)
    part = (wanted - ends[link]) / np.maximum(lengths[link], 1)
    return np.rint(points[link] + (points[link + 1] - points[link]) * part[:, None])
