"""What a score is made of, beside the formula written down a second time."""

import itertools

import numpy as np
import pytest

from segue.catalog.lookup.exact import song_by_id
from segue.engine.recommendation import recommend, similarity
from segue.engine.scoring import DISLIKE_STRENGTH, SCORE_DIGITS, Scorer
from segue.engine.seeds import resolve
from segue.engine.space import space_of
from segue_build.model.weights import JOINT, JOINT_EXPONENTS, WEIGHTS
from tests.engine.test_recommend import ask, ids

SONGS = ("piano-1", "disco-1", "metal-1")
ROUNDED = 1.5 * 10**-SCORE_DIGITS


def nearness(catalog, song):
    """Of each block the nearness of all songs to one that has everything; float64, shape (n_blocks, n_songs)."""
    space, vectors = space_of(catalog), np.asarray(catalog.array("vectors"), float)
    scales = np.asarray(catalog.array("local_scales"), float)
    squares = np.square(vectors - vectors[song_by_id(catalog, song)])
    return np.stack([
        np.exp(
            -np.sqrt(squares[:, block.columns].sum(axis=1) / space.spread[block.columns].sum()) / scales / block.scale
        )
        for block in space.blocks
    ])  # fmt: skip


def likeness(catalog, song):
    """The similarity of all songs to one."""
    space, near = space_of(catalog), nearness(catalog, song)
    exponents = np.array([block.exponent for block in space.blocks])
    joint = np.prod(near ** exponents[:, None], axis=0)
    return space.block_weights @ near + space.joint_weight * joint


def scores(catalog, *seeds):
    """The scores of all songs."""
    return Scorer(catalog, resolve(catalog, ask(*seeds).seeds), {}).score(np.arange(len(catalog)))


@pytest.mark.parametrize("song", SONGS)
def test_a_song_is_alike_by_the_sum_over_blocks_and_by_the_product_over_them(world_catalog, song):
    expected = likeness(world_catalog, song)
    assert scores(world_catalog, {"id": song}) == pytest.approx(expected, abs=ROUNDED)
    vectors, scales = world_catalog.array("vectors"), world_catalog.array("local_scales")
    row = song_by_id(world_catalog, song)
    found = similarity(space_of(world_catalog), vectors, vectors[[row]], scales)[:, 0]
    assert found == pytest.approx(expected, abs=ROUNDED)


def test_blocks_and_the_joint_term_have_the_weights_of_the_build(world_catalog):
    space = space_of(world_catalog)
    blocks = {block.name: block for block in space.blocks}
    total = sum(WEIGHTS[name] for name in blocks)
    assert space.joint_weight == WEIGHTS[JOINT]
    for name, block in blocks.items():
        assert block.weight == pytest.approx((1 - WEIGHTS[JOINT]) * WEIGHTS[name] / total)
        assert block.exponent == JOINT_EXPONENTS.get(name, 0)


def test_raw_features_are_alike_in_the_blocks_that_they_have(world_catalog):
    found = scores(world_catalog, {"features": {"energy": 0.9, "tempo": 120}})
    assert 0 < found.min() <= found.max() <= 1


@pytest.mark.parametrize(("liked", "disliked"), list(itertools.permutations(SONGS, 2)))
@pytest.mark.parametrize("weight", [-0.5, -1.0, -10.0])
def test_a_dislike_takes_what_is_more_like_it_than_like_the_other_seed(world_catalog, liked, disliked, weight):
    nearer = nearness(world_catalog, disliked) - nearness(world_catalog, liked)
    excess = space_of(world_catalog).block_weights @ nearer
    loss = np.clip(-weight * DISLIKE_STRENGTH * excess, 0, 1) ** 2
    found = scores(world_catalog, {"id": liked}, {"id": disliked, "weight": weight})
    assert found == pytest.approx(likeness(world_catalog, liked) * (1 - loss), abs=ROUNDED)


def test_a_dislike_of_a_song_takes_from_raw_features_what_sounds_more_like_it(world_catalog):
    liked = {"features": {"energy": 0.5, "tempo": 120}}
    alone = scores(world_catalog, liked)
    excess = space_of(world_catalog).block_weights.sum() * (nearness(world_catalog, "disco-1")[0] - alone)
    loss = np.clip(DISLIKE_STRENGTH * excess, 0, 1) ** 2
    found = scores(world_catalog, liked, {"id": "disco-1", "weight": -1.0})
    assert found == pytest.approx(alone * (1 - loss), abs=ROUNDED)
    assert (found < alone).any()


@pytest.mark.parametrize("other", [{"id": "disco-1"}, {"genre": "metal"}, {"features": {"energy": 0.9}}])
def test_nothing_gains_by_a_dislike_and_a_stronger_one_takes_more(demo_catalog, other):
    row = np.random.default_rng(0).integers(len(demo_catalog))
    seed = {"id": demo_catalog.texts("ids")[row]}
    if "id" in other:
        other = {"id": demo_catalog.texts("ids")[(row + 7) % len(demo_catalog)]}
    if "genre" in other:
        other = {"genre": demo_catalog.manifest["genres"][0]}
    falling = [scores(demo_catalog, seed, *({**other, "weight": weight} for weight in all_of))
               for all_of in ([], [-0.1], [-1.0], [-10.0])]  # fmt: skip
    assert all((after <= before).all() for before, after in itertools.pairwise(falling))
    assert (falling[-1] >= 0).all()
    assert (falling[0] > falling[-1]).any()


def test_parts_of_a_score_add_up_to_it_and_tell_what_dislikes_take(demo_catalog):
    seeds = ({"id": demo_catalog.texts("ids")[5]}, {"genre": demo_catalog.manifest["genres"][3], "weight": -3.0})
    query, rows = ask(*seeds), np.arange(0, len(demo_catalog), 7)
    scorer = Scorer(demo_catalog, resolve(demo_catalog, query.seeds), {})
    parts = scorer.parts(rows)
    assert sum(parts.values()) == pytest.approx(scorer.score(rows), abs=ROUNDED)
    assert parts["joint"].min() >= 0
    assert parts["less_like"].min() < 0 == parts["less_like"].max()


def test_a_disliked_song_among_ten_leaves_most_of_the_others(demo_catalog):
    names = demo_catalog.texts("ids")
    for row in range(0, len(demo_catalog), len(demo_catalog) // 10):
        before = ids(recommend(demo_catalog, ask({"id": names[row]})), demo_catalog)
        after = ids(recommend(demo_catalog, ask({"id": names[row]}, {"id": before[4], "weight": -1.0})), demo_catalog)
        assert before[4] not in after
        assert len(set(before) & set(after)) >= 6
