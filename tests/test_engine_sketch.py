"""Rough scores: what they leave out must be hopeless, and what they hide must come back when more is asked for."""

import itertools

import numpy as np
import pytest

from segue.engine import sketch
from segue.engine.filtering import Allowed
from segue.engine.scoring import Scorer
from segue.engine.search import WANTED, ranked
from segue.engine.seeds import resolve
from segue.engine.space import REACH, space_of
from segue.engine.spans import Spans
from segue.query import Filters, Seed


@pytest.fixture
def scorer(demo_catalog):
    song = demo_catalog.texts("ids")[3]
    return Scorer(demo_catalog, resolve(demo_catalog, (Seed("", {}, id=song),)), {})


def test_levels_of_reaches_span_half_to_twice():
    assert sketch.levels(np.array([REACH / 9, REACH / 2, 2 * REACH, 9 * REACH])).tolist() == [0, 0, 7, 7]
    assert sketch.levels(sketch.REACHES).tolist() == list(range(sketch.LEVELS))


def test_rough_scores_are_sums_of_what_sketches_are_worth():
    worth = np.arange(6, dtype=np.float32).reshape(2, 3)
    sketches = np.array([[0, 0], [2, 1]], np.uint16)
    assert sketch.rough(worth, sketches).tolist() == [0 + 3, 2 + 4]


def everything(catalog):
    return Spans(np.array([0]), np.array([len(catalog)]))


def test_rough_scores_go_with_scores(demo_catalog, scorer):
    scores = scorer.score(np.arange(len(demo_catalog)))
    assert np.corrcoef(scorer.rough(everything(demo_catalog)), scores)[0, 1] > 0.95


@pytest.mark.parametrize(
    "seeds",
    [
        (Seed("", {}, features={"energy": 0.9, "tempo": 90.0}),),
        (Seed("", {}, genre="techno"), Seed("", {}, weight=-0.5, features={"valence": 0.1})),
    ],
    ids=["a sound", "a genre less a sound"],
)
def test_rough_scores_are_hardly_below_scores(demo_catalog, seeds):
    scorer = Scorer(demo_catalog, resolve(demo_catalog, seeds), {"energy": 0.5})
    scores = scorer.score(np.arange(len(demo_catalog)))
    best = np.argsort(-scores)[:50]
    assert np.all(scorer.rough(everything(demo_catalog))[best] >= scores[best] - 0.02)


def test_radii_are_how_far_songs_are_from_their_centres_root_mean_squared(demo_catalog):
    centres, radii = demo_catalog.array("sketch_centres"), demo_catalog.array("sketch_radii")
    number = demo_catalog.array("sketches") % len(centres)
    for column, block in enumerate(space_of(demo_catalog).blocks):
        far = (
            demo_catalog.array("vectors")[:, block.columns].astype(float) - centres[number[:, column], block.columns]
        )
        squared = np.bincount(number[:, column], (far**2).sum(axis=1), len(centres))
        counts = np.maximum(np.bincount(number[:, column], minlength=len(centres)), 1)
        assert radii[:, column] == pytest.approx(np.sqrt(squared / counts), rel=1e-5)


def test_every_song_comes_in_the_end_and_each_once(demo_catalog, scorer):
    found = list(ranked(demo_catalog, scorer, Allowed(demo_catalog, Filters())))
    assert sorted(row for row, _ in found) == np.flatnonzero(demo_catalog.array("recommendable")).tolist()


@pytest.mark.parametrize("count", [1, WANTED, 2 * WANTED])
def test_the_search_finds_the_best_scores(demo_catalog, scorer, count):
    allowed = Allowed(demo_catalog, Filters())
    rows = np.flatnonzero(demo_catalog.array("recommendable"))
    best = np.sort(scorer.score(rows))[::-1][:count]
    found = [score for _, score in itertools.islice(ranked(demo_catalog, scorer, allowed), count)]
    assert found == pytest.approx(best.tolist())
