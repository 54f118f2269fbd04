"""Answers as ``subsonic-response``, in XML, JSON or JSONP.

In XML, plain values are attributes and all others elements, of which a list repeats one.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from segue import VERSION
from segue.responses import json_response
from segue.subsonic.errors import GENERIC, MISSING, Refused
from segue.subsonic.params import Params

API = "1.16.1"  # version of the Subsonic API
_HEAD = {"version": API, "type": "segue", "serverVersion": VERSION, "openSubsonic": True}
_SPACE = {"xmlns": "http://subsonic.org/restapi"}
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}", re.ASCII)
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # https://www.w3.org/TR/xml/#charsets
_FORMATS = ("", "xml", "json", "jsonp")


def answer(params: Params, found: Mapping[str, Any]) -> Response:
    """A successful answer.

    Raises
    ------
    Refused
        the format that is asked for is unknown, or has no valid callback.

    """
    if params.get("f") not in _FORMATS:
        raise Refused(GENERIC, "f: expected xml, json or jsonp")
    if params.get("f") == "jsonp" and not _CALLBACK.fullmatch(params.get("callback")):
        raise Refused(MISSING, "Required parameter is missing: callback, a name of JavaScript")
    return _written(params, {"status": "ok", **_HEAD, **found}, 200)


def failure(params: Params, error: Refused) -> Response:
    """An error."""
    said = {"code": error.code, "message": str(error)}
    return _written(params, {"status": "failed", **_HEAD, "error": said}, error.status)


def _written(params: Params, body: Mapping[str, Any], status: int) -> Response:
    if params.get("f") not in ("json", "jsonp"):
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n{_xml("subsonic-response", {**_SPACE, **body})}'
        return Response(text.encode("utf-8", "replace"), status, mimetype="application/xml")
    response = json_response({"subsonic-response": body}, status)
    if params.get("f") == "jsonp" and _CALLBACK.fullmatch(params.get("callback")):
        call = params.get("callback").encode()
        response = Response(call + b"(" + response.data + b");", status, mimetype="application/javascript")
    return response


def _xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_xml(name, entry) for entry in value)
    if not isinstance(value, Mapping):
        return f"<{name}>{_text(value)}</{name}>"
    inner = {key: entry for key, entry in value.items() if isinstance(entry, list | Mapping)}
    attributes = "".join(f' {key}="{_text(entry)}"' for key, entry in value.items() if key not in inner)
    return f"<{name}{attributes}>{''.join(_xml(key, entry) for key, entry in inner.items())}</{name}>"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return html.escape(_NO_XML.sub("\ufffd", str(value)))
