"""Product quantization: centroids for blocks by weight, and local scales as levels."""

import numpy as np
import pytest

from segue.catalog.schema import ARRAYS
from segue.engine.scoring import LEVEL_SCALES, SCALE_LEVELS
from segue.engine.space import Block, Space
from segue_build.model.quantization import MAX_CENTROIDS, MAX_JOINED, ProductQuantizer, fit_pq, scale_levels

WEIGHTS = np.array([0.05, 0.4, 0.25, 0.15, 0.1, 0.05])  # of blocks


def test_levels_of_local_scales_span_half_to_twice_and_end_there():
    scales = [LEVEL_SCALES[0] / 5, *LEVEL_SCALES, 5 * LEVEL_SCALES[-1]]
    numbers = [0, *range(len(LEVEL_SCALES)), len(LEVEL_SCALES) - 1]
    assert scale_levels(np.array(scales), WEIGHTS).tolist() == [[number] * len(WEIGHTS) for number in numbers]


def test_blocks_take_the_level_below_or_above_by_what_is_missing_heaviest_first():
    quarter = LEVEL_SCALES[2] + (LEVEL_SCALES[3] - LEVEL_SCALES[2]) / 4
    assert scale_levels(np.array([quarter]), np.array([1.0, 2.0, 1.0])).tolist() == [[3, 2, 2]]


def test_the_weighted_mean_of_a_songs_levels_is_its_local_scale():
    scales = np.random.default_rng(0).uniform(LEVEL_SCALES[0], LEVEL_SCALES[-1], 1_000)
    nearest = np.abs(scales[:, None] - LEVEL_SCALES).argmin(axis=1)
    spread = scale_levels(scales, WEIGHTS)
    assert np.ptp(spread, axis=1).max() == 1
    error_of_nearest, error = (
        np.abs(found - scales) for found in (LEVEL_SCALES[nearest], LEVEL_SCALES[spread] @ WEIGHTS)
    )
    assert error.max() < error_of_nearest.max() / 5
    assert error.mean() < error_of_nearest.mean() / 10


def a_space(*blocks: tuple[int, float]) -> Space:
    """Blocks of so many columns and such a weight."""
    stops = np.cumsum([width for width, _ in blocks]).tolist()
    made = (Block(f"b{stop}", stop - width, stop, weight) for stop, (width, weight) in zip(stops, blocks))
    return Space(tuple(made), np.ones(stops[-1]), 1.0, np.zeros(0))


def quantizer(space: Space, vectors: np.ndarray, n_centroids: int) -> ProductQuantizer:
    return ProductQuantizer.fit(space, vectors, n_centroids, 0)


def test_blocks_have_centroids_by_their_weight_and_no_more_than_they_have_values():
    space, rng = a_space((3, 0.6), (2, 0.3), (1, 0.1)), np.random.default_rng(1)
    vectors = rng.integers(-127, 128, (2_000, 6), np.int8)
    vectors[:, 5] %= 2
    found = quantizer(space, vectors, 1_000)
    assert [each.shape for each in found.centroids] == [(600, 3), (300, 2), (2, 1)]


def test_levels_matter_in_a_block_as_often_as_songs_differ_in_it():
    space, vectors = a_space((1, 0.5), (1, 0.3), (1, 0.2)), np.zeros((1_000, 3), np.int8)
    vectors[:100, 1] = 1
    vectors[:, 2] = np.arange(1_000) % 4
    assert quantizer(space, vectors, 100).level_weights.tolist() == pytest.approx([0, 0.3 * 0.18, 0.2 * 0.75])


@pytest.mark.parametrize(
    ("values", "subspaces"),
    [
        ((200, 3, 150, 11, 2), [0, 1, 2, 1, 1]),
        ((64, 2, 3), [0, 1, 1]),
        ((64, 2), [0, 0]),
        ((65, 2), [0, 1]),
        ((200, 200), [0, 1]),
        ((1, 1, 1), [0, 0, 0]),
    ],
)
def test_blocks_of_few_centroids_share_a_subspace_of_128_codes_at_most(values, subspaces):
    space = a_space(*((1, 1.0) for _ in values))
    vectors = np.stack([np.arange(600) % count - 100 for count in values], axis=1).astype(np.int8)
    assert quantizer(space, vectors, 8_000).subspaces.tolist() == subspaces


def test_16_bits_number_the_codes_of_as_many_blocks_as_a_space_may_have():
    n_blocks = 8 * np.dtype(ARRAYS["present"].dtype).itemsize  # a bit of "present" each
    assert (MAX_CENTROIDS + n_blocks * MAX_JOINED) * SCALE_LEVELS <= 2**16


def test_a_pq_code_numbers_the_nearest_centroid_of_each_block_at_a_level():
    space, rng = a_space((1, 0.1), (2, 0.6), (1, 0.2), (1, 0.1)), np.random.default_rng(2)
    vectors = rng.integers(-127, 128, (900, 5), np.int8)
    vectors[:, 0] %= 3
    vectors[:, 4] %= 5
    scales = rng.uniform(LEVEL_SCALES[0], LEVEL_SCALES[-1], 900).astype(np.float32)
    found = fit_pq(space, vectors, scales, 0)
    assert found.quantizer.subspaces.tolist() == [0, 1, 2, 0]
    rows = found.quantizer.rows
    levels, numbers = np.divmod(found.codes, sum(map(len, rows)))
    weights = found.quantizer.level_weights
    assert (levels == scale_levels(scales, np.array([weights[0] + weights[3], *weights[1:3]]))).all()
    starts = np.cumsum([0, *map(len, rows)])
    for number, block in enumerate(space.blocks):
        subspace = found.quantizer.subspaces[number]
        first = found.quantizer.subspaces.tolist().index(subspace)
        songs, centroids = vectors[:, block.columns].astype(int), found.quantizer.centroids[number].astype(int)
        nearest = np.square(songs[:, None] - centroids).sum(axis=2).min(axis=1)
        coded = rows[number][numbers[:, subspace] - starts[first]].astype(int)
        assert (np.square(songs - coded).sum(axis=1) == nearest).all()
