"""What a view answers from: the parameters and the JSON body of a request, the catalogue, the engine's lock."""

import functools
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from werkzeug.wrappers import Request, Response

from segue.catalog import Catalog
from segue.catalog.lookup.resolver import resolve_genre
from segue.errors import Fault, InvalidQuery
from segue.query.schema import Vocabulary
from segue.query.validation import Validator, escape_pointer, number_or_text
from segue.web import formats, problems

TEXT_PARAMETERS = ("q", "ids", "rows")  # never read as numbers
MAX_INTEGER_DIGITS = 20


class BodyLimits(NamedTuple):
    """How far a body may reach.

    bytes : of its text
    commas : to read very many tiny values takes long
    """

    bytes: int
    commas: int


QUERY_LIMITS = BodyLimits(256 * 1024, 10_000)  # no query needs as many


LARGE_LIMITS = BodyLimits(1024 * 1024, 25_000)  # of ids, or of queries


class Operation(NamedTuple):
    """An operation of the API, as its route, batches and assistants' tools run it.

    parse : checks a decoded body, and makes a query of it
    execute : the answer to such a query, as JSON has it
    size : how many seeds a query has, and how many songs it asks for
    """

    parse: Callable[[object, Vocabulary], Any]
    execute: Callable[[Catalog, Any], dict[str, Any]]
    size: Callable[[Any], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request.

    open_catalog : opens the artifacts; the same version as long as the request lasts
    engine_lock : held while the engine computes
    public_url : where callers reach the service, as it was set up; None: as the request came
    """

    request: Request
    open_catalog: Callable[[], Catalog]
    engine_lock: AbstractContextManager[object]
    public_url: str | None = None

    def query_parameters(self, known: Sequence[str] = ()) -> dict[str, Any]:
        """The URL's parameters, each given once; numbers where they spell one, but for those of ``TEXT_PARAMETERS``.

        Raises
        ------
        InvalidQuery
            one is not known, or given more than once.

        """
        parameters, reader = self.request.args, Validator()
        for name in parameters:
            if name not in known:
                reader.add_unknown_name("parameter", name, f"/{escape_pointer(name)}", known)
            elif len(parameters.getlist(name)) > 1:
                reader.add_fault(f"/{name}", "given more than once")
        raise_faults(reader)
        return {name: text if name in TEXT_PARAMETERS else number_or_text(text) for name, text in parameters.items()}

    def answer_post(self, operation: Operation, limits: BodyLimits = QUERY_LIMITS) -> Response:
        """The list that the body asks for; nothing but its format is taken from the URL."""
        catalog = self.open_catalog()
        read_body(self.request, limits)  # it may come slowly
        with self.engine_lock:
            self.query_parameters((formats.FORMAT_PARAMETER,))
            wanted = formats.requested_format(self.request)
            query = operation.parse(parse_body(self.request, limits), vocabulary(catalog))
            return formats.list_response(wanted, operation.execute(catalog, query))


def raise_faults(reader: Validator) -> None:
    """Raise what a reader has against a request, if anything."""
    if reader.faults:
        raise InvalidQuery(reader.faults)


def vocabulary(catalog: Catalog) -> Vocabulary:
    """What a catalogue lets a request name."""
    manifest = catalog.manifest
    genre = functools.partial(resolve_genre, manifest["genres"])
    return Vocabulary(manifest["genres"], manifest["attributes"], manifest["has_explicit"], genre)


def parse_body(request: Request, limits: BodyLimits = QUERY_LIMITS) -> object:
    """What the JSON of a body says, whatever type it is said to be of: ``curl -d`` says that it sends a form.

    Raises
    ------
    UnsupportedMediaType, ContentTooLarge, InvalidQuery
        it is no JSON and said to be of another type, too large or broken.

    """
    body = read_body(request, limits)
    if len(body) > limits.bytes or (request.content_length or 0) > limits.bytes:
        raise problems.ContentTooLarge(f"a body may have {limits.bytes} bytes at the most")
    if body.count(b",") > limits.commas:
        raise problems.ContentTooLarge(f"a body may have {limits.commas} commas at the most")
    try:
        return json.loads(body, parse_constant=_reject_constant, parse_int=_parse_integer)
    except (ValueError, RecursionError) as error:
        if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
            found = f"'{request.mimetype[:80]}'" if request.mimetype else "none"
            raise problems.UnsupportedMediaType(
                f"the body is not JSON: send JSON, with the header Content-Type: application/json (found {found})"
            ) from None
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InvalidQuery([Fault("", f"the body is not JSON: {reason}")]) from error


def read_body(request: Request, limits: BodyLimits = QUERY_LIMITS) -> bytes:
    """The body as far as it may reach, and a byte more; nothing of one that is declared to be larger.

    A request that is answered anew has been read already.
    """
    if "segue.body" not in request.environ:
        acceptable = (request.content_length or 0) <= limits.bytes
        request.environ["segue.body"] = request.stream.read(limits.bytes + 1) if acceptable else b""
    body: bytes = request.environ["segue.body"]
    return body


def _parse_integer(digits: str) -> float:
    """Python refuses to read very long numbers; as floats they read as infinite, which every field refuses."""
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else float(digits)


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
