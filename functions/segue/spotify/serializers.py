"""Songs, artists and pages as Spotify's JSON: every field that its clients expect, and no other.

Values that the table lacks are neutral, because typed clients reject null: popularity 0, explicit false,
duration 0, time signature 4, key -1 (none found), mode 1, every other audio feature 0; a nameless artist or album;
an album of one track, released in the year "0000". There are no pictures, markets or previews.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np

from segue.catalog import Catalog
from segue.catalog.lookup.exact import album_id, artist_id, artist_names, isrc_of, spotify_url
from segue.query.schema import AUDIO_FEATURES

_NEUTRAL_VALUES: Mapping[str, float] = {"time_signature": 4, "key": -1, "mode": 1}
FEATURE_NAMES = (*(attribute.name for attribute in AUDIO_FEATURES), "duration_ms")
_POWERS_OF_TEN = np.array([float(f"1e{digits}") for digits in range(23)])  # all powers that a float holds exactly
_INTEGER_FEATURES = frozenset(("key", "mode", "time_signature", "duration_ms"))

JsonObject = dict[str, Any]


def neutral_value(name: str) -> float:
    """The value of an attribute that the table lacks."""
    return _NEUTRAL_VALUES.get(name, 0)


class Serializer:
    """Serializes rows of a catalogue.

    base : URL of the service, without a trailing slash; all URLs begin with it
    """

    def __init__(self, catalog: Catalog, base: str):
        self._catalog = catalog
        self._base = base

    def track(self, row: int) -> JsonObject:
        """A full TrackObject."""
        catalog = self._catalog
        name, artists = catalog.texts("names")[row], self._artists(row)
        identity, isrc = catalog.texts("ids")[row], isrc_of(catalog, row)
        return {
            "album": self._album(row, artists[0]),
            "artists": artists,
            "available_markets": [],
            "disc_number": 1,
            "duration_ms": self._integer("duration_ms", row),
            "explicit": bool(self._integer("explicit", row)),
            "external_ids": {"isrc": isrc} if isrc else {},
            **self._object_fields("track", identity, name, spotify_url(catalog, identity)),
            "is_local": False,
            "popularity": self._integer("popularity", row),
            "preview_url": None,
            "track_number": 1,
        }

    def artist(self, row: int) -> JsonObject:
        """A full ArtistObject: popularity of the most popular song, genres of all songs, most frequent first."""
        songs = self._catalog.lists("artist", "songs")[row]
        popularity = np.nan_to_num(self._catalog.attribute("popularity", songs))
        return {
            **self._simple_artist(self._catalog.texts("artists")[row]),
            "followers": {"href": None, "total": 0},
            "genres": self._genres(songs),
            "images": [],
            "popularity": int(popularity.max(initial=0)),
        }

    def audio_features(self, rows: Sequence[int]) -> list[JsonObject]:
        """Audio features objects."""
        columns = [self._feature_values(name, list(rows)) for name in FEATURE_NAMES]
        texts = self._catalog.texts("ids")
        return [
            dict(zip(FEATURE_NAMES, numbers)) | self._audio_features_links(texts[row])
            for row, numbers in zip(rows, zip(*columns))
        ]

    def page(
        self, items: Sequence[JsonObject], total: int, parameters: Mapping[str, str], limit: int, offset: int
    ) -> JsonObject:
        """A paging object.

        parameters : of the request, without limit and offset
        """

        def url(start: int) -> str:
            query = urlencode({**parameters, "limit": limit, "offset": start})
            return f"{self._base}/v1/search?{query}"

        after = offset + limit
        return {
            "href": url(offset),
            "items": items,
            "limit": limit,
            "next": url(after) if after < total else None,
            "offset": offset,
            "previous": url(max(0, offset - limit)) if offset else None,
            "total": total,
        }

    def href(self, kind: str, identity: str) -> str:
        """The URL of an object; ids hold no characters that need escaping."""
        return f"{self._base}/v1/{kind}s/{identity}"

    def _object_fields(self, kind: str, identity: str, name: str, link: str | None = None) -> JsonObject:
        return {
            "external_urls": {"spotify": link or f"{self._base}/?{urlencode({'q': name})}"},
            "href": self.href(kind, identity),
            "id": identity,
            "name": name,
            "type": kind,
            "uri": f"spotify:{kind}:{identity}",
        }

    def _simple_artist(self, name: str) -> JsonObject:
        return self._object_fields("artist", artist_id(name), name)

    def _artists(self, row: int) -> list[JsonObject]:
        return [self._simple_artist(name) for name in artist_names(self._catalog, row) or [""]]

    def _album(self, row: int, artist: JsonObject) -> JsonObject:
        name = self._catalog.texts("albums")[row]
        return {
            "album_type": "album",
            "artists": [artist],
            "available_markets": [],
            **self._object_fields("album", album_id(name, artist["name"]), name),
            "images": [],
            "release_date": f"{self._integer('year', row):04}",
            "release_date_precision": "year",
            "total_tracks": 1,
        }

    def _genres(self, songs: np.ndarray) -> list[str]:
        names, lists = self._catalog.manifest["genres"], self._catalog.lists("song", "genres")
        counts = np.bincount(np.concatenate([lists[int(song)] for song in songs]), minlength=len(names))
        return [names[genre] for genre in np.argsort(-counts, kind="stable") if counts[genre]]

    def _audio_features_links(self, identity: str) -> JsonObject:
        return {
            "analysis_url": f"{self._base}/v1/audio-analysis/{identity}",
            "id": identity,
            "track_href": self.href("track", identity),
            "type": "audio_features",
            "uri": f"spotify:track:{identity}",
        }

    def _feature_values(self, name: str, rows: list[int]) -> list[float]:
        values = self._catalog.attribute(name, rows).astype(np.float64)
        known = np.where(np.isnan(values), neutral_value(name), values)
        return known.astype(int).tolist() if name in _INTEGER_FEATURES else round_to_seven_digits(known).tolist()

    def _integer(self, name: str, row: int) -> int:
        value = float(self._catalog.attribute(name, row))
        return 0 if math.isnan(value) else round(value)


def round_to_seven_digits(values: np.ndarray) -> np.ndarray:
    """Round float32 values to seven significant digits, as they were typed: 0.461, not 0.46100001."""
    digits = 6 - np.floor(np.log10(np.maximum(np.abs(values), 1e-15))).astype(int)
    scale = _POWERS_OF_TEN[np.clip(digits, 0, len(_POWERS_OF_TEN) - 1)]
    return np.round(values * scale) / scale
