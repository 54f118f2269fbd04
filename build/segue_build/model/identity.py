"""Who sings, for a table that says nothing about sound: an artist is known by genres and by a mark of its own."""

import numpy as np

from segue_build.model.context import Links, averaged

MARKS = 16  # columns of an artist's mark: with so many signs hardly two artists share one
OWN = 0.2  # length of a mark; that of an artist's genres is 1 at the most. Longer marks crowd other artists out


def identities(by: Links, genres: np.ndarray, seed: int) -> np.ndarray:
    """Songs by the mean of their artists.

    Songs of one artist are in one place, those of artists with the same genres are near, and whoever sings with
    somebody is between both.

    Parameters
    ----------
    genres : shape (n_songs, n_dims), the genre block
    seed : of the marks

    Returns
    -------
    float64, shape (n_songs, n_dims + MARKS), NaN for songs without artists.

    """
    signs = np.random.default_rng(seed).integers(0, 2, (len(by.names), MARKS)) * 2 - 1
    known = ~np.isnan(genres).any(axis=1)
    sung = by.matrix.multiply(known[:, None]).tocsr()
    of_artists = averaged(sung.T.tocsr()) @ np.nan_to_num(genres)
    artists = np.concatenate([of_artists, signs * (OWN / MARKS**0.5)], axis=1)
    block = np.asarray(averaged(by.matrix) @ artists)
    block[np.diff(by.matrix.indptr) == 0] = np.nan
    return block
