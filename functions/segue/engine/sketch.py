"""Rough scores at a fifth of the cost: only the songs that are most promising by them need be scored.

In each block a song is close to one of a few hundred centres, and its reach to one of ``LEVELS`` levels; the number
of that pair is its *sketch*. A query computes once what every pair is worth, whatever the number of its
points; then a song's rough score is a look-up and a sum over the blocks.
"""

import numpy as np

from segue.engine.space import REACH

LEVELS = 8  # of reaches, from half of REACH to twice of it
REACHES = (REACH * 2.0 ** (2 * np.arange(LEVELS) / (LEVELS - 1) - 1)).astype(np.float32)  # that they stand for


def levels(reaches: np.ndarray) -> np.ndarray:
    """The level of each reach, 0..LEVELS - 1."""
    places = (np.log2(reaches / REACH) + 1) / 2 * (LEVELS - 1)
    return np.clip(np.rint(places), 0, LEVELS - 1).astype(np.int64)


def rough(worth: np.ndarray, sketches: np.ndarray) -> np.ndarray:
    """Sums over the blocks of what sketches are worth, float32, shape (n_songs,).

    worth : float32, shape (n_blocks, LEVELS * n_centres)
    sketches : uint16, shape (n_songs, n_blocks)
    """
    total = worth[0].take(sketches[:, 0])
    for number in range(1, len(worth)):
        total += worth[number].take(sketches[:, number])
    return total
