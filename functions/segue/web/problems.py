"""Errors as ``application/problem+json`` (RFC 9457): what was wrong, where, and what would have worked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Response

from segue.dialects import json_response
from segue.errors import Fault, InvalidQuery, UnknownSong, UnknownSongs
from segue.query.schema import MAX_FAULTS

TITLES = {
    400: "Invalid request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    413: "Content too large",
    415: "Unsupported media type",
    499: "Client closed request",
    500: "Internal error",
    503: "Not ready",
}
QUERY_ERRORS = (InvalidQuery, UnknownSong, UnknownSongs)


def problem_response(
    status: int,
    detail: str,
    title: str | None = None,
    faults: Sequence[Fault] = (),
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; its title follows from the status unless it is given."""
    body = {"type": "about:blank", "title": title or TITLES[status], "status": status, "detail": detail}
    if faults:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return json_response({**body, **(more or {})}, status, "application/problem+json", headers)


def query_problem(
    error: InvalidQuery | UnknownSong | UnknownSongs, suggest: Callable[[UnknownSongs], list[dict[str, Any]]]
) -> Response:
    """The problem document for a query that is at fault or names unknown songs.

    suggest : the songs and artists that an error suggests, as JSON
    """
    if isinstance(error, InvalidQuery):
        count = len(error.faults)
        detail = f"{'at least ' if count == MAX_FAULTS else ''}{count} things are wrong"
        return problem_response(400, error.faults[0].detail if count == 1 else detail, faults=error.faults)
    unknown = error.unknown if isinstance(error, UnknownSongs) else (error,)
    suggestions = suggest(error) if isinstance(error, UnknownSongs) else []
    title = "Unknown artist" if all(one.is_artist for one in unknown) else "Unknown song"
    faults = [Fault(one.pointer, str(one)) for one in unknown]
    return problem_response(404, str(error), title, faults, {"suggestions": suggestions})
