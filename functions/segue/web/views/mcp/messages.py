"""Messages of JSON-RPC 2.0, as the protocol has them: read, checked, and answered."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from segue import VERSION
from segue.query.reader import shown
from segue.responses import json_response

MODERN = ("2026-07-28",)
HANDSHAKE = ("2025-11-25", "2025-06-18")
VERSIONS = (*MODERN, *HANDSHAKE)  # the latest first

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
STATUSES = {NO_METHOD: 404}  # of HTTP, since 2026-07-28; 400 for all else
ALWAYS_400 = (PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION)

IDENTITY = {"name": "segue", "title": "Segue", "version": VERSION}
_META = "io.modelcontextprotocol/"
_ENCODED = "=?base64?", "?="
NAMED = {"tools/call": "name"}  # methods of which a header repeats a parameter

Id = str | int | None


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification, which has no id and gets no answer.

    modern : whether it is of 2026-07-28 or later, when version and capabilities come with each message
    """

    id: Id
    method: str
    params: Mapping[str, Any]
    modern: bool


class Refused(Exception):
    """A message that is not answered as it stands; the text says what was wrong and what would have worked.

    code : of JSON-RPC or of the protocol
    message : the one that is refused; None where none could be read
    data : details for programs
    """

    def __init__(self, code: int, said: str, message: Message | None = None, data: Mapping[str, Any] | None = None):
        super().__init__(said)
        self.code = code
        self.message = message
        self.data = data


def read(body: object, headers: Headers) -> Message:
    """Check a decoded body, and that the headers say the same.

    Raises
    ------
    Refused
        it is no single message, or its version is not supported.

    """
    if isinstance(body, list):
        raise Refused(INVALID_REQUEST, "batches are not part of the protocol: send one message a request")
    if not isinstance(body, Mapping) or body.get("jsonrpc") != "2.0" or not isinstance(body.get("method"), str):
        raise Refused(INVALID_REQUEST, 'expected a request of JSON-RPC: {"jsonrpc": "2.0", "id": 1, "method": ...}')
    identity, params = body.get("id"), body.get("params", {})
    if "id" in body and (isinstance(identity, bool) or not isinstance(identity, str | int)):
        raise Refused(INVALID_REQUEST, "id: expected a text or a whole number")
    fields = params if isinstance(params, Mapping) else {}
    message = Message(identity, body["method"], fields, _is_modern(fields, headers))
    if not isinstance(params, Mapping):
        raise Refused(INVALID_REQUEST, "params: expected an object", message)
    _check_version(message, headers)
    return message


def answer(message: Message, result: Mapping[str, Any]) -> Response:
    """The answer to a request."""
    if message.modern:
        result = {"resultType": "complete", **result, "_meta": {f"{_META}serverInfo": IDENTITY}}
    return json_response({"jsonrpc": "2.0", "id": message.id, "result": result})


def failure(refused: Refused) -> Response:
    """An error as the answer."""
    message = refused.message
    error = {"code": refused.code, "message": str(refused)} | ({"data": refused.data} if refused.data else {})
    body = {"jsonrpc": "2.0", "id": message.id if message else None, "error": error}
    if message and not message.modern and refused.code not in ALWAYS_400:
        return json_response(body)
    return json_response(body, STATUSES.get(refused.code, 400))


def acknowledgement() -> Response:
    """The empty answer to a notification."""
    response = Response(status=202)
    del response.headers["Content-Type"]
    return response


def _meta(params: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = params.get("_meta")
    return meta if isinstance(meta, Mapping) else {}


def _is_modern(params: Mapping[str, Any], headers: Headers) -> bool:
    return f"{_META}protocolVersion" in _meta(params) or headers.get("MCP-Protocol-Version") in MODERN


def _check_version(message: Message, headers: Headers) -> None:
    said = headers.get("MCP-Protocol-Version")
    if message.modern and message.id is not None:
        meta = _meta(message.params)
        missing = [name for name in ("protocolVersion", "clientCapabilities") if f"{_META}{name}" not in meta]
        if missing:
            names = " and ".join(f"'{_META}{name}'" for name in missing)
            raise Refused(INVALID_PARAMS, f"params._meta lacks {names}", message)
        _check_header("MCP-Protocol-Version", said, meta[f"{_META}protocolVersion"], message)
        _check_header("Mcp-Method", headers.get("Mcp-Method"), message.method, message)
        if message.method in NAMED:
            named = message.params.get(NAMED[message.method])
            _check_header("Mcp-Name", _decoded(headers.get("Mcp-Name")), named, message)
    if said is not None and said not in (MODERN if message.modern else HANDSHAKE):
        data = {"supported": list(VERSIONS), "requested": said}
        raise Refused(UNSUPPORTED_VERSION, f"unsupported protocol version {shown(said)}", message, data)


def _check_header(name: str, found: str | None, expected: object, message: Message) -> None:
    if found is None or found != expected:
        said = "is missing" if found is None else f"is {shown(found)}"
        raise Refused(
            HEADER_MISMATCH, f"header {name} {said}; expected {shown(str(expected))}, as in the body", message
        )


def _decoded(value: str | None) -> str | None:
    """A header that was encoded because it is not plain ASCII; None for a broken one."""
    before, after = _ENCODED
    if value is None or not (value.startswith(before) and value.endswith(after)):
        return value
    try:
        return base64.b64decode(value[len(before) : -len(after)], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
