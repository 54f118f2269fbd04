"""k-means in whole numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue_build.model.kmeans import MAX_NORM, kmeans, nearest_centroids

CORNERS = np.array([[0, 0], [0, 90], [90, 0], [90, 90]], np.float32)


@pytest.fixture
def squares():
    """Twenty-five points round each of four corners, whose mean is the corner."""
    around = np.array([(x, y) for x in range(-2, 3) for y in range(-2, 3)], np.float32)
    return (CORNERS[:, None] + around).reshape(-1, 2)


def test_it_finds_the_middles_of_groups_that_lie_apart(squares):
    found = kmeans(squares, 4, seed=0, max_iterations=10, init_sample=100)
    assert sorted(map(tuple, found)) == sorted(map(tuple, CORNERS))


def test_the_order_of_the_columns_shows_in_nothing_but_their_order():
    points = np.random.default_rng(0).integers(-300, 300, (3_000, 40)).astype(np.float32)
    backwards = kmeans(np.ascontiguousarray(points[:, ::-1]), 50, 0, 5, 1_000)
    assert np.array_equal(kmeans(points, 50, 0, 5, 1_000), backwards[:, ::-1])


def test_fewer_different_points_than_centroids_are_the_centroids(squares):
    found = kmeans(np.repeat(CORNERS, 10, axis=0), 30, seed=0, max_iterations=10, init_sample=40)
    assert sorted(map(tuple, found)) == sorted(map(tuple, CORNERS))


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 20))
def test_the_nearest_centroid_is_the_nearest_by_exact_arithmetic(seed, dimensions, count):
    dice = np.random.default_rng(seed)
    largest = int(MAX_NORM / dimensions**0.5)
    points, centroids = (dice.integers(-largest, largest + 1, (size, dimensions)) for size in (40, count))
    gaps = ((points[:, None] - centroids) ** 2).sum(axis=2)
    assert (
        nearest_centroids(points.astype(np.float32), centroids.astype(np.float32)).tolist()
        == gaps.argmin(axis=1).tolist()
    )
