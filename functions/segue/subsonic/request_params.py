"""Parameters from the URL or a form, and the API's errors.

The first of repeated parameters counts; unknown ones are ignored.
"""

import re
from collections.abc import Mapping

from werkzeug.wrappers import Request

from segue.dialects import read_form
from segue.errors import HttpError
from segue.query.schema import MAX_TEXT_LENGTH, quoted

ERROR_GENERIC = 0
ERROR_MISSING_PARAMETER = 10
ERROR_WRONG_PASSWORD = 40
ERROR_TOKENS_UNSUPPORTED = 41
ERROR_CONFLICTING_CREDENTIALS = 43
ERROR_INVALID_API_KEY = 44
ERROR_NOT_FOUND = 70
FORM_TYPE = "application/x-www-form-urlencoded"
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


class ApiError(HttpError):
    """An error in the request; the message says what was wrong and what would have worked.

    code : one of the API's numbers: https://opensubsonic.netlify.app/docs/responses/error/
    status : HTTP status; the API's own errors have 200
    """

    def __init__(self, code: int, message: str, status: int = 200, headers: Mapping[str, str] | None = None):
        super().__init__(status, message, headers)
        self.code = code


class RequestParams:
    """The parameters of a request."""

    def __init__(self, values: Mapping[str, str]):
        self._values = values

    def get(self, name: str) -> str:
        """A parameter's text; empty if it is not given."""
        return self._values.get(name, "")

    def text(self, name: str) -> str:
        """A required text, which may be empty.

        Raises
        ------
        ApiError
            it is not given, or too long.

        """
        if name not in self._values:
            raise ApiError(ERROR_MISSING_PARAMETER, f"Required parameter is missing: {name}")
        text = self._values[name]
        if len(text) > MAX_TEXT_LENGTH:
            raise ApiError(ERROR_GENERIC, f"{name}: expected up to {MAX_TEXT_LENGTH} characters, found {len(text)}")
        return text

    def count(self, name: str, default: int, maximum: int) -> int:
        """A count, clipped to ``maximum``."""
        text = self._values.get(name) or str(default)
        if not _DIGITS.fullmatch(text):
            raise ApiError(ERROR_GENERIC, f"{name}: expected a whole number from 0, found {quoted(text)}")
        return min(int(text), maximum)


def read_params(request: Request) -> RequestParams:
    """The parameters of a request, cached in its environ; if its form can't be read, those of the URL alone.

    Raises
    ------
    HttpError, werkzeug.exceptions.HTTPException
        the form is too large, or ends before it is complete.

    """
    if "segue.rest" not in request.environ:
        from_url = request.args.to_dict()
        request.environ["segue.rest"] = RequestParams(from_url)
        if request.method == "POST" and request.mimetype == FORM_TYPE:
            request.environ["segue.rest"] = RequestParams({**read_form(request), **from_url})
    params: RequestParams = request.environ["segue.rest"]
    return params
