"""On which scale a column of features is: 0..1, or 0..100 as many exports have it."""

from collections.abc import Mapping

import numpy as np

MANY = 0.1  # of a column's values; as many bad rows as a table may have


def scales(columns: Mapping[str, np.ndarray], percent: Mapping[str, bool]) -> dict[str, int]:
    """Tell for columns whose values ought to lie in 0..1 whether they do, or in 0..100.

    A column with more than a tenth of its values between 1 and 100 is on the scale of 0..100: read otherwise, the
    table would have too many bad rows. One with fractions and nothing above 1 is on that of 0..1. What is left could
    be either, such as zeros and ones only: it is what its header says (``%``), or what most other columns are.

    Parameters
    ----------
    columns : name -> what is known, float64
    percent : name -> whether the header has a per cent sign

    Returns
    -------
    name -> 1 or 100

    """
    decided = {name: _by_range(values) for name, values in columns.items()}
    votes = [scale for scale in decided.values() if scale]
    usual = 100 if votes.count(100) > votes.count(1) else 1
    return {name: scale or (100 if percent[name] else usual) for name, scale in decided.items()}


def _by_range(values: np.ndarray) -> int | None:
    above = values[(values > 1) & (values <= 100)]
    if len(above) > MANY * len(values) and np.median(above) > 2:  # else they are slightly wrong shares
        return 100
    fractions = bool(((values > 0) & (values < 1)).any())
    return 1 if fractions and not len(above) else None
