"""Songs, artists and pages in Spotify's shapes: every field that its clients expect, and no other.

What the table does not say has a neutral value, for typed clients take no null: popularity 0, explicit false,
duration 0, time signature 4, key -1 (none found), mode 1, every other audio feature 0; a nameless artist or album;
an album of one track, released in the year "0000". Pictures, markets and previews there are none.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np

from segue.catalog import Catalog, lookup, records
from segue.query.attributes import AUDIO

_NEUTRAL: Mapping[str, float] = {"time_signature": 4, "key": -1, "mode": 1}
FEATURES = (*(attribute.name for attribute in AUDIO), "duration_ms")
_POWERS = np.array([float(f"1e{digits}") for digits in range(23)])  # all that a float holds exactly
_WHOLE = frozenset(("key", "mode", "time_signature", "duration_ms"))

Shape = dict[str, Any]


def neutral(name: str) -> float:
    """What an attribute reads where the table does not say it."""
    return _NEUTRAL.get(name, 0)


class Shapes:
    """Describes rows of a catalogue.

    base : where the service is reached, without a slash at the end; all addresses begin with it
    """

    def __init__(self, catalog: Catalog, base: str):
        self._catalog = catalog
        self._base = base

    def track(self, row: int) -> Shape:
        """A full TrackObject."""
        catalog = self._catalog
        name, artists = catalog.texts("names")[row], self._artists(row)
        identity = catalog.texts("ids")[row]
        return {
            "album": self._album(row, artists[0]),
            "artists": artists,
            "available_markets": [],
            "disc_number": 1,
            "duration_ms": self._whole("duration_ms", row),
            "explicit": bool(self._whole("explicit", row)),
            "external_ids": {},
            **self._identified("track", identity, name, records.link(catalog, identity)),
            "is_local": False,
            "popularity": self._whole("popularity", row),
            "preview_url": None,
            "track_number": 1,
        }

    def artist(self, row: int) -> Shape:
        """A full artist: as popular as the best known song, of the genres of all songs, the most frequent first."""
        songs = self._catalog.lists("artist", "songs")[row]
        popularity = np.nan_to_num(self._catalog.attribute("popularity")[songs])
        return {
            **self._named_artist(self._catalog.texts("artists")[row]),
            "followers": {"href": None, "total": 0},
            "genres": self._genres(songs),
            "images": [],
            "popularity": int(popularity.max(initial=0)),
        }

    def features(self, rows: Sequence[int]) -> list[Shape]:
        """Audio features objects."""
        columns = [self._numbers(name, list(rows)) for name in FEATURES]
        texts = self._catalog.texts("ids")
        return [
            dict(zip(FEATURES, numbers)) | self._features_of(texts[row]) for row, numbers in zip(rows, zip(*columns))
        ]

    def page(self, items: Sequence[Shape], total: int, asked: Mapping[str, str], limit: int, offset: int) -> Shape:
        """A paging object.

        asked : parameters that this page was asked for, but for limit and offset
        """

        def address(start: int) -> str:
            query = urlencode({**asked, "limit": limit, "offset": start})
            return f"{self._base}/v1/search?{query}"

        after = offset + limit
        return {
            "href": address(offset),
            "items": items,
            "limit": limit,
            "next": address(after) if after < total else None,
            "offset": offset,
            "previous": address(max(0, offset - limit)) if offset else None,
            "total": total,
        }

    def href(self, kind: str, identity: str) -> str:
        """The address of an object; ids hold nothing that an address does not."""
        return f"{self._base}/v1/{kind}s/{identity}"

    def _identified(self, kind: str, identity: str, name: str, link: str | None = None) -> Shape:
        return {
            "external_urls": {"spotify": link or f"{self._base}/?{urlencode({'q': name})}"},
            "href": self.href(kind, identity),
            "id": identity,
            "name": name,
            "type": kind,
            "uri": f"spotify:{kind}:{identity}",
        }

    def _named_artist(self, name: str) -> Shape:
        return self._identified("artist", lookup.artist_id(name), name)

    def _artists(self, row: int) -> list[Shape]:
        return [self._named_artist(name) for name in lookup.artists_of(self._catalog, row) or [""]]

    def _album(self, row: int, artist: Shape) -> Shape:
        name = self._catalog.texts("albums")[row]
        return {
            "album_type": "album",
            "artists": [artist],
            "available_markets": [],
            **self._identified("album", lookup.album_id(name, artist["name"]), name),
            "images": [],
            "release_date": f"{self._whole('year', row):04}",
            "release_date_precision": "year",
            "total_tracks": 1,
        }

    def _genres(self, songs: np.ndarray) -> list[str]:
        names, lists = self._catalog.manifest["genres"], self._catalog.lists("in", "genres")
        counts = np.bincount(np.concatenate([lists[int(song)] for song in songs]), minlength=len(names))
        return [names[genre] for genre in np.argsort(-counts, kind="stable") if counts[genre]]

    def _features_of(self, identity: str) -> Shape:
        return {
            "analysis_url": f"{self._base}/v1/audio-analysis/{identity}",
            "id": identity,
            "track_href": self.href("track", identity),
            "type": "audio_features",
            "uri": f"spotify:track:{identity}",
        }

    def _numbers(self, name: str, rows: list[int]) -> list[float]:
        values = self._catalog.attribute(name)[rows].astype(np.float64)
        known = np.where(np.isnan(values), neutral(name), values)
        return known.astype(int).tolist() if name in _WHOLE else typed(known).tolist()

    def _whole(self, name: str, row: int) -> int:
        value = float(self._catalog.attribute(name)[row])
        return 0 if math.isnan(value) else round(value)


def typed(values: np.ndarray) -> np.ndarray:
    """Numbers as they were typed before float32 held them, to seven digits: 0.461 and not 0.46100001."""
    digits = 6 - np.floor(np.log10(np.maximum(np.abs(values), 1e-15))).astype(int)
    scale = _POWERS[np.clip(digits, 0, len(_POWERS) - 1)]
    return np.round(values * scale) / scale
