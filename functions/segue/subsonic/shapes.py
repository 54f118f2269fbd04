"""Songs, albums and artists in the shapes of the API.

Fields of the old Subsonic API are left out where the table lacks their value; fields that OpenSubsonic added are then
empty, so that clients see which are supported: https://opensubsonic.netlify.app/docs/responses/child/.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

from segue.catalog import Catalog, lookup

Shape = dict[str, Any]

CREATED = "1970-01-01T00:00:00Z"  # tables don't say when a song was added, and clients need a date
_EXPLICIT = {None: "", 0: "clean", 1: "explicit"}


class Shapes:
    """Describes rows of a catalogue."""

    def __init__(self, catalog: Catalog):
        self._catalog = catalog
        self._albums_of = functools.cache(functools.partial(lookup.albums_of, catalog))  # as long as the request

    def songs(self, rows: Sequence[int]) -> list[Shape]:
        """Songs, each a ``Child``."""
        return [self._song(row) for row in rows]

    def matches(self, rows: Sequence[int], similar: Sequence[float]) -> list[Shape]:
        """Songs and how similar each is, 0..1: ``sonicMatch``."""
        return [{"entry": entry, "similarity": one} for entry, one in zip(self.songs(rows), similar)]

    def artist(self, row: int) -> Shape:
        """An ``ArtistID3``."""
        return {**_artist(self._catalog.texts("artists")[row]), "albumCount": len(self._albums_of(row))}

    def album(self, song: int) -> Shape:
        """The ``AlbumID3`` of a song that has an album and an artist."""
        artist, name = lookup.artists_of(self._catalog, song)[0], self._catalog.texts("albums")[song]
        identity = lookup.album_id(name, artist)
        songs = self._albums_of(int(self._catalog.lists("by", "artists")[song][0]))[identity]
        lengths = self._catalog.attribute("duration_ms")[songs]
        return {
            "id": identity,
            "name": name,
            "artist": artist,
            "artistId": lookup.artist_id(artist),
            "songCount": len(songs),
            "duration": round(sum(length for length in lengths.tolist() if not math.isnan(length)) / 1000),
            "created": CREATED,
            **self._year_and_genre(song),
            "artists": [_artist(artist)],
            "displayArtist": artist,
        }

    def _song(self, row: int) -> Shape:
        names = lookup.artists_of(self._catalog, row)
        length = self._whole("duration_ms", row)
        return {
            "id": self._catalog.texts("ids")[row],
            "isDir": False,
            "title": self._catalog.texts("names")[row],
            **self._credits(row, names[0] if names else ""),
            **self._year_and_genre(row),
            **({} if length is None else {"duration": round(length / 1000)}),
            "type": "music",
            "mediaType": "song",
            "isVideo": False,
            "bpm": self._whole("tempo", row) or 0,
            "artists": [_artist(name) for name in names],
            "displayArtist": ", ".join(names),
            "explicitStatus": _EXPLICIT[self._whole("explicit", row)],
        }

    def _credits(self, row: int, artist: str) -> Shape:
        """A song's album and first artist."""
        album = self._catalog.texts("albums")[row]
        shape: Shape = {"album": album} if album else {}
        if artist:
            shape |= {"artist": artist, "artistId": lookup.artist_id(artist)}
        if album and artist:
            identity = lookup.album_id(album, artist)
            shape |= {"albumId": identity, "parent": identity}
        return shape

    def _year_and_genre(self, row: int) -> Shape:
        year, names = self._whole("year", row), self._catalog.manifest["genres"]
        genres = [names[genre] for genre in self._catalog.lists("in", "genres")[row].tolist()]
        shape: Shape = {} if year is None else {"year": year}
        return {**shape, **({"genre": genres[0]} if genres else {}), "genres": [{"name": genre} for genre in genres]}

    def _whole(self, name: str, row: int) -> int | None:
        value = float(self._catalog.attribute(name)[row])
        return None if math.isnan(value) else round(value)


def _artist(name: str) -> Shape:
    return {"id": lookup.artist_id(name), "name": name}
