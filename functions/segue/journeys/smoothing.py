"""Which of many songs make a smooth walk: every step small, and none much smaller or larger than the others.

The cost of a walk is the sum of the eighth powers of its steps, among which the largest counts almost alone. The
cheapest walk through layers of songs is found exactly (Viterbi, "Error bounds for convolutional codes", IEEE
Transactions on Information Theory 13, 1967); then one song at a time gives way to a better one, as the caps allow.
Last, steps below ``EVEN`` of the largest cost as well.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segue.journeys.caps import Caps

EVEN = 0.75  # of the largest step: what is shorter is too short
WINDOW = 300  # songs that a song may give way to: those beside it on the way


@dataclass(frozen=True)
class Candidates:
    """Songs that a walk may be made of, sorted by where they stand along the way.

    points : in whole numbers, shape (n_songs, n_dims)
    unit : see :class:`segue.journeys.ruler.Ruler`
    dear : what a song costs besides its steps in each layer, shape (n_layers, n_songs); None: nothing
    """

    points: np.ndarray
    unit: float
    dear: np.ndarray | None = None

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.einsum("sd,sd->s", self.points, self.points)

    def squares(self, songs: slice | np.ndarray, others: Sequence[int] | np.ndarray) -> np.ndarray:
        """Squared distances in units, shape (n_songs, n_others)."""
        apart = self.points[songs] @ (-2 * self.points[others].T)
        apart += self._lengths[songs, None]
        apart += self._lengths[others]
        apart /= self.unit
        return apart

    def cost(self, layer: int, songs: slice | np.ndarray) -> np.ndarray | float:
        """Besides steps."""
        return 0.0 if self.dear is None else self.dear[layer, songs]


def smooth(candidates: Candidates, layers: Sequence[np.ndarray], free: Sequence[int], caps: Caps) -> list[int]:
    """A smooth walk.

    Parameters
    ----------
    layers : songs for each place of the walk, of which none are in two layers and all may be taken together
    free : numbers of the layers whose songs may give way to any others
    caps : of the same songs; those of the other layers are taken

    Returns
    -------
    a song for each layer, as its place among the candidates

    """
    walk = _cheapest(candidates, layers)
    for layer in free:
        caps.take(walk[layer])
    for layer in free:
        _replace(candidates, walk, layer, caps, 0.0)
    least = EVEN**2 * _steps(candidates, walk).max()
    for layer in reversed(free):
        _replace(candidates, walk, layer, caps, least)
    return walk


def _cheapest(candidates: Candidates, layers: Sequence[np.ndarray]) -> list[int]:
    costs, before = np.zeros(len(layers[0])), []
    for number, (last, songs) in enumerate(itertools.pairwise(layers), 1):
        ways = costs[:, None] + _cost(candidates.squares(last, songs), 0.0)
        before.append(ways.argmin(axis=0))
        costs = ways.min(axis=0) + candidates.cost(number, songs)
    places = [int(costs.argmin())]
    for back in reversed(before):
        places.append(int(back[places[-1]]))
    return [int(songs[place]) for songs, place in zip(layers, reversed(places))]


def _steps(candidates: Candidates, walk: list[int]) -> np.ndarray:
    """Squared."""
    return np.square(np.diff(candidates.points[walk], axis=0)).sum(axis=1) / candidates.unit


def _replace(candidates: Candidates, walk: list[int], layer: int, caps: Caps, least: float) -> None:
    """Put the best song in the place of one."""
    song = walk[layer]
    first = max(0, min(song - WINDOW // 2, len(candidates.points) - WINDOW))
    beside = slice(first, min(first + WINDOW, len(candidates.points)))
    caps.take(song, -1)
    costs = _cost(candidates.squares(beside, walk[layer - 1 : layer + 2 : 2]), least).sum(axis=1)
    costs += candidates.cost(layer, beside)
    costs[~caps.free(beside.start, beside.stop)] = np.inf
    best = int(costs.argmin())
    if costs[best] < costs[song - first]:
        walk[layer] = first + best
    caps.take(walk[layer])


def _cost(squares: np.ndarray, least: float) -> np.ndarray:
    """Of steps, by their squares; ``least``: the square below which a step is too short."""
    cost = fourth_power(squares)
    return cost + fourth_power(np.maximum(least - squares, 0)) if least else cost


def fourth_power(values: np.ndarray) -> np.ndarray:
    """By squares, which all processors round alike."""
    return np.square(np.square(values))
