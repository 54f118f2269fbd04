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
