"""``/batch``: several requests in one body, each answered as if it were sent alone."""

import logging
from typing import Any

from werkzeug.wrappers import Response

from segue.catalog.catalog import Catalog
from segue.catalog.validation import damage_of
from segue.dialects import RequestContext, http_error, json_response
from segue.engine.recommendation import vocabulary
from segue.errors import ArtifactsError, Fault, WorkEnded
from segue.limits import PARSED, CostExceeded, charge
from segue.query.schema import Validator, unknown_name_message
from segue.web import problems, serializers
from segue.web.request_context import (
    LARGE_LIMITS,
    Operation,
    parse_body,
    query_parameters,
    read_body,
)
from segue.web.routes import load_view

OPERATIONS = {
    "/recommend": "recommend.RECOMMEND",
    "/path": "journeys.PATH",
    "/playlist": "journeys.PLAYLIST",
    "/order": "journeys.ORDER",
    "/continue": "journeys.CONTINUE",
}
MAX_REQUESTS = 50

_log = logging.getLogger("segue")


def batch(context: RequestContext) -> Response:
    """Answer requests independently of each other, in their order, for as long as they cost no more than one may."""
    catalog = context.open_catalog()
    body = read_body(context.request, LARGE_LIMITS)  # before the lock, as it may arrive slowly
    with context.engine_lock:
        charge(PARSED, len(body))
        query_parameters(context.request)
        requests = _parse_batch(parse_body(context.request, LARGE_LIMITS))
    answers: list[dict[str, Any]] = []
    for request in requests:
        with context.engine_lock:  # requests of others come between
            answers.append(_answer(catalog, len(answers), request))
    return json_response({"answers": answers})


def _parse_batch(body: object) -> list[Any]:
    validator = Validator()
    fields = validator.object_fields(body, "", ("requests",))
    found = validator.array(fields.get("requests", []), "/requests", 1, MAX_REQUESTS)
    validator.raise_faults()
    return found


def _answer(catalog: Catalog, number: int, value: object) -> dict[str, Any]:
    """The answer to one of the requests, or the problem that says what is wrong with it."""
    try:
        operation, body = _parse_request(number, value)
        return {"status": 200, "body": operation.execute(catalog, operation.parse(body, vocabulary(catalog)))}
    except (ArtifactsError, WorkEnded):  # concerns all requests
        raise
    except CostExceeded as error:
        detail = error.faults[0].detail
        if number:
            detail = f"with the requests before it {detail}; or send it in another batch"
        problem = problems.problem_response(400, detail, faults=[Fault("", detail)])
    except problems.QUERY_ERRORS as error:
        problem = problems.query_problem(error, lambda unknown: serializers.suggestions(catalog, unknown))
    except Exception as error:
        if damage := damage_of(catalog):
            raise ArtifactsError(damage) from error
        _log.exception("a request of a batch failed")
        problem = problems.problem_response(500, str(http_error(error)))
    return {"status": problem.status_code, "body": problem.get_json()}


def _parse_request(number: int, value: object) -> tuple[Operation, object]:
    """The operation of one of the requests, and its body; raises InvalidQuery."""
    validator, pointer = Validator(), f"/requests/{number}"
    fields = validator.object_fields(value, pointer, ("path", "body"))
    path = fields.get("path", "")
    if not isinstance(path, str) or path not in OPERATIONS:
        detail = unknown_name_message("path", path, list(OPERATIONS)) if isinstance(path, str) else "expected a text"
        validator.add_fault(f"{pointer}/path", detail)
    validator.raise_faults()
    return load_view(OPERATIONS[path]), fields.get("body")
