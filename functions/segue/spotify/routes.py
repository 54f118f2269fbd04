"""Paths, methods and errors of the Spotify dialect, and ``POST /api/token``.

The token follows the client credentials flow (RFC 6749, section 4.4): a client's secret is an API key, and its token
is valid for an hour. A service without keys gives every client the same token and accepts any token, or none.
"""

import base64
import binascii
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from segue import log_context
from segue.auth import TOKEN_SECONDS, ApiKeys, presented_key
from segue.catalog.catalog import Catalog
from segue.dialects import CORS_ANY_ORIGIN, MatchingRule, RequestContext, Route, json_response, no_content, read_form
from segue.engine.recommendation import related_artists
from segue.errors import HttpError
from segue.spotify import query_params, recommendations, search
from segue.spotify.query_params import ApiError, QueryParams
from segue.spotify.serializers import JsonObject, Serializer

ROUTES = Map(
    [
        MatchingRule("/v1/recommendations", endpoint="recommendations", methods=["GET"]),
        MatchingRule("/v1/recommendations/available-genre-seeds", endpoint="genre_seeds", methods=["GET"]),
        MatchingRule("/v1/audio-features", endpoint="several_features", methods=["GET"]),
        MatchingRule("/v1/audio-features/<song>", endpoint="features", methods=["GET"]),
        MatchingRule("/v1/tracks", endpoint="several_tracks", methods=["GET"]),
        MatchingRule("/v1/tracks/<song>", endpoint="track", methods=["GET"]),
        MatchingRule("/v1/search", endpoint="search", methods=["GET"]),
        MatchingRule("/v1/artists", endpoint="several_artists", methods=["GET"]),
        MatchingRule("/v1/artists/<artist>", endpoint="artist", methods=["GET"]),
        MatchingRule("/v1/artists/<artist>/related-artists", endpoint="related_artists", methods=["GET"]),
    ],
    strict_slashes=False,
    merge_slashes=False,
)
HEADERS = CORS_ANY_ORIGIN
TOKEN_PATH = "/api/token"  # noqa: S105 # a path
_NO_USER_ACCOUNTS = "it needs a listener's account, and there are none here"
_NOT_SERVED = {
    "me": _NO_USER_ACCOUNTS,
    "users": _NO_USER_ACCOUNTS,
    "playlists": _NO_USER_ACCOUNTS,
    "albums": "the table holds songs, and of albums only their names",
    "artists": 'of an artist the table holds songs; search for artist:"NAME" to list them',
    "audio-analysis": "the table holds audio features, but no analysis from beat to beat",
    "browse": "there are no editorial pages here",
    "markets": "the table says nothing about markets",
    "shows": "the table holds songs only",
    "episodes": "the table holds songs only",
    "audiobooks": "the table holds songs only",
    "chapters": "the table holds songs only",
}
_NO_STORE = {"Cache-Control": "no-store"}  # RFC 6749, section 5.1


def match(request: Request) -> Route:
    """The route of a request.

    Raises
    ------
    HttpError
        there is none.

    """
    if request.method == "OPTIONS":
        return no_content()
    if _is_token_request(request):
        if request.method != "POST":
            raise _method_not_allowed(request, "POST")
        return Route("api/token", issue_token, versioned=False)
    try:
        endpoint, arguments = ROUTES.bind("").match(request.path, request.method)
    except MethodNotAllowed as error:
        raise _method_not_allowed(request, *sorted(error.valid_methods or [])) from None
    except NotFound:
        kind = request.path.removeprefix("/v1").strip("/").partition("/")[0]
        why = _NOT_SERVED.get(kind, "Spotify had no such route, or it has nothing to do with a table of songs")
        raise HttpError(404, f"{request.path[:80]} is not served: {why}") from None
    return Route(f"v1/{endpoint}", functools.partial(_respond, endpoint, arguments))


def _method_not_allowed(request: Request, *methods: str) -> HttpError:
    allowed = ", ".join(methods)
    return HttpError(405, f"{request.path[:80]} answers {allowed}", {"Allow": allowed})


def _respond(endpoint: str, arguments: Mapping[str, Any], context: RequestContext) -> Response:
    catalog = context.open_catalog()
    endpoints = _Endpoints(catalog, QueryParams(context.request.args), Serializer(catalog, context.base_url))
    with context.engine_lock:
        return json_response(getattr(endpoints, endpoint)(**arguments))


def error_response(request: Request, error: HttpError) -> Response:
    """An error as ``{"error": {"status": 400, "message": "..."}}``; for ``/api/token`` as in RFC 6749, section 5.2.

    The former has no further key: typed clients take one such as ``reason`` for another kind of error.
    """
    if _is_token_request(request):
        default = "invalid_request" if error.status < 500 else "server_error"
        code = error.code if isinstance(error, TokenError) else default
        body: JsonObject = {"error": code, "error_description": str(error)}
        return json_response(body, error.status, headers={**error.headers, **_NO_STORE})
    body = {"error": {"status": error.status, "message": str(error)}}
    return json_response(body, error.status, headers=error.headers)


def authentication_error(request: Request, _: ApiKeys) -> HttpError:
    """The error for a request without a valid key."""
    message = "Invalid access token" if presented_key(request.headers) else "No token provided"
    return HttpError(401, message, {"WWW-Authenticate": 'Bearer realm="segue"'})


def _is_token_request(request: Request) -> bool:
    return request.path.rstrip("/") == TOKEN_PATH


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """The endpoints, one method each, for one request; each returns the response's body."""

    catalog: Catalog
    params: QueryParams
    serializer: Serializer

    def recommendations(self) -> JsonObject:
        request = recommendations.parse_request(self.params, self.catalog)
        return recommendations.response_body(self.catalog, self.serializer, request)

    def genre_seeds(self) -> JsonObject:
        return {"genres": list(query_params.genres_by_seed(self.catalog.manifest["genres"]))}

    def features(self, song: str) -> JsonObject:
        return self.serializer.audio_features([self._require_song(song)])[0]

    def several_features(self) -> JsonObject:
        rows = query_params.find_songs(self.catalog, self.params.ids(100))
        unique = list(dict.fromkeys(row for row in rows if row is not None))
        features = dict(zip(unique, self.serializer.audio_features(unique)))
        return {"audio_features": [None if row is None else features[row] for row in rows]}

    def track(self, song: str) -> JsonObject:
        self._check_market()
        return self.serializer.track(self._require_song(song))

    def several_tracks(self) -> JsonObject:
        self._check_market()
        rows = query_params.find_songs(self.catalog, self.params.ids(50))
        return {"tracks": [None if row is None else self.serializer.track(row) for row in rows]}

    def artist(self, artist: str) -> JsonObject:
        return self.serializer.artist(self._require_artist(artist))

    def several_artists(self) -> JsonObject:
        rows = [query_params.find_artist(self.catalog, artist) for artist in self.params.ids(50)]
        return {"artists": [None if row is None else self.serializer.artist(row) for row in rows]}

    def related_artists(self, artist: str) -> JsonObject:
        with log_context.timed("search"):
            rows = related_artists(self.catalog, self._require_artist(artist))
        return {"artists": [self.serializer.artist(row) for row in rows]}

    def search(self) -> JsonObject:
        return search.response_body(self.catalog, self.serializer, search.parse_request(self.params))

    def _require_song(self, song_id: str) -> int:
        row = query_params.find_song(self.catalog, song_id)
        if row is None:
            raise ApiError(404, f"Non existing id: no song of this table has the id '{song_id}'")
        return row

    def _require_artist(self, artist_id: str) -> int:
        row = query_params.find_artist(self.catalog, artist_id)
        if row is None:
            raise ApiError(404, f"Non existing id: no artist of this table has the id '{artist_id}'")
        return row

    def _check_market(self) -> None:
        self.params.check_market()
        self.params.raise_faults()


class TokenError(HttpError):
    """No token is issued.

    code : as RFC 6749, section 5.2, defines it
    """

    def __init__(self, status: int, code: str, message: str):
        super().__init__(status, message)
        self.code = code


def issue_token(context: RequestContext) -> Response:
    """Issue a token; raises HttpError if the form is too large, else TokenError."""
    request = context.request
    form = read_form(request)
    if form.get("grant_type") != "client_credentials":
        raise TokenError(
            400, "unsupported_grant_type", "expected grant_type=client_credentials: listeners can't sign in"
        )
    posted = form.get("client_id", ""), form.get("client_secret", "")
    client, secret = _basic_credentials(request.headers.get("Authorization", "")) or posted
    if not client or not secret:
        raise TokenError(400, "invalid_client", "name a client: Authorization: Basic, or client_id and client_secret")
    token = access_token(request.environ.get("segue.auth"), secret)
    if token is None:
        raise TokenError(400, "invalid_client", "the client's secret is not an API key of this service")
    return json_response(
        {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}, headers=_NO_STORE
    )


def access_token(keys: ApiKeys | None, secret: str) -> str | None:
    """The access token of a client; None if the service has keys and this is none of them."""
    return keys.issue_token(secret) if keys else "open-to-all"


def _basic_credentials(header: str) -> tuple[str, str] | None:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return client, secret
