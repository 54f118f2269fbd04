"""What a view answers from: the request, the version of the catalogue, the turn to search."""

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

from werkzeug.wrappers import Request, Response

from segue.catalog import Catalog, lookup
from segue.errors import InvalidQuery
from segue.query import Vocabulary
from segue.query.reader import Reader, escaped, number
from segue.web import bodies, formats

TEXTS = ("q", "ids", "rows")  # parameters


class Asked(NamedTuple):
    """What a body of one kind asks for and gets, alone and in a batch alike.

    read : checks a decoded body, and makes a query of it
    answer : the answer to such a query, as JSON has it
    size : how many seeds a query has, and how many songs it asks for
    """

    read: Callable[[object, Vocabulary], Any]
    answer: Callable[[Catalog, Any], dict[str, Any]]
    size: Callable[[Any], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    catalog : opens the artifacts, of one version as long as the request lasts
    turn : is waited for before anything is searched
    public_url : where callers reach the service, as it was set up; None: as the request came
    """

    request: Request
    catalog: Callable[[], Catalog]
    turn: AbstractContextManager[object]
    public_url: str | None = None

    def arguments(self, known: Sequence[str] = ()) -> dict[str, Any]:
        """The URL's parameters, each given once; numbers where they spell one, but for those of ``TEXTS``.

        Raises
        ------
        InvalidQuery
            one is not known, or given more than once.

        """
        given, reader = self.request.args, Reader()
        for name in given:
            if name not in known:
                reader.unknown("parameter", name, f"/{escaped(name)}", known)
            elif len(given.getlist(name)) > 1:
                reader.fault(f"/{name}", "given more than once")
        refuse(reader)
        return {name: text if name in TEXTS else number(text) for name, text in given.items()}

    def posted(self, kind: Asked, bounds: bodies.Bounds = bodies.QUERY) -> Response:
        """The list that the body asks for; nothing but its format is taken from the URL."""
        songs = self.catalog()
        bodies.read(self.request, bounds)  # it may come slowly
        with self.turn:
            self.arguments((formats.PARAMETER,))
            wanted = formats.wanted(self.request)
            query = kind.read(bodies.decoded(self.request, bounds), vocabulary(songs))
            return formats.response(wanted, kind.answer(songs, query))


def refuse(reader: Reader) -> None:
    """Raise what a reader has against a request, if anything."""
    if reader.faults:
        raise InvalidQuery(reader.faults)


def vocabulary(songs: Catalog) -> Vocabulary:
    """What a catalogue lets a request name."""
    manifest = songs.manifest
    genre = functools.partial(lookup.genre, manifest["genres"])
    return Vocabulary(manifest["genres"], manifest["attributes"], manifest["has_explicit"], genre)
