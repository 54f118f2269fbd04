"""What an id stands for: a song, an artist, or an album, which is its best-known songs."""

from segue.catalog import Catalog, lookup
from segue.query import Seed
from segue.query.reader import shown
from segue.subsonic.errors import NOT_FOUND, Refused

MOST = 20  # songs that stand for an album; as many as stand for an artist


def song(catalog: Catalog, asked: str, pointer: str = "/id") -> Seed:
    """The song of an id.

    Raises
    ------
    Refused
        there is none.

    """
    if lookup.by_id(catalog, asked) is None:
        raise Refused(NOT_FOUND, f"no song has the id {shown(asked)}; search3 finds ids")
    return Seed(pointer, {"id": asked}, id=asked)


def anything(catalog: Catalog, asked: str) -> tuple[Seed, ...]:
    """The song, the artist or the songs of the album that an id stands for.

    Raises
    ------
    Refused
        it stands for none.

    """
    if lookup.by_id(catalog, asked) is not None:
        return (song(catalog, asked),)
    artist = lookup.artist_by_id(catalog, asked)
    if artist is not None:
        name = catalog.texts("artists")[artist]
        return (Seed("/id", {"artist": name}, artist=name),)
    ids = catalog.texts("ids")
    album = [ids[row] for row in lookup.album_by_id(catalog, asked)[:MOST]]
    if not album:
        raise Refused(NOT_FOUND, f"no song, artist or album has the id {shown(asked)}; search3 finds ids")
    return tuple(Seed("/id", {"id": identity}, id=identity) for identity in album)
