"""Sketches: one number a song and block, from which the function bounds roughly how near a song is."""

from dataclasses import dataclass

import numpy as np

from segue_build.model.kmeans import kmeans
from segue_build.progress import bar
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
    centres = centres_of(space, vectors[np.sort(picks)], len(vectors), seed)
    starts = range(0, len(vectors), ROWS_AT_A_TIME)
    runs = (slice(start, start + ROWS_AT_A_TIME) for start in bar(starts, "sketches", " runs", len(starts)))
    return Sketches(centres, np.concatenate([sketches(space, vectors[run], reaches[run], centres) for run in runs]))


def centres_of(space: Space, sample: np.ndarray, n_songs: int, seed: int) -> np.ndarray:
    """Centres of each block, int8, shape (n_centres, n_dims).

    sample : int8, shape (at most ``SAMPLE``, n_dims), of so many songs
    """
    count = min(max(2 ** round(np.log2(n_songs) / 2), FEWEST), MOST)
    points = sample.astype(np.float32)
    centres = [_centres(points[:, block.columns], count, seed) for block in space.blocks]
    return np.concatenate(centres, axis=1).astype(sample.dtype)


def sketches(space: Space, vectors: np.ndarray, reaches: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The sketches of some songs, uint16, shape (n_songs, n_blocks)."""
    nearest = _nearest(space, vectors, centres)
    return (nearest + len(centres) * levels(reaches)[:, None]).astype(np.uint16)


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
