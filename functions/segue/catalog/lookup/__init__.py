"""What a text means: songs by id, by title, by title and artist in one text, with typos, and artists and genres.

Modules: exact (by id, title or name), fuzzy (candidates for a text with typos), matching (how well a text matches a
song), resolver (all of it together).
"""

from segue.catalog.lookup.exact import (
    album_id,
    albums_by_artist,
    artist_by_id,
    artist_id,
    artist_names,
    artist_names_by_song,
    artists_by_title_key,
    song_by_id,
    song_versions,
    songs_by_album_id,
    songs_by_ids,
)
from segue.catalog.lookup.matching import SongMatch
from segue.catalog.lookup.resolver import (
    Resolution,
    SearchResults,
    genre_key,
    match_by_id,
    prefetch,
    resolve_artist,
    resolve_genre,
    resolve_link,
    resolve_song,
    search,
)

__all__ = [
    "Resolution",
    "SearchResults",
    "SongMatch",
    "album_id",
    "albums_by_artist",
    "artist_by_id",
    "artist_id",
    "artist_names",
    "artist_names_by_song",
    "artists_by_title_key",
    "genre_key",
    "match_by_id",
    "prefetch",
    "resolve_artist",
    "resolve_genre",
    "resolve_link",
    "resolve_song",
    "search",
    "song_by_id",
    "song_versions",
    "songs_by_album_id",
    "songs_by_ids",
]
