"""The parameters and the JSON body of a request, and the operations that they are for."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from werkzeug.wrappers import Request, Response

from segue.catalog.catalog import Catalog
from segue.dialects import RequestContext
from segue.engine.recommendation import vocabulary
from segue.errors import Fault, HttpError, InvalidQuery
from segue.limits import MAX_BODY_BYTES, PARSED, charge, checkpoint, read_input
from segue.query.schema import Validator, Vocabulary, escape_pointer, number_or_text
from segue.web import serializers

TEXT_PARAMETERS = ("q", "ids", "rows", "name")  # never parsed as numbers
MAX_INTEGER_DIGITS = 20


class UnsupportedMediaType(HttpError):
    """A body is not JSON, and its header does not claim that it is."""

    def __init__(self, message: str):
        super().__init__(415, message)


class BodyLimits(NamedTuple):
    """How large a body may be.

    bytes : of its text
    commas : about as many as it has values, which take longer to parse than long texts
    """

    bytes: int
    commas: int


QUERY_LIMITS = BodyLimits(256 * 1024, 10_000)  # more than any query needs
LARGE_LIMITS = BodyLimits(MAX_BODY_BYTES, 25_000)  # for lists of ids, and of queries


class Operation(NamedTuple):
    """An operation of the API, as its route, batches and assistants' tools run it.

    name : in the log
    parse : checks a decoded body and makes a query of it
    execute : answers such a query, in the types of JSON
    limits : of the body
    """

    name: str
    parse: Callable[[object, Vocabulary], Any]
    execute: Callable[[Catalog, Any], dict[str, Any]]
    limits: BodyLimits = QUERY_LIMITS


def answer_post(context: RequestContext, operation: Operation) -> Response:
    """The list of songs that a body asks for; the URL may only choose its format."""
    catalog = context.open_catalog()
    body = read_body(context.request, operation.limits)  # before the lock, as it may arrive slowly
    with context.engine_lock:
        charge(PARSED, len(body))
        query_parameters(context.request, (serializers.FORMAT_PARAMETER,))
        wanted = serializers.requested_format(context.request)
        query = operation.parse(parse_body(context.request, operation.limits), vocabulary(catalog))
        checkpoint()
        found = operation.execute(catalog, query)
        checkpoint()
        return serializers.list_response(wanted, found)


def query_parameters(request: Request, known: Sequence[str] = ()) -> dict[str, Any]:
    """The parameters of a URL, as numbers where they look like one, except those of ``TEXT_PARAMETERS``.

    Raises
    ------
    InvalidQuery
        one is unknown, or given more than once.

    """
    parameters, validator = request.args, Validator()
    for name in parameters:
        if name not in known:
            validator.add_unknown_name("parameter", name, f"/{escape_pointer(name)}", known)
        elif len(parameters.getlist(name)) > 1:
            validator.add_fault(f"/{name}", "given more than once")
    validator.raise_faults()
    return {name: text if name in TEXT_PARAMETERS else number_or_text(text) for name, text in parameters.items()}


def parse_body(request: Request, limits: BodyLimits = QUERY_LIMITS) -> object:
    """The decoded JSON of a body, whatever its Content-Type: ``curl -d`` claims to send a form.

    Raises
    ------
    UnsupportedMediaType
        it is not JSON, and its Content-Type does not claim that it is.
    InvalidQuery
        it claims to be JSON and is not.
    HttpError
        it is too large.

    """
    body = read_body(request, limits)
    if len(body) > limits.bytes or (request.content_length or 0) > limits.bytes:
        raise HttpError(413, f"a body may have {limits.bytes} bytes at the most")
    if body.count(b",") > limits.commas:
        raise HttpError(413, f"a body may have {limits.commas} commas at the most")
    try:
        return json.loads(body, parse_constant=_reject_constant, parse_int=_parse_integer)
    except (ValueError, RecursionError) as error:
        if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
            found = f"'{request.mimetype[:80]}'" if request.mimetype else "none"
            raise UnsupportedMediaType(
                f"the body is not JSON: send JSON, with the header Content-Type: application/json (found {found})"
            ) from None
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InvalidQuery([Fault("", f"the body is not JSON: {reason}")]) from error


def read_body(request: Request, limits: BodyLimits = QUERY_LIMITS) -> bytes:
    """A body up to one byte more than the limit; nothing of one that is declared to be larger.

    It is kept for a second attempt at the request, which can't read it again. Raises HttpError if it can't be read.
    """
    if "segue.body" not in request.environ:
        acceptable = (request.content_length or 0) <= limits.bytes
        body = read_input(request.stream, limits.bytes + 1, request.environ) if acceptable else b""
        request.environ["segue.body"] = body
    found: bytes = request.environ["segue.body"]
    return found


def _parse_integer(digits: str) -> float:
    """Python rejects very long integers; as floats they may become infinite, which every field rejects."""
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else float(digits)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
