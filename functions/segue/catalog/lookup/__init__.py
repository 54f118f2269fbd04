"""What a text means: songs by id, by title, by title and artist in one text, with typos, and artists and genres.

Reading order: rows (exact keys), readings (what a text may mean), trigrams and likeness (which names are like it),
spellings and ranking (how well a song answers to it), base62, artists, albums, genres, songs (all of it together).
"""

from segue.catalog.lookup.albums import album_by_id, album_id, albums_of
from segue.catalog.lookup.artists import artist, artist_by_id, artist_id
from segue.catalog.lookup.genres import genre, genre_key
from segue.catalog.lookup.readings import Reading
from segue.catalog.lookup.rows import artists_like, artists_of, artists_of_each, by_id, by_ids, versions
from segue.catalog.lookup.songs import Found, Match, expect, identified, linked, search, song

__all__ = [
    "Found",
    "Match",
    "Reading",
    "album_by_id",
    "album_id",
    "albums_of",
    "artist",
    "artist_by_id",
    "artist_id",
    "artists_like",
    "artists_of",
    "artists_of_each",
    "by_id",
    "by_ids",
    "expect",
    "genre",
    "genre_key",
    "identified",
    "linked",
    "search",
    "song",
    "versions",
]
