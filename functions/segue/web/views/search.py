"""``/search``: songs, artists and genres by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from segue import notes
from segue.catalog import Catalog, lookup
from segue.query import Vocabulary
from segue.query.links import Link
from segue.query.reader import Reader
from segue.web import answers, formats
from segue.web.views.call import Asked, Call, refuse

LONGEST = 200  # characters
FIELDS = ("q", "limit")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    link : the link that the text is, if it is one
    """

    text: str
    limit: int
    link: Link | None


def search(call: Call) -> Response:
    """Find what a text names as it is typed, or the song or artist that a link leads to."""
    wanted = _read(Reader(), call.arguments((*FIELDS, formats.PARAMETER)))
    form = formats.wanted(call.request)
    songs = call.catalog()
    with call.turn:
        return formats.response(form, _answer(songs, wanted))


def _of_json(body: object, _: Vocabulary) -> Wanted:
    reader = Reader()
    return _read(reader, reader.record(body, "", FIELDS))


def _read(reader: Reader, fields: Mapping[str, Any]) -> Wanted:
    text = reader.text(fields.get("q"), "/q", LONGEST)
    wanted = Wanted(text, reader.whole(fields, "limit", "", 1, 50, 10), reader.link(text, "/q"))
    refuse(reader)
    return wanted


def _answer(songs: Catalog, wanted: Wanted) -> dict[str, Any]:
    text, limit, link = wanted.text, wanted.limit, wanted.link
    with notes.timed("search"):
        found = lookup.search(songs, text, limit) if link is None else lookup.linked(songs, link.kind, link.id, limit)
    return _found(songs, found)


def _found(catalog: Catalog, found: lookup.Found) -> dict[str, Any]:
    names = catalog.manifest["genres"]
    briefs = answers.songs(catalog, [reading.row for reading in found.songs])
    return {
        "understood": answers.understood(catalog, found.songs[0]) if found.songs else None,
        "songs": [{**brief, "match": reading.how} for brief, reading in zip(briefs, found.songs)],
        "artists": [answers.artist(catalog, row) for row in found.artists],
        "genres": [answers.genre(catalog, names.index(name)) for name in found.genres],
    }


SEARCH = Asked(_of_json, _answer, lambda wanted: (1, wanted.limit))
