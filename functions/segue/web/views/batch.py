"""``/batch``: several requests in one body, each answered as it would be alone."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from werkzeug.wrappers import Response

from segue.catalog import Catalog
from segue.errors import ArtifactsError, Fault, InvalidQuery
from segue.query.validation import Validator, unknown_name_message
from segue.responses import json_response
from segue.web import problems, request_context, serializers
from segue.web.request_context import Operation, RequestContext, vocabulary
from segue.web.views.journeys import CONTINUE, PATH, PLAYLIST
from segue.web.views.recommend import RECOMMEND

OPERATIONS = {"/recommend": RECOMMEND, "/path": PATH, "/playlist": PLAYLIST, "/continue": CONTINUE}
MAX_REQUESTS = 50
MAX_SEEDS = 250  # of all together
MAX_SONGS = 2_500  # that all together ask for

_log = logging.getLogger("segue")


class ParsedRequest(NamedTuple):
    """A request that was understood: its operation and its query."""

    operation: Operation
    query: Any


def batch(context: RequestContext) -> Response:
    """Answer requests independently of each other, in their order."""
    catalog = context.open_catalog()
    request_context.read_body(context.request, request_context.LARGE_LIMITS)  # it may come slowly
    with context.engine_lock:
        context.query_parameters()
        requests = [
            _parse_request(catalog, *numbered)
            for numbered in enumerate(
                _parse_batch(request_context.parse_body(context.request, request_context.LARGE_LIMITS))
            )
        ]
        _check_size(requests)
    answers = []
    for request in requests:
        with context.engine_lock:  # others may come between
            answers.append(_execute(catalog, request))
    return json_response({"answers": answers})


def _parse_batch(body: object) -> list[Any]:
    reader = Validator()
    fields = reader.object_fields(body, "", ("requests",))
    found = reader.array(fields.get("requests", []), "/requests", 1, MAX_REQUESTS)
    if reader.faults:
        raise InvalidQuery(reader.faults)
    return found


def _parse_request(catalog: Catalog, number: int, value: object) -> ParsedRequest | Exception:
    """What one of the requests asks for, or what is wrong with it."""
    reader, pointer = Validator(), f"/requests/{number}"
    fields = reader.object_fields(value, pointer, ("path", "body"))
    path = fields.get("path", "")
    if not isinstance(path, str) or path not in OPERATIONS:
        detail = unknown_name_message("path", path, list(OPERATIONS)) if isinstance(path, str) else "expected a text"
        reader.add_fault(f"{pointer}/path", detail)
    if reader.faults:
        return InvalidQuery(reader.faults)
    try:
        return ParsedRequest(OPERATIONS[path], OPERATIONS[path].parse(fields.get("body"), vocabulary(catalog)))
    except InvalidQuery as error:
        return error


def _check_size(requests: Sequence[ParsedRequest | Exception]) -> None:
    """Refuse what would take too long together."""
    sizes = [request.operation.size(request.query) for request in requests if isinstance(request, ParsedRequest)]
    seeds, songs = (sum(part) for part in zip(*sizes)) if sizes else (0, 0)
    if seeds > MAX_SEEDS or songs > MAX_SONGS:
        raise InvalidQuery([Fault(
            "/requests",
            f"together they have {seeds} seeds and ask for {songs} songs; {MAX_SEEDS} seeds and {MAX_SONGS} songs"
            " are the most: send some of them in another batch",
        )])  # fmt: skip


def _execute(catalog: Catalog, request: ParsedRequest | Exception) -> dict[str, Any]:
    try:
        if isinstance(request, Exception):
            raise request
        return {"status": 200, "body": request.operation.execute(catalog, request.query)}
    except ArtifactsError:  # of all requests
        raise
    except Exception as error:
        problem = problems.from_exception(error, lambda row: serializers.song_summary(catalog, row))
        if problem is None:
            _log.error("a request of a batch failed", exc_info=error)
            problem = problems.internal_error()
        return {"status": problem.status_code, "body": problem.get_json()}
