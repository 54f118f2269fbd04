"""``/mcp``, the Model Context Protocol: operations of the API as tools for assistants.

Stateless streamable HTTP: each request holds all that it needs and gets one response in JSON. Supported are the
version of 2026-07-28, which has no sessions, and the two before it, whose handshake works without one.
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from segue import VERSION, log_context
from segue.dialects import RequestContext, json_response
from segue.errors import InvalidQuery
from segue.query.schema import quoted, unknown_name_message
from segue.web import problems, serializers
from segue.web.request_context import UnsupportedMediaType, parse_body, query_parameters, read_body
from segue.web.views.mcp_tools import TOOLS, tool_definitions

FOREIGN_ORIGIN = (
    "pages of this origin have no access: add it to SEGUE_CORS, or to SEGUE_PUBLIC_URL if it is the service's"
)
_IP_OR_LOCALHOST = re.compile(r"(localhost|[0-9.]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
Result = dict[str, Any]
CAPABILITIES = {"tools": {"listChanged": False}}
INSTRUCTIONS = (
    "Recommends songs from one table of tracks, and knows no others. Name songs as people do: a title, or title and"
    " artist in one text; artists and genres are seeds as well. Where an answer says that a title is ambiguous, its"
    " alternatives are other songs of that name. search_songs finds what the table has."
)
TOOLS_TTL = 300_000  # milliseconds for which a client may cache the tools, which change with deployments only
CACHE_HINTS = {"ttlMs": TOOLS_TTL, "cacheScope": "public"}
MODERN_VERSIONS = ("2026-07-28",)
HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18")
SUPPORTED_VERSIONS = (*MODERN_VERSIONS, *HANDSHAKE_VERSIONS)  # the latest first
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
HTTP_STATUSES = {METHOD_NOT_FOUND: 404}  # since 2026-07-28; 400 for all other errors
ALWAYS_400 = (PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH, UNSUPPORTED_VERSION)
SERVER_INFO = {"name": "segue", "title": "Segue", "version": VERSION}
_META_PREFIX = "io.modelcontextprotocol/"
_BASE64_MARKERS = "=?base64?", "?="
NAME_PARAMETERS = {"tools/call": "name"}  # methods of which a header repeats a parameter
MessageId = str | int | None


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification, which has no id and gets no result.

    modern : whether it follows 2026-07-28 or later, where each message states version and capabilities
    """

    id: MessageId
    method: str
    params: Mapping[str, Any]
    modern: bool


class JsonRpcError(Exception):
    """A message that can't be answered; the text says what was wrong and what would have worked.

    code : of JSON-RPC or of the protocol
    message : the one at fault; None if it could not be read
    data : details for programs
    """

    def __init__(self, code: int, text: str, message: Message | None = None, data: Mapping[str, Any] | None = None):
        super().__init__(text)
        self.code = code
        self.message = message
        self.data = data


def mcp(context: RequestContext) -> Response:
    """Answer one message."""
    allowed = context.request.environ.get("segue.origins", ())
    if is_foreign_origin(context.request, allowed, context.public_url):
        return problems.problem_response(403, FOREIGN_ORIGIN)
    query_parameters(context.request)
    try:
        message = _read_message(context)
        if message.id is None:
            return accepted_response()
        return result_response(message, call_method(message, context))
    except JsonRpcError as error:
        return error_response(error)


def _read_message(context: RequestContext) -> Message:
    read_body(context.request)  # before the lock, as it may arrive slowly
    with context.engine_lock:
        try:
            body = parse_body(context.request)
        except InvalidQuery as error:
            raise JsonRpcError(PARSE_ERROR, error.faults[0].detail) from None
        except UnsupportedMediaType as error:
            raise JsonRpcError(PARSE_ERROR, str(error)) from None
        return parse_message(body, context.request.headers)


def is_foreign_origin(request: Request, allowed: tuple[str, ...], public_url: str | None) -> bool:
    """Whether a request comes from a page of an origin that is neither this service's nor listed.

    Over plain HTTP a name that matches proves nothing, since any name can be made to lead to this machine (DNS
    rebinding); an address, or a name with a certificate, does. Programs send no origin.
    """
    origin = request.headers.get("Origin")
    if origin is None or "*" in allowed or origin in allowed:
        return False
    if public_url and re.match(re.escape(origin) + "(/|$)", public_url):
        return False
    scheme, _, host = origin.partition("://")
    is_verified = scheme == "https" or _IP_OR_LOCALHOST.fullmatch(host)
    return not (is_verified and host == request.headers.get("Host"))


def call_method(message: Message, context: RequestContext) -> Result:
    """Answer a request.

    Raises
    ------
    JsonRpcError
        there is no such method or tool, or its parameters are at fault.

    """
    methods = _MODERN_METHODS if message.modern else _HANDSHAKE_METHODS
    if message.method not in methods:
        raise JsonRpcError(METHOD_NOT_FOUND, unknown_name_message("method", message.method, list(methods)), message)
    log_context.bind(route=f"mcp/{message.method}")
    return methods[message.method](message, context)


def _initialize(message: Message, _: RequestContext) -> Result:
    requested = message.params.get("protocolVersion")
    if not isinstance(requested, str):
        raise JsonRpcError(INVALID_PARAMS, "params.protocolVersion: expected a text", message)
    return {
        "protocolVersion": requested if requested in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0],
        "capabilities": CAPABILITIES,
        "serverInfo": SERVER_INFO,
        "instructions": INSTRUCTIONS,
    }


def _discover(_: Message, __: RequestContext) -> Result:
    versions = list(SUPPORTED_VERSIONS)
    return {"supportedVersions": versions, "capabilities": CAPABILITIES, "instructions": INSTRUCTIONS, **CACHE_HINTS}


def _ping(_: Message, __: RequestContext) -> Result:
    return {}


def _list_tools(message: Message, _: RequestContext) -> Result:
    if message.params.get("cursor") is not None:
        raise JsonRpcError(INVALID_PARAMS, "params.cursor: all tools are on the first page", message)
    return {"tools": tool_definitions(), **(CACHE_HINTS if message.modern else {})}


def _call_tool(message: Message, context: RequestContext) -> Result:
    name, arguments = message.params.get("name"), message.params.get("arguments", {})
    if not isinstance(name, str) or name not in TOOLS:
        detail = (
            unknown_name_message("tool", name, list(TOOLS))
            if isinstance(name, str)
            else "params.name: expected a tool's name"
        )
        raise JsonRpcError(INVALID_PARAMS, detail, message)
    if not isinstance(arguments, Mapping):
        raise JsonRpcError(
            INVALID_PARAMS, f"params.arguments: expected an object, found {quoted(str(arguments))}", message
        )
    log_context.bind(route=f"mcp/{name}")
    catalog = context.open_catalog()
    try:
        with context.engine_lock:
            found = TOOLS[name].call(catalog, arguments)
    except problems.QUERY_ERRORS as error:
        response = problems.query_problem(error, lambda unknown: serializers.suggestions(catalog, unknown))
        return {"content": [{"type": "text", "text": response.get_data(as_text=True)}], "isError": True}
    text = json_response(found).get_data(as_text=True)
    return {"content": [{"type": "text", "text": text}], "structuredContent": found, "isError": False}


_MODERN_METHODS: Mapping[str, Callable[[Message, RequestContext], Result]] = {
    "server/discover": _discover,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}


_HANDSHAKE_METHODS: Mapping[str, Callable[[Message, RequestContext], Result]] = {
    "initialize": _initialize,
    "ping": _ping,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}


def parse_message(body: object, headers: Headers) -> Message:
    """Check a decoded body, and that the headers agree with it.

    Raises
    ------
    JsonRpcError
        it is not a single message, or its version is not supported.

    """
    if isinstance(body, list):
        raise JsonRpcError(INVALID_REQUEST, "batches are not part of the protocol: send one message a request")
    if not isinstance(body, Mapping) or body.get("jsonrpc") != "2.0" or not isinstance(body.get("method"), str):
        raise JsonRpcError(
            INVALID_REQUEST, 'expected a request of JSON-RPC: {"jsonrpc": "2.0", "id": 1, "method": ...}'
        )
    message_id, params = body.get("id"), body.get("params", {})
    if "id" in body and (isinstance(message_id, bool) or not isinstance(message_id, str | int)):
        raise JsonRpcError(INVALID_REQUEST, "id: expected a text or a whole number")
    fields = params if isinstance(params, Mapping) else {}
    message = Message(message_id, body["method"], fields, _is_modern(fields, headers))
    if not isinstance(params, Mapping):
        raise JsonRpcError(INVALID_REQUEST, "params: expected an object", message)
    _check_version(message, headers)
    return message


def result_response(message: Message, result: Mapping[str, Any]) -> Response:
    """The response to a request."""
    if message.modern:
        result = {"resultType": "complete", **result, "_meta": {f"{_META_PREFIX}serverInfo": SERVER_INFO}}
    return json_response({"jsonrpc": "2.0", "id": message.id, "result": result})


def error_response(error: JsonRpcError) -> Response:
    """An error as the response."""
    message = error.message
    fields = {"code": error.code, "message": str(error)} | ({"data": error.data} if error.data else {})
    body = {"jsonrpc": "2.0", "id": message.id if message else None, "error": fields}
    if message and not message.modern and error.code not in ALWAYS_400:
        return json_response(body)
    return json_response(body, HTTP_STATUSES.get(error.code, 400))


def accepted_response() -> Response:
    """The empty response to a notification."""
    response = Response(status=202)
    del response.headers["Content-Type"]
    return response


def _meta(params: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = params.get("_meta")
    return meta if isinstance(meta, Mapping) else {}


def _is_modern(params: Mapping[str, Any], headers: Headers) -> bool:
    return f"{_META_PREFIX}protocolVersion" in _meta(params) or headers.get("MCP-Protocol-Version") in MODERN_VERSIONS


def _check_version(message: Message, headers: Headers) -> None:
    version = headers.get("MCP-Protocol-Version")
    if message.modern and message.id is not None:
        meta = _meta(message.params)
        missing = [name for name in ("protocolVersion", "clientCapabilities") if f"{_META_PREFIX}{name}" not in meta]
        if missing:
            names = " and ".join(f"'{_META_PREFIX}{name}'" for name in missing)
            raise JsonRpcError(INVALID_PARAMS, f"params._meta lacks {names}", message)
        _check_header("MCP-Protocol-Version", version, meta[f"{_META_PREFIX}protocolVersion"], message)
        _check_header("Mcp-Method", headers.get("Mcp-Method"), message.method, message)
        if message.method in NAME_PARAMETERS:
            named = message.params.get(NAME_PARAMETERS[message.method])
            _check_header("Mcp-Name", _decode_header(headers.get("Mcp-Name")), named, message)
    if version is not None and version not in (MODERN_VERSIONS if message.modern else HANDSHAKE_VERSIONS):
        data = {"supported": list(SUPPORTED_VERSIONS), "requested": version}
        raise JsonRpcError(UNSUPPORTED_VERSION, f"unsupported protocol version {quoted(version)}", message, data)


def _check_header(name: str, found: str | None, expected: object, message: Message) -> None:
    if found is None or found != expected:
        state = "is missing" if found is None else f"is {quoted(found)}"
        raise JsonRpcError(
            HEADER_MISMATCH, f"header {name} {state}; expected {quoted(str(expected))}, as in the body", message
        )


def _decode_header(value: str | None) -> str | None:
    """The text of a header, which is encoded if it is not plain ASCII; None if the encoding is broken."""
    prefix, suffix = _BASE64_MARKERS
    if value is None or not (value.startswith(prefix) and value.endswith(suffix)):
        return value
    try:
        return base64.b64decode(value[len(prefix) : -len(suffix)], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
