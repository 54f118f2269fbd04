"""Sketches: one number a song and block, from which the function bounds roughly how near a song is."""

from dataclasses import dataclass

import numpy as np

from build.model.kmeans import kmeans
from build.progress import bar
from segue.engine.similarity import squared_distances
from segue.engine.sketch import levels
from segue.engine.space import Space

FEWEST, MOST = 256, 1024  # centres: a query reads all of them once, so that many are worth it where songs are many
SAMPLE = 60_000  # songs from which centres are learned
SEEDING = 20_000  # of them, from which centres start
ROUNDS = 20  # of k-means
ROWS_AT_A_TIME = 16_384


@dataclass(frozen=True, slots=True)
class Sketches:
    """The sketches of all songs, see :mod:`segue.engine.sketch`.

    centres : of each block, int8, shape (n_centres, n_dims)
    sketches : uint16, shape (n_songs, n_blocks)
    """

    centres: np.ndarray
    sketches: np.ndarray


def sketched(space: Space, vectors: np.ndarray, reaches: np.ndarray, seed: int) -> Sketches:
    """Sketch every song.

    Product quantization: Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE PAMI 33
    (2011), with the blocks as subspaces.

    Parameters
    ----------
    vectors : int8, shape (n_songs, n_dims)
    reaches : float32, shape (n_songs,)

    """
    picks = np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE]
    sample = vectors[np.sort(picks)].astype(np.float32)
    count = min(max(2 ** round(np.log2(len(vectors)) / 2), FEWEST), MOST)
    centres = np.concatenate([_centres(sample[:, block.columns], count, seed) for block in space.blocks], axis=1)
    centres = centres.astype(vectors.dtype)
    starts = range(0, len(vectors), ROWS_AT_A_TIME)
    runs = (slice(start, start + ROWS_AT_A_TIME) for start in bar(starts, "sketches", " runs", len(starts)))
    nearest = np.concatenate([_nearest(space, vectors[run], centres) for run in runs])
    return Sketches(centres, (nearest + count * levels(reaches)[:, None]).astype(np.uint16))


def _centres(columns: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Where there are fewer different songs than centres, some of these are alike."""
    found = kmeans(columns, count, seed, ROUNDS, SEEDING)
    return np.resize(found, (count, columns.shape[1]))


def _nearest(space: Space, vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The number of the nearest centre in each block, shape (len(vectors), n_blocks)."""
    nearest = []
    for block in space.blocks:
        ours, theirs = vectors[:, block.columns].astype(np.float32), centres[:, block.columns].astype(np.float32)
        nearest.append(squared_distances(ours, theirs, np.ones_like(theirs)).argmin(axis=1))
    return np.stack(nearest, axis=1)
