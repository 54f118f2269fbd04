"""Sketches: one number a song and block, from which the function tells roughly how near a song is."""

import numpy as np
from sklearn.cluster import KMeans

from build.progress import bar
from segue.sketch import CENTRES, levels
from segue.space import Space

SAMPLE = 20_000  # songs from which centres are learned
ROUNDS = 10  # of k-means
ROWS_AT_A_TIME = 16_384


def sketched(space: Space, vectors: np.ndarray, reaches: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres of each block and every song's sketch.

    Product quantization: Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE PAMI 33
    (2011), with the blocks as subspaces.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims)
    reaches : float32, shape (n_songs,)

    Returns
    -------
    int8, shape (CENTRES, n_dims), and uint16, shape (n_songs, n_blocks), see :mod:`segue.sketch`

    """
    picks = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    sample = vectors[np.sort(picks)].astype(np.float32)
    centres = np.concatenate([_centres(sample[:, block.columns], seed) for block in space.blocks], axis=1)
    starts = range(0, len(vectors), ROWS_AT_A_TIME)
    runs = (slice(start, start + ROWS_AT_A_TIME) for start in bar(starts, "sketches", " runs", len(starts)))
    cells = [_nearest(space, vectors[run], centres) for run in runs]
    return centres, (np.concatenate(cells) + CENTRES * levels(reaches)[:, None]).astype(np.uint16)


def _centres(columns: np.ndarray, seed: int) -> np.ndarray:
    """Where there are fewer different songs than centres, some of these are alike."""
    found = np.unique(np.rint(columns), axis=0)
    if len(found) > CENTRES:
        found = KMeans(CENTRES, n_init=1, max_iter=ROUNDS, random_state=seed).fit(columns).cluster_centers_
    return np.resize(np.rint(found), (CENTRES, columns.shape[1])).astype(np.int8)


def _nearest(space: Space, vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The number of the nearest centre in each block, shape (len(vectors), n_blocks)."""
    nearest = []
    for block in space.blocks:
        ours, theirs = vectors[:, block.columns].astype(np.float32), centres[:, block.columns].astype(np.float32)
        nearest.append(np.argmin((theirs * theirs).sum(axis=1) - 2 * ours @ theirs.T, axis=1))
    return np.stack(nearest, axis=1)
