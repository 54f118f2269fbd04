"""Which keys follow each other well: the Camelot wheel, on which neighbours share all tones but one.

The twelve major keys are 1B..12B round the circle of fifths, and each has its relative minor beside it, 1A..12A. A
song goes with those of its own number, and with those of its letter one number up or down.
https://mixedinkey.com/camelot-wheel/
"""

import numpy as np

UNKNOWN = 0  # number of a song of which the table has no key or mode


def numbers(keys: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Numbers on the wheel, 1..12, ``UNKNOWN`` where there is none.

    keys : pitch classes, 0 = C; below 0 or NaN: none found
    modes : 1 major, 0 minor, NaN: unknown
    """
    known = (keys >= 0) & ~np.isnan(modes)
    majors = np.where(known, keys + 3 * (modes == 0), 0).astype(np.int64)
    return np.where(known, (7 * majors + 7) % 12 + 1, UNKNOWN)


def names(keys: np.ndarray, modes: np.ndarray) -> list[str | None]:
    """``8B`` for C major, ``8A`` for A minor; None where it is not known."""
    letters = np.where(modes == 1, "B", "A").tolist()
    return [f"{number}{letter}" if number else None for number, letter in zip(numbers(keys, modes).tolist(), letters)]


def compatible(keys: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """Which songs go with which; bool, shape (n_songs, n_songs). A song of unknown key goes with none."""
    wheel = numbers(keys, modes)
    turn = np.abs(wheel[:, None] - wheel)
    same_letter = modes[:, None] == modes
    fits = (turn == 0) | (same_letter & ((turn == 1) | (turn == 11)))
    return fits & (wheel[:, None] != UNKNOWN) & (wheel != UNKNOWN)
