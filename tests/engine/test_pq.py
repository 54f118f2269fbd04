"""Rough scores: they go with the scores that they stand for."""

import numpy as np
import pytest

from segue.engine import scoring
from segue.engine.scoring import Scorer
from segue.engine.seeds import resolve
from segue.query.schema import Seed


def test_approximate_scores_are_sums_over_pq_codes():
    worth = np.arange(6, dtype=np.float32)
    sketches = np.array([[0, 3], [2, 4]], np.uint16)
    assert scoring.sum_look_ups(worth, sketches).tolist() == [0 + 3, 2 + 4]


@pytest.mark.parametrize(
    ("seeds", "targets"),
    [
        ((Seed("", {}, id="demo-0000003"),), {}),
        ((Seed("", {}, features={"energy": 0.9, "tempo": 90.0}),), {}),
        ((Seed("", {}, genre="techno"), Seed("", {}, weight=-0.5, features={"valence": 0.1})), {"energy": 0.5}),
    ],
    ids=["a song", "a sound", "a genre less a sound, with a target"],
)
def test_approximate_scores_are_close_to_scores(demo_catalog, seeds, targets):
    scorer = Scorer(demo_catalog, resolve(demo_catalog, seeds), targets)
    everything = np.arange(len(demo_catalog))
    assert np.corrcoef(scorer.approximate_scores(everything), scorer.score(everything))[0, 1] > 0.9
