"""Orders in which songs follow each other well. All take and give places of songs among those that are described."""

from collections.abc import Iterator

import numpy as np

APART = 1e3  # cost of two neighbours who share an artist; other costs are of order 1


def by_curve(curve: np.ndarray, levels: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Songs so that their levels rise and fall as a curve does; shape (n_songs,) each.

    ties : orders songs of one level
    """
    order = np.empty(len(curve), np.int64)
    order[np.argsort(curve, kind="stable")] = np.lexsort((ties, levels))
    return order


def parted(order: np.ndarray, same: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Exchange songs until no neighbours share an artist, as far as that can be.

    Another song of about the same level stands in; where none is left, songs of near levels change places.

    Parameters
    ----------
    order : places among the songs, of which earlier ones are better
    same : which songs share an artist, bool, shape (n_songs, n_songs)
    levels : of all songs

    """
    order = order.copy()
    for slot in np.flatnonzero(same[order[:-1], order[1:]]).tolist():
        if not same[order[slot], order[slot + 1]]:  # any longer
            continue
        slot += int(order[slot + 1] > order[slot])
        others = _strangers(order, slot, same)
        if others.any():
            order[slot] = np.where(others, np.abs(levels - levels[order[slot]]), np.inf).argmin()
    for _ in range(_clashes(order, same)):
        better = (swap for swap in _swaps(order, same, levels) if _clashes(swap, same) < _clashes(order, same))
        order = next(better, order)
    return order


def _strangers(order: np.ndarray, slot: int, same: np.ndarray) -> np.ndarray:
    """Songs that are not in a list and share no artist with the neighbours of one that is."""
    beside = order[[neighbour for neighbour in (slot - 1, slot + 1) if 0 <= neighbour < len(order)]]
    others = ~same[beside].any(axis=0)
    others[order] = False
    return others


def _swaps(order: np.ndarray, same: np.ndarray, levels: np.ndarray) -> Iterator[np.ndarray]:
    """Orders in which a song that stands beside one of its artist changes places, by the gap of the two levels."""
    clashes = same[order[:-1], order[1:]]
    slots = np.flatnonzero(np.append(clashes, False) | np.append(False, clashes))
    gaps = np.abs(levels[order[slots]][:, None] - levels[order])
    for place in np.argsort(gaps, axis=None, kind="stable").tolist():
        pair = [int(slots[place // len(order)]), place % len(order)]
        swapped = order.copy()
        swapped[pair] = order[pair[::-1]]
        yield swapped


def _clashes(order: np.ndarray, same: np.ndarray) -> int:
    return int(same[order[:-1], order[1:]].sum())


def shortest(costs: np.ndarray) -> np.ndarray:
    """A short walk through all songs that begins at the first.

    To the nearest one again and again, then pieces of the walk are turned round as long as that shortens it (2-opt:
    Croes, "A method for solving traveling-salesman problems", Operations Research 6, 1958).

    costs : of following each other, symmetric, shape (n_songs, n_songs)
    """
    order = _greedy(costs) if len(costs) else np.empty(0, np.int64)
    for _ in range(len(order)):
        turned = _turned(costs, order)
        if turned is None:
            break
        order = turned
    return order


def _greedy(costs: np.ndarray) -> np.ndarray:
    order, left = [0], np.ones(len(costs), bool)
    left[0] = False
    while len(order) < len(costs):
        order.append(int(np.where(left, costs[order[-1]], np.inf).argmin()))
        left[order[-1]] = False
    return np.array(order)


def _turned(costs: np.ndarray, order: np.ndarray) -> np.ndarray | None:
    """The walk with the piece turned round that saves most; None where nothing is saved.

    A piece from ``first`` to ``last`` costs the links before and after it; the end of the walk has none after it.
    """
    count = len(order)
    between = costs[np.ix_(order, order)]
    links = np.append(np.diagonal(between, 1), 0.0)
    after = np.zeros((count, count))
    after[:, :-1] = between[:, 1:]
    saved = np.full((count, count), -np.inf)
    saved[1:] = links[:-1, None] + links - between[:-1] - after[1:]
    saved[np.tri(count, dtype=bool)] = -np.inf
    first, last = divmod(int(saved.argmax()), count)
    if saved[first, last] <= 1e-9:
        return None
    return np.concatenate([order[:first], order[first : last + 1][::-1], order[last + 1 :]])


def chain(fits: np.ndarray, same: np.ndarray, count: int) -> np.ndarray:
    """So many songs, of which each fits the one before where that can be, the earlier ones in preference.

    fits : which songs follow each other well, bool, shape (n_songs, n_songs)
    same : which share an artist
    """
    order, left = [0][:count], np.ones(len(fits), bool)
    left[:1] = False
    while len(order) < count:
        after, before = (left & fits[end] & ~same[end] for end in (order[-1], order[0]))
        at_the_end = bool(after.any()) and (not before.any() or after.argmax() <= before.argmax())
        apart = left & ~same[order[-1]]
        choice = after if at_the_end else before if before.any() else apart if apart.any() else left
        song = int(choice.argmax())
        order.insert(len(order) if choice is not before else 0, song)
        left[song] = False
    return np.array(order, np.int64)
