"""Asked as people ask: titles and artists in one text, links, and what is said of how a text was understood."""

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request

from segue.catalog import load
from segue.catalog.lookup.exact import song_by_id
from segue.catalog.normalization import without_version
from segue.config import Config
from segue.web.service import Service
from tests.support.questions import is_meant, questions

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
