"""Explanations: parts that add up, reasons that are true, and dials that do what they say."""

import json
import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from segue.catalog import load
from segue.catalog.lookup.exact import song_by_id
from segue.engine.explanations import (
    BLOCK_PHRASES,
    MAX_REASONS,
    MIN_BITS,
    MIN_SIMILARITY,
    MIN_VALUES,
    PART_KEYS,
    SAME_RANK,
    TAIL_RANK,
    TAIL_WORDS,
    Comparison,
    Sample,
    bitsets,
    explain,
)
from segue.engine.recommendation import recommend
from segue.engine.scoring import Scorer
from segue.engine.seeds import resolve
from segue.engine.space import LOCAL_SCALE, rank_transform, space_of
from segue.query.schema import AUDIO_FEATURES, Filters
from segue.web.views.pages import PAGE_FOLDER
from tests.engine.test_recommend import ask, random_query
from tests.support import brute_force, invented_playlists

FEATURES = [attribute.name for attribute in AUDIO_FEATURES]
WORDS = {word: feature for feature, ends in TAIL_WORDS.items() for word in ends[:2] if word}
WORD = "|".join(WORDS)
SAYINGS = {
    rf"both ({WORD})( and ({WORD}))?|same tempo, \d+ bpm|a similar sound": "audio",
    r"shared genres: [^,]+(, [^,]+){0,2}|related genres": "genre",
    r"also by .+|similar artist": "artist",
    r"about as well known": "popularity",
    r"from about the same time": "year",
    r"for the same occasion or use": "occasion",
    r"on similar playlists": "played",
    r"often in the same playlists|often in playlists with this artist": "co_occurrence",
    r"near to your targets": "targets",
    r"unlike what you asked to avoid": "less_like",
}
UNTOLD = {"explicit", "words", "joint"}  # parts that no reason is about
NOTHING = ("the closest of what is left",)
SONGS = [f"demo-{number:07}" for number in range(7, 600, 50)]


@pytest.fixture(scope="module")
def taught(tmp_path_factory, demo_catalog):
    """An invented catalogue, taught by invented playlists."""
    return load(invented_playlists.teach_demo(tmp_path_factory.mktemp("taught"), demo_catalog))


@pytest.fixture(scope="module")
def explained(taught):
    """A thousand results of random queries, each with its query."""
    frame, dice = brute_force.table(taught), random.Random(11)
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
    return brute_force.scores(catalog, ask({"id": song}))[rows]


def rows_of(catalog, query):
    return [found.row for found in recommend(catalog, query).recommendations]


def test_the_parts_add_up_to_the_score(explained):
    for query, found in explained:
        parts = dict(found.why.parts)
        assert sum(parts.values()) == pytest.approx(found.score, abs=1e-6)
        if any(seed.weight > 0 for seed in query.seeds):
            assert -1 <= parts.pop("less_like", 0) <= 1e-6
        assert all(-1e-6 <= part <= 1 for part in parts.values())


def test_there_are_one_to_three_reasons_of_which_no_two_say_the_same(explained):
    for _, found in explained:
        reasons, parts = found.why.reasons, found.why.parts
        assert 1 <= len(reasons) <= MAX_REASONS
        if reasons != NOTHING:
            told = Counter(map(part_of, reasons))
            assert all(parts[part] > 0 for part in told if part != "less_like")
            assert told.pop("audio", 0) <= 1 + any(reason.startswith("same tempo") for reason in reasons)
            assert set(told.values()) <= {1}
            assert not {"played", "co_occurrence"} <= set(told)


def test_reasons_are_the_rarest_things_that_are_true(taught):
    seed = resolve(taught, ask({"id": SONGS[0]}).seeds)[0]
    for found in recommend(taught, ask({"id": SONGS[0]}, limit=50, explain=True)).recommendations:
        reasons = Comparison(taught, [seed], np.array([0]), np.array([found.row])).reasons(0)
        assert [reason.bits for reason in reasons] == sorted((reason.bits for reason in reasons), reverse=True)
        telling = [reason.text for reason in reasons if reason.bits >= MIN_BITS and found.why.parts[reason.part]]
        assert found.why.reasons == (tuple(telling[:MAX_REASONS]) or NOTHING)


def test_words_are_true_of_both_songs(taught):
    curve, said = rank_transform(taught), 0
    row = song_by_id(taught, SONGS[1])
    for found in recommend(taught, ask({"id": SONGS[1]}, limit=100, explain=True)).recommendations:
        for word in re.findall(rf"\b({WORD})\b", " ".join(r for r in found.why.reasons if r.startswith("both "))):
            feature = WORDS[word]
            levels = curve(feature, taught.attribute(feature)[[row, found.row]].astype(np.float64))
            low = TAIL_WORDS[feature][0] == word
            assert levels.max() <= TAIL_RANK if low else levels.min() >= 1 - TAIL_RANK
            assert low or taught.attribute(feature)[[row, found.row]].min() >= MIN_VALUES.get(feature, -np.inf)
            said += 1
    assert said > 20


def test_songs_are_similar_in_a_block_by_how_far_apart_random_pairs_are_in_it(taught):
    space, said = space_of(taught), Counter()
    seed, row = resolve(taught, ask({"id": SONGS[1]}).seeds)[0], song_by_id(taught, SONGS[1])
    rows = np.array(rows_of(taught, ask({"id": SONGS[1]}, limit=100)))
    gaps = taught.array("vectors")[rows].astype(float) - taught.array("vectors")[row]
    known = space.known_blocks(taught.array("present")[[row, *rows]])
    comparison = Comparison(taught, [seed], np.zeros(len(rows), int), rows)
    told = [{reason.part: reason.text for reason in comparison.reasons(song)} for song in range(len(rows))]
    for number, block in enumerate(space.blocks):
        unit = np.sqrt(space.spread[block.columns].sum())
        closeness = np.exp(-np.sqrt((gaps[:, block.columns] ** 2).sum(axis=1)) / unit / LOCAL_SCALE)
        near = (closeness >= MIN_SIMILARITY) & known[number, 0] & known[number, 1:]
        for parts, is_near in zip(told, near) if block.name in BLOCK_PHRASES else ():
            assert is_near or parts.get(block.name) != BLOCK_PHRASES[block.name]
            assert not is_near or block.name in parts or (block.name == "played" and "co_occurrence" in parts)
            said[block.name] += bool(is_near)
    assert all(said[name] for name in ("audio", "genre", "artist", "popularity", "year"))


def test_a_tempo_is_the_same_within_two_beats_a_minute(world_catalog):
    seed = resolve(world_catalog, ask({"id": "piano-1"}).seeds)[0]
    for song, near in (("piano-2", True), ("disco-1", False)):
        row = song_by_id(world_catalog, song)
        told = {
            reason.text for reason in Comparison(world_catalog, [seed], np.array([0]), np.array([row])).reasons(0)
        }
        assert ("same tempo, 72 bpm" in told) == near
        assert not near or not any("slow" in text for text in told)


def test_what_is_true_of_half_of_all_songs_is_worth_one_bit(taught):
    sample = Sample.of(taught, ("energy",))
    true_of = np.arange(len(sample.tempos)) < [[len(sample.tempos) // 2], [0], [len(sample.tempos)]]
    half, none, whole = map(sample.bits, bitsets(true_of))
    assert half == pytest.approx(1, abs=0.01)
    assert none == np.log2(len(sample.tempos) + 1)
    assert whole == 0


def test_songs_are_explained_together_as_they_are_alone(taught):
    for seeds in ([{"id": SONGS[2]}], [{"genre": taught.manifest["genres"][0]}, {"id": SONGS[3], "weight": -0.5}]):
        query = ask(*seeds, explain=True, targets={"energy": 0.5})
        resolved = resolve(taught, query.seeds)
        scorer, found = Scorer(taught, resolved, query.targets), recommend(taught, query).recommendations
        alone = [explain(taught, scorer, resolved, np.array([song.row]), np.array([song.score]))[0] for song in found]
        assert [song.why.as_json() for song in found] == [why.as_json() for why in alone]


def test_an_empty_list_needs_no_explanation(taught):
    nothing = Filters(ranges={"energy": (2.0, 3.0)})
    assert recommend(taught, ask({"id": SONGS[0]}, filters=nothing, explain=True)).recommendations == ()


def test_every_kind_of_reason_is_given_in_words_a_person_understands(explained):
    told = Counter(part_of(reason) for _, found in explained for reason in found.why.reasons if reason not in NOTHING)
    unsaid = {"occasion"}  # no invented song is for any
    assert set(told) == set(SAYINGS.values()) - unsaid


def test_the_description_of_the_api_lists_every_part():
    document = json.loads((PAGE_FOLDER / "openapi.json").read_text(encoding="utf-8"))
    documented = set(document["components"]["schemas"]["Why"]["properties"]["parts"]["properties"])
    assert documented == {PART_KEYS.get(part, part) for part in (*SAYINGS.values(), *UNTOLD)}


def test_the_closest_seed_is_the_one_that_alone_would_score_highest(taught):
    dice = random.Random(2)
    for _ in range(30):
        seeds = [{"id": song} for song in dice.sample(SONGS, 3)]
        seeds.append({"features": {"energy": dice.random(), "valence": dice.random()}})
        found = recommend(taught, ask(*seeds, {"id": SONGS[0], "weight": -1.0}, explain=True)).recommendations
        rows = [song.row for song in found]
        alone = np.stack([brute_force.scores(taught, ask(seed))[rows] for seed in seeds])
        told = alone[[song.why.closest_seed for song in found], range(len(found))]
        np.testing.assert_allclose(told, alone.max(axis=0), atol=2e-6)


def features_of(reasons):
    """The features that reasons are about."""
    words = " ".join(reasons)
    return {feature for word, feature in (WORDS | {"bpm": "tempo"}).items() if re.search(rf"\b{word}\b", words)}


def test_the_farthest_feature_is_the_one_whose_rank_differs_most_of_those_that_no_reason_is_about(taught):
    curve = rank_transform(taught)
    seed = taught.texts("ids")[100]
    for found in recommend(taught, ask({"id": seed}, limit=50, explain=True)).recommendations:
        gaps = {
            name: abs(float(np.subtract(*curve(name, taught.attribute(name)[[100, found.row]]))))
            for name in set(FEATURES) - features_of(found.why.reasons)
        }
        assert gaps[found.why.farthest] == max(gap for gap in gaps.values() if gap == gap) > SAME_RANK


def test_a_song_that_differs_in_nothing_has_no_farthest_feature(taught):
    best = recommend(taught, ask({"features": {"energy": 0.5}}, limit=1, explain=True)).recommendations[0]
    assert (best.why.reasons, best.why.farthest) == (("a similar sound",), None)


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
    world = load(invented_playlists.teach_world(tmp_path))
    best = recommend(world, ask({"id": "metal-2"}, limit=1, explain=True)).recommendations[0]
    assert "often in playlists with this artist" in best.why.reasons


@pytest.mark.parametrize("which", ["demo_catalog", "taught"])
def test_a_dislike_lowers_the_mean_similarity_to_it(which, request):
    catalog, before, after = request.getfixturevalue(which), [], []
    for song in SONGS:
        away = catalog.texts("ids")[rows_of(catalog, ask({"id": song}))[3]]
        without = rows_of(catalog, ask({"id": song}, filters=Filters(exclude_ids=(away,))))
        disliked = rows_of(catalog, ask({"id": song}, {"id": away, "weight": -1.0}))
        before.append(similarity(catalog, away, without).mean())
        after.append(similarity(catalog, away, disliked).mean())
    assert np.mean(after) < np.mean(before)


@pytest.mark.parametrize("which", ["demo_catalog", "taught"])
@pytest.mark.parametrize("name", ["energy", "acousticness", "valence", "danceability", "popularity"])
def test_a_target_moves_the_mean_towards_it_step_by_step(which, name, request):
    catalog = request.getfixturevalue(which)
    top = 100 if name == "popularity" else 1
    for song in SONGS:
        queries = [
            ask({"id": song}, limit=20, max_per_artist=None, targets={name: top * step / 4}) for step in range(5)
        ]
        ranked = [
            rank_transform(catalog)(name, catalog.attribute(name)[rows_of(catalog, query)]) for query in queries
        ]
        levels = [round(float(found.mean()), 9) for found in ranked]
        assert levels == sorted(levels)
        assert levels[0] < levels[-1]
