"""One message, from the request to the answer."""

from werkzeug.wrappers import Response

from segue.errors import InvalidQuery
from segue.web import bodies, headers, problems
from segue.web.views.call import Call
from segue.web.views.mcp import messages, methods
from segue.web.views.mcp.messages import PARSE_ERROR, Message, Refused

FOREIGN = "pages of this origin have no access: add it to SEGUE_CORS, or to SEGUE_PUBLIC_URL if it is the service's"


def mcp(call: Call) -> Response:
    """Answer one message."""
    listed = call.request.environ.get("segue.origins", ())
    if headers.is_foreign(call.request, listed, call.public_url):
        return problems.problem(403, "Forbidden", FOREIGN)
    call.arguments()
    try:
        message = _read(call)
        if message.id is None:
            return messages.acknowledgement()
        return messages.answer(message, methods.result(message, call))
    except Refused as error:
        return messages.failure(error)


def _read(call: Call) -> Message:
    bodies.read(call.request)  # it may come slowly
    with call.turn:
        try:
            body = bodies.decoded(call.request)
        except InvalidQuery as error:
            raise Refused(PARSE_ERROR, error.faults[0].detail) from None
        except problems.NotJson as error:
            raise Refused(PARSE_ERROR, str(error)) from None
        return messages.read(body, call.request.headers)
