"""What each method of the protocol answers."""

from collections.abc import Callable, Mapping
from typing import Any

from segue import notes
from segue.errors import InvalidQuery, UnknownSongs
from segue.query.reader import shown, unknown
from segue.responses import json_response
from segue.web import answers, problems
from segue.web.views.call import Call
from segue.web.views.mcp.messages import HANDSHAKE, IDENTITY, INVALID_PARAMS, NO_METHOD, VERSIONS, Message, Refused
from segue.web.views.mcp.tools import TOOLS, described

Result = dict[str, Any]
CAPABILITIES = {"tools": {"listChanged": False}}
INSTRUCTIONS = (
    "Recommends songs from one table of tracks, and knows no others. Name songs as people do: a title, or title and"
    " artist in one text; artists and genres are seeds as well. Where an answer says that a title is ambiguous, its"
    " alternatives are other songs of that name. search_songs finds what the table has."
)
KEPT = 300_000  # milliseconds for which a client may keep the tools: they change with a deployment
LASTING = {"ttlMs": KEPT, "cacheScope": "public"}


def result(message: Message, call: Call) -> Result:
    """Answer a request.

    Raises
    ------
    Refused
        there is no such method or tool, or its parameters are at fault.

    """
    known = _MODERN if message.modern else _OF_THE_HANDSHAKE
    if message.method not in known:
        raise Refused(NO_METHOD, unknown("method", message.method, list(known)), message)
    notes.note(route=f"mcp/{message.method}")
    return known[message.method](message, call)


def _initialized(message: Message, _: Call) -> Result:
    asked = message.params.get("protocolVersion")
    if not isinstance(asked, str):
        raise Refused(INVALID_PARAMS, "params.protocolVersion: expected a text", message)
    return {
        "protocolVersion": asked if asked in HANDSHAKE else HANDSHAKE[0],
        "capabilities": CAPABILITIES,
        "serverInfo": IDENTITY,
        "instructions": INSTRUCTIONS,
    }


def _discovered(_: Message, __: Call) -> Result:
    versions = list(VERSIONS)
    return {"supportedVersions": versions, "capabilities": CAPABILITIES, "instructions": INSTRUCTIONS, **LASTING}


def _pinged(_: Message, __: Call) -> Result:
    return {}


def _listed(message: Message, _: Call) -> Result:
    if message.params.get("cursor") is not None:
        raise Refused(INVALID_PARAMS, "params.cursor: all tools are on the first page", message)
    return {"tools": described(), **(LASTING if message.modern else {})}


def _called(message: Message, call: Call) -> Result:
    name, arguments = message.params.get("name"), message.params.get("arguments", {})
    if not isinstance(name, str) or name not in TOOLS:
        said = unknown("tool", name, list(TOOLS)) if isinstance(name, str) else "params.name: expected a tool's name"
        raise Refused(INVALID_PARAMS, said, message)
    if not isinstance(arguments, Mapping):
        raise Refused(INVALID_PARAMS, f"params.arguments: expected an object, found {shown(str(arguments))}", message)
    notes.note(route=f"mcp/{name}")
    songs = call.catalog()
    try:
        with call.turn:
            found = TOOLS[name].answer(songs, arguments)
    except (InvalidQuery, UnknownSongs) as error:
        problem = problems.of_error(error, lambda row: answers.song(songs, row))
        return {"content": _text(problem.get_data(as_text=True) if problem else str(error)), "isError": True}
    text = json_response(found).get_data(as_text=True)
    return {"content": _text(text), "structuredContent": found, "isError": False}


def _text(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


_MODERN: Mapping[str, Callable[[Message, Call], Result]] = {
    "server/discover": _discovered,
    "tools/list": _listed,
    "tools/call": _called,
}
_OF_THE_HANDSHAKE: Mapping[str, Callable[[Message, Call], Result]] = {
    "initialize": _initialized,
    "ping": _pinged,
    "tools/list": _listed,
    "tools/call": _called,
}
