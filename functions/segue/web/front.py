"""What stands before the service: keys, headers for browsers, and a log line for each request."""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from segue import notes
from segue.keys import Keys
from segue.responses import ANYWHERE, json_response
from segue.web import headers, log, problems, public

ALIVE = ("/healthz", "/healthz/")
TOKEN = ("/api/token", "/api/token/")  # it looks at keys itself, and answers with tokens
MISSING = "an API key is needed: Authorization: Bearer KEY, or X-Api-Key: KEY"


class Front:
    """Answers requests by a handler, once they may pass.

    handle : answers a request; never raises
    write : takes the line of each request
    """

    def __init__(
        self,
        handle: Callable[[Request], Response],
        environ: Mapping[str, str] = os.environ,
        write: Callable[[Mapping[str, Any]], None] = log.write,
    ):
        self._handle = handle
        self._write = write
        self._keys = Keys.from_environ(environ)
        self._origins = headers.origins(environ)
        self._function = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self._cold = True

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        began = time.perf_counter()
        cold, self._cold = self._cold, False
        with notes.taken() as noted:
            response = self._answered(request)
        headers.harden(request, response)
        headers.open_to(request, response, self._origins)
        duration = (time.perf_counter() - began) * 1000
        response.headers["Server-Timing"] = _timing(noted, duration)
        line = log.of_request(request, response, noted, duration, cold=cold)
        self._write(log.with_metrics(line, self._function) if self._function else line)
        return response

    def _answered(self, request: Request) -> Response:
        request.environ["segue.keys"] = self._keys
        request.environ["segue.origins"] = self._origins
        if self._origins and headers.is_preflight(request):
            return Response(status=204)
        refused = None if self._may_pass(request) else _refusal(request, self._keys)
        return refused or self._handle(request)

    def _may_pass(self, request: Request) -> bool:
        """A preflight carries no key, and its answer holds nothing."""
        if not self._keys or request.path in (*ALIVE, *TOKEN) or headers.is_preflight(request):
            return True
        return self._keys.admit(_presented(request))


def _presented(request: Request) -> str:
    """The key or token of a request; empty when there is none."""
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else request.headers.get("X-Api-Key", "")


def _refusal(request: Request, keys: Keys) -> Response | None:
    """A 401; in the shape of a dialect where its clients ask, and as open to those in browsers as all its answers.

    None where a player has its key among the parameters, as the OpenSubsonic API wants it.
    """
    if public.is_subsonic(request.path):
        from segue import subsonic  # most callers never need it

        return subsonic.refusal(request, keys)
    asked = {"WWW-Authenticate": 'Bearer realm="segue"'}
    if public.is_spotify(request.path):
        said = "Invalid access token" if _presented(request) else "No token provided"
        return json_response({"error": {"status": 401, "message": said}}, 401, headers=asked | ANYWHERE)
    return problems.problem(401, "Unauthorized", MISSING, headers=asked)


def _timing(noted: notes.Notes, duration: float) -> str:
    """How long the parts took (https://www.w3.org/TR/server-timing/)."""
    parts = {"total": duration, **{name: noted[name] for name in log.TIMES if name in noted}}
    return ", ".join(f"{name};dur={milliseconds:.1f}" for name, milliseconds in parts.items())
