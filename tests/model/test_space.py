"""The space: its formula by hand, and its blocks at one scale."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue import catalog as catalogs
from segue.engine.recommendation import recommend, similarity
from segue.engine.space import (
    AUDIO_COLUMNS,
    LOCAL_SCALE,
    RankTransform,
    Space,
    encode_audio,
    rank_transform,
    space_of,
    squared_distances,
)
from segue.query.schema import ATTRIBUTES_BY_NAME, AUDIO_FEATURES, NUMERIC_ATTRIBUTES, Query, Seed
from segue_build.model.embedding import embed, fit_ranks
from segue_build.model.local_scale import SampleSimilarities, local_scales, sample_size
from segue_build.sources import demo, series
from segue_build.sources.ingest_report import IngestReport
from segue_build.sources.multivalue import SEPARATOR
from tests.support import tables

FEATURES = [attribute.name for attribute in AUDIO_FEATURES]


def straight_ranks():
    """Ranks that rise straight from the lowest value an attribute may have to the highest."""
    ends = np.array([[attribute.low, attribute.high] for attribute in NUMERIC_ATTRIBUTES], float)
    return RankTransform(ends, np.tile([0.0, 1.0], (len(NUMERIC_ATTRIBUTES), 1)))


def encoded(**features):
    """Columns of one song by (feature, part), without their weights."""
    values = encode_audio({name: np.array([float(value)]) for name, value in features.items()}, straight_ranks())[0]
    return {(name, part): value / weight for (name, part, weight), value in zip(AUDIO_COLUMNS, values)}


def test_a_song_is_encoded_as_by_hand():
    song = {**tables.SOUND, "duration_ms": 200_000}
    found = encoded(**song)
    ranked = {name for name, part, _ in AUDIO_COLUMNS if part == "rank"}
    by_hand = {
        (name, "rank"): (song[name] - ATTRIBUTES_BY_NAME[name].low)
        / (ATTRIBUTES_BY_NAME[name].high - ATTRIBUTES_BY_NAME[name].low)
        for name in ranked
    }
    octave, fifths = math.log2(120.5), 2 * 7 % 12 / 12  # D major is two fifths from C
    by_hand |= {
        ("tempo", "octave cos"): math.cos(2 * math.pi * octave),
        ("tempo", "octave sin"): math.sin(2 * math.pi * octave),
        ("key", "fifths cos"): math.cos(2 * math.pi * fifths),
        ("key", "fifths sin"): math.sin(2 * math.pi * fifths),
    }
    assert found == pytest.approx(by_hand)


def circle(features, name):
    return pytest.approx([value for (feature, part), value in features.items() if feature == name and part != "rank"])


@pytest.mark.parametrize(("minor", "major"), [(9, 0), (4, 7), (0, 3), (11, 2)])
def test_a_minor_key_stands_where_its_relative_major_does(minor, major):
    assert circle(encoded(key=minor, mode=0), "key") == circle(encoded(key=major, mode=1), "key").expected


def test_neighbours_on_the_circle_of_fifths_are_nearer_than_neighbours_in_pitch():
    def gap(key):
        return np.linalg.norm(
            np.subtract(circle(encoded(key=0, mode=1), "key").expected, circle(encoded(key=key), "key").expected)
        )

    assert gap(7) == pytest.approx(gap(5))
    assert gap(7) < gap(2) < gap(1) < gap(6)


@pytest.mark.parametrize("tempo", [60, 75.5, 110])
def test_a_tempo_stands_where_its_double_does(tempo):
    assert circle(encoded(tempo=tempo), "tempo") == circle(encoded(tempo=2 * tempo), "tempo").expected


def test_what_is_not_known_is_not_a_number_and_touches_no_other_column():
    found = encoded(energy=0.5, key=-1, tempo=0)
    known = {column for column, value in found.items() if not math.isnan(value)}
    assert known == {("energy", "rank"), ("tempo", "rank")}


def frame_of(values):
    frame = pd.DataFrame({attribute.name: np.full(len(values), np.nan) for attribute in NUMERIC_ATTRIBUTES})
    return frame.assign(energy=np.array(values, float))


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=600), st.lists(st.floats(-1, 2), max_size=50))
def test_ranks_never_fall_and_stay_within_0_and_1(values, asked):
    levels = fit_ranks(frame_of(values))("energy", np.sort([*values, *asked]))
    assert (np.diff(levels) >= 0).all()
    assert levels.min() >= 0
    assert levels.max() <= 1


@given(st.lists(st.integers(0, 20), min_size=1, max_size=300))
def test_ties_share_the_mean_of_their_ranks(values):
    levels = fit_ranks(frame_of(values))("energy", np.array(values, float))
    by_hand = (pd.Series(values).rank(method="average") - 0.5) / len(values)
    np.testing.assert_allclose(levels, by_hand)


def test_the_rank_of_the_unknown_is_unknown():
    assert math.isnan(fit_ranks(frame_of([0.1, 0.2]))("energy", np.array([np.nan]))[0])


@pytest.fixture(params=["demo_artifacts", pytest.param("real_artifacts", marks=pytest.mark.slow)])
def catalog(request):
    return catalogs.load(request.getfixturevalue(request.param))


def test_random_pairs_differ_by_a_blocks_spread_mean_squared(catalog):
    first, second = np.random.default_rng(0).integers(0, len(catalog), (2, 100_000))
    vectors = catalog.array("vectors").astype(np.float32)
    squared = (vectors[first] - vectors[second]) ** 2
    has_popularity = ~np.isnan(catalog.attribute("popularity"))
    for block in space_of(catalog).blocks:
        chosen = squared[has_popularity[first] & has_popularity[second]] if block.name == "popularity" else squared
        found = chosen[:, block.columns].sum(axis=1).mean() / space_of(catalog).spread[block.columns].sum()
        assert found == pytest.approx(1, abs=0.03), block.name


def test_the_widest_column_of_each_block_uses_all_codes(catalog):
    vectors = catalog.array("vectors")
    for block in space_of(catalog).blocks:
        codes = vectors[:, block.columns]
        assert (codes.min(), codes.max()) == (-127, 127), block.name


def test_squared_distances_are_whole_numbers_whatever_the_batch(catalog):
    vectors = catalog.array("vectors").astype(np.float32)
    points, known = vectors[:7], np.ones((7, vectors.shape[1]), np.float32)
    exact = ((vectors[:, None, :].astype(np.int64) - points.astype(np.int64)) ** 2).sum(axis=2)
    np.testing.assert_array_equal(squared_distances(vectors, points, known), exact)
    np.testing.assert_array_equal(squared_distances(vectors[:1], points[:1], known[:1]), exact[:1, :1])


def test_shares_add_up_to_1_and_blocks_follow_each_other(catalog):
    space = space_of(catalog)
    assert sum(block.weight for block in space.blocks) + space.joint_weight == pytest.approx(1)
    assert [block.start for block in space.blocks[1:]] == [block.stop for block in space.blocks[:-1]]


def test_a_space_reads_back_from_its_manifest(catalog):
    space = space_of(catalog)
    assert Space.from_manifest(space.to_manifest()).to_manifest() == catalog.manifest["space"]


def features_of(catalog, row):
    names = [name for name in (*FEATURES, "duration_ms") if name in catalog.manifest["attributes"]]
    return {name: float(catalog.attribute(name)[row]) for name in names}


def heard(catalog, count):
    rows = np.flatnonzero(catalog.array("recommendable"))
    return np.random.default_rng(1).choice(rows, count, replace=False)


def test_a_seed_by_features_stands_where_the_song_itself_does(catalog):
    space, ranks = space_of(catalog), rank_transform(catalog)
    audio = space.block("audio").columns
    for row in heard(catalog, 50):
        vector, known = space.embed_features(features_of(catalog, row), ranks)
        apart = np.abs(vector[audio].astype(int) - catalog.array("vectors")[row][audio])
        assert apart[known[audio]].max() <= 1
        assert not known[audio.stop :].any()


def audio_distances(catalog, features):
    """How far every song is from a seed of twelve features, before features become codes."""
    ranks = rank_transform(catalog)
    songs = {name: catalog.attribute(name).astype(np.float64) for name in features}
    gaps = encode_audio(songs, ranks) - encode_audio(
        {name: np.array([value]) for name, value in features.items()}, ranks
    )
    return np.sqrt(np.nansum(gaps**2, axis=1))


def test_a_seed_by_raw_features_finds_the_ten_that_brute_force_finds(catalog):
    found, true = [], []
    recommendable = catalog.array("recommendable")
    for row in heard(catalog, 200):
        features = {name: value for name, value in features_of(catalog, row).items() if name in FEATURES}
        answer = recommend(catalog, Query((Seed("", {}, features=features),), max_per_artist=None))
        distances = audio_distances(catalog, features)
        found.append(distances[[song.row for song in answer.recommendations]].mean())
        true.append(np.sort(distances[recommendable])[:10].mean())
    assert np.mean(found) <= 1.1 * np.mean(true)


def tidy(table):
    joined = {name: table[name].map(SEPARATOR.join) for name in ("artists", "genres")}
    return table.assign(**joined, explicit=table["explicit"].astype(float))


def test_songs_are_placed_alike_by_the_same_seed_and_flagged_block_by_block():
    table = tidy(next(iter(demo.demo_chunks(300, 0, 300))))
    table.loc[0, ["artists", "genres"]] = None
    first, again = embed(table, IngestReport(), 3), embed(table, IngestReport(), 3)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    heard = (table["tempo"] != 0).to_numpy()
    assert heard[0]
    assert first.present[0] == 0b1111001
    assert first.present[1:].tolist() == np.where(heard, 0b1111111, 0b1111110)[1:].tolist()


def test_vectors_are_the_same_whatever_the_batches(monkeypatch):
    table = tidy(next(iter(demo.demo_chunks(300, 0, 300))))
    whole = embed(table, IngestReport(), 3)
    monkeypatch.setattr(series, "BATCH_ROWS", 17)
    np.testing.assert_array_equal(embed(table, IngestReport(), 3).vectors, whole.vectors)


def test_similarities_to_a_sample_by_look_ups_are_those_of_the_space_to_the_last_digit(demo_catalog):
    space, vectors = space_of(demo_catalog), demo_catalog.array("vectors")[:500]
    for compared in (space, replace(space, blocks=tuple(replace(block, exponent=0.0) for block in space.blocks))):
        expected = similarity(compared, vectors, vectors[::3], np.full(len(vectors), LOCAL_SCALE, np.float32))
        np.testing.assert_array_equal(SampleSimilarities(compared, vectors[::3])(vectors), expected)


def test_fewer_songs_stand_for_a_larger_catalogue_but_never_few():
    sizes = {n_songs: sample_size(n_songs) for n_songs in (0, 20_000, 600_000, 800_000, 1_200_000, 10_000_000)}
    assert list(sizes.values()) == [2_000, 2_000, 2_000, 1_500, 1_000, 1_000]


def test_a_song_is_heard_as_far_as_its_neighbours_by_hand(demo_catalog):
    space = space_of(demo_catalog)
    vectors, usable = demo_catalog.array("vectors"), demo_catalog.array("recommendable")
    similar = similarity(space, vectors, vectors[usable], np.full(len(vectors), LOCAL_SCALE))
    similar[np.flatnonzero(usable), np.arange(usable.sum())] = 0
    crowds = np.sort(similar, axis=1)[:, -round(0.02 * usable.sum()) :].mean(axis=1)
    by_hand = LOCAL_SCALE * np.clip(np.log(crowds) / np.log(crowds).mean(), 0.5, 2)
    np.testing.assert_allclose(local_scales(space, vectors, usable, 0), by_hand, rtol=2e-3)
