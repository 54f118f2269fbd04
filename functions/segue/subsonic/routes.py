"""Dispatch, authentication and errors of the API.

An API key comes as ``apiKey``, or as the password of any user, plain or in hexadecimal:
https://opensubsonic.netlify.app/docs/extensions/apikeyauth/ and https://opensubsonic.netlify.app/docs/api-reference/
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from segue import log_context
from segue.auth import ApiKeys
from segue.catalog import Catalog
from segue.errors import ArtifactsError, StoreError
from segue.query.validation import quoted
from segue.responses import CORS_ANY_ORIGIN, RETRY_AFTER
from segue.subsonic import methods, request_params, serializers
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
_CATALOG_METHODS: Mapping[str, Callable[[Catalog, RequestParams], JsonObject]] = {
    "search3": methods.search3,
    "getSimilarSongs": methods.similar_songs,
    "getSimilarSongs2": methods.similar_songs_2,
    "getSonicSimilarTracks": methods.sonic_similar_tracks,
    "findSonicPath": methods.sonic_path,
    "getTopSongs": methods.top_songs,
}
_HEADERS = {405: {"Allow": ", ".join(HTTP_METHODS)}, 503: {"Retry-After": str(RETRY_AFTER)}}
METHODS = (*_SERVER_METHODS, *_CATALOG_METHODS)
_log = logging.getLogger("segue")
_HEX_PREFIX = "enc:"


def handle(request: Request, catalog: Callable[[], Catalog], engine_lock: AbstractContextManager[object]) -> Response:
    """Answer a request, errors included, as the API writes it and with CORS headers.

    catalog : opens the artifacts
    engine_lock : held while the engine computes
    """
    try:
        response = _dispatch(request, catalog, engine_lock)
    except Exception as error:
        response = _error(request, error)
    response.headers.update(CORS_ANY_ORIGIN)
    return response


def authentication_error(request: Request, keys: ApiKeys) -> Response | None:
    """An error response; None if the parameters hold a valid key or the method needs none."""
    if _method_name(request) == UNAUTHENTICATED_METHOD:
        return None
    try:
        authenticate(request_params.read_params(request), keys)
    except (ApiError, HTTPException) as error:
        response = _error(request, error)
        response.headers.update(CORS_ANY_ORIGIN)
        return response
    return None


def _dispatch(
    request: Request, catalog: Callable[[], Catalog], engine_lock: AbstractContextManager[object]
) -> Response:
    if request.method == "OPTIONS":
        return Response(status=204)
    if request.method not in HTTP_METHODS:
        raise ApiError(ERROR_GENERIC, f"expected one of {', '.join(HTTP_METHODS)}", 405)
    method, parameters = _method_name(request), request_params.read_params(request)
    if method not in METHODS:
        raise ApiError(ERROR_NOT_FOUND, f"{quoted(method)} is not served; what is: {', '.join(METHODS)}")
    log_context.bind(route=f"rest/{method}")
    if method in _SERVER_METHODS:
        return serializers.success_response(parameters, _SERVER_METHODS[method])
    served = catalog()
    with engine_lock:
        result = _CATALOG_METHODS[method](served, parameters)
    return serializers.success_response(parameters, result)


def _method_name(request: Request) -> str:
    return request.path.removeprefix("/rest").strip("/").removesuffix(".view")


def _error(request: Request, error: Exception) -> Response:
    api_error = error if isinstance(error, ApiError) else _to_api_error(error)
    response = serializers.error_response(request_params.read_params(request), api_error)
    response.headers.update(_HEADERS.get(api_error.status, {}))
    return response


def _to_api_error(error: Exception) -> ApiError:
    if isinstance(error, HTTPException):
        return ApiError(ERROR_GENERIC, "the request ended before it was complete, or can't be read", 400)
    if isinstance(error, ArtifactsError):
        message = "the store of the artifacts can't be read now" if isinstance(error, StoreError) else str(error)
        return ApiError(ERROR_GENERIC, message, 503)
    _log.error("request failed", exc_info=error)
    return ApiError(ERROR_GENERIC, "the fault is ours; the log has the details", 500)


def authenticate(params: RequestParams, keys: ApiKeys) -> None:
    """Check that a request has a valid key.

    Raises
    ------
    ApiError
        there is no key, or several that may differ; or there is a token, which can't be checked without the key.

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
