"""The corridor of a path: a way through regions that hold songs, and the songs around it.

A straight line may lead through regions without songs. So the way is a shortest path in a graph of cell centroids.
The cost of an edge is a power of its length, so many short edges cost less than a long one (Dijkstra, "A note on two
problems in connexion with graphs", Numerische Mathematik 1, 1959). The higher the power, the smaller the longest edge
and the longer the way.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from segue.catalog.catalog import Catalog
from segue.engine.space import squared_distances
from segue.journeys.candidate_pool import SONGS_PER_ANCHOR, CandidatePool, Metric
from segue.limits import STEPPED, charge

MAX_NODES = 300
N_ANCHORS = 9  # points along a corridor, around which songs are collected


@dataclass(frozen=True, slots=True)
class CellGraph:
    """A complete graph whose nodes are centroids of cells.

    cells : of the nodes, shape (n_nodes,)
    points : shape (n_nodes, n_dims)
    distances : squared, in mean squares, shape (n_nodes, n_nodes)
    """

    cells: np.ndarray
    points: np.ndarray
    distances: np.ndarray

    def subgraph(self, open_cells: np.ndarray) -> "CellGraph":
        """The graph of some of the cells; ``open_cells``: bool, shape (n_cells,)."""
        kept = np.flatnonzero(open_cells[self.cells])
        return CellGraph(self.cells[kept], self.points[kept], self.distances[np.ix_(kept, kept)])


@dataclass(frozen=True, slots=True)
class Corridor:
    """The centre line of a corridor, from one end to the other.

    anchors : points at equal distances, of integers, shape (N_ANCHORS, n_dims)
    positions : of the fixed songs along it, 0..1, shape (n_fixed,)
    """

    anchors: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True, slots=True)
class CorridorSongs:
    """The songs of a corridor, sorted by their position along it.

    rows : of the songs, the fixed ones included
    points : of the songs, shape (n_songs, n_dims)
    fixed : indices of the fixed songs
    order : all indices, those nearest to the centre line first, along its whole length
    """

    rows: np.ndarray
    points: np.ndarray
    fixed: np.ndarray
    order: np.ndarray


def find_corridor(
    catalog: Catalog, metric: Metric, pool: CandidatePool, fixed: np.ndarray, max_nodes: int
) -> Corridor:
    """The corridor through fixed songs (rows), with at most ``max_nodes`` cells between two of them."""
    graph = cell_graph(catalog, metric)
    if not pool.cell_counts.all():
        graph = graph.subgraph(pool.cell_counts > 0)
    points = metric.points(fixed)
    segments = [shortest_path(metric, graph, *ends, max_nodes) for ends in itertools.pairwise(points)]
    positions = np.cumsum([0.0, *(metric.step_distances(segment).sum() for segment in segments)])
    polyline = np.concatenate([points[:1], *(segment[1:] for segment in segments)])
    return Corridor(resample(polyline, N_ANCHORS), positions / positions[-1])


def collect_songs(metric: Metric, corridor: Corridor, rows: np.ndarray, fixed: np.ndarray) -> CorridorSongs:
    """The nearest of some rows in their order along a corridor, fixed songs at their positions."""
    rows = np.concatenate([rows[~np.isin(rows, fixed)], fixed])
    charge(STEPPED, len(rows) * N_ANCHORS)
    points = metric.points(rows)
    distances = squared_distances(points, corridor.anchors)
    nearest = distances.argmin(axis=1)
    positions = _positions_along(distances, nearest)
    positions[-len(fixed) :] = corridor.positions * (N_ANCHORS - 1)
    ranks = _ranks_by_anchor(distances.min(axis=1), nearest)
    ranks[-len(fixed) :] = -1
    near = np.flatnonzero(ranks < SONGS_PER_ANCHOR)
    order = near[np.argsort(positions[near], kind="stable")]
    fixed_indices = np.flatnonzero(order >= len(rows) - len(fixed))
    fixed_in_order = fixed_indices[np.argsort(order[fixed_indices])]
    return CorridorSongs(rows[order], points[order], fixed_in_order, np.argsort(ranks[order], kind="stable"))


def cell_graph(catalog: Catalog, metric: Metric) -> CellGraph:
    """The graph of a catalogue; cells are sorted by cluster, so every n-th of them covers all clusters."""
    return catalog.cached("cell graph", lambda: _build_cell_graph(catalog, metric))


def _build_cell_graph(catalog: Catalog, metric: Metric) -> CellGraph:
    centroids = catalog.array("cell_centroids")
    cells = np.arange(0, len(centroids), -(-len(centroids) // MAX_NODES))
    points = metric.scale_codes(centroids[cells])
    return CellGraph(cells, points, metric.squared_distances(points, points))


def shortest_path(
    metric: Metric, graph: CellGraph, start: np.ndarray, goal: np.ndarray, max_nodes: int
) -> np.ndarray:
    """The points from start to goal, both included, with at most ``max_nodes`` nodes between them."""
    ends = np.stack([start, goal])
    to_ends = metric.squared_distances(graph.points, ends)
    direct = metric.squared_distances(ends[:1], ends[1:])
    for sixth_powers in (True, False):  # of the lengths; else third powers, by which fewer nodes are cheapest
        charge(STEPPED, graph.distances.size / 10)  # a power takes a tenth of a distance
        edges, edges_to_ends, direct_edge = (
            squares * squares * squares if sixth_powers else squares * np.sqrt(squares)
            for squares in (graph.distances, to_ends, direct)
        )
        nodes = _dijkstra(edges, edges_to_ends, float(direct_edge[0, 0]))
        if len(nodes) <= max_nodes:
            return np.concatenate([ends[:1], graph.points[nodes], ends[1:]])
    return ends


def _dijkstra(edges: np.ndarray, to_ends: np.ndarray, direct_cost: float) -> list[int]:
    """The nodes on the cheapest path; none if the direct edge from start to goal is cheapest.

    edges : cost of each, shape (n_nodes, n_nodes)
    to_ends : cost from start and to goal, shape (n_nodes, 2)
    """
    costs, costs_to_goal = to_ends.T.copy()
    queue, previous = costs.copy(), np.full(len(costs), -1)
    best_cost, last_node = direct_cost, -1
    while len(queue) and queue.min() < best_cost:
        charge(STEPPED, len(costs))
        node = int(queue.argmin())
        queue[node] = np.inf
        if costs[node] + costs_to_goal[node] < best_cost:
            best_cost, last_node = costs[node] + costs_to_goal[node], node
        new_costs = edges[node] + costs[node]
        cheaper = new_costs < costs
        costs[cheaper] = queue[cheaper] = new_costs[cheaper]
        previous[cheaper] = node
    nodes = []
    while last_node >= 0:
        nodes.append(last_node)
        last_node = int(previous[last_node])
    return nodes[::-1]


def resample(points: np.ndarray, count: int) -> np.ndarray:
    """Points at equal distances along a polyline, both ends included, rounded to integers; count > 1."""
    segment_lengths = np.sqrt(np.square(np.diff(points, axis=0)).sum(axis=1))
    cumulative = np.concatenate([[0.0], np.cumsum(segment_lengths)])
    positions = np.arange(count) * (cumulative[-1] / (count - 1))
    segment = np.clip(cumulative.searchsorted(positions, side="right") - 1, 0, len(segment_lengths) - 1)
    fraction = (positions - cumulative[segment]) / np.maximum(segment_lengths[segment], 1)
    return np.rint(points[segment] + (points[segment + 1] - points[segment]) * fraction[:, None])


def _ranks_by_anchor(distances: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """The rank of each song by its distance among the songs of the same anchor."""
    by_distance = np.argsort(distances, kind="stable")
    order = by_distance[np.argsort(nearest[by_distance].astype(np.uint8), kind="stable")]
    grouped = nearest[order]
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - grouped.searchsorted(grouped)
    return ranks


def _positions_along(distances: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Positions of songs, in anchors: that of the nearest anchor, shifted towards the nearer of its neighbours."""
    songs = np.arange(len(distances))
    before = distances[songs, np.maximum(nearest - 1, 0)]
    after = distances[songs, np.minimum(nearest + 1, N_ANCHORS - 1)]
    return nearest + (before - after) / np.maximum(before + after, 1) / 2
