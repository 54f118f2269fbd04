"""Curves that the energy of a list may follow, and songs that can."""

import statistics

import numpy as np

SONGS_A_WAVE = 12
FAITHFUL = 0.85  # correlation of energy and curve, below which other songs are chosen
INNER = (0.1, 0.9)  # quantiles of a pool's energy between which a curve runs


def curve(flow: str, count: int) -> np.ndarray | None:
    """Where a flow wants the energy of each song, 0 lowest .. 1 highest, shape (count,); None where it wants none."""
    line = np.arange(count) / max(count - 1, 1)
    if flow == "wave":
        waves = max(1, round(count / SONGS_A_WAVE))
        return 1 - np.abs(1 - 2 * waves * line % 2)
    return {"rise": line, "fall": 1 - line}.get(flow)


def following(chosen: np.ndarray, wanted: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """Exchange songs whose energies are in the way of a curve for others, the first in preference.

    Parameters
    ----------
    chosen : places among the songs
    wanted : the curve
    energies : of all songs

    """
    chosen, levels = chosen.copy(), np.sort(wanted)
    low, high = np.quantile(energies, INNER) if len(chosen) else (0.0, 1.0)
    left = np.ones(len(energies), bool)
    left[chosen] = False
    for _ in range(len(chosen)):
        chosen = chosen[np.argsort(energies[chosen], kind="stable")]
        if correlation(energies[chosen], levels) >= FAITHFUL:
            break
        gaps = low + (high - low) * levels - energies[chosen]
        slot = int(np.abs(gaps).argmax())
        misses = np.abs(energies - energies[chosen[slot]] - gaps[slot])
        better = left & (misses < abs(gaps[slot]) / 2)
        if not better.any():
            break
        song = int(better.argmax())
        left[song], chosen[slot] = False, song
    return chosen


def correlation(values: np.ndarray, wanted: np.ndarray) -> float:
    """Pearson's, 0 where either is constant."""
    if len(values) < 2 or np.ptp(values) == 0 or np.ptp(wanted) == 0:
        return 0.0
    return statistics.correlation(values.tolist(), wanted.tolist())
