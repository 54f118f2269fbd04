"""Albums, of which tables hold no more than names beside songs: a name and the first artist of the songs make one.

As an artist's, an id is made from two digests: the first is the artist's, by which artists are looked up, the second
separates albums. It is the same in every version of every table.
"""

from collections import defaultdict
from itertools import takewhile

from segue.catalog.lookup.base62 import encoded, first_half
from segue.catalog.lookup.rows import artists_at
from segue.catalog.names import bare, digest, title_key
from segue.catalog.version import Catalog


def album_id(name: str, artist: str) -> str:
    """The id of an album by its name and first artist, whatever their case, accents and punctuation."""
    return encoded(digest(title_key(artist))) + encoded(digest(f"album {bare(name)}\x1f{bare(artist)}"))


def album_by_id(catalog: Catalog, asked: str) -> list[int]:
    """The songs of an album, the best known first; none where there is no such album."""
    key = first_half(asked)
    if key is None:
        return []
    return [row for artist in artists_at(catalog, key) for row in albums_of(catalog, artist).get(asked, ())]


def albums_of(catalog: Catalog, artist: int) -> dict[str, list[int]]:
    """The albums of an artist: id -> songs of which this is the first artist, the best known first."""
    name, texts, by = catalog.texts("artists")[artist], catalog.texts("albums"), catalog.lists("by", "artists")
    songs = catalog.lists("artist", "songs")[artist].tolist()
    titles: dict[str, list[int]] = defaultdict(list)
    for row in takewhile(lambda row: int(by[row][0]) == artist, songs):
        titles[texts[row]].append(row)
    albums: dict[str, list[int]] = defaultdict(list)
    for title, rows in titles.items():
        if title:
            albums[album_id(title, name)] += rows
    return dict(albums)
