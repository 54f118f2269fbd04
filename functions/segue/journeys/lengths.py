"""Songs that last as long together as was asked."""

import numpy as np

from segue.errors import Fault, InvalidQuery

MINUTE = 60_000  # milliseconds
SECOND = 1_000
NEAR_ENOUGH = 0.01  # of the time asked for
EXCHANGES = 8  # of songs, until the time is near enough
COUNTS = 3  # of songs that are tried
OUT_OF_REACH = 254  # songs, more than any list has: the last number to which one may be added in a byte


def met(durations: np.ndarray, asked: float) -> bool:
    """Whether songs last as long as asked, milliseconds: within 2 % or 3 minutes."""
    return bool(abs(durations.sum() - asked) <= _tolerated(asked))


def _tolerated(asked: float) -> float:
    return max(0.02 * asked, 3 * MINUTE)


def counts(durations: np.ndarray, asked: float, most: int) -> list[int]:
    """How many of the first songs come nearest to the time asked for, the nearest first; ``most`` at the most.

    Raises
    ------
    InvalidQuery
        all songs together are too short.

    """
    longest = np.sort(durations)[::-1][:most]
    if longest.sum() + _tolerated(asked) < asked:
        of = "longest songs" if len(longest) < len(durations) else "songs"
        raise _refused(
            f"the {len(longest)} {of} at hand last {longest.sum() / MINUTE:.0f} minutes: "
            "ask for fewer, or let more songs pass"
        )
    misses = np.abs(durations[:most].cumsum() - asked)
    return (misses.argsort(kind="stable")[:COUNTS] + 1).tolist()


def _refused(said: str) -> InvalidQuery:
    return InvalidQuery([Fault("/minutes", said)])


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


def filling(durations: np.ndarray, asked: float, most: int) -> np.ndarray:
    """The songs, ``most`` at the most, that come nearest to the time asked for; the first in preference, in order.

    All sums are looked at, in whole seconds, by the fewest songs that make each up: the subset-sum problem by dynamic
    programming (Kellerer, Pferschy & Pisinger, "Knapsack Problems", 2004, chapter 4).

    Raises
    ------
    InvalidQuery
        no songs last so long together, though all of them last longer.

    """
    seconds = np.rint(durations / SECOND).astype(np.int64)
    fewest = _fewest(seconds, int((asked + _tolerated(asked)) // SECOND))
    sums = np.flatnonzero(fewest[0] <= most)
    left = int(sums[np.abs(sums * SECOND - asked).argmin()])
    taken: list[int] = []
    for place, duration in enumerate(seconds.tolist()):
        if duration <= left and fewest[place + 1, left - duration] < most - len(taken):
            taken.append(place)
            left -= duration
    chosen = np.array(taken, np.int64)
    if not met(durations[chosen], asked):
        totals = durations[:most].cumsum() / MINUTE
        longer = totals[min(int(totals.searchsorted(asked / MINUTE)), len(totals) - 1)]
        raise _refused(f"no songs at hand last so long together: ask for {longer:.0f}, or let more songs pass")
    return chosen


def _fewest(seconds: np.ndarray, longest: int) -> np.ndarray:
    """How few of the songs from each one on last 0, 1, .. longest seconds; shape (n_songs + 1, longest + 1)."""
    fewest = np.full((len(seconds) + 1, longest + 1), OUT_OF_REACH, np.uint8)
    fewest[-1, 0] = 0
    for place in reversed(range(len(seconds))):
        without, duration = fewest[place + 1], seconds[place]
        fewest[place] = without
        np.minimum(without[duration:], without[: max(longest + 1 - duration, 0)] + 1, out=fewest[place, duration:])
    return fewest
