"""Methods and errors of the API."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from segue import notes
from segue.catalog import Catalog
from segue.errors import ArtifactsError, StoreError
from segue.keys import Keys
from segue.query.reader import shown
from segue.responses import ANYWHERE, RETRY_AFTER
from segue.subsonic import access, envelope, params, search, similar, walk
from segue.subsonic.errors import GENERIC, NOT_FOUND, Refused
from segue.subsonic.params import Params
from segue.subsonic.shapes import Shape

HTTP = ("GET", "HEAD", "POST")
FREE = "getOpenSubsonicExtensions"  # needs no key, as the API demands
_EXTENSIONS = ("apiKeyAuthentication", "formPost", "sonicSimilarity", "topSongsByArtistId")
_OF_THE_SERVER: Mapping[str, Shape] = {
    "ping": {},
    FREE: {"openSubsonicExtensions": [{"name": name, "versions": [1]} for name in _EXTENSIONS]},
    "getLicense": {"license": {"valid": True}},
    "tokenInfo": {"tokenInfo": {"username": "segue"}},  # keys have no owners
}
_OF_SONGS: Mapping[str, Callable[[Catalog, Params], Shape]] = {
    "search3": search.search3,
    "getSimilarSongs": similar.similar_songs,
    "getSimilarSongs2": similar.similar_songs_2,
    "getSonicSimilarTracks": similar.sonic_similar_tracks,
    "findSonicPath": walk.sonic_path,
    "getTopSongs": similar.top_songs,
}
_HEADERS = {405: {"Allow": ", ".join(HTTP)}, 503: {"Retry-After": str(RETRY_AFTER)}}
METHODS = (*_OF_THE_SERVER, *_OF_SONGS)

_log = logging.getLogger("segue")


def handle(request: Request, catalog: Callable[[], Catalog], turn: AbstractContextManager[object]) -> Response:
    """Answer a request, in every case in the API's shape and readable by pages of any origin.

    catalog : opens the artifacts
    turn : held while searching
    """
    try:
        response = _answered(request, catalog, turn)
    except Exception as error:
        response = _failed(request, error)
    response.headers.update(ANYWHERE)
    return response


def refusal(request: Request, keys: Keys) -> Response | None:
    """An error in the API's shape; None where the parameters hold a valid key, or none is needed."""
    if _method(request) == FREE:
        return None
    try:
        access.check(params.read(request), keys)
    except (Refused, HTTPException) as error:
        response = _failed(request, error)
        response.headers.update(ANYWHERE)
        return response
    return None


def _answered(request: Request, catalog: Callable[[], Catalog], turn: AbstractContextManager[object]) -> Response:
    if request.method == "OPTIONS":
        return Response(status=204)
    if request.method not in HTTP:
        raise Refused(GENERIC, f"expected one of {', '.join(HTTP)}", 405)
    method, asked = _method(request), params.read(request)
    if method not in METHODS:
        raise Refused(NOT_FOUND, f"{shown(method)} is not served; what is: {', '.join(METHODS)}")
    notes.note(route=f"rest/{method}")
    if method in _OF_THE_SERVER:
        return envelope.answer(asked, _OF_THE_SERVER[method])
    songs = catalog()
    with turn:
        found = _OF_SONGS[method](songs, asked)
    return envelope.answer(asked, found)


def _method(request: Request) -> str:
    return request.path.removeprefix("/rest").strip("/").removesuffix(".view")


def _failed(request: Request, error: Exception) -> Response:
    refused = error if isinstance(error, Refused) else _understood(error)
    response = envelope.failure(params.read(request), refused)
    response.headers.update(_HEADERS.get(refused.status, {}))
    return response


def _understood(error: Exception) -> Refused:
    if isinstance(error, HTTPException):
        return Refused(GENERIC, "the request ended before it was complete, or can't be read", 400)
    if isinstance(error, ArtifactsError):
        said = "the store of the artifacts can't be read now" if isinstance(error, StoreError) else str(error)
        return Refused(GENERIC, said, 503)
    _log.error("request failed", exc_info=error)
    return Refused(GENERIC, "the fault is ours; the log has the details", 500)
