"""``POST /api/token``: the client credentials flow (RFC 6749, section 4.4).

A client's secret is an API key; its token holds for an hour. Where the service has no keys, whoever names a client
gets the one token there is, and every request is answered with any bearer or none.
"""

import base64
import binascii
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

from segue.keys import LIFETIME, Keys
from segue.responses import json_response

LARGEST = 16 * 1024  # bytes of a form
MOST_FIELDS = 50
_FRESH = {"Cache-Control": "no-store"}  # RFC 6749, section 5.1


def answer(request: Request) -> Response:
    """A token, or the reason why not."""
    body = request.stream.read(LARGEST + 1)
    if len(body) > LARGEST:
        return refusal(413, "invalid_request", f"a form may have {LARGEST} bytes at the most")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        return refusal(400, "invalid_request", f"a form may have {MOST_FIELDS} fields at the most")
    form = {name: values[0] for name, values in fields.items()}
    if form.get("grant_type") != "client_credentials":
        return refusal(400, "unsupported_grant_type", "expected grant_type=client_credentials: no listener signs in")
    named = form.get("client_id", ""), form.get("client_secret", "")
    client, secret = _basic(request.headers.get("Authorization", "")) or named
    if not client or not secret:
        return refusal(400, "invalid_client", "name a client: Authorization: Basic, or client_id and client_secret")
    token = grant(request.environ.get("segue.keys"), secret)
    if token is None:
        return refusal(400, "invalid_client", "the client's secret is no API key of this service")
    return json_response({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}, headers=_FRESH)


def grant(keys: Keys | None, secret: str) -> str | None:
    """The access token of a client; None for an unknown one where the service has keys."""
    return keys.issue(secret) if keys else "open-to-all"


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
