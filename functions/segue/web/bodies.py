"""JSON from the bodies of requests, as far as they may reach."""

import json
from typing import NamedTuple, NoReturn

from werkzeug.wrappers import Request

from segue.errors import Fault, InvalidQuery
from segue.web import problems

LONGEST_INTEGER = 20  # digits


class Bounds(NamedTuple):
    """How far a body may reach.

    bytes : of its text
    commas : to read very many tiny values takes long
    """

    bytes: int
    commas: int


QUERY = Bounds(256 * 1024, 10_000)  # no query needs as many
MANY = Bounds(1024 * 1024, 25_000)  # of ids, or of queries


def decoded(request: Request, bounds: Bounds = QUERY) -> object:
    """What the JSON of a body says, whatever type it is said to be of: ``curl -d`` says that it sends a form.

    Raises
    ------
    NotJson, TooLarge, InvalidQuery
        it is no JSON and said to be of another type, too large or broken.

    """
    body = read(request, bounds)
    if len(body) > bounds.bytes or (request.content_length or 0) > bounds.bytes:
        raise problems.TooLarge(f"a body may have {bounds.bytes} bytes at the most")
    if body.count(b",") > bounds.commas:
        raise problems.TooLarge(f"a body may have {bounds.commas} commas at the most")
    try:
        return json.loads(body, parse_constant=_no_constant, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
            found = f"'{request.mimetype[:80]}'" if request.mimetype else "none"
            raise problems.NotJson(
                f"the body is not JSON: send JSON, with the header Content-Type: application/json (found {found})"
            ) from None
        said = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InvalidQuery([Fault("", f"the body is not JSON: {said}")]) from error


def read(request: Request, bounds: Bounds = QUERY) -> bytes:
    """The body as far as it may reach, and a byte more; nothing of one that is declared to be larger.

    A request that is answered anew has been read already.
    """
    if "segue.body" not in request.environ:
        bearable = (request.content_length or 0) <= bounds.bytes
        request.environ["segue.body"] = request.stream.read(bounds.bytes + 1) if bearable else b""
    body: bytes = request.environ["segue.body"]
    return body


def _integer(digits: str) -> float:
    """Python refuses to read very long numbers; as floats they read as infinite, which every field refuses."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
