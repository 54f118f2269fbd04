"""Errors by the numbers of the API: https://opensubsonic.netlify.app/docs/responses/error/."""

GENERIC = 0
MISSING = 10  # a parameter
WRONG_PASSWORD = 40
NO_TOKENS = 41
CONFLICTING = 43  # ways to show a key
WRONG_KEY = 44
NOT_FOUND = 70


class Refused(Exception):
    """A request that is not answered as it stands; the message says what was wrong and what would have worked.

    code : one of the numbers above
    status : of HTTP; the API's own errors have 200
    """

    def __init__(self, code: int, message: str, status: int = 200):
        super().__init__(message)
        self.code = code
        self.status = status
