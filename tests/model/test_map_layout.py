"""The map of the songs: alike ones near each other, whatever the catalogue."""

import numpy as np
import pytest

from segue_build.artifacts.array_files import offsets_from_lengths
from segue_build.model.clustering import cell_centroids
from segue_build.model.kmeans import kmeans, nearest_centroids
from segue_build.model.map_layout import MAX_COORDINATE, map_coordinates


def drawn(codes):
    """The map of int8 vectors, which are sorted by cell first; and their order."""
    points = codes.astype(np.float32)
    centroids = kmeans(points, min(len(codes), round(4 * len(codes) ** 0.5)), 0, 25, len(codes))
    _, cells = np.unique(nearest_centroids(points, centroids), return_inverse=True)
    order = np.argsort(cells, kind="stable")
    offsets = offsets_from_lengths(np.bincount(cells))
    return map_coordinates(codes[order], np.ones(6), offsets, cell_centroids(codes[order], offsets), 0), order


def groups(count, each, spread=2.0):
    """Codes round a few centres that lie far apart."""
    dice = np.random.default_rng(1)
    centres = dice.uniform(-100, 100, (count, 6))
    return np.rint(np.repeat(centres, each, axis=0) + spread * dice.normal(size=(count * each, 6))).astype(np.int8)


@pytest.mark.parametrize(("count", "each"), [(3, 4), (8, 100)])
def test_songs_of_a_group_lie_nearer_to_each_other_than_to_any_other_group(count, each):
    places, order = drawn(groups(count, each))
    of_song = order // each
    middles = np.stack([places[of_song == group].mean(axis=0) for group in range(count)])
    apart = np.linalg.norm(places[:, None] - middles, axis=2)
    assert (apart.argmin(axis=1) == of_song).mean() > 0.99


def test_a_map_fills_its_square_in_the_longer_direction_and_lies_in_the_middle_of_the_other():
    places, _ = drawn(groups(8, 100))
    low, high = places.min(axis=0).astype(int), places.max(axis=0).astype(int)
    assert (places.dtype, places.shape) == (np.uint16, (800, 2))
    assert (high - low).max() == MAX_COORDINATE
    assert np.abs(low + high - MAX_COORDINATE).max() <= 2


@pytest.mark.parametrize("n_songs", [1, 2, 30])
def test_songs_that_are_all_alike_lie_in_the_middle(n_songs):
    places, _ = drawn(np.full((n_songs, 6), 3, np.int8))
    assert set(places.ravel().tolist()) <= {MAX_COORDINATE // 2, MAX_COORDINATE // 2 + 1}


def test_songs_on_a_line_keep_their_order():
    codes = np.zeros((15, 6), np.int8)
    codes[:, 2] = np.arange(0, 120, 8)
    places, order = drawn(codes)
    across = places[np.argsort(order), 0]
    assert (np.diff(across.astype(int)) > 0).all()


def test_a_few_songs_less_leave_the_map_as_it_is():
    codes = groups(10, 200, spread=12.0)
    (whole, order), kept = drawn(codes), np.arange(len(codes)) % 100 > 0
    (part, of_kept) = drawn(codes[kept])
    before, after = np.empty((2, len(codes), 2))
    before[order], after[np.flatnonzero(kept)[of_kept]] = whole, part
    moved = np.linalg.norm(before[kept] - after[kept], axis=1)
    assert np.median(moved) < 0.1 * MAX_COORDINATE
