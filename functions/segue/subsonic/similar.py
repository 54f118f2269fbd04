"""Songs like a song, an artist or an album, and an artist's best-known songs."""

import numpy as np

from segue import engine, notes
from segue.catalog import Catalog, lookup
from segue.query import Query, Seed
from segue.query.reader import shown
from segue.subsonic import seeds
from segue.subsonic.errors import NOT_FOUND, Refused
from segue.subsonic.params import Params
from segue.subsonic.shapes import Shape, Shapes

MOST = 100  # songs in a list
USUAL, USUAL_MATCHES = 50, 10


def similar_songs(catalog: Catalog, params: Params) -> Shape:
    """``getSimilarSongs``."""
    return {"similarSongs": {"song": _similar(catalog, params)}}


def similar_songs_2(catalog: Catalog, params: Params) -> Shape:
    """``getSimilarSongs2``, of which clients ask the ids of songs and albums, too."""
    return {"similarSongs2": {"song": _similar(catalog, params)}}


def sonic_similar_tracks(catalog: Catalog, params: Params) -> Shape:
    """``getSonicSimilarTracks``: how similar a song is, 0..1, is its score."""
    seed = seeds.song(catalog, params.text("id"))
    found = _recommended(catalog, (seed,), params.count("count", USUAL_MATCHES, MOST))
    return {"sonicMatch": Shapes(catalog).matches([song.row for song in found], [song.score for song in found])}


def top_songs(catalog: Catalog, params: Params) -> Shape:
    """``getTopSongs``: an artist's best-known songs, one version of each."""
    asked = params.get("id") or params.text("artist")
    artist = lookup.artist(catalog, asked) if asked.strip() else None
    if artist is None:
        raise Refused(NOT_FOUND, f"no artist has the name or id {shown(asked)}; search3 finds artists")
    songs = catalog.lists("artist", "songs")[artist]
    _, firsts = np.unique(catalog.array("works")[songs], return_index=True)
    rows = songs[np.sort(firsts)][: params.count("count", USUAL, MOST)].tolist()
    return {"topSongs": {"song": Shapes(catalog).songs(rows)}}


def _similar(catalog: Catalog, params: Params) -> list[Shape]:
    asked = seeds.anything(catalog, params.text("id"))
    found = _recommended(catalog, asked, params.count("count", USUAL, MOST))
    return Shapes(catalog).songs([song.row for song in found])


def _recommended(catalog: Catalog, asked: tuple[Seed, ...], count: int) -> tuple[engine.Recommendation, ...]:
    if not count:
        return ()
    with notes.timed("search"):
        return engine.recommend(catalog, Query(asked, limit=count, fill=True)).recommendations
