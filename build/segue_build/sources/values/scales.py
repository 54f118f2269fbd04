"""On which scale a column of features is: 0..1, or 0..100 as many exports have it."""

from collections.abc import Mapping

import numpy as np

MANY = 0.1  # of a column's values; as many bad rows as a table may have


def by_range(values: np.ndarray) -> int | None:
    """The scale of a column whose values ought to lie in 0..1: 1 or 100, None where its values could be on either.

    A column with more than a tenth of its values between 1 and 100 is on the scale of 0..100: read otherwise, the
    table would have too many bad rows. One with fractions and nothing above 1 is on that of 0..1.

    values : float64, what is known
    """
    above = values[(values > 1) & (values <= 100)]
    if len(above) > MANY * len(values) and np.median(above) > 2:  # else they are slightly wrong shares
        return 100
    fractions = bool(((values > 0) & (values < 1)).any())
    return 1 if fractions and not len(above) else None


def scales(told: Mapping[str, int | None], percent: Mapping[str, bool]) -> dict[str, int]:
    """All columns' scales: what could be either, as zeros and ones only, is what its header or most others say.

    told : name -> scale by range
    percent : name -> whether the header has a per cent sign
    """
    votes = list(told.values())
    usual = 100 if votes.count(100) > votes.count(1) else 1
    return {name: scale or (100 if percent[name] else usual) for name, scale in told.items()}
