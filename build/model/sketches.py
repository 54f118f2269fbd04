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
    radii : float32, shape (n_centres, n_blocks), root mean squared distance of a centre's songs, 0 where it has none
    sketches : uint16, shape (n_songs, n_blocks)
    """

    centres: np.ndarray
    radii: np.ndarray
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
    parts = zip(*(_nearest(space, vectors[run], centres) for run in runs))
    nearest, squared = (np.concatenate(part) for part in parts)
    codes = (nearest + count * levels(reaches)[:, None]).astype(np.uint16)
    return Sketches(centres, _radii(nearest, squared, count), codes)


def _centres(columns: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Where there are fewer different songs than centres, some of these are alike."""
    found = kmeans(columns, count, seed, ROUNDS, SEEDING)
    return np.resize(found, (count, columns.shape[1]))


def _nearest(space: Space, vectors: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of the nearest centre in each block and how far it is, squared; shape (len(vectors), n_blocks)."""
    nearest, squared = [], []
    for block in space.blocks:
        ours, theirs = vectors[:, block.columns].astype(np.float32), centres[:, block.columns].astype(np.float32)
        all_squared = squared_distances(ours, theirs, np.ones_like(theirs))
        nearest.append(all_squared.argmin(axis=1))
        squared.append(all_squared.min(axis=1))
    return np.stack(nearest, axis=1), np.stack(squared, axis=1)


def _radii(nearest: np.ndarray, squared: np.ndarray, count: int) -> np.ndarray:
    sums = [np.bincount(centre, far, count) for centre, far in zip(nearest.T, squared.T)]
    sizes = [np.bincount(centre, minlength=count) for centre in nearest.T]
    return np.sqrt(np.stack(sums, axis=1) / np.maximum(np.stack(sizes, axis=1), 1)).astype(np.float32)
