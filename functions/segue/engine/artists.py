"""Related artists: whose songs are recommended for an artist."""

from segue.catalog import Catalog
from segue.catalog.names import bare
from segue.engine.recommendation import recommend
from segue.query import Query, Seed

MOST = 20
CONSIDERED = 3 * MOST  # songs: two may be by one artist, who may be spelled in several ways


def related(catalog: Catalog, artist: int) -> list[int]:
    """Rows of other artists, the most alike first."""
    names, by = catalog.texts("artists"), catalog.lists("by", "artists")
    seed = Seed("/id", {"artist": names[artist]}, artist=names[artist])
    query = Query((seed,), limit=CONSIDERED, max_per_artist=2, exclude_seed_artists=True)
    rows = [song.row for song in recommend(catalog, query).recommendations]
    firsts = [int(by[row][0]) for row in rows if len(by[row])]
    spellings: dict[str, int] = {}
    for first in firsts:
        spellings.setdefault(bare(names[first]), first)
    return list(spellings.values())[:MOST]
