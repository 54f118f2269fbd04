"""Merging the rows of a song, whatever they are."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from segue_build.sources.joining import merge_by_id, merge_duplicate_rows
from segue_build.sources.multivalue import SEPARATOR
from segue_build.sources.tracks import add_missing_ids

ROWS = st.lists(
    st.fixed_dictionaries({
        "id": st.sampled_from(["a", "b", "c", None]),
        "name": st.sampled_from(["Rain", "Tide"]),
        "genres": st.sampled_from(["folk", "jazz", f"folk{SEPARATOR}rock", None]),
        "popularity": st.sampled_from([0.0, 10.0, None]),
    }),
    min_size=1,
    max_size=8,
)  # fmt: skip
TYPES = {"id": "str", "name": "str", "genres": "str", "popularity": "float64"}


def genres_by_id(rows):
    merged = merge_duplicate_rows(add_missing_ids(pd.DataFrame(rows).astype(TYPES)))
    return {song: set(str(genres).split(SEPARATOR)) for song, genres in zip(merged["id"], merged["genres"])}


@settings(max_examples=30)
@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_matter_for_genres(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert genres_by_id(rows) == genres_by_id(shuffled)


@settings(max_examples=30)
@given(ROWS)
def test_merging_keeps_each_id_once_and_makes_none_up(rows):
    frame = add_missing_ids(pd.DataFrame(rows).astype(TYPES))
    assert merge_by_id(frame)["id"].tolist() == frame["id"].drop_duplicates().tolist()
    assert sorted(merge_duplicate_rows(frame)["id"]) == sorted(frame["id"].drop_duplicates())
    for merged in (merge_by_id(frame), merge_duplicate_rows(frame)):
        assert_frame_equal(merge_by_id(merged), merged)


@settings(max_examples=30)
@given(ROWS)
def test_a_merged_song_has_the_most_popular_value_of_its_rows(rows):
    frame = add_missing_ids(pd.DataFrame(rows).astype(TYPES))
    merged = merge_duplicate_rows(frame).set_index("id")["popularity"]
    expected = frame.groupby("id")["popularity"].max()
    assert merged.sort_index().fillna(-1).to_dict() == expected.fillna(-1).to_dict()
