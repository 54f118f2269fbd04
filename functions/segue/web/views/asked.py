"""What a body asks for and gets, by path: alone and in a batch alike.

Each takes a version of the catalogue and a decoded body, and gives the answer as JSON has it.
"""

from typing import Any

from segue import engine, notes
from segue.catalog import Catalog
from segue.query.parser import parse
from segue.web import answers
from segue.web.views.call import vocabulary


def recommend(songs: Catalog, body: object) -> dict[str, Any]:
    """``POST /recommend``."""
    query = parse(body, vocabulary(songs))
    with notes.timed("search"):
        found = engine.recommend(songs, query)
    return answers.answer(songs, found)


def path(songs: Catalog, body: object) -> dict[str, Any]:
    """``POST /path``."""
    from segue.journeys.path import path
    from segue.query.journey_parser import parse_path
    from segue.web import journeys

    query = parse_path(body, vocabulary(songs))
    with notes.timed("search"):
        found = path(songs, query)
    return journeys.path(songs, found)


def playlist(songs: Catalog, body: object) -> dict[str, Any]:
    """``POST /playlist``."""
    from segue.journeys.playlist import playlist
    from segue.query.journey_parser import parse_playlist
    from segue.web import journeys

    query = parse_playlist(body, vocabulary(songs))
    with notes.timed("search"):
        found = playlist(songs, query)
    return journeys.playlist(songs, found, query.flow)


def continued(songs: Catalog, body: object) -> dict[str, Any]:
    """``POST /continue``."""
    from segue.journeys.radio import continued
    from segue.query.journey_parser import parse_continue
    from segue.web import journeys

    query = parse_continue(body, vocabulary(songs))
    with notes.timed("search"):
        found = continued(songs, query)
    return journeys.continued(songs, found)
