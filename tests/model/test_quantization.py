"""Product quantization: local scales as levels."""

import numpy as np

from segue.engine.scoring import LEVEL_SCALES
from segue_build.model.quantization import scale_levels

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
