"""Paths, methods and errors of the dialect."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from segue import notes
from segue.catalog import Catalog
from segue.engine.artists import related
from segue.errors import ArtifactsError
from segue.responses import ANYWHERE, RETRY_AFTER, json_response
from segue.spotify import errors, genres, ids, recommendations, search, token
from segue.spotify.errors import Refused
from segue.spotify.params import Params
from segue.spotify.shapes import Shape, Shapes

ROUTES = Map(
    [
        Rule("/v1/recommendations", endpoint="recommendations", methods=["GET"]),
        Rule("/v1/recommendations/available-genre-seeds", endpoint="genre_seeds", methods=["GET"]),
        Rule("/v1/audio-features", endpoint="several_features", methods=["GET"]),
        Rule("/v1/audio-features/<song>", endpoint="features", methods=["GET"]),
        Rule("/v1/tracks", endpoint="several_tracks", methods=["GET"]),
        Rule("/v1/tracks/<song>", endpoint="track", methods=["GET"]),
        Rule("/v1/search", endpoint="search", methods=["GET"]),
        Rule("/v1/artists", endpoint="several_artists", methods=["GET"]),
        Rule("/v1/artists/<artist>", endpoint="artist", methods=["GET"]),
        Rule("/v1/artists/<artist>/related-artists", endpoint="related_artists", methods=["GET"]),
    ],
    strict_slashes=False,
    merge_slashes=False,
)
TOKEN = "/api/token"  # noqa: S105 # a path
_NO_LISTENERS = "it needs a listener's account, and there are none here"
_REASONS = {
    "me": _NO_LISTENERS,
    "users": _NO_LISTENERS,
    "playlists": _NO_LISTENERS,
    "albums": "the table holds songs, of albums no more than their names",
    "artists": 'of an artist the table holds songs; search for artist:"NAME" to list them',
    "audio-analysis": "the table holds audio features, but no analysis from beat to beat",
    "browse": "nobody edits a front page here",
    "markets": "tables know no markets",
    "shows": "the table holds songs only",
    "episodes": "the table holds songs only",
    "audiobooks": "the table holds songs only",
    "chapters": "the table holds songs only",
}

_log = logging.getLogger("segue")


def handle(
    request: Request, catalog: Callable[[], Catalog], base: str, turn: AbstractContextManager[object]
) -> Response:
    """Answer a request; whatever happens, in Spotify's shape and open to programs in browsers.

    catalog : opens the artifacts
    base : where callers reach the service, without a slash at the end
    turn : is waited for before anything is looked for
    """
    try:
        response = _answered(request, catalog, base, turn)
    except Refused as error:
        response = _refusal(request, error.status, str(error))
    except ArtifactsError as error:
        response = _refusal(request, 503, str(error), {"Retry-After": str(RETRY_AFTER)})
    except HTTPException as error:
        response = _of_http(request, error)
    except Exception:
        _log.exception("request failed")
        response = _refusal(request, 500, "the fault is ours; the log has the details")
    response.headers.update(ANYWHERE)
    return response


def _answered(
    request: Request, catalog: Callable[[], Catalog], base: str, turn: AbstractContextManager[object]
) -> Response:
    if request.method == "OPTIONS":
        return Response(status=204)
    if _is_token(request):
        notes.note(route="api/token")
        if request.method != "POST":
            raise MethodNotAllowed(["POST"])
        return token.answer(request)
    view, arguments = ROUTES.bind("").match(request.path, request.method)
    notes.note(route=f"v1/{view}")
    songs = catalog()
    call = _Call(songs, Params(request.args), Shapes(songs, base))
    with turn:
        found = getattr(call, view)(**arguments)
    return json_response(found)


def _refusal(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    if _is_token(request):
        return token.refusal(status, "invalid_request" if status < 500 else "server_error", message)
    return errors.response(status, message, headers)


def _of_http(request: Request, error: HTTPException) -> Response:
    methods = sorted(getattr(error, "valid_methods", None) or [])
    if methods:
        allowed = ", ".join(methods)
        return _refusal(request, 405, f"{request.path[:80]} answers {allowed}", {"Allow": allowed})
    if not isinstance(error, NotFound):
        return _refusal(request, 400, "the request ended before it was complete, or can't be read")
    kind = request.path.removeprefix("/v1").strip("/").partition("/")[0]
    why = _REASONS.get(kind, "there never was such a route, or it has nothing to do with a table of songs")
    return _refusal(request, 404, f"{request.path[:80]} is not served: {why}")


def _is_token(request: Request) -> bool:
    return request.path.rstrip("/") == TOKEN


@dataclass(frozen=True, slots=True)
class _Call:
    """One request: a method for each endpoint, which returns the body of the answer."""

    catalog: Catalog
    params: Params
    shapes: Shapes

    def recommendations(self) -> Shape:
        asked = recommendations.read(self.params, self.catalog)
        return recommendations.answer(self.catalog, self.shapes, asked)

    def genre_seeds(self) -> Shape:
        return {"genres": list(genres.named(self.catalog.manifest["genres"]))}

    def features(self, song: str) -> Shape:
        return self.shapes.features([self._song(song)])[0]

    def several_features(self) -> Shape:
        rows = ids.songs(self.catalog, self.params.ids(100))
        known = list(dict.fromkeys(row for row in rows if row is not None))
        described = dict(zip(known, self.shapes.features(known)))
        return {"audio_features": [None if row is None else described[row] for row in rows]}

    def track(self, song: str) -> Shape:
        self._market()
        return self.shapes.track(self._song(song))

    def several_tracks(self) -> Shape:
        self._market()
        rows = ids.songs(self.catalog, self.params.ids(50))
        return {"tracks": [None if row is None else self.shapes.track(row) for row in rows]}

    def artist(self, artist: str) -> Shape:
        return self.shapes.artist(self._artist(artist))

    def several_artists(self) -> Shape:
        rows = [ids.artist(self.catalog, artist) for artist in self.params.ids(50)]
        return {"artists": [None if row is None else self.shapes.artist(row) for row in rows]}

    def related_artists(self, artist: str) -> Shape:
        with notes.timed("search"):
            rows = related(self.catalog, self._artist(artist))
        return {"artists": [self.shapes.artist(row) for row in rows]}

    def search(self) -> Shape:
        return search.answer(self.catalog, self.shapes, search.read(self.params))

    def _song(self, asked: str) -> int:
        row = ids.song(self.catalog, asked)
        if row is None:
            raise Refused(404, f"Non existing id: no song of this table has the id '{asked}'")
        return row

    def _artist(self, asked: str) -> int:
        row = ids.artist(self.catalog, asked)
        if row is None:
            raise Refused(404, f"Non existing id: no artist of this table has the id '{asked}'")
        return row

    def _market(self) -> None:
        self.params.market()
        self.params.check()
