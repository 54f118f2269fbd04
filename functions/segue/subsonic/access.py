"""Authentication: an API key as ``apiKey``, or as the password of any user, plain or in hexadecimal.

https://opensubsonic.netlify.app/docs/extensions/apikeyauth/ and https://opensubsonic.netlify.app/docs/api-reference/
"""

from segue.keys import Keys
from segue.subsonic.errors import CONFLICTING, MISSING, NO_TOKENS, WRONG_KEY, WRONG_PASSWORD, Refused
from segue.subsonic.params import Params

_ENCODED = "enc:"


def check(params: Params, keys: Keys) -> None:
    """Accept a request with a valid key.

    Raises
    ------
    Refused
        there is none, or several that may differ; or it is a token, which only the key itself could check.

    """
    key, password = params.get("apiKey"), params.get("p")
    token = params.get("t") or params.get("s")
    if (key and (params.get("u") or password or token)) or (password and token):
        raise Refused(CONFLICTING, "Multiple conflicting authentication mechanisms provided: send apiKey, or u and p")
    if token:
        raise Refused(NO_TOKENS, "Token authentication is not supported: send a key as apiKey, or as the password p")
    if key and not keys.admit(key):
        raise Refused(WRONG_KEY, "Invalid API key")
    if password and not keys.admit(_decoded(password)):
        raise Refused(WRONG_PASSWORD, "Wrong username or password: the password is an API key of this service")
    if not key and not password:
        raise Refused(MISSING, "Required parameter is missing: apiKey, or u and p with a key as the password")


def _decoded(password: str) -> str:
    if not password.startswith(_ENCODED):
        return password
    try:
        return bytes.fromhex(password.removeprefix(_ENCODED)).decode("utf-8", "replace")
    except ValueError:
        return ""
