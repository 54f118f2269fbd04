"""Spans of rows: places count through them all, in their order."""

import numpy as np

from segue.engine.spans import NONE, Spans

SPANS = Spans(np.array([10, 3, 7]), np.array([12, 3, 9]))


def test_places_count_through_all_spans_and_skip_empty_ones():
    assert len(SPANS) == 4
    assert SPANS.rows(np.array([0, 1, 2, 3])).tolist() == [10, 11, 7, 8]
    assert SPANS.rows(np.array([3, 0])).tolist() == [8, 10]


def test_a_column_is_read_in_the_order_of_places():
    column = np.arange(100, 120)
    assert SPANS.of(column).tolist() == column[SPANS.rows(np.arange(4))].tolist()


def test_spans_are_joined_end_to_end():
    joined = NONE + SPANS + Spans(np.array([0]), np.array([2]))
    assert joined.rows(np.arange(len(joined))).tolist() == [10, 11, 7, 8, 0, 1]
