"""Asked as people ask: titles and artists in one text, links, and what is said of how a text was understood."""

import numpy as np
import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.catalog.lookup.artists import ArtistMatch
from segue.catalog.lookup.exact import song_by_id
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.lookup.moods import KNOWN_POPULARITY, Description
from segue.catalog.lookup.resolver import resolve_text
from segue.catalog.normalization import without_version
from segue.config import Config
from segue.web.service import Service
from segue_build.fit import FitOptions, fit
from tests.support import world
from tests.support.questions import NameQuestions, ask, judge, questions

SHOWN = 3  # songs of a search that a person looks at


def client_of(artifacts):
    return Client(Request.application(Service(Config(artifacts)).handle))


def check_questions(artifacts, each, least, first, among_three):
    """Most questions are understood, and none that is not is said to be matched exactly."""
    client, catalog = client_of(artifacts), load(artifacts)
    asked = list(questions(catalog, each, least))
    wrong, unseen = [], []
    for question in asked:
        found = ask(catalog, question)
        if found is None or not question.is_right(found.reading):
            wrong.append(question)
            assert found is None or found.reading.kind != "exact", question
        songs = client.get("/search", query_string={"q": question.text, "limit": SHOWN}).json["songs"]
        if not any(question.is_right(SongMatch(song_by_id(catalog, song["id"]), "id", 1.0)) for song in songs):
            unseen.append(question)
    assert len(wrong) <= (1 - first) * len(asked), wrong
    assert len(unseen) <= (1 - among_three) * len(asked), unseen


def test_questions_of_every_pattern_are_understood(demo_artifacts):
    check_questions(demo_artifacts, each=10, least=0, first=0.97, among_three=0.99)


@pytest.mark.slow
def test_questions_about_well_known_real_songs_are_understood(real_artifacts):
    check_questions(real_artifacts, each=50, least=65, first=0.97, among_three=0.99)


def check_names(artifacts, each, least=0):
    """Of all answers 99 % are right or told as not known, and 0.3 % wrong and told as certain, at the most."""
    catalog = load(artifacts)
    asked = list(NameQuestions(catalog, each, least))
    judged = [(question, judge(catalog, question)) for question in asked]
    wrong, unsure = ([question for question, found in judged if found.kind == kind] for kind in ("wrong", "unsure"))
    assert len(wrong) <= 0.003 * len(asked), wrong
    assert len(wrong) <= 0.005 * sum(found.certain for _, found in judged), wrong
    assert len(wrong) + len(unsure) <= 0.01 * len(asked), unsure
    alone = [found.kind == "right" for question, found in judged if question.kind.startswith("artist alone")]
    assert sum(alone) >= 0.98 * len(alone)


def test_names_are_understood_or_told_as_uncertain(demo_artifacts):
    check_names(demo_artifacts, each=40)


@pytest.mark.slow
def test_real_names_are_understood_or_told_as_uncertain(real_artifacts):
    check_names(real_artifacts, each=250)


@pytest.mark.slow
def test_a_search_and_a_recommendation_read_a_text_alike(real_artifacts):
    client, catalog = client_of(real_artifacts), load(real_artifacts)
    asked = [
        question for question in (*questions(catalog, 60), *NameQuestions(catalog, 60)) if question.artist is None
    ]
    different = [question for question in asked if not reads_alike(client, question)]
    assert len(asked) >= 1000
    assert different == []


def reads_alike(client, question):
    """Whether a search finds first what a recommendation takes, if it takes anything."""
    answer = client.get("/recommend", query_string={"song": question.text, "limit": 1}).json
    found = client.get("/search", query_string={"q": question.text[:200]}).json
    if "seeds" not in answer:
        return True
    (seed,) = answer["seeds"]
    if "id" in seed:
        return found["songs"][0]["id"] == seed["id"]
    if "artist" in seed:
        return found["artists"][0]["name"] == seed["artist"]
    described = seed["understood"].get("genres", [])
    return [genre["name"] for genre in found["genres"]][: len(described)] == described


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "understood", "match", "ambiguous"),
    [
        ("ABBA", (None, "ABBA"), "exact", False),
        ("Kesha", (None, "Kesha"), "exact", False),
        ("Hans Zimmer", (None, "Hans Zimmer"), "exact", False),
        ("The Beatles", (None, "The Beatles"), "exact", False),
        ("AC/DC", (None, "AC/DC"), "exact", True),
        ("queen", (None, "Queen"), "exact", True),
        ("Coldplay", (None, "Coldplay"), "exact", True),
        ("Black Sabbath", (None, "Black Sabbath"), "exact", False),
        ("bach", (None, "Johann Sebastian Bach"), "parts", True),
        ("mozart", (None, "Wolfgang Amadeus Mozart"), "parts", True),
        ("kendrick", (None, "Kendrick Lamar"), "parts", True),
        ("bruno", (None, "Bruno Mars"), "parts", True),
        ("elvis", (None, "Elvis Presley"), "parts", True),
        ("angie", ("Angie", None), "exact", True),
        ("beethoven 5", (None, "Ludwig van Beethoven"), "guess", True),
        ("Кино", (None, "Kino"), "close", False),
        ("Flower - IU", ("Flower", None), "title", True),
        ("Jay-Z Empire State of Mind", ("Empire State of Mind", None), "title", True),
        ("empire state of mind jay z", ("Empire State of Mind", None), "title", True),
        ("кукушка", ("Кумушка", None), "guess", True),
        ("garota de ipanema", ("Garota de Cinema", None), "guess", True),
        ("M83 - Solitude", ("Solitude", "M83"), "exact", False),
        ("#1", ("#1", None), "exact", True),
        ("≠ME", ("≠ME", None), "exact", True),
        ("The Rip", ("The Rip", None), "exact", True),
        ("4 + 20", ("4 + 20", None), "exact", True),
        ("YOASOBI「夜に駆ける」 Official Music Video", ("夜に駆ける", "YOASOBI"), "close", False),
    ],
)
def test_real_names_of_every_kind_are_read(real_artifacts, asked, understood, match, ambiguous):
    (seed,) = client_of(real_artifacts).get("/recommend", query_string={"song": asked, "limit": 1}).json["seeds"]
    assert (tuple(seed["understood"].values()), seed["match"], seed["ambiguous"]) == (understood, match, ambiguous)


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["The The", "The N", "feat.", "Remix", "Sunn O)))", "u2", "WAP"])
def test_what_names_nothing_is_not_found(real_artifacts, asked):
    answer = client_of(real_artifacts).get("/recommend", query_string={"song": asked, "limit": 1})
    assert (answer.status_code, answer.json["title"]) == (404, "Unknown song")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "described"),
    [
        ("sad piano", {"genres": ["piano"], "targets": {"energy": 0.3, "valence": 0.1}}),
        ("music for studying", {"genres": ["study"], "targets": {"energy": 0.3, "instrumentalness": 0.9}}),
        (
            "happy upbeat 120 bpm",
            {"targets": {"valence": 0.85, "energy": 0.8, "tempo": 120.0, "popularity": KNOWN_POPULARITY}},
        ),
    ],
)
def test_moods_are_read(real_artifacts, asked, described):
    answer = client_of(real_artifacts).get("/recommend", query_string={"song": asked, "limit": 20}).json
    assert answer["seeds"][0]["understood"] == {"song": None, "artist": None, **described}
    wanted = set(described.get("genres", ()))
    assert all(wanted <= set(song["genres"]) for song in answer["recommendations"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "name", "artist", "match"),
    [
        ("Queen - Bohemian Rhapsody", "Bohemian Rhapsody", "Queen", "exact"),
        ("Rap God eminem", "Rap God", "Eminem", "exact"),
        ("Wonderwall oasis", "Wonderwall", "Oasis", "exact"),
        ("Blinding Lights The Weeknd", "Blinding Lights", "The Weeknd", "exact"),
        ("yesterday beatles", "Yesterday", "The Beatles", "exact"),
        ("Yesterday", "Yesterday", "The Beatles", "exact"),
        ("Yellow", "Yellow", "Coldplay", "exact"),
        ("dont stop me now", "Don't Stop Me Now", "Queen", "exact"),
        ("Clair de lune", "Clair de Lune, L. 32", "Claude Debussy", "close"),
        ("Für Elise", "Für Elise, WoO 59", "Ludwig van Beethoven", "parts"),
    ],
)
def test_a_well_known_song_is_meant(real_artifacts, asked, name, artist, match):
    client = client_of(real_artifacts)
    (seed,) = client.get("/recommend", query_string={"song": asked, "limit": 1}).json["seeds"]
    assert (without_version(seed["name"]), seed["artists"][0], seed["match"]) == (name, artist, match)
    assert client.get("/search", query_string={"q": asked}).json["songs"][0]["artists"][0] == artist


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "artist"), [("the beatles", "The Beatles"), ("abba", "ABBA"), ("acdc", "AC/DC")])
def test_a_well_known_artist_is_found(real_artifacts, asked, artist):
    found = client_of(real_artifacts).get("/search", query_string={"q": asked}).json
    assert (found["artists"][0]["name"], found["songs"][0]["artists"][0]) == (artist, artist)


@pytest.fixture(scope="module")
def odd_catalog(tmp_path_factory):
    """The small world with a title of signs alone, artists of one name, and genres named as others' moods."""
    rows = world.rows()
    for number, artist in ((3, "Moor Street"), (6, "Dora Vale"), (7, "Otto Moor"), (10, "Vale Street")):
        rows[number]["artists"] = artist  # of popularity 24, 53, 54 and 83
    rows[0]["name"], rows[1]["name"] = "???%", "Ruin & Rain"
    for row, genre in zip(rows, ["kids", "children"] * 4):
        row["genres"] = genre
    folder = tmp_path_factory.mktemp("odd")
    return fit(FitOptions([str(world.write(folder / "world.csv", rows))]), folder / "artifacts")


@pytest.mark.parametrize("asked", ["Ada Lindqvist - ???%", "???% Ada Lindqvist", "???%"])
def test_a_title_of_signs_alone_is_found_with_its_artist_and_without(odd_catalog, asked):
    reading = resolve_text(odd_catalog, asked).reading
    assert (reading.kind, odd_catalog.texts("names")[reading.row]) == ("exact", "???%")


@pytest.mark.parametrize(
    ("asked", "artists"),
    [
        ("gravel", ["Gravel Saints"]),
        ("vale", ["Vale Street", "Dora Vale"]),
        ("moor", ["Otto Moor", "Moor Street"]),
    ],
)
def test_first_names_are_a_guess_at_an_artist_and_a_surname_goes_before_all_but_far_better_known_ones(
    odd_catalog, asked, artists
):
    found = resolve_text(odd_catalog, asked)
    readings = (found.reading, *found.alternatives)
    names = [odd_catalog.texts("artists")[one.artist] for one in readings if isinstance(one, ArtistMatch)]
    assert (names, found.reading.kind, found.ambiguous) == (artists, "parts", True)


@pytest.mark.parametrize("genre", ["kids", "children"])
def test_a_genre_of_exactly_a_words_name_comes_before_others_that_say_the_same(odd_catalog, genre):
    assert resolve_text(odd_catalog, f"{genre} music").reading == Description((genre,))


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        ("quiet kids music", Description(("kids",), {"energy": 0.2})),
        ("quiet music", Description((), {"energy": 0.2, "popularity": KNOWN_POPULARITY})),
        ("90s kids music", Description(("kids",), certain=False)),
        ("sad 1985 kids music", Description(("kids",), {"energy": 0.3, "valence": 0.1}, certain=False)),
    ],
)
def test_a_description_of_which_the_table_can_tell_a_part_is_uncertain(odd_catalog, asked, description):
    """The small world has no years."""
    found = resolve_text(odd_catalog, asked)
    assert (found.reading, found.ambiguous) == (description, not description.certain)


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["happy upbeat 120 bpm", "romantic songs", "energetic music", "relaxing music"])
def test_a_mood_alone_is_answered_with_songs_that_people_know(real_artifacts, asked):
    answer = client_of(real_artifacts).get("/recommend", query_string={"song": asked, "limit": 20}).json
    assert np.median([song["popularity"] for song in answer["recommendations"]]) >= 60


def test_a_word_that_people_leave_out_names_no_title(odd_catalog):
    found = resolve_text(odd_catalog, "the gravel saimts")
    assert odd_catalog.texts("artists")[found.artist] == "Gravel Saints"
