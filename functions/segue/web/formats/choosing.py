"""In which format a caller wants a list of songs: ``?format=`` says so, or else the header ``Accept``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from segue.errors import Fault, InvalidQuery
from segue.query.reader import unknown
from segue.responses import json_response
from segue.web.problems import NotAcceptable

PARAMETER = "format"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of lists.

    name : in a URL, and of the function in :mod:`segue.web.formats.writing` that writes it
    mimetype : of the answers
    others : types that are understood in ``Accept`` besides
    suffix : of the names of files
    """

    name: str
    mimetype: str
    others: tuple[str, ...] = ()
    suffix: str = ""


JSON = Format("json", "application/json")
FORMATS = (
    JSON,
    Format("csv", "text/csv", suffix="csv"),  # RFC 4180
    Format(
        "m3u8",
        "application/vnd.apple.mpegurl",  # RFC 8216, section 4
        ("audio/mpegurl", "audio/x-mpegurl", "application/x-mpegurl", "application/mpegurl"),
        "m3u8",
    ),
    Format("jspf", "application/jspf+json", suffix="jspf"),  # https://www.xspf.org/jspf
    Format("uris", "text/uri-list", ("text/plain",), "txt"),  # RFC 2483, section 5
)


def wanted(request: Request) -> Format:
    """The format that a request asks for.

    Raises
    ------
    InvalidQuery
        the URL names a format that there is not.
    NotAcceptable
        the header accepts none that there is.

    """
    named = request.args.getlist(PARAMETER)
    if not named:
        return _accepted(request)
    by_name = {known.name: known for known in FORMATS}
    if len(named) > 1:
        raise InvalidQuery([Fault(f"/{PARAMETER}", "given more than once")])
    if named[0] not in by_name:
        raise InvalidQuery([Fault(f"/{PARAMETER}", unknown(PARAMETER, named[0], list(by_name)))])
    return by_name[named[0]]


def _accepted(request: Request) -> Format:
    """The format that ``Accept`` likes best, of several the first of ours (RFC 9110, section 12.5.1)."""
    accepted = request.accept_mimetypes
    if not accepted:
        return JSON
    best = max(FORMATS, key=lambda known: max(map(accepted.quality, (known.mimetype, *known.others))))
    if not any(map(accepted.quality, (best.mimetype, *best.others))):
        there_is = ", ".join(f"{known.mimetype} (?{PARAMETER}={known.name})" for known in FORMATS)
        raise NotAcceptable(f"lists of songs come as {there_is}")
    return best


def response(wanted: Format, body: Mapping[str, Any]) -> Response:
    """An answer that holds a list of songs, in a format."""
    answer = json_response(body) if wanted is JSON else _file(wanted, body)
    answer.headers.add("Vary", "Accept")
    return answer


def _file(wanted: Format, body: Mapping[str, Any]) -> Response:
    from segue.web.formats import writing  # few callers need it

    text: str = getattr(writing, wanted.name)(body)
    disposition = {"Content-Disposition": f'attachment; filename="segue.{wanted.suffix}"'}
    return Response(text.encode("utf-8", "replace"), headers=disposition, mimetype=wanted.mimetype)
