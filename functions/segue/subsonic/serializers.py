"""Songs, albums, artists and whole responses as the API writes them: XML, JSON or JSONP.

Fields of the old Subsonic API are left out if the table lacks their value. Fields that OpenSubsonic added are then
empty, so that clients see which are supported: https://opensubsonic.netlify.app/docs/responses/child/. In XML, plain
values become attributes and all others elements; a list repeats its element.
"""

import functools
import html
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Response

from segue import VERSION
from segue.catalog import Catalog
from segue.catalog.lookup.exact import album_id, albums_by_artist, artist_id, artist_names, isrc_of
from segue.dialects import json_response
from segue.errors import HttpError
from segue.subsonic.request_params import ERROR_GENERIC, ERROR_MISSING_PARAMETER, ApiError, RequestParams

JsonObject = dict[str, Any]
CREATED = "1970-01-01T00:00:00Z"  # tables don't say when a song was added, and clients need a date
_EXPLICIT_STATUS = {None: "", 0: "clean", 1: "explicit"}
API_VERSION = "1.16.1"  # version of the Subsonic API
_RESPONSE_FIELDS = {"version": API_VERSION, "type": "segue", "serverVersion": VERSION, "openSubsonic": True}
_XML_NAMESPACE = {"xmlns": "http://subsonic.org/restapi"}
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}", re.ASCII)
_INVALID_XML = re.compile(
    r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # https://www.w3.org/TR/xml/#charsets
_FORMATS = ("", "xml", "json", "jsonp")


class Serializer:
    """Serializes rows of a catalogue."""

    def __init__(self, catalog: Catalog):
        self._catalog = catalog
        self._albums_of = functools.cache(functools.partial(albums_by_artist, catalog))  # cached for one request

    def songs(self, rows: Sequence[int]) -> list[JsonObject]:
        """Songs, each a ``Child``."""
        return [self._song(row) for row in rows]

    def matches(self, rows: Sequence[int], similar: Sequence[float]) -> list[JsonObject]:
        """Songs and how similar each is, 0..1: ``sonicMatch``."""
        return [{"entry": entry, "similarity": value} for entry, value in zip(self.songs(rows), similar)]

    def artist(self, row: int) -> JsonObject:
        """An ``ArtistID3``."""
        return {**_artist_reference(self._catalog.texts("artists")[row]), "albumCount": len(self._albums_of(row))}

    def album(self, song: int) -> JsonObject:
        """The ``AlbumID3`` of a song that has an album and an artist."""
        artist, name = artist_names(self._catalog, song)[0], self._catalog.texts("albums")[song]
        identity = album_id(name, artist)
        songs = self._albums_of(int(self._catalog.lists("song", "artists")[song][0]))[identity]
        durations = self._catalog.attribute("duration_ms", songs)
        return {
            "id": identity,
            "name": name,
            "artist": artist,
            "artistId": artist_id(artist),
            "songCount": len(songs),
            "duration": round(sum(duration for duration in durations.tolist() if not math.isnan(duration)) / 1000),
            "created": CREATED,
            **self._year_and_genre(song),
            "artists": [_artist_reference(artist)],
            "displayArtist": artist,
        }

    def _song(self, row: int) -> JsonObject:
        names = artist_names(self._catalog, row)
        duration, isrc = self._integer("duration_ms", row), isrc_of(self._catalog, row)
        return {
            "id": self._catalog.texts("ids")[row],
            "isDir": False,
            "title": self._catalog.texts("names")[row],
            **self._credits(row, names[0] if names else ""),
            **self._year_and_genre(row),
            **({} if duration is None else {"duration": round(duration / 1000)}),
            "type": "music",
            "mediaType": "song",
            "isVideo": False,
            "bpm": self._integer("tempo", row) or 0,
            "isrc": [isrc] if isrc else [],
            "artists": [_artist_reference(name) for name in names],
            "displayArtist": ", ".join(names),
            "explicitStatus": _EXPLICIT_STATUS[self._integer("explicit", row)],
        }

    def _credits(self, row: int, artist: str) -> JsonObject:
        """A song's album and first artist."""
        album = self._catalog.texts("albums")[row]
        fields: JsonObject = {"album": album} if album else {}
        if artist:
            fields |= {"artist": artist, "artistId": artist_id(artist)}
        if album and artist:
            identity = album_id(album, artist)
            fields |= {"albumId": identity, "parent": identity}
        return fields

    def _year_and_genre(self, row: int) -> JsonObject:
        year, names = self._integer("year", row), self._catalog.manifest["genres"]
        genres = [names[genre] for genre in self._catalog.lists("song", "genres")[row].tolist()]
        fields: JsonObject = {} if year is None else {"year": year}
        return {**fields, **({"genre": genres[0]} if genres else {}), "genres": [{"name": genre} for genre in genres]}

    def _integer(self, name: str, row: int) -> int | None:
        value = float(self._catalog.attribute(name, row))
        return None if math.isnan(value) else round(value)


def _artist_reference(name: str) -> JsonObject:
    return {"id": artist_id(name), "name": name}


def success_response(params: RequestParams, result: Mapping[str, Any]) -> Response:
    """A successful response.

    Raises
    ------
    ApiError
        the requested format is unknown, or its callback is missing or invalid.

    """
    if params.get("f") not in _FORMATS:
        raise ApiError(ERROR_GENERIC, "f: expected xml, json or jsonp")
    if params.get("f") == "jsonp" and not _CALLBACK.fullmatch(params.get("callback")):
        raise ApiError(ERROR_MISSING_PARAMETER, "Required parameter is missing: callback, a name of JavaScript")
    return _render(params, {"status": "ok", **_RESPONSE_FIELDS, **result}, 200)


def error_response(params: RequestParams, error: HttpError) -> Response:
    """A response that reports an error."""
    fields = {"code": error.code if isinstance(error, ApiError) else ERROR_GENERIC, "message": str(error)}
    response = _render(params, {"status": "failed", **_RESPONSE_FIELDS, "error": fields}, error.status)
    response.headers.update(error.headers)
    return response


def _render(params: RequestParams, body: Mapping[str, Any], status: int) -> Response:
    if params.get("f") not in ("json", "jsonp"):
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n{_to_xml("subsonic-response", {**_XML_NAMESPACE, **body})}'
        return Response(text.encode("utf-8", "replace"), status, mimetype="application/xml")
    response = json_response({"subsonic-response": body}, status)
    if params.get("f") == "jsonp" and _CALLBACK.fullmatch(params.get("callback")):
        callback = params.get("callback").encode()
        response = Response(callback + b"(" + response.data + b");", status, mimetype="application/javascript")
    return response


def _to_xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_to_xml(name, entry) for entry in value)
    if not isinstance(value, Mapping):
        return f"<{name}>{_escape(value)}</{name}>"
    children = {key: entry for key, entry in value.items() if isinstance(entry, list | Mapping)}
    attributes = "".join(f' {key}="{_escape(entry)}"' for key, entry in value.items() if key not in children)
    return f"<{name}{attributes}>{''.join(_to_xml(key, entry) for key, entry in children.items())}</{name}>"


def _escape(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return html.escape(_INVALID_XML.sub("\ufffd", str(value)))
