"""How far each song is heard: shorter where songs lie close together, so that none is near to everything."""

import numpy as np

from build.progress import bar
from segue.space import REACH, Block, Space

SAMPLE = 2_000  # songs that stand for the catalogue; the work grows with catalogue x sample
NEIGHBOURS = 10
STRENGTH = 1.0  # 0: every reach is REACH; 1: in proportion to how far the neighbours are
LONGEST = 2.0  # times REACH, and half of it at the least
ROWS_AT_A_TIME = 128  # their table of distances stays in the processor's cache


def reaches(space: Space, vectors: np.ndarray, usable: np.ndarray, seed: int) -> np.ndarray:
    """The reach of every song.

    How crowded a place is, is the mean similarity of the nearest songs of a sample; a reach is in proportion to minus
    its logarithm, which is a distance in reaches, against the catalogue's mean.

    Parameters
    ----------
    vectors : float32, shape (n_songs, n_dims)
    usable : bool, shape (n_songs,), songs that may be in the sample

    Returns
    -------
    float32, shape (n_songs,)

    """
    songs = np.flatnonzero(usable)
    sample = np.sort(np.random.default_rng(seed).permutation(songs)[:SAMPLE])
    blocks = _blocks(space, vectors[sample])
    crowds = np.empty(len(vectors), np.float32)
    starts = range(0, len(vectors), ROWS_AT_A_TIME)
    for start in bar(starts, "neighbourhoods", " chunks", len(starts)):
        some = vectors[start : start + ROWS_AT_A_TIME]
        similar = _similar(blocks, some)
        similar[np.arange(start, start + len(some))[:, None] == sample] = 0  # no song is its own neighbour
        crowds[start : start + len(some)] = _crowd(similar)
    sparse = -np.log(np.clip(crowds, 1e-3, 0.999))
    scale = (sparse / sparse.mean()) ** STRENGTH
    return (REACH * np.clip(scale, 1 / LONGEST, LONGEST)).astype(np.float32)


def _blocks(space: Space, sample: np.ndarray) -> list[tuple[Block, np.ndarray, np.ndarray]]:
    """Each block with the sample's columns, transposed, and the squares of their lengths."""
    parts = [(block, np.ascontiguousarray(sample[:, block.columns].T)) for block in space.blocks]
    return [(block, points, (points**2).sum(axis=0)) for block, points in parts]


def _similar(blocks: list[tuple[Block, np.ndarray, np.ndarray]], vectors: np.ndarray) -> np.ndarray:
    """Similarity of songs to the sample, as :func:`segue.space.similarity` has it but in float32."""
    similar = np.zeros((len(vectors), len(blocks[0][2])), np.float32)
    scratch = np.empty_like(similar)
    for block, points, squares in blocks:
        ours = vectors[:, block.columns]
        np.matmul(ours * np.float32(-2), points, out=scratch)
        scratch += squares
        scratch += (ours**2).sum(axis=1)[:, None]
        np.sqrt(np.maximum(scratch, 0, out=scratch), out=scratch)
        scratch *= np.float32(-1 / REACH)
        similar += np.float32(block.share) * np.exp(scratch, out=scratch)
    return similar


def _crowd(similar: np.ndarray) -> np.ndarray:
    """Mean similarity of the nearest."""
    nearest = min(NEIGHBOURS, similar.shape[1] - 1)
    return np.partition(similar, -nearest, axis=1)[:, -nearest:].mean(axis=1) if nearest > 0 else similar[:, 0]
