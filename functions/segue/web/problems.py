"""Errors as ``application/problem+json`` (RFC 9457): what was wrong, where, and what would have worked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response

from segue.errors import ArtifactsError, Fault, InvalidQuery, StoreError, UnknownSong, UnknownSongs
from segue.query.validation import MAX_FAULTS
from segue.responses import RETRY_AFTER, json_response


class ContentTooLarge(Exception):
    """The body is longer than the limit that the message names."""


class NotAcceptable(Exception):
    """None of the formats that the caller accepts is there; the message names those that are."""


class UnsupportedMediaType(Exception):
    """The body is of another type than JSON; the message says which was expected."""


def problem_response(
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


def from_exception(error: Exception, summarize: Callable[[int], dict[str, Any]]) -> Response | None:
    """The problem document for an exception; None for an error that is ours.

    summarize : describes the song of a row, for suggestions
    """
    if isinstance(error, InvalidQuery):
        return problem_response(400, "Invalid request", _detail(error.faults), error.faults)
    if isinstance(error, UnknownSongs):
        return _unknown_songs(error, summarize)
    if isinstance(error, UnknownSong):
        return _unknown_songs(UnknownSongs([error]), summarize)
    if isinstance(error, ContentTooLarge):
        return problem_response(413, "Content too large", str(error))
    if isinstance(error, NotAcceptable):
        return problem_response(406, "Not acceptable", str(error))
    if isinstance(error, UnsupportedMediaType):
        return problem_response(415, "Unsupported media type", str(error))
    if isinstance(error, ArtifactsError):
        detail = "the store of the artifacts can't be read now" if isinstance(error, StoreError) else str(error)
        return problem_response(503, "Not ready", detail, headers={"Retry-After": str(RETRY_AFTER)})
    return None


def internal_error() -> Response:
    """The problem document for an error of ours."""
    return problem_response(500, "Internal error", "the fault is ours; the log has the details")


def from_http_exception(error: HTTPException) -> Response:
    """The problem document for a wrong path or method, or a request that broke off."""
    methods = sorted(getattr(error, "valid_methods", None) or [])
    if methods:
        detail = f"this path answers {', '.join(methods)}"
        return problem_response(405, "Method not allowed", detail, headers={"Allow": ", ".join(methods)})
    if not isinstance(error, NotFound):
        return problem_response(400, "Invalid request", "the request ended before it was complete, or can't be read")
    return problem_response(404, "Not found", "there is nothing at this path; /docs lists what there is")


def _detail(faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        return faults[0].detail
    return f"{'at least ' if len(faults) == MAX_FAULTS else ''}{len(faults)} things are wrong"


def _unknown_songs(error: UnknownSongs, summarize: Callable[[int], dict[str, Any]]) -> Response:
    faults = [Fault(unknown.pointer, str(unknown)) for unknown in error.unknown]
    suggestions = [{name: summarize(row)[name] for name in ("id", "name", "artists")} for row in error.suggestions]
    return problem_response(404, "Unknown song", str(error), faults, {"suggestions": suggestions})
