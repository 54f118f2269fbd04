"""``POST /api/token``: the client credentials flow (RFC 6749, section 4.4).

Nothing is locked yet: whoever names a client gets the one token there is, and every request is answered with any
bearer or none. What checks keys takes the place of :func:`grant` and looks at the ``Authorization`` header in
:func:`segue.spotify.routes.handle`.
"""

import base64
import binascii
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

from segue.answers import json_response

LARGEST = 16 * 1024  # bytes of a form
LIFETIME = 3600  # seconds
_FRESH = {"Cache-Control": "no-store"}  # RFC 6749, section 5.1


def answer(request: Request) -> Response:
    """A token, or the reason why not."""
    body = request.stream.read(LARGEST + 1)
    if len(body) > LARGEST:
        return refusal(413, "invalid_request", f"a form may have {LARGEST} bytes at the most")
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    if form.get("grant_type") != "client_credentials":
        return refusal(400, "unsupported_grant_type", "expected grant_type=client_credentials: no listener signs in")
    named = form.get("client_id", ""), form.get("client_secret", "")
    client, secret = _basic(request.headers.get("Authorization", "")) or named
    if not client or not secret:
        return refusal(400, "invalid_client", "name a client: Authorization: Basic, or client_id and client_secret")
    granted = {"access_token": grant(client, secret), "token_type": "Bearer", "expires_in": LIFETIME}
    return json_response(granted, headers=_FRESH)


def grant(client: str, secret: str) -> str:  # noqa: ARG001 # the seam for keys: all clients are equal so far
    """The access token of a client."""
    return "open-to-all"


def refusal(status: int, error: str, description: str) -> Response:
    """An error as RFC 6749, section 5.2, has it; only this route answers so."""
    return json_response({"error": error, "error_description": description}, status, headers=_FRESH)


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return client, secret
