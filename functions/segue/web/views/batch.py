"""``/batch``: several requests in one body, each answered as it would be alone."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from segue.catalog import Catalog
from segue.errors import ArtifactsError, Fault, InvalidQuery
from segue.query.reader import Reader, unknown
from segue.responses import json_response
from segue.web import answers, bodies, problems
from segue.web.views.call import Asked, Call, vocabulary
from segue.web.views.journeys import CONTINUE, PATH, PLAYLIST
from segue.web.views.recommend import RECOMMEND

KINDS = {"/recommend": RECOMMEND, "/path": PATH, "/playlist": PLAYLIST, "/continue": CONTINUE}
MOST = 50  # requests
MOST_SEEDS = 250  # of all together
MOST_SONGS = 2_500  # that all together ask for

_log = logging.getLogger("segue")


class Read(NamedTuple):
    """A request that was understood: its kind and its query."""

    kind: Asked
    query: Any


def batch(call: Call) -> Response:
    """Answer requests independently of each other, in their order."""
    songs = call.catalog()
    bodies.read(call.request, bodies.MANY)  # it may come slowly
    with call.turn:
        call.arguments()
        read = [_read(songs, *one) for one in enumerate(_requests(bodies.decoded(call.request, bodies.MANY)))]
        _bound(read)
    answered = []
    for one in read:
        with call.turn:  # others may come between
            answered.append(_answered(songs, one))
    return json_response({"answers": answered})


def _requests(body: object) -> list[Any]:
    reader = Reader()
    fields = reader.record(body, "", ("requests",))
    found = reader.listed(fields.get("requests", []), "/requests", 1, MOST)
    if reader.faults:
        raise InvalidQuery(reader.faults)
    return found


def _read(songs: Catalog, number: int, value: object) -> Read | Exception:
    """What one of the requests asks for, or what is wrong with it."""
    reader, pointer = Reader(), f"/requests/{number}"
    fields = reader.record(value, pointer, ("path", "body"))
    path = fields.get("path", "")
    if not isinstance(path, str) or path not in KINDS:
        said = unknown("path", path, list(KINDS)) if isinstance(path, str) else "expected a text"
        reader.fault(f"{pointer}/path", said)
    if reader.faults:
        return InvalidQuery(reader.faults)
    try:
        return Read(KINDS[path], KINDS[path].read(fields.get("body"), vocabulary(songs)))
    except InvalidQuery as error:
        return error


def _bound(read: Sequence[Read | Exception]) -> None:
    """Refuse what would take too long together."""
    sizes = [one.kind.size(one.query) for one in read if isinstance(one, Read)]
    seeds, songs = (sum(part) for part in zip(*sizes)) if sizes else (0, 0)
    if seeds > MOST_SEEDS or songs > MOST_SONGS:
        raise InvalidQuery([Fault(
            "/requests",
            f"together they have {seeds} seeds and ask for {songs} songs; {MOST_SEEDS} seeds and {MOST_SONGS} songs"
            " are the most: send some of them in another batch",
        )])  # fmt: skip


def _answered(songs: Catalog, one: Read | Exception) -> dict[str, Any]:
    try:
        if isinstance(one, Exception):
            raise one
        return {"status": 200, "body": one.kind.answer(songs, one.query)}
    except ArtifactsError:  # of all requests
        raise
    except Exception as error:
        problem = problems.of_error(error, lambda row: answers.song(songs, row))
        if problem is None:
            _log.error("a request of a batch failed", exc_info=error)
            problem = problems.internal()
        return {"status": problem.status_code, "body": problem.get_json()}
