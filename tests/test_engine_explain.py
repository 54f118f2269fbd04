"""Explanations: parts that add up, reasons that are true, and dials that do what they say."""

import json
import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from segue.catalog import load
from segue.engine import recommend
from segue.engine.explain import REASONS, SAME
from segue.engine.seeds import ranks
from segue.query import Filters
from segue.query.attributes import AUDIO
from segue.web.views.pages import PAGES
from tests import mixtapes, oracle
from tests.test_engine_recommend import ask, random_query

FEATURES = [attribute.name for attribute in AUDIO]
TELLING = "|".join(set(FEATURES) - {"key", "mode", "time_signature"})
SAYINGS = {
    rf"same ({TELLING})( and ({TELLING}))?|a similar sound": "audio",
    r"shared genres: [^,]+(, [^,]+){0,2}|related genres": "genre",
    r"also by .+|similar artist": "artist",
    r"about as well known": "fame",
    r"from about the same time": "year",
    r"on similar playlists": "played",
    r"for the same occasion": "occasion",
    r"often in the same playlists|often in playlists with this artist": "together",
    r"near to your targets": "targets",
    r"unlike what you asked to avoid": "less_like",
}
NOTHING = ("the closest of what is left",)
SONGS = [f"demo-{number:07}" for number in range(7, 600, 50)]


@pytest.fixture(scope="module")
def taught(tmp_path_factory, demo_catalog):
    """An invented catalogue, taught by invented playlists."""
    return load(mixtapes.teach_demo(tmp_path_factory.mktemp("taught"), demo_catalog))


@pytest.fixture(scope="module")
def explained(taught):
    """A thousand results of random queries, each with its query."""
    frame, dice = oracle.table(taught), random.Random(11)
    results = []
    while len(results) < 1000:
        query = replace(random_query(dice, taught, frame), explain=True)
        results += [(query, found) for found in recommend(taught, query).recommendations]
    assert any(seed.weight < 0 for query, _ in results for seed in query.seeds)
    assert any(query.targets for query, _ in results)
    return results


def part_of(reason):
    return next(part for saying, part in SAYINGS.items() if re.fullmatch(saying, reason))


def similarity(catalog, song, rows):
    """How alike a song and others are, without other seeds and targets."""
    return oracle.scores(catalog, ask({"id": song}))[rows]


def rows_of(catalog, query):
    return [found.row for found in recommend(catalog, query).recommendations]


def test_the_parts_add_up_to_the_score(explained):
    for _, found in explained:
        assert sum(found.why.parts.values()) == pytest.approx(found.score, abs=1e-6)
        assert all(-1e-6 <= part <= 1 for part in found.why.parts.values())


def test_there_are_one_to_three_reasons_the_strongest_part_first(explained):
    for _, found in explained:
        reasons, parts = found.why.reasons, found.why.parts
        assert 1 <= len(reasons) <= REASONS
        if reasons != NOTHING:
            strengths = [parts[part_of(reason)] for reason in reasons]
            assert strengths == sorted(strengths, reverse=True)
            assert strengths[-1] > 0


def test_every_kind_of_reason_is_given_in_words_a_person_understands(explained):
    told = Counter(part_of(reason) for _, found in explained for reason in found.why.reasons if reason not in NOTHING)
    assert set(told) == set(SAYINGS.values())


def test_the_description_of_the_api_lists_every_part():
    document = json.loads((PAGES / "openapi.json").read_text(encoding="utf-8"))
    assert set(document["components"]["schemas"]["Why"]["properties"]["parts"]["properties"]) == set(SAYINGS.values())


def test_the_closest_seed_is_the_one_that_alone_would_score_highest(taught):
    dice = random.Random(2)
    for _ in range(30):
        seeds = [{"id": song} for song in dice.sample(SONGS, 3)]
        seeds.append({"features": {"energy": dice.random(), "valence": dice.random()}})
        found = recommend(taught, ask(*seeds, {"id": SONGS[0], "weight": -1.0}, explain=True)).recommendations
        rows = [song.row for song in found]
        alone = np.stack([oracle.scores(taught, ask(seed))[rows] for seed in seeds])
        told = alone[[song.why.closest_seed for song in found], range(len(found))]
        np.testing.assert_allclose(told, alone.max(axis=0), atol=2e-6)


def test_the_farthest_feature_is_the_one_whose_rank_differs_most(taught):
    curve = ranks(taught)
    seed = taught.texts("ids")[100]
    for found in recommend(taught, ask({"id": seed}, limit=50, explain=True)).recommendations:
        gaps = {
            name: abs(float(np.subtract(*curve(name, taught.attribute(name)[[100, found.row]])))) for name in FEATURES
        }
        assert gaps[found.why.farthest] == max(gap for gap in gaps.values() if gap == gap) > SAME


def test_no_feature_is_both_the_same_and_the_farthest(explained, taught):
    by_one_feature = recommend(taught, ask({"features": {"energy": 0.5}}, limit=20, explain=True))
    for found in [*(found for _, found in explained), *by_one_feature.recommendations]:
        same = [word for reason in found.why.reasons if reason.startswith("same ") for word in reason.split()]
        assert found.why.farthest not in same


def test_a_song_that_differs_in_nothing_has_no_farthest_feature(taught):
    best = recommend(taught, ask({"features": {"energy": 0.5}}, limit=1, explain=True)).recommendations[0]
    assert (best.why.reasons, best.why.farthest) == (("same energy",), None)


def test_a_seed_by_features_is_explained_by_sound_alone(taught):
    sound = {"energy": 0.8, "valence": 0.9, "tempo": 124.0}
    for found in recommend(taught, ask({"features": sound}, explain=True)).recommendations:
        assert [name for name, part in found.why.parts.items() if part] == ["audio"]
        assert part_of(found.why.reasons[0]) == "audio"
        assert found.why.farthest in {*sound, None}


def test_shared_genres_and_artists_are_named(world_catalog):
    best = recommend(world_catalog, ask({"id": "disco-1"}, limit=1, explain=True)).recommendations[0]
    assert {"shared genres: disco", "also by Les Ondées"} <= set(best.why.reasons)


def test_nothing_is_said_of_what_a_far_song_does_not_share(world_catalog):
    query = ask({"id": "piano-1"}, limit=100, max_per_artist=None, explain=True)
    names = world_catalog.texts("ids")
    far = {
        reason
        for found in recommend(world_catalog, query).recommendations
        for reason in found.why.reasons
        if not names[found.row].startswith("piano")
    }
    assert not far & {"a similar sound", "related genres", "similar artist", "about as well known"}


def test_a_song_that_only_its_artist_puts_on_playlists_says_so(tmp_path):
    world = load(mixtapes.teach_world(tmp_path))
    best = recommend(world, ask({"id": "metal-2"}, limit=1, explain=True)).recommendations[0]
    assert "often in playlists with this artist" in best.why.reasons


@pytest.mark.parametrize("which", ["demo_catalog", "taught"])
def test_a_negative_seed_lowers_the_mean_similarity_to_it(which, request):
    catalog = request.getfixturevalue(which)
    for song in SONGS:
        away = catalog.texts("ids")[rows_of(catalog, ask({"id": song}))[3]]
        before = rows_of(catalog, ask({"id": song}, filters=Filters(exclude_ids=(away,))))
        after = rows_of(catalog, ask({"id": song}, {"id": away, "weight": -0.5}))
        assert similarity(catalog, away, after).mean() < similarity(catalog, away, before).mean()


@pytest.mark.parametrize("which", ["demo_catalog", "taught"])
@pytest.mark.parametrize("name", ["energy", "acousticness", "valence", "danceability", "popularity"])
def test_a_target_moves_the_mean_towards_it_step_by_step(which, name, request):
    catalog = request.getfixturevalue(which)
    top = 100 if name == "popularity" else 1
    for song in SONGS:
        queries = [
            ask({"id": song}, limit=20, max_per_artist=None, targets={name: top * step / 4}) for step in range(5)
        ]
        ranked = [ranks(catalog)(name, catalog.attribute(name)[rows_of(catalog, query)]) for query in queries]
        levels = [round(float(found.mean()), 9) for found in ranked]
        assert levels == sorted(levels)
        assert levels[0] < levels[-1]
