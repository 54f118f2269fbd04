"""Errors as ``application/problem+json`` (RFC 9457): what was wrong, where, and what would have worked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response

from segue.errors import ArtifactsError, Fault, InvalidQuery, StoreError, UnknownSong, UnknownSongs
from segue.query.reader import MOST_FAULTS
from segue.responses import RETRY_AFTER, json_response


class TooLarge(Exception):
    """The body is longer than the limit that the message names."""


class NotAcceptable(Exception):
    """None of the formats that the caller accepts is there; the message names those that are."""


class NotJson(Exception):
    """The body is of another type than JSON; the message says which was expected."""


def problem(
    status: int,
    title: str,
    detail: str,
    faults: Sequence[Fault] = (),
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem document."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if faults:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return json_response({**body, **(more or {})}, status, "application/problem+json", headers)


def of_error(error: Exception, brief: Callable[[int], dict[str, Any]]) -> Response | None:
    """The problem that an error is to the caller; None for an error that is ours.

    brief : describes the song of a row, for suggestions
    """
    if isinstance(error, InvalidQuery):
        return problem(400, "Invalid request", _told(error.faults), error.faults)
    if isinstance(error, UnknownSongs):
        return _unknown(error, brief)
    if isinstance(error, UnknownSong):
        return _unknown(UnknownSongs([error]), brief)
    if isinstance(error, TooLarge):
        return problem(413, "Content too large", str(error))
    if isinstance(error, NotAcceptable):
        return problem(406, "Not acceptable", str(error))
    if isinstance(error, NotJson):
        return problem(415, "Unsupported media type", str(error))
    if isinstance(error, ArtifactsError):
        said = "the store of the artifacts can't be read now" if isinstance(error, StoreError) else str(error)
        return problem(503, "Not ready", said, headers={"Retry-After": str(RETRY_AFTER)})
    return None


def internal() -> Response:
    """The problem that an error of ours is."""
    return problem(500, "Internal error", "the fault is ours; the log has the details")


def of_http(error: HTTPException) -> Response:
    """The problem that a wrong path or method, or a request that broke off, is."""
    methods = sorted(getattr(error, "valid_methods", None) or [])
    if methods:
        detail = f"this path answers {', '.join(methods)}"
        return problem(405, "Method not allowed", detail, headers={"Allow": ", ".join(methods)})
    if not isinstance(error, NotFound):
        return problem(400, "Invalid request", "the request ended before it was complete, or can't be read")
    return problem(404, "Not found", "there is nothing at this path; /docs lists what there is")


def _told(faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        return faults[0].detail
    return f"{'at least ' if len(faults) == MOST_FAULTS else ''}{len(faults)} things are wrong"


def _unknown(error: UnknownSongs, brief: Callable[[int], dict[str, Any]]) -> Response:
    faults = [Fault(unknown.pointer, str(unknown)) for unknown in error.unknown]
    offered = [{name: brief(row)[name] for name in ("id", "name", "artists")} for row in error.suggestions]
    return problem(404, "Unknown song", str(error), faults, {"suggestions": offered})
