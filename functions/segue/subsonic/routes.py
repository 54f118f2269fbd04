"""Dispatch, authentication and errors of the API.

An API key comes as ``apiKey``, or as the password of any user, plain or in hexadecimal:
https://opensubsonic.netlify.app/docs/extensions/apikeyauth/ and https://opensubsonic.netlify.app/docs/api-reference/
"""

import functools
import importlib
from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from segue.auth import ApiKeys
from segue.dialects import CORS_ANY_ORIGIN, RequestContext, Route, no_content
from segue.errors import HttpError
from segue.query.schema import quoted
from segue.subsonic import request_params, serializers
from segue.subsonic.request_params import (
    ERROR_CONFLICTING_CREDENTIALS,
    ERROR_GENERIC,
    ERROR_INVALID_API_KEY,
    ERROR_MISSING_PARAMETER,
    ERROR_NOT_FOUND,
    ERROR_TOKENS_UNSUPPORTED,
    ERROR_WRONG_PASSWORD,
    ApiError,
    RequestParams,
)
from segue.subsonic.serializers import JsonObject

HTTP_METHODS = ("GET", "HEAD", "POST")
UNAUTHENTICATED_METHOD = "getOpenSubsonicExtensions"  # needs no key, as the API demands
_EXTENSIONS = ("apiKeyAuthentication", "formPost", "sonicSimilarity", "topSongsByArtistId")
_SERVER_METHODS: Mapping[str, JsonObject] = {
    "ping": {},
    UNAUTHENTICATED_METHOD: {"openSubsonicExtensions": [{"name": name, "versions": [1]} for name in _EXTENSIONS]},
    "getLicense": {"license": {"valid": True}},
    "tokenInfo": {"tokenInfo": {"username": "segue"}},  # keys have no owners
}
_CATALOG_METHODS = {  # functions of segue.subsonic.methods, which is imported when the first of them is called
    "search3": "search3",
    "getSimilarSongs": "similar_songs",
    "getSimilarSongs2": "similar_songs_2",
    "getSonicSimilarTracks": "sonic_similar_tracks",
    "findSonicPath": "sonic_path",
    "getTopSongs": "top_songs",
}
HEADERS = CORS_ANY_ORIGIN
METHODS = (*_SERVER_METHODS, *_CATALOG_METHODS)
_HEX_PREFIX = "enc:"


def match(request: Request) -> Route:
    """The route of a request.

    Raises
    ------
    ApiError
        there is none.

    """
    if request.method == "OPTIONS":
        return no_content()
    if request.method not in HTTP_METHODS:
        allowed = ", ".join(HTTP_METHODS)
        raise ApiError(ERROR_GENERIC, f"expected one of {allowed}", 405, {"Allow": allowed})
    params, method = request_params.read_params(request), _method_name(request)
    if method not in METHODS:
        raise ApiError(ERROR_NOT_FOUND, f"{quoted(method)} is not served; what is: {', '.join(METHODS)}")
    return Route(f"rest/{method}", functools.partial(_respond, method, params), method in _CATALOG_METHODS)


def _respond(method: str, params: RequestParams, context: RequestContext) -> Response:
    if method in _SERVER_METHODS:
        return serializers.success_response(params, _SERVER_METHODS[method])
    catalog, methods = context.open_catalog(), importlib.import_module("segue.subsonic.methods")
    with context.engine_lock:
        result = getattr(methods, _CATALOG_METHODS[method])(catalog, params)
    return serializers.success_response(params, result)


def error_response(request: Request, error: HttpError) -> Response:
    """An error as the API writes it, in the format that the request names."""
    return serializers.error_response(request_params.read_params(request), error)


def authentication_error(request: Request, keys: ApiKeys) -> HttpError | None:
    """The error for a request without a valid key; None if its parameters have one or its method needs none."""
    if _method_name(request) != UNAUTHENTICATED_METHOD:
        try:
            authenticate(request_params.read_params(request), keys)
        except ApiError as error:
            return error
    return None


def _method_name(request: Request) -> str:
    return request.path.removeprefix("/rest").strip("/").removesuffix(".view")


def authenticate(params: RequestParams, keys: ApiKeys) -> None:
    """Check that a request has a valid key.

    Raises
    ------
    ApiError
        there is none, or more than one way to authenticate, or a token, which can't be checked without the key.

    """
    key, password = params.get("apiKey"), params.get("p")
    token = params.get("t") or params.get("s")
    if (key and (params.get("u") or password or token)) or (password and token):
        raise ApiError(
            ERROR_CONFLICTING_CREDENTIALS,
            "Multiple conflicting authentication mechanisms provided: send apiKey, or u and p",
        )
    if token:
        raise ApiError(
            ERROR_TOKENS_UNSUPPORTED,
            "Token authentication is not supported: send a key as apiKey, or as the password p",
        )
    if key and not keys.accepts(key):
        raise ApiError(ERROR_INVALID_API_KEY, "Invalid API key")
    if password and not keys.accepts(_decode_password(password)):
        raise ApiError(ERROR_WRONG_PASSWORD, "Wrong username or password: the password is an API key of this service")
    if not key and not password:
        raise ApiError(
            ERROR_MISSING_PARAMETER, "Required parameter is missing: apiKey, or u and p with a key as the password"
        )


def _decode_password(password: str) -> str:
    if not password.startswith(_HEX_PREFIX):
        return password
    try:
        return bytes.fromhex(password.removeprefix(_HEX_PREFIX)).decode("utf-8", "replace")
    except ValueError:
        return ""
