"""Errors in Spotify's shape: ``{"error": {"status": 400, "message": "..."}}``, and nothing more.

A typed client takes any further key, such as ``reason``, for another kind of error.
"""

from collections.abc import Mapping

from werkzeug.wrappers import Response

from segue.responses import json_response


class Refused(Exception):
    """A request that is not answered as it stands; the message says what was wrong and what would have worked."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def response(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """One error."""
    return json_response({"error": {"status": status, "message": message}}, status, headers=headers)
