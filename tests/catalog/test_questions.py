"""Asked as people ask: titles and artists in one text, links, and what is said of how a text was understood."""

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.catalog.lookup.exact import song_by_id
from segue.catalog.normalization import without_version
from segue.config import Config
from segue.web.service import Service
from tests.support.questions import is_meant, name_questions, questions

SHOWN = 3  # songs of a search that a person looks at


def client_of(artifacts):
    return Client(Request.application(Service(Config(artifacts)).handle))


def asked_of(client, catalog, question):
    """The seed's row and how it was found, and the rows of a search; None and "" where nothing is."""
    answer = client.get("/recommend", query_string={"song": question.text, "limit": 1}).json
    seed = answer["seeds"][0] if "seeds" in answer else {}
    songs = client.get("/search", query_string={"q": question.text, "limit": SHOWN}).json["songs"]
    rows = [song_by_id(catalog, song["id"]) for song in songs]
    return (song_by_id(catalog, seed["id"]) if "id" in seed else None), seed.get("match", ""), rows


def check_questions(artifacts, each, least, first, among_three):
    """Most questions are understood, and none that is not is said to be matched exactly."""
    client, catalog = client_of(artifacts), load(artifacts)
    asked = list(questions(catalog, each, least))
    wrong, unseen = [], []
    for question in asked:
        row, how, rows = asked_of(client, catalog, question)
        if row is None or not is_meant(catalog, row, question.row):
            wrong.append(question)
            assert how != "exact", question
        if not any(is_meant(catalog, shown, question.row) for shown in rows):
            unseen.append(question)
    assert len(wrong) <= (1 - first) * len(asked), wrong
    assert len(unseen) <= (1 - among_three) * len(asked), unseen


def test_questions_of_every_pattern_are_understood(demo_artifacts):
    check_questions(demo_artifacts, each=10, least=0, first=0.97, among_three=0.99)


@pytest.mark.slow
def test_questions_about_well_known_real_songs_are_understood(real_artifacts):
    check_questions(real_artifacts, each=50, least=65, first=0.97, among_three=0.99)


def outcome(client, catalog, question):
    """Whether an answer is right, and whether it is told as certain."""
    asked = {"song": question.text} | ({"artist": question.artist} if question.artist else {})
    answer = client.get("/recommend", query_string={**asked, "limit": 1}).json
    (seed,) = answer.get("seeds", [{"ambiguous": True}])
    meant = {catalog.texts("ids")[row] for row in question.rows}
    is_artist = question.meant_artist is not None and seed.get("artist") == question.meant_artist
    return is_artist or seed.get("id") in meant, not seed["ambiguous"]


def check_names(artifacts, each, least=0):
    """Of answers told as certain 99.5 % are right, and of all at most 0.3 % are wrong and told as certain."""
    client, catalog = client_of(artifacts), load(artifacts)
    asked = list(name_questions(catalog, each, least))
    found = [outcome(client, catalog, question) for question in asked]
    wrong = [question for question, (right, certain) in zip(asked, found) if certain and not right]
    assert len(wrong) <= 0.003 * len(asked), wrong
    assert len(wrong) <= 0.005 * sum(certain for _, certain in found), wrong
    alone = [right for question, (right, _) in zip(asked, found) if question.meant_artist]
    assert sum(alone) >= 0.98 * len(alone)


def test_names_are_understood_or_told_as_uncertain(demo_artifacts):
    check_names(demo_artifacts, each=40)


@pytest.mark.slow
def test_real_names_are_understood_or_told_as_uncertain(real_artifacts):
    check_names(real_artifacts, each=400, least=40)


@pytest.mark.slow
def test_a_search_and_a_recommendation_read_a_text_alike(real_artifacts):
    client, catalog = client_of(real_artifacts), load(real_artifacts)
    asked = [*questions(catalog, 60, 40), *name_questions(catalog, 60, 40)]
    different = [question for question in asked if not reads_alike(client, question)]
    assert len(asked) >= 1000
    assert different == []


def reads_alike(client, question):
    """Whether a search finds first what a recommendation takes, if it takes anything."""
    answer = client.get("/recommend", query_string={"song": question.text, "limit": 1}).json
    found = client.get("/search", query_string={"q": question.text[:200]}).json
    if "seeds" not in answer or getattr(question, "artist", None):
        return True
    (seed,) = answer["seeds"]
    if "id" in seed:
        return found["songs"][0]["id"] == seed["id"]
    return found["artists"][0]["name"] == seed["artist"] if "artist" in seed else True


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
        ("happy upbeat 120 bpm", {"targets": {"valence": 0.85, "energy": 0.8, "tempo": 120.0}}),
    ],
)
def test_moods_are_read(real_artifacts, asked, described):
    (seed,) = client_of(real_artifacts).get("/recommend", query_string={"song": asked, "limit": 1}).json["seeds"]
    assert seed["understood"] == {"song": None, "artist": None, **described}


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
