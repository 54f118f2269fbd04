"""Songs that last as long together as was asked."""

import numpy as np

from segue.errors import Fault, InvalidQuery

MINUTE = 60_000  # milliseconds
NEAR_ENOUGH = 0.01  # of the time asked for
TOLERATED = 3 * MINUTE  # by which a list may miss the time that was asked for
EXCHANGES = 8  # of songs, until the time is near enough


def first_of(durations: np.ndarray, asked: float, most: int) -> int:
    """How many of the first songs come nearest to the time asked for, milliseconds; ``most`` at the most.

    Raises
    ------
    InvalidQuery
        all songs together are too short.

    """
    totals = np.cumsum(durations[:most])
    if not len(totals) or totals[-1] + TOLERATED < asked:
        raise InvalidQuery([_too_little(len(totals), float(totals[-1]) if len(totals) else 0.0)])
    return int(np.abs(totals - asked).argmin()) + 1


def _too_little(count: int, total: float) -> Fault:
    said = f"the {count} songs at hand last {total / MINUTE:.0f} minutes: ask for fewer, or let more songs pass"
    return Fault("/minutes", said)


def exchanged(chosen: np.ndarray, durations: np.ndarray, asked: float, may: np.ndarray) -> np.ndarray:
    """Exchange songs of a list for others until the time is near enough; the others that come first in preference.

    Parameters
    ----------
    chosen : places among the songs
    durations : of all songs, milliseconds
    may : which songs may take the place of each that is chosen, bool, shape (len(chosen), n_songs)

    """
    chosen, may = chosen.copy(), may.copy()
    may[:, chosen] = False
    for _ in range(EXCHANGES):
        missing = asked - durations[chosen].sum()
        if abs(missing) <= NEAR_ENOUGH * asked or not may.any():
            break
        misses = np.abs(missing - (durations - durations[chosen][:, None]))
        costs = np.maximum(misses, NEAR_ENOUGH * asked) + np.arange(len(durations))
        slot, song = divmod(int(np.where(may, costs, np.inf).argmin()), len(durations))
        if misses[slot, song] >= abs(missing):
            break
        may[:, song], may[max(slot - 1, 0) : slot + 2], chosen[slot] = False, False, song  # neighbours have to fit
    return chosen
