"""Distances from points: the same whichever way they are computed."""

import numpy as np
import pytest

from segue.engine.space import STEPS_PER_UNIT, Points, PreparedCentroids, PreparedVectors, space_of


@pytest.fixture
def space(demo_catalog):
    return space_of(demo_catalog)


def vectors(count, space, seed):
    return np.random.default_rng(seed).integers(-127, 128, (count, len(space.spread)), np.int8)


@pytest.mark.parametrize("points", [1, 2, 9])
@pytest.mark.parametrize("whole", [True, False])
def test_distances_are_those_of_the_definition_for_one_point_and_for_several(space, points, whole):
    songs, placed = vectors(50, space, 1), vectors(points, space, 2)
    known = np.ones(placed.shape, bool) if whole else np.random.default_rng(3).random(placed.shape) < 0.7
    ours = Points(space, placed, known)
    apart = (songs.astype(float)[None] - placed[:, None]) ** 2 * known[:, None]
    squares = np.stack([apart[:, :, block.columns].sum(axis=2) for block in space.blocks])
    expected = np.sqrt(squares) * STEPS_PER_UNIT / ours.units[:, :, None]
    found = ours.distances(songs)
    np.testing.assert_allclose(found[:-1], expected, rtol=1e-6)
    assert not found[-1].any()
    np.testing.assert_array_equal(ours.distances_to_prepared(PreparedVectors(space, songs)), ours.distances(songs))
    sizes = np.arange(len(space.blocks)) % 4 + 1
    centroids = np.zeros((sizes.sum(), len(space.spread)), np.int8)
    for block, stop, size in zip(space.blocks, np.cumsum(sizes).tolist(), sizes.tolist()):
        centroids[stop - size : stop, : block.stop - block.start] = songs[:size, block.columns]
    prepared = PreparedCentroids(space, np.arange(len(sizes)), np.cumsum([0, *sizes]), centroids)
    in_blocks = [found[number, :, :size] for number, size in enumerate(sizes)]
    np.testing.assert_array_equal(ours.distances_to_centroids(prepared), np.concatenate(in_blocks, axis=1))


@pytest.mark.parametrize("whole", [True, False])
def test_a_point_has_the_same_distances_alone_and_among_others_to_the_last_bit(space, whole):
    songs, placed = vectors(50, space, 4), vectors(5, space, 5)
    known = np.ones(placed.shape, bool) if whole else np.random.default_rng(6).random(placed.shape) < 0.7
    together = Points(space, placed, known).distances(songs)
    for number in range(len(placed)):
        alone = Points(space, placed[[number]], known[[number]]).distances(songs)
        np.testing.assert_array_equal(alone[:, 0], together[:, number])
